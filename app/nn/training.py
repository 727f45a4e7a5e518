"""Training: batches, epochs, and the metrics of each."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.nn.activations import Softmax
from app.nn.arrays import Array
from app.nn.losses import CrossEntropy, Loss
from app.nn.network import Network
from app.nn.optimizers import Optimizer
from app.nn.schedules import Constant, Schedule
from app.nn.spec import number, whole

EVALUATION_BATCH = 1000
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
class Evaluation:
    """Mean loss, and the share of samples whose largest output is the label (None where targets are values)."""

    loss: float
    accuracy: float | None


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
    ) -> None:
        self.network, self.optimizer = network, optimizer
        self.loss = loss or CrossEntropy()
        check_loss(network, self.loss)
        self.schedule = schedule or Constant()
        self.options = options or Options()
        self.x, self.t = _check(network, x, t, "training")
        self.validation = None if validation is None else _check(network, *validation, "validation")
        size = min(self.options.batch_size, len(x))
        self._raw = np.empty((size, *x.shape[1:]), x.dtype)
        self._inputs = np.empty((size, *network.input_shape), network.dtype)
        self.batches = math.ceil(len(x) / size)
        self.batch_size = size

    def run(self, first_epoch: int = 1) -> Iterator[BatchDone | EpochMetrics]:
        """Train, yielding after every batch and, after an epoch's last batch, its metrics.

        `first_epoch` > 1 goes on after a training that reached the epoch before it. Raises Diverged.
        """
        options = self.options
        if options.evaluate_training_set and first_epoch == 1:
            yield self._measure(0, None, 0.0)
        for epoch in range(first_epoch, options.epochs + 1):
            seconds, total, correct = 0.0, 0.0, 0
            started = time.perf_counter()
            self.network.begin_epoch(np.random.default_rng([options.seed, epoch, _LAYERS]))
            for batch, (x, t) in enumerate(self._draw(epoch), 1):
                outputs = self.network.forward(x, training=True)
                if t.ndim == 1:
                    correct += int(np.count_nonzero(outputs.argmax(axis=1) == t))
                loss = self._step(outputs, t, epoch, batch)
                total += loss * len(x)
                seconds += time.perf_counter() - started
                yield BatchDone(epoch, batch, self.batches, loss)
                started = time.perf_counter()
            accuracy = correct / len(self.x) if self.t.ndim == 1 else None
            yield self._measure(epoch, Evaluation(total / len(self.x), accuracy), seconds)

    def _step(self, outputs: Array, t: Array, epoch: int, batch: int) -> float:
        network, options = self.network, self.options
        loss, grad = self.loss.value_and_gradient(outputs, t)
        if not math.isfinite(loss):
            raise Diverged(epoch, batch)
        network.backward(grad)
        if options.weight_decay:
            decayed = slice(network.decayed)
            network.grads[decayed] += network.dtype.type(options.weight_decay) * network.params[decayed]
        progress = ((epoch - 1) * self.batches + batch - 1) / (options.epochs * self.batches)
        self.optimizer.step(network.params, network.grads, scale=self.schedule.factor(progress))
        return loss

    def _draw(self, epoch: int) -> Iterator[tuple[Array, Array]]:
        n, size = len(self.x), self.batch_size
        order = (
            np.random.default_rng([self.options.seed, epoch, _SHUFFLE]).permutation(n) if self.options.shuffle else None
        )
        for start in range(0, n, size):
            stop = min(start + size, n)
            inputs = self._inputs[: stop - start]
            if order is None:
                raw, t = self.x[start:stop], self.t[start:stop]
            else:
                rows = order[start:stop]
                raw = np.take(self.x, rows, axis=0, out=self._raw[: stop - start], mode="clip")
                t = self.t[rows]
            _scale(raw, self.options.input_scale, inputs)
            yield inputs, t

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

    def evaluate(self, x: Array, t: Array) -> Evaluation:
        """Loss and accuracy on `x` and `t` as the network is now; raises ValueError where they do not fit."""
        return evaluate(self.network, x, t, loss=self.loss, input_scale=self.options.input_scale)


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
    )
    return (metrics for metrics in trainer.run() if isinstance(metrics, EpochMetrics))


def evaluate(network: Network, x: Array, t: Array, *, loss: Loss, input_scale: float = 1.0) -> Evaluation:
    """Mean loss and accuracy of `network` on `x` (N, *input_shape) and `t`, as in `Trainer`."""
    x, t = _check(network, x, t, "evaluation")
    total, correct = 0.0, 0
    inputs = np.empty((min(EVALUATION_BATCH, len(x)), *network.input_shape), network.dtype)
    for start in range(0, len(x), EVALUATION_BATCH):
        raw, targets = x[start : start + EVALUATION_BATCH], t[start : start + EVALUATION_BATCH]
        outputs = network.forward(_scale(raw, input_scale, inputs[: len(raw)]), training=False)
        total += loss.total(outputs, targets)
        if t.ndim == 1:
            correct += int(np.count_nonzero(outputs.argmax(axis=1) == targets))
    return Evaluation(total / len(x), correct / len(x) if t.ndim == 1 else None)


def check_loss(network: Network, loss: Loss) -> None:
    """Raise ValueError where `loss` is not one for the outputs of `network`."""
    if isinstance(loss, CrossEntropy) and isinstance(network.layers[-1], Softmax):
        raise ValueError("loss: cross_entropy takes logits and contains the softmax; leave out the last layer, softmax")


def _scale(raw: Array, scale: float, out: Array) -> Array:
    """Write raw / scale into `out`, which has raw's number of elements."""
    flat = raw.reshape(out.shape)
    if scale == 1:
        np.copyto(out, flat)
    else:
        np.divide(flat, out.dtype.type(scale), out=out, dtype=out.dtype)
    return out


def _check(network: Network, x: Array, t: Array, name: str) -> tuple[Array, Array]:
    """Return x with the shape (N, *input_shape) and t; raise ValueError where they do not fit the network."""
    if len(x) == 0:
        raise ValueError(f"{name} inputs: expected at least one sample; got none")
    if x.dtype.kind not in "fiu":
        raise ValueError(f"{name} inputs: expected real numbers; got {x.dtype}")
    if int(np.prod(x.shape[1:])) != int(np.prod(network.input_shape)):
        raise ValueError(f"{name} inputs: expected the shape (N, {network.input_shape}); got {x.shape}")
    if len(t) != len(x):
        raise ValueError(f"{name} targets: expected {len(x)}, one a sample; got {len(t)}")
    outputs = int(np.prod(network.output_shape))
    if t.ndim == 1 and t.dtype.kind in "iu":
        if int(t.min()) < 0 or int(t.max()) >= outputs:
            raise ValueError(
                f"{name} targets: expected labels from 0 to {outputs - 1}, one for each of the network's "
                f"{outputs} outputs; got {int(t.min())} to {int(t.max())}"
            )
        return x.reshape(len(x), *network.input_shape), t
    if t.dtype.kind == "f" and t.shape == (len(x), outputs):
        return x.reshape(len(x), *network.input_shape), t.astype(network.dtype, copy=False)
    raise ValueError(f"{name} targets: expected integer labels (N,) or values (N, {outputs}); got {t.dtype} {t.shape}")
