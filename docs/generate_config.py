"""The pages of a run's config and of the recipes, from the tables that the engine and the dashboard use."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from app.recipes import Recipe, load_recipes
from app.runs.config.run_config import Distillation, Personal, RunConfig, Start
from app.runs.config.schema import schema
from docs.markdown import described, table

HEAD = {
    "name": "The name of the file without `.toml`; it is not written in it.",
    "title": "What the dashboard's card is headed with.",
    "summary": "One line of what it is.",
    "source": "Where it comes from.",
    "group": "The group in which the dashboard lists it: learn, tutorials or best.",
    "expected_accuracy": "The share of MNIST's test images that it reads right, from 0 to 1.",
    "order": "Its place among the others.",
    "config": "The table `[config]`: the config of a run, below.",
    "source_url": "The address of the source, if it has one.",
}
OWN = {
    "recipe": "The name of the recipe that the config came from; `custom` where there is none.",
    "network": "`layers`, a list, and `generator`.",
    "start": "What is trained further, instead of weights that are drawn by the seed.",
    "personal": "The drawings that a model is personalized with: [Make it mine](../how-to/make-it-mine.md).",
}
"""Fields that the dashboard's form has no input for."""
INNER = {
    "start.run": "The last checkpoint of this run.",
    "start.model": "The weights of this model; network, dtype and input scale are the model's.",
    "start.sha256": "Of the model's weights; filled in when the run is queued.",
    "personal.set": "The set of drawings.",
    "personal.images": "Images that are drawn from the drawings, with other pens and small warps.",
    "personal.rehearsal": "Images of the data set that are learned again beside them, so that nothing is forgotten.",
}
TEACHING = {
    "model": "The stored model whose probabilities are learned, or several, whose mean is: `best-cnn + best-mlp`.",
    "weight": "Its share in what is learned, above 0 and up to 1; the labels have the rest.",
    "sha256": "Of the models' weights; filled in when the run is queued.",
}
PARTS = {
    "layers": (
        "Layers",
        'An entry of `network.layers`. One without fields may be written as its name alone: `"relu"`.',
    ),
    "initializers": ("Initial weights", "The `initializer` of a layer."),
    "losses": ("Losses", "`loss`."),
    "optimizers": ("Optimizers", "`optimizer`."),
    "schedules": (
        "Schedules",
        "`schedule`: how the learning rate changes. Every one is a factor of the optimizer's rate.",
    ),
}


def config() -> str:
    """The recipe format. Raises Undocumented."""
    told = schema(["mnist"])
    head = [(f"`{field.name}`", HEAD.get(field.name)) for field in fields(Recipe) if field.name != "name"]
    parts = [table(("key", "what it is"), [(key, described(f"recipe key {key}", text)) for key, text in head])]
    listed = {field["name"].partition(".")[0] for group in told["groups"] for field in group["fields"]}
    own = [name for name in RunConfig.model_fields if name not in listed]
    rows = [(f"`{name}`", _default(RunConfig, name), described(f"config field {name}", OWN.get(name))) for name in own]
    for holder, model in (("start", Start), ("personal", Personal)):
        rows += [
            (f"`{name}`", _default(model, name.partition(".")[2]), described(f"config field {name}", INNER.get(name)))
            for name in (f"{holder}.{field}" for field in model.model_fields)
        ]
    for group in told["groups"]:
        parts.append(f"## {group['title']}\n\n" + _fields(group["fields"]))
    parts.append("## Where a run starts\n\n" + table(("field", "default", "what it does"), rows))
    parts.append(
        "## Augmentation\n\nThe fields of `augmentation`. Each amount is drawn anew for every image in every epoch.\n\n"
        + _fields(told["augmentation"])
    )
    taught = [
        (f"`{name}`", _default(Distillation, name), described(f"distillation.{name}", TEACHING.get(name)))
        for name in Distillation.model_fields
    ]
    parts.append(
        "## Distillation\n\nThe fields of `distillation`: [Learn from a model](../how-to/own-data.md).\n\n"
        + table(("field", "default", "what it does"), taught)
    )
    for key, (title, text) in PARTS.items():
        parts.append(f"## {title}\n\n{text}\n\n" + "\n".join(map(_part, told[key])))
    return "\n".join(parts)


def recipes() -> str:
    """All recipes in a table, then each with its source and its config."""
    rows = [
        (f"[`{one.name}`](#{one.name})", one.summary, f"{100 * one.expected_accuracy:.2f} %")
        for one in load_recipes().values()
    ]
    parts = [table(("recipe", "what it is", "expected accuracy"), rows)]
    for recipe in load_recipes().values():
        layers = ", ".join(_short(layer) for layer in recipe.config["network"]["layers"])
        parts.append(
            f"## {recipe.name}\n\n**{recipe.title}.** {described(f'recipe {recipe.name}', recipe.summary)}\n\n"
            + table(
                ("", ""),
                [
                    ("source", f"[{recipe.source}]({recipe.source_url})" if recipe.source_url else recipe.source),
                    ("expected accuracy", f"{100 * recipe.expected_accuracy:.2f} %"),
                    ("data", f"`{recipe.config['dataset']}`"),
                    ("layers", layers),
                    *_rest(recipe.config),
                ],
            )
        )
    return "\n".join(parts)


def _rest(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    left_out = {"recipe", "dataset", "network"}
    return [(key, _short(value)) for key, value in config.items() if key not in left_out]


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        rest = ", ".join(f"{key} {_short(one)}" for key, one in value.items() if key != "type")
        return " ".join(filter(None, (str(value.get("type", "")), f"({rest})" if rest and "type" in value else rest)))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _part(part: Mapping[str, Any]) -> str:
    text = described(f"part {part['type']}", part["explanation"])
    return f"### {part['type']}\n\n{text}\n\n" + (_fields(part["fields"]) if part["fields"] else "It has no fields.\n")


def _fields(listed: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for field in listed:
        text = described(f"field {field['name']}", field["explanation"])
        default = "required" if field["required"] else f"`{_json(field['default'])}`"
        rows.append((f"`{field['name']}`", _range(field), default, text))
    return table(("field", "value", "default", "what it does"), rows)


def _range(field: Mapping[str, Any]) -> str:
    if field["name"] == "dataset":
        return "a data set: [Train on your own data](../how-to/own-data.md)"
    kind = {"whole": "whole number", "flag": "true or false", "spec": "a type, or an object with one"}.get(
        field["type"], field["type"]
    )
    limits = [
        f"{word} {field[key]:,}"
        for key, word in (("above", "above"), ("minimum", "from"), ("below", "below"), ("maximum", "to"))
        if field[key] is not None
    ]
    choices = " or ".join(f"`{one}`" for one in field["choices"] or ())
    if field["type"] == "choice":
        return choices
    joint = " " if [*limits, "", ""][1].startswith("to") else ", "
    return " ".join(filter(None, (kind, joint.join(limits)))) + (f", or {choices}" if choices else "")


def _default(model: Any, name: str) -> str:
    field = model.model_fields[name]
    return "required" if field.is_required() else f"`{_json(field.get_default(call_default_factory=True))}`"


def _json(value: Any) -> str:
    """`value` as JSON has it; an object by its type."""
    return _short(value) if isinstance(value, Mapping) else json.dumps(value)
