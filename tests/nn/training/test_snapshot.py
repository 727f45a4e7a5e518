"""A training goes on from a snapshot as if it had never stopped, bit for bit."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from app.nn import Adam, EpochMetrics, Momentum, Network, Snapshot, Trainer, TrainingOptions
from app.nn.training.pool import can_share
from app.nn.training.snapshot import RANDOM_WORDS, read_random, write_random

RNG = np.random.default_rng(5)
X = RNG.integers(0, 256, (70, 6), dtype=np.uint8)
X[:, [1, 4]] = 0
T = (X[:, 0] > 127).astype(np.int64)
VALIDATION = RNG.integers(0, 256, (20, 6), dtype=np.uint8), RNG.integers(0, 2, 20)
OPTIONS = TrainingOptions(input_scale=255, batch_size=32, epochs=3, seed=7)

TIMES = ("seconds", "samples_per_second")


@pytest.fixture(autouse=True)
def shared(monkeypatch):
    monkeypatch.setattr("app.nn.training.trainer.SHARED_WORK", 0)


def trainer(kind="dropout", processes=1, options=OPTIONS, optimizer=None):
    middle = "batch_norm" if kind == "batch_norm" else {"type": "dropout", "rate": 0.3}
    layers = [{"type": "dense", "units": 8}, middle, "relu", {"type": "dense", "units": 2}]
    network = Network.from_spec({"layers": layers}, input_shape=(6,), dtype="float32")
    network.initialize(1)
    return Trainer(
        network,
        X,
        T,
        optimizer=optimizer or Adam(0.05),
        validation=VALIDATION,
        options=options,
        processes=processes,
    )


def through_a_file(snapshot):
    """The snapshot as a file would give it back."""
    numbers = json.loads(json.dumps(snapshot.numbers()))
    return Snapshot.of(numbers, {name: array.copy() for name, array in snapshot.arrays.items()})


def metrics(steps):
    return [
        {key: value for key, value in asdict(step).items() if key not in TIMES}
        for step in steps
        if isinstance(step, EpochMetrics)
    ]


def run_in_two(make, stop):
    """The metrics and weights of a training that was broken off after `stop` steps and taken up by another."""
    first = make()
    steps, seen = first.run(), []
    for _ in range(stop):
        seen.append(next(steps))
    snapshot = through_a_file(first.snapshot())
    steps.close()
    second = make()
    seen.extend(second.run(resume=snapshot))
    return metrics(seen), second


@pytest.mark.parametrize(
    ("kind", "processes", "stop"),
    [
        *((kind, 1, stop) for kind in ("dropout", "batch_norm") for stop in range(1, 13)),
        *((kind, 2, stop) for kind in ("dropout", "batch_norm") for stop in (2, 4, 8, 9)),
    ],
)
def test_a_training_broken_off_anywhere_ends_with_the_same_weights_and_metrics(kind, processes, stop):
    if processes > 1 and not can_share():
        pytest.skip("this system has no shared memory that a crew can use")
    options = TrainingOptions(**{**asdict(OPTIONS), "evaluate_training_set": True})
    whole = trainer(kind, processes, options)
    expected = metrics(whole.run())
    seen, second = run_in_two(lambda: trainer(kind, processes, options), stop)
    assert seen == expected
    assert len(seen) == 4
    for name, array in whole.network.weights().items():
        assert np.array_equal(array, second.network.weights()[name]), name
    assert second.optimizer.steps == whole.optimizer.steps
    for slot, vector in whole.optimizer.state.items():
        assert np.array_equal(vector, second.optimizer.state[slot])
    assert (second.stopping.best_epoch, second.stopping.best_loss) == (
        whole.stopping.best_epoch,
        whole.stopping.best_loss,
    )


@pytest.mark.parametrize("stop", [5, 28, 29])
def test_patience_counts_on_after_a_break(stop):
    def make():
        return trainer(
            options=TrainingOptions(**{**asdict(OPTIONS), "epochs": 500, "patience": 4}), optimizer=Adam(0.01)
        )

    whole = make()
    expected = metrics(whole.run())
    assert 9 < len(expected) < 500
    seen, second = run_in_two(make, stop)
    assert seen == expected
    assert np.array_equal(whole.network.params, second.network.params)


def test_a_training_that_had_ended_by_patience_stays_ended():
    options = TrainingOptions(**{**asdict(OPTIONS), "epochs": 500, "patience": 1})
    first = trainer(options=options)
    for _ in first.run():
        snapshot = first.snapshot()
    assert list(trainer(options=options).run(resume=snapshot)) == []


def test_a_finished_training_goes_on_for_more_epochs_as_one_of_that_length():
    longer = TrainingOptions(**{**asdict(OPTIONS), "epochs": 5})
    whole = trainer(options=longer)
    expected = metrics(whole.run())[3:]
    first = trainer()
    for _ in first.run():
        snapshot = first.snapshot()
    second = trainer(options=longer)
    assert metrics(second.run(resume=snapshot)) == expected
    assert np.array_equal(whole.network.params, second.network.params)


@pytest.mark.skipif(not can_share(), reason="this system has no shared memory that a crew can use")
def test_another_number_of_processes_can_go_on_in_the_middle_of_an_epoch():
    first = trainer(processes=2)
    steps = first.run()
    next(steps)
    snapshot = first.snapshot()
    steps.close()
    second = trainer(processes=1)
    assert [m["epoch"] for m in metrics(second.run(resume=snapshot))] == [1, 2, 3]


def test_a_snapshot_of_another_network_or_optimizer_is_refused():
    first = trainer()
    steps = first.run()
    next(steps)
    snapshot = first.snapshot()
    steps.close()
    with pytest.raises(ValueError, match=r"state: expected the arrays"):
        next(trainer(optimizer=Momentum(0.1)).run(resume=snapshot))
    with pytest.raises(ValueError, match=r"expected optimizer\.mean with 90 numbers; got 74"):
        next(trainer("batch_norm").run(resume=snapshot))
    short = {**snapshot.arrays, "optimizer.mean": np.zeros(3, np.float32)}
    broken = Snapshot.of(snapshot.numbers(), short)
    with pytest.raises(ValueError, match=r"expected optimizer.mean with 74 numbers; got 3"):
        next(trainer().run(resume=broken))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": -1}, r"snapshot.epoch: expected a whole number ≥ 0; got -1"),
        ({"batch": 1.5}, r"snapshot.batch: expected a whole number"),
        ({"steps": True}, r"snapshot.steps"),
        ({"unknown": 1}, r"expected the numbers of a snapshot"),
        ({"batch": 4}, r"snapshot.batch: expected at most 3 batches; got 4"),
    ],
)
def test_numbers_that_are_no_snapshot_are_refused(changes, message):
    first = trainer()
    steps = first.run()
    next(steps)
    snapshot = first.snapshot()
    steps.close()
    with pytest.raises(ValueError, match=message):
        next(trainer().run(resume=Snapshot.of({**snapshot.numbers(), **changes}, snapshot.arrays)))


def test_a_snapshot_can_only_be_taken_of_a_training_that_runs():
    with pytest.raises(RuntimeError, match="while the training runs"):
        trainer().snapshot()


def test_a_generator_goes_on_where_another_was():
    first, second = np.random.default_rng([1, 2]), np.random.default_rng(3)
    first.random(3, dtype=np.float32)
    words = np.zeros(RANDOM_WORDS, np.uint64)
    write_random(first, words)
    read_random(second, words)
    assert np.array_equal(first.random(9, dtype=np.float32), second.random(9, dtype=np.float32))
