"""Senders who leave before they have their answer: nothing is worked out for them."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from app.web.job_queue import JobQueue

T = TypeVar("T")


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


class RequestJobs:
    """A `JobQueue` for one request, whose work ends when all who asked for it have left."""

    def __init__(self, request: Request, queue: JobQueue) -> None:
        self._request, self._queue = request, queue
        self.submit_idle = queue.submit_idle

    async def run(self, key: Hashable, work: Callable[[], T], stop: threading.Event | None = None) -> T:
        """As `JobQueue.run`; raises ClientDisconnect where the sender leaves."""
        return await unless_left(self._request, self._queue.run(key, work, stop))
