"""An index of a set of drawings, so that a look at it reads only the files that are new or have changed.

It is in memory; a copy in `.index` beside the sets saves a new process the reading of all of them, and can be removed
at any time. Each entry has its file's time of modification and inode, and counts only while these are the same.
"""

import json
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pydantic_core import from_json

from app.data.drawings.drawing import read_drawing
from app.data.drawings.files import ID, reason_of, stamped
from app.errors import Message
from app.storage.atomic import write_atomic

FOLDER = ".index"
VERSION = 1
UNSAVED = 500
"""Entries that a copy may lack; they are read again by the next process."""
LARGEST_COPY = 64 << 20
"""The most bytes of a copy; one of 100,000 drawings has 9 MB."""
SETTLED_NS = 1_000_000_000
"""A folder changed less than this before reading may change again within one tick of its clock."""

FileStamp: TypeAlias = tuple[int, int]
"""A file's time of modification, in ns, and its inode."""


@dataclass
class Index:
    """The content of a set's folder, in the order of the ids.

    `changed` is the folder's time, in ns, when it was read or when this process changed it last; `settled` is False if
    another change may have come within the same tick of its clock; `read_at` is the monotonic time of the last look at
    all files.
    """

    changed: int = -1
    settled: bool = False
    read_at: float = 0.0
    labels: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    damaged: dict[str, Message] = field(default_factory=dict)
    files: dict[str, FileStamp] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    """The digests of the strokes that were computed."""
    unsaved: int = 0
    """The entries that the copy lacks."""

    def put(self, drawing_id: str, label: str, file: FileStamp) -> None:
        """Add a drawing, or change its label."""
        is_last = not self.labels or drawing_id > next(reversed(self.labels))
        known = drawing_id in self.labels
        if known:
            self._uncount(self.labels[drawing_id])
        self.labels[drawing_id] = label
        self.counts[label] += 1
        self.files[drawing_id] = file
        self.damaged.pop(drawing_id, None)
        self.unsaved += 1
        if not (is_last or known):  # by the clock of another machine
            self.labels = dict(sorted(self.labels.items()))

    def remove(self, drawing_id: str) -> None:
        """Remove a drawing or a damaged file."""
        label = self.labels.pop(drawing_id, None)
        if label is not None:
            self._uncount(label)
        for entries in (self.damaged, self.files, self.digests):
            entries.pop(drawing_id, None)

    def mark_damaged(self, drawing_id: str, reason: Message) -> None:
        """Move a drawing to the damaged files."""
        if drawing_id in self.labels:
            self.remove(drawing_id)
            self.damaged[drawing_id] = reason

    def _uncount(self, label: str) -> None:
        self.counts[label] -= 1
        if not self.counts[label]:
            del self.counts[label]


def read_index(folder: Path, name: str, changed: int, known: Index) -> Index:
    """Index the folder of set `name`, which `changed` at that time, in ns.

    Files in `known` are not read again, unless they were replaced.
    """
    index = Index(changed, time.time_ns() - changed > SETTLED_NS, time.monotonic(), unsaved=known.unsaved)
    for drawing_id, file in stamped(folder):
        index.files[drawing_id] = file
        if drawing_id in known.labels and known.files.get(drawing_id) == file:
            index.labels[drawing_id] = known.labels[drawing_id]
            if drawing_id in known.digests:
                index.digests[drawing_id] = known.digests[drawing_id]
            continue
        try:
            index.labels[drawing_id] = read_drawing(folder / f"{drawing_id}.json", name).label
            index.unsaved += 1
        except FileNotFoundError:
            continue  # removed in the meantime
        except (ValueError, OSError) as error:
            index.damaged[drawing_id] = reason_of(error)
    index.counts = Counter(index.labels.values())
    return index


def load_copy(store: Path, name: str) -> Index:
    """The copy of a set's index in the folder of all sets; an empty index if it is missing or damaged."""
    index = Index()
    try:
        with _copy_path(store, name).open("rb") as file:
            values = from_json(file.read(LARGEST_COPY))
        if values["version"] == VERSION:
            for drawing_id, (label, changed, inode) in values["drawings"].items():
                if not (ID.fullmatch(drawing_id) and type(label) is str and type(changed) is type(inode) is int):
                    return Index()
                index.labels[drawing_id] = label
                index.files[drawing_id] = (changed, inode)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Index()
    return index


def save_copy(store: Path, name: str, index: Index) -> None:
    """Write the copy of a set's index, unless the disk is read-only or full."""
    drawings: dict[str, Any] = {}
    files = dict(index.files)
    for drawing_id, label in list(index.labels.items()):
        if drawing_id in files:
            drawings[drawing_id] = (label, *files[drawing_id])
    data = json.dumps({"version": VERSION, "drawings": drawings}, separators=(",", ":")).encode()
    path = _copy_path(store, name)
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, data, prefix=f".{name}.")
        index.unsaved = 0


def remove_copy(store: Path, name: str) -> None:
    """Remove the copy of a set's index, if there is one."""
    with suppress(OSError):
        _copy_path(store, name).unlink(missing_ok=True)
        (store / FOLDER).rmdir()


def _copy_path(store: Path, name: str) -> Path:
    return store / FOLDER / f"{name}.json"
