"""A training on augmented images: broken off anywhere it ends with the same weights, and leaves no process behind."""

import numpy as np
import pytest

from app.data import Dataset, Split, make_strokes
from app.nn import Snapshot
from app.runs.config.run_config import request_config
from app.runs.training.run_training import Progress, Training
from tests.support.runs import TINY
from tests.support.waiting import until

AUGMENTED = {**TINY, "epochs": 3, "batch_size": 100, "augmentation": {"rotation": 20, "elastic": 1}, "averaging": 2}


@pytest.fixture(scope="module")
def drawn():
    made = make_strokes(train=300, test=100)
    return Dataset(made.name, made.title, made.labels, Split(made.train.images, made.train.labels), made.test)


def training(dataset, **changes):
    return Training(request_config({"recipe": "quick", "overrides": {**AUGMENTED, **changes}}), dataset)


def finish(made, resume=None):
    for _ in made.run(resume):
        pass
    return made.network.params.copy()


@pytest.mark.slow
def test_an_augmented_training_goes_on_in_the_middle_of_an_epoch_as_if_it_had_never_stopped(drawn):
    whole = finish(training(drawn))
    assert not np.array_equal(whole, finish(training(drawn, augmentation=None)))
    first = training(drawn)
    steps = first.run()
    for step in steps:
        if isinstance(step, Progress) and (step.epoch, step.batch) == (2, 2):
            break
    snapshot = first.snapshot()
    steps.close()
    assert (snapshot.epoch, snapshot.batch) == (1, 2)
    again = Snapshot.of(snapshot.numbers(), snapshot.arrays)
    np.testing.assert_array_equal(finish(training(drawn), again), whole)


def test_no_process_is_left_when_a_training_is_broken_off(drawn):
    made = training(drawn)
    steps = made.run()
    until(lambda: isinstance(next(steps), Progress))
    process = made._epoch_images._process
    steps.close()
    assert process is None or process.poll() is not None


def test_a_config_s_augmentation_and_averaging_are_checked():
    for changes, message in (
        ({"augmentation": {"shift": 100}}, "augmentation.shift: expected a number from 0 to 14; got 100"),
        ({"augmentation": "much"}, "augmentation"),
        ({"averaging": 0}, "averaging: expected"),
        ({"averaging": True}, "averaging"),
        ({"patience": 3, "validation": 0.1}, "averaging: expected null with patience"),
    ):
        with pytest.raises(ValueError, match="^" + message.split(":")[0]) as error:
            request_config({"recipe": "quick", "overrides": {**AUGMENTED, **changes}})
        assert message in str(error.value)
