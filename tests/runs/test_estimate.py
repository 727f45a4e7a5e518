"""What a training will come to, before it starts."""

import pytest

from app.runs.config import request_config
from app.runs.estimate import Estimator, Speed, likeness, outline, training_samples, work
from app.runs.log import Log
from app.runs.states import State
from tests.conftest import TINY


def config(**overrides):
    return request_config({"recipe": "quick", "overrides": {**TINY, **overrides}})


@pytest.fixture
def log(settings):
    opened = Log(settings.log_url)
    yield opened
    opened.close()


def finished(log, given, rate):
    run = log.add(given)
    claim = log.claim("me")
    log.say(claim, "epoch", {"epoch": 1, "samples_per_second": rate})
    log.finish(claim, State.SUCCEEDED, {})
    return run


def test_the_outline_has_each_layers_shape_and_parameters():
    network = request_config({"recipe": "lenet"}).build_network()
    parts = outline(network)
    assert [part["type"] for part in parts] == [layer.type for layer in network.layers]
    assert sum(part["parameters"] for part in parts) == network.params.size
    assert parts[-1]["shape"] == [10]
    tiny = outline(config().build_network())
    assert [(part["shape"], part["parameters"]) for part in tiny] == [([16], 785 * 16), ([16], 0), ([10], 170)]


def test_work_counts_the_multiplications_of_one_image():
    assert work(config().build_network()) == 784 * 16 + 16 * 10
    layers = [{"type": "conv2d", "filters": 3, "kernel_size": 5}, {"type": "flatten"}, {"type": "dense", "units": 10}]
    assert work(config(network={"layers": layers}).build_network()) == 3 * 25 * 24 * 24 + 3 * 24 * 24 * 10


def test_a_share_of_the_images_is_set_aside():
    assert training_samples(config(validation=0.1), 1000) == (900, 100)
    assert training_samples(config(validation="test"), 1000) == (1000, 0)


def test_a_run_that_was_done_tells_the_speed_of_the_like(log):
    run = finished(log, config(), 12_345.0)
    estimator = Estimator(log)
    alike, other = config(epochs=9, seed=3, optimizer={"learning_rate": 0.5}), config(batch_size=50)
    assert estimator.known([alike, other]) == [Speed(12_345.0, f"run {run}"), None]
    assert estimator.speed(alike).measured_on == f"run {run}"


def test_what_does_not_change_the_speed_does_not_change_the_likeness():
    base = config().model_dump(mode="json")
    assert likeness(config(seed=9, epochs=1).model_dump(mode="json")) == likeness(base)
    for changed in (config(dtype="float64"), config(batch_size=1), config(optimizer={"type": "adamw"})):
        assert likeness(changed.model_dump(mode="json")) != likeness(base)


def test_a_trial_measures_what_was_never_done_once(log):
    ticks = iter(range(1_000_000))
    asked = []

    def clock():
        asked.append(1)
        return next(ticks) * 0.01

    estimator = Estimator(log, clock)
    found = estimator.speed(config(network={"layers": [{"type": "dense", "units": 10}]}))
    assert found == Speed(pytest.approx(500 / 0.01), "a trial on this machine")
    count = len(asked)
    assert estimator.speed(config(network={"layers": [{"type": "dense", "units": 10}]})) == found
    assert len(asked) == count


def test_what_would_take_too_long_to_try_is_not_tried(log):
    huge = [{"type": "dense", "units": 20_000}, {"type": "dense", "units": 10}]
    assert Estimator(log).speed(config(network={"layers": huge})) is None


@pytest.mark.parametrize("more", [{"augmentation": {"rotation": 10}}, {"network": {"layers": [
    {"type": "conv2d", "filters": 4, "kernel_size": 5}, {"type": "batch_norm"}, {"type": "relu"},
    {"type": "dense", "units": 10}]}}, {"optimizer": {"learning_rate": 1e30}}])  # fmt: skip
def test_every_kind_of_training_can_be_tried(log, more):
    assert Estimator(log).speed(config(batch_size=20, **more)).samples_per_second > 0


def test_the_estimate_counts_epochs_and_evaluations(log):
    found = Estimator(log).estimate(config(epochs=3, validation=0.1), train=1000, test=100, speed=Speed(100.0, "run 1"))
    assert (found["samples"], found["validation_samples"], found["batches"]) == (900, 100, 2)
    assert found["seconds"] == pytest.approx(3 * (900 + 100 / 3) / 100)
    assert Estimator(log).estimate(config(), train=10, test=1, speed=None)["seconds"] is None
