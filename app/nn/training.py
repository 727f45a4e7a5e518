"""Training: batches, epochs, and the metrics of each."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.nn.arrays import Array
from app.nn.crew import Crew, is_possible
from app.nn.early_stopping import EarlyStopping
from app.nn.evaluation import Evaluation, check_loss, check_samples, evaluate
from app.nn.layers import Layer
from app.nn.losses import LOSSES, CrossEntropy, Loss
from app.nn.network import LAYERS, Network
from app.nn.optimizers import OPTIMIZERS, Optimizer
from app.nn.parallel import Member, Memory, Rules
from app.nn.schedules import Constant, Schedule
from app.nn.spec import number, whole

SHARE = 8
"""Samples of a batch that a process should have at least."""

SHARED_WORK = 2_000_000
"""Samples a batch times parameters from which on processes that share a batch gain more than their meetings cost."""

_SHUFFLE = 1
"""A purpose in `default_rng([seed, epoch, purpose])`; 0 is the first values of the weights, 2 the layers' own."""


class Diverged(ArithmeticError):
    """The loss or the weights are no longer finite numbers."""

    def __init__(self, epoch: int, batch: int) -> None:
        super().__init__(
            f"the loss or the weights were no longer finite in epoch {epoch}, batch {batch}; "
            "a smaller learning rate may help"
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
    to the loss that is reported), for weights, not biases. `clip_norm` is the greatest length of a batch's gradient, a
    longer one is shortened to it. After `patience` epochs without a smaller validation loss the training ends, and the
    network gets the best epoch's weights. With `evaluate_training_set` the training set's loss and
    accuracy are measured after each epoch, and epoch 0 reports them before training.
    """

    batch_size: int = 32
    epochs: int = 1
    shuffle: bool = True
    seed: int = 0
    input_scale: float = 1.0
    weight_decay: float = 0.0
    clip_norm: float | None = None
    patience: int | None = None
    evaluate_training_set: bool = False

    def __post_init__(self) -> None:
        whole("batch_size", self.batch_size, low=1)
        whole("epochs", self.epochs, low=1)
        whole("seed", self.seed, low=0)
        number("input_scale", self.input_scale, above=0)
        number("weight_decay", self.weight_decay, low=0)
        if self.clip_norm is not None:
            number("clip_norm", self.clip_norm, above=0)
        if self.patience is not None:
            whole("patience", self.patience, low=1)


class Trainer:
    """Trains `network` on inputs `x` (N, *input_shape), of any real dtype, and targets `t`.

    Targets are integer labels (N,), or float values (N, K). Raises ValueError where the arrays do not fit.

    With `processes` > 1 each batch is shared out among so many processes, where the system can and it is large enough
    to gain by it: `self.processes` is how many there will be. Results depend on their number in the last digits, and
    not from run to run. The network then has its new parameters at the end of every epoch. BLAS should be kept to the
    processors that are left to each process; layers, losses and optimizers of one's own are trained by one process.
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
        processes: int = 1,
    ) -> None:
        self.network, self.optimizer = network, optimizer
        self.loss = loss or CrossEntropy()
        check_loss(network, self.loss)
        self.schedule = schedule or Constant()
        self.options = options or Options()
        self._samples: tuple[Array, Array] | None = check_samples(network, x, t, "training")
        self.samples, self._labelled = len(x), t.ndim == 1
        self.validation = None if validation is None else check_samples(network, *validation, "validation")
        self.batch_size = min(self.options.batch_size, len(x))
        self.batches = math.ceil(len(x) / self.batch_size)
        processes = min(whole("processes", processes, low=1), self.batch_size // SHARE)
        self.processes = processes if self._gains(processes) else 1
        optimizer.decayed = network.decayed
        self.stopping: EarlyStopping | None = None
        if self.options.patience is not None:
            if self.validation is None:
                raise ValueError("patience: expected a validation set to watch; got none")
            self.stopping = EarlyStopping(self.options.patience)

    def run(self, first_epoch: int = 1) -> Iterator[BatchDone | EpochMetrics]:
        """Train, yielding after every batch and, after an epoch's last batch, its metrics; to be called once.

        `first_epoch` > 1 goes on after a training that reached the epoch before it. Raises Diverged, and CrewLostError
        where one of several processes died.
        """
        options = self.options
        whole("first_epoch", first_epoch, low=1)
        with self._team() as team:
            if options.evaluate_training_set and first_epoch == 1:
                yield self._measure(team, 0, None, 0.0)
            for epoch in range(first_epoch, options.epochs + 1):
                seconds, total, correct = 0.0, 0.0, 0
                started = time.perf_counter()
                self._begin_epoch(team, epoch)
                for batch in range(self.batches):
                    loss, size = self._step(team, epoch, batch)
                    total += loss * size
                    correct += int(team.memory.results[:, 1].sum())
                    seconds += time.perf_counter() - started
                    yield BatchDone(epoch, batch + 1, self.batches, loss)
                    started = time.perf_counter()
                team.publish()
                accuracy = correct / self.samples if self._labelled else None
                metrics = self._measure(team, epoch, Evaluation(total / self.samples, accuracy), seconds)
                yield metrics
                if self._is_over(metrics):
                    break
        if self.stopping is not None:
            self.stopping.restore(self.network)

    def evaluate(self, x: Array, t: Array) -> Evaluation:
        """Loss and accuracy on `x` and `t` as the network is now; raises ValueError where they do not fit."""
        return evaluate(self.network, x, t, loss=self.loss, input_scale=self.options.input_scale)

    def _is_over(self, metrics: EpochMetrics) -> bool:
        if self.stopping is None or metrics.val_loss is None:
            return False
        return self.stopping.is_over(metrics.epoch, metrics.val_loss, self.network)

    def _gains(self, processes: int) -> bool:
        return (
            processes > 1
            and is_possible()
            and self.batch_size * self.network.params.size >= SHARED_WORK
            and not any(layer.mixes_samples for layer in self.network.layers)
            and all(_is_known(LAYERS, layer) for layer in self.network.layers)
            and _is_known(OPTIMIZERS, self.optimizer)
            and _is_known(LOSSES, self.loss)
        )

    def _team(self) -> Crew | Member:
        if self._samples is None:
            raise RuntimeError("this training has run; make another Trainer")
        (x, t), self._samples = self._samples, None  # a crew has a copy: the caller may let go of the samples
        options = self.options
        rules = Rules(options.seed, options.input_scale, options.weight_decay, options.clip_norm)
        if self.processes == 1:
            memory = Memory(x, t, np.empty(len(x), np.int64), self.network.params, [self.network.grads])
            return Member(self.network, self.optimizer, self.loss, memory, rules, batch_size=self.batch_size)
        count = self.processes
        return Crew(self.network, self.optimizer, self.loss, x, t, rules, batch_size=self.batch_size, count=count)

    def _begin_epoch(self, team: Crew | Member, epoch: int) -> None:
        if self.options.shuffle:
            rng = np.random.default_rng([self.options.seed, epoch, _SHUFFLE])
            team.memory.order[:] = rng.permutation(self.samples)
        team.begin_epoch(epoch)

    def _step(self, team: Crew | Member, epoch: int, batch: int) -> tuple[float, int]:
        """Learn from one batch (from 0); return its mean loss and its size."""
        start = batch * self.batch_size
        size = min(self.batch_size, self.samples - start)
        progress = ((epoch - 1) * self.batches + batch) / (self.options.epochs * self.batches)
        team.step(start, size, shuffled=self.options.shuffle, scale=self.schedule.factor(progress))
        loss = float(team.memory.results[:, 0].sum())
        if not math.isfinite(loss):
            raise Diverged(epoch, batch + 1)
        return loss, size

    def _measure(self, team: Crew | Member, epoch: int, trained: Evaluation | None, seconds: float) -> EpochMetrics:
        options = self.options
        if trained is None or options.evaluate_training_set:
            scale = self.options.input_scale
            trained = evaluate(team.network, team.memory.x, team.memory.t, loss=self.loss, input_scale=scale)
        val = None if self.validation is None else self.evaluate(*self.validation)
        progress = max(epoch * self.batches - 1, 0) / (options.epochs * self.batches)
        if not all(np.isfinite(array).all() for array in self.network.weights().values()):
            raise Diverged(epoch, self.batches)
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
            samples_per_second=self.samples / seconds if seconds else 0.0,
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
    processes: int = 1,
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
        processes=processes,
    )
    return (metrics for metrics in trainer.run() if isinstance(metrics, EpochMetrics))


def _is_known(registry: Mapping[str, type], part: Layer | Loss | Optimizer) -> bool:
    """Whether another process can make the like of `part` from its spec."""
    return registry.get(part.type) is type(part)
