"""The user's own labelled drawings: one JSON file each, `<folder>/<set>/<id>.json`, written whole or not at all."""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.data.drawings.drawing import (
    DEFAULT_SET,
    SET_NAME,
    Drawing,
    check_label,
    check_set_name,
    digest_of,
    new_drawing,
    pack_drawing,
    read_drawing,
)
from app.data.drawings.files import ID, Index, ids_in, is_folder, read_index, reason_of, usable
from app.data.drawings.labels import check_labels, declared_at, read_declared, remove_declared, write_declared
from app.errors import InputError, MessageError
from app.storage.atomic import write_atomic
from app.storage.lock import FolderLock

LARGEST_SET = 100_000
"""Drawings in one set."""
MOST_SETS = 1000
RUBBISH_SECONDS = 3600.0
"""To make a set's folder while others remove it."""
ABANDONED_SECONDS = 30 * 86_400.0
"""To draw the first drawing of a set whose labels were declared."""


class UnknownDrawingError(MessageError):
    """There is no drawing of that id."""

    code = "unknown_drawing"


class SetExistsError(MessageError):
    """There is a set of that name already."""

    code = "set_exists"


class FullError(MessageError):
    """The set, or the store, has all that it may have."""

    code = "full"


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
    declared: tuple[str, ...] = ()
    """The labels that it is to have, as they were said when it was made."""


@dataclass(frozen=True)
class DrawingPage:
    """Drawings, the newest first; `next` is the id to ask for what comes `before` it, or None at the end."""

    drawings: list[Drawing]
    next: str | None


class DrawingStore:
    """The drawings under `folder`, which need not be there yet. Several threads and processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._indexes: dict[str, Index] = {}
        self._lock = threading.Lock()
        self._writing = FolderLock(folder)

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
        with self._writing.hold():  # or two at once would both find room
            self._check_room(new)
            self._write_all(files)

    def create_set(self, set_name: object, labels: object, *, add: bool = False) -> DrawingSet:
        """Keep the labels that a set is to have, before anything is drawn, and return the set.

        With `add` they may join those of a set that has drawings. Raises ValueError, SetExistsError, FullError and
        OSError.
        """
        name, wanted = check_set_name(set_name), check_labels(labels)
        with self._writing.hold():
            there = self.find_set(name)
            if there.count and not add:
                raise SetExistsError(
                    "a set named {name} already exists, with {count} drawings", name=name, count=there.count
                )
            self._check_room(Counter({self.folder / name: 0}))
            union = [*dict.fromkeys([*(there.declared if add else ()), *wanted])]
            write_declared(self.folder / name, check_labels(union))
        return self.find_set(name)

    def undeclare(self, set_name: object) -> None:
        """Remove a set that has no drawings, with its labels.

        Raises ValueError for the name, UnknownDrawingError where there is no such set, SetExistsError where it has
        drawings
        and OSError.
        """
        name = check_set_name(set_name)
        if not is_folder(self.folder / name):
            raise UnknownDrawingError("there is no set named {name}", name=name)
        with self._writing.hold():
            there = self.find_set(name)
            if there.count or there.damaged:
                raise SetExistsError(
                    "there are {value} drawings in {name}: delete them first",
                    value=there.count + len(there.damaged),
                    name=name,
                )
            remove_declared(self.folder / name)

    def find_set(self, set_name: object) -> DrawingSet:
        """A set as `sets` has it, also one with nothing in it. Raises ValueError for the name."""
        name = check_set_name(set_name)
        index = self._look(name)
        damaged = [DamagedDrawing(i, name, reason) for i, reason in sorted(index.damaged.items())]
        counts = dict(sorted(Counter(index.labels.values()).items()))
        return DrawingSet(name, len(index.labels), counts, damaged, read_declared(self.folder / name))

    def _check_room(self, new: Mapping[Path, int]) -> None:
        if len(set(self._set_names()) | {folder.name for folder in new}) > MOST_SETS:
            raise FullError(
                "expected at most {most_sets} sets of drawings; this would be one more", most_sets=MOST_SETS
            )
        for folder, count in new.items():
            there = len(ids_in(folder))
            if there + count > LARGEST_SET:
                raise FullError(
                    "expected at most {largest_set} drawings in a set; {name} already has {there}",
                    largest_set=LARGEST_SET,
                    name=folder.name,
                    there=there,
                )

    def _write_all(self, files: Sequence[tuple[Path, str, bytes]]) -> None:
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
        self._find(drawing_id)
        with self._writing.hold():  # or one that is deleted meanwhile would come back
            path = self._find(drawing_id)
            try:
                drawing = replace(read_drawing(path, path.parent.name), label=checked)
            except FileNotFoundError:  # somebody who knows of no lock has removed it
                raise UnknownDrawingError("there is no such drawing") from None
            self._write(path.parent, drawing_id, pack_drawing(drawing))
        return drawing

    def labels(self, set_name: str) -> dict[str, str]:
        """The label of each usable drawing of a set, by its id. Raises ValueError for the name."""
        return dict(self._look(check_set_name(set_name)).labels)

    def count_distinct(self, set_name: str) -> int:
        """How many usable drawings of a set differ in their strokes. Raises ValueError for the name."""
        index = self._look(check_set_name(set_name))
        if index.distinct is None:
            index.distinct = len({digest_of(drawing) for drawing in self.each(set_name)})
        return index.distinct

    def page(
        self, set_name: str | None = None, label: str | None = None, limit: int = 100, before: str | None = None
    ) -> DrawingPage:
        """At most `limit` drawings, the newest first, of one set and one label or of all. Raises ValueError."""
        if before is not None and not ID.fullmatch(before):
            raise InputError("expected the id of a drawing, as `next` gives it", field="before")
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
        found = [self.find_set(name) for name in self._set_names()]
        return [one for one in found if one.count or one.damaged]

    def load(self, set_name: str) -> list[Drawing]:
        """All usable drawings of a set, the oldest first, without damaged files. Raises ValueError for the name."""
        return list(self.each(set_name))

    def each(self, set_name: str) -> Iterator[Drawing]:
        """As `load`, one by one."""
        folder = self.folder / check_set_name(set_name)
        return usable(folder, set_name) if is_folder(folder) else iter(())

    def delete(self, drawing_id: str) -> None:
        """Remove a drawing, also a damaged one. Raises UnknownDrawingError."""
        self._find(drawing_id)
        with self._writing.hold():
            self._find(drawing_id).unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what a process that was killed while it wrote has left behind over an hour ago, and empty sets.

        Those too that were declared a month ago and never drawn.
        """
        for name in self._set_names():
            with suppress(OSError, SetExistsError):
                if time.time() - declared_at(self.folder / name) > ABANDONED_SECONDS:
                    self.undeclare(name)
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
        if ID.fullmatch(drawing_id):
            for name in self._set_names():
                path = self.folder / name / f"{drawing_id}.json"
                if path.is_file():
                    return path
        raise UnknownDrawingError("there is no such drawing")

    def _look(self, name: str) -> Index:
        """What is in a set; files seen before are not read again, unless another was put in their place."""
        folder = self.folder / name
        with self._lock:
            if not is_folder(folder):
                self._indexes.pop(name, None)
                return Index()
            index = self._indexes.get(name)
            try:
                changed = folder.stat().st_mtime_ns
            except FileNotFoundError:  # removed since
                return Index()
            if index is not None and index.stamp == changed:
                return index
            index = read_index(folder, name, changed, index or Index())
            self._indexes[name] = index
            return index

    def _found_damaged(self, name: str, drawing_id: str, error: ValueError | OSError) -> None:
        with self._lock:
            index = self._indexes.get(name)
            if index is not None and index.labels.pop(drawing_id, None) is not None:
                index.damaged[drawing_id] = reason_of(error)

    def _write(self, folder: Path, drawing_id: str, data: bytes) -> None:
        for last in (False, True):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                write_atomic(folder / f"{drawing_id}.json", data, prefix=f".{drawing_id}.")
                return
            except FileNotFoundError:  # a server that starts has removed the folder, which was empty
                if last:
                    raise
