"""Files from the network: into the cache whole or not at all, never larger than they may be, and checked."""

import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from app.data.sources.idx import CHUNK_BYTES
from app.errors import InputError

Found = TypeVar("Found")


def download(url: str, path: Path, check: Callable[[Path], Found], *, timeout: float, most: int) -> Found:
    """Fetch `url` to `path`, and give what `check` makes of the file, which raises ValueError for a wrong one.

    `timeout` is in seconds, `most` in bytes. Raises ValueError, OSError, HTTPException; then nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".part", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            with urllib.request.urlopen(url, timeout=timeout) as response:
                size = 0
                while chunk := response.read(CHUNK_BYTES):
                    size += len(chunk)
                    if size > most:
                        raise InputError("expected at most {most} bytes; got more", most=most)
                    file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        found = check(partial)
        partial.replace(path)
        return found
    finally:
        partial.unlink(missing_ok=True)


def from_mirrors(mirrors: Sequence[str], fetch: Callable[[str], Found]) -> tuple[Found | None, list[str]]:
    """What the first mirror gives that has it, and why those before it did not."""
    reasons: list[str] = []
    for mirror in mirrors:
        try:
            return fetch(mirror), reasons
        except (ValueError, OSError, http.client.HTTPException) as error:
            reasons.append(f"{mirror}: {reason(error)}")
    return None, reasons


def reason(error: Exception) -> str:
    """Why, without a path of this machine."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"HTTP status {error.code}"
    if isinstance(error, urllib.error.URLError):
        return f"no connection ({type(error.reason).__name__})"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)
