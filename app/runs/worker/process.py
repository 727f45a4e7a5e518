"""The process in which a run is trained: `python -m app.runs.worker`, started by the runner.

Its first line of standard input is its orders, as JSON. The input then stays open as its tie to the server: when it
ends, the server is gone, and so is the worker.
"""

import json
import logging
import os
import signal
import sys
import threading
from dataclasses import asdict
from types import FrameType

from app.logging import configure
from app.nn import CrewLostError
from app.runs.log.database import UNREACHABLE
from app.runs.log.event_log import Log
from app.runs.log.transitions import Claim, FencedError
from app.runs.worker.job import Job, finite, patiently
from app.settings import Settings

logger = logging.getLogger("digitpad")

PROGRESS_SECONDS = 0.2
"""Progress is written at most five times a second; the wish to cancel or pause is read as often."""

BROKEN, SERVER_GONE, FENCED, TERMINATED, CREW_LOST = 1, 3, 4, 5, 6
"""Exit codes."""


class Link:
    """The worker's standing report to the log, in a thread of its own, so that training never waits for it.

    Renews the lease, reads what is asked, and ends the process when its claim is lost. `leave` is asked by a signal:
    the server stops, and will go on with the run when it is back.
    """

    def __init__(self, log: Log, claim: Claim) -> None:
        self.cancel = self.pause = self.keep_model = self.leave = False
        self.job: Job | None = None
        self._log, self._claim = log, claim
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._report, name="link", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Write nothing more. Returns when the last report is done."""
        self._stop.set()
        self._thread.join()

    def _report(self) -> None:
        while not self._stop.wait(PROGRESS_SECONDS):
            progress = None if self.job is None else self.job.progress
            told = None if progress is None else {**finite(asdict(progress)), "attempt": self._claim.attempt}
            try:
                asked = self._log.renew(self._claim, told)
            except FencedError:
                os._exit(FENCED)
            except UNREACHABLE:
                continue  # the database is busy: the lease outlasts many such turns
            self.cancel, self.pause = self.cancel or asked.cancel, asked.pause
            self.keep_model = self.keep_model or asked.keep_model


def main() -> None:
    """Train the run that standard input names."""
    orders = json.loads(sys.stdin.readline())
    claim = Claim(**orders["claim"])
    settings = Settings.model_validate(orders["settings"])
    configure(settings.log_format, settings.log_level, run=claim.run, attempt=claim.attempt)
    threading.Thread(target=_end_with_the_server, name="lifeline", daemon=True).start()
    log = patiently(lambda: Log(settings.log_url, lease_seconds=settings.lease_seconds))
    link = Link(log, claim)
    signal.signal(signal.SIGTERM, lambda number, frame: _leave(link, number, frame))
    link.job = Job(log, claim, settings, link, link.close)
    link.start()
    logger.info("the training begins or goes on")
    try:
        link.job.run()
    except FencedError:
        logger.info("the run was taken from this process")
        os._exit(FENCED)
    except CrewLostError:  # another attempt goes on from the checkpoint
        logger.warning("a process that the work was shared with is lost")
        os._exit(CREW_LOST)
    except Exception:
        logger.exception("the training broke off")
        os._exit(BROKEN)
    logger.info("the training is over, or put back")


def _leave(link: Link, _number: int, _frame: FrameType | None) -> None:
    if link.leave or link.cancel:  # it was asked before, and does not heed it
        os._exit(TERMINATED)
    link.leave = True


def _end_with_the_server() -> None:
    sys.stdin.read()
    os._exit(SERVER_GONE)
