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

from sqlalchemy.exc import SQLAlchemyError

from app.runs.compute import kernel_environment
from app.runs.log import Claim, Log
from app.runs.states import State
from app.settings import PROJECT, Settings

logger = logging.getLogger("digitpad")

TURN_SECONDS = 0.1
SWEEP_SECONDS = 1.0
TERMINATE_AFTER, KILL_AFTER = 5.0, 10.0
"""Seconds from the wish to cancel until SIGTERM, and until SIGKILL, for a worker that does not heed it."""

NICENESS = 19
"""The lowest priority: a training then leaves the processor to whoever draws."""


@dataclass
class _Worker:
    claim: Claim
    process: subprocess.Popen[bytes]
    orders: IO[bytes]
    """The worker's standard input; while it is open, the worker knows that its server lives."""
    cancelling_since: float | None = None


class Runner:
    """Runs the queue in a thread of its own, from `start` to `stop`.

    `fault` says what keeps it from working, if anything does; it tries again until that is over.
    """

    def __init__(self, log: Log, settings: Settings) -> None:
        self.fault: str | None = None
        self.owner = str(uuid.uuid4())
        self._log, self._settings = log, settings
        self._workers: list[_Worker] = []
        self._stop, self._wake = threading.Event(), threading.Event()
        self._next_sweep = 0.0
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the queue is looked after."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Look at the queue now rather than at the next turn."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread and every worker; their runs are marked as failed, with the reason."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        for worker in self._workers:
            worker.process.kill()
            worker.process.wait()
            worker.orders.close()
        for worker in self._workers:
            try:
                self._fail(worker.claim, "the server was stopped while this run was training")
            except SQLAlchemyError:
                logger.exception("run %s could not be marked; its lease will run out", worker.claim.run)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._turn()
                self.fault = None
            except Exception as error:  # whatever it is, it must be seen, and must not end the queue
                logger.exception("the queue cannot be looked after")
                self.fault = f"trainings wait: {type(error).__name__}"
                self._stop.wait(1)
            self._wake.wait(TURN_SECONDS)
            self._wake.clear()

    def _turn(self) -> None:
        self._workers = [worker for worker in self._workers if not self._ended(worker)]
        for worker in self._workers:
            self._press(worker)
        if time.monotonic() >= self._next_sweep:
            self._sweep()
            self._next_sweep = time.monotonic() + SWEEP_SECONDS
        while len(self._workers) < self._settings.workers and not self._stop.is_set():
            claim = self._log.claim(self.owner)
            if claim is None:
                return
            try:
                self._workers.append(self._start(claim))
            except OSError as error:
                self._fail(claim, f"the training process could not be started: {error.strerror}")

    def _start(self, claim: Claim) -> _Worker:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.runs.worker"],
            stdin=subprocess.PIPE,
            env={**os.environ, **kernel_environment(self._settings.blas_kernel)},
            bufsize=0,  # so that closing never has anything left to write to a worker that died
            cwd=PROJECT,
            start_new_session=True,  # Ctrl+C is for the server, which ends its workers itself
        )
        with suppress(ProcessLookupError):  # it died at once
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        orders = {"claim": asdict(claim), "settings": self._settings.model_dump(mode="json")}
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # likewise: the next turn reads its exit code
            process.stdin.write(json.dumps(orders).encode() + b"\n")
        return _Worker(claim, process, process.stdin)

    def _ended(self, worker: _Worker) -> bool:
        """Whether the worker's process is over; if so, its run is made to end too."""
        code = worker.process.poll()
        if code is None:
            return False
        claim = worker.claim
        if worker.cancelling_since is not None:
            self._log.end(claim.run, State.CANCELLED, attempt=claim.attempt)
        else:
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            self._fail(claim, f"the training process died ({how}); start the run again")
        worker.orders.close()
        return True

    def _press(self, worker: _Worker) -> None:
        """Make a worker end that was asked to cancel and does not."""
        status = self._log.status(worker.claim.run)
        if status is None or not status["cancel_requested"]:
            return
        worker.cancelling_since = worker.cancelling_since or time.monotonic()
        waited = time.monotonic() - worker.cancelling_since
        if waited > KILL_AFTER:
            worker.process.kill()
        elif waited > TERMINATE_AFTER:
            worker.process.terminate()

    def _fail(self, claim: Claim, error: str) -> None:
        self._log.end(claim.run, State.FAILED, attempt=claim.attempt, error=error)

    def _sweep(self) -> None:
        """End the runs whose worker fell silent: a server that was killed left them behind."""
        own = {worker.claim.run for worker in self._workers}
        for run in self._log.ids([State.RUNNING], lease_before=time.time()):
            if run not in own:
                self._log.end(
                    run,
                    State.FAILED,
                    error="the server that trained this run ended before the run did; start the run again",
                )
