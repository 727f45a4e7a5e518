"""The ink that speaks for a label rather than another."""

import numpy as np
import pytest

from app.errors import InputError
from app.learn.inspection import saliency
from app.learn.inspection.saliency import contrast
from app.models.cost import TooLargeError
from tests.support.inspected_networks import NETWORKS, PIXELS, subject, values

KINDS = sorted(set(NETWORKS) - {"perceptron"})  # its step function has no slope


@pytest.mark.parametrize("name", KINDS)
def test_the_parts_add_up_to_the_change_of_the_difference_from_blank_paper(tmp_path, name, monkeypatch):
    monkeypatch.setattr(saliency, "PATH_POINTS", 512)
    one = subject(tmp_path, name)
    shown = contrast(one, "3", "5")
    parts = values(shown["picture"])[0]
    drawn, blank = one.scores(one.x)[0], one.scores(np.zeros_like(one.x))[0]
    change = (drawn[3] - drawn[5]) - (blank[3] - blank[5])
    assert parts.sum() == pytest.approx(change, abs=0.02 * float(np.abs(parts).sum()) + 1e-6)
    assert (parts[PIXELS == 0] == 0).all()
    assert np.abs(parts).max() > 0


@pytest.mark.parametrize("name", KINDS)
def test_the_answer_is_contrasted_with_the_runner_up(tmp_path, name):
    one = subject(tmp_path, name)
    shown = contrast(one, None, None)
    order = np.argsort(-one.scores(one.x)[0])
    assert [shown["label"], shown["other"]] == [one.card.labels[place] for place in order[:2]]
    assert shown["probability"] >= shown["other_probability"]
    for label in one.card.labels:  # of any label the best other one
        assert contrast(one, label, None)["other"] == next(
            one.card.labels[place] for place in order if one.card.labels[place] != label
        )


def test_both_ways_are_each_other_s_opposite(tmp_path):
    one = subject(tmp_path, "mlp")
    there, back = (values(contrast(one, *labels)["picture"]) for labels in (("3", "5"), ("5", "3")))
    np.testing.assert_allclose(there, -back, atol=1e-6)


def test_a_network_with_many_activations_takes_few_points_at_a_time(tmp_path, monkeypatch):
    one = subject(tmp_path, "cnn")
    at_once = values(contrast(one, "3", "5")["picture"])
    monkeypatch.setattr(saliency, "MOST_ACTIVATIONS", 1)
    np.testing.assert_allclose(values(contrast(one, "3", "5")["picture"]), at_once, rtol=1e-5, atol=1e-7)


def test_what_cannot_be_contrasted_is_refused(tmp_path, monkeypatch):
    one = subject(tmp_path, "mlp")
    with pytest.raises(InputError, match="expected another label than '3'"):
        contrast(one, "3", "3")
    with pytest.raises(InputError, match="expected one of 0, 1"):
        contrast(one, "3", "x")
    monkeypatch.setattr("app.learn.inspection.subject.MOST_WORK", 1)
    with pytest.raises(TooLargeError, match="passes through a network"):
        contrast(one, "3", "5")
