"""Atomic and durable writes of files."""

import errno
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

STALE_SECONDS = 3600.0
"""The age of a temporary file whose process was killed."""


def is_stale(path: Path) -> bool:
    """Return True if a temporary file was left by a process that was killed. Raises FileNotFoundError."""
    return time.time() - path.stat().st_mtime > STALE_SECONDS


def write_synced(path: Path, data: bytes) -> None:
    """Write `data` and return when it is on the disk. Raises OSError."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_atomic(path: Path, data: bytes, *, prefix: str, mode: int = 0o600, durable: bool = True) -> None:
    """Write `data` to `path`, replacing an existing file, whose mode is kept, or change nothing. Raises OSError.

    The temporary file next to it has a name that begins with `prefix` and ends with ".tmp". What is not `durable` may
    be lost with the power.
    """
    with suppress(FileNotFoundError):
        mode = path.stat().st_mode & 0o777
    handle, temporary = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=path.parent)
    os.close(handle)
    try:
        (write_synced if durable else Path.write_bytes)(Path(temporary), data)
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    if durable:
        sync_folder(path.parent)


def write_named(path: Path, data: bytes) -> None:
    """Write `data` to a path that a user named, atomically if that is a regular or a new file. Raises OSError.

    A link is followed. A pipe or a device is written directly.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    try:
        path = path.resolve()
    except RuntimeError:  # links that lead in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
    write_atomic(path, data, prefix=".digitpad.", mode=0o644)


def sync_folder(folder: Path) -> None:
    """Sync the folder's entries to the disk. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
