"""The store of the user's labelled drawings: one JSON file each, `<folder>/<set>/<id>.json`, written atomically."""

import heapq
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from app.data.drawings.drawing import (
    DEFAULT_SET,
    KEY_DIGITS,
    SET_NAME,
    Drawing,
    check_label,
    check_set_name,
    digest_of,
    new_drawing,
    pack_drawing,
    read_drawing,
)
from app.data.drawings.files import ID, ids_in, is_folder, reason_of, usable
from app.data.drawings.index import SETTLED_NS, UNSAVED, Index, load_copy, read_index, remove_copy, save_copy
from app.data.drawings.labels import check_labels, declared_at, in_order, read_declared, remove_declared, write_declared
from app.errors import InputError, MessageError, shortened
from app.nn import abbreviate
from app.storage.atomic import is_stale, write_atomic
from app.storage.lock import FolderLock

LARGEST_SET = 100_000
"""The most drawings of a set."""
MOST_SETS = 1000
SMALL_SET = 2_000
"""The most drawings of a set whose files are all looked at, in milliseconds, whenever one may have changed."""
LOOK_SECONDS = 10.0
"""The least time between two looks at all files of a larger set, in a thread, after changes of this process."""
ABANDONED_SECONDS = 30 * 86_400.0
"""The age of a declared set without drawings after which it is removed."""


class UnknownDrawingError(MessageError):
    """There is no drawing with this id."""

    code = "unknown_drawing"


class UnknownSetError(MessageError):
    """There is no set with this name."""

    code = "unknown_set"


class SetExistsError(MessageError):
    """A set with this name already exists."""

    code = "set_exists"


class FullError(MessageError):
    """The set, or the store, is full."""

    code = "full"


@dataclass(frozen=True)
class DamagedDrawing:
    """A file among the drawings that cannot be used, and the reason."""

    id: str
    set: str
    reason: str


@dataclass(frozen=True)
class DrawingSet:
    """A set's name, its counts of usable drawings in total and by label, and its damaged files.

    The labels are in the order of `in_order`.
    """

    name: str
    count: int
    labels: dict[str, int]
    damaged: list[DamagedDrawing]
    declared: tuple[str, ...] = ()
    """The labels declared when the set was created."""

    @property
    def all_labels(self) -> list[str]:
        """The declared labels and those of drawings."""
        return in_order(self.declared, [*self.declared, *self.labels])


@dataclass(frozen=True)
class DrawingPage:
    """Drawings, newest first; `next` is the `before` of the next page, or None at the end."""

    drawings: list[Drawing]
    next: str | None


class DrawingStore:
    """The drawings under `folder`, which need not exist yet. Safe for threads and processes.

    Changes of this store cost the same however many drawings there are. Those of other programs are seen by the time of
    the folder; then all files of the set are looked at, and the changed ones are read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._indexes: dict[str, Index] = {}
        self._lock = threading.Lock()
        self._reading: dict[str, threading.Lock] = {}
        self._looking: threading.Thread | None = None
        self._writing = FolderLock(folder)

    def add(
        self,
        label: object,
        strokes: object,
        set_name: object = DEFAULT_SET,
        *,
        key: str | None = None,
        among: bool = False,
    ) -> Drawing:
        """Store a drawing, and return it; the one that was stored with the same `key`, if it is the same.

        With `among` the set must exist, and the label must be one of its labels. Raises ValueError if it is invalid,
        UnknownSetError, FullError, and OSError if it cannot be written.
        """
        drawing = new_drawing(label, strokes, set_name, key)
        data = pack_drawing(drawing)
        with self._writing.hold():
            existing = None if key is None else self._find_sent(drawing)
            if existing is not None:
                return existing
            if among:
                self._check_among(drawing)
            self._check_room(Counter({self.folder / drawing.set: 1}))
            self._write_all([(self.folder / drawing.set, drawing, data)])
        return drawing

    def _find_sent(self, drawing: Drawing) -> Drawing | None:
        """The drawing of the same set, key, label and strokes."""
        folder = self.folder / drawing.set
        for drawing_id in self._index(drawing.set).labels:
            if drawing_id[-KEY_DIGITS:] == drawing.id[-KEY_DIGITS:]:
                with suppress(ValueError, OSError):
                    found = read_drawing(folder / f"{drawing_id}.json", drawing.set)
                    if (found.label, found.strokes) == (drawing.label, drawing.strokes):
                        return found
        return None

    def _check_among(self, drawing: Drawing) -> None:
        labels = self.find_set(drawing.set).all_labels
        if not labels:
            raise UnknownSetError("there is no set named {name} any more", name=drawing.set)
        if drawing.label not in labels:
            known = shortened(labels)
            raise InputError(
                "expected one of the labels of {name}: {labels}; got {value}",
                field="label",
                name=drawing.set,
                labels=known,
                value=abbreviate(drawing.label),
            )

    def add_all(self, drawings: Sequence[Drawing]) -> None:
        """Store new drawings, all or none.

        Raises ValueError if one is too large, FullError, and OSError if one cannot be written.
        """
        files = [(self.folder / drawing.set, drawing, pack_drawing(drawing)) for drawing in drawings]
        new = Counter(folder for folder, _, _ in files)
        with self._writing.hold():  # so that concurrent calls respect the limits
            self._check_room(new)
            self._write_all(files)

    def create_set(self, set_name: object, labels: object, *, add: bool = False) -> DrawingSet:
        """Declare the labels of a set before the first drawing, and return the set.

        With `add` they are added to those of an existing set. Raises ValueError, SetExistsError, FullError and OSError.
        """
        name, declared = check_set_name(set_name), check_labels(labels)
        with self._writing.hold():
            existing = self.find_set(name)
            if existing.count and not add:
                raise SetExistsError(
                    "a set named {name} already exists, with {count} drawings", name=name, count=existing.count
                )
            self._check_room(Counter({self.folder / name: 0}))
            union = [*dict.fromkeys([*(existing.declared if add else ()), *declared])]
            write_declared(self.folder / name, check_labels(union))
        return self.find_set(name)

    def undeclare(self, set_name: object, *, with_drawings: bool = False) -> None:
        """Delete a set and its labels; `with_drawings` also one that has some.

        Raises ValueError for the name, UnknownDrawingError if there is no such set, SetExistsError if it has drawings,
        and OSError.
        """
        name = check_set_name(set_name)
        if not is_folder(self.folder / name):
            raise UnknownDrawingError("there is no set named {name}", name=name)
        with self._writing.hold():
            existing = self.find_set(name)
            if with_drawings:
                for drawing_id in [*self.labels(name), *(one.id for one in existing.damaged)]:
                    (self.folder / name / f"{drawing_id}.json").unlink(missing_ok=True)
            elif existing.count or existing.damaged:
                raise SetExistsError(
                    "there are {count} drawings in {name}: delete them first",
                    count=existing.count + len(existing.damaged),
                    name=name,
                )
            remove_declared(self.folder / name)
            remove_copy(self.folder, name)

    def find_set(self, set_name: object) -> DrawingSet:
        """A set as in `sets`, even if it is empty. Raises ValueError for the name."""
        name = check_set_name(set_name)
        index = self._index(name)
        damaged = [DamagedDrawing(i, name, reason) for i, reason in sorted(index.damaged.items())]
        declared, counts = read_declared(self.folder / name), index.counts
        ordered = {label: counts[label] for label in in_order(declared, counts)}
        return DrawingSet(name, len(index.labels), ordered, damaged, declared)

    def declared_labels(self, set_name: str) -> tuple[str, ...]:
        """The labels declared when the set was created. Raises ValueError for the name."""
        return read_declared(self.folder / check_set_name(set_name))

    def _check_room(self, new: Mapping[Path, int]) -> None:
        if len(set(self._set_names()) | {folder.name for folder in new}) > MOST_SETS:
            raise FullError("expected at most {most} sets of drawings; this would be one more", most=MOST_SETS)
        for folder, count in new.items():
            index = self._fresh_index(folder)
            existing = len(ids_in(folder) if index is None else index.files)
            if existing + count > LARGEST_SET:
                raise FullError(
                    "expected at most {most} drawings in a set; {name} already has {count}",
                    most=LARGEST_SET,
                    name=folder.name,
                    count=existing,
                )

    def _write_all(self, files: Sequence[tuple[Path, Drawing, bytes]]) -> None:
        indexes = {folder: self._fresh_index(folder) for folder, _, _ in files}
        written: list[Path] = []
        try:
            for folder, drawing, data in files:
                self._write(folder, drawing.id, data)
                written.append(folder / f"{drawing.id}.json")
        except OSError:
            for path in written:
                path.unlink(missing_ok=True)
            raise
        for folder, index in indexes.items():
            new = [drawing for place, drawing, _ in files if place == folder]
            self._follow(folder, index, partial(_put, folder=folder, drawings=new))

    def relabel(self, drawing_id: str, label: object) -> Drawing:
        """Change a drawing's label, and return the drawing. Raises ValueError, UnknownDrawingError, OSError."""
        checked = check_label(label)
        self._find(drawing_id)
        with self._writing.hold():  # so that a concurrent delete is not undone
            path = self._find(drawing_id)
            try:
                drawing = replace(read_drawing(path, path.parent.name), label=checked)
            except FileNotFoundError:  # removed by another program
                raise UnknownDrawingError("there is no such drawing") from None
            index = self._fresh_index(path.parent)
            self._write(path.parent, drawing_id, pack_drawing(drawing))
            self._follow(path.parent, index, partial(_put, folder=path.parent, drawings=[drawing]))
        return drawing

    def labels(self, set_name: str) -> dict[str, str]:
        """The labels of a set's usable drawings, by id. Raises ValueError for the name."""
        return dict(self._index(check_set_name(set_name)).labels)

    def count_distinct(self, set_name: str) -> int:
        """The number of usable drawings of a set with distinct strokes. Raises ValueError for the name."""
        index = self._index(check_set_name(set_name))
        for drawing_id in [drawing_id for drawing_id in list(index.labels) if drawing_id not in index.digests]:
            with suppress(ValueError, OSError):
                drawing = read_drawing(self.folder / set_name / f"{drawing_id}.json", set_name)
                index.digests[drawing_id] = digest_of(drawing)
        return len(set(index.digests.copy().values()))

    def page(
        self, set_name: str | None = None, label: str | None = None, limit: int = 100, before: str | None = None
    ) -> DrawingPage:
        """At most `limit` drawings, newest first, of one set and one label or of all. Raises ValueError."""
        if before is not None and not ID.fullmatch(before):
            raise InputError("expected the id of a drawing, as `next` gives it", field="before")
        label = None if label is None else check_label(label)
        names = self._set_names() if set_name is None else [check_set_name(set_name)]
        drawings: list[Drawing] = []
        last = None
        for drawing_id, name in heapq.merge(*(self._newest(name, label, before) for name in names), reverse=True):
            if len(drawings) == limit:
                return DrawingPage(drawings, last)
            last = drawing_id
            try:
                drawings.append(read_drawing(self.folder / name / f"{drawing_id}.json", name))
            except FileNotFoundError:
                continue  # removed in the meantime
            except (ValueError, OSError) as error:
                self._mark_damaged(name, drawing_id, error)
        return DrawingPage(drawings, None)

    def _newest(self, name: str, label: str | None, before: str | None) -> Iterator[tuple[str, str]]:
        """The ids and the set of the drawings of a page and those after it, newest first."""
        for drawing_id, labelled in reversed(list(self._index(name).labels.items())):
            if label in (None, labelled) and (before is None or drawing_id < before):
                yield drawing_id, name

    def sets(self) -> list[DrawingSet]:
        """All sets that have drawings or declared labels, by name."""
        sets = [self.find_set(name) for name in self._set_names()]
        return [one for one in sets if one.count or one.damaged or one.declared]

    def stamp(self) -> dict[str, int]:
        """The time in ns of the last change of each set, by name; one that is less than a second old may stay so."""
        found = {}
        for name in self._set_names():
            with suppress(FileNotFoundError):  # removed in the meantime
                found[name] = (self.folder / name).stat().st_mtime_ns
        return found

    def load(self, set_name: str) -> list[Drawing]:
        """All usable drawings of a set, oldest first. Raises ValueError for the name."""
        return list(self.each(set_name))

    def each(self, set_name: str) -> Iterator[Drawing]:
        """As `load`, as an iterator."""
        folder = self.folder / check_set_name(set_name)
        return usable(folder, set_name) if is_folder(folder) else iter(())

    def delete(self, drawing_id: str) -> None:
        """Delete a drawing, even a damaged one. Raises UnknownDrawingError."""
        self._find(drawing_id)
        with self._writing.hold():
            path = self._find(drawing_id)
            index = self._fresh_index(path.parent)
            path.unlink(missing_ok=True)
            self._follow(path.parent, index, lambda index: index.remove(drawing_id))

    def tidy(self) -> None:
        """Remove temporary files older than an hour, empty sets, and sets declared a month ago without drawings."""
        for name in self._set_names():
            with suppress(OSError, SetExistsError):
                if time.time() - declared_at(self.folder / name) > ABANDONED_SECONDS:
                    self.undeclare(name)
            with suppress(OSError):  # not empty
                (self.folder / name).rmdir()
                remove_copy(self.folder, name)
            for path in (self.folder / name).glob(".*.tmp"):
                with suppress(FileNotFoundError):
                    if is_stale(path):
                        path.unlink()

    def _set_names(self) -> list[str]:
        try:
            with os.scandir(self.folder) as entries:
                return sorted(e.name for e in entries if SET_NAME.fullmatch(e.name) and e.is_dir(follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _find(self, drawing_id: str) -> Path:
        """The file of a drawing. Raises UnknownDrawingError."""
        if ID.fullmatch(drawing_id):
            for name in self._set_names():
                path = self.folder / name / f"{drawing_id}.json"
                if path.is_file():
                    return path
        raise UnknownDrawingError("there is no such drawing")

    def _index(self, name: str) -> Index:
        """The index of a set, updated if its folder has changed."""
        folder = self.folder / name
        if not is_folder(folder):
            with self._lock:
                self._indexes.pop(name, None)
            return Index()
        index = self._up_to_date(folder)
        if index is not None:
            return index
        with self._lock:
            reading = self._reading.setdefault(name, threading.Lock())
        with reading:  # the others wait for one who reads
            return self._up_to_date(folder) or self._read(folder)

    def _up_to_date(self, folder: Path) -> Index | None:
        """The index of a set, unless its files must be looked at first."""
        index = self._fresh_index(folder)
        if index is None or index.settled:
            return index
        if len(index.files) <= SMALL_SET:
            return None
        with self._lock:
            is_due = time.time_ns() - index.changed > SETTLED_NS and time.monotonic() - index.read_at > LOOK_SECONDS
            if is_due and (self._looking is None or not self._looking.is_alive()):
                self._looking = threading.Thread(target=self._read, args=(folder,), name="drawings", daemon=True)
                self._looking.start()
        return index

    def _fresh_index(self, folder: Path) -> Index | None:
        """The index of a set if its folder has the time that the index knows."""
        index = self._indexes.get(folder.name)
        return index if index is not None and index.changed == _changed(folder) else None

    def _read(self, folder: Path) -> Index:
        """Look at all files of a set, and read those that are new or have changed."""
        name = folder.name
        changed = _changed(folder)
        if changed is None:
            return Index()
        with self._lock:
            before = self._indexes.get(name)
            known_time = before and before.changed
        index = read_index(folder, name, changed, load_copy(self.folder, name) if before is None else before)
        with self._lock:
            now = self._indexes.get(name)
            if now is before and (now and now.changed) == known_time:  # else it has changed in the meantime
                self._indexes[name] = index
        if index.unsaved >= UNSAVED:
            save_copy(self.folder, name, index)
        return index

    def _follow(self, folder: Path, index: Index | None, change: Callable[[Index], None]) -> None:
        """Apply a change of the files to the index that knew the folder before; call it with the store's lock held."""
        if index is not None:
            with self._lock, suppress(FileNotFoundError):  # removed in the meantime, so that all is looked at
                change(index)
                index.settled, index.changed = False, folder.stat().st_mtime_ns

    def _mark_damaged(self, name: str, drawing_id: str, error: ValueError | OSError) -> None:
        with self._lock:
            index = self._indexes.get(name)
            if index is not None:
                index.mark_damaged(drawing_id, reason_of(error))

    def _write(self, folder: Path, drawing_id: str, data: bytes) -> None:
        for last in (False, True):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                write_atomic(folder / f"{drawing_id}.json", data, prefix=f".{drawing_id}.")
                return
            except FileNotFoundError:  # another process has removed the empty folder
                if last:
                    raise


def _changed(folder: Path) -> int | None:
    """The time of a folder's last change, in ns; None if it was removed."""
    try:
        return folder.stat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return None


def _put(index: Index, folder: Path, drawings: Sequence[Drawing]) -> None:
    """Put stored drawings into the index of their folder. Raises FileNotFoundError."""
    for drawing in drawings:
        status = (folder / f"{drawing.id}.json").lstat()
        index.put(drawing.id, drawing.label, (status.st_mtime_ns, status.st_ino))
