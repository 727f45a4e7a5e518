"""The map of a run: its test images at every kept moment, in the plane of the last one."""

import numpy as np
import pytest

from app.data import Dataset, Split
from app.data.dataset import DatasetUnavailable
from app.models.cost import TooLargeError
from app.nn import SGD, Network, Trainer, TrainingOptions
from app.runs.trajectory import run_map
from app.runs.trajectory.run_map import NoHiddenLayerError, map_run
from app.runs.trajectory.trajectories import NoTrajectoryError, Trajectories

LABELS = ("a", "b", "c")
RNG = np.random.default_rng(6)
TRUTH = np.repeat(np.arange(3), 40)
IMAGES = np.clip(RNG.integers(0, 90, (120, 28, 28)) + 60 * TRUTH[:, None, None], 0, 255).astype(np.uint8)
SET = Dataset("shapes", "Shapes", LABELS, Split(IMAGES, TRUTH), Split(IMAGES, TRUTH))


def build(*hidden):
    layers = [
        {"type": "flatten"},
        *[part for units in hidden for part in ({"type": "dense", "units": units}, {"type": "tanh"})],
    ]
    network = Network.from_spec({"layers": [*layers, {"type": "dense", "units": 3}]}, input_shape=(28, 28))
    network.initialize(3)
    return network


@pytest.fixture
def trained(tmp_path):
    """Trajectories in which run 1 is a small training, and copies of its network at each moment."""
    kept, network, copies = Trajectories(tmp_path, "log"), build(6), []
    options = TrainingOptions(batch_size=10, epochs=2, input_scale=255)
    trainer = Trainer(network, IMAGES, TRUTH, optimizer=SGD(0.1), options=options)
    writer = kept.writer(1, trainer)
    writer.offer(0, 0)
    for step in trainer.run():
        writer.offer(*((step.epoch - 1, step.batch) if hasattr(step, "batch") else (step.epoch, 0)))
    for moment in kept.moments(1):
        copies.append(build(6))
        kept.load(1, moment, copies[-1])
    return kept, copies


def of(kept, network=None, run=1, sets=(SET,)):
    return map_run(kept, run, network or build(6), labels=list(LABELS), sets=list(sets), input_scale=255.0)


def test_places_are_numpys_projections_onto_the_principal_directions_of_the_last_moment(trained):
    kept, copies = trained
    found = of(kept)
    assert [one.moment for one in found.moments] == kept.moments(1)
    assert len(found.moments) == 11
    inputs = (found.sample.images / 255).astype(np.float32)
    features = [copy.infer(inputs).features.astype(np.float64) for copy in copies]
    centred = [one - one.mean(axis=0) for one in features]
    _, singular, right = np.linalg.svd(centred[-1], full_matrices=False)
    places = [one @ right[:2].T for one in centred]
    places = [one / max(np.abs(place).max() for place in places) for one in places]
    for axis in range(2):
        sign = np.sign(np.vdot(places[-1][:, axis], found.moments[-1].points[:, axis]))
        for one, expected in zip(found.moments, places, strict=True):
            np.testing.assert_allclose(one.points[:, axis], sign * expected[:, axis], atol=2e-3)
    assert found.moments[-1].variance == pytest.approx(tuple((singular**2 / (singular**2).sum())[:2]), rel=1e-3)
    for one, copy in zip(found.moments, copies, strict=True):
        np.testing.assert_array_equal(one.said, copy.infer(inputs).logits.argmax(axis=1))
        assert 0 < sum(one.variance) <= 1 + 1e-9


def test_a_network_without_a_hidden_layer_and_a_run_of_which_nothing_is_kept_are_refused(trained, monkeypatch):
    kept, _ = trained
    with pytest.raises(NoHiddenLayerError, match="no hidden layer"):
        of(kept, build())
    with pytest.raises(NoTrajectoryError, match="were not kept"):
        of(kept, run=2)
    with pytest.raises(NoTrajectoryError, match="missing or damaged"):
        of(kept, build(7))
    few = Split(IMAGES[::10], TRUTH[::10])
    with pytest.raises(DatasetUnavailable, match="at least 20 test images for a map; Shapes has 12"):
        of(kept, sets=[Dataset("shapes", "Shapes", LABELS, few, few)])
    monkeypatch.setattr(run_map, "affordable_images", lambda *_: 100)
    with pytest.raises(TooLargeError, match="too large for a map"):
        of(kept)


def test_a_network_of_one_hidden_unit_and_two_hundred_labels_have_a_map(tmp_path):
    labels = tuple(map(str, range(200)))
    truth = np.repeat(np.arange(200), 4)
    split = Split(RNG.integers(0, 256, (800, 28, 28), dtype=np.uint8), truth)
    layers = [{"type": "dense", "units": 1}, {"type": "dense", "units": 200}]
    network = Network.from_spec({"layers": layers}, input_shape=(28, 28))
    network.initialize(1)
    options = TrainingOptions(batch_size=400, epochs=1, input_scale=255)
    trainer = Trainer(network, split.images, truth, optimizer=SGD(0.01), options=options)
    kept = Trajectories(tmp_path, "log")
    writer = kept.writer(1, trainer)
    writer.offer(0, 0)
    for _ in trainer.run():
        pass
    writer.offer(1, 0)
    found = map_run(
        kept, 1, network, labels=list(labels), sets=[Dataset("many", "Many", labels, split, split)], input_scale=255.0
    )
    assert len(found.sample) == 600
    assert set(found.sample.labels.tolist()) == set(range(200))
    assert all(not one.points[:, 1].any() for one in found.moments)
