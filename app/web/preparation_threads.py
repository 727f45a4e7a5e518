"""Threads for decoding and preparing what requests bring, a few at a time."""

import asyncio
import os
from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.web.departures import unless_left

T = TypeVar("T")

PREPARED_AT_ONCE = min(4, os.cpu_count() or 1)
"""Threads that prepare drawings, so that what they unpack has room in memory, and pages keep the other threads."""


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
