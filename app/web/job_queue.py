"""Work that takes a second, such as reading a whole test set: one piece at a time, beside what the server does."""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from app.errors import LimitError

MOST_WAITING = 32
"""Pieces of work that wait at one time."""

T = TypeVar("T")


class JobQueue:
    """One thread for long work, so that short requests keep the others. Belongs to one event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="jobs")
        self._asked: dict[Hashable, asyncio.Future[Any]] = {}
        self._later: dict[Hashable, Callable[[], Any]] = {}

    async def run(self, key: Hashable, work: Callable[[], T]) -> T:
        """Return the result of `work`; calls with the same key before it is done share it.

        Raises what `work` raises, and LimitError where too much waits.
        """
        found: T = await asyncio.shield(self.submit(key, work))  # others may wait for it when this one leaves
        return found

    def submit(self, key: Hashable, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Do `work` when its turn comes, and hand out its future. Raises LimitError."""
        self._later.pop(key, None)
        future = self._asked.get(key)
        if future is None:
            if len(self._asked) >= MOST_WAITING:
                raise LimitError("too many evaluations at once; try again in a moment", retry_after=2)
            future = asyncio.wrap_future(self._pool.submit(work))
            self._asked[key] = future
            future.add_done_callback(lambda done: self._end(key, done))
        return future

    def submit_idle(self, key: Hashable, work: Callable[[], Any]) -> None:
        """Do `work` when nobody waits for another; where too much of that kind waits, it is not done."""
        if not self._asked:
            self.submit(key, work)
        elif key not in self._asked and len(self._later) < MOST_WAITING:
            self._later[key] = work

    async def close(self) -> None:
        """Let the piece at hand come to its end, and drop the others."""
        self._later.clear()
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    def _end(self, key: Hashable, future: "asyncio.Future[Any]") -> None:
        del self._asked[key]
        if not future.cancelled():
            future.exception()  # seen, also where nobody waits for it any more
        if self._later and not self._asked:
            following, work = next(iter(self._later.items()))
            self.submit(following, work)
