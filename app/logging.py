"""Logging to standard error: lines with a time, and the request or run.

As text: `2026-11-21T18:00:00.123Z WARNING digitpad: what happened request=4f... key=value`; as JSON, an object a line.
A line break in a value is written as `\\n`, so that quoted text cannot forge a line; a traceback follows its line, in
JSON as `traceback`.
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
"""The key of `extra` for a record's fields."""

_request: ContextVar[str | None] = ContextVar("request", default=None)


def begin_request(name: str) -> None:
    """Add the request's name to all lines of this task and of its threads."""
    _request.set(name)


def current_request() -> str | None:
    """The name of the current request, if there is one."""
    return _request.get()


def request_id_header() -> dict[str, str]:
    """The header with the current request's name."""
    name = current_request()
    return {} if name is None else {REQUEST_ID_HEADER.decode(): name}


def fields(**values: Any) -> dict[str, Any]:
    """The `extra` of a line with these fields."""
    return {FIELDS: values}


def configure(form: str, level: str, *, stream: TextIO | None = None, **always: Any) -> None:
    """Write lines of `level` and above as `form`, "text" or "json", with the fields `always` in each."""
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
        """The fields of a record."""
        request = current_request()
        known = {"request": request} if request is not None else {}
        return {**known, **self._always, **getattr(record, FIELDS, {})}

    @staticmethod
    def time(record: logging.LogRecord) -> str:
        """The time in UTC, ISO 8601 with milliseconds, as in the log of the runs."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def traceback(self, record: logging.LogRecord) -> str | None:
        """The traceback of a record, if it has one."""
        return self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else None


class TextLines(_Lines):
    """Lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        values = "".join(f" {key}={_quoted(value)}" for key, value in self.extra_fields(record).items())
        line = f"{self.time(record)} {record.levelname} {record.name}: {_one_line(record.getMessage())}{values}"
        traceback = self.traceback(record)
        return line if traceback is None else f"{line}\n{traceback}"


class JsonLines(_Lines):
    """Lines for programs."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self.extra_fields(record),
        }
        traceback = self.traceback(record)
        if traceback is not None:
            line["traceback"] = traceback
        return json.dumps(line, default=str)  # in ASCII, as some programs treat U+2028 as the end of a line


def _quoted(value: object) -> str:
    """A value, in quotes if its end would be ambiguous."""
    text = f"{value:.6g}" if isinstance(value, float) else _one_line(str(value))
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' "=') else text


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
