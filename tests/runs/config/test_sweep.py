"""The configs of a race, its tag, and what people write on runs."""

import pytest
from sqlalchemy import create_engine, inspect

from app.runs.config.annotations import check_note, check_tags
from app.runs.config.run_config import request_config
from app.runs.config.sweep import race_configs, race_tag
from app.runs.log.event_log import EventLog
from tests.support.runs import TINY

BASE = request_config({"recipe": "quick", "overrides": TINY})


def varied(vary, values):
    return [config.model_dump(mode="json") for config in race_configs(BASE, vary, values)]


def test_a_race_of_optimizers_gives_each_the_engines_defaults_and_changes_nothing_else():
    names = ["sgd", "momentum", "adagrad", "rmsprop", "adam"]
    configs = varied("optimizer", [*names, {"type": "sgd", "learning_rate": 0.5}])
    assert [config.pop("optimizer") for config in configs] == [
        *({"type": name} for name in names),
        {"type": "sgd", "learning_rate": 0.5},
    ]
    rest = BASE.model_dump(mode="json")
    del rest["optimizer"]
    assert configs == [rest] * 6


@pytest.mark.parametrize(
    ("vary", "values", "read"),
    [
        ("learning_rate", [0.1, 0.01], lambda config: config["optimizer"]["learning_rate"]),
        ("optimizer.beta1", [0.8, 0.9], lambda config: config["optimizer"]["beta1"]),
        ("batch_size", [100, 500], lambda config: config["batch_size"]),
        ("network.layers.0.units", [8, 16], lambda config: config["network"]["layers"][0]["units"]),
        ("seed", [1, 2, 3], lambda config: config["seed"]),
    ],
)
def test_a_race_varies_any_number_of_the_config(vary, values, read):
    assert [read(config) for config in varied(vary, values)] == values


def test_a_race_of_initializers_changes_every_layer_that_has_weights():
    for config, wanted in zip(
        varied("initializer", ["he", {"type": "normal", "std": 0.1}]), ["he", "normal"], strict=True
    ):
        first, middle, last = config["network"]["layers"]
        assert middle == {"type": "relu"}
        for layer in (first, last):
            given = layer["initializer"]
            assert (given if isinstance(given, str) else given["type"]) == wanted


@pytest.mark.parametrize(
    ("vary", "values", "message"),
    [
        (3, [1, 2], "vary: expected a path in the config"),
        ("optimizer.nothing.more", [1, 2], "vary: expected a path in the config"),
        ("network.layers.9.units", [1, 2], "vary: expected a path in the config"),
        ("start.model", ["a", "b"], "vary: expected something that a race can vary; got start"),
        ("learning_rate", [0.1], "values: expected a list of 2 to 12 values"),
        ("learning_rate", 0.1, "values: expected a list of 2 to 12 values"),
        ("learning_rate", list(range(1, 14)), "values: expected a list of 2 to 12 values"),
        ("learning_rate", [0.1, 0.1], r"values\[1\]: expected each value once"),
        ("learning_rate", [0.1, -1], r"values\[1\].optimizer.learning_rate: expected a number > 0; got -1"),
        ("optimizer", ["sgd", "magic"], r"values\[1\].optimizer: expected a type of adagrad"),
        ("no_such_key", [1, 2], r"values\[0\].no_such_key: "),
    ],
)
def test_a_race_that_cannot_be_run_is_refused_with_what_was_expected(vary, values, message):
    with pytest.raises(ValueError, match=message):
        race_configs(BASE, vary, values)


def test_a_races_tag_names_what_varies_and_its_first_run_and_is_never_too_long():
    assert race_tag("optimizer", 12) == "race: optimizer #12"
    assert race_tag("optimizer.learning_rate", 3) == race_tag("learning_rate", 3) == "race: learning_rate #3"
    long = race_tag("network.layers.0.initializer.distribution", 123)
    assert long.endswith(" #123")
    assert check_tags([long]) == [long]


def test_tags_are_trimmed_and_kept_once():
    assert check_tags([" best ", "best", "か\u3099"]) == ["best", "が"]


@pytest.mark.parametrize("tags", [None, "best", [1], [""], [" "], ["x" * 41], ["a\nb"], ["\ud800"], ["t"] * 21])
def test_tags_of_any_other_kind_are_refused(tags):
    with pytest.raises(ValueError, match=r"tags.*expected"):
        check_tags(tags)


def test_a_note_has_lines_and_an_end():
    assert check_note(" one\r\ntwo ") == "one\ntwo"
    for note in (None, 3, "x" * 2001, "a\x00b"):
        with pytest.raises(ValueError, match="note: expected"):
            check_note(note)


def test_a_database_of_an_older_version_gets_tags_and_notes(settings):
    log = EventLog(settings.log_url)
    run = log.add(BASE)
    log.close()
    engine = create_engine(settings.log_url)
    with engine.begin() as connection:
        for column in ("tags", "note"):
            connection.exec_driver_sql(f"ALTER TABLE runs DROP COLUMN {column}")
        connection.exec_driver_sql("DROP TABLE digitpad_schema")
        connection.exec_driver_sql("ALTER TABLE runs DROP COLUMN appended")
    engine.dispose()
    log = EventLog(settings.log_url)
    assert (log.run(run)["tags"], log.run(run)["note"]) == ([], "")
    log.annotate(run, {"tags": ["old"]})
    assert log.run(run)["tags"] == ["old"]
    assert {"tags", "note"} <= {column["name"] for column in inspect(log.engine).get_columns("runs")}
    log.close()
