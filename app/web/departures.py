"""Senders who leave before they have their answer: nothing is worked out for them."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from app.web.job_queue import JobQueue

T = TypeVar("T")

PREPARED_AT_ONCE = min(4, os.cpu_count() or 1)
"""Threads that prepare drawings, so that what they unpack has room in memory, and pages keep the other threads."""


async def unless_left(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; where the sender of `request`, whose body was read, leaves, cancel it.

    Raises what it raises, or ClientDisconnect.
    """
    answer, left = asyncio.ensure_future(work), asyncio.ensure_future(_departure(request))
    try:
        await asyncio.wait((answer, left), return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise ClientDisconnect
    finally:
        for task in (answer, left):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await left


async def _departure(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class PreparationThreads:
    """Threads for decoding and preparing what requests bring, a few at a time. Belongs to one event loop."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(PREPARED_AT_ONCE)

    async def run(self, request: Request, work: Callable[[], T]) -> T:
        """Return the result of `work`, done when its turn comes.

        Raises what it raises, and ClientDisconnect where the sender has left before that.
        """
        if self._turns.locked():
            await unless_left(request, self._turns.acquire())
        else:
            await self._turns.acquire()
        try:
            return await run_in_threadpool(work)
        finally:
            self._turns.release()


class RequestJobs:
    """A `JobQueue` for one request, whose work ends when all who asked for it have left."""

    def __init__(self, request: Request, queue: JobQueue) -> None:
        self._request, self._queue = request, queue
        self.submit_idle = queue.submit_idle

    async def run(self, key: Hashable, work: Callable[[], T], stop: threading.Event | None = None) -> T:
        """As `JobQueue.run`; raises ClientDisconnect where the sender leaves."""
        return await unless_left(self._request, self._queue.run(key, work, stop))
