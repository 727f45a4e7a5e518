"""The weights of a run along its training: at some moments of the first epoch, and after epochs.

Each moment is a file with the network's weights in half precision, one array after the other. The moments follow the
number of batches, not the time, so that a run that was interrupted has the same. What is kept of a run, and of all runs
of a log, is bounded; it goes with the run.
"""

import io
import math
import re
import shutil
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.errors import MessageError
from app.nn import Network, Trainer
from app.nn.arrays import Array
from app.storage.atomic import write_atomic

FIRST_EPOCH = 12
"""The parts of the first epoch, before its end, after which the weights are kept."""
MOST_MOMENTS = 100
LEAST_MOMENTS = 20
"""A network of which fewer fit is too large."""
MOST_BYTES = 64 * 2**20
"""The most bytes of a run."""
MOST_BYTES_OF_ALL = 2**30
"""The most bytes of a log's runs; the oldest are removed."""

_DTYPE = np.dtype("<f2")
_NAME = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})\.npy")


class NoTrajectoryError(MessageError):
    """The weights of a run along its training were not kept, or are gone."""

    code = "nothing_yet"


@dataclass(frozen=True, order=True)
class Moment:
    """After `epoch` epochs and `batch` further ones of `batches`."""

    epoch: int
    batch: int
    batches: int


def moments_of(epochs: int, batches: int, numbers: int) -> frozenset[Moment]:
    """The moments at which a training of a network of so many numbers is kept; none if it is too large.

    Those of the first epoch are closer together at its beginning, where more changes. Of many epochs every second,
    third, ... is kept, with the first and the last.
    """
    most = min(MOST_MOMENTS, MOST_BYTES // (numbers * _DTYPE.itemsize))
    if most < LEAST_MOMENTS:
        return frozenset()
    within = {math.ceil(batches * (part / FIRST_EPOCH) ** 2) for part in range(FIRST_EPOCH)}
    step = math.ceil(epochs / (most - FIRST_EPOCH - 1))
    ends = {1, *range(epochs, 0, -step)}
    moments = {(0, batch) for batch in within if batch < batches} | {(epoch, 0) for epoch in ends}
    return frozenset(Moment(epoch, batch, batches) for epoch, batch in moments)


class Trajectories:
    """The trajectories of one log's runs, under `home`."""

    def __init__(self, home: Path, log: str) -> None:
        self.home, self.log = home, log
        self._folder = home / "trajectories" / log

    def writer(self, run: int, trainer: Trainer) -> "TrajectoryWriter":
        """The worker's side; makes room for the run. Raises OSError."""
        numbers = sum(array.size for array in trainer.network.weights().values())
        moments = moments_of(trainer.options.epochs, trainer.batches, numbers)
        if moments:
            self._make_room(run)
        return TrajectoryWriter(self._of(run), trainer, moments)

    def moments(self, run: int) -> list[Moment]:
        """The kept moments of a run, in order; none if it is unknown."""
        found = (_NAME.fullmatch(path.name) for path in self._of(run).glob("*.npy"))
        return sorted(Moment(*map(int, match.groups())) for match in found if match is not None)

    def vector(self, run: int, moment: Moment, numbers: int) -> Array:
        """The weights of a run at a moment, float32 (`numbers`,). Raises NoTrajectoryError."""
        found: Array | None
        try:
            found = np.load(self._of(run) / _file(moment), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            found = None
        if found is None or found.shape != (numbers,) or found.dtype != _DTYPE or not np.isfinite(found).all():
            raise NoTrajectoryError("the weights of run {run} at this moment are missing or damaged", run=run)
        vector: Array = found.astype(np.float32)
        return vector

    def load(self, run: int, moment: Moment, network: Network) -> None:
        """Put the weights of a run at a moment into `network`. Raises NoTrajectoryError."""
        weights = network.weights()
        put_vector(network, self.vector(run, moment, sum(array.size for array in weights.values())))

    def forget(self, run: int) -> None:
        """Remove what is kept of a run."""
        shutil.rmtree(self._of(run), ignore_errors=True)

    def tidy(self, runs: Callable[[], Collection[int]]) -> None:
        """Remove what is kept of runs that are not in `runs()`, called after the folders are listed."""
        folders = self._folders()
        known = runs()
        for path in folders:
            if int(path.name) not in known:
                shutil.rmtree(path, ignore_errors=True)

    def _make_room(self, run: int) -> None:
        """Remove the oldest runs' until another has room."""
        sizes = {path: sum(file.stat().st_size for file in path.glob("*.npy")) for path in self._folders()}
        total = sum(sizes.values())
        for path in sorted(sizes, key=lambda path: int(path.name)):
            if total <= MOST_BYTES_OF_ALL - MOST_BYTES:
                break
            if path != self._of(run):
                shutil.rmtree(path, ignore_errors=True)
                total -= sizes[path]

    def _folders(self) -> list[Path]:
        return [path for path in self._folder.glob("*") if path.name.isdecimal()]

    def _of(self, run: int) -> Path:
        return self._folder / str(run)


class TrajectoryWriter:
    """Keeps the weights of a training at its `moments`."""

    def __init__(self, folder: Path, trainer: Trainer, moments: frozenset[Moment]) -> None:
        self._folder, self._trainer, self._moments = folder, trainer, moments
        for left in folder.glob(".moment-*.tmp"):  # by an attempt that was killed
            left.unlink(missing_ok=True)

    def offer(self, epoch: int, batch: int) -> None:
        """Keep the weights after `epoch` epochs and `batch` batches if that is one of the moments, and not yet kept."""
        moment = Moment(epoch, batch, self._trainer.batches)
        if moment not in self._moments or (self._folder / _file(moment)).exists():
            return
        self._trainer.publish()
        memory = io.BytesIO()
        np.save(memory, vector_of(self._trainer.network).clip(*_RANGE).astype(_DTYPE))
        with suppress(OSError):  # a full disk is no reason to end a training that can go on
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomic(self._folder / _file(moment), memory.getvalue(), prefix=".moment-", durable=False)


def vector_of(network: Network) -> Array:
    """All weights of a network, with the state of its layers, one array after the other."""
    return np.concatenate([array.ravel() for array in network.weights().values()])


def put_vector(network: Network, vector: Array) -> None:
    """Put weights as `vector_of` gives them into a network."""
    weights, start = {}, 0
    for name, array in network.weights().items():
        weights[name] = vector[start : start + array.size].reshape(array.shape).astype(array.dtype)
        start += array.size
    network.load_weights(weights)


_RANGE = (float(np.finfo(_DTYPE).min), float(np.finfo(_DTYPE).max))


def _file(moment: Moment) -> str:
    return f"{moment.epoch}.{moment.batch}.{moment.batches}.npy"
