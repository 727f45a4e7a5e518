"""What trials came to, kept in the cache folder for a day: a server that starts again tries nothing anew."""

import json
import math
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app import __version__
from app.runs.compute import cores
from app.storage.atomic import write_whole

SPEEDS = "speeds.json"
KEPT_SECONDS = 86_400.0
"""A trial tells the speed beside whatever else was done then, which is another thing tomorrow."""
KEPT = 256
"""Speeds that are remembered."""


class KeptSpeeds:
    """Samples a second by what was tried, of this machine and this version of digitpad."""

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        """Kept in `folder`; nowhere where it is None."""
        self._path = None if folder is None else folder / SPEEDS
        self._clock = clock
        self._of = f"{__version__} {platform.node()} {cores()}"

    def get(self, key: str) -> float | None:
        """What a trial came to within the last day, if there was one."""
        found = self._read().get(key)
        return None if found is None else found[0]

    def put(self, key: str, rate: float) -> None:
        """Keep what a trial came to. Where the folder cannot be written, the next server tries again."""
        if self._path is None:
            return
        speeds = {**self._read(), key: (rate, self._clock())}
        newest = dict(sorted(speeds.items(), key=lambda item: item[1][1])[-KEPT:])
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, json.dumps({"of": self._of, "speeds": newest}).encode(), prefix=".speeds.")
        except OSError:
            """It is a help for the next start, and no more."""

    def _read(self) -> dict[str, tuple[float, float]]:
        """The speeds that are there, each with its time. What is damaged, or another machine's, counts as none."""
        if self._path is None:
            return {}
        try:
            kept = json.loads(self._path.read_bytes())
            if kept["of"] != self._of:
                return {}
            now = self._clock()
            return {key: (rate, at) for key, (rate, at) in kept["speeds"].items() if _holds(rate, now - at)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}


def _holds(rate: Any, age: float) -> bool:
    return isinstance(rate, float) and math.isfinite(rate) and rate > 0 and 0 <= age < KEPT_SECONDS
