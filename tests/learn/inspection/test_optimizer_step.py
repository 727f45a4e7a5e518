"""Steps of an optimizer on a copy, and where a network looks."""

import base64
import hashlib
import re

import numpy as np
import pytest

from app.data import make_strokes
from app.learn.inspection.backward import backward
from app.learn.inspection.optimizer_step import MOST_STEPS, steps
from app.learn.inspection.saliency import input_gradient, occlusion, toward
from app.learn.inspection.subject import TEACHING_MODEL, open_subject
from app.models import ModelStore
from app.models.cost import TooLargeError, prediction_cost
from app.models.store import WEIGHTS
from app.nn import LOSSES, OPTIMIZERS, Trainer, TrainingOptions, build, evaluate
from app.resources import bundled
from app.settings import SHIPPED_MODELS
from tests.support.inspected_networks import NETWORKS, PIXELS, save, subject, values

KINDS = sorted(NETWORKS)
RATES = {
    "sgd": 0.1,
    "momentum": 0.05,
    "nesterov": 0.05,
    "adagrad": 0.01,
    "rmsprop": 0.001,
    "adam": 0.001,
    "adamw": 0.01,
}


@pytest.mark.parametrize("kind", sorted(OPTIMIZERS))
def test_steps_are_the_trainer_s_own_to_the_last_bit(tmp_path, kind):
    optimizer = {"type": kind, "learning_rate": RATES[kind]}
    one = subject(tmp_path, "mlp", dtype=None)
    shown = steps(one, "5", optimizer, 3)
    _, network = save(tmp_path, "mlp", *NETWORKS["mlp"]).load("mlp")
    t = np.array([5])
    first = evaluate(network, PIXELS[None], t, loss=build("loss", LOSSES, "cross_entropy")).loss
    options = TrainingOptions(batch_size=1, epochs=3, shuffle=False)
    list(Trainer(network, PIXELS[None], t, optimizer=build("optimizer", OPTIMIZERS, optimizer), options=options).run())
    np.testing.assert_array_equal(one.network.params, network.params)
    assert (shown["steps"], shown["diverged"]) == (3, False)
    assert shown["losses"][0] == pytest.approx(first)
    assert shown["losses"][-1] == pytest.approx(float(evaluate(network, PIXELS[None], t, loss=one.loss()).loss))
    assert shown["after"] == pytest.approx(network.probabilities(PIXELS[None])[0].tolist(), abs=1e-6)
    assert shown["certainties"] == [pytest.approx(shown["before"][5]), *shown["certainties"][1:3], shown["after"][5]]
    assert shown["losses"][-1] < shown["losses"][0]


@pytest.mark.parametrize("name", KINDS)
def test_steps_change_a_copy_and_never_the_store(tmp_path, name):
    store = save(tmp_path, name, *NETWORKS[name])
    before = hashlib.sha256(store.path(name, WEIGHTS).read_bytes()).hexdigest()
    one = subject(tmp_path, name, dtype=None)
    stored = {key: array.copy() for key, array in store.load(name)[1].weights().items()}
    shown = steps(one, "5", {"type": "sgd", "learning_rate": 0.01}, 5, unit=(len(one.network.layers) - 1, 5))
    assert hashlib.sha256(store.path(name, WEIGHTS).read_bytes()).hexdigest() == before == store.get(name).sha256
    for change in shown["weights"]:
        key = f"{change['layer']}.{change['parameter']}"
        moved = one.network.weights()[key].astype(float) - stored[key]
        assert change["change"] == pytest.approx(np.linalg.norm(moved.astype(float)))
        assert change["norm"] == pytest.approx(np.linalg.norm(stored[key].astype(float)), rel=1e-5)
    assert len(shown["losses"]) == 6
    unit = shown["unit"]
    if unit["before"] is not None:  # a softmax has no weights of its own
        array = one.network.layers[unit["layer"]].params["weight"][:, 5]
        np.testing.assert_array_equal(values(unit["after"]).ravel(), array)
        np.testing.assert_array_equal(
            values(unit["before"]).ravel(), stored[f"{unit['layer']}.weight"][:, 5].astype(np.float32)
        )
    again = steps(subject(tmp_path, name, dtype=None), "5", {"type": "sgd", "learning_rate": 0.01}, 5)
    assert again["losses"] == shown["losses"]


def test_a_rate_that_is_far_too_large_ends_where_numbers_end(tmp_path):
    one = subject(tmp_path, "mlp", dtype=None)
    shown = steps(one, "5", {"type": "sgd", "learning_rate": 1e38}, 50)
    assert shown["diverged"]
    assert shown["steps"] < 50
    assert np.isfinite(shown["losses"]).all()
    assert np.isfinite(one.network.params).all()


def test_what_is_no_step_is_refused(tmp_path):
    one = subject(tmp_path, "mlp", dtype=None)
    sgd = {"type": "sgd", "learning_rate": 0.1}
    for label, optimizer, unit, message in [
        ("x", sgd, None, "label: expected one of 0, 1"),
        ("5", {"type": "sdg"}, None, "optimizer: expected a type of"),
        ("5", {"type": "sgd", "learning_rate": -1}, None, "optimizer.learning_rate"),
        ("5", {}, None, "optimizer: expected a type of"),
        ("5", sgd, (9, 0), "layer: expected a number from 0 to 2"),
        ("5", sgd, (1, 20), "unit: expected a number from 0 to 19"),
    ]:
        with pytest.raises(ValueError, match=message):
            steps(one, label, optimizer, 1, unit)


def test_steps_that_would_take_long_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("app.learn.inspection.subject.MOST_WORK", 10**6)
    with pytest.raises(TooLargeError, match="passes through a network as large as mlp"):
        steps(subject(tmp_path, "mlp", dtype=None), "5", {"type": "sgd", "learning_rate": 0.1}, MOST_STEPS)


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("perceptron", "cnn")])
def test_the_input_gradient_is_the_slope_of_the_logit(tmp_path, name):
    one = subject(tmp_path, name)
    shown = input_gradient(one, "3")
    gradient = values(shown["picture"])[0]
    logits = one.scores(one.x)[0]
    assert shown["logit"] == pytest.approx(logits[3])
    for row, column in ((5, 5), (14, 14), (20, 9)):
        above, below = one.x.copy(), one.x.copy()
        above.reshape(28, 28)[row, column] += 1e-5
        below.reshape(28, 28)[row, column] -= 1e-5
        slope = (one.scores(above)[0, 3] - one.scores(below)[0, 3]) / 2e-5
        assert gradient[row, column] == pytest.approx(slope, rel=1e-4, abs=1e-7)
    said = input_gradient(one, None)
    assert said["label"] == one.card.labels[int(logits.argmax())]


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_a_cover_takes_away_what_the_model_says_without_it(tmp_path, name):
    one = subject(tmp_path, name, dtype=None)
    shown = occlusion(one, "3", 5, 0.0)
    drops = values(shown["picture"])[0]
    assert (shown["stride"], drops.shape) == (1, (28, 28))
    for row, column in ((14, 14), (0, 0), (27, 3), (9, 20)):
        covered = one.x.reshape(28, 28).copy()
        covered[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = 0
        left = one.network.probabilities(covered.reshape(one.x.shape))[0, 3]
        assert drops[row, column] == pytest.approx(shown["probability"] - left, abs=1e-6)
    whole = values(occlusion(one, "3", 1, 1.0)["picture"])[0]
    inked = one.x.copy()
    inked.reshape(28, 28)[4, 4] = 1
    assert whole[4, 4] == pytest.approx(shown["probability"] - one.network.probabilities(inked)[0, 3], abs=1e-6)


def test_the_cover_of_a_large_network_moves_in_larger_steps(tmp_path, monkeypatch):
    monkeypatch.setattr("app.learn.inspection.subject.MOST_WORK", 60 * 16_280)
    shown = occlusion(subject(tmp_path, "mlp", dtype=None), None, 3, 0.0)
    drops = values(shown["picture"])[0]
    assert shown["stride"] == 4
    np.testing.assert_array_equal(drops[::4].repeat(4, axis=0), drops)


def test_few_covered_drawings_at_a_time_go_through_a_network_with_many_activations(tmp_path, monkeypatch):
    layers = [
        {"type": "conv2d", "filters": 5000, "kernel_size": 1},
        {"type": "max_pool2d", "size": 28, "stride": 28},
        *("flatten", "dense 10"),
    ]
    one = open_subject(save(tmp_path, "wide", layers, "cross_entropy"), "wide", PIXELS)
    assert one.affordable() < 28**2  # what it writes takes far longer than what it multiplies
    monkeypatch.setattr("app.learn.inspection.subject.MOST_WORK", 16 * prediction_cost(one.network))
    first, taken = one.network.layers[0], []
    convolve = first.forward
    monkeypatch.setattr(first, "forward", lambda x, *, training: taken.append(len(x)) or convolve(x, training=training))
    assert occlusion(one, "3", 5, 0.0)["stride"] == 7
    assert taken == [1] * 17  # every place, and the drawing as it is
    small, taken = subject(tmp_path, "mlp", dtype=None), []
    first, multiply = small.network.layers[0], small.network.layers[0].forward
    monkeypatch.setattr(first, "forward", lambda x, *, training: taken.append(len(x)) or multiply(x, training=training))
    occlusion(small, "3", 5, 0.0)
    assert max(taken) == 64


@pytest.mark.parametrize("name", KINDS)
def test_gradient_steps_on_the_drawing_make_the_label_more_probable(tmp_path, name):
    one = subject(tmp_path, name)
    shown = toward(one, "7", 10, 0.3)
    assert not shown["stuck"]
    assert shown["probability"] == pytest.approx(one.probabilities(one.x)[0, 7])
    frames = [np.frombuffer(base64.b64decode(frame["pixels"]), "<f4") for frame in shown["frames"]]
    assert len(frames) == 10
    assert all(frame.min() >= 0 and frame.max() <= 1 for frame in frames)
    assert 0 < np.linalg.norm(frames[0] - PIXELS.ravel()) <= 0.3 + 1e-6
    last = shown["frames"][-1]
    said = one.network.probabilities(frames[-1].astype(float).reshape(one.x.shape))[0]
    assert last["probabilities"] == pytest.approx(said.tolist(), abs=1e-5)
    if name != "perceptron":  # its step passes the gradient on, and does not change with it
        assert last["probability"] > shown["probability"]


DRAWN = make_strokes(train=300, test=1).train


def suggested_rates() -> dict[str, float]:
    """The learning rates that the pages suggest, by optimizer."""
    script = (bundled("static") / "js" / "pages" / "train" / "config.js").read_text("utf-8")
    listed = re.search(r"USUAL_LEARNING_RATE = \{(.+?)\}", script)[1]
    return {name: float(rate) for name, rate in re.findall(r"(\w+): ([\d.]+)", listed)}


def drawn_as(label: int) -> np.ndarray:
    return DRAWN.images[list(DRAWN.labels).index(label)].astype(np.float32) / 255


@pytest.mark.parametrize("name", [TEACHING_MODEL, "mnist-mlp"])
@pytest.mark.parametrize("label", range(10))
def test_learning_from_a_drawing_makes_a_shipped_network_surer_of_it(name, label):
    store, rates = ModelStore(SHIPPED_MODELS), suggested_rates()
    assert set(rates) == set(OPTIMIZERS)
    for kind, rate in rates.items():
        one = open_subject(store, name, drawn_as(label))
        shown = steps(one, str(label), {"type": kind, "learning_rate": rate}, 10)
        before, after_one, after_ten = (shown["certainties"][count] for count in (0, 1, 10))
        assert before < after_one <= 1, kind
        assert before < after_ten <= 1, kind
        assert shown["losses"][0] > shown["losses"][1]
        assert shown["losses"][0] > shown["losses"][10]


@pytest.mark.parametrize("name", [TEACHING_MODEL, "mnist-mlp"])
def test_the_gradient_of_a_shipped_network_asks_for_more_of_the_true_label_and_less_of_the_others(name):
    store = ModelStore(SHIPPED_MODELS)
    for drawn in range(10):
        one = open_subject(store, name, drawn_as(drawn), dtype="float64")
        for truth in one.card.labels:
            shown = backward(one, truth)
            for row in shown["rows"]:
                assert (row["gradient"] <= 0) == (row["label"] == truth), (drawn, row)
                assert row["target"] in (0, 1)


def test_the_teaching_model_is_small_and_plain():
    store = ModelStore(SHIPPED_MODELS)
    card, network = store.load(TEACHING_MODEL)
    assert [layer.type for layer in network.layers] == ["dense", "relu", "dense"]
    assert (card.shipped, card.calibration, card.temperature, card.config["loss"]) == (True, None, 1, "cross_entropy")
    assert card.metrics["test_accuracy"] > 0.95
    assert sum(file.stat().st_size for file in store.path(TEACHING_MODEL, WEIGHTS).parent.iterdir()) < 200_000
    assert store.default() == "mnist-mlp"
