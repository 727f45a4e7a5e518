"""What is in a data set over HTTP, from one's own drawings to a model that reads them."""

import base64
from dataclasses import replace

import numpy as np
import pytest

from app.data.sources import drawings as drawing_sets
from tests.support.errors import is_an_error
from tests.support.symbols import draw_symbol

LABELS = ("×", "△", "○")


@pytest.fixture
def shapes(client, monkeypatch):
    """Six drawings of each of three symbols in the set "shapes"."""
    rng = np.random.default_rng(2)
    client.app.state.services.drawings.add_all(
        [own_drawing(label, draw_symbol(label, rng)) for label in LABELS for _ in range(6)]
    )
    for name, count in (("TRAIN_IMAGES", 90), ("TEST_IMAGES", 30)):
        monkeypatch.setattr(drawing_sets, name, count)
    monkeypatch.setattr(drawing_sets, "LEAST_IMAGES", {90: 1, 30: 1})


def own_drawing(label, strokes):
    from app.data.drawings.drawing import new_drawing

    return new_drawing(label, strokes, "shapes")


def digits(client, name, query=""):
    response = client.get(f"/api/datasets/{name}/digits?{query}")
    assert response.status_code == 200, response.text
    return response.json()


def pixels(digit):
    return np.frombuffer(base64.b64decode(digit["pixels"]), np.uint8).reshape(28, 28)


def test_a_set_is_browsed_page_by_page_and_by_label(client, settings):
    from app.data import DatasetCatalog

    dataset = DatasetCatalog(settings.cache_dir).load("strokes")
    page = digits(client, "strokes", "limit=3&offset=20")
    assert (page["dataset"], page["split"], page["total"]) == ("strokes", "train", 20_000)
    assert page["labels"] == list("0123456789")
    assert page["counts"] == dict.fromkeys("0123456789", 2_000)
    assert [digit["index"] for digit in page["digits"]] == [20, 21, 22]
    assert np.array_equal(pixels(page["digits"][0]), dataset.train.images[20])
    sevens = digits(client, "strokes", "split=test&label=7&offset=199&limit=10")
    assert (sevens["total"], [digit["label"] for digit in sevens["digits"]]) == (200, ["7"])
    chosen = digits(client, "strokes", "indices=5,3,5")
    assert [(digit["index"], digit["label"]) for digit in chosen["digits"]] == [(5, "5"), (3, "3"), (5, "5")]
    assert digits(client, "strokes", "offset=20000")["digits"] == []


def test_a_set_is_browsed_by_style(client):
    page = digits(client, "strokes", "split=test&label=9&limit=500")
    assert page["grouped_by"] == "style"
    assert sum(page["groups"].values()) == page["total"] == 200
    assert all(name.startswith("nine-") for name in page["groups"])
    hooked = digits(client, "strokes", "split=test&group=nine-small-loop-hook")
    assert {(digit["label"], digit["group"]) for digit in hooked["digits"]} == {("9", "nine-small-loop-hook")}
    assert hooked["total"] == page["groups"]["nine-small-loop-hook"]
    assert len(hooked["groups"]) > 100, "the choice stays"
    assert digits(client, "strokes", "label=9&group=zero-tail")["digits"] == []


def test_a_set_without_groups_has_none(client, shapes):
    page = digits(client, "drawings:shapes", "limit=1")
    assert (page["grouped_by"], page["groups"], page["digits"][0]["group"]) == (None, {}, None)
    refused = client.get("/api/datasets/drawings:shapes/digits?group=x")
    assert refused.status_code == 422
    assert refused.json()["error"] == "group: expected none, as this data set has no groups; got 'x'"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("nothing/digits", 404, "expected a data set: mnist"),
        ("drawings:/digits", 404, "set: expected"),
        ("drawings:..%2fx/digits", 404, ""),
        ("drawings:none/digits", 404, "expected a data set"),
        ("mnist/digits", 409, "is not on this machine yet"),
        ("strokes/digits?label=x", 422, "label: expected one of 0, 1"),
        ("strokes/digits?split=all", 422, "split"),
        ("strokes/digits?limit=501", 422, "limit"),
        ("strokes/digits?offset=-1", 422, "offset"),
        ("strokes/digits?offset=99999999999999999999", 422, "offset"),
        ("strokes/digits?indices=1,x", 422, "indices: expected up to 500 whole numbers"),
        ("strokes/digits?indices=", 422, "indices"),
        ("strokes/digits?indices=20000", 422, "from 0 to 19999; got 20000"),
        ("strokes/digits?indices=1&label=1", 422, "indices: expected no label"),
        ("strokes/digits?indices=1&group=one-bar", 422, "indices: expected no label, group or offset"),
        ("strokes/digits?group=1", 422, "group: expected one of zero-round, "),
    ],
)
def test_what_is_no_such_picture_is_said(client, path, status, words):
    assert words in is_an_error(client.get(f"/api/datasets/{path}"), status)


def test_a_set_that_must_be_drawn_first_is_drawn_when_asked_for(client, settings, tmp_path, monkeypatch):
    from app.data.sources import synthetic

    for name, count in (("TRAIN_SIZE", 20), ("TEST_SIZE", 10)):
        monkeypatch.setattr(synthetic, name, count)
    small = synthetic.make_strokes(train=20, test=10)
    monkeypatch.setattr(synthetic, "make_strokes", lambda **kwargs: small)
    loaded = client.app.state.services.datasets
    monkeypatch.setattr(loaded, "_catalog", replace(loaded._catalog, cache_dir=tmp_path / "empty"))
    message = is_an_error(client.get("/api/datasets/strokes/digits"), 409)
    assert "not on this machine yet" in message
    assert client.post("/api/datasets/strokes/fetch").json()["name"] == "strokes"
    assert digits(client, "strokes")["dataset"] == "strokes"


def test_own_drawings_are_a_data_set_whose_labels_a_recipe_s_last_layer_fits(client, shapes):
    listed = {info["name"]: info for info in client.get("/api/datasets").json()["datasets"]}
    assert listed["drawings:shapes"]["labels"] == list(LABELS)
    assert digits(client, "drawings:shapes", "split=test")["counts"] == dict.fromkeys(LABELS, 10)
    overrides = {"dataset": "drawings:shapes", "epochs": 2, "batch_size": 10}
    started = client.post("/api/runs", json={"recipe": "quick", "overrides": overrides})
    assert started.status_code == 201, started.text
    assert started.json()["config"]["network"]["layers"][-1]["units"] == 3  # fitted to the labels
    client.post(f"/api/runs/{started.json()['id']}/cancel")


def test_a_network_that_does_not_fit_and_a_set_that_is_too_small_start_nothing(client, shapes):
    layers = [{"type": "dense", "units": 10}]
    named = {"recipe": "quick", "overrides": {"dataset": "drawings:shapes", "network": {"layers": layers}}}
    assert "expected 3 outputs" in is_an_error(client.post("/api/runs", json=named), 422)
    client.post("/api/drawings", json={"label": "1", "strokes": [[[1, 2], [5, 9]]], "set": "few"})
    few = {"recipe": "quick", "overrides": {"dataset": "drawings:few"}}
    assert "at least 2 labels" in is_an_error(client.post("/api/runs", json=few), 422)
    assert "at least 2 labels" in is_an_error(client.get("/api/datasets/drawings:few/digits"), 409)
    assert client.get("/api/runs").json()["runs"] == []


def test_a_set_that_is_too_large_to_look_at_or_not_drawn_yet_is_refused_and_nothing_is_drawn(client, monkeypatch):
    monkeypatch.setattr("app.data.cache.LARGEST_BYTES", 20_000 * 784)
    assert "expected at most 20,000 images" in is_an_error(client.get("/api/datasets/strokes/digits"), 409)
    monkeypatch.undo()
    drawn = []
    monkeypatch.setattr("app.data.sources.synthetic.make_strokes", lambda **_: drawn.append(1))
    assert "not been drawn yet" in is_an_error(client.get("/api/datasets/19.9*strokes/digits"), 409)
    assert drawn == []


def test_a_set_in_a_folder_of_a_folder_can_be_named(client):
    assert "folder:a/b" in is_an_error(client.get("/api/datasets/folder:a/b/digits"), 409)
    assert is_an_error(client.get(f"/api/datasets/{'x' * 201}/digits"), 422)
