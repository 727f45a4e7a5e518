"""What forms need, over HTTP."""

import pytest

from app.web.api.setup import TEXTS
from tests.support.runs import TINY
from tests.support.waiting import until

QUICK = {"recipe": "quick", "overrides": TINY}


def test_the_schema_offers_the_data_sets_that_there_are(client):
    schema = client.get("/api/schema").json()
    parts = (
        "layers",
        "optimizers",
        "schedules",
        "losses",
        "initializers",
        "augmentation",
        "distillation",
        "metrics",
        "steps",
        "sweep",
    )
    assert set(schema) == {"groups", *parts}
    assert schema["groups"][0]["fields"][0]["choices"] == [
        entry["name"] for entry in client.get("/api/datasets").json()["datasets"]
    ]


@pytest.mark.parametrize("path", ["schema", "recipes", "datasets"])
def test_what_forms_need_comes_in_the_caller_s_language(client, path):
    english, japanese = (client.get(f"/api/{path}", headers={"accept-language": wish}) for wish in ("en", "ja"))
    assert japanese.headers["content-language"] == "ja"
    assert {"Accept-Language", "Cookie"} <= set(japanese.headers["vary"].split(", "))
    assert english.json() != japanese.json()
    texts = [*texts_of(japanese.json())]
    assert len(texts) > 10
    foreign = [text for text in texts if text.isascii() and len(text) > 25]
    assert not foreign, "names are the same in both languages, sentences are not"
    assert shape_of(japanese.json()) == shape_of(english.json())
    client.cookies.set("digitpad-language", "ja")
    by_cookie = client.get(f"/api/{path}", headers={"accept-language": "en"}).json()
    assert [*texts_of(by_cookie)] == texts


def texts_of(answer):
    """The texts for people in an answer."""
    if isinstance(answer, list):
        for one in answer:
            yield from texts_of(one)
    elif isinstance(answer, dict):
        for key, value in answer.items():
            if key in TEXTS and value:
                yield value
            elif key != "config":
                yield from texts_of(value)


def shape_of(answer):
    """An answer without its texts for people."""
    if isinstance(answer, list):
        return [shape_of(one) for one in answer]
    if isinstance(answer, dict):
        return {key: shape_of(value) for key, value in answer.items() if key not in TEXTS | {"estimate"}}
    return answer


def test_the_schema_offers_the_models_that_can_teach(client):
    model, weight = client.get("/api/schema").json()["distillation"]
    names = [entry["name"] for entry in client.get("/api/models").json()["models"]]
    assert (model["choices"], model["default"], model["required"]) == (names, names[0], True)
    assert (weight["default"], weight["above"], weight["maximum"]) == (0.7, 0, 1)


def test_an_estimate_says_what_a_training_comes_to_and_starts_nothing(client):
    found = client.post("/api/estimate", json=QUICK)
    assert found.status_code == 200
    answer = found.json()
    assert (answer["parameters"], answer["samples"], answer["batches"]) == (785 * 16 + 170, 20_000, 40)
    assert [layer["type"] for layer in answer["layers"]] == ["dense", "relu", "dense"]
    assert answer["seconds"] > 0
    assert answer["samples_per_second"] > 0
    assert answer["measured_on"] == "a trial on this machine"
    assert (answer["config"]["epochs"], answer["dataset_state"], len(answer["labels"])) == (2, "ready", 10)
    assert client.post("/api/estimate", json=answer["config"]).json() == answer
    assert client.get("/api/runs").json()["runs"] == []


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"optimizer": {"learning_rate": 0}}, "optimizer.learning_rate"),
        ({"batch_size": "many"}, "batch_size"),
        ({"dataset": "nothing"}, "dataset"),
        ({"network": {"layers": [{"type": "dense"}]}}, "network.layers[0].units"),
        ({"network": {"layers": [{"type": "dense", "units": 11}]}}, "network.layers"),
        ({"augmentation": {"rotation": 999}}, "augmentation.rotation"),
        ({"distillation": {"model": "nobody"}}, "distillation.model"),
        ({"distillation": {"model": "mnist-mlp", "weight": 2}}, "distillation.weight"),
    ],
)
def test_an_estimate_refuses_what_a_run_would_and_names_the_field(client, overrides, field):
    body = {"recipe": "quick", "overrides": {**TINY, **overrides}}
    refused = client.post("/api/estimate", json=body)
    assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert client.post("/api/runs", json=body).json() == refused.json()


def test_what_is_no_config_at_all_has_no_field(client):
    for body in ([], 3, {}):
        answer = client.post("/api/estimate", json=body)
        assert answer.status_code == 422
        assert set(answer.json()) == {"error", "code", "field", "params"}


def test_recipes_say_how_long_they_take_on_this_machine_once_that_is_known(client, monkeypatch):
    monkeypatch.setattr("app.main.trial_apart", lambda config, **_: 1000.0)
    first = client.get("/api/recipes").json()["recipes"]
    assert all(recipe["expected_accuracy"] for recipe in first)
    known = until(lambda: measured(client))
    assert [recipe["name"] for recipe in known] == [recipe["name"] for recipe in first]


def measured(client):
    """All recipes, once each has its time."""
    recipes = client.get("/api/recipes").json()["recipes"]
    return recipes if all(recipe["estimate"] for recipe in recipes) else None
