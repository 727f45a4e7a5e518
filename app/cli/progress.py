"""Live progress of a run from its log: a bar on a terminal, lines elsewhere, JSON for programs."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from app.cli.output import clean, console, duration, number, percent, print_json, say
from app.runs.log.database import UNREACHABLE
from app.runs.log.event_log import EventLog, UnknownRunError
from app.runs.log.state import RunState
from app.runs.log.views import brief

POLL_SECONDS = 0.1
NARROW, WIDE = 56, 84
"""The widths of a terminal from which the bar has loss and accuracy, and also speed and remaining time."""
SHORTEST_BAR, LONGEST_BAR = 8, 30

Data = Mapping[str, Any]


class Screen(Protocol):
    """A display of a run."""

    def event(self, event: Data) -> None:
        """Show an event of the log."""

    def progress(self, progress: Data | None) -> None:
        """Show the progress between two events."""

    def close(self) -> None:
        """Restore the terminal."""


def follow(log: EventLog, run: int, screen: Screen, is_over: Callable[[RunState], bool]) -> RunState:
    """Show all events of `run` until `is_over(state)`; return the state. Raises UnknownRunError.

    It waits while the database is busy or unreachable.
    """
    seq = 0
    while True:
        try:
            status = log.status(run)  # first, so that the events that it counts can be read
            if status is None:
                raise UnknownRunError("there is no run {run}", run=run)
            while seq < status["last_seq"]:
                events = log.events(run, after=seq)
                for event in events:
                    screen.event(event)
                if not events:  # deleted in the meantime
                    break
                seq = events[-1]["seq"]
            state = RunState(status["state"])
            screen.progress(status["progress"] if state == RunState.RUNNING else None)
        except UNREACHABLE:
            state = RunState.RUNNING
        if is_over(state):
            return state
        time.sleep(POLL_SECONDS)


def make_screen(*, as_json: bool = False) -> Screen:
    """The screen for the present standard output."""
    if as_json:
        return JsonScreen()
    screen = console()
    return BarScreen() if screen.is_terminal and not screen.is_dumb_terminal else LineScreen()


class JsonScreen:
    """Prints events as lines of JSON."""

    def event(self, event: Data) -> None:
        print_json({**event, "data": brief(event["data"])}, indent=None)
        sys.stdout.flush()

    def progress(self, progress: Data | None) -> None:
        """Do nothing: only events are printed."""

    def close(self) -> None:
        """There is nothing to undo."""


class LineScreen:
    """Prints a plain line for each event."""

    def event(self, event: Data) -> None:
        line = line_of(event)
        if line is not None:
            say(line)
            sys.stdout.flush()

    def progress(self, progress: Data | None) -> None:
        """Do nothing: only events are printed."""

    def close(self) -> None:
        """There is nothing to undo."""


class BarScreen:
    """Prints a line for each event, and below a bar for the current epoch, until it is closed."""

    def __init__(self) -> None:
        self._console = console()
        self._live: Live | None = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def event(self, event: Data) -> None:
        line = line_of(event)
        if line is not None:
            self._show(Text())
            self._console.print(Text(line), soft_wrap=True)

    def progress(self, progress: Data | None) -> None:
        self._show(Text() if progress is None else bar_of(progress, self._console.width))

    def close(self) -> None:
        self._show(Text())
        if self._live is not None:
            self._live.stop()
        self._live = None

    def _show(self, line: Table | Text) -> None:
        if self._live is not None:
            self._live.update(line, refresh=True)


def bar_of(progress: Data, width: int) -> Table | Text:
    """One line of `width` columns: epoch, bar, batches, loss, accuracy, speed and remaining time, if they fit."""
    batches = progress.get("batches") or 0
    epoch = f"Epoch {progress['epoch']}/{progress['epochs']}"
    if not batches:
        return Text(f"{progress['phase']} ...", overflow="ellipsis", no_wrap=True)
    count = f"{progress['batch']}/{batches}"
    facts = ""
    if width >= NARROW:
        facts += f" loss {number(progress['loss'])}"
        accuracy = progress.get("accuracy")
        facts += "" if accuracy is None else f" acc {number(accuracy)}"
    if width >= WIDE:
        facts += f" {progress['samples_per_second'] or 0:,.0f}/s"
        facts += f" {duration(progress['seconds_left'] or 0)} left"
    room = width - len(epoch) - len(count) - len(facts) - 3
    line = Table.grid(padding=(0, 1))
    cells: list[Any] = [Text(epoch, no_wrap=True)]
    if room >= SHORTEST_BAR:
        cells.append(ProgressBar(batches, progress["batch"], width=min(room, LONGEST_BAR)))
    cells.append(Text(count + facts, no_wrap=True, overflow="ellipsis"))
    line.add_row(*cells)
    return line


def line_of(event: Data) -> str | None:
    """A line in the style of Keras; None for events without a line."""
    data, kind = event["data"], event["type"]
    if kind == "started":
        compute = data.get("compute") or {}
        samples = f"{data.get('train_samples', 0):,} images of {clean(data.get('dataset', ''))}"
        return (
            f"Training {data.get('parameters', 0):,} parameters on {samples}, "
            f"{compute.get('processes', 1)} × {compute.get('blas_threads') or 1} threads"
        )
    if kind == "epoch":
        return _epoch_line(data)
    if kind == "evaluated":
        return f"Test: loss {number(data.get('test_loss'))}  accuracy {percent(data.get('test_accuracy'))}"
    if kind == "model_saved":
        return f"Saved: the model {clean(data.get('model'))}"
    if kind in ("failed", "cancelled", "paused", "resumed", "queued"):
        why = f": {clean(data['error'])}" if data.get("error") else ""
        return f"{kind.capitalize()}{why}"
    return None


def _epoch_line(data: Data) -> str:
    parts = [f"Epoch {data['epoch']}/{data['epochs']}", duration(data["seconds"])]
    names = ("train_loss", "loss"), ("train_accuracy", "accuracy"), ("val_loss", "val_loss"), ("val_accuracy", "")
    for key, name in names:
        if data.get(key) is not None:
            parts.append(f"{name or key} {number(data[key])}")
    if data.get("samples_per_second"):
        parts.append(f"{data['samples_per_second']:,.0f} samples/s")
    return "  ".join(parts)
