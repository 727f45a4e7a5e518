"""What runs say, told to other programs too: TensorBoard and MLflow, which only read the log.

No training knows of them. Each is followed up in a thread of its own, so that one that cannot be reached holds up
nobody; how far it has come is asked of what it has written, so that a restart writes nothing twice.
"""

import logging
import re
import threading
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import select

from app.runs.log.database import runs
from app.runs.log.event_log import Log, UnknownRunError
from app.runs.tracking.base import Sink
from app.settings import SettingError, Settings

logger = logging.getLogger("digitpad")

TURN_SECONDS = 1.0
"""Between two looks at the log."""
LONGEST_PAUSE_SECONDS = 60.0
"""Between two tries while there is a fault; the first come sooner."""
STOP_SECONDS = 2.0
PAGE = 500
"""Events that are read and written in one go."""

_ADDRESS = re.compile(r"\w+://\S+")


class MissingExtraError(ImportError):
    """The package that the sink writes with is not installed; the message says what to do."""


def catch_up(log: Log, sink: Sink, run: int, after: int | None = None) -> tuple[int, int]:
    """Write what `run` has said since; return the last `seq` that was written, and how many events were.

    `after` is the last `seq` that is known to be written; the sink is asked where it is not given. Raises
    UnknownRunError, and whatever the sink raises.
    """
    row = log.run(run)
    seq = sink.last_seq(row) if after is None else after
    written = 0
    while events := log.events(run, after=seq, limit=PAGE):
        sink.write(row, events)
        seq, written = events[-1]["seq"], written + len(events)
    return seq, written


class Follower:
    """Keeps one sink up with the log, in a thread of its own; `fault` says what keeps it from that, if anything."""

    def __init__(self, log: Log, sink: Sink) -> None:
        self.fault: str | None = None
        self.sink = sink
        self._log = log
        self._seen: dict[int, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"tracking-{sink.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End it, not waiting for a server that does not answer; what is missing is written at the next start."""
        self._stop.set()
        self._thread.join(STOP_SECONDS)

    def turn(self) -> None:
        """Write what is new of all runs. Raises the first of what the sink raises, when all runs had their turn."""
        first: Exception | None = None
        with self._log.engine.connect() as connection:
            heads = {row.id: row.last_seq for row in connection.execute(select(runs.c.id, runs.c.last_seq))}
        self._seen = {run: seq for run, seq in self._seen.items() if run in heads}
        for run in sorted(run for run, last in heads.items() if self._seen.get(run, -1) < last):
            if self._stop.is_set():
                return
            try:
                self._seen[run], _ = catch_up(self._log, self.sink, run, self._seen.get(run))
            except UnknownRunError:  # it was deleted since
                continue
            except Exception as error:  # noqa: BLE001  # one run that cannot be written holds up no other
                if first is None:
                    first = error
                    self._note(error)
        if first is not None:
            raise first

    def _note(self, error: Exception) -> None:
        """Let a fault be seen, and told once while it lasts."""
        reason = reason_of(error)
        if reason != self.fault:
            logger.warning("%s cannot be written: %s; it is tried again", self.sink.name, reason)
        self.fault = reason

    def _run(self) -> None:
        pause = TURN_SECONDS
        while not self._stop.is_set():
            try:
                self.turn()
                self.fault, pause = None, TURN_SECONDS
            except Exception as error:  # noqa: BLE001  # whatever a library raises, it is seen, and ends nothing
                self._note(error)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                self._seen.clear()
                self.sink.forget()
            self._stop.wait(pause)
        self.sink.forget()


class Tracking:
    """The sinks that the settings name. Raises SettingError where one's package is not installed."""

    def __init__(self, log: Log, settings: Settings) -> None:
        self.followers = [Follower(log, sink) for sink in make_sinks(settings, log.id)]

    def start(self) -> None:
        for follower in self.followers:
            follower.start()

    def stop(self) -> None:
        """End all of them."""
        for follower in self.followers:
            follower.stop()

    @property
    def states(self) -> dict[str, str]:
        """Each sink, and whether it is "ok" or "failing"; the server's own log says how."""
        return {one.sink.name: "ok" if one.fault is None else "failing" for one in self.followers}


def check_extras(settings: Settings) -> None:
    """Raise SettingError where a sink is set whose package is not installed; nothing is loaded for it."""
    wanted = {"tensorboard": settings.tensorboard_dir, "mlflow": settings.mlflow_uri}
    for package, setting in wanted.items():
        if setting is not None and find_spec(package) is None:
            name = {"tensorboard": "DIGITPAD_TENSORBOARD_DIR", "mlflow": "DIGITPAD_MLFLOW_URI"}[package]
            raise SettingError(f"{name}: {missing(package)}")


def missing(package: str) -> str:
    """What is said where an extra is not installed."""
    return f"expected the package {package}, which is not installed: pip install 'digitpad[{package}]'"


def make_sinks(settings: Settings, log: str) -> list[Sink]:
    """The sinks that the settings name, for the log of that id. Raises SettingError."""
    check_extras(settings)
    sinks: list[Sink] = []
    if settings.tensorboard_dir is not None:
        sinks.append(tensorboard_sink(settings.tensorboard_dir, log))
    if settings.mlflow_uri is not None:
        uri = settings.mlflow_uri.get_secret_value()
        sinks.append(mlflow_sink(uri, settings.mlflow_experiment, log, settings.home))
    return sinks


def tensorboard_sink(folder: Path, log: str) -> Sink:
    """Event files below `folder`; the package is loaded at the first event. Raises MissingExtraError."""
    if find_spec("tensorboard") is None:
        raise MissingExtraError(missing("tensorboard"))
    from app.runs.tracking.tensorboard import TensorBoardSink

    return TensorBoardSink(folder, log)


def mlflow_sink(uri: str, experiment: str, log: str, home: Path) -> Sink:
    """A tracking server or database of MLflow; the package is loaded at the first event. Raises MissingExtraError."""
    if find_spec("mlflow") is None:
        raise MissingExtraError(missing("mlflow"))
    from app.runs.tracking.mlflow import MlflowSink

    return MlflowSink(uri, experiment, log, home)


def reason_of(error: Exception) -> str:
    """An error in one line, without the address that it is about, which may hold a password."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    first = (str(error).splitlines() or [""])[0].partition(" (Caused by")[0]
    return (_ADDRESS.sub("the server", first) or type(error).__name__)[:200]
