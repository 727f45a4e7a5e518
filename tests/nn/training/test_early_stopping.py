"""Early stopping: when it ends, and with which weights."""

import numpy as np
import pytest

from app.nn import Adam, EpochMetrics, Network, Options, Trainer, evaluate
from app.nn.losses import CrossEntropy
from app.nn.training.early_stopping import EarlyStopping

RNG = np.random.default_rng(2)
X, T = RNG.random((40, 5)), RNG.integers(0, 3, 40)


def network():
    built = Network.from_spec({"layers": [{"type": "dense", "units": 3}]}, input_shape=(5,), dtype="float64")
    built.initialize(1)
    return built


@pytest.mark.parametrize(
    ("losses", "patience", "ends", "best"),
    [
        ([3, 2, 1, 2, 2, 2], 2, 5, 3),
        ([3, 2, 1, 2, 0.5, 2, 2], 2, 7, 5),
        ([1, 1, 1], 1, 2, 1),
        ([1, float("nan"), 2, 3], 2, 3, 1),
    ],
)
def test_it_ends_after_so_many_epochs_without_a_smaller_loss_and_gives_the_best_weights_back(
    losses, patience, ends, best
):
    net, stopping = network(), EarlyStopping(patience)
    for epoch, loss in enumerate(losses, 1):
        net.params[:] = epoch
        stopping.see(epoch, loss, net)
        if stopping.is_over:
            break
    assert (epoch, stopping.best_epoch) == (ends, best)
    stopping.restore(net)
    assert np.all(net.params == best)


def test_nothing_is_restored_where_nothing_was_seen():
    net = network()
    before = net.params.copy()
    EarlyStopping(1).restore(net)
    assert np.array_equal(net.params, before)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_training_that_overfits_ends_early_with_its_best_weights(processes, monkeypatch):
    monkeypatch.setattr("app.nn.training.trainer.SHARED_WORK", 0)
    net, other = network(), np.random.default_rng(9)
    validation = other.random((40, 5)), other.integers(0, 3, 40)
    options = Options(batch_size=40, epochs=1000, patience=3)
    trainer = Trainer(net, X, T, optimizer=Adam(0.1), validation=validation, options=options, processes=processes)
    epochs = [step for step in trainer.run() if isinstance(step, EpochMetrics)]
    losses = [epoch.val_loss for epoch in epochs]
    assert len(epochs) == int(np.argmin(losses)) + 1 + 3 < 1000
    assert trainer.stopping.best_epoch == int(np.argmin(losses)) + 1
    assert evaluate(net, *validation, loss=CrossEntropy()).loss == min(losses)


def test_patience_needs_something_to_watch():
    with pytest.raises(ValueError, match="patience: expected a validation set"):
        Trainer(network(), X, T, optimizer=Adam(), options=Options(patience=3))
    for patience in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="patience: expected a whole number"):
            Options(patience=patience)
