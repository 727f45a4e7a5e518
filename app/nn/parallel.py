"""Data-parallel training: each thread has a share of every batch, with one parameter vector for all.

NumPy lets other threads run while it computes, so that elementwise work is shared too, and not the matrix products
alone, as a threaded BLAS does. BLAS itself is then best kept to one thread.
"""

import _thread
import threading
from collections.abc import Callable
from types import TracebackType

import numpy as np

from app.nn.arrays import Array
from app.nn.evaluation import divide
from app.nn.losses import Loss
from app.nn.network import Network


class Share:
    """One thread's share of every batch."""

    def __init__(self, network: Network, loss: Loss, x: Array, t: Array, *, rows: int, input_scale: float) -> None:
        """Take shares of up to `rows` of the samples `x` (N, *input_shape) and targets `t`."""
        self.network = network
        self.value, self.correct = 0.0, 0
        self._loss, self._x, self._t, self._scale = loss, x, t, input_scale
        self._raw = np.empty((rows, *x.shape[1:]), x.dtype)
        self._inputs = np.empty((rows, *network.input_shape), network.dtype)

    def learn(self, order: Array | None, start: int, stop: int, samples: int) -> None:
        """Leave in the network the gradient of samples `start` to `stop` of the epoch, a part of a batch of `samples`.

        `value` is then their share of the batch's mean loss, and `correct` how many of them were read rightly.
        """
        if order is None:
            raw, t = self._x[start:stop], self._t[start:stop]
        else:
            rows = order[start:stop]
            raw = np.take(self._x, rows, axis=0, out=self._raw[: stop - start], mode="clip")
            t = self._t[rows]
        outputs = self.network.forward(divide(raw, self._scale, self._inputs[: stop - start]), training=True)
        if t.ndim == 1:
            self.correct = int(np.count_nonzero(outputs.argmax(axis=1) == t))
        self.value, grad = self._loss.value_and_gradient(outputs, t, samples=samples)
        self.network.backward(grad)


class Team:
    """Runs one task at a time in each of its threads, the caller's own among them.

    Threads wait for each other by plain locks, as a pool's queue costs several times the latency, and a training step
    may take no more than a fifth of a millisecond.
    """

    def __init__(self, size: int) -> None:
        self._helpers = [_Helper() for _ in range(size - 1)]

    def __enter__(self) -> "Team":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for helper in self._helpers:
            helper.start(None)

    def run(self, tasks: list[Callable[[], None]]) -> None:
        """Do all `tasks`, one a thread, and return when all are done; raises what one of them raised."""
        for helper, task in zip(self._helpers, tasks[1:], strict=True):
            helper.start(task)
        try:
            tasks[0]()
        finally:
            for helper in self._helpers:
                helper.wait()
        for helper in self._helpers:
            if helper.error is not None:
                raise helper.error


class _Helper:
    def __init__(self) -> None:
        self.error: BaseException | None = None
        self._task: Callable[[], None] | None = None
        self._go, self._done = _thread.allocate_lock(), _thread.allocate_lock()
        self._go.acquire()
        self._done.acquire()
        threading.Thread(target=self._work, name="training", daemon=True).start()

    def start(self, task: Callable[[], None] | None) -> None:
        """Begin a task; None ends the thread."""
        self._task = task
        self._go.release()

    def wait(self) -> None:
        self._done.acquire()

    def _work(self) -> None:
        while True:
            self._go.acquire()
            if self._task is None:
                return
            self.error = None
            try:
                self._task()
            except BaseException as error:  # noqa: BLE001  # the team raises it in the caller's thread
                self.error = error
            self._done.release()
