"""Make it mine, over HTTP, and what is in the way of it."""

import pytest

from app.models import ModelStore
from app.settings import SHIPPED_MODELS
from tests.support.errors import is_an_error
from tests.support.personalization import mine, odd_hand

ADDRESS = "/api/models/mnist-mlp/personalize"


def draw(client, each, **more):
    for label, strokes in odd_hand(each):
        assert client.post("/api/drawings", json={"label": label, "strokes": strokes, **more}).status_code == 201


def test_it_is_said_how_many_drawings_are_missing_and_a_run_is_queued_once_there_are_enough(client):
    assert client.get(ADDRESS).json() == {"model": "mnist-mlp", "dataset": "strokes", "least": 20, "sets": []}
    assert "it has 0" in is_an_error(client.post(ADDRESS), 422)
    draw(client, 1)
    (told,) = client.get(ADDRESS).json()["sets"]
    assert (told["set"], told["drawings"], told["needed"], told["unknown"]) == ("mine", 10, 10, [])
    assert "it has 10" in is_an_error(client.post(ADDRESS, json={"set": "mine"}), 422)
    draw(client, 1)  # the same ones again are none to learn from
    assert "it has 10" in is_an_error(client.post(ADDRESS), 422)
    draw(client, 2)
    draw(client, 1, set="other")
    client.post("/api/drawings", json={"label": "○", "strokes": [[[0, 0], [9, 9]]], "set": "other"})
    other = next(one for one in client.get(ADDRESS).json()["sets"] if one["set"] == "other")
    assert (other["unknown"], "does not" in other["problem"] or "also has ○" in other["problem"]) == (["○"], True)
    assert "also has ○" in is_an_error(client.post(ADDRESS, json={"set": "other"}), 422)
    assert client.get("/api/runs").json()["runs"] == []
    started = client.post(ADDRESS, json={"set": "mine", "seed": 3})
    assert started.status_code == 201
    config = started.json()["config"]
    assert (config["recipe"], config["start"]["model"], config["seed"]) == ("make-it-mine", "mnist-mlp", 3)
    assert config["personal"]["set"] == "mine"
    client.post(f"/api/runs/{started.json()['id']}/cancel")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ([], "expected an object"),
        ("mine", "expected an object"),
        ({"sett": "mine"}, "sett: unknown field"),
        ({"set": 3}, "set: expected a string; got 3"),
        ({"set": "../x"}, "set: expected up to 64"),
        ({"set": "x" * 65}, "set: expected up to 64"),
        ({"set": "empty"}, "it has 0"),
        ({"seed": "1"}, "seed: expected a whole number"),
        ({"seed": True}, "seed: expected a whole number"),
    ],
)
def test_a_bad_request_says_what_was_expected(client, body, what):
    assert what in is_an_error(client.post(ADDRESS, json=body), 422)


def test_a_bad_seed_is_refused_where_all_else_is_well(client):
    draw(client, 2)
    assert "seed" in is_an_error(client.post(ADDRESS, json={"seed": -1}), 422)
    assert "seed" in is_an_error(client.post(ADDRESS, json={"seed": 2**40}), 422)


def test_a_model_that_is_not_there_cannot_be_made_ones_own(client):
    is_an_error(client.get("/api/models/none/personalize"), 404)
    is_an_error(client.post("/api/models/none/personalize"), 404)


def test_a_model_that_forgot_becomes_the_default_only_by_force(client, settings):
    store = ModelStore(settings.home, SHIPPED_MODELS)
    card, network = store.load("mnist-mlp")
    change = {"name": "worse", "shipped": False, "mine": mine(0.995, 0.98), "calibration": None}
    store.save(card.model_copy(update=change), network)
    refused = client.post("/api/models/worse/default")
    assert (refused.status_code, refused.json()["code"]) == (
        409,
        "accuracy_dropped",
    )  # by which a page knows what may be forced
    assert "98.00 % after 99.50 %" in refused.json()["error"]
    (settings.home / "worse" / "model.safetensors").write_bytes(b"")
    is_an_error(client.post("/api/models/worse/default?force=true"), 409)  # without that
    store.save(card.model_copy(update=change), network, replace=True)
    assert client.get("/api/models").json()["default"] == "mnist-mlp"
    is_an_error(client.post("/api/models/worse/default?force=perhaps"), 422)
    assert client.post("/api/models/worse/default?force=true").json() == {"default": "worse"}
    summary = next(one for one in client.get("/api/models").json()["models"] if one["name"] == "worse")
    assert summary["mine"]["compared"][0]["after"] == 0.98
