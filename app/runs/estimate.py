"""What a training will come to before it starts: its parameters, its batches, and how long it takes on this machine."""

import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.data.augment import Augmenter, make_augmentation
from app.nn import LOSSES, OPTIMIZERS, BatchDone, Network, Options, Trainer, build
from app.nn.convolution import Conv2D
from app.nn.layers import Dense, Layer
from app.runs.compute import cores
from app.runs.config import IMAGE_SHAPE, RunConfig
from app.runs.log import Log
from app.runs.states import State

TRIAL_SECONDS = 0.15
"""How long a trial goes on after its first batch."""
LARGEST_TRIAL = 300_000_000
"""Multiplications of one batch, forwards alone: a hundredth of a second or a few."""
MOST_NUMBERS = 8_000_000
"""Numbers in all outputs of the layers for one batch: 32 MB of float32, a few times over."""
MOST_PARAMETERS = 5_000_000
"""Of a network that is tried: with gradients and an optimizer's memory these are 80 MB."""
TINY_RATE = 1e-9
"""A trial's learning rate: whether it would learn is not the question, and so it does not diverge."""
MOST_IMAGES = 1000
"""Images in a trial's batch."""

LOOKED_AT = 50
"""Runs, the newest, whose speed is looked at."""
EVALUATION_SHARE = 1 / 3
"""What reading an image costs of learning from it: forwards alone, where learning goes backwards twice as far."""
KEPT = 256
"""Speeds that are remembered."""


@dataclass(frozen=True)
class Speed:
    """Samples a second, and what that is known from."""

    samples_per_second: float
    measured_on: str


def outline(network: Network) -> list[dict[str, Any]]:
    """The layers with the shape of what each puts out and the number of its parameters."""
    shapes = [*(layer.input_shape for layer in network.layers[1:]), network.output_shape]
    return [
        {"type": layer.type, "shape": list(shape), "parameters": _size(layer)}
        for layer, shape in zip(network.layers, shapes, strict=True)
    ]


def training_samples(config: RunConfig, images: int) -> tuple[int, int]:
    """How many of a training set's images are learned from, and how many are set aside."""
    if not isinstance(config.validation, float):
        return images, 0
    kept = int(images * (1 - config.validation))
    return kept, images - kept


class Estimator:
    """Knows how fast trainings are: from those that this machine has done, or from a trial of some batches."""

    def __init__(self, log: Log, clock: Callable[[], float] = time.perf_counter) -> None:
        self._log, self._clock = log, clock
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
        return [done.get(key) or self._tried.get(key) for key in keys]

    def speed(self, config: RunConfig) -> Speed | None:
        """The speed of trainings like this one, after a trial if need be; None where that would take too long."""
        (known,) = self.known([config])
        if known is not None:
            return known
        key = likeness(config.model_dump(mode="json"))
        with self._lock:
            if key not in self._tried:
                rate = trial(config, self._clock)
                while len(self._tried) >= KEPT:
                    self._tried.pop(next(iter(self._tried)))
                self._tried[key] = None if rate is None else Speed(rate, "a trial on this machine")
            return self._tried[key]


def likeness(config: dict[str, Any]) -> str:
    """Equal for the configs of trainings that are equally fast."""
    layers = [
        {key: value for key, value in layer.items() if key != "initializer"} if isinstance(layer, dict) else layer
        for layer in config["network"]["layers"]
    ]
    loss = config["loss"]
    kinds = [config["optimizer"].get("type"), loss.get("type") if isinstance(loss, dict) else loss]
    same = [config.get(key) for key in ("batch_size", "dtype", "augmentation")]
    return json.dumps([layers, *kinds, *same], sort_keys=True)


def trial(config: RunConfig, clock: Callable[[], float]) -> float | None:
    """Samples a second of a training on made-up images; None where even some batches would take too long."""
    network = config.build_network()
    size = min(
        config.batch_size, MOST_IMAGES, LARGEST_TRIAL // max(work(network), 1), MOST_NUMBERS // _numbers(network)
    )
    if network.params.size > MOST_PARAMETERS or size < 1:
        return None
    network.initialize(config.seed)
    rng = np.random.default_rng(config.seed)
    images = rng.integers(0, 256, (size, *IMAGE_SHAPE), np.uint8)
    trainer = Trainer(
        network,
        images,
        rng.integers(0, network.output_shape[0], size),
        loss=build("loss", LOSSES, config.loss),
        optimizer=build("optimizer", OPTIMIZERS, {**config.optimizer, "learning_rate": TINY_RATE}),
        options=Options(batch_size=size, epochs=10**6, input_scale=config.input_scale, clip_norm=config.clip_norm),
    )
    seconds: list[float] = []
    with np.errstate(all="ignore"):
        try:
            started, end = clock(), None
            for step in trainer.run():
                if not isinstance(step, BatchDone):
                    started = clock()
                    continue
                now = clock()
                if end is None:
                    end = now + TRIAL_SECONDS  # the first batch makes the buffers
                else:
                    seconds.append(now - started)
                    if now >= end:
                        break
        except ArithmeticError:
            """It diverged: what was timed until then is as good."""
    if not seconds:
        return None
    started = clock()
    trainer.optimizer.step(network.params, network.grads)
    update = min(clock() - started, min(seconds))  # which is once a batch, however large
    per_image = (min(seconds) - update) / size + update / config.batch_size
    changing = _augmentation_seconds(config, images, clock)
    together = max(per_image, changing) if cores() > 1 else per_image + changing
    return 1 / max(together, 1e-9)


def work(network: Network) -> int:
    """Multiplications of one image's way forwards."""
    total = 0
    for layer in network.layers:
        if isinstance(layer, Dense):
            total += layer.inputs * layer.units
        elif isinstance(layer, Conv2D):
            total += math.prod(layer.parameter_shapes()["weight"]) * layer.out_height * layer.out_width
    return total


def _numbers(network: Network) -> int:
    return max(sum(int(math.prod(part["shape"])) for part in outline(network)), 1)


def _size(layer: Layer) -> int:
    return sum(math.prod(shape) for shape in layer.parameter_shapes().values())


def _augmentation_seconds(config: RunConfig, images: Any, clock: Callable[[], float]) -> float:
    """Seconds for each image that is changed beside the training."""
    augmentation = make_augmentation(config.augmentation)
    if augmentation is None:
        return 0.0
    augmenter, made = Augmenter(augmentation, IMAGE_SHAPE[0]), np.empty_like(images)
    seconds = []
    for epoch in range(3):
        started = clock()
        augmenter.epoch(images, config.seed, epoch, made)
        seconds.append(clock() - started)
    return min(seconds) / len(images)
