"""Work that takes a second, such as reading a whole test set: one piece at a time, beside what the server does."""

import asyncio
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from app.errors import LimitError

MOST_WAITING = 32
"""Pieces of work that wait at one time."""

T = TypeVar("T")


@dataclass(eq=False)
class _Job:
    future: asyncio.Future[Any]
    stop: threading.Event
    askers: int = 0


class JobQueue:
    """One thread for long work, so that short requests keep the others. Belongs to one event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="jobs")
        self._jobs: dict[Hashable, _Job] = {}
        self._later: dict[Hashable, Callable[[], Any]] = {}

    async def run(self, key: Hashable, work: Callable[[], T], stop: threading.Event | None = None) -> T:
        """Return the result of `work`; calls with the same key before it is done share it.

        When all of them were cancelled, work that has not begun is dropped, and `stop` is set for work that has.
        Raises what `work` raises, and LimitError where too much waits.
        """
        job = self._submit(key, work, stop)
        job.askers += 1
        try:
            found: T = await asyncio.shield(job.future)  # others may wait for it when this one leaves
            return found
        finally:
            job.askers -= 1
            if job.askers == 0 and not job.future.done():
                self._drop(key, job)

    def submit_idle(self, key: Hashable, work: Callable[[], Any]) -> None:
        """Do `work` when nobody waits for another; where too much of that kind waits, it is not done."""
        if not self._jobs:
            self._submit(key, work)
        elif key not in self._jobs and len(self._later) < MOST_WAITING:
            self._later[key] = work

    async def close(self) -> None:
        """Let the piece at hand come to its end, and drop the others."""
        self._later.clear()
        for job in self._jobs.values():
            job.stop.set()
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    def _submit(self, key: Hashable, work: Callable[[], Any], stop: threading.Event | None = None) -> _Job:
        self._later.pop(key, None)
        job = self._jobs.get(key)
        if job is None:
            if len(self._jobs) >= MOST_WAITING:
                raise LimitError("too many evaluations at once; try again in a moment", retry_after=2)
            job = _Job(asyncio.wrap_future(self._pool.submit(work)), stop or threading.Event())
            self._jobs[key] = job
            job.future.add_done_callback(lambda _: self._end(key, job))
        return job

    def _drop(self, key: Hashable, job: _Job) -> None:
        """End work that nobody waits for any more; who asks again begins it anew."""
        del self._jobs[key]
        job.stop.set()
        job.future.cancel()

    def _end(self, key: Hashable, job: _Job) -> None:
        if self._jobs.get(key) is job:
            del self._jobs[key]
        if not job.future.cancelled():
            job.future.exception()  # seen, also where nobody waits for it any more
        if self._later and not self._jobs:
            following, work = next(iter(self._later.items()))
            self._submit(following, work)
