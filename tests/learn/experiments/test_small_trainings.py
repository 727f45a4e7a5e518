"""The small trainings: they overfit, and batches of other sizes take other steps."""

import pytest

from app.data import DatasetCatalog
from app.learn.experiments import small_trainings


@pytest.fixture(scope="module")
def strokes(cache_dir):
    return DatasetCatalog(cache_dir).load("strokes")


@pytest.mark.slow
def test_few_images_are_learned_by_heart(strokes):
    found = small_trainings.overfitting(strokes, 0.0, 0.0)
    assert [epoch["epoch"] for epoch in found["epochs"]] == list(range(small_trainings.OVERFITTING_EPOCHS + 1))
    last = found["epochs"][-1]
    assert last["train_accuracy"] > 0.99
    assert last["test_accuracy"] < 0.85
    helped = small_trainings.overfitting(strokes, 0.0, 0.1)["epochs"][-1]
    gap = {name: one["train_accuracy"] - one["test_accuracy"] for name, one in (("no", last), ("decay", helped))}
    assert gap["decay"] < 0.7 * gap["no"]


@pytest.mark.parametrize(("size", "steps"), [(10, 500), (100, 50), (1000, 5)])
def test_smaller_batches_take_more_steps(strokes, size, steps):
    found = small_trainings.batches(strokes, size)
    assert (found["steps"], found["batch_size"], len(found["epochs"])) == (steps, size, small_trainings.BATCH_EPOCHS)
    assert len(found["losses"]) <= small_trainings.POINTS + small_trainings.BATCH_EPOCHS
    assert found["losses"][-1]["images"] == found["images"] * small_trainings.BATCH_EPOCHS
    assert found["losses"][-1]["step"] == steps
    assert found["losses"][-1]["loss"] < found["losses"][0]["loss"]


def test_what_a_trial_came_to_is_kept_and_the_oldest_goes():
    kept, asked = small_trainings.SmallTrainingCache(), []

    def work(key):
        return kept.of(key, lambda: asked.append(key) or {"key": key})

    assert work(0) is work(0)
    for key in range(1, small_trainings.MOST_KEPT):
        work(key)
    work(0)
    work("one more")
    work(0)
    assert asked.count(0) == 1
    work(1)
    assert asked.count(1) == 2
