"""Tracking of runs in other programs, TensorBoard and MLflow, by reading the log.

Trainings are independent of it. Each sink has its own thread, so that an unreachable one blocks nothing; its position
is read from the written data, so that a restart writes nothing twice.
"""

import logging
import re
import threading
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import select

from app.models.formats.source import MissingExtraError
from app.runs.log.database import runs
from app.runs.log.event_log import EventLog, UnknownRunError
from app.runs.tracking.base import Sink
from app.settings import SettingError, Settings

logger = logging.getLogger("digitpad")

TICK_SECONDS = 1.0
"""The interval of polls of the log."""
LONGEST_PAUSE_SECONDS = 60.0
"""The longest interval of retries during a fault; it begins shorter."""
STOP_SECONDS = 2.0
PAGE = 500
"""Events read and written at a time."""

_ADDRESS = re.compile(r"\w+://\S+")


def catch_up(log: EventLog, sink: Sink, run: int, after: int | None = None) -> tuple[int, int]:
    """Write the new events of `run`; return the last written `seq`, and the number of written events.

    `after` is the last written `seq`, by default the sink's. Raises UnknownRunError, and the sink's errors.
    """
    row = log.run(run)
    seq = sink.last_seq(row) if after is None else after
    written = 0
    while events := log.events(run, after=seq, limit=PAGE):
        sink.write(row, events)
        seq, written = events[-1]["seq"], written + len(events)
    return seq, written


class Follower:
    """Writes the log to one sink, in a thread; `fault` is the current problem, or None."""

    def __init__(self, log: EventLog, sink: Sink) -> None:
        self.fault: str | None = None
        self.sink = sink
        self._log = log
        self._written: dict[int, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"tracking-{sink.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop, without waiting for an unresponsive server; the next start writes missing events."""
        self._stop.set()
        self._thread.join(STOP_SECONDS)

    def turn(self) -> None:
        """Write the new events of all runs. Raises the sink's first error after trying all runs."""
        first: Exception | None = None
        with self._log.engine.connect() as connection:
            heads = {row.id: row.last_seq for row in connection.execute(select(runs.c.id, runs.c.last_seq))}
        self._written = {run: seq for run, seq in self._written.items() if run in heads}
        for run in sorted(run for run, last in heads.items() if self._written.get(run, -1) < last):
            if self._stop.is_set():
                return
            try:
                self._written[run], _ = catch_up(self._log, self.sink, run, self._written.get(run))
            except UnknownRunError:  # deleted in the meantime
                continue
            except Exception as error:  # noqa: BLE001  # a failing run must not block others
                if first is None:
                    first = error
                    self._note(error)
        if first is not None:
            raise first

    def _note(self, error: Exception) -> None:
        """Set the fault, and log it if it is new."""
        reason = reason_of(error)
        if reason != self.fault:
            logger.warning("%s cannot be written: %s; it is tried again", self.sink.name, reason)
        self.fault = reason

    def _run(self) -> None:
        pause = TICK_SECONDS
        while not self._stop.is_set():
            try:
                self.turn()
                self.fault, pause = None, TICK_SECONDS
            except Exception as error:  # noqa: BLE001  # a library's error must not end the thread
                self._note(error)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                self._written.clear()
                self.sink.forget()
            self._stop.wait(pause)
        self.sink.forget()


class Tracking:
    """The configured sinks. Raises SettingError if a package is not installed."""

    def __init__(self, log: EventLog, settings: Settings) -> None:
        self.followers = [Follower(log, sink) for sink in make_sinks(settings, log.id)]

    def start(self) -> None:
        for follower in self.followers:
            follower.start()

    def stop(self) -> None:
        """Stop all followers."""
        for follower in self.followers:
            follower.stop()

    @property
    def states(self) -> dict[str, str]:
        """The state of each sink, "ok" or "failing"; the server's log has the reason."""
        return {follower.sink.name: "ok" if follower.fault is None else "failing" for follower in self.followers}


def check_extras(settings: Settings) -> None:
    """Raise SettingError if a configured sink's package is not installed, without importing it."""
    for title, setting in (("TensorBoard", "tensorboard_dir"), ("MLflow", "mlflow_uri")):
        if getattr(settings, setting) is not None and find_spec(title.lower()) is None:
            raise SettingError(f"DIGITPAD_{setting.upper()}: {MissingExtraError(title, title.lower())}")


def make_sinks(settings: Settings, log: str) -> list[Sink]:
    """The configured sinks for the log with the id `log`. Raises SettingError."""
    check_extras(settings)
    sinks: list[Sink] = []
    if settings.tensorboard_dir is not None:
        sinks.append(tensorboard_sink(settings.tensorboard_dir, log))
    if settings.mlflow_uri is not None:
        uri = settings.mlflow_uri.get_secret_value()
        sinks.append(mlflow_sink(uri, settings.mlflow_experiment, log, settings.home))
    return sinks


def tensorboard_sink(folder: Path, log: str) -> Sink:
    """A sink of event files below `folder`; the first event imports the package. Raises MissingExtraError."""
    if find_spec("tensorboard") is None:
        raise MissingExtraError("TensorBoard", "tensorboard")
    from app.runs.tracking.tensorboard import TensorBoardSink

    return TensorBoardSink(folder, log)


def mlflow_sink(uri: str, experiment: str, log: str, home: Path) -> Sink:
    """A sink for MLflow's tracking server or database; the first event imports it. Raises MissingExtraError."""
    if find_spec("mlflow") is None:
        raise MissingExtraError("MLflow", "mlflow")
    from app.runs.tracking.mlflow import MlflowSink

    return MlflowSink(uri, experiment, log, home)


def reason_of(error: Exception) -> str:
    """An error in one line, without addresses, which may contain a password."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    first = (str(error).splitlines() or [""])[0].partition(" (Caused by")[0]
    return (_ADDRESS.sub("the server", first) or type(error).__name__)[:200]
