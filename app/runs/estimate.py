"""What a training will come to before it starts: its parameters, its batches, and how long it takes on this machine."""

import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.runs.config import RunConfig
from app.runs.log import Log
from app.runs.speeds import KEPT, KeptSpeeds
from app.runs.states import State
from app.runs.trial import outline, trial_apart

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
