"""What a training will come to, before it starts."""

import json
import subprocess

import pytest

from app.runs.config.run_config import request_config
from app.runs.estimate.benchmark import layer_summary, trial, trial_apart
from app.runs.estimate.estimator import Estimator, Speed, SpeedCache, speed_key, training_samples
from app.runs.log.state import RunState
from tests.support.runs import TINY


def config(**overrides):
    return request_config({"recipe": "quick", "overrides": {**TINY, **overrides}})


def finished(log, given, rate):
    run = log.add(given)
    claim = log.claim("me")
    log.append(claim, "epoch", {"epoch": 1, "samples_per_second": rate})
    log.finish(claim, RunState.SUCCEEDED, {})
    return run


def test_the_outline_has_each_layers_shape_and_parameters():
    network = request_config({"recipe": "lenet"}).build_network()
    parts = layer_summary(network)
    assert [part["type"] for part in parts] == [layer.type for layer in network.layers]
    assert sum(part["parameters"] for part in parts) == network.params.size
    assert parts[-1]["shape"] == [10]
    tiny = layer_summary(config().build_network())
    assert [(part["shape"], part["parameters"]) for part in tiny] == [([16], 785 * 16), ([16], 0), ([10], 170)]


def test_work_counts_the_multiplications_of_one_image():
    assert config().build_network().multiplications == 784 * 16 + 16 * 10
    layers = [{"type": "conv2d", "filters": 3, "kernel_size": 5}, {"type": "flatten"}, {"type": "dense", "units": 10}]
    assert config(network={"layers": layers}).build_network().multiplications == 3 * 25 * 24 * 24 + 3 * 24 * 24 * 10


def test_a_share_of_the_images_is_set_aside():
    assert training_samples(config(validation=0.1), 1000) == (900, 100)
    assert training_samples(config(validation="test"), 1000) == (1000, 0)


def test_a_run_that_was_done_tells_the_speed_of_the_like(log):
    run = finished(log, config(), 12_345.0)
    estimator = Estimator(log)
    alike, other = config(epochs=9, seed=3, optimizer={"learning_rate": 0.5}), config(batch_size=50)
    assert estimator.known([alike, other]) == [Speed(12_345.0, f"run {run}"), None]
    assert estimator.speed(alike).measured_on == f"run {run}"


def test_of_the_newest_runs_the_fastest_counts(log):
    runs = [finished(log, config(), rate) for rate in (9_000.0, 2_000.0, 3_000.0, 1_000.0)]
    assert Estimator(log).known([config()]) == [Speed(3_000.0, f"run {runs[2]}")]


def test_what_does_not_change_the_speed_does_not_change_the_likeness():
    base = config().model_dump(mode="json")
    assert speed_key(config(seed=9, epochs=1).model_dump(mode="json")) == speed_key(base)
    for changed in (config(dtype="float64"), config(batch_size=1), config(optimizer={"type": "adamw"})):
        assert speed_key(changed.model_dump(mode="json")) != speed_key(base)


@pytest.fixture(autouse=True)
def busy(monkeypatch):
    """Whether the machine is busy; it is not, unless a test says so."""
    state = [False]
    monkeypatch.setattr("app.runs.estimate.estimator.is_busy", lambda: state[0])
    return state


def test_a_trial_of_a_busy_machine_is_repeated_when_it_is_idle(log, tmp_path, busy):
    rates = iter((10.0, 500.0))
    estimator = Estimator(log, lambda config: next(rates), folder=tmp_path)
    busy[0] = True
    assert estimator.speed(config()).samples_per_second == 10
    assert estimator.speed(config()).samples_per_second == 10  # not again while it is busy
    assert Estimator(log, folder=tmp_path).known([config()]) == [None]  # not kept for the next server
    busy[0] = False
    assert estimator.speed(config()) == Speed(500.0, "a trial on this machine")
    assert Estimator(log, folder=tmp_path).known([config()]) == [Speed(500.0, "a trial on this machine")]


def test_a_trial_times_its_batches():
    ticks = iter(range(1_000_000))
    found = trial(config(network={"layers": [{"type": "dense", "units": 10}]}), lambda: next(ticks) * 0.01)
    assert found == pytest.approx(500 / 0.01)


def test_what_was_never_done_is_tried_once_in_a_process_of_its_own(log, monkeypatch):
    begun = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *args, **more: begun.append(args) or run(*args, **more))
    monkeypatch.setattr(
        "app.runs.estimate.benchmark.trial", lambda *_: pytest.fail("it was tried in the server's process")
    )
    estimator = Estimator(log)
    found = estimator.speed(config())
    assert found.measured_on == "a trial on this machine"
    assert found.samples_per_second > 0
    assert estimator.speed(config()) == found
    assert len(begun) == 1


def test_a_server_that_starts_again_knows_what_was_tried(log, tmp_path):
    tried = []
    for _ in range(2):
        estimator = Estimator(log, lambda config: tried.append(config) or 500.0, folder=tmp_path / "cache")
        assert estimator.speed(config()) == Speed(500.0, "a trial on this machine")
    assert len(tried) == 1
    (tmp_path / "cache" / "speeds.json").write_text("[" * 100_000)
    assert Estimator(log, folder=tmp_path / "cache").known([config()]) == [None]


def test_speeds_are_kept_for_a_day_and_for_this_machine(tmp_path, monkeypatch):
    now = [1000.0]
    kept = SpeedCache(tmp_path, lambda: now[0])
    kept.put("a", 5.0)
    assert (kept.get("a"), kept.get("b")) == (5.0, None)
    now[0] += 86_400.0
    assert kept.get("a") is None
    kept.put("a", 6.0)
    monkeypatch.setattr("platform.node", lambda: "another")
    assert SpeedCache(tmp_path, lambda: now[0]).get("a") is None
    (tmp_path / "file").write_text("")
    SpeedCache(tmp_path / "file" / "below").put("a", 1.0)  # a folder that cannot be made harms nothing


@pytest.mark.parametrize(
    "damage", ["", "{}", "3", '{"of": 1}', '{"of": OF, "speeds": {"a": [1e999, 1]}}', '{"of": OF, "speeds": {"a": 1}}']
)
def test_a_damaged_file_of_speeds_is_none(tmp_path, damage):
    kept = SpeedCache(tmp_path, lambda: 1.0)
    kept.put("a", 5.0)
    of = json.loads((tmp_path / "speeds.json").read_text())["of"]
    (tmp_path / "speeds.json").write_text(damage.replace("OF", json.dumps(of)))
    assert kept.get("a") is None


def test_what_would_take_too_long_to_try_is_not_tried(log, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a process was started for it"))
    huge = [{"type": "dense", "units": 20_000}, {"type": "dense", "units": 10}]
    assert Estimator(log).speed(config(network={"layers": huge})) is None


@pytest.mark.parametrize("error", [subprocess.TimeoutExpired("", 1), subprocess.CalledProcessError(1, ""), OSError()])
def test_a_trial_that_comes_to_nothing_says_nothing(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    assert trial_apart(config()) is None


@pytest.mark.parametrize("more", [{"augmentation": {"rotation": 10}}, {"network": {"layers": [
    {"type": "conv2d", "filters": 4, "kernel_size": 5}, {"type": "batch_norm"}, {"type": "relu"},
    {"type": "dense", "units": 10}]}}, {"optimizer": {"learning_rate": 1e30}}])  # fmt: skip
def test_every_kind_of_training_can_be_tried(more):
    assert trial(config(batch_size=20, **more)) > 0


def test_the_estimate_counts_epochs_and_evaluations(log):
    found = Estimator(log).estimate(config(epochs=3, validation=0.1), train=1000, test=100, speed=Speed(100.0, "run 1"))
    assert (found["samples"], found["validation_samples"], found["batches"]) == (900, 100, 2)
    assert found["seconds"] == pytest.approx(3 * (900 + 100 / 3) / 100)
    assert Estimator(log).estimate(config(), train=10, test=1, speed=None)["seconds"] is None
