"""Checkpoints: the complete state of a training in one file each, written atomically.

A run's row names its current checkpoint. Each one is written with a new name before the row is updated, so that a crash
in between keeps the old one. While a run is trained, the one before is kept too: after the failure of a database its
row may name that one. Files that are no longer needed are removed afterwards.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from app.errors import MessageError
from app.nn import Snapshot
from app.nn.arrays import Array
from app.runs.log.transitions import Lease
from app.storage.atomic import write_atomic

FORMAT = "1"


class CheckpointError(MessageError):
    """The checkpoint is missing or damaged; the message has no path."""

    code = "checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """A training's snapshot, the run that wrote it with its config, and its data set's labels."""

    snapshot: Snapshot
    run: int
    config: dict[str, Any]
    labels: list[str]
    metrics: dict[str, Any]
    """The metrics of the epoch with the smallest validation loss, or of the last one without validation."""
    losses: dict[str, Any] = field(default_factory=dict)
    """The state of the run's `LossCurve`; empty in the middle of no epoch, and in those of older versions."""


class Checkpoints:
    """The checkpoints of one log's runs, under `home`."""

    def __init__(self, home: Path, log: str) -> None:
        self._folder = home / "checkpoints" / log

    def write(self, lease: Lease, checkpoint: Checkpoint) -> str:
        """Write a checkpoint and return its name. Raises OSError."""
        snapshot = checkpoint.snapshot
        name = f"{lease.run}.{lease.attempt}.{snapshot.epoch}.{snapshot.batch}.safetensors"
        metadata = {
            "format": FORMAT,
            "snapshot": json.dumps(snapshot.numbers()),
            **{key: json.dumps(getattr(checkpoint, key)) for key in (*_DESCRIBED, "losses")},
        }
        if _is_best(snapshot):  # the best weights are the last ones, so store one copy
            snapshot = snapshot.without_best()
        metadata["sha256"] = _digest(snapshot.arrays, metadata)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomic(self._folder / name, save(snapshot.arrays, metadata), prefix=f".{lease.run}.{lease.attempt}.")
        return name

    def read(self, name: str) -> Checkpoint:
        """Read a checkpoint, and check that it is whole and the one that was written with this name.

        Raises CheckpointError.
        """
        path = self._folder / name
        try:
            with safe_open(path, framework="numpy") as file:
                metadata: dict[str, str] = file.metadata() or {}
                arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # it is no mapping
            snapshot = Snapshot.of(json.loads(metadata["snapshot"]), arrays)
            described = {key: json.loads(metadata[key]) for key in _DESCRIBED}
            described["losses"] = json.loads(metadata.get("losses", "{}"))
            digest = metadata.pop("sha256", None)  # older versions wrote none
            if digest not in (None, _digest(arrays, metadata)) or not _is_named(name, snapshot, described["run"]):
                raise CheckpointError("its checkpoint is damaged")
        except FileNotFoundError:
            raise CheckpointError("its checkpoint is missing") from None
        except (SafetensorError, ValueError, KeyError, TypeError, OSError):
            raise CheckpointError("its checkpoint is damaged") from None
        if _is_best(snapshot):
            arrays = {**arrays, **{f"best.{key}": array for key, array in snapshot.part("network").items()}}
        return Checkpoint(snapshot=replace(snapshot, arrays=arrays), **described)

    def peek(self, name: str, key: str) -> tuple[int, Array]:
        """The epoch of a checkpoint and one array of its snapshot, without reading the rest. Raises CheckpointError."""
        try:
            with safe_open(self._folder / name, framework="numpy") as file:
                return int(json.loads((file.metadata() or {})["snapshot"])["epoch"]), file.get_tensor(key)
        except FileNotFoundError:
            raise CheckpointError("its checkpoint is missing") from None
        except (SafetensorError, ValueError, KeyError, TypeError, OSError):
            raise CheckpointError("its checkpoint is damaged") from None

    def written(self, name: str) -> float | None:
        """A checkpoint's time of writing, in seconds since 1970; None if it does not exist."""
        try:
            return (self._folder / name).stat().st_mtime
        except FileNotFoundError:
            return None

    def copy(self, name: str, run: int) -> str:
        """Copy a checkpoint as the first one of another run; return its name. Raises CheckpointError, OSError."""
        copied = f"{run}.0.{name.split('.', 2)[2]}"
        try:
            (self._folder / copied).unlink(missing_ok=True)
            os.link(self._folder / name, self._folder / copied)
        except FileNotFoundError:
            raise CheckpointError("its checkpoint is missing") from None
        except OSError:  # a file system without links
            shutil.copyfile(self._folder / name, self._folder / copied)
        return copied

    def keep_only(self, run: int, *names: str | None, attempt: int | None = None) -> None:
        """Remove all files of `run` except the checkpoints `names` and those of attempts later than `attempt`."""
        for pattern in (f"{run}.*.safetensors", f".{run}.*.tmp"):
            for path in self._folder.glob(pattern):
                number = path.name.lstrip(".").split(".")[1]
                is_later = attempt is not None and number.isdecimal() and int(number) > attempt
                if path.name not in names and not is_later:
                    path.unlink(missing_ok=True)

    def tidy(self, runs: Callable[[], Collection[int]]) -> None:
        """Remove the checkpoints of runs that are not in `runs()`, called after the files are listed."""
        paths = list(self._folder.glob("*.safetensors"))
        known = runs()
        for path in paths:
            run = path.name.partition(".")[0]
            if run.isdecimal() and int(run) not in known:
                path.unlink(missing_ok=True)


_DESCRIBED = ("run", "config", "labels", "metrics")


def _digest(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> str:
    """The SHA-256 of a checkpoint's content, in hex."""
    digest = hashlib.sha256(json.dumps(sorted(metadata.items())).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _is_named(name: str, snapshot: Snapshot, run: int) -> bool:
    """True if a checkpoint of this content has this name; one of attempt 0 is a copy of another run's."""
    named_run, attempt, epoch, batch = map(int, name.split(".")[:4])
    return (epoch, batch) == (snapshot.epoch, snapshot.batch) and (attempt == 0 or run == named_run)


def _is_best(snapshot: Snapshot) -> bool:
    return snapshot.batch == 0 and 0 < snapshot.epoch == snapshot.best_epoch
