"""Training: batches, epochs, and the metrics of each."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from app.nn.arrays import Array
from app.nn.errors import Diverged, SpecError
from app.nn.evaluation import Evaluation, check_loss, check_samples, evaluate
from app.nn.layers.core import Layer
from app.nn.losses import LOSSES, CrossEntropy, Loss
from app.nn.network import LAYERS, Network
from app.nn.optimizers import OPTIMIZERS, Optimizer
from app.nn.schedules import Constant, Schedule
from app.nn.spec import integer
from app.nn.statistics import LayerStatistics, layer_statistics
from app.nn.training.early_stopping import EarlyStopping
from app.nn.training.options import BatchMetrics, EpochMetrics, TrainingOptions
from app.nn.training.pool import WorkerPool, can_share
from app.nn.training.replica import Replica, SharedArrays, StepSettings, same_targets
from app.nn.training.snapshot import Snapshot, prefixed
from app.nn.training.weight_averaging import WeightAverage

SHARE = 8
"""Samples of a batch that a process should have at least."""

SHARED_WORK = 2_000_000
"""Samples a batch times parameters from which on processes that share a batch gain more than their meetings cost."""

_SHUFFLE = 1
"""A purpose in `default_rng([seed, epoch, purpose])`; 0 is the first values of the weights, 2 the layers' own."""


@dataclass
class _Done:
    """How far a training is: whole epochs, and of the next one its batches and what they came to."""

    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    correct: int = 0
    seconds: float = 0.0


class Trainer:
    """Trains `network` on inputs `x` (N, *input_shape), of any real dtype, and targets `t`.

    Targets are integer labels (N,), or float values (N, K), or (N,) for K = 1. Raises ValueError where they do not fit.

    With `processes` > 1 each batch, or the network if batches are small, is shared out among so many processes, where
    the system can and gains by it: `self.processes` is how many there will be. Results depend on their number in the
    last digits, and not from run to run. The network then has its new parameters at the end of every epoch. BLAS should
    be kept to the processors that are left to each process; layers, losses and optimizers of one's own are trained by
    one process.

    `epoch_inputs` gives the inputs of each epoch, of the shape and dtype of `x`, which they stand in for; they must
    depend on the epoch alone, and stay as they are until the next epoch's are asked for. `batch_targets` is given an
    epoch, the numbers (B,) of a batch's samples and their inputs, and gives values (B, K) that are learned in the place
    of the labels `t`: another network's opinion of those very inputs, say; they must depend on these three alone. The
    accuracy in training is then that of their largest.
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
        options: TrainingOptions | None = None,
        processes: int = 1,
        epoch_inputs: Callable[[int], Array] | None = None,
        batch_targets: Callable[[int, Array, Array], Array] | None = None,
    ) -> None:
        self.network, self.optimizer = network, optimizer
        self._epoch_inputs, self._batch_targets = epoch_inputs, batch_targets
        self.loss = loss or CrossEntropy()
        check_loss(network, self.loss)
        self.schedule = schedule or Constant()
        self.options = options or TrainingOptions()
        self._samples: tuple[Array, Array] | None = check_samples(network, x, t, "training")
        self.samples, self._labelled = len(x), self._samples[1].ndim == 1
        self._labels = None if batch_targets is None else self._samples[1]
        self.validation = None if validation is None else check_samples(network, *validation, "validation")
        self.batch_size = min(self.options.batch_size, len(x))
        self.batches = math.ceil(len(x) / self.batch_size)
        processes = min(integer("processes", processes, low=1), self.batch_size // SHARE)
        self.processes = processes if self._gains(processes) else 1
        optimizer.decayed = network.decayed
        if self.options.patience is not None and self.validation is None:
            raise SpecError("expected a validation set to watch; got none", field="patience")
        self.stopping = EarlyStopping(self.options.patience)
        self._average = WeightAverage(self.options.averaging, self.options.epochs)
        self._team: WorkerPool | Replica | None = None
        self._done = _Done()

    def run(self, first_epoch: int = 1, *, resume: Snapshot | None = None) -> Iterator[BatchMetrics | EpochMetrics]:
        """Train, yielding after every batch and, after an epoch's last batch, its metrics; to be called once.

        `first_epoch` > 1 goes on after a training that reached the epoch before it, with the network and the optimizer
        as they are; `resume` goes on where a snapshot was taken, with its network and optimizer, and comes to the
        very results of a training that never stopped. Raises Diverged, WorkerLostError where one of several processes
        died, and ValueError where the snapshot is not of such a network and optimizer.
        """
        self._done = _Done(integer("first_epoch", first_epoch, low=1) - 1)
        if resume is not None:
            self._take_up(resume)
        try:
            with self._gather() as team:
                self._team = team
                yield from self._train(team, resume)
        finally:
            self._team = None
        self.stopping.restore(self.network)
        self._average.apply_to(self.network)

    def snapshot(self) -> Snapshot:
        """All that the training is, after what it yielded last. To be called while `run` waits to go on."""
        team, done = self._team, self._done
        if team is None:
            raise RuntimeError("a snapshot can only be taken while the training runs")
        team.publish()
        if done.batch:
            team.note_random()
        best = self.stopping
        return Snapshot(
            epoch=done.epoch,
            batch=done.batch,
            steps=self.optimizer.steps,
            arrays={
                **prefixed("network", self.network.weights()),
                **{f"optimizer.{slot}": vector for slot, vector in team.optimizer_state().items()},
                **prefixed("best", best.weights),
                **prefixed("average", self._average.weights),
            },
            loss=done.loss,
            correct=done.correct,
            seconds=done.seconds,
            random=team.memory.random.tolist() if done.batch else [],
            best_epoch=best.best_epoch,
            best_loss=best.best_loss if best.best_epoch else None,
            averaged=self._average.epochs_in,
        )

    def statistics(self) -> tuple[LayerStatistics, ...]:
        """What the weights and the last batch's gradient are like, when `run` has just yielded an epoch's metrics."""
        return layer_statistics(self.network, {} if self._team is None else self._team.gradient_norms())

    def _train(self, team: "WorkerPool | Replica", resume: Snapshot | None) -> Iterator[BatchMetrics | EpochMetrics]:
        options, done = self.options, self._done
        if options.evaluate_training_set and resume is None and done.epoch == 0:
            yield self._measure(team, 0, None, 0.0)
        while done.epoch < options.epochs and not self.stopping.should_stop:
            epoch = done.epoch + 1
            started = time.perf_counter()
            self._begin_epoch(team, epoch, resume if done.batch else None)
            for batch in range(done.batch, self.batches):
                loss, size = self._step(team, epoch, batch)
                done.loss += loss * size
                done.correct += int(team.memory.results[:, 1].sum())
                done.seconds += time.perf_counter() - started
                done.batch = batch + 1
                seen = min((batch + 1) * options.batch_size, self.samples)
                right = done.correct / seen if self._labelled else None
                yield BatchMetrics(epoch, batch + 1, self.batches, loss, right)
                started = time.perf_counter()
            team.publish()
            accuracy = done.correct / self.samples if self._labelled else None
            metrics = self._measure(team, epoch, Evaluation(done.loss / self.samples, accuracy), done.seconds)
            if metrics.val_loss is not None:
                self.stopping.update(epoch, metrics.val_loss, self.network)
            self._average.update(epoch, self.network)
            done = self._done = _Done(epoch)
            yield metrics

    def _take_up(self, snapshot: Snapshot) -> None:
        if snapshot.batch > self.batches:
            raise SpecError(
                "expected at most {batches}; got {batch}",
                field="snapshot.batch",
                batches=self.batches,
                batch=snapshot.batch,
            )
        for slot, vector in snapshot.part("optimizer").items():
            if vector.shape != self.network.params.shape:
                raise SpecError(
                    "expected optimizer.{slot} with {size} numbers; got {got}",
                    field="snapshot",
                    slot=slot,
                    size=self.network.params.size,
                    got=vector.size,
                )
        self.network.load_weights(snapshot.part("network"))
        self.optimizer.restore(snapshot.steps, snapshot.part("optimizer"))
        best_loss = math.inf if snapshot.best_loss is None else snapshot.best_loss
        self.stopping.resume(snapshot.epoch, snapshot.best_epoch, best_loss, snapshot.part("best"))
        self._average.resume(snapshot.epoch, snapshot.averaged, snapshot.part("average"))
        self._done = _Done(snapshot.epoch, snapshot.batch, snapshot.loss, snapshot.correct, snapshot.seconds)

    def evaluate(self, x: Array, t: Array) -> Evaluation:
        """Loss and accuracy on `x` and `t` as the network is now; raises ValueError where they do not fit."""
        return evaluate(self.network, x, t, loss=self.loss, input_scale=self.options.input_scale)

    def _gains(self, processes: int) -> bool:
        rest = self.samples % self.batch_size  # a process that has none of them would have nothing to add up
        return (
            processes > 1
            and can_share()
            and self.batch_size * self.network.params.size >= SHARED_WORK
            and (rest == 0 or rest >= processes or not any(layer.sums for layer in self.network.layers))
            and all(_is_known(LAYERS, layer) for layer in self.network.layers)
            and _is_known(OPTIMIZERS, self.optimizer)
            and _is_known(LOSSES, self.loss)
        )

    def _gather(self) -> WorkerPool | Replica:
        if self._samples is None:
            raise RuntimeError("this training has already run; make another Trainer")
        (x, t), self._samples = self._samples, None  # a crew has a copy: the caller may let go of the samples
        if self._batch_targets is not None:
            t = np.zeros((len(x), *self.network.output_shape), self.network.dtype)
        options = self.options
        rules = StepSettings(options.seed, options.input_scale, options.weight_decay, options.clip_norm)
        if self.processes == 1:
            memory = SharedArrays(x, t, np.empty(len(x), np.int64), self.network.params, [self.network.grads])
            return Replica(self.network, self.optimizer, self.loss, memory, rules, batch_size=self.batch_size)
        return WorkerPool(
            *(self.network, self.optimizer, self.loss, x, t, rules),
            batch_size=self.batch_size,
            count=self.processes,
            changing=self._epoch_inputs is not None or self._batch_targets is not None,
        )

    def _begin_epoch(self, team: WorkerPool | Replica, epoch: int, resume: Snapshot | None) -> None:
        if self._epoch_inputs is not None:
            team.replace_inputs(self._epoch_inputs(epoch))
        if self.options.shuffle:
            rng = np.random.default_rng([self.options.seed, epoch, _SHUFFLE])
            team.memory.order[:] = rng.permutation(self.samples)
        # with another number of processes the generators' states are not there to go on with: they begin anew
        resumed = resume is not None and len(resume.random) == len(team.memory.random)
        if resume is not None and resumed:
            team.memory.random[:] = resume.random
        team.begin_epoch(epoch, resumed=resumed)

    def _step(self, team: WorkerPool | Replica, epoch: int, batch: int) -> tuple[float, int]:
        """Learn from one batch (from 0); return its mean loss and its size."""
        start = batch * self.batch_size
        size = min(self.batch_size, self.samples - start)
        if self._batch_targets is not None:
            rows = team.memory.order[start : start + size] if self.options.shuffle else np.arange(start, start + size)
            targets = self._batch_targets(epoch, rows, team.memory.x[rows])
            team.memory.t[rows] = same_targets(targets, (size, *team.memory.t.shape[1:]))
        progress = ((epoch - 1) * self.batches + batch) / (self.options.epochs * self.batches)
        team.step(start, size, shuffled=self.options.shuffle, scale=self.schedule.factor(progress))
        loss = float(team.memory.results[:, 0].sum())
        if not math.isfinite(loss):
            raise Diverged(epoch, batch + 1)
        return loss, size

    def _measure(
        self, team: WorkerPool | Replica, epoch: int, trained: Evaluation | None, seconds: float
    ) -> EpochMetrics:
        options = self.options
        if trained is None or options.evaluate_training_set:
            t = team.memory.t if self._labels is None else self._labels
            trained = evaluate(team.network, team.memory.x, t, loss=self.loss, input_scale=options.input_scale)
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


def _is_known(registry: Mapping[str, type], part: Layer | Loss | Optimizer) -> bool:
    """Whether another process can make the like of `part` from its spec."""
    return registry.get(part.type) is type(part)


def fit(
    network: Network,
    x: Array,
    t: Array,
    *,
    loss: Loss | None = None,
    optimizer: Optimizer,
    schedule: Schedule | None = None,
    validation: tuple[Array, Array] | None = None,
    options: TrainingOptions | None = None,
    processes: int = 1,
    epoch_inputs: Callable[[int], Array] | None = None,
    batch_targets: Callable[[int, Array, Array], Array] | None = None,
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
        epoch_inputs=epoch_inputs,
        batch_targets=batch_targets,
    )
    return (metrics for metrics in trainer.run() if isinstance(metrics, EpochMetrics))
