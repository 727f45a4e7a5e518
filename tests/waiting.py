"""Waiting for a condition, with a limit."""

import time
from collections.abc import Callable
from typing import TypeVar

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
