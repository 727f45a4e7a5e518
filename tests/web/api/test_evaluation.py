"""How good a model is, over HTTP."""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.models.evaluation import evaluate_split
from app.models.evaluation_cache import EvaluationCache
from app.nn import Network
from tests.support.errors import is_an_error
from tests.support.runs import start

SEVEN = [[[0, 0], [60, 0], [20, 100]]]


@pytest.mark.slow
def test_a_run_is_judged_by_its_confusion_its_mistakes_its_calibration_and_the_users_drawings(
    client, ended, monkeypatch
):
    row = ended(start(client)["id"])
    run, name = row["id"], row["model"]
    judged = client.get(f"/api/runs/{run}/judgement").json()
    evaluated = next(
        e["data"] for e in client.get(f"/api/runs/{run}/events").json()["events"] if e["type"] == "evaluated"
    )
    assert judged["confusion"] == evaluated["confusion"]
    assert judged["accuracy"] == pytest.approx(evaluated["test_accuracy"])
    assert judged["loss"] == evaluated["test_loss"]
    assert judged["precision"] == list(evaluated["precision"].values())
    assert judged["recall"] == list(evaluated["recall"].values())
    assert (judged["count"], judged["labels"]) == (2000, list("0123456789"))
    assert judged["yours"] is None

    bins = judged["calibration"]["bins"]
    assert len(bins) == 15
    assert sum(each["count"] for each in bins) == 2000
    assert [each["low"] for each in bins[1:]] == [each["high"] for each in bins[:-1]]
    full = [each for each in bins if each["count"]]
    assert all(each["low"] < each["confidence"] <= each["high"] + 1e-6 for each in full)
    gaps = sum(each["count"] * abs(each["confidence"] - each["accuracy"]) for each in full) / 2000
    assert judged["calibration"]["ece"] == pytest.approx(gaps)

    assert 0 < len(judged["mistakes"]) <= 60
    assert all(mistake["truth"] != mistake["said"] for mistake in judged["mistakes"])
    assert judged["mistakes"][0]["index"] == evaluated["mistakes"][0]["index"]

    for label in ("7", "1"):
        client.post("/api/drawings", json={"label": label, "strokes": SEVEN})
    client.post("/api/drawings", json={"label": "○", "strokes": SEVEN, "set": "shapes"})
    yours = client.get(f"/api/models/{name}/judgement").json()["yours"]
    assert (yours["count"], [drawing["truth"] for drawing in yours["drawings"]]) == (2, ["1", "7"])
    assert sum(map(sum, yours["confusion"])) == 2
    assert set(yours["drawings"][0]) == {"id", "set", "truth", "said", "probability", "pixels"}
    answer = client.post(f"/predict?model={name}", json={"strokes": SEVEN}).json()
    said = yours["drawings"][1]
    assert said["said"] == answer["label"]
    assert said["probability"] == pytest.approx(answer["probabilities"][answer["label"]], abs=0.02)
    assert len(base64.b64decode(said["pixels"])) == 784
    assert yours["accuracy"] in (0.0, 0.5)

    assert client.get(f"/api/models/{name}/judgement?dataset=strokes&split=train").json()["count"] == 20_000
    is_an_error(client.get(f"/api/models/{name}/judgement?dataset=nothing"), 404)
    is_an_error(client.get(f"/api/models/{name}/judgement?dataset=mnist"), 409)  # not on this machine
    is_an_error(client.get(f"/api/models/{name}/judgement?split=half"), 422)

    check_cells(client, run, judged)

    monkeypatch.setattr(Network, "infer", read_again)  # what was read once is remembered
    assert client.get(f"/api/runs/{run}/judgement").json() == {**judged, "yours": yours}


def read_again(*_):
    raise AssertionError("read again")


@pytest.mark.slow
def test_the_page_of_a_run_that_has_ended_asks_the_network_nothing(client, settings, ended, monkeypatch):
    run = ended(start(client, seed=2)["id"])
    monkeypatch.setattr(Network, "infer", read_again)
    monkeypatch.setattr(Network, "forward", read_again)
    first = client.get(f"/api/runs/{run['id']}/judgement").json()
    assert (first["accuracy"], first["count"]) == (run["test_accuracy"], 2000)
    assert (
        client.get(f"/api/runs/{run['id']}/judgement/cell?truth=1&said=1").json()["total"] == first["confusion"][1][1]
    )
    with TestClient(create_app(settings)) as later:  # nor does a server that starts later
        assert later.get(f"/api/models/{run['model']}/judgement").json() == first
        assert later.get(f"/api/runs/{run['id']}/judgement").json() == first


def check_cells(client, run, judged):
    confusion = judged["confusion"]
    row, column = max(
        ((i, j) for i in range(10) for j in range(10) if i != j), key=lambda place: confusion[place[0]][place[1]]
    )
    cell = client.get(f"/api/runs/{run}/judgement/cell?truth={row}&said={column}").json()
    assert cell["total"] == confusion[row][column] > 1
    assert {(digit["label"], digit["said"]) for digit in cell["digits"]} == {(str(row), str(column))}
    sureness = [digit["probability"] for digit in cell["digits"]]
    assert sureness == sorted(sureness, reverse=True)
    first, second = cell["digits"][:2]
    page = client.get(f"/api/runs/{run}/judgement/cell?truth={row}&said={column}&offset=1&limit=1").json()
    assert (page["total"], page["digits"]) == (cell["total"], [second])
    same = client.get(f"/api/datasets/strokes/digits?split=test&indices={first['index']}").json()["digits"][0]
    assert same["pixels"] == first["pixels"]
    right = client.get(f"/api/runs/{run}/judgement/cell?truth=1&said=1").json()
    assert right["total"] == confusion[1][1]
    for query in ("truth=x&said=1", "truth=1&said=10", "truth=1", "truth=1&said=1&limit=0", "truth=1&said=1&offset=-1"):
        is_an_error(client.get(f"/api/runs/{run}/judgement/cell?{query}"), 422)


def test_a_run_without_a_model_cannot_be_judged(idle_queue, client):
    run = start(client, epochs=10_000)["id"]
    for path in ("judgement", "judgement/cell?truth=1&said=1"):
        is_an_error(client.get(f"/api/runs/{run}/{path}"), 409)
        is_an_error(client.get(f"/api/runs/999/{path}"), 404)
    is_an_error(client.get("/api/models/none/judgement"), 404)


@pytest.mark.slow
def test_a_model_is_not_judged_by_labels_that_it_does_not_know(client, ended):
    for place in range(10):
        drawing = {"label": "AB"[place % 2], "strokes": [[[0, 0], [10 + place, 40]]], "set": "letters"}
        client.post("/api/drawings", json=drawing)
    name = client.get("/api/models").json()["default"]
    message = is_an_error(client.get(f"/api/models/{name}/judgement?dataset=drawings:letters"), 409)
    assert "A, B" in message


@pytest.mark.slow
def test_a_server_that_ends_waits_for_no_judgement(client, trained):
    judged = client.get(f"/api/models/{trained}/judgement").json()
    client.app.state.services.evaluator.stop()
    refused = client.get(f"/api/models/{trained}/judgement?split=train")
    assert "the evaluation was stopped" in is_an_error(refused, 503)
    assert refused.headers["retry-after"] == "2"
    assert client.get(f"/api/models/{trained}/judgement").json() == judged  # that is remembered


def test_the_same_weights_under_other_labels_are_judged_by_those(client, trained):
    from app.models.evaluation_cache import identity

    card = client.app.state.services.store.get(trained)
    other = card.model_copy(update={"labels": list(reversed(card.labels))})
    assert identity(card) == identity(card.model_copy(update={"name": "another"}))
    assert identity(card) != identity(other)


@pytest.mark.slow
def test_it_is_said_when_a_model_is_judged_by_drawings_that_changed_since_it_was_trained(client, settings):
    for number in range(10):
        strokes = [[[0, 0], [number, 60], [20, 100]]]
        client.post("/api/drawings", json={"label": "ab"[number % 2], "strokes": strokes})
    version = client.app.state.services.datasets.get("drawings:mine").version
    store = client.app.state.services.store
    card, _ = store.load("mnist-mlp")
    network = card.network | {"layers": [{"type": "dense", "units": 2}]}
    built = Network.from_spec(
        {k: v for k, v in network.items() if k != "input_shape"}, input_shape=(28, 28), dtype="float32"
    )
    built.initialize(1)
    change = {"name": "own", "labels": ["a", "b"], "network": network, "dataset": "drawings:mine", "shipped": False}
    change |= {"calibration": None, "parameters": built.params.size, "dataset_version": version, "run": None}
    store.save(card.model_copy(update=change), built)
    assert client.get("/api/models/own/judgement").json()["changed"] is False
    client.post("/api/drawings", json={"label": "a", "strokes": [[[0, 0], [99, 60], [20, 100]]]})
    assert client.get("/api/models/own/judgement").json()["changed"] is True


def test_an_evaluation_that_takes_long_does_not_hold_up_the_others(client, trained, monkeypatch, tmp_path):
    begun, go = threading.Event(), threading.Event()

    def slow(network, card, split, is_over):
        begun.set()
        go.wait(60)
        return evaluate_split(network, card, split)

    evaluator = client.app.state.services.evaluator
    monkeypatch.setattr(evaluator, "_cache", EvaluationCache(tmp_path))
    with ThreadPoolExecutor(1) as pool:
        with monkeypatch.context() as patch:
            patch.setattr("app.web.api.evaluation.SHORT_EVALUATION", 1)
            patch.setattr(evaluator, "_work", slow)
            asked = pool.submit(client.get, f"/api/models/{trained}/judgement?split=train")
            assert begun.wait(60)
        try:
            assert client.get(f"/api/models/{trained}/judgement").status_code == 200
            assert not asked.done()
        finally:
            go.set()
        assert asked.result().json()["count"] == 20_000


def test_an_evaluation_that_takes_far_too_long_is_refused_with_the_reason(client, trained, monkeypatch, tmp_path):
    for bound in ("SHORT_EVALUATION", "LARGEST_EVALUATION"):
        monkeypatch.setattr(f"app.web.api.evaluation.{bound}", 1)
    monkeypatch.setattr(client.app.state.services.evaluator, "_cache", EvaluationCache(tmp_path))
    message = is_an_error(client.get(f"/api/models/{trained}/judgement?split=train"), 409)
    assert f"expected at most 0 passes through a network as large as {trained}; got 20,000" in message
