"""The lines that processes write to standard error: each with its time, and the request or the run it is about.

As text: `2026-11-21T18:00:00.123Z WARNING digitpad: what happened request=4f... key=value`; as JSON, an object a line.
A line break in what is told is written as `\\n`, so that nobody who is quoted can make up a line; a traceback follows
its line, in JSON as `traceback`.
"""

import json
import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

REQUEST_ID_HEADER = b"x-request-id"

FIELDS = "fields"
"""The key of `extra` under which a record carries what it tells besides its message."""

_request: ContextVar[str | None] = ContextVar("request", default=None)


def begin_request(name: str) -> None:
    """Let all lines of this task, and of the threads that it asks for work, name the request."""
    _request.set(name)


def current_request() -> str | None:
    """The name of the request that is being answered, if one is."""
    return _request.get()


def request_id_header() -> dict[str, str]:
    """The header that names the request which is being answered."""
    name = current_request()
    return {} if name is None else {REQUEST_ID_HEADER.decode(): name}


def fields(**told: Any) -> dict[str, Any]:
    """`extra` of a line that tells these things besides its message."""
    return {FIELDS: told}


def configure(form: str, level: str, *, stream: TextIO | None = None, **always: Any) -> None:
    """Write lines of `level` and above as `form`, "text" or "json"; each of this process's tells `always` too."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(always) if form == "json" else TextLines(always))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)


class _Lines(logging.Formatter):
    def __init__(self, always: Mapping[str, Any]) -> None:
        super().__init__()
        self._always = always

    def extra_fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """What a record tells besides its message, without what is not known."""
        request = current_request()
        found = {"request": request} if request is not None else {}
        return {**found, **self._always, **getattr(record, FIELDS, {})}

    @staticmethod
    def time(record: logging.LogRecord) -> str:
        """UTC, ISO 8601, with milliseconds, as in the log of the runs."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def traceback(self, record: logging.LogRecord) -> str | None:
        """The traceback of a record that has one."""
        return self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else None


class TextLines(_Lines):
    """Lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        told = "".join(f" {key}={_shown(value)}" for key, value in self.extra_fields(record).items())
        line = f"{self.time(record)} {record.levelname} {record.name}: {_one_line(record.getMessage())}{told}"
        traceback = self.traceback(record)
        return line if traceback is None else f"{line}\n{traceback}"


class JsonLines(_Lines):
    """Lines for programs."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": self.time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self.extra_fields(record),
        }
        traceback = self.traceback(record)
        if traceback is not None:
            told["traceback"] = traceback
        return json.dumps(told, default=str)  # in ASCII: some take U+2028 for the end of a line


def _shown(value: object) -> str:
    """A value behind its key: as it is, or in quotes where it could not be told where it ends."""
    text = f"{value:.6g}" if isinstance(value, float) else _one_line(str(value))
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' "=') else text


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    return repr(character)[1:-1]
