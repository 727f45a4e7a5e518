"""One process of a training: it computes its share of every batch and updates its part of the parameters.

A single process does all of both. In a pool (app.nn.training.pool) several processes keep the parameters, the gradients
of each and the samples in shared memory, and synchronize three times a step.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from app.nn.arrays import Array, Shape
from app.nn.errors import SpecError
from app.nn.evaluation import divide
from app.nn.losses import Loss
from app.nn.network import Network
from app.nn.optimizers import Optimizer
from app.nn.statistics import gradient_norms
from app.nn.training.snapshot import RANDOM_WORDS, read_random, write_random

LAYERS = 2
"""The purpose in `default_rng([seed, epoch, purpose, rank])`: the randomness of layers."""


class StepSettings(NamedTuple):
    """The `TrainingOptions` that every process needs."""

    seed: int
    input_scale: float
    weight_decay: float
    clip_norm: float | None


@dataclass
class SharedArrays:
    """The arrays that the processes of a training share.

    `x` (N, *input_shape) and `t` are the samples, `order` (N,) their order in the epoch, `grads` one gradient vector a
    process, `results` (processes, 3) each one's share of the batch's loss, its number of correct predictions, and the
    squared norm of its part of the gradient. `random` (processes, 6) holds the states of their generators,
    `sums` (2, processes, numbers) the sums of layers over a batch.
    """

    x: Array
    t: Array
    order: Array
    params: Array
    grads: list[Array]
    state: dict[str, Array] = field(default_factory=dict)
    results: Array = field(default_factory=lambda: np.zeros((1, 3)))
    random: Array = field(default_factory=lambda: np.zeros((1, RANDOM_WORDS), np.uint64))
    sums: Array = field(default_factory=lambda: np.zeros((2, 1, 0)))


def part(length: int, rank: int, count: int) -> slice:
    """Piece number `rank` of `count` nearly equal pieces."""
    return slice(length * rank // count, length * (rank + 1) // count)


class AllReduce:
    """Sums vectors over all processes, which must call it equally often.

    They alternate between two buffers: before a process writes to one again, all others have read it.
    """

    def __init__(self, buffers: Array, rank: int, wait: Callable[[], None]) -> None:
        self._buffers, self._rank, self._wait, self._turn = buffers, rank, wait, 0

    def __call__(self, values: Array) -> Array:
        """The sum of all processes' `values` (n,), in the order of their ranks; a new vector of float64."""
        buffer = self._buffers[self._turn, :, : len(values)]
        self._turn = 1 - self._turn
        buffer[self._rank] = values
        self._wait()
        total: Array = np.add.reduce(buffer, axis=0)
        return total


class Replica:
    """Process number `rank` of a training; `wait` returns once all processes have called it equally often."""

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        loss: Loss,
        memory: SharedArrays,
        settings: StepSettings,
        *,
        batch_size: int,
        rank: int = 0,
        wait: Callable[[], None] = lambda: None,
    ) -> None:
        self.network, self.optimizer, self.loss, self.memory, self.settings = network, optimizer, loss, memory, settings
        self._rank, self._count, self._wait = rank, len(memory.grads), wait
        rows = -(-batch_size // self._count)
        self._raw = np.empty((rows, *memory.x.shape[1:]), memory.x.dtype)
        self._inputs = np.empty((rows, *network.input_shape), network.dtype)
        self._part = part(len(memory.params), rank, self._count)
        self._has_learned = False
        if self._count > 1:
            total = AllReduce(memory.sums, rank, wait)
            for layer in network.layers:
                layer.share_batch(total)
        self._decay = np.empty(max(0, min(self._part.stop, network.decayed) - self._part.start), network.dtype)

    def __enter__(self) -> "Replica":
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing; a `WorkerPool` closes itself."""

    def publish(self) -> None:
        """Do nothing: the network is the trainer's own, and up to date."""

    def replace_inputs(self, x: Array) -> None:
        """Replace the samples' inputs by `x`, of their shape and dtype."""
        self.memory.x = same_inputs(x, self.memory.x)

    def begin_epoch(self, epoch: int, *, resumed: bool = False) -> None:
        """Set up the epoch's random generator, from `memory.random` if `resumed`."""
        self._rng = np.random.default_rng([self.settings.seed, epoch, LAYERS, self._rank])
        if resumed:
            read_random(self._rng, self.memory.random[self._rank])
        self.network.begin_epoch(self._rng)

    def note_random(self) -> None:
        """Write the state of the epoch's generator into `memory.random`."""
        write_random(self._rng, self.memory.random[self._rank])

    def gradient_norms(self) -> dict[str, float]:
        """The norms of the last batch's gradient by parameter name; empty before the first batch."""
        if not self._has_learned:
            return {}
        parts = [grads[part(len(grads), rank, self._count)] for rank, grads in enumerate(self.memory.grads)]
        return gradient_norms(self.network, np.concatenate(parts))

    def optimizer_state(self) -> dict[str, Array]:
        """Copies of the optimizer's state vectors, each as long as the network's parameters."""
        return {slot: vector.copy() for slot, vector in self.optimizer.state.items()}

    def step(self, start: int, size: int, *, shuffled: bool, scale: float) -> None:
        """Train on the batch of `size` samples of the epoch that begins with number `start`.

        `scale` is the schedule's factor of the learning rate. Afterwards `memory.params` is up to date.
        """
        self._has_learned = True
        share = part(size, self._rank, self._count)
        self._learn(start + share.start, start + share.stop, size, shuffled)
        self._wait()
        grads = self._gather()
        limit = self.settings.clip_norm
        if limit is not None:
            # in float64, as squares of float32 overflow just where clipping is needed
            self.memory.results[self._rank, 2] = np.square(grads, dtype=np.float64).sum()
            self._wait()
            norm = float(np.sqrt(self.memory.results[:, 2].sum()))
            if limit < norm < np.inf:
                grads *= limit / norm
        self.optimizer.begin_step(self.memory.params)
        self.optimizer.apply(self.memory.params, self.network.grads, self._part, scale=scale)
        self._wait()

    def _learn(self, start: int, stop: int, size: int, shuffled: bool) -> None:
        memory = self.memory
        if start == stop:  # the epoch's last batch may have fewer samples than there are processes
            memory.results[self._rank] = 0
            self.network.grads[:] = 0
            return
        if shuffled:
            rows = memory.order[start:stop]
            raw = np.take(memory.x, rows, axis=0, out=self._raw[: stop - start], mode="clip")
            t = memory.t[rows]
        else:
            raw, t = memory.x[start:stop], memory.t[start:stop]
        inputs = divide(raw, self.settings.input_scale, self._inputs[: stop - start])
        outputs = self.network.forward(inputs, training=True)
        results = memory.results[self._rank]
        results[1] = np.count_nonzero(outputs.argmax(axis=1) == (t if t.ndim == 1 else t.argmax(axis=1)))
        results[0], grad = self.loss.value_and_gradient(outputs, t, samples=size)
        self.network.backward(grad)

    def _gather(self) -> Array:
        """Sum all processes' gradients of this one's part, add weight decay's, and return that part."""
        total = self.memory.grads[self._rank][self._part]
        for rank, grads in enumerate(self.memory.grads):
            if rank != self._rank:
                total += grads[self._part]
        if self.settings.weight_decay and len(self._decay):
            np.multiply(self.memory.params[self._part][: len(self._decay)], self.settings.weight_decay, out=self._decay)
            total[: len(self._decay)] += self._decay
        return total


def same_inputs(x: Array, expected: Array) -> Array:
    """`x` in the shape of `expected`. Raises ValueError if it has another size or dtype."""
    if x.size != expected.size or len(x) != len(expected) or x.dtype != expected.dtype:
        raise SpecError(
            "expected {dtype} of the shape {shape}; got {got_dtype} {got_shape}",
            field="epoch_inputs",
            dtype=expected.dtype,
            shape=expected.shape,
            got_dtype=x.dtype,
            got_shape=x.shape,
        )
    return x.reshape(expected.shape)


def same_targets(t: Array, expected: Shape) -> Array:
    """Return `t`; raise ValueError unless it holds finite numbers in the shape `expected`."""
    if not isinstance(t, np.ndarray) or t.shape != expected or t.dtype.kind != "f":
        got = f"{t.dtype} {t.shape}" if isinstance(t, np.ndarray) else type(t).__name__
        raise SpecError(
            "expected values of the shape {expected}; got {got}", field="batch_targets", expected=expected, got=got
        )
    if not np.isfinite(t).all():
        raise SpecError("expected finite values; got some that are not", field="batch_targets")
    return t


def optimizer_settings(optimizer: Optimizer) -> dict[str, Any]:
    """The settings from which another process builds an equal optimizer: spec, steps and decayed parameters."""
    return {"spec": optimizer.spec(), "steps": optimizer.steps, "decayed": optimizer.decayed}
