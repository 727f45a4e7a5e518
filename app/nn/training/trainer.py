"""The training loop: batches, epochs and their metrics."""

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
"""The smallest number of samples of a batch for a process."""

SHARED_WORK = 2_000_000
"""Samples per batch times parameters above which sharing a batch gains more time than synchronizing costs."""

_SHUFFLE = 1
"""The purpose in `default_rng([seed, epoch, purpose])`; 0 is for initial weights, 2 for layers."""


@dataclass
class _Progress:
    """The finished epochs, and the finished batches of the next one with their sums."""

    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    correct: int = 0
    seconds: float = 0.0


class Trainer:
    """Trains `network` on inputs `x` (N, *input_shape), of any real dtype, and targets `t`.

    Targets are integer labels (N,), or float values (N, K), or (N,) for K = 1. Raises ValueError if they do not fit.

    With `processes` > 1 each batch is split among that many processes, where the system supports it and it saves time;
    `self.processes` is the number in use. Results depend on this number in the last digits, but are the same from run
    to run. The network then gets its new parameters at the end of every epoch. Limit BLAS to each process's share of
    the processors. Custom layers, losses and optimizers are trained by one process.

    `epoch_inputs` returns the inputs of an epoch, of the shape and dtype of `x`, which they replace; they must depend
    on the epoch alone, and stay unchanged until the next call. `batch_targets` takes an epoch, the indices (B,) of a
    batch's samples and their inputs, and returns values (B, K) that replace the labels `t`, such as another network's
    outputs; they must depend on these three alone. The training accuracy is then that of their largest.
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
        self._engine: WorkerPool | Replica | None = None
        self._progress = _Progress()

    def run(self, first_epoch: int = 1, *, resume: Snapshot | None = None) -> Iterator[BatchMetrics | EpochMetrics]:
        """Train; yield metrics after every batch and after every epoch. To be called once.

        `first_epoch` > 1 continues a training that reached the epoch before it, with the network and the optimizer as
        they are; `resume` continues from a snapshot, with its network and optimizer, and gives exactly the results of
        an uninterrupted training. Raises Diverged, WorkerLostError if one of several processes died, and ValueError if
        the snapshot does not fit the network and optimizer.
        """
        self._progress = _Progress(integer("first_epoch", first_epoch, low=1) - 1)
        if resume is not None:
            self._restore(resume)
        try:
            with self._start() as engine:
                self._engine = engine
                yield from self._train(engine, resume)
        finally:
            self._engine = None
        self.stopping.restore(self.network)
        self._average.apply_to(self.network)

    def snapshot(self) -> Snapshot:
        """The state of the training after its last yield. Raises RuntimeError unless `run` is suspended there."""
        engine, done = self._engine, self._progress
        if engine is None:
            raise RuntimeError("a snapshot can only be taken while the training runs")
        engine.publish()
        if done.batch:
            engine.note_random()
        best = self.stopping
        return Snapshot(
            epoch=done.epoch,
            batch=done.batch,
            steps=self.optimizer.steps,
            arrays={
                **prefixed("network", self.network.weights()),
                **{f"optimizer.{slot}": vector for slot, vector in engine.optimizer_state().items()},
                **prefixed("best", best.weights),
                **prefixed("average", self._average.weights),
            },
            loss=done.loss,
            correct=done.correct,
            seconds=done.seconds,
            random=engine.memory.random.tolist() if done.batch else [],
            best_epoch=best.best_epoch,
            best_loss=best.best_loss if best.best_epoch else None,
            averaged=self._average.epochs_in,
        )

    def publish(self) -> None:
        """Bring `network` up to date in the middle of an epoch, where several processes train it."""
        if self._engine is not None:
            self._engine.publish()

    def statistics(self) -> tuple[LayerStatistics, ...]:
        """Statistics of the weights and of the last batch's gradient, valid when `run` has just yielded an epoch."""
        return layer_statistics(self.network, {} if self._engine is None else self._engine.gradient_norms())

    def _train(self, engine: "WorkerPool | Replica", resume: Snapshot | None) -> Iterator[BatchMetrics | EpochMetrics]:
        options, done = self.options, self._progress
        if options.evaluate_training_set and resume is None and done.epoch == 0:
            yield self._measure(engine, 0, None, 0.0)
        while done.epoch < options.epochs and not self.stopping.should_stop:
            epoch = done.epoch + 1
            started = time.perf_counter()
            self._begin_epoch(engine, epoch, resume if done.batch else None)
            for batch in range(done.batch, self.batches):
                loss, size = self._step(engine, epoch, batch)
                done.loss += loss * size
                done.correct += int(engine.memory.results[:, 1].sum())
                done.seconds += time.perf_counter() - started
                done.batch = batch + 1
                samples = min((batch + 1) * options.batch_size, self.samples)
                accuracy = done.correct / samples if self._labelled else None
                yield BatchMetrics(epoch, batch + 1, self.batches, loss, accuracy)
                started = time.perf_counter()
            engine.publish()
            accuracy = done.correct / self.samples if self._labelled else None
            metrics = self._measure(engine, epoch, Evaluation(done.loss / self.samples, accuracy), done.seconds)
            if metrics.val_loss is not None:
                self.stopping.update(epoch, metrics.val_loss, self.network)
            self._average.update(epoch, self.network)
            done = self._progress = _Progress(epoch)
            yield metrics

    def _restore(self, snapshot: Snapshot) -> None:
        if snapshot.batch > self.batches:
            raise SpecError(
                "expected at most {most} batches; got {got}",
                field="snapshot.batch",
                most=self.batches,
                got=snapshot.batch,
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
        self._progress = _Progress(snapshot.epoch, snapshot.batch, snapshot.loss, snapshot.correct, snapshot.seconds)

    def evaluate(self, x: Array, t: Array) -> Evaluation:
        """The network's present loss and accuracy on `x` and `t`; raises ValueError if they do not fit."""
        return evaluate(self.network, x, t, loss=self.loss, input_scale=self.options.input_scale)

    def _gains(self, processes: int) -> bool:
        rest = self.samples % self.batch_size  # each process needs one of them if layers add up over the batch
        return (
            processes > 1
            and can_share()
            and self.batch_size * self.network.params.size >= SHARED_WORK
            and (rest == 0 or rest >= processes or not any(layer.sums for layer in self.network.layers))
            and all(_is_known(LAYERS, layer) for layer in self.network.layers)
            and _is_known(OPTIMIZERS, self.optimizer)
            and _is_known(LOSSES, self.loss)
        )

    def _start(self) -> WorkerPool | Replica:
        if self._samples is None:
            raise RuntimeError("this training has already run; make another Trainer")
        (x, t), self._samples = self._samples, None  # a pool copies them, so that the caller may free them
        if self._batch_targets is not None:
            t = np.zeros((len(x), *self.network.output_shape), self.network.dtype)
        options = self.options
        settings = StepSettings(options.seed, options.input_scale, options.weight_decay, options.clip_norm)
        if self.processes == 1:
            memory = SharedArrays(x, t, np.empty(len(x), np.int64), self.network.params, [self.network.grads])
            return Replica(self.network, self.optimizer, self.loss, memory, settings, batch_size=self.batch_size)
        return WorkerPool(
            *(self.network, self.optimizer, self.loss, x, t, settings),
            batch_size=self.batch_size,
            count=self.processes,
            changing=self._epoch_inputs is not None or self._batch_targets is not None,
        )

    def _begin_epoch(self, engine: WorkerPool | Replica, epoch: int, resume: Snapshot | None) -> None:
        if self._epoch_inputs is not None:
            engine.replace_inputs(self._epoch_inputs(epoch))
        if self.options.shuffle:
            rng = np.random.default_rng([self.options.seed, epoch, _SHUFFLE])
            engine.memory.order[:] = rng.permutation(self.samples)
        # with another number of processes the saved generators do not fit: begin with new ones
        resumed = resume is not None and len(resume.random) == len(engine.memory.random)
        if resume is not None and resumed:
            engine.memory.random[:] = resume.random
        engine.begin_epoch(epoch, resumed=resumed)

    def _step(self, engine: WorkerPool | Replica, epoch: int, batch: int) -> tuple[float, int]:
        """Train on batch number `batch` (from 0); return its mean loss and its size."""
        start = batch * self.batch_size
        size = min(self.batch_size, self.samples - start)
        if self._batch_targets is not None:
            rows = engine.memory.order[start : start + size] if self.options.shuffle else np.arange(start, start + size)
            targets = self._batch_targets(epoch, rows, engine.memory.x[rows])
            engine.memory.t[rows] = same_targets(targets, (size, *engine.memory.t.shape[1:]))
        progress = ((epoch - 1) * self.batches + batch) / (self.options.epochs * self.batches)
        engine.step(start, size, shuffled=self.options.shuffle, scale=self.schedule.factor(progress))
        loss = float(engine.memory.results[:, 0].sum())
        if not math.isfinite(loss):
            raise Diverged(epoch, batch + 1)
        return loss, size

    def _measure(
        self, engine: WorkerPool | Replica, epoch: int, trained: Evaluation | None, seconds: float
    ) -> EpochMetrics:
        options = self.options
        if trained is None or options.evaluate_training_set:
            t = engine.memory.t if self._labels is None else self._labels
            trained = evaluate(engine.network, engine.memory.x, t, loss=self.loss, input_scale=options.input_scale)
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
    """True if another process can build `part` from its spec."""
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
