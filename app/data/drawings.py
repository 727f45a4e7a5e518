"""The user's own labelled drawings: one JSON file each, `<folder>/<set>/<id>.json`, written whole or not at all."""

import os
import re
import stat
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.data.drawing import (
    DEFAULT_SET,
    SET_NAME,
    Drawing,
    check_label,
    check_set_name,
    new_drawing,
    pack_drawing,
    read_drawing,
)
from app.data.files import write_whole

LARGEST_SET = 100_000
"""Drawings in one set."""
MOST_SETS = 1000
RUBBISH_SECONDS = 3600.0
"""To make a set's folder while others remove it."""
SETTLED_NS = 1_000_000_000
"""A folder changed less than this before it was looked at may change again within one tick of its clock."""

_ID = re.compile(r"[0-9a-f]{14}-[0-9a-f]{8}")


class UnknownDrawingError(LookupError):
    """There is no drawing of that id."""


class FullError(RuntimeError):
    """The set, or the store, has all that it may have."""


@dataclass(frozen=True)
class DamagedDrawing:
    """A file among the drawings that cannot be used, and why."""

    id: str
    set: str
    reason: str


@dataclass(frozen=True)
class DrawingSet:
    """A set's name, how many usable drawings it has, of all labels and of each, and the files that are damaged."""

    name: str
    count: int
    labels: dict[str, int]
    damaged: list[DamagedDrawing]


@dataclass(frozen=True)
class DrawingPage:
    """Drawings, the newest first; `next` is the id to ask for what comes `before` it, or None at the end."""

    drawings: list[Drawing]
    next: str | None


@dataclass
class _Index:
    """What one set's folder held when it was last looked at."""

    stamp: int = -1
    labels: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    """When each file was written, in ns, and its inode."""


class DrawingStore:
    """The drawings under `folder`, which need not be there yet. Several threads and processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._indexes: dict[str, _Index] = {}
        self._lock = threading.Lock()

    def add(self, label: object, strokes: object, set_name: object = DEFAULT_SET) -> Drawing:
        """Keep a drawing, and return it.

        Raises ValueError that says what is wrong with it, FullError, and OSError where the disk refuses.
        """
        drawing = new_drawing(label, strokes, set_name)
        self.add_all([drawing])
        return drawing

    def add_all(self, drawings: Sequence[Drawing]) -> None:
        """Keep new drawings, all of them or none.

        Raises ValueError for one that is too large, FullError, and OSError where the disk refuses.
        """
        files = [(self.folder / drawing.set, drawing.id, pack_drawing(drawing)) for drawing in drawings]
        new = Counter(folder for folder, _, _ in files)
        if len(set(self._set_names()) | {folder.name for folder in new}) > MOST_SETS:
            raise FullError(f"expected at most {MOST_SETS} sets of drawings; there would be more")
        for folder, count in new.items():
            there = len(_ids(folder))
            if there + count > LARGEST_SET:
                raise FullError(f"expected at most {LARGEST_SET} drawings in a set; {folder.name} has {there} already")
        written: list[Path] = []
        try:
            for folder, drawing_id, data in files:
                self._write(folder, drawing_id, data)
                written.append(folder / f"{drawing_id}.json")
        except OSError:
            for path in written:
                path.unlink(missing_ok=True)
            raise

    def relabel(self, drawing_id: str, label: object) -> Drawing:
        """Give a drawing another label, and return it. Raises ValueError, UnknownDrawingError, OSError."""
        checked = check_label(label)
        path = self._find(drawing_id)
        try:
            drawing = replace(read_drawing(path, path.parent.name), label=checked)
        except FileNotFoundError:
            raise UnknownDrawingError("there is no such drawing") from None
        self._write(path.parent, drawing_id, pack_drawing(drawing))
        return drawing

    def labels(self, set_name: str) -> dict[str, str]:
        """The label of each usable drawing of a set, by its id. Raises ValueError for the name."""
        return dict(self._look(check_set_name(set_name)).labels)

    def page(
        self, set_name: str | None = None, label: str | None = None, limit: int = 100, before: str | None = None
    ) -> DrawingPage:
        """At most `limit` drawings, the newest first, of one set and one label or of all. Raises ValueError."""
        if before is not None and not _ID.fullmatch(before):
            raise ValueError("before: expected the id of a drawing, as `next` gives it")
        wanted = None if label is None else check_label(label)
        names = self._set_names() if set_name is None else [check_set_name(set_name)]
        places = []
        for name in names:
            labels = self._look(name).labels
            places += [(i, name) for i, of in labels.items() if wanted in (None, of) and (before is None or i < before)]
        places.sort(reverse=True)
        drawings: list[Drawing] = []
        for place, (drawing_id, name) in enumerate(places):
            if len(drawings) == limit:
                return DrawingPage(drawings, places[place - 1][0])
            try:
                drawings.append(read_drawing(self.folder / name / f"{drawing_id}.json", name))
            except FileNotFoundError:
                continue  # removed since
            except (ValueError, OSError) as error:
                self._found_damaged(name, drawing_id, error)
        return DrawingPage(drawings, None)

    def sets(self) -> list[DrawingSet]:
        """All sets by name, with what they hold."""
        found = []
        for name in self._set_names():
            index = self._look(name)
            damaged = [DamagedDrawing(i, name, reason) for i, reason in sorted(index.damaged.items())]
            if index.labels or damaged:
                counts = Counter(index.labels.values())
                found.append(DrawingSet(name, len(index.labels), dict(sorted(counts.items())), damaged))
        return found

    def load(self, set_name: str) -> list[Drawing]:
        """All usable drawings of a set, the oldest first, without damaged files. Raises ValueError for the name."""
        return list(self.each(set_name))

    def each(self, set_name: str) -> Iterator[Drawing]:
        """As `load`, one by one."""
        folder = self.folder / check_set_name(set_name)
        return _usable(folder, set_name) if _is_folder(folder) else iter(())

    def delete(self, drawing_id: str) -> None:
        """Remove a drawing, also a damaged one. Raises UnknownDrawingError."""
        try:
            self._find(drawing_id).unlink()
        except FileNotFoundError:
            raise UnknownDrawingError("there is no such drawing") from None

    def tidy(self) -> None:
        """Remove what a process that was killed while it wrote has left behind over an hour ago, and empty sets."""
        for name in self._set_names():
            with suppress(OSError):  # there are drawings in it
                (self.folder / name).rmdir()
            for path in (self.folder / name).glob(".*.tmp"):
                with suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > RUBBISH_SECONDS:
                        path.unlink()

    def _set_names(self) -> list[str]:
        try:
            with os.scandir(self.folder) as entries:
                return sorted(e.name for e in entries if SET_NAME.fullmatch(e.name) and e.is_dir(follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _find(self, drawing_id: str) -> Path:
        """The file of a drawing. Raises UnknownDrawingError."""
        if _ID.fullmatch(drawing_id):
            for name in self._set_names():
                path = self.folder / name / f"{drawing_id}.json"
                if path.is_file():
                    return path
        raise UnknownDrawingError("there is no such drawing")

    def _look(self, name: str) -> _Index:
        """What is in a set; files seen before are not read again, unless another was put in their place."""
        folder = self.folder / name
        with self._lock:
            if not _is_folder(folder):
                self._indexes.pop(name, None)
                return _Index()
            index = self._indexes.get(name)
            try:
                changed = folder.stat().st_mtime_ns
            except FileNotFoundError:  # removed since
                return _Index()
            if index is not None and index.stamp == changed:
                return index
            known = index or _Index()
            settled = time.time_ns() - changed > SETTLED_NS
            index = _Index(stamp=changed if settled else -1)
            for drawing_id, file in _stamped(folder):
                index.files[drawing_id] = file
                if drawing_id in known.labels and known.files.get(drawing_id) == file:
                    index.labels[drawing_id] = known.labels[drawing_id]
                    continue
                try:
                    index.labels[drawing_id] = read_drawing(folder / f"{drawing_id}.json", name).label
                except FileNotFoundError:
                    continue  # removed since
                except (ValueError, OSError) as error:
                    index.damaged[drawing_id] = _reason(error)
            self._indexes[name] = index
            return index

    def _found_damaged(self, name: str, drawing_id: str, error: ValueError | OSError) -> None:
        with self._lock:
            index = self._indexes.get(name)
            if index is not None and index.labels.pop(drawing_id, None) is not None:
                index.damaged[drawing_id] = _reason(error)

    def _write(self, folder: Path, drawing_id: str, data: bytes) -> None:
        for last in (False, True):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                write_whole(folder / f"{drawing_id}.json", data, prefix=f".{drawing_id}.")
                return
            except FileNotFoundError:  # a server that starts has removed the folder, which was empty
                if last:
                    raise


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _ids(folder: Path) -> list[str]:
    """The ids of the drawings in a folder, the oldest first."""
    try:
        names = os.listdir(folder)  # noqa: PTH208  # pathlib makes an object of each of a hundred thousand names
    except FileNotFoundError:
        return []
    return sorted(name[:-5] for name in names if name.endswith(".json") and _ID.fullmatch(name[:-5]))


def _stamped(folder: Path) -> list[tuple[str, tuple[int, int]]]:
    """The ids of the drawings in a folder, the oldest first, with what changes when a file is replaced."""
    found = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".json") and _ID.fullmatch(entry.name[:-5]):
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    found.append((entry.name[:-5], (status.st_mtime_ns, status.st_ino)))
    return sorted(found)


def _usable(folder: Path, name: str) -> Iterator[Drawing]:
    for drawing_id in _ids(folder):
        with suppress(ValueError, OSError):
            yield read_drawing(folder / f"{drawing_id}.json", name)


def _reason(error: ValueError | OSError) -> str:
    return f"it cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
