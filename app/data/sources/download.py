"""Downloads into the cache: atomic, limited in size, and verified."""

import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from app.data.sources.idx import CHUNK_BYTES
from app.errors import InputError, Message, message_of

Found = TypeVar("Found")


def download(url: str, path: Path, check: Callable[[Path], Found], *, timeout: float, most: int) -> Found:
    """Download `url` to `path`, and return the result of `check` on the file, which raises ValueError for a wrong one.

    `timeout` is in seconds, `most` in bytes. Raises ValueError, OSError, HTTPException; then no file remains.
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
        result = check(partial)
        partial.replace(path)
        return result
    finally:
        partial.unlink(missing_ok=True)


def from_mirrors(mirrors: Sequence[str], fetch: Callable[[str], Found]) -> tuple[Found | None, list[Message]]:
    """The result of the first mirror that works, or None, and the reasons why others failed."""
    reasons: list[Message] = []
    for mirror in mirrors:
        try:
            return fetch(mirror), reasons
        except (ValueError, OSError, http.client.HTTPException) as error:
            reasons.append(Message("{mirror}: {reason}", mirror=mirror, reason=reason(error)))
    return None, reasons


def reason(error: Exception) -> Message:
    """The reason of an error, without local paths."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return Message("HTTP status {status}", status=error.code)
    if isinstance(error, urllib.error.URLError):
        return Message("no connection ({error})", error=type(error.reason).__name__)
    if isinstance(error, OSError):
        return Message("{text}", text=error.strerror or type(error).__name__)
    return message_of(error)
