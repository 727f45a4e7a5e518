"""Tags, notes and races over HTTP."""

import pytest

from tests.support.errors import is_an_error
from tests.support.runs import TINY, start

pytestmark = pytest.mark.usefixtures("idle_queue")

QUICK = {"recipe": "quick", "overrides": {**TINY, "epochs": 1}}


def held(client):
    """A run that stays where it is."""
    run = start(client)["id"]
    client.post(f"/api/runs/{run}/cancel")
    return run


def test_tags_and_a_note_are_put_on_a_run_and_shown_everywhere(client):
    row = client.post("/api/runs", json={**QUICK, "tags": ["first", " first"], "note": "try"}).json()
    assert (row["tags"], row["note"]) == (["first"], "try")
    run = row["id"]
    assert client.patch(f"/api/runs/{run}", json={"tags": ["a", "b"]}).json()["note"] == "try"
    assert client.patch(f"/api/runs/{run}", json={"note": "two\nlines"}).json()["tags"] == ["a", "b"]
    for shown in (client.get(f"/api/runs/{run}").json(), client.get("/api/runs").json()["runs"][0]):
        assert (shown["tags"], shown["note"]) == (["a", "b"], "two\nlines")
    assert client.patch(f"/api/runs/{run}", json={"tags": []}).json()["tags"] == []


def test_a_whole_config_takes_tags_too_and_they_are_no_part_of_it(client):
    config = start(client)["config"]
    row = client.post("/api/runs", json={**config, "tags": ["whole"]}).json()
    assert (row["tags"], row["config"]) == (["whole"], config)


@pytest.mark.parametrize(
    "body",
    [{}, [], None, {"name": "x"}, {"tags": "x"}, {"tags": [""]}, {"tags": [3]}, {"tags": ["x" * 41]}, {"note": 3},
     {"note": "x" * 2001}, {"tags": ["x"], "note": None}, {"tags": ["x"] * 21}],
)  # fmt: skip
def test_remarks_of_any_other_kind_are_refused_and_change_nothing(client, body):
    run = held(client)
    is_an_error(client.patch(f"/api/runs/{run}", json=body), 422)
    assert client.get(f"/api/runs/{run}").json()["tags"] == []
    is_an_error(client.patch("/api/runs/999", json={"tags": ["x"]}), 404)


def test_a_race_is_several_runs_under_one_tag(client):
    answer = client.post("/api/races", json={**QUICK, "vary": "optimizer", "values": ["sgd", "momentum", "adam"]})
    assert answer.status_code == 201
    race = answer.json()
    first = race["runs"][0]["id"]
    assert race["tag"] == f"race: optimizer #{first}"
    assert [run["tags"] for run in race["runs"]] == [[race["tag"]]] * 3
    assert [run["config"]["optimizer"]["type"] for run in race["runs"]] == ["sgd", "momentum", "adam"]
    assert {run["state"] for run in race["runs"]} <= {"queued", "running"}


def test_a_whole_config_may_race(client):
    config = start(client)["config"]
    race = client.post("/api/races", json={"config": config, "vary": "seed", "values": [1, 2]}).json()
    assert [run["config"]["seed"] for run in race["runs"]] == [1, 2]


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {**QUICK, "vary": "optimizer"},
        {**QUICK, "vary": "optimizer", "values": ["sgd", "magic"]},
        {**QUICK, "vary": "optimizer", "values": "sgd"},
        {**QUICK, "vary": "dataset", "values": ["strokes", "nothing"]},
        {**QUICK, "vary": "network.layers.2.units", "values": [10, 11]},
        {**QUICK, "config": {}, "vary": "seed", "values": [1, 2]},
        {**QUICK, "vary": "seed", "values": [1, 2], "more": 1},
        {"recipe": "none", "vary": "seed", "values": [1, 2]},
    ],
)
def test_a_race_that_cannot_be_run_leaves_no_run(client, body):
    is_an_error(client.post("/api/races", json=body), 422)
    assert client.get("/api/runs").json()["runs"] == []


def test_a_race_needs_room_in_the_queue_for_all_its_runs(client, monkeypatch):
    monkeypatch.setattr("app.web.middleware.limits.QUEUED_RUNS", 2)
    is_an_error(client.post("/api/races", json={**QUICK, "vary": "seed", "values": [1, 2, 3]}), 429)
    assert client.get("/api/runs").json()["runs"] == []
