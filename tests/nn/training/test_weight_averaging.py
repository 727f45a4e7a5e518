"""The mean of the last epochs' weights, and inputs that are others in each epoch: also broken off and taken up."""

import json
from dataclasses import replace

import numpy as np
import pytest

from app.nn import Adam, EpochMetrics, Network, Snapshot, Trainer, TrainingOptions
from app.nn.training.pool import can_share

RNG = np.random.default_rng(5)
X = RNG.integers(0, 256, (70, 6), dtype=np.uint8)
X[:, 1] = 0
T = (X[:, 0] > 127).astype(np.int64)
OPTIONS = TrainingOptions(input_scale=255, batch_size=32, epochs=4, seed=7)


@pytest.fixture(autouse=True)
def shared(monkeypatch):
    monkeypatch.setattr("app.nn.training.trainer.SHARED_WORK", 0)


def epoch_inputs(epoch):
    """Others in each epoch, also where `X` has none."""
    return np.random.default_rng([1, epoch]).integers(0, 256, X.shape, dtype=np.uint8)


def trainer(options=OPTIONS, processes=1, kind="dropout", inputs=None):
    middle = "batch_norm" if kind == "batch_norm" else {"type": "dropout", "rate": 0.3}
    layers = [{"type": "dense", "units": 8}, middle, "relu", {"type": "dense", "units": 2}]
    network = Network.from_spec({"layers": layers}, input_shape=(6,))
    network.initialize(1)
    return Trainer(network, X, T, optimizer=Adam(0.05), options=options, processes=processes, epoch_inputs=inputs)


def weights_of_epochs(made):
    """The weights after each epoch."""
    return [
        {name: array.copy() for name, array in made.network.weights().items()}
        for step in made.run()
        if isinstance(step, EpochMetrics)
    ]


@pytest.mark.parametrize(
    ("kind", "processes", "averaging"), [("dropout", 1, 2), ("batch_norm", 1, 3), ("dropout", 2, 9)]
)
def test_the_network_ends_with_the_mean_of_the_last_epochs(kind, processes, averaging):
    if processes > 1 and not can_share():
        pytest.skip("this system has no shared memory that a crew can use")
    made = trainer(replace(OPTIONS, averaging=averaging), processes, kind)
    after = weights_of_epochs(made)[-averaging:]
    for name, array in made.network.weights().items():
        np.testing.assert_allclose(array, np.mean([weights[name] for weights in after], axis=0), atol=1e-6)
    assert not np.array_equal(made.network.params, weights_of_epochs(trainer(kind=kind, processes=processes))[-1])


@pytest.mark.parametrize("stop", [1, 4, 9, 11, 14, 16])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_training_with_both_that_is_broken_off_ends_with_the_same_weights(processes, stop):
    if processes > 1 and not can_share():
        pytest.skip("this system has no shared memory that a crew can use")
    options = replace(OPTIONS, averaging=2)
    whole = trainer(options, processes, inputs=epoch_inputs)
    list(whole.run())
    first = trainer(options, processes, inputs=epoch_inputs)
    steps = first.run()
    for _ in range(stop):
        next(steps)
    snapshot = first.snapshot()
    steps.close()
    numbers = json.loads(json.dumps(snapshot.numbers()))
    second = trainer(options, processes, inputs=epoch_inputs)
    list(second.run(resume=Snapshot.of(numbers, snapshot.arrays)))
    np.testing.assert_array_equal(second.network.params, whole.network.params)


def test_a_longer_training_that_goes_on_after_a_shorter_averages_its_own_last_epochs():
    first = trainer(replace(OPTIONS, averaging=2))
    for _ in first.run():
        snapshot = first.snapshot()
    assert snapshot.averaged == 2
    longer = trainer(replace(OPTIONS, averaging=2, epochs=8))
    after = [longer.network.params.copy() for step in longer.run(resume=snapshot) if isinstance(step, EpochMetrics)]
    np.testing.assert_allclose(longer.network.params, np.mean(after[-2:], axis=0), atol=1e-6)


@pytest.mark.parametrize("processes", [1, 2])
def test_inputs_of_an_epoch_stand_in_for_the_samples_and_leave_them_as_they_are(processes):
    if processes > 1 and not can_share():
        pytest.skip("this system has no shared memory that a crew can use")
    before = X.copy()
    changing = trainer(processes=processes, inputs=epoch_inputs)
    list(changing.run())
    np.testing.assert_array_equal(X, before)
    same = trainer(processes=processes, inputs=lambda epoch: X)
    list(same.run())
    plain = trainer(processes=1)
    list(plain.run())
    assert not np.array_equal(changing.network.params, same.network.params)
    if processes == 1:
        np.testing.assert_array_equal(same.network.params, plain.network.params)


def test_inputs_that_do_not_fit_are_refused():
    for wrong in (X[:-1], X.astype(np.float32), X[:, :5]):
        with pytest.raises(ValueError, match="epoch_inputs: expected uint8 of the shape"):
            list(trainer(inputs=lambda epoch, wrong=wrong: wrong).run())


def test_patience_and_averaging_exclude_each_other():
    with pytest.raises(ValueError, match="averaging: expected null with patience"):
        TrainingOptions(averaging=2, patience=2)
    with pytest.raises(ValueError, match="averaging"):
        TrainingOptions(averaging=0)
