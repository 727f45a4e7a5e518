"""The plane of a race: measured in a process of its own when all runs have ended, and kept."""

import numpy as np
import pytest

from app.data import DatasetCatalog
from app.data.cache import DatasetCache
from app.models.cost import TooLargeError
from app.models.evaluation import StoppedError
from app.nn import LOSSES, build
from app.runs.config.run_config import parse_config, request_config
from app.runs.config.sweep import race_configs
from app.runs.trajectory import race_plane
from app.runs.trajectory.loss_plane import measure_plane
from app.runs.trajectory.race_plane import NoPlaneError, RacePlanes
from app.runs.trajectory.trajectories import NoTrajectoryError, Trajectories, vector_of
from tests.support.runs import TINY, work

pytestmark = pytest.mark.usefixtures("uncalibrated")


@pytest.fixture
def kept(log, settings):
    return Trajectories(settings.home, log.id)


@pytest.fixture
def planes(log, settings, kept, monkeypatch):
    monkeypatch.setattr(race_plane, "SIDES", (5,))
    catalog = DatasetCatalog.from_settings(settings)
    return RacePlanes(log, kept, catalog, DatasetCache(catalog), settings.home / "planes")


def race(log, vary="optimizer", values=("sgd", "adam")):
    base = request_config({"recipe": "quick", "overrides": TINY})
    ids = log.add_race(race_configs(base, vary, list(values)), lambda first: [f"race {first}"])
    return ids[0]


def done(log, settings, **more):
    first = race(log, **more)
    while log.waiting():
        work(log, settings)
    return first


def test_the_runs_of_a_race_start_at_one_place_and_the_plane_is_as_measured_here(log, settings, planes, kept):
    first = race(log)
    with pytest.raises(NoPlaneError, match="when all of its runs have ended"):
        planes.get(first)
    while log.waiting():
        work(log, settings)
    found = planes.get(first)
    assert [run for run, _ in found.runs] == [first, first + 1]
    config = parse_config(log.run(first)["config"])
    network = config.build_network()
    numbers = vector_of(network).size
    vectors = np.stack([kept.vector(run, moment, numbers) for run, moments in found.runs for moment in moments])
    starts = [found.plane.points[0], found.plane.points[len(found.runs[0][1])]]
    np.testing.assert_allclose(*starts, atol=1e-6)
    train = DatasetCatalog.from_settings(settings).load("strokes").train
    rows = [np.flatnonzero(train.labels == label) for label in range(10)]
    rows = np.concatenate([one[np.linspace(0, len(one) - 1, 100).astype(int)] for one in rows])
    here = measure_plane(
        network,
        vectors,
        train.images[rows],
        train.labels[rows],
        loss=build("loss", LOSSES, config.loss),
        input_scale=config.input_scale,
        side=5,
    )
    assert found.images == 1000
    for name, array in here.arrays().items():
        np.testing.assert_allclose(found.plane.arrays()[name], array, rtol=1e-4, atol=1e-6)
    assert found.plane.measured[-1] < found.plane.measured[0]


def test_it_is_measured_once_and_again_where_the_file_is_damaged(log, settings, planes, monkeypatch):
    first = done(log, settings)
    found = planes.get(first)
    (file,) = (settings.home / "planes" / "loss-planes").iterdir()
    measure = race_plane.compute_apart
    monkeypatch.setattr(race_plane, "compute_apart", lambda *_: pytest.fail("it was measured again"))
    np.testing.assert_array_equal(planes.get(first).plane.losses, found.plane.losses)
    file.write_bytes(b"no plane")
    monkeypatch.setattr(race_plane, "compute_apart", measure)
    np.testing.assert_array_equal(planes.get(first).plane.losses, found.plane.losses)


def test_who_leaves_ends_the_measurement(log, settings, planes):
    first = done(log, settings)
    with pytest.raises(StoppedError):
        planes.get(first, lambda: True)


def test_runs_without_a_common_plane_are_refused(log, settings, planes, kept, monkeypatch):
    with pytest.raises(NoPlaneError, match="there is no race 99"):
        planes.get(99)
    sizes = done(log, settings, vary="network.layers.0.units", values=(4, 8))
    with pytest.raises(NoPlaneError, match="different networks"):
        planes.get(sizes)
    losses = done(
        log, settings, vary="loss", values=("cross_entropy", {"type": "cross_entropy", "label_smoothing": 0.1})
    )
    with pytest.raises(NoPlaneError, match="different data or losses"):
        planes.get(losses)
    drawn = done(log, settings, vary="initializer", values=("he", "xavier"))
    assert len(planes.get(drawn).runs) == 2  # other first weights of one network
    moment = kept.moments(drawn)[1]
    folder = settings.home / "trajectories" / log.id / str(drawn)
    (folder / f"{moment.epoch}.{moment.batch}.{moment.batches}.npy").write_bytes(b"")
    (file,) = (settings.home / "planes" / "loss-planes").iterdir()
    file.unlink()
    with pytest.raises(NoTrajectoryError, match="missing or damaged"):
        planes.get(drawn)
    monkeypatch.setattr(race_plane, "MOST_WORK", 1000)
    with pytest.raises(TooLargeError, match="too large to measure"):
        planes.get(drawn)
    kept.forget(drawn)
    kept.forget(drawn + 1)
    with pytest.raises(NoPlaneError, match="were not kept"):
        planes.get(drawn)
