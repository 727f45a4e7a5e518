"""The schema of all hyperparameters for forms, from the engine's tables and constructors."""

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
    """The groups of a config's fields, all kinds of components with their fields, and the metrics.

    `datasets` are the available data sets, `models` the available teachers.
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
        "metrics": [asdict(metric) | {"path": list(metric.path or (metric.name,))} for metric in METRICS],
        "steps": [{"name": name, **texts} for name, texts in STEP_TEXTS.items()],
        "sweep": [_field(field, default=None, required=True, nullable=False) for field in SWEEP],
    }


def names() -> dict[str, dict[str, str]]:
    """The titles of a config's components, by table and type, of its `settings` and of the components' `fields`, and
    the explanation of each kind of layer (`does`), for pages that show configs without a form.
    """
    full = schema(())
    lists = [part["fields"] for table in _TABLES for part in full[table]]
    return {
        **{table: {part["type"]: part["title"] for part in full[table]} for table in _TABLES},
        "does": {part["type"]: part["explanation"] for part in full["layers"]},
        "metrics": _titles(full["metrics"]),
        "settings": _titles(field for group in full["groups"] for field in group["fields"]),
        "fields": _titles(field for fields in (*lists, full["augmentation"], full["distillation"]) for field in fields),
    }


def learning_rates() -> dict[str, float]:
    """By kind of optimizer, the learning rate of a config that has none."""
    optimizers = schema(())["optimizers"]
    return {
        part["type"]: field["default"]
        for part in optimizers
        for field in part["fields"]
        if field["name"] == "learning_rate"
    }


def _titles(fields: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {field["name"]: field["title"] for field in fields}


def _parts(engine: Mapping[str, type], kinds: Mapping[str, ComponentKind]) -> list[dict[str, Any]]:
    """All kinds in the engine's table, in the order of `kinds`; one that is missing there has its name as title."""
    names = sorted(engine, key=lambda name: list(kinds).index(name) if name in kinds else len(kinds))
    return [_part(name, engine[name], kinds.get(name, ComponentKind(title=name, explanation=""))) for name in names]


def _part(name: str, cls: type, kind: ComponentKind) -> dict[str, Any]:
    known = {field.name: field for field in kind.fields}
    fields = []
    for key, parameter in inspect.signature(cls).parameters.items():
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
    return {"type": name, "title": kind.title, "explanation": kind.explanation, "fields": fields}


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
