"""Waiting for a condition, with a limit, and for what is asynchronous."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
LIMIT_SECONDS = 60.0


def until(condition: Callable[[], T], limit: float = LIMIT_SECONDS) -> T:
    """Ask again and again until `condition` gives something true, and return that; fail after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"still not so after {limit:g} s; last: {found!r}")
        time.sleep(0.02)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """What `work` comes to, in an event loop of its own; that of the browser's driver may be in this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
