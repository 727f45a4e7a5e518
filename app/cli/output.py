"""Output, errors and exit codes of commands."""

import json
import logging
import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.errors import Message, MessageError


class Code(IntEnum):
    """The exit codes; `docs/reference/exit-codes.md` explains them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_TRAINED = 3
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    TERMINATED = 143


class CommandError(MessageError):
    """The command failed; the message is printed as one line."""

    def __init__(self, template: str, /, *, exit_code: int = Code.FAILED, **values: Any) -> None:
        super().__init__(template, **values)
        self.exit_code = exit_code


def speak_any_terminal() -> None:
    """Replace characters that the terminal cannot encode, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def program() -> str:
    """The command with which this process was started."""
    import app

    if Path(sys.argv[0]) != Path(app.__file__).with_name("__main__.py"):
        return "digitpad"
    python = Path(sys.executable)
    shown = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
    return f"{shlex.quote(str(shown))} -m app"


def console() -> Console:
    """Standard output, with colours and width from the terminal, NO_COLOR and COLUMNS."""
    return Console(highlight=False, markup=False, emoji=False)


def clean(text: object) -> str:
    """`text` on one line, without control characters."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(text))


def say(text: str = "") -> None:
    """Print a line unchanged."""
    sys.stdout.write(text + "\n")


def print_note(text: str) -> None:
    """Print a note to standard error."""
    sys.stdout.flush()
    sys.stderr.write(f"digitpad: {clean(text)}\n")
    sys.stderr.flush()


def print_json(data: Any, *, indent: int | None = 2) -> None:
    """Print JSON, in ASCII if the terminal does not support UTF-8."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    say(json.dumps(data, ensure_ascii=not utf8, indent=indent, allow_nan=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: formatted on a terminal, otherwise with tabs and without a header.

    A header that begins with ">" is that of a column of numbers.
    """
    cells = [[clean(cell) for cell in row] for row in rows]
    screen = console()
    if not screen.is_terminal:
        for row in cells:
            say("\t".join(row))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numbers = column.startswith(">")
        table.add_column(column.removeprefix(">"), justify="right" if numbers else "left", overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    screen.print(table)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one per line, without those that are None."""
    known = [(name, clean(value)) for name, value in facts if value is not None]
    width = max((len(name) for name, _ in known), default=0)
    for name, value in known:
        say(f"{name:{width}}  {value}")


def percent(share: float | None, digits: int = 2) -> str:
    """A share as a percentage, "-" if unknown."""
    return "-" if share is None else f"{100 * share:.{digits}f} %"


def number(value: float | None, digits: int = 4) -> str:
    """A number with fixed digits, "-" if unknown."""
    return "-" if value is None else f"{value:.{digits}f}"


def duration(seconds: float) -> str:
    """Whole seconds as "7s", "2:05" or "1:02:05"."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest}s"


class OneLine(logging.Handler):
    """Prints errors of background threads in one line to standard error, without repetitions."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._last = ""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        text = record.getMessage() + ("" if error is None else f": {str(error).splitlines()[0]}" if str(error) else "")
        if text != self._last:
            self._last = text
            print_note(text)


def close_output() -> None:
    """Redirect standard output, whose reader is gone, so that the interpreter's last flush does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def ended_message(run: int, state: str, error: str | None) -> Message:
    """The message for a run that ended without a model."""
    if error:
        return Message("run {run} {state}: {error}", run=run, state=state, error=error)
    return Message("run {run} {state}", run=run, state=state)
