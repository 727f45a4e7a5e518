"""Races: runs that differ in one hyperparameter, as the tutorials compare SGD, Momentum, AdaGrad, RMSProp and Adam."""

import inspect
from typing import Any

from app.errors import InputError, message_of
from app.nn import LAYERS, abbreviate
from app.runs.config.annotations import LONGEST_TAG
from app.runs.config.run_config import RunConfig, parse_config

LEAST, MOST = 2, 12
"""The fewest and the most runs of a race."""
LONGEST_PATH = 100

SHORT = {"learning_rate": "optimizer.learning_rate"}
"""Abbreviations of paths."""
WHOLE = ("optimizer", "schedule", "loss")
"""Components whose kinds have different fields: a value replaces the whole component."""


def race_configs(base: RunConfig, vary: object, values: object) -> list[RunConfig]:
    """The configs of a race: `base` with each of the values at `vary`.

    `vary` is "optimizer", "schedule" or "loss" (a value is a name or an object with a type), "initializer" (of every
    layer with weights), "learning_rate", or any path in the config: "optimizer.beta1", "network.layers.0.units".
    Raises ValueError with the first invalid value.
    """
    if not isinstance(vary, str) or not 0 < len(vary) <= LONGEST_PATH:
        raise InputError(
            "expected a path in the config, such as optimizer or batch_size; got {value}",
            field="vary",
            value=abbreviate(vary),
        )
    if not isinstance(values, list) or not LEAST <= len(values) <= MOST:
        raise InputError(
            "expected a list of {least} to {most} values; got {value}",
            field="values",
            least=LEAST,
            most=MOST,
            value=abbreviate(values),
        )
    for index, value in enumerate(values):
        if value in values[:index]:
            raise InputError(
                "expected each value once; got {value} twice", field=f"values[{index}]", value=abbreviate(value)
            )
    configs = []
    for index, value in enumerate(values):
        data = base.model_dump(mode="json")
        changed = _with_initializer(data, value) if vary == "initializer" else _put(data, vary, value)
        try:
            configs.append(parse_config(changed))
        except ValueError as error:
            raise InputError(message_of(error).within(f"values[{index}]")) from None
    return configs


def race_tag(vary: str, first: int) -> str:
    """The common tag of a race's runs; `first` is the number of the first run."""
    number = f" #{first}"
    name = vary.removeprefix("optimizer.") if vary in SHORT.values() else vary
    return f"race: {name}"[: LONGEST_TAG - len(number)] + number


def _with_initializer(data: dict[str, Any], value: object) -> dict[str, Any]:
    found = False
    for layer in data["network"]["layers"]:
        if isinstance(layer, dict) and "initializer" in inspect.signature(LAYERS[layer["type"]]).parameters:
            layer["initializer"] = value
            found = True
    if not found:
        raise InputError(
            "expected a network with a layer that has weights, for their initializer; got none", field="vary"
        )
    return data


def _put(data: dict[str, Any], vary: str, value: object) -> dict[str, Any]:
    path = SHORT.get(vary, vary).split(".")
    if path[0] == "start":
        raise InputError("expected something that a race can vary; got start", field="vary")
    place: Any = data
    for step in path[:-1]:
        place = _inside(place, step, vary)
    last = path[-1]
    if path == ["distillation", "model"] and isinstance(place, dict):
        place.pop("sha256", None)  # the hash of the previous models
    if isinstance(place, list):
        _inside(place, last, vary)
        place[int(last)] = value
    elif isinstance(place, dict):
        place[last] = {"type": value} if vary in WHOLE and isinstance(value, str) else value
    else:
        raise _no_such(vary)
    return data


def _inside(place: Any, step: str, vary: str) -> Any:
    if isinstance(place, list) and step.isascii() and step.isdecimal() and len(step) < 5 and int(step) < len(place):
        return place[int(step)]
    if isinstance(place, dict) and step in place:
        return place[step]
    raise _no_such(vary)


def _no_such(vary: str) -> ValueError:
    return InputError(
        "expected a path in the config, such as optimizer.beta1; got {value}", field="vary", value=abbreviate(vary)
    )
