"""The files of a drawing set."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.data.drawings.drawing import Drawing, read_drawing
from app.errors import Message, message_of

ID = re.compile(r"[0-9a-f]{14}-[0-9a-f]{8}")


def is_folder(path: Path) -> bool:
    """True if `path` is a folder, and not a link."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def ids_in(folder: Path) -> list[str]:
    """The ids of the drawings in a folder, oldest first."""
    try:
        names = os.listdir(folder)  # noqa: PTH208  # pathlib makes an object of each of a hundred thousand names
    except FileNotFoundError:
        return []
    return sorted(name[:-5] for name in names if name.endswith(".json") and ID.fullmatch(name[:-5]))


def stamped(folder: Path) -> list[tuple[str, tuple[int, int]]]:
    """The ids of the drawings in a folder, oldest first, each with its file's time (ns) and inode."""
    found = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".json") and ID.fullmatch(entry.name[:-5]):
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    found.append((entry.name[:-5], (status.st_mtime_ns, status.st_ino)))
    return sorted(found)


def usable(folder: Path, name: str) -> Iterator[Drawing]:
    """The readable drawings of a folder, oldest first."""
    for drawing_id in ids_in(folder):
        with suppress(ValueError, OSError):
            yield read_drawing(folder / f"{drawing_id}.json", name)


def reason_of(error: ValueError | OSError) -> Message:
    """The reason why a file cannot be used."""
    return Message("it cannot be read: {why}", why=error.strerror) if isinstance(error, OSError) else message_of(error)
