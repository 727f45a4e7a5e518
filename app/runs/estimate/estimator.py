"""What a training will come to before it starts: its parameters, its batches, and how long it takes on this machine."""

import json
import math
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import __version__
from app.runs.config.run_config import RunConfig
from app.runs.estimate.benchmark import outline, trial_apart
from app.runs.log.event_log import Log
from app.runs.log.state import State
from app.runs.training.hardware import cores
from app.storage.atomic import write_whole

LOOKED_AT = 50
"""Runs, the newest, whose speed is looked at."""
EVALUATION_SHARE = 1 / 3
"""What reading an image costs of learning from it: forwards alone, where learning goes backwards twice as far."""


@dataclass(frozen=True)
class Speed:
    """Samples a second, and what that is known from."""

    samples_per_second: float
    measured_on: str


def training_samples(config: RunConfig, images: int) -> tuple[int, int]:
    """How many of a training set's images are learned from, and how many are set aside."""
    if not isinstance(config.validation, float):
        return images, 0
    kept = int(images * (1 - config.validation))
    return kept, images - kept


class Estimator:
    """Knows how fast trainings are: from those that this machine has done, or from a trial of some batches.

    `tried` gives the samples a second of a trial, None where there is none; they are kept in `folder`.
    """

    def __init__(
        self, log: Log, tried: Callable[[RunConfig], float | None] = trial_apart, *, folder: Path | None = None
    ) -> None:
        self._log, self._tries, self._kept = log, tried, KeptSpeeds(folder)
        self._tried: dict[str, Speed | None] = {}
        self._lock = threading.Lock()

    def estimate(self, config: RunConfig, *, train: int, test: int, speed: Speed | None) -> dict[str, Any]:
        """What a training comes to on a data set with so many images to train and to test on."""
        network = config.build_network()
        samples, validated = training_samples(config, train)
        if config.validation == "test":
            validated = test
        batches = math.ceil(samples / min(config.batch_size, samples)) if samples else 0
        read = validated + (samples if config.evaluate_training_set else 0)
        per_epoch = samples + EVALUATION_SHARE * read
        return {
            "parameters": network.params.size,
            "layers": outline(network),
            "samples": samples,
            "validation_samples": validated,
            "batches": batches,
            "seconds": None if speed is None else config.epochs * per_epoch / speed.samples_per_second,
            "samples_per_second": None if speed is None else speed.samples_per_second,
            "measured_on": None if speed is None else speed.measured_on,
        }

    def known(self, configs: list[RunConfig]) -> list[Speed | None]:
        """The speeds of trainings like these, as far as they are known without a trial."""
        done: dict[str, Speed] = {}
        for run in self._log.list_runs(limit=LOOKED_AT):
            rate = (run["metrics"] or {}).get("samples_per_second")
            if run["state"] == State.SUCCEEDED and rate:
                done.setdefault(likeness(run["config"]), Speed(rate, f"run {run['id']}"))
        keys = [likeness(config.model_dump(mode="json")) for config in configs]
        return [done.get(key) or self._before(key) for key in keys]

    def speed(self, config: RunConfig) -> Speed | None:
        """The speed of trainings like this one, after a trial if need be; None where that would take too long."""
        (known,) = self.known([config])
        if known is not None:
            return known
        key = likeness(config.model_dump(mode="json"))
        with self._lock:
            if key not in self._tried:
                rate = self._tries(config)
                if rate is not None:
                    self._kept.put(key, rate)
                while len(self._tried) >= KEPT:
                    self._tried.pop(next(iter(self._tried)))
                self._tried[key] = None if rate is None else Speed(rate, "a trial on this machine")
            return self._tried[key]

    def _before(self, key: str) -> Speed | None:
        """What a trial has told of trainings like these, to this server or to one before it."""
        if key in self._tried:
            return self._tried[key]
        rate = self._kept.get(key)
        return None if rate is None else Speed(rate, "a trial on this machine")


def likeness(config: dict[str, Any]) -> str:
    """Equal for the configs of trainings that are equally fast."""
    layers = [
        {key: value for key, value in layer.items() if key != "initializer"} if isinstance(layer, dict) else layer
        for layer in config["network"]["layers"]
    ]
    loss = config["loss"]
    kinds = [config["optimizer"].get("type"), loss.get("type") if isinstance(loss, dict) else loss]
    same = [config.get(key) for key in ("batch_size", "dtype", "augmentation", "distillation")]
    return json.dumps([layers, *kinds, *same], sort_keys=True)


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
