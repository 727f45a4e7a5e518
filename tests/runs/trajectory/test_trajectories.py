"""The weights that are kept along a training."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from app.models import ModelStore
from app.models.store import WEIGHTS
from app.nn import Network
from app.nn.training.pool import can_share
from app.runs.config.run_config import request_config
from app.runs.service import RunService
from app.runs.training.hardware import cores_per_worker
from app.runs.trajectory import trajectories as module
from app.runs.trajectory.trajectories import (
    FIRST_EPOCH,
    MOST_BYTES,
    Moment,
    NoTrajectoryError,
    Trajectories,
    moments_of,
    put_vector,
    vector_of,
)
from tests.support.runs import TINY, AfterEpochs, ControlFlags, work

LAYERS = {"layers": [{"type": "dense", "units": 3}, {"type": "batch_norm"}, {"type": "dense", "units": 2}]}


@pytest.fixture
def kept(log, settings):
    return Trajectories(settings.home, log.id)


def add(log, **more):
    return log.add(request_config({"recipe": "quick", "overrides": {**TINY, "batch_size": 100, **more}}))


def test_the_first_epoch_has_ten_moments_or_more_and_the_last_epoch_is_kept():
    for batches in (10, 20, 37, 600, 60_000):
        moments = sorted(moments_of(5, batches, 1000))
        first = [one for one in moments if one.epoch == 0]
        assert moments[0] == Moment(0, 0, batches)
        assert 9 <= len(first) <= FIRST_EPOCH  # and the epoch's end
        assert all(one.batch < batches for one in first)
        assert [one.epoch for one in moments if one.epoch] == [1, 2, 3, 4, 5]
    assert {(one.epoch, one.batch) for one in moments_of(1, 1, 10)} == {(0, 0), (1, 0)}


@pytest.mark.parametrize(("epochs", "numbers"), [(10_000, 1000), (200, 300_000), (40, 1_000_000)])
def test_what_is_kept_of_a_run_is_bounded(epochs, numbers):
    moments = moments_of(epochs, 600, numbers)
    assert 20 <= len(moments) <= 100
    assert len(moments) * numbers * 2 <= MOST_BYTES
    assert {(1, 0), (epochs, 0)} <= {(one.epoch, one.batch) for one in moments}
    assert moments_of(epochs, 600, 10_000_000) == frozenset()


def test_a_vector_holds_all_weights_and_the_state_of_layers():
    network, other = (Network.from_spec(LAYERS, input_shape=(4,)) for _ in range(2))
    network.initialize(1)
    network.weights()["1.running_mean"][:] = [1, 2, 3]
    put_vector(other, vector_of(network))
    assert all(np.array_equal(array, other.weights()[name]) for name, array in network.weights().items())


@pytest.mark.usefixtures("uncalibrated")
def test_a_run_keeps_its_first_weights_those_on_the_way_and_its_last(log, settings, kept):
    run = add(log)
    row = work(log, settings)
    moments = kept.moments(run)
    assert [(one.epoch, one.batch) for one in moments][:2] == [(0, 0), (0, 2)]
    assert [(one.epoch, one.batch) for one in moments][-2:] == [(1, 0), (2, 0)]
    assert len([one for one in moments if one.epoch == 0]) >= 10
    network = request_config({"recipe": "quick", "overrides": TINY}).build_network()
    network.initialize(row["config"]["seed"])
    numbers = vector_of(network).size
    half = vector_of(network).astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(kept.vector(run, moments[0], numbers), half)
    model = load_file(settings.home / row["model"] / WEIGHTS)
    kept.load(run, moments[-1], network)
    for name, array in network.weights().items():
        np.testing.assert_array_equal(array, model[name].astype(np.float16).astype(np.float32))
    RunService(log, ModelStore(settings.home), settings, lambda: None).delete(run)
    assert kept.moments(run) == []
    with pytest.raises(NoTrajectoryError):
        kept.vector(run, moments[0], numbers)


@pytest.mark.usefixtures("uncalibrated")
def test_keeping_changes_no_weight_and_a_paused_run_has_each_moment_once(log, settings, kept, monkeypatch):
    first = add(log, epochs=3)
    alone = work(log, settings)
    second = add(log, epochs=3)
    wanted = ControlFlags()

    def pause():
        log.request_pause(second)
        wanted.pause = True

    AfterEpochs(log, monkeypatch, 1, pause)
    assert work(log, settings, wanted)["state"] == "paused"
    log.request_resume(second)
    monkeypatch.undo()
    monkeypatch.setattr("app.runs.training.run_training.calibrate", lambda *_, **__: None)
    resumed = work(log, settings)
    assert kept.moments(second) == kept.moments(first)
    monkeypatch.setattr(module, "moments_of", lambda *_: frozenset())
    third = add(log, epochs=3)
    without = work(log, settings)
    assert kept.moments(third) == []
    weights = [load_file(settings.home / row["model"] / WEIGHTS) for row in (alone, resumed, without)]
    for name, array in weights[0].items():
        assert all(np.array_equal(array, other[name]) for other in weights[1:])
    for moment in kept.moments(first):
        size = sum(array.size for name, array in weights[0].items() if name[0].isdigit())
        assert np.array_equal(kept.vector(first, moment, size), kept.vector(second, moment, size))


@pytest.mark.usefixtures("uncalibrated")
def test_the_oldest_go_where_all_are_too_many_and_unknown_runs_are_tidied(log, settings, kept, monkeypatch):
    first, second = add(log, epochs=1), add(log, epochs=1)
    work(log, settings)
    assert kept.moments(first)
    monkeypatch.setattr(module, "MOST_BYTES_OF_ALL", MOST_BYTES)
    work(log, settings)
    assert kept.moments(first) == []
    assert kept.moments(second)
    kept.tidy(lambda: [first])
    assert kept.moments(second) == []


def test_a_damaged_file_is_refused(kept, settings, log):
    folder = settings.home / "trajectories" / log.id / "3"
    folder.mkdir(parents=True)
    for name in ("0.0.9.npy", "1.0.9.npy", "2.0.9.npy", "no.npy"):
        (folder / name).write_bytes(b"what is this")
    np.save(folder / "1.0.9.npy", np.zeros(4, np.float16))
    np.save(folder / "2.0.9.npy", np.full(5, np.nan, np.float16))
    assert kept.moments(3) == [Moment(0, 0, 9), Moment(1, 0, 9), Moment(2, 0, 9)]
    for moment in kept.moments(3):
        with pytest.raises(NoTrajectoryError, match="missing or damaged"):
            kept.vector(3, moment, 5)


@pytest.mark.one_worker
@pytest.mark.usefixtures("uncalibrated")
def test_where_several_processes_train_each_moment_has_its_own_weights_and_none_is_changed(
    log, settings, kept, monkeypatch
):
    if cores_per_worker(settings.workers) < 2 or not can_share():
        pytest.skip("needs two processors")
    first = add(log, batch_size=500)
    row = work(log, settings)
    started = next(event["data"] for event in log.events(first) if event["type"] == "started")
    assert started["compute"]["processes"] > 1
    moments = kept.moments(first)
    numbers = started["parameters"]
    vectors = [kept.vector(first, moment, numbers) for moment in moments]
    assert len({vector.tobytes() for vector in vectors}) == len(moments) >= 12
    lengths = [np.linalg.norm(vector - vectors[0]) for vector in vectors]
    assert lengths[0] < lengths[1] < lengths[-1]  # away from where it began
    monkeypatch.setattr(module, "moments_of", lambda *_: frozenset())
    add(log, batch_size=500)
    without = work(log, settings)
    weights = [load_file(settings.home / one["model"] / WEIGHTS) for one in (row, without)]
    assert all(np.array_equal(array, weights[1][name]) for name, array in weights[0].items())
