"""What forms offer is what the engine has, with the engine's own ranges and defaults."""

import math

import pytest

from app.data.augmentation.augment import make_augmentation
from app.nn import LAYERS, LOSSES, OPTIMIZERS, SCHEDULES, build
from app.nn.initializers import INITIALIZERS
from app.runs.config.run_config import RunConfig, parse_config, request_config
from app.runs.config.schema import schema
from tests.support.runs import TINY

ENGINE = {
    "layers": LAYERS,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "losses": LOSSES,
    "initializers": INITIALIZERS,
}
NOT_IN_FORMS = {"recipe", "start", "personal"}
SCHEMA = schema(["mnist", "strokes"])
KINDS = [(table, part) for table in ENGINE for part in SCHEMA[table]]


def step(value):
    """A little further than a bound."""
    return abs(value) * 0.01 or 0.01


def outside(field):
    """Values beyond each of a field's bounds."""
    whole = field["type"] in ("whole", "shape")
    found = []
    if field["minimum"] is not None:
        found.append(field["minimum"] - (1 if whole else step(field["minimum"])))
    if field["maximum"] is not None:
        found.append(field["maximum"] + (1 if whole else step(field["maximum"])))
    return found + [field[name] for name in ("above", "below") if field[name] is not None]


def inside(field):
    """Values at or just within each of a field's bounds, and all choices."""
    found = [field[name] for name in ("minimum", "maximum") if field[name] is not None]
    if field["above"] is not None:
        found.append(field["above"] + step(field["above"]))
    if field["below"] is not None:
        found.append(field["below"] - step(field["below"]))
    return found + (field["choices"] or [])


def test_every_kind_and_every_field_of_the_engine_is_offered_and_explained():
    for table, registry in ENGINE.items():
        assert {part["type"] for part in SCHEMA[table]} == set(registry)
    for _, part in KINDS:
        assert part["explanation"]
        assert all(field["explanation"] and field["title"] != field["name"] for field in part["fields"])
    names = {field["name"].partition(".")[0] for group in SCHEMA["groups"] for field in group["fields"]}
    assert names == set(RunConfig.model_fields) - NOT_IN_FORMS
    assert all(field["explanation"] for field in SCHEMA["augmentation"])


@pytest.mark.parametrize(("table", "part"), KINDS, ids=[f"{table}-{part['type']}" for table, part in KINDS])
def test_the_engine_takes_what_a_form_allows_and_refuses_what_it_does_not(table, part):
    start = {"type": part["type"], **{field["name"]: field["default"] for field in part["fields"]}}
    start = {key: value for key, value in start.items() if value is not None}
    build(table, ENGINE[table], start)
    for field in part["fields"]:
        more = {"kernel_size": 1000} if field["name"] == "padding" else {}
        for value in inside(field):
            build(table, ENGINE[table], {**start, **more, field["name"]: value})
        for value in [*outside(field), [], True if field["type"] != "flag" else 3]:
            with pytest.raises(ValueError, match=field["name"]):
                build(table, ENGINE[table], {**start, field["name"]: value})
        if field["of"] is not None:
            for kind in SCHEMA[field["of"]]:
                if not any(inner["required"] for inner in kind["fields"]) and kind["type"] != part["type"]:
                    build(table, ENGINE[table], {**start, field["name"]: kind["type"]})


def test_a_config_takes_what_a_form_allows_and_refuses_what_it_does_not():
    base = request_config({"recipe": "quick", "overrides": {**TINY, "validation": "test"}}).model_dump(mode="json")
    for group in SCHEMA["groups"]:
        for field in group["fields"]:
            if "." in field["name"] or field["name"] in ("dataset", "optimizer"):
                continue
            if not field["required"]:
                parse_config(
                    {**base, field["name"]: field["default"]}
                    | ({"patience": None} if field["name"] == "validation" else {})
                )
            for value in inside(field):
                parse_config({**base, field["name"]: value})
            for value in [*outside(field), [], math.inf]:
                with pytest.raises(ValueError, match=field["name"]):
                    parse_config({**base, field["name"]: value})


def test_augmentation_takes_its_ranges_and_its_defaults():
    defaults = {field["name"]: field["default"] for field in SCHEMA["augmentation"]}
    assert make_augmentation(defaults) is None or make_augmentation(defaults).spec() == defaults
    for field in SCHEMA["augmentation"]:
        for value in outside(field):
            with pytest.raises(ValueError, match=field["name"]):
                make_augmentation({**defaults, field["name"]: value})


def test_the_data_sets_are_those_that_there_are():
    dataset = SCHEMA["groups"][0]["fields"][0]
    assert (dataset["name"], dataset["choices"]) == ("dataset", ["mnist", "strokes"])
