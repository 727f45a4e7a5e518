"""Targets of each batch's own, which are learned in the place of the labels: another network's opinion, say."""

import json
from dataclasses import replace

import numpy as np
import pytest

from app.nn import Adam, EpochMetrics, Network, Options, Snapshot, Trainer, evaluate
from app.nn.training.pool import is_possible

RNG = np.random.default_rng(5)
X = RNG.integers(0, 256, (70, 6), dtype=np.uint8)
X[:, 1] = 0
T = (X[:, 0] > 127).astype(np.int64)
ONE_HOT = np.eye(2, dtype=np.float32)[T]
OPTIONS = Options(input_scale=255, batch_size=32, epochs=4, seed=7)

each_number_of_processes = pytest.mark.parametrize(
    "processes",
    [1, pytest.param(2, marks=pytest.mark.skipif(not is_possible(), reason="a crew needs anonymous shared memory"))],
)


@pytest.fixture(autouse=True)
def shared(monkeypatch):
    monkeypatch.setattr("app.nn.training.trainer.SHARED_WORK", 0)


def trainer(targets=None, *, inputs=None, processes=1, options=OPTIONS):
    layers = [{"type": "dense", "units": 8}, {"type": "dropout", "rate": 0.3}, "relu", {"type": "dense", "units": 2}]
    network = Network.from_spec({"layers": layers}, input_shape=(6,))
    network.initialize(1)
    made = Trainer(
        network,
        X,
        T,
        optimizer=Adam(0.05),
        options=options,
        validation=(X, T),
        processes=processes,
        epoch_inputs=inputs,
        batch_targets=targets,
    )
    assert made.processes == processes
    return made


def epochs_of(made):
    return [step for step in made.run() if isinstance(step, EpochMetrics)]


def moving(epoch, rows, x):
    """Between the labels and an opinion, nearer to this in each epoch; it depends on the inputs."""
    opinion = np.stack([1 - x[:, 0] / 255, x[:, 0] / 255], axis=1)
    return ((1 - epoch / 8) * ONE_HOT[rows] + epoch / 8 * opinion).astype(np.float32)


@each_number_of_processes
def test_one_hot_targets_train_as_the_labels_do(processes):
    by_labels, by_targets = (
        trainer(processes=processes),
        trainer(lambda epoch, rows, x: ONE_HOT[rows], processes=processes),
    )
    expected, found = epochs_of(by_labels), epochs_of(by_targets)
    np.testing.assert_allclose(by_targets.network.params, by_labels.network.params, rtol=1e-3, atol=1e-4)
    for one, other in zip(expected, found, strict=True):
        assert other.train_accuracy == one.train_accuracy
        assert other.val_accuracy == pytest.approx(one.val_accuracy)
        assert other.train_loss == pytest.approx(one.train_loss, abs=1e-4)


@each_number_of_processes
def test_the_network_comes_to_say_what_the_targets_say_and_not_the_labels(processes):
    made = trainer(
        lambda epoch, rows, x: ONE_HOT[rows][:, ::-1], processes=processes, options=replace(OPTIONS, epochs=40)
    )
    last = epochs_of(made)[-1]
    assert last.train_accuracy > 0.9
    assert last.val_accuracy < 0.1  # which the labels say


@each_number_of_processes
@pytest.mark.parametrize("shuffle", [True, False])
def test_targets_are_asked_for_once_an_epoch_with_the_inputs_of_the_epoch(processes, shuffle):
    asked = []

    def inputs(epoch):
        return np.random.default_rng([1, epoch]).integers(0, 256, X.shape, dtype=np.uint8)

    def targets(epoch, rows, x):
        asked.append((epoch, rows.tolist()))
        np.testing.assert_array_equal(x, inputs(epoch)[rows])
        return ONE_HOT[rows]

    epochs_of(trainer(targets, inputs=inputs, processes=processes, options=replace(OPTIONS, shuffle=shuffle)))
    assert [(epoch, len(rows)) for epoch, rows in asked] == [(e, size) for e in range(1, 5) for size in (32, 32, 6)]
    for epoch in range(1, 5):
        seen = [row for one, rows in asked for row in rows if one == epoch]
        assert sorted(seen) == list(range(70))
        assert (seen == sorted(seen)) is not shuffle


@each_number_of_processes
@pytest.mark.parametrize("stop", [1, 4, 5, 9])
def test_a_training_that_is_broken_off_ends_with_the_same_weights(processes, stop):
    whole = trainer(moving, processes=processes)
    list(whole.run())
    first = trainer(moving, processes=processes)
    steps = first.run()
    for _ in range(stop):
        next(steps)
    snapshot = first.snapshot()
    steps.close()
    numbers = json.loads(json.dumps(snapshot.numbers()))
    second = trainer(moving, processes=processes)
    list(second.run(resume=Snapshot.of(numbers, snapshot.arrays)))
    np.testing.assert_array_equal(second.network.params, whole.network.params)


def test_the_training_set_is_measured_by_its_labels():
    made = trainer(moving, options=replace(OPTIONS, evaluate_training_set=True))
    measured = []
    for step in made.run():
        if isinstance(step, EpochMetrics):
            measured.append(step)
            assert step.train_accuracy == evaluate(made.network, X, T, loss=made.loss, input_scale=255).accuracy
    assert [step.epoch for step in measured] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (ONE_HOT[:31], "expected values of the shape (32, 2); got float32 (31, 2)"),
        (T[:32], "expected values of the shape (32, 2); got int64 (32,)"),
        (ONE_HOT[:32].astype(np.int64), "expected values of the shape (32, 2); got int64 (32, 2)"),
        ([[0.0, 1.0]] * 32, "expected values of the shape (32, 2); got list"),
        (np.full((32, 2), np.nan), "expected finite values"),
    ],
)
def test_targets_that_do_not_fit_are_refused(wrong, message):
    with pytest.raises(ValueError, match="batch_targets") as refused:
        list(trainer(lambda epoch, rows, x: wrong).run())
    assert message in str(refused.value)
