"""The way from a drawing to one that the network reads as another label."""

import base64

import numpy as np
import pytest

from app.errors import InputError
from app.learn.inspection.morph import SURE, morph
from app.learn.inspection.subject import TEACHING_MODEL, open_subject
from app.models import ModelStore
from app.models.cost import TooLargeError
from app.settings import SHIPPED_MODELS
from tests.support.inspected_networks import NETWORKS, PIXELS, subject


def end_of(found):
    return np.frombuffer(base64.b64decode(found["end"]), "<f4").astype(np.float64)


def answers(one, images):
    return one.probabilities((images * one.scale).reshape(len(images), *one.x.shape[1:]).astype(one.network.dtype))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_network_reads_the_end_as_it_is_said_and_the_drawing_as_before(tmp_path, name):
    one = subject(tmp_path, name)
    answer = int(one.scores(one.x)[0].argmax())
    other = (answer + 4) % 10
    found = morph(one, str(other))
    end = end_of(found)
    assert end.size == 784
    assert end.min() >= 0
    assert end.max() <= 1
    said = answers(one, end[None])[0]
    assert found["probability"] == pytest.approx(said[other], abs=1e-5)
    assert found["says"] == one.card.labels[said.argmax()]
    assert found["changed"] == (said.argmax() == other)
    assert (found["label"], found["other"]) == (str(answer), str(other))


@pytest.mark.parametrize("name", [TEACHING_MODEL, "mnist-mlp"])
def test_it_goes_on_until_the_network_is_sure_and_the_answer_turns_on_the_way(tmp_path, name):
    one = open_subject(ModelStore(tmp_path, SHIPPED_MODELS), name, PIXELS, dtype="float64")
    found = morph(one, "7")
    assert found["changed"]
    assert found["probability"] >= SURE
    drawing, end = PIXELS.astype(np.float64).ravel(), end_of(found)
    shares = np.linspace(0, 1, 21)[:, None]
    along = answers(one, (1 - shares) * drawing + shares * end)
    assert along[0].argmax() == int(found["label"])
    assert along[-1].argmax() == 7
    assert along[:, 7].argmax() >= 15  # the nearer to the end, the more
    assert 0 < np.linalg.norm(end - drawing) <= 0.25 * found["steps"] + 1e-6


def test_the_label_that_is_read_already_one_that_is_unknown_and_too_large_a_network_are_refused(tmp_path, monkeypatch):
    one = subject(tmp_path, "mlp")
    with pytest.raises(InputError, match="another label"):
        morph(one, one.card.labels[one.scores(one.x)[0].argmax()])
    with pytest.raises(InputError):
        morph(one, "x")
    with monkeypatch.context() as patched:
        patched.setattr(type(one), "affordable", lambda _: 50)
        assert morph(one, "7")["steps"] <= 16
    monkeypatch.setattr("app.learn.inspection.subject.MOST_WORK", 1)
    with pytest.raises(TooLargeError):
        morph(one, "7")
