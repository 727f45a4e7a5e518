"""A few pixels that change a network's mind."""

from dataclasses import replace

import numpy as np
import pytest

from app.errors import InputError
from app.learn.inspection import saliency
from app.learn.inspection.saliency import fewest_pixels
from app.models.cost import TooLargeError
from tests.support.inspected_networks import NETWORKS, PIXELS, subject


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_changes_lead_to_another_answer_and_the_probabilities_are_the_network_s(tmp_path, name):
    one = subject(tmp_path, name)
    found = fewest_pixels(one)
    image = PIXELS.astype(np.float64).ravel()
    assert found["label"] == one.card.labels[one.scores(one.x)[0].argmax()]
    assert len({change["pixel"] for change in found["changes"]}) == len(found["changes"]) > 0
    for change in found["changes"]:
        assert change["value"] == float(image[change["pixel"]] <= 0.5)
        image[change["pixel"]] = change["value"]
        x = (image * one.scale).reshape(one.x.shape).astype(one.network.dtype)
        assert change["probabilities"] == pytest.approx(one.probabilities(x)[0].tolist())
        said = one.card.labels[int(np.argmax(change["probabilities"]))]
        assert (said == found["label"]) == (change is not found["changes"][-1] or not found["changed"])
    if found["changed"]:
        assert found["says"] == said


def test_no_single_pixel_would_have_brought_it_nearer(tmp_path):
    one = subject(tmp_path, "mlp")
    first = fewest_pixels(one)["changes"][0]
    answer = int(one.scores(one.x)[0].argmax())
    leads = []
    for place in range(784):
        image = PIXELS.astype(np.float64).ravel()
        image[place] = float(image[place] <= 0.5)
        scores = one.scores((image * one.scale).reshape(one.x.shape))[0]
        leads.append(scores[answer] - np.delete(scores, answer).max())
    assert first["pixel"] == int(np.argmin(leads))


def test_a_large_network_tries_the_steepest_pixels_alone_and_one_that_is_too_large_none(tmp_path, monkeypatch):
    one = subject(tmp_path, "mlp")
    every = fewest_pixels(one)
    monkeypatch.setattr(type(one), "affordable", lambda _: 20 * saliency.MOST_CHANGED)
    some = fewest_pixels(one)
    assert some["changed"] == every["changed"]
    monkeypatch.setattr("app.learn.inspection.subject.MOST_WORK", 1)
    with pytest.raises(TooLargeError):
        fewest_pixels(one)


def test_a_model_of_one_label_has_no_other_answer(tmp_path):
    one = subject(tmp_path, "mlp")
    one = replace(one, card=one.card.model_copy(update={"labels": ["3"]}))
    with pytest.raises(InputError, match="at least two labels"):
        fewest_pixels(one)
