"""The runner: takes queued runs, starts a worker process for each, and sees to it that every run comes to an end."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.errors import Message
from app.models import ModelStore
from app.runs.log.event_log import EventLog, UnknownRunError
from app.runs.log.state import RunState
from app.runs.log.transitions import Lease
from app.runs.training.checkpoints import Checkpoints
from app.runs.training.hardware import worker_environment
from app.runs.worker.process import CREW_LOST, FENCED
from app.settings import PROJECT, Settings

logger = logging.getLogger("digitpad")

TURN_SECONDS = 0.1
SWEEP_SECONDS = 1.0
"""Between two looks for leases that have run out. One must be found so twice: after a sleep of the whole machine all
have run out, and are renewed at once."""
LEAVE_SECONDS = 1.5
"""What a stopping server gives its workers to write a checkpoint each."""
STOP_SECONDS = 2.5
"""What it gives itself to put their runs back into the queue, that included."""
TERMINATE_AFTER, KILL_AFTER = 5.0, 10.0
"""Seconds until SIGTERM, and until SIGKILL, for a worker that has begun and does not heed the wish to cancel."""

LINGER_SECONDS = 3.0
"""How long a worker may take to end when it has said its last word."""

NICENESS = 19
"""The lowest priority: a training then leaves the processor to whoever draws."""


_EXITS = {CREW_LOST: "one of the processes that it shared the work with died or did not answer"}


@dataclass
class _Worker:
    claim: Lease
    process: subprocess.Popen[bytes]
    orders: IO[bytes]
    """The worker's standard input; while it is open, the worker knows that its server lives."""
    cancelling_since: float | None = None
    idle_since: float | None = None


class Supervisor:
    """Runs the queue in a thread of its own, from `start` to `stop`."""

    def __init__(self, log: EventLog, settings: Settings, *, only: int | None = None) -> None:
        """With `only` it takes that one run, and leaves all others in the queue."""
        self._last_error: str | None = None
        self._only, self._grace = only, LEAVE_SECONDS
        self.owner = str(uuid.uuid4())
        self._log, self._settings = log, settings
        self._checkpoints, self._store = Checkpoints(settings.home, log.id), ModelStore(settings.home)
        self._workers: list[_Worker] = []
        self._expired: set[Lease] = set()
        self._stop, self._wake = threading.Event(), threading.Event()
        self._next_sweep = 0.0
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the queue is looked after."""
        return self._thread.is_alive()

    @property
    def fault(self) -> str | None:
        """What keeps trainings waiting, None while all is well; it is tried again until that is over."""
        return self._last_error if self.is_alive else "the queue is not looked after"

    def wake(self) -> None:
        """Look at the queue now rather than at the next turn."""
        self._wake.set()

    def stop(self, grace: float = LEAVE_SECONDS) -> None:
        """End the thread and every worker; their runs go on from their checkpoints when a server takes them up.

        Each worker gets `grace` seconds to write a last one.
        """
        self._grace = grace
        self._stop.set()
        self._wake.set()
        self._thread.join(STOP_SECONDS)  # not for ever: where the database is locked, the leases will run out

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._tick()
                self._last_error = None
            except Exception as error:  # whatever it is, it must be seen, and must not end the queue
                logger.exception("the queue cannot be looked after")
                self._last_error = _reason(error)
                self._stop.wait(1)
            self._wake.wait(TURN_SECONDS)
            self._wake.clear()
        self._leave()  # in this thread, as its end is a worker's end

    def _tick(self) -> None:
        self._workers = [worker for worker in self._workers if not self._reap(worker)]
        for worker in self._workers:
            self._enforce_cancel(worker)
        if time.monotonic() >= self._next_sweep:
            self._reap_expired()
            self._next_sweep = time.monotonic() + SWEEP_SECONDS
        while len(self._workers) < self._settings.workers and not self._stop.is_set():
            claim = self._log.claim(self.owner, self._only)
            if claim is None:
                return
            try:
                self._workers.append(self._start(claim))
            except OSError:  # too many processes or files, or too little memory: that passes
                self._log.release(claim)
                raise

    def _start(self, claim: Lease) -> _Worker:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.runs.worker"],
            stdin=subprocess.PIPE,
            env={**os.environ, **worker_environment(self._settings.blas_kernel, self._settings.workers)},
            bufsize=0,  # so that closing never has anything left to write to a worker that died
            cwd=PROJECT,
            start_new_session=True,  # Ctrl+C is for the server, which ends its workers itself
        )
        with suppress(ProcessLookupError):  # it died at once
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        try:
            return self._instruct(process, claim)
        except OSError:
            process.kill()
            process.wait()
            raise

    def _instruct(self, process: "subprocess.Popen[bytes]", claim: Lease) -> _Worker:
        orders = {"claim": asdict(claim), "settings": self._settings.model_dump(mode="json")}
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # likewise: the next turn reads its exit code
            process.stdin.write(json.dumps(orders).encode() + b"\n")
        return _Worker(claim, process, process.stdin)

    def _reap(self, worker: _Worker) -> bool:
        """Whether the worker's process is over; if so, its run is seen to."""
        code = worker.process.poll()
        if code is None:
            return False
        how = f"signal {signal.Signals(-code).name}" if code < 0 else _EXITS.get(code, f"exit code {code}")
        self._log.reclaim_dead(worker.claim, how)
        self._clean(worker.claim, crashed=code not in (0, FENCED))
        worker.orders.close()
        return True

    def _enforce_cancel(self, worker: _Worker) -> None:
        """Make a worker end that was asked to cancel and does not, or whose run is no longer its own."""
        status = self._log.status(worker.claim.run)
        held = (RunState.RUNNING, worker.claim.attempt)
        if status is None or (status["state"], status["attempt"]) != held:
            worker.idle_since = worker.idle_since or time.monotonic()
            if time.monotonic() - worker.idle_since > LINGER_SECONDS:
                worker.process.kill()
            return
        has_begun = (status["progress"] or {}).get("attempt") == worker.claim.attempt
        if not status["cancel_requested"] or not has_begun:  # one that never begins is given up with its lease
            return
        worker.cancelling_since = worker.cancelling_since or time.monotonic()
        waited = time.monotonic() - worker.cancelling_since
        if waited > KILL_AFTER:
            worker.process.kill()
        elif waited > TERMINATE_AFTER:
            worker.process.terminate()

    def _reap_expired(self) -> None:
        """Take up the runs whose worker fell silent: it is frozen, or a server that was killed left them behind."""
        expired = set(self._log.expired())
        given_up = expired & self._expired
        self._expired = expired - given_up
        own = {worker.claim: worker for worker in self._workers}
        for claim in given_up:
            worker = own.get(claim)
            if worker is not None:
                worker.process.kill()
                worker.process.wait()
            self._log.reclaim_dead(
                claim, Message("it did not respond for {seconds} s", seconds=f"{self._settings.lease_seconds:g}")
            )
            self._clean(claim, crashed=True)

    def _clean(self, claim: Lease, *, crashed: bool) -> None:
        """Remove what an attempt that is over left behind, and left half done if it crashed."""
        try:
            self._remove(claim, crashed)
        except OSError:
            logger.exception("what run %s left behind cannot be removed", claim.run)

    def _remove(self, claim: Lease, crashed: bool) -> None:
        try:
            row = self._log.run(claim.run)
        except UnknownRunError:  # it was deleted as soon as it had ended
            self._checkpoints.keep_only(claim.run, None)
            return
        self._checkpoints.keep_only(claim.run, row["checkpoint"], attempt=claim.attempt)
        if crashed and row["attempt"] == claim.attempt:
            self._store.remove_unfinished(claim.run)

    def _leave(self) -> None:
        for worker in self._workers:
            worker.process.terminate()
        end = time.monotonic() + self._grace
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            worker.orders.close()
            try:
                self._log.release(worker.claim)
                self._clean(worker.claim, crashed=True)
            except SQLAlchemyError:
                logger.exception("run %s could not be put back; its lease will run out", worker.claim.run)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
