"""The files of a set of drawings: which there are, when they were written, and what is in them."""

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.data.drawings.drawing import Drawing, read_drawing
from app.errors import Message, message_of

ID = re.compile(r"[0-9a-f]{14}-[0-9a-f]{8}")


def is_folder(path: Path) -> bool:
    """Whether a path is a folder's, and not that of a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def ids_in(folder: Path) -> list[str]:
    """The ids of the drawings in a folder, the oldest first."""
    try:
        names = os.listdir(folder)  # noqa: PTH208  # pathlib makes an object of each of a hundred thousand names
    except FileNotFoundError:
        return []
    return sorted(name[:-5] for name in names if name.endswith(".json") and ID.fullmatch(name[:-5]))


def stamped(folder: Path) -> list[tuple[str, tuple[int, int]]]:
    """The ids of the drawings in a folder, the oldest first, with what changes when a file is replaced."""
    found = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".json") and ID.fullmatch(entry.name[:-5]):
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    found.append((entry.name[:-5], (status.st_mtime_ns, status.st_ino)))
    return sorted(found)


def usable(folder: Path, name: str) -> Iterator[Drawing]:
    """The drawings of a folder that can be read, the oldest first."""
    for drawing_id in ids_in(folder):
        with suppress(ValueError, OSError):
            yield read_drawing(folder / f"{drawing_id}.json", name)


def reason_of(error: ValueError | OSError) -> str:
    """Why a file cannot be used, in words."""
    return Message("it cannot be read: {why}", why=error.strerror) if isinstance(error, OSError) else message_of(error)


SETTLED_NS = 1_000_000_000
"""A folder changed less than this before it was looked at may change again within one tick of its clock."""


@dataclass
class Index:
    """What one set's folder held when it was last looked at."""

    stamp: int = -1
    labels: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    """When each file was written, in ns, and its inode."""
    distinct: int | None = None
    """How many drawings differ in their strokes, once that was asked."""


def read_index(folder: Path, name: str, changed: int, known: Index) -> Index:
    """What is in the folder of set `name`, which `changed` at that time, in ns.

    Files that are in `known` are not read again, unless another was put in their place.
    """
    settled = time.time_ns() - changed > SETTLED_NS
    index = Index(stamp=changed if settled else -1)
    for drawing_id, file in stamped(folder):
        index.files[drawing_id] = file
        if drawing_id in known.labels and known.files.get(drawing_id) == file:
            index.labels[drawing_id] = known.labels[drawing_id]
            continue
        try:
            index.labels[drawing_id] = read_drawing(folder / f"{drawing_id}.json", name).label
        except FileNotFoundError:
            continue  # removed since
        except (ValueError, OSError) as error:
            index.damaged[drawing_id] = reason_of(error)
    return index
