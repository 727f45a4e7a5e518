"""Every hyperparameter that the engine has, for forms: from the engine's own tables and constructors."""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from pydantic_core import PydanticUndefined

from app.data.augmentation.augment import RANGES, Augmentation
from app.data.preprocessing.diagnose import STEP_TEXTS
from app.nn import LAYERS, LOSSES, OPTIMIZERS, SCHEDULES
from app.nn.initializers import INITIALIZERS
from app.nn.network import GENERATORS
from app.runs.config import layer_fields, training_fields
from app.runs.config.field import ComponentKind, Field
from app.runs.config.fields import AUGMENTATION, DISTILLATION, GROUPS, SWEEP
from app.runs.config.metrics import METRICS
from app.runs.config.run_config import Distillation, RunConfig

_TABLES: Mapping[str, tuple[Mapping[str, type], Mapping[str, ComponentKind]]] = {
    "layers": (LAYERS, layer_fields.LAYERS),
    "optimizers": (OPTIMIZERS, training_fields.OPTIMIZERS),
    "schedules": (SCHEDULES, training_fields.SCHEDULES),
    "losses": (LOSSES, training_fields.LOSSES),
    "initializers": (INITIALIZERS, layer_fields.INITIALIZERS),
}

_RANGES = ("minimum", "maximum", "above", "below")


def schema(datasets: Iterable[str], models: Iterable[str] = ()) -> dict[str, Any]:
    """The groups of a config's fields, all kinds of parts with their fields, and what is measured.

    `datasets` are those to choose from, `models` those to learn from.
    """
    choices = {"dataset": list(datasets)}
    groups = [
        {"name": group.name, "title": group.title, "fields": [_config_field(field, choices) for field in group.fields]}
        for group in GROUPS
    ]
    parts = {name: _parts(*tables) for name, tables in _TABLES.items()}
    return {
        "groups": groups,
        **parts,
        "augmentation": _augmentation(),
        "distillation": _distillation(tuple(models)),
        "metrics": [
            {key: value for key, value in asdict(metric).items() if key not in ("path", "tracked")}
            for metric in METRICS
        ],
        "steps": [{"name": name, **texts} for name, texts in STEP_TEXTS.items()],
        "sweep": [_field(field, default=None, required=True, nullable=False) for field in SWEEP],
    }


def names() -> dict[str, dict[str, str]]:
    """What people call the parts of a config, by table and type, its `settings` and the `fields` of its parts, and
    what each kind of layer does (`does`): for pages that show configs and have no form.
    """
    whole = schema(())
    lists = [part["fields"] for table in _TABLES for part in whole[table]]
    return {
        **{table: {part["type"]: part["title"] for part in whole[table]} for table in _TABLES},
        "does": {part["type"]: part["explanation"] for part in whole["layers"]},
        "metrics": _titles(whole["metrics"]),
        "settings": _titles(field for group in whole["groups"] for field in group["fields"]),
        "fields": _titles(
            field for fields in (*lists, whole["augmentation"], whole["distillation"]) for field in fields
        ),
    }


def _titles(fields: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {field["name"]: field["title"] for field in fields}


def _parts(engine: Mapping[str, type], told: Mapping[str, ComponentKind]) -> list[dict[str, Any]]:
    """All kinds in the engine's table, in the order of the texts; one without a text goes by its name."""
    names = sorted(engine, key=lambda name: list(told).index(name) if name in told else len(told))
    return [_part(name, engine[name], told.get(name, ComponentKind(title=name, explanation=""))) for name in names]


def _part(name: str, kind: type, told: ComponentKind) -> dict[str, Any]:
    known = {field.name: field for field in told.fields}
    fields = []
    for key, parameter in inspect.signature(kind).parameters.items():
        field = known.get(key) or Field(key, "number", title=key, explanation="")
        required = parameter.default is inspect.Parameter.empty
        fields.append(
            _field(
                field,
                default=field.suggested if required else parameter.default,
                required=required,
                nullable=not required and parameter.default is None,
            )
        )
    return {"type": name, "title": told.title, "explanation": told.explanation, "fields": fields}


def _augmentation() -> list[dict[str, Any]]:
    known = {field.name: field for field in AUGMENTATION}
    return [
        _field(
            replace(known.get(name) or Field(name, "number", title=name, explanation=""), minimum=low, maximum=high),
            default=getattr(Augmentation, name),
            required=False,
            nullable=False,
        )
        for name, (low, high) in RANGES.items()
    ]


def _distillation(models: tuple[str, ...]) -> list[dict[str, Any]]:
    fields = []
    for field in DISTILLATION:
        default = Distillation.model_fields[field.name].get_default()
        required = default is PydanticUndefined
        if required:
            field, default = replace(field, choices=models), next(iter(models), None)
        fields.append(_field(field, default=default, required=required, nullable=False))
    return fields


def _config_field(field: Field, choices: Mapping[str, list[str]]) -> dict[str, Any]:
    if field.name == "network.layers":
        return _field(field, default=None, required=True, nullable=False)
    if field.name == "network.generator":
        return _field(field, default=GENERATORS[0], required=False, nullable=False)
    if field.name in choices:
        field = replace(field, choices=tuple(choices[field.name]))
    info = RunConfig.model_fields[field.name]
    default = info.get_default(call_default_factory=True)
    required = default is PydanticUndefined
    return _field(
        field, default=None if required else default, required=required, nullable=not required and default is None
    )


def _field(field: Field, *, default: Any, required: bool, nullable: bool) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": field.type,
        "title": field.title,
        "explanation": field.explanation,
        "default": default,
        "required": required,
        "nullable": nullable,
        **{name: getattr(field, name) for name in _RANGES},
        "choices": None if field.choices is None else list(field.choices),
        "of": field.of,
    }
