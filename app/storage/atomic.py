"""Writing files whole or not at all, and so that they survive a loss of power."""

import errno
import os
import tempfile
from pathlib import Path


def write_synced(path: Path, data: bytes) -> None:
    """Write `data` and return when it is on the disk. Raises OSError."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_whole(path: Path, data: bytes, *, prefix: str) -> None:
    """Put `data` at `path`, in the place of what is there, or leave all as it was. Raises OSError.

    Meanwhile it lies beside, under a name that begins with `prefix` and ends with ".tmp".
    """
    handle, temporary = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=path.parent)
    os.close(handle)
    try:
        write_synced(Path(temporary), data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    sync_folder(path.parent)


def write_named(path: Path, data: bytes) -> None:
    """Put `data` where a person said, whole or not at all where that is a file or nothing yet. Raises OSError.

    A link stays one. What is no file (a pipe, a device) is written into.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    try:
        path = path.resolve()
    except RuntimeError:  # links that lead in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
    write_whole(path, data, prefix=".digitpad.")


def sync_folder(folder: Path) -> None:
    """Return when the names of the folder's files are on the disk. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
