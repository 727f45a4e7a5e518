"""`/api/explain/...`: the numbers behind an answer, for every kind of network, and nothing of them in the store."""

import base64
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from starlette.testclient import TestClient

from app.learn.inspection import forward as there
from app.learn.inspection.optimizer_step import MOST_STEPS
from app.main import create_app
from app.models.store import WEIGHTS
from app.nn import softmax
from app.settings import Settings
from tests.support.drawings import PNG, recorded
from tests.support.errors import is_an_error
from tests.support.inspected_networks import NETWORKS, save, values
from tests.support.waiting import until

STROKES = {"strokes": recorded()["digit 3"]["strokes"]}
SGD = {"type": "sgd", "learning_rate": 0.1}
CALLS = {
    "forward": {},
    "layer": {"layer": 0},
    "neuron": {"layer": 0, "unit": 3},
    "backward": {"label": "5"},
    "delta": {"label": "5", "layer": 0, "unit": 3},
    "numerical": {"label": "5", "layer": 0},
    "step": {"label": "5", "optimizer": SGD, "steps": 2, "layer": 0, "unit": 3},
    "gradient": {},
    "contrast": {},
    "occlusion": {"label": "3"},
    "toward": {"label": "7", "steps": 2},
    "morph": {"label": "7"},
}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    for name, made in NETWORKS.items():
        save(home, name, *made)
    settings = Settings(home=home, cache_dir=home / "cache", allowed_hosts="testserver", _env_file=None)
    with TestClient(create_app(settings), raise_server_exceptions=False) as running:
        yield running


def explain(client, what, **asked):
    return client.post(f"/api/explain/{what}", json={"drawing": STROKES, "model": "mlp", **asked})


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_question_is_answered_for_every_kind_of_network(client, name):
    calls = dict(CALLS)
    if name == "sigmoid":  # it begins with a flatten layer, which has no weights
        calls["numerical"] = {"label": "5", "layer": 1, "parameter": "bias"}
    predicted = client.post(f"/predict?model={name}&input=true", json=STROKES).json()
    for what, asked in calls.items():
        answer = explain(client, what, model=name, **asked)
        assert answer.status_code == 200, (what, answer.text)
        said = answer.json()
        assert (said["model"], said["blank"]) == (name, False)
        assert said["pixels"] == predicted["input"]
        if what == "forward":
            calibrated = dict(zip(said["outputs"]["labels"], said["outputs"]["calibrated"], strict=True))
            assert calibrated == pytest.approx(predicted["probabilities"], abs=1e-6)
            assert values(said["input"]["picture"])[0] == pytest.approx(np.array(predicted["input"]), abs=1e-4)


def test_nothing_touches_the_stored_model_or_the_one_that_predicts(client):
    store = client.app.state.services.store

    def fingerprint():
        return {name: hashlib.sha256(store.path(name, WEIGHTS).read_bytes()).hexdigest() for name in NETWORKS}

    before, said = fingerprint(), client.post("/predict?model=cnn", json=STROKES).json()
    stepped = explain(client, "step", model="cnn", label="5", optimizer=SGD, steps=20).json()
    assert stepped["losses"][-1] < stepped["losses"][0]
    for what, asked in CALLS.items():
        explain(client, what, model="cnn", **asked)
    assert fingerprint() == before
    assert client.post("/predict?model=cnn", json=STROKES).json() == said
    again = explain(client, "step", model="cnn", label="5", optimizer=SGD, steps=20).json()
    assert again == stepped  # from the stored weights each time


def test_a_drawing_comes_as_it_comes_to_predict(client):
    pixels = explain(client, "forward").json()["pixels"]
    as_pixels = explain(client, "forward", drawing={"pixels": pixels}).json()
    assert as_pixels["pixels"] == pixels
    image = client.post("/predict?model=mlp&input=true", content=PNG, headers={"content-type": "image/png"}).json()
    as_image = explain(client, "forward", drawing={"image": base64.b64encode(PNG).decode()}).json()
    assert as_image["pixels"] == image["input"]
    blank = explain(client, "forward", drawing={"strokes": []}).json()
    assert blank["blank"]
    frame = explain(client, "toward", label="7", steps=1).json()["frames"][0]
    assert explain(client, "toward", label="7", steps=2).json()["frames"][0] == frame


def test_a_model_that_is_not_named_is_the_default(client):
    name = client.get("/api/models").json()["default"]
    answer = client.post("/api/explain/forward", json={"drawing": STROKES}).json()
    assert answer["model"] == name


LONG = list(range(51))
BAD = [
    ("forward", {"drawing": None}, 422, "drawing"),
    ("forward", {"drawing": {}}, 422, "expected an object with one of pixels, strokes and image"),
    ("forward", {"drawing": {"pixels": [2] * 784}}, 422, "pixels: expected numbers from 0 to 1"),
    ("forward", {"drawing": {"strokes": "x"}}, 422, "strokes: expected a list"),
    ("forward", {"drawing": {"image": "AAAA"}}, 422, ""),
    ("forward", {"drawing": {"image": 3}}, 422, "image: expected base64"),
    ("forward", {"model": "none"}, 404, "there is no model none"),
    ("forward", {"model": "../etc/passwd"}, 404, "there is no model"),
    ("forward", {"model": 3}, 422, "model"),
    ("forward", {"steps": 3}, 422, "steps: unknown field"),
    ("layer", {"layer": 3}, 422, "layer: expected a number from 0 to 2; got 3"),
    ("layer", {"layer": 0, "first": 20}, 422, "first: expected a number from 0 to 19"),
    ("layer", {"layer": "0"}, 422, "layer"),
    ("layer", {"layer": 0.5}, 422, "layer"),
    ("layer", {"layer": True}, 422, "layer"),
    ("layer", {}, 422, "layer: missing"),
    ("neuron", {"layer": 0, "unit": 20}, 422, "unit: expected a number from 0 to 19; got 20"),
    ("neuron", {"layer": 0, "unit": -1}, 422, "unit"),
    ("neuron", {"layer": 0, "unit": 10**30}, 422, "unit"),
    ("backward", {"label": "x"}, 422, "label: expected one of 0, 1"),
    ("backward", {"label": ""}, 422, "label"),
    ("backward", {"label": 5}, 422, "label"),
    ("backward", {}, 422, "label: missing"),
    ("delta", {"label": "5", "layer": 9, "unit": 0}, 422, "layer: expected a number from 0 to 2"),
    ("numerical", {"label": "5", "layer": 1}, 422, "a layer that has parameters"),
    ("numerical", {"label": "5", "layer": 0, "parameter": "gamma"}, 422, "parameter: expected one of weight, bias"),
    ("numerical", {"label": "5", "layer": 0, "places": [784 * 20]}, 422, "places: expected numbers from 0 to 15679"),
    ("numerical", {"label": "5", "layer": 0, "places": LONG}, 422, "places"),
    ("numerical", {"label": "5", "layer": 0, "random": 0}, 422, "random"),
    ("step", {"label": "5", "optimizer": {"type": "magic"}}, 422, "optimizer: expected a type of"),
    ("step", {"label": "5", "optimizer": {"type": "sgd", "learning_rate": 0}}, 422, "optimizer.learning_rate"),
    ("step", {"label": "5", "optimizer": {"type": "sgd", "speed": 1}}, 422, "optimizer.speed: unknown field"),
    ("step", {"label": "5", "optimizer": SGD, "steps": MOST_STEPS + 1}, 422, "steps"),
    ("step", {"label": "5", "optimizer": SGD, "layer": 0}, 422, "unit: expected layer and unit, both or neither"),
    ("gradient", {"label": "10"}, 422, "label: expected one of 0, 1"),
    ("contrast", {"label": "3", "other": "3"}, 422, "other: expected another label than '3'"),
    ("contrast", {"other": "x"}, 422, "label: expected one of 0, 1"),
    ("contrast", {"other": 3}, 422, "other"),
    ("nearest", {}, 422, "labels: missing"),
    ("nearest", {"labels": []}, 422, "labels"),
    ("nearest", {"labels": ["x"]}, 422, "labels: expected labels of the model; got 'x'"),
    ("nearest", {"labels": list("01234")}, 422, "labels"),
    ("nearest", {"labels": ["3"], "count": 0}, 422, "count"),
    ("nearest", {"labels": ["3"], "count": 11}, 422, "count"),
    ("nearest", {"labels": ["3"], "drawing": {"strokes": "x"}}, 422, "strokes: expected a list"),
    ("nearest", {"labels": ["3"], "model": None}, 422, "model"),
    ("nearest", {"labels": ["3"], "model": "none"}, 404, "there is no model none"),
    ("occlusion", {"size": 0}, 422, "size"),
    ("occlusion", {"size": 15}, 422, "size"),
    ("occlusion", {"fill": 2}, 422, "fill"),
    ("toward", {"label": "7", "steps": 26}, 422, "steps"),
    ("toward", {"label": "7", "rate": 0}, 422, "rate"),
    ("toward", {"label": "7", "rate": 1e300}, 422, "rate"),
    ("morph", {"label": "x"}, 422, "label: expected one of 0, 1"),
    ("morph", {}, 422, "label: missing"),
    ("maximize", {"label": "3"}, 422, "drawing: unknown field"),
]


@pytest.mark.parametrize(
    ("what", "asked", "status", "message"), BAD, ids=[f"{what}-{i}" for i, (what, *_) in enumerate(BAD)]
)
def test_what_cannot_be_explained_is_refused(client, what, asked, status, message):
    assert message in is_an_error(explain(client, what, **asked), status)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"null", b'{"drawing": {"pixels": [NaN]}}', b"\xff\xfe"])
def test_a_body_that_is_no_question_is_refused(client, body):
    for what in CALLS:
        is_an_error(client.post(f"/api/explain/{what}", content=body), 422)


def test_a_model_whose_numbers_are_not_finite_is_not_explained(client):
    store = client.app.state.services.store
    card, network = store.load("mlp")
    network.params[:] = 3e38
    store.save(card.model_copy(update={"name": "broken"}), network)
    for what, asked in CALLS.items():
        assert "not finite" in is_an_error(explain(client, what, model="broken", **asked), 409)


@pytest.mark.parametrize("name", ["mlp", "cnn", "perceptron"])
def test_a_network_draws_a_label_without_a_drawing(client, name):
    answer = client.post("/api/explain/maximize", json={"model": name, "label": "4"})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["model"], found["label"]) == (name, "4")
    pixels = np.frombuffer(base64.b64decode(found["plain"]["pixels"]), "<f4").reshape(1, 28, 28)
    card, network = client.app.state.services.store.load(name)
    logits = network.infer(pixels * np.float32(255 / card.input_scale)).logits.astype(np.float64)
    said = softmax(logits / card.temperature)[0]
    assert found["plain"]["says"] == card.labels[said.argmax()]
    assert found["plain"]["probability"] == pytest.approx(said[4], abs=1e-3)


def test_the_mean_of_a_label_is_that_of_the_model_s_images(client):
    answer = client.post("/api/explain/mean", json={"model": "mlp", "label": "1"})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["model"], found["label"], found["datasets"]) == ("mlp", "1", ["Strokes"])
    image = np.frombuffer(base64.b64decode(found["pixels"]), np.uint8).reshape(28, 28)
    assert image[8:20, 12:16].mean() > 3 * image[8:20, :6].mean()  # a 1 stands in the middle
    assert 0 < found["count"] <= 1000


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"label": "x"}, 422), ({"label": 3}, 422), ({"label": "3", "model": "none"}, 404), ([], 422)],
)
def test_what_has_no_own_image_and_no_mean_is_refused(client, body, status):
    for what in ("maximize", "mean"):
        asked = {"model": "mlp", **body} if isinstance(body, dict) else body
        is_an_error(client.post(f"/api/explain/{what}", json=asked), status)


def test_a_model_without_finite_numbers_draws_nothing(client):
    store = client.app.state.services.store
    card, network = store.load("mlp")
    network.params[:] = np.inf
    store.save(card.model_copy(update={"name": "endless"}), network)
    answer = client.post("/api/explain/maximize", json={"model": "endless", "label": "3"})
    assert "finite numbers" in is_an_error(answer, 409)


def test_too_large_a_network_is_refused(client, monkeypatch):
    monkeypatch.setattr("app.learn.inspection.subject.MOST_PARAMETERS", 100)
    assert "at most 100 parameters" in is_an_error(explain(client, "forward"), 409)


def test_predict_answers_while_an_explanation_takes_long(client, monkeypatch):
    begun, over, real = threading.Event(), threading.Event(), there.forward

    def slow(subject):
        begun.set()
        assert over.wait(60)
        return real(subject)

    monkeypatch.setattr("app.learn.inspection.forward.forward", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(explain, client, "forward")
        until(begun.is_set)
        second = pool.submit(explain, client, "neuron", layer=0, unit=0)
        assert client.post("/predict?model=mlp", json=STROKES).status_code == 200
        assert not first.done()
        assert not second.done()
        over.set()
        assert first.result(60).status_code == second.result(60).status_code == 200
