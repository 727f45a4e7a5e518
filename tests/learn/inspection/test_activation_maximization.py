"""The image that a network itself takes most for a label."""

import base64

import numpy as np
import pytest

from app.errors import InputError
from app.learn.inspection.activation_maximization import LEAST_STEPS, MOST_STEPS, maximize_activation
from app.learn.inspection.subject import TEACHING_MODEL, open_subject
from app.models import ModelStore
from app.models.cost import TooLargeError
from app.nn.layers.activations import softmax
from app.settings import SHIPPED_MODELS
from tests.support.inspected_networks import NETWORKS, subject


def pixels_of(image):
    return np.frombuffer(base64.b64decode(image["pixels"]), "<f4").astype(np.float64).reshape(28, 28)


def scores_of(one, pixels):
    return one.scores((pixels * one.scale).reshape(one.x.shape).astype(one.network.dtype))[0]


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_logit_has_grown_and_the_network_reads_the_image_as_it_is_said(tmp_path, name):
    one = subject(tmp_path, name)
    found = maximize_activation(one, "3")
    assert found["steps"] == MOST_STEPS
    blank = scores_of(one, np.zeros((28, 28)))[3]
    for kind in ("plain", "smooth"):
        image, pixels = found[kind], pixels_of(found[kind])
        assert pixels.min() >= 0
        assert pixels.max() <= 1
        assert not image["stuck"]
        scores = scores_of(one, pixels)
        assert image["logit"] == pytest.approx(scores[3], rel=1e-4, abs=1e-4)
        assert image["logit"] > blank
        assert image["says"] == one.card.labels[scores.argmax()]
        assert image["probability"] == pytest.approx(softmax(scores[None] / one.card.temperature)[0, 3], abs=1e-4)


def test_a_trained_network_reads_its_maximize_activation_and_smoothing_makes_neighbours_alike(tmp_path):
    blank = np.zeros((28, 28), np.float32)
    one = open_subject(ModelStore(tmp_path, SHIPPED_MODELS), TEACHING_MODEL, blank, dtype="float64")
    images = [maximize_activation(one, label) for label in one.card.labels]
    for label, found in zip(one.card.labels, images, strict=True):
        assert {found["plain"]["says"], found["smooth"]["says"]} == {label}
        rough, smooth = (np.abs(np.diff(pixels_of(found[kind]))).mean() for kind in ("plain", "smooth"))
        assert smooth < rough
    assert len({found["plain"]["pixels"] for found in images}) == 10


def test_it_is_the_same_whatever_is_drawn_and_asked_again(tmp_path):
    assert maximize_activation(subject(tmp_path, "cnn"), "5") == maximize_activation(subject(tmp_path, "cnn"), "5")


def test_without_a_gradient_it_says_that_it_is_stuck(tmp_path):
    one = subject(tmp_path, "mlp")
    one.network.layers[0].params["bias"][:] = -1e6  # every ReLU is off
    found = maximize_activation(one, "3")
    assert found["plain"]["stuck"]
    assert found["smooth"]["stuck"]


def test_a_large_network_takes_fewer_steps_and_one_that_is_too_large_none(tmp_path, monkeypatch):
    one = subject(tmp_path, "mlp")
    with monkeypatch.context() as patched:
        patched.setattr(type(one), "affordable", lambda _: 100)
        assert maximize_activation(one, "3")["steps"] == 16
        patched.setattr(type(one), "affordable", lambda _: 5)
        assert maximize_activation(one, "3")["steps"] == LEAST_STEPS
    with pytest.raises(InputError):
        maximize_activation(one, "x")
    monkeypatch.setattr("app.learn.inspection.subject.MOST_WORK", 1)
    with pytest.raises(TooLargeError):
        maximize_activation(one, "3")
