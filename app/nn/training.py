"""Training: batches, epochs, and the metrics of each."""

import math
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from app.nn.arrays import Array
from app.nn.evaluation import Evaluation, check_loss, check_samples, evaluate
from app.nn.losses import CrossEntropy, Loss
from app.nn.network import Network
from app.nn.optimizers import Optimizer
from app.nn.parallel import Share, Team
from app.nn.schedules import Constant, Schedule
from app.nn.spec import number, whole

SHARED_WORK = 300_000_000
"""Samples a batch times parameters from which on threads gain more than they cost each other.

Measured on two cores, threads that share the batch against a BLAS of two threads: 1.11 times as fast at 5.4e8, and 0.88
at 0.8e8, where the threads wait for Python's lock.
"""

_SHUFFLE, _LAYERS = 1, 2
"""Purposes in `default_rng([seed, epoch, purpose])`; 0 is the first values of the weights."""


class Diverged(ArithmeticError):
    """The loss is no longer a finite number."""

    def __init__(self, epoch: int, batch: int) -> None:
        super().__init__(
            f"the loss was no longer finite in epoch {epoch}, batch {batch}; a smaller learning rate may help"
        )
        self.epoch, self.batch = epoch, batch


@dataclass(frozen=True)
class EpochMetrics:
    """What one epoch came to. Epoch 0 is the state before training.

    Unless the training set is evaluated anew, `train_loss` and `train_accuracy` are means over the epoch's batches
    while the network changed, with dropout at work, as Keras prints them. `seconds` and `samples_per_second` are of
    the training steps alone, without any evaluation.
    """

    epoch: int
    epochs: int
    train_loss: float
    train_accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    seconds: float
    samples_per_second: float


class BatchDone(NamedTuple):
    """How far an epoch is: `batch` of `batches` done (from 1), and the mean loss of that batch."""

    epoch: int
    batch: int
    batches: int
    loss: float


@dataclass(frozen=True)
class Options:
    """How to train. `batch_size` 1 is online learning, the size of the set is full batch.

    `input_scale` divides the inputs (255 for pixels in bytes). `weight_decay` is L2: λ/2 Σw² added to the loss (not
    to the loss that is reported), for weights, not biases. With `evaluate_training_set` the training set's loss and
    accuracy are measured after each epoch, and epoch 0 reports them before training.
    """

    batch_size: int = 32
    epochs: int = 1
    shuffle: bool = True
    seed: int = 0
    input_scale: float = 1.0
    weight_decay: float = 0.0
    evaluate_training_set: bool = False

    def __post_init__(self) -> None:
        whole("batch_size", self.batch_size, low=1)
        whole("epochs", self.epochs, low=1)
        whole("seed", self.seed, low=0)
        number("input_scale", self.input_scale, above=0)
        number("weight_decay", self.weight_decay, low=0)


class Trainer:
    """Trains `network` on inputs `x` (N, *input_shape), of any real dtype, and targets `t`.

    Targets are integer labels (N,), or float values (N, K). Raises ValueError where the arrays do not fit.

    With `threads` > 1 each batch is shared out among so many threads, where it is large enough to gain by it:
    `self.threads` is how many there are. Results depend on their number in the last digits, and on nothing else of it.
    """

    def __init__(
        self,
        network: Network,
        x: Array,
        t: Array,
        *,
        loss: Loss | None = None,
        optimizer: Optimizer,
        schedule: Schedule | None = None,
        validation: tuple[Array, Array] | None = None,
        options: Options | None = None,
        threads: int = 1,
    ) -> None:
        self.network, self.optimizer = network, optimizer
        self.loss = loss or CrossEntropy()
        check_loss(network, self.loss)
        self.schedule = schedule or Constant()
        self.options = options or Options()
        self.x, self.t = check_samples(network, x, t, "training")
        self.validation = None if validation is None else check_samples(network, *validation, "validation")
        self.batch_size = min(self.options.batch_size, len(x))
        self.batches = math.ceil(len(x) / self.batch_size)
        worth = self.batch_size * network.params.size >= SHARED_WORK
        self.threads = threads if worth and self.batch_size >= threads else 1

    def run(self, first_epoch: int = 1) -> Iterator[BatchDone | EpochMetrics]:
        """Train, yielding after every batch and, after an epoch's last batch, its metrics.

        `first_epoch` > 1 goes on after a training that reached the epoch before it. Raises Diverged.
        """
        options = self.options
        if options.evaluate_training_set and first_epoch == 1:
            yield self._measure(0, None, 0.0)
        shares = self._shares()
        with Team(self.threads) as team:
            for epoch in range(first_epoch, options.epochs + 1):
                seconds, total, correct = 0.0, 0.0, 0
                started = time.perf_counter()
                order = self._begin_epoch(epoch, shares)
                for batch in range(self.batches):
                    loss, size = self._step(team, shares, order, epoch, batch)
                    total += loss * size
                    correct += sum(share.correct for share in shares)
                    seconds += time.perf_counter() - started
                    yield BatchDone(epoch, batch + 1, self.batches, loss)
                    started = time.perf_counter()
                accuracy = correct / len(self.x) if self.t.ndim == 1 else None
                yield self._measure(epoch, Evaluation(total / len(self.x), accuracy), seconds)

    def evaluate(self, x: Array, t: Array) -> Evaluation:
        """Loss and accuracy on `x` and `t` as the network is now; raises ValueError where they do not fit."""
        return evaluate(self.network, x, t, loss=self.loss, input_scale=self.options.input_scale)

    def _shares(self) -> list[Share]:
        rows = math.ceil(self.batch_size / self.threads)
        networks = [self.network, *(self.network.replica() for _ in range(self.threads - 1))]
        scale = self.options.input_scale
        return [
            Share(network, deepcopy(self.loss), self.x, self.t, rows=rows, input_scale=scale) for network in networks
        ]

    def _begin_epoch(self, epoch: int, shares: list[Share]) -> Array | None:
        """Hand out the epoch's randomness; return the order of its samples, or None for that of the set."""
        seed = self.options.seed
        for number_, share in enumerate(shares):
            share.network.begin_epoch(np.random.default_rng([seed, epoch, _LAYERS, number_]))
        return np.random.default_rng([seed, epoch, _SHUFFLE]).permutation(len(self.x)) if self.options.shuffle else None

    def _step(self, team: Team, shares: list[Share], order: Array | None, epoch: int, batch: int) -> tuple[float, int]:
        """Learn from one batch (from 0); return its mean loss and its size."""
        first = batch * self.batch_size
        size = min(self.batch_size, len(self.x) - first)
        parts = _parts(size, self.threads)
        team.run(
            [
                partial(share.learn, order, first + part.start, first + part.stop, size)
                for share, part in zip(shares, parts, strict=True)
            ]
        )
        loss = sum(share.value for share in shares)
        if not math.isfinite(loss):
            raise Diverged(epoch, batch + 1)
        progress = ((epoch - 1) * self.batches + batch) / (self.options.epochs * self.batches)
        scale = self.schedule.factor(progress)
        params = self.network.params
        self.optimizer.begin_step(params)
        team.run([partial(self._update, shares, part, scale) for part in _parts(len(params), self.threads)])
        return loss, size

    def _update(self, shares: list[Share], part: slice, scale: float) -> None:
        """Bring together the gradients of all shares for one part of the parameters, and change that part."""
        network, decay = self.network, self.options.weight_decay
        grads = network.grads[part]
        for share in shares[1:]:
            grads += share.network.grads[part]
        decayed = min(part.stop, network.decayed) - part.start
        if decay and decayed > 0:
            grads[:decayed] += network.dtype.type(decay) * network.params[part][:decayed]
        self.optimizer.apply(network.params, network.grads, part, scale=scale)

    def _measure(self, epoch: int, trained: Evaluation | None, seconds: float) -> EpochMetrics:
        options = self.options
        if trained is None or options.evaluate_training_set:
            trained = self.evaluate(self.x, self.t)
        val = None if self.validation is None else self.evaluate(*self.validation)
        progress = max(epoch * self.batches - 1, 0) / (options.epochs * self.batches)
        if not math.isfinite(trained.loss) or (val is not None and not math.isfinite(val.loss)):
            raise Diverged(epoch, self.batches)
        return EpochMetrics(
            epoch=epoch,
            epochs=options.epochs,
            train_loss=trained.loss,
            train_accuracy=trained.accuracy,
            val_loss=None if val is None else val.loss,
            val_accuracy=None if val is None else val.accuracy,
            learning_rate=self.optimizer.learning_rate * self.schedule.factor(progress),
            seconds=seconds,
            samples_per_second=len(self.x) / seconds if seconds else 0.0,
        )


def fit(
    network: Network,
    x: Array,
    t: Array,
    *,
    loss: Loss | None = None,
    optimizer: Optimizer,
    schedule: Schedule | None = None,
    validation: tuple[Array, Array] | None = None,
    options: Options | None = None,
    threads: int = 1,
) -> Iterator[EpochMetrics]:
    """Train `network` and yield the metrics of every epoch; the arguments are `Trainer`'s."""
    trainer = Trainer(
        network,
        x,
        t,
        loss=loss,
        optimizer=optimizer,
        schedule=schedule,
        validation=validation,
        options=options,
        threads=threads,
    )
    return (metrics for metrics in trainer.run() if isinstance(metrics, EpochMetrics))


def _parts(length: int, count: int) -> list[slice]:
    """`count` slices that cover `length`, of nearly one size."""
    cuts = [length * part // count for part in range(count + 1)]
    return [slice(*ends) for ends in pairwise(cuts)]
