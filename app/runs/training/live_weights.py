"""The weights of a training while somebody watches it learn.

A watcher marks a run as watched whenever it asks; the worker looks for a new mark between two batches, and writes the
weights. A training that nobody watches writes nothing.
"""

import os
import time
from pathlib import Path

from safetensors.numpy import save

from app.nn import Network
from app.storage.atomic import write_atomic

WATCHED_SECONDS = 3.0
"""The time for which a mark counts."""
LEAST_SECONDS = 0.08
"""The least time between two looks."""
MOST_PARAMETERS = 2_000_000


class LiveWeights:
    """The weights at hand of one log's runs, under `home`."""

    def __init__(self, home: Path, log: str) -> None:
        self._folder = home / "live" / log

    def ask(self, run: int) -> bytes | None:
        """Mark a run as watched, and return its weights as a safetensors file; None if there are none yet.

        The file's metadata has the `epoch` and `batch` after which they were. Raises OSError.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._mark(run).touch(mode=0o600)
        os.utime(self._mark(run))
        try:
            return self._weights(run).read_bytes()
        except FileNotFoundError:
            return None

    def writer(self, run: int) -> "LiveWeightsWriter":
        """The worker's side."""
        return LiveWeightsWriter(self._mark(run), self._weights(run))

    def forget(self, run: int) -> None:
        """Remove the weights and the mark of a run. Raises OSError."""
        for path in (self._weights(run), self._mark(run)):
            path.unlink(missing_ok=True)

    def _mark(self, run: int) -> Path:
        return self._folder / f"{run}.watched"

    def _weights(self, run: int) -> Path:
        return self._folder / f"{run}.safetensors"


class LiveWeightsWriter:
    """Writes the weights of a training at most every LEAST_SECONDS while it is watched."""

    def __init__(self, mark: Path, weights: Path) -> None:
        self._mark, self._weights = mark, weights
        self._seen: int | None = None
        self._watched_until = self._next = 0.0

    def offer(self, network: Network, *, epoch: int, batch: int) -> None:
        """Write the network's weights if somebody watches and it is time; try later where they cannot be written."""
        now = time.monotonic()
        if now < self._next or network.params.size > MOST_PARAMETERS:
            return
        self._next = now + LEAST_SECONDS
        try:
            mark = self._mark.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if mark != self._seen:  # files and processes may have different clocks
            self._seen, self._watched_until = mark, now + WATCHED_SECONDS
        if now < self._watched_until:
            metadata = {"epoch": str(epoch), "batch": str(batch)}
            weights = {name: array.copy() for name, array in network.weights().items()}
            try:
                write_atomic(self._weights, save(weights, metadata), prefix=".live-", durable=False)
            except OSError:  # a full disk is no reason to end a training that can go on
                self._next = now + WATCHED_SECONDS
