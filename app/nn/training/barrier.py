"""A barrier for processes that share memory, without system calls."""

import time
from collections.abc import Callable

from app.nn.arrays import Array
from app.nn.training.shared_memory import LINE

SPINS = 2_000
"""Polls, about a tenth of a microsecond each, before a waiting process lets others run."""
PATIENCE_SECONDS = 0.02
"""The time after which a waiting process sleeps between polls."""
SLEEP_SECONDS = 0.0005


class SpinBarrier:
    """A barrier: each process counts its arrivals in its own flag, and waits until all others have arrived as often.

    While it waits, it calls `check` repeatedly with the seconds waited.
    """

    def __init__(self, flags: Array, rank: int, count: int, check: Callable[[float], None]) -> None:
        self._flags, self._check = flags, check
        self._own = rank * (LINE // flags.itemsize)
        self._others = [other * (LINE // flags.itemsize) for other in range(count) if other != rank]
        self._arrivals = 0

    def wait(self) -> None:
        """Wait until all have arrived as often as this one. Raises what `check` raises while it waits."""
        self._arrivals += 1
        flags, arrivals = self._flags, self._arrivals
        flags[self._own] = arrivals
        for other in self._others:
            spins = 0
            while flags[other] < arrivals:
                spins += 1
                if spins == SPINS:
                    self._wait(other)

    def _wait(self, other: int) -> None:
        started = time.monotonic()
        while self._flags[other] < self._arrivals:
            self._check(time.monotonic() - started)
            time.sleep(0 if time.monotonic() - started < PATIENCE_SECONDS else SLEEP_SECONDS)
