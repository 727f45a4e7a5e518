"""A pool of processes that train one network together, each with a share of every batch.

A threaded BLAS splits only the matrix products, and Python's threads wait for each other's lock; processes split
everything. They wait for each other by polling a number in shared memory, as a system call takes a good part of a
step, which may be over in a fifth of a millisecond.
"""

import json
import os
import platform
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

import numpy as np

from app.nn.arrays import Array
from app.nn.errors import SpecError, WorkerLostError
from app.nn.layers.core import Dense, Flatten
from app.nn.losses import LOSSES, Loss
from app.nn.network import Network
from app.nn.optimizers import OPTIMIZERS, Optimizer
from app.nn.spec import build
from app.nn.subprocesses import spawn
from app.nn.training.barrier import SpinBarrier
from app.nn.training.replica import Replica, StepSettings, optimizer_settings, same_inputs
from app.nn.training.shared_memory import map_arrays, memory_of, plan_memory

ANSWER_SECONDS = 120.0
"""The time for a share of a batch after which a process counts as dead."""

_STEP, _EPOCH, _RANDOM = range(3)


def can_share() -> bool:
    """True if the system has what a pool needs: anonymous shared memory, and stores visible in the order of writing."""
    if not hasattr(os, "memfd_create") or platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        os.close(os.memfd_create("digitpad-probe"))
    except OSError:  # forbidden
        return False
    return True


class WorkerPool:
    """Trains as one `Replica` does, with `count` processes; a context manager."""

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        loss: Loss,
        x: Array,
        t: Array,
        settings: StepSettings,
        *,
        batch_size: int,
        count: int,
        changing: bool = False,
    ) -> None:
        """Only `publish` changes `network`; `optimizer` works in shared memory until the pool is closed. With
        `changing` each epoch has other samples, so no input is left out.
        """
        slots = list(optimizer.slots)
        self._columns = None if changing else _used_columns(network, optimizer, x, settings)
        spec = network.spec()
        if self._columns is not None:
            spec["input_shape"] = [len(self._columns)]
        local = Network.from_spec(spec, dtype=network.dtype)
        x = x if self._columns is None else x.reshape(len(x), -1)
        sums = max(layer.sums for layer in local.layers)
        plan = plan_memory(local.params, (len(x), *local.input_shape), x.dtype, t, slots, sums, count)
        self._file = os.memfd_create("digitpad-training")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._optimizer, self._public, self._working = optimizer, network, False
        try:
            os.ftruncate(self._file, plan["bytes"])
            arrays = map_arrays(self._file, plan)
            memory = memory_of(arrays, slots, count)
            memory.t[:] = t
            if self._columns is None:
                memory.x[:] = x
            else:
                np.take(x, self._columns, axis=1, out=memory.x, mode="clip")
            for slot, vector in optimizer.state.items():
                _copy(_views(network, vector), _views(local, memory.state[slot]), self._columns)
            config = {
                "plan": plan,
                "slots": slots,
                "count": count,
                "network": spec,
                "dtype": str(network.dtype),
                "optimizer": optimizer_settings(optimizer),
                "loss": loss.spec(),
                "settings": settings._asdict(),
                "batch_size": batch_size,
            }
            self._barrier = SpinBarrier(arrays["flags"], 0, count, self._check)
            for rank in range(1, count):
                self._processes.append(_start(self._file, {**config, "rank": rank}))
            local.bind_storage(memory.params, memory.grads[0])
            _copy(network.weights(), local.weights(), self._columns)
            optimizer.state = dict(memory.state)
            self._replica = Replica(
                local, optimizer, loss, memory, settings, batch_size=batch_size, wait=self._barrier.wait
            )
            self._job, self.memory, self.network = arrays["job"], memory, local
            self._working = True
            self._barrier.wait()  # until all are ready
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin_epoch(self, epoch: int, *, resumed: bool = False) -> None:
        """As `Replica.begin_epoch`."""
        self._command(_EPOCH, epoch, resumed)
        self._replica.begin_epoch(epoch, resumed=resumed)
        self._barrier.wait()  # until all have read the command

    def replace_inputs(self, x: Array) -> None:
        """As `Replica.replace_inputs`, for a pool whose samples are `changing`."""
        np.copyto(self.memory.x, same_inputs(x, self.memory.x))

    def note_random(self) -> None:
        """As `Replica.note_random`, of every process."""
        self._command(_RANDOM)
        self._replica.note_random()
        self._barrier.wait()  # until all have written

    def step(self, start: int, size: int, *, shuffled: bool, scale: float) -> None:
        """As `Replica.step`. Raises WorkerLostError."""
        self._command(_STEP, start, size, shuffled, scale)
        self._replica.step(start, size, shuffled=shuffled, scale=scale)

    def publish(self) -> None:
        """Copy the parameters into the caller's network."""
        _copy(self.network.weights(), self._public.weights(), self._columns)

    def optimizer_state(self) -> dict[str, Array]:
        """As `Replica.optimizer_state`."""
        state = {}
        for slot, vector in self.memory.state.items():
            state[slot] = np.zeros_like(self._public.params)
            _copy(_views(self.network, vector), _views(self._public, state[slot]), self._columns)
        return state

    def gradient_norms(self) -> dict[str, float]:
        """As `Replica.gradient_norms`."""
        return self._replica.gradient_norms()

    def close(self) -> None:
        """End the other processes; copy the optimizer's state out of the shared memory."""
        if self._working:
            self._working = False
            self._optimizer.state = self.optimizer_state()
            # these refer to each other and to the shared memory
            del self._barrier, self._replica, self._job, self.memory, self.network
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self._processes = []
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _command(self, kind: int, *values: float) -> None:
        self._job[0] = kind
        self._job[1 : len(values) + 1] = values
        self._barrier.wait()

    def _check(self, waited: float) -> None:
        if waited > ANSWER_SECONDS:
            raise WorkerLostError("a training process did not respond for {seconds} s", seconds=f"{ANSWER_SECONDS:g}")
        for process in self._processes:
            if process.poll() is not None:
                raise WorkerLostError("a training process died (exit code {code})", code=process.returncode)


def _used_columns(network: Network, optimizer: Optimizer, x: Array, settings: StepSettings) -> Array | None:
    """The inputs that are not zero in every sample; None for all.

    An input that is always zero gives its weights no gradient, so leaving it out of the first product changes nothing.
    Weight decay would change those weights; and a first layer that is not dense needs all inputs.
    """
    first = next((layer for layer in network.layers if not isinstance(layer, Flatten)), None)
    if not isinstance(first, Dense) or settings.weight_decay or getattr(optimizer, "weight_decay", 0):
        return None
    used = x.reshape(len(x), -1).any(axis=0)
    if not used.any() or used.all():
        return None
    name = next(name for name, weights in network.weights().items() if weights.ndim == 2)
    for vector in optimizer.state.values():
        if _views(network, vector)[name][~used].any():  # the optimizer would still move them
            return None
    return np.flatnonzero(used)


def _views(network: Network, vector: Array) -> dict[str, Array]:
    """Views of a vector of the parameters' length, by parameter name."""
    if vector.shape != network.params.shape:
        raise SpecError(
            "expected {size} numbers; got {got}", field="optimizer.state", size=network.params.size, got=vector.size
        )
    twin = Network.from_spec(network.spec(), dtype=vector.dtype)
    twin.bind_storage(vector, vector)
    return twin.weights()


def _copy(source: dict[str, Array], target: dict[str, Array], columns: Array | None) -> None:
    """Copy arrays by name between a network and the pool's, which may lack some inputs of the first layer."""
    for name, array in source.items():
        if array.shape == target[name].shape:
            target[name][:] = array
        elif len(array) > len(target[name]):
            target[name][:] = array[columns]
        else:
            target[name][columns] = array


def _start(file: int, config: dict[str, Any]) -> "subprocess.Popen[bytes]":
    process = spawn("app.nn.training.pool", file)
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it died at once; the first barrier reports it
        process.stdin.write(json.dumps({**config, "file": file, "parent": os.getpid()}).encode() + b"\n")
    return process


def main() -> None:
    """Train as one process of a pool, configured by standard input, until the parent process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent process
    config = json.loads(sys.stdin.readline())
    arrays = map_arrays(config["file"], config["plan"])
    memory = memory_of(arrays, config["slots"], config["count"])
    network = Network.from_spec(config["network"], dtype=config["dtype"])
    network.bind_storage(memory.params, memory.grads[config["rank"]])
    optimizer = build("optimizer", OPTIMIZERS, config["optimizer"]["spec"])
    optimizer.steps, optimizer.decayed = config["optimizer"]["steps"], config["optimizer"]["decayed"]
    optimizer.state = memory.state

    def check(_: float) -> None:
        if os.getppid() != config["parent"]:
            os._exit(0)

    barrier = SpinBarrier(arrays["flags"], config["rank"], config["count"], check)
    replica = Replica(
        network,
        optimizer,
        build("loss", LOSSES, config["loss"]),
        memory,
        StepSettings(**config["settings"]),
        batch_size=config["batch_size"],
        rank=config["rank"],
        wait=barrier.wait,
    )
    barrier.wait()
    job = arrays["job"]
    while True:
        barrier.wait()
        if job[0] == _EPOCH:
            replica.begin_epoch(int(job[1]), resumed=bool(job[2]))
            barrier.wait()
        elif job[0] == _RANDOM:
            replica.note_random()
            barrier.wait()
        else:
            replica.step(int(job[1]), int(job[2]), shuffled=bool(job[3]), scale=float(job[4]))
