"""The process that trains a run: `python -m app.runs.worker`, started by the supervisor.

Its first line of standard input is its configuration as JSON. The input then stays open: when it ends, the server is
gone, and the worker exits.
"""

import json
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from app.logging import configure
from app.nn import WorkerLostError
from app.runs.log.database import UNREACHABLE
from app.runs.log.event_log import EventLog
from app.runs.log.transitions import FencedError, Lease
from app.runs.worker.job import Job, json_safe, retry_database
from app.settings import Settings

logger = logging.getLogger("digitpad")

PROGRESS_SECONDS = 0.2
"""The interval for writing progress, and for reading requests to cancel or pause."""

BROKEN, SERVER_GONE, FENCED, TERMINATED, CREW_LOST = 1, 3, 4, 5, 6
"""Exit codes."""


class Heartbeat:
    """The worker's reports to the log, in a thread, so that training never waits for them.

    It renews the lease, reads requests, and ends the process if the lease is lost. A signal sets `leave`: the server
    stops, and will resume the run when it is back.
    """

    def __init__(self, log: EventLog, lease: Lease) -> None:
        self.cancel = self.pause = self.keep_model = self.leave = False
        self.job: Job | None = None
        self._log, self._lease = log, lease
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._report, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop the reports, and wait for the last one."""
        self._stop.set()
        self._thread.join()

    def _report(self) -> None:
        while not self._stop.wait(PROGRESS_SECONDS):
            progress = None if self.job is None else self.job.progress
            report = None if progress is None else {**json_safe(asdict(progress)), "attempt": self._lease.attempt}
            try:
                flags = self._log.heartbeat(self._lease, report)
            except FencedError:
                os._exit(FENCED)
            except UNREACHABLE:
                continue  # the database is busy; the lease lasts for many reports
            self.cancel, self.pause = self.cancel or flags.cancel, flags.pause
            self.keep_model = self.keep_model or flags.keep_model


def main() -> None:
    """Train the run named on standard input; wait for it."""
    _show_as("digitpad-ready")
    line = sys.stdin.readline()
    if not line:  # the server ended before it had a run
        return
    config = json.loads(line)
    _show_as("digitpad-run")
    lease = Lease(**config["claim"])
    settings = Settings.model_validate(config["settings"])
    configure(settings.log_format, settings.log_level, run=lease.run, attempt=lease.attempt)
    threading.Thread(target=_end_with_the_server, name="lifeline", daemon=True).start()
    log = retry_database(lambda: EventLog(settings.log_url, lease_seconds=settings.lease_seconds))
    heartbeat = Heartbeat(log, lease)
    signal.signal(signal.SIGTERM, lambda number, frame: _leave(heartbeat, number, frame))
    heartbeat.job = Job(log, lease, settings, heartbeat, heartbeat.close)
    heartbeat.start()
    logger.info("the training begins or goes on")
    try:
        heartbeat.job.run()
    except FencedError:
        logger.info("the run was taken from this process")
        os._exit(FENCED)
    except WorkerLostError:  # another attempt resumes from the checkpoint
        logger.warning("a process that the work was shared with is lost")
        os._exit(CREW_LOST)
    except Exception:
        logger.exception("the training broke off")
        os._exit(BROKEN)
    logger.info("the training is over, or put back")


def _show_as(name: str) -> None:
    """Show the process under a name in `top`, on Linux: there it says whether it is at work or kept ready."""
    if sys.platform == "linux":
        with suppress(OSError):  # /proc is not mounted, or read-only: the name is all that is missed
            Path("/proc/self/comm").write_text(name, encoding="ascii")


def _leave(heartbeat: Heartbeat, _number: int, _frame: FrameType | None) -> None:
    if heartbeat.leave or heartbeat.cancel:  # the second request
        os._exit(TERMINATED)
    heartbeat.leave = True


def _end_with_the_server() -> None:
    sys.stdin.read()
    os._exit(SERVER_GONE)
