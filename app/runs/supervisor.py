"""The supervisor: starts a worker process for each queued run, and takes runs from dead workers."""

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

TICK_SECONDS = 0.1
SWEEP_SECONDS = 1.0
"""The interval of checks for expired leases. One must not have been renewed between two of them, as after a sleep of
the machine all have expired, and are renewed soon."""
LEAVE_SECONDS = 1.5
"""The time for workers to write a checkpoint when the server stops."""
STOP_SECONDS = 2.5
"""The total time for stopping, including putting the runs back into the queue."""
TERMINATE_AFTER, KILL_AFTER = 5.0, 10.0
"""Seconds until SIGTERM, and until SIGKILL, for a started worker that ignores a request to cancel."""

LINGER_SECONDS = 3.0
"""The time for a worker to exit after its last write to the log."""

SPARE_AFTER, SPARE_RETRY = 1.0, 10.0
"""Seconds from the start of a worker, or of the queue, to that of a spare process, and from a spare one's death."""

NICENESS = 19
"""The lowest priority, so that trainings do not slow down predictions."""


_CREW_LOST = Message("one of the processes that it shared the work with died or did not answer")


@dataclass
class _Worker:
    lease: Lease
    process: subprocess.Popen[bytes]
    stdin: IO[bytes]
    """The worker's standard input; the worker exits when it is closed."""
    cancelling_since: float | None = None
    idle_since: float | None = None


class Supervisor:
    """Runs the queue in a thread, from `start` to `stop`."""

    def __init__(self, log: EventLog, settings: Settings, *, only: int | None = None, keeps_spare: bool = True) -> None:
        """With `only` it takes only that run, and otherwise keeps a process ready if `keeps_spare`."""
        self._keeps_spare = keeps_spare and only is None
        self._last_error: Message | None = None
        self._only, self._grace = only, LEAVE_SECONDS
        self.owner = str(uuid.uuid4())
        self._log, self._settings = log, settings
        self._checkpoints, self._store = Checkpoints(settings.home, log.id), ModelStore(settings.home)
        self._workers: list[_Worker] = []
        self._silent: dict[Lease, tuple[float, int]] = {}
        """The end of each lease, and the number of checks since it was last renewed."""
        self._stop, self._wake = threading.Event(), threading.Event()
        self._next_sweep = 0.0
        self._spare: subprocess.Popen[bytes] | None = None
        """A process that has its imports done, and waits for a run."""
        self._next_spare = time.monotonic() + SPARE_AFTER
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """True while the thread of the queue is running."""
        return self._thread.is_alive()

    @property
    def fault(self) -> Message | None:
        """The problem that blocks the queue, or None; the supervisor keeps retrying."""
        return self._last_error if self.is_alive else Message("the queue is not served")

    def wake(self) -> None:
        """Check the queue now."""
        self._wake.set()

    def stop(self, grace: float = LEAVE_SECONDS) -> None:
        """Stop the thread and all workers; the next server resumes their runs from checkpoints.

        Each worker gets `grace` seconds to write a last checkpoint.
        """
        self._grace = grace
        self._stop.set()
        self._wake.set()
        self._thread.join(STOP_SECONDS)  # limited, as the leases expire anyway if the database is locked

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._tick()
                self._last_error = None
            except Exception as error:  # every error must be visible, and must not end the queue
                reason = _reason(error)
                if reason != self._last_error:  # a line per second would fill a disk
                    logger.exception("the queue could not be served")
                self._last_error = reason
                self._stop.wait(1)
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
        self._leave()  # in this thread, as workers end with the thread that started them

    def _tick(self) -> None:
        self._workers = [worker for worker in self._workers if not self._reap(worker)]
        for worker in self._workers:
            self._enforce_cancel(worker)
        if time.monotonic() >= self._next_sweep:
            self._reap_expired()
            self._next_sweep = time.monotonic() + SWEEP_SECONDS
        while len(self._workers) < self._settings.workers and not self._stop.is_set():
            lease = self._log.claim(self.owner, self._only)
            if lease is None:
                break
            try:
                self._workers.append(self._start(lease))
            except OSError:  # temporarily too many processes or files, or too little memory
                self._log.release(lease)
                raise

        self._keep_spare()

    def _keep_spare(self) -> None:
        """Start a spare process, unless there is one, or a training has just begun."""
        if self._spare is not None and self._spare.poll() is not None:
            self._discard_spare()
            self._next_spare = time.monotonic() + SPARE_RETRY
        if self._spare is None and self._keeps_spare and time.monotonic() >= self._next_spare:
            self._next_spare = time.monotonic() + SPARE_RETRY
            with suppress(OSError):  # trainings start without one, a little later
                self._spare = self._spawn()

    def _discard_spare(self) -> None:
        if self._spare is not None:
            self._spare.kill()
            self._spare.wait()
            assert self._spare.stdin is not None
            self._spare.stdin.close()
            self._spare = None

    def _start(self, lease: Lease) -> _Worker:
        self._next_spare = time.monotonic() + SPARE_AFTER
        if self._spare is not None and self._spare.poll() is not None:
            self._discard_spare()
        spare, self._spare = self._spare, None
        process = spare or self._spawn()
        try:
            return self._configure(process, lease)
        except OSError:
            process.kill()
            process.wait()
            raise

    def _spawn(self) -> "subprocess.Popen[bytes]":
        """Start a process that waits for a lease on its standard input."""
        process = subprocess.Popen(
            [sys.executable, "-m", "app.runs.worker"],
            stdin=subprocess.PIPE,
            env={**os.environ, **worker_environment(self._settings.blas_kernel, self._settings.workers)},
            bufsize=0,  # so that closing never writes to a dead worker
            cwd=PROJECT,
            start_new_session=True,  # Ctrl+C is for the server, which stops its workers
        )
        with suppress(ProcessLookupError):  # it died immediately
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        return process

    def _configure(self, process: "subprocess.Popen[bytes]", lease: Lease) -> _Worker:
        config = {"claim": asdict(lease), "settings": self._settings.model_dump(mode="json")}
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it died; the next tick reads its exit code
            process.stdin.write(json.dumps(config).encode() + b"\n")
        return _Worker(lease, process, process.stdin)

    def _reap(self, worker: _Worker) -> bool:
        """Return True if the worker's process has ended, after taking its run."""
        code = worker.process.poll()
        if code is None:
            return False
        self._log.reclaim_dead(worker.lease, _how(code))
        self._log.checkpoint()
        self._clean(worker.lease, crashed=code not in (0, FENCED))
        worker.stdin.close()
        return True

    def _enforce_cancel(self, worker: _Worker) -> None:
        """End a worker that ignores a request to cancel, or that has lost its run."""
        status = self._log.status(worker.lease.run)
        held = (RunState.RUNNING, worker.lease.attempt)
        if status is None or (status["state"], status["attempt"]) != held:
            worker.idle_since = worker.idle_since or time.monotonic()
            if time.monotonic() - worker.idle_since > LINGER_SECONDS:
                worker.process.kill()
            return
        has_begun = (status["progress"] or {}).get("attempt") == worker.lease.attempt
        if not status["cancel_requested"] or not has_begun:  # one that never begins loses its lease
            return
        worker.cancelling_since = worker.cancelling_since or time.monotonic()
        waited = time.monotonic() - worker.cancelling_since
        if waited > KILL_AFTER:
            worker.process.kill()
        elif waited > TERMINATE_AFTER:
            worker.process.terminate()

    def _reap_expired(self) -> None:
        """Take the runs of silent workers, which are frozen, or were left by a killed server.

        A lease that is not renewed for as long as it lasts has expired whatever its end says: the clock may have been
        set back.
        """
        known, now = self._silent, self._log.time()
        self._silent = {}
        for lease, end in self._log.leases().items():
            before, checks = known.get(lease, (None, 0))
            self._silent[lease] = (end, checks + 1 if end == before else 0)
        longest = self._settings.lease_seconds / SWEEP_SECONDS
        confirmed = [lease for lease, (end, checks) in self._silent.items() if checks > (0 if end < now else longest)]
        workers = {worker.lease: worker for worker in self._workers}
        if confirmed:
            self._discard_spare()  # it may be frozen like the others
        for lease in confirmed:
            worker = workers.get(lease)
            if worker is not None:
                worker.process.kill()
                worker.process.wait()
            self._log.reclaim_dead(
                lease, Message("it did not respond for {seconds} s", seconds=f"{self._settings.lease_seconds:g}")
            )
            self._clean(lease, crashed=True)

    def _clean(self, lease: Lease, *, crashed: bool) -> None:
        """Remove the files of an ended attempt, including unfinished ones if it crashed."""
        try:
            self._remove(lease, crashed)
        except OSError:
            logger.exception("what run %s left behind cannot be removed", lease.run)

    def _remove(self, lease: Lease, crashed: bool) -> None:
        try:
            row = self._log.run(lease.run)
        except UnknownRunError:  # deleted immediately after its end
            self._checkpoints.keep_only(lease.run, None)
            return
        self._checkpoints.keep_only(lease.run, row["checkpoint"], attempt=lease.attempt)
        if crashed and row["attempt"] == lease.attempt:
            self._store.remove_unfinished(lease.run)

    def _leave(self) -> None:
        self._discard_spare()
        for worker in self._workers:
            worker.process.terminate()
        end = time.monotonic() + self._grace
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            worker.stdin.close()
            try:
                self._log.release(worker.lease)
                self._clean(worker.lease, crashed=True)
            except SQLAlchemyError:
                logger.exception("run %s could not be put back; its lease will run out", worker.lease.run)


def _how(code: int) -> Message:
    """The cause of the end of a process, by its exit code."""
    if code == CREW_LOST:
        return _CREW_LOST
    if code < 0:
        return Message("signal {signal}", signal=signal.Signals(-code).name)
    return Message("exit code {code}", code=code)


def _reason(error: Exception) -> Message:
    if isinstance(error, OSError):
        return Message("{text}", text=error.strerror or type(error).__name__)
    return Message("{text}", text=str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__)
