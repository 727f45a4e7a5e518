"""Estimates of a training: its parameters, its batches, and its duration on this machine."""

import json
import math
import os
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import __version__
from app.runs.config.run_config import RunConfig
from app.runs.estimate.benchmark import layer_summary, trial_apart
from app.runs.log.event_log import EventLog
from app.runs.log.state import RunState
from app.runs.training.hardware import cores
from app.storage.atomic import write_atomic

RECENT_RUNS = 50
"""The number of newest runs whose speed is used."""
EVALUATION_SHARE = 1 / 3
"""The cost of a forward pass relative to a training step, whose backward pass costs twice as much."""


BEST_OF = 3
"""The newest runs of a kind whose fastest one counts, as others may have shared the machine with something else."""


@dataclass(frozen=True)
class Speed:
    """Samples a second, and the source of the measurement; `is_rough` if the machine was busy meanwhile."""

    samples_per_second: float
    measured_on: str
    is_rough: bool = False


def training_samples(config: RunConfig, images: int) -> tuple[int, int]:
    """The numbers of images for training and for validation."""
    if not isinstance(config.validation, float):
        return images, 0
    train = int(images * (1 - config.validation))
    return train, images - train


class Estimator:
    """Estimates the speed of trainings, from past ones on this machine or from a trial.

    `tried` returns the samples a second of a trial, or None; they are cached in `folder`.
    """

    def __init__(
        self,
        log: EventLog,
        tried: Callable[[RunConfig], float | None] = trial_apart,
        *,
        folder: Path | None = None,
        is_busy: Callable[[], bool] = lambda: is_busy(),
    ) -> None:
        self._log, self._trial, self._cache, self._is_busy = log, tried, SpeedCache(folder), is_busy
        self._tried: dict[str, Speed | None] = {}
        self._lock = threading.Lock()

    def estimate(self, config: RunConfig, *, train: int, test: int, speed: Speed | None) -> dict[str, Any]:
        """The estimate of a training on a data set with `train` training and `test` test images."""
        network = config.build_network()
        samples, validated = training_samples(config, train)
        if config.validation == "test":
            validated = test
        batches = math.ceil(samples / min(config.batch_size, samples)) if samples else 0
        read = validated + (samples if config.evaluate_training_set else 0)
        per_epoch = samples + EVALUATION_SHARE * read
        return {
            "parameters": network.params.size,
            "layers": layer_summary(network),
            "samples": samples,
            "validation_samples": validated,
            "batches": batches,
            "seconds": None if speed is None else config.epochs * per_epoch / speed.samples_per_second,
            "samples_per_second": None if speed is None else speed.samples_per_second,
            "measured_on": None if speed is None else speed.measured_on,
        }

    def known(self, configs: list[RunConfig]) -> list[Speed | None]:
        """The known speeds of trainings like these, without trials."""
        done: dict[str, list[Speed]] = {}
        for run in self._log.list_runs(limit=RECENT_RUNS):
            rate = (run["metrics"] or {}).get("samples_per_second")
            if run["state"] == RunState.SUCCEEDED and rate:
                done.setdefault(speed_key(run["config"]), []).append(Speed(rate, f"run {run['id']}"))
        fastest = {
            key: max(speeds[:BEST_OF], key=lambda speed: speed.samples_per_second) for key, speeds in done.items()
        }
        keys = [speed_key(config.model_dump(mode="json")) for config in configs]
        return [fastest.get(key) or self._trial_result(key) for key in keys]

    def speed(self, config: RunConfig) -> Speed | None:
        """The speed of trainings like this one, after a trial if necessary; None if that would take too long.

        A trial on a busy machine is repeated when it is idle.
        """
        (known,) = self.known([config])
        if known is not None and not (known.is_rough and not self._is_busy()):
            return known
        key = speed_key(config.model_dump(mode="json"))
        with self._lock:
            tried = self._tried.get(key)
            if key not in self._tried or (tried is not None and tried.is_rough and not self._is_busy()):
                is_rough = self._is_busy()
                rate = self._trial(config)
                if rate is not None and not is_rough:
                    self._cache.put(key, rate)
                while len(self._tried) >= KEPT:
                    self._tried.pop(next(iter(self._tried)))
                self._tried[key] = None if rate is None else Speed(rate, "a trial on this machine", is_rough)
            return self._tried[key]

    def _trial_result(self, key: str) -> Speed | None:
        """The result of an earlier trial, of this or of an earlier server."""
        if key in self._tried:
            return self._tried[key]
        rate = self._cache.get(key)
        return None if rate is None else Speed(rate, "a trial on this machine")


def is_busy() -> bool:
    """True if more processes want to run than there are processors, where the system tells that."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > cores()


def speed_key(config: dict[str, Any]) -> str:
    """A key that is equal for equally fast trainings."""
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
"""A trial's result is valid for a day, as it depends on the load of the machine."""
KEPT = 256
"""The number of cached speeds."""


class SpeedCache:
    """A cache of samples a second by key, for this machine and this version of digitpad."""

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        """The cache is in `folder`; None disables it."""
        self._path = None if folder is None else folder / SPEEDS
        self._clock = clock
        self._of = f"{__version__} {platform.node()} {cores()}"

    def get(self, key: str) -> float | None:
        """The result of a trial in the last day, if there is one."""
        found = self._read().get(key)
        return None if found is None else found[0]

    def put(self, key: str, rate: float) -> None:
        """Cache the result of a trial, if the folder is writable."""
        if self._path is None:
            return
        speeds = {**self._read(), key: (rate, self._clock())}
        newest = dict(sorted(speeds.items(), key=lambda item: item[1][1])[-KEPT:])
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, json.dumps({"of": self._of, "speeds": newest}).encode(), prefix=".speeds.")
        except OSError:
            pass  # only the next server misses it

    def _read(self) -> dict[str, tuple[float, float]]:
        """The cached speeds with their times; empty if the file is damaged or of another machine."""
        if self._path is None:
            return {}
        try:
            cached = json.loads(self._path.read_bytes())
            if cached["of"] != self._of:
                return {}
            now = self._clock()
            return {key: (rate, at) for key, (rate, at) in cached["speeds"].items() if _is_valid(rate, now - at)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}


def _is_valid(rate: Any, age: float) -> bool:
    return isinstance(rate, float) and math.isfinite(rate) and rate > 0 and 0 <= age < KEPT_SECONDS
