"""A trial of some batches, to measure the speed of a training; `main()` runs one in a separate process.

The server never trains, so it measures in a separate process.
"""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from app.data.augmentation.augment import Augmenter, make_augmentation
from app.models import ModelStore
from app.nn import LOSSES, OPTIMIZERS, BatchMetrics, Network, Trainer, TrainingOptions, build, predict
from app.nn.layers.core import Layer
from app.nn.subprocesses import command, environment
from app.runs.config.run_config import IMAGE_SHAPE, RunConfig, parse_config
from app.runs.training.distillation import load_teachers
from app.runs.training.hardware import cores, worker_environment
from app.runs.training.source_models import UnusableModelError

TRIAL_SECONDS = 0.15
"""The duration of a trial after its first batch."""
LARGEST_TRIAL = 300_000_000
"""The most multiplications of a batch in the forward pass: some hundredths of a second."""
MOST_NUMBERS = 8_000_000
"""The most outputs of all layers for a batch: a few times 32 MB of float32."""
MOST_PARAMETERS = 5_000_000
"""The most parameters of a trial: 80 MB with gradients and an optimizer's state."""
TINY_RATE = 1e-9
"""A trial's learning rate, with which it does not diverge."""
MOST_IMAGES = 1000
"""The most images in a trial's batch."""
TRIED = 200
"""The most images to measure a teacher's speed."""

LONGEST_SECONDS = 30.0
"""A longer trial, on a busy machine, is aborted."""


def trial_apart(config: RunConfig, *, kernel: str = "auto", workers: int = 1) -> float | None:
    """As `trial`, in a separate process with the resources of one of `workers` trainings."""
    if size_of(config) < 1:
        return None
    try:
        ended = subprocess.run(
            command(__name__),
            input=config.model_dump_json(),
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=True,
            env={**environment(), **worker_environment(kernel, workers)},
        )
    except (subprocess.SubprocessError, OSError):  # not enough memory or time
        return None
    rate: float | None = json.loads(ended.stdout)
    return rate


def main() -> None:
    """Run a trial of the config on standard input (JSON), and write its samples a second, or null."""
    sys.stdout.write(json.dumps(trial(parse_config(json.loads(sys.stdin.read())))))


def size_of(config: RunConfig) -> int:
    """The number of images of a trial's batch; 0 if even some batches would take too long."""
    network = config.build_network()
    if network.params.size > MOST_PARAMETERS:
        return 0
    return min(
        config.batch_size,
        MOST_IMAGES,
        LARGEST_TRIAL // max(network.multiplications, 1),
        MOST_NUMBERS // _numbers(network),
    )


def trial(config: RunConfig, clock: Callable[[], float] = time.perf_counter) -> float | None:
    """Samples a second of a training on random images; None if even some batches would take too long."""
    size = size_of(config)
    if size < 1:
        return None
    network = config.build_network()
    network.initialize(config.seed)
    rng = np.random.default_rng(config.seed)
    images = rng.integers(0, 256, (size, *IMAGE_SHAPE), np.uint8)
    trainer = Trainer(
        network,
        images,
        rng.integers(0, network.output_shape[0], size),
        loss=build("loss", LOSSES, config.loss),
        optimizer=build("optimizer", OPTIMIZERS, {**config.optimizer, "learning_rate": TINY_RATE}),
        options=TrainingOptions(
            batch_size=size, epochs=10**6, input_scale=config.input_scale, clip_norm=config.clip_norm
        ),
    )
    seconds: list[float] = []
    with np.errstate(all="ignore"):
        try:
            started, end = clock(), None
            for step in trainer.run():
                if not isinstance(step, BatchMetrics):
                    started = clock()
                    continue
                now = clock()
                if end is None:
                    end = now + TRIAL_SECONDS  # the first batch allocates the buffers
                else:
                    seconds.append(now - started)
                    if now >= end:
                        break
        except ArithmeticError:
            pass  # it diverged; the measurements until then are valid
    if not seconds:
        return None
    started = clock()
    trainer.optimizer.step(network.params, network.grads)
    update = min(clock() - started, min(seconds))  # once per batch of any size
    per_image = (min(seconds) - update) / size + update / config.batch_size
    changing = _augmentation_seconds(config, images, clock)
    together = max(per_image, changing) if cores() > 1 else per_image + changing
    return 1 / max(together, 1e-9)


def with_teachers_time(
    rate: float | None, config: RunConfig, store: ModelStore, clock: Callable[[], float] = time.perf_counter
) -> float | None:
    """Samples a second of a training including its teachers, from the `rate` without them.

    Teachers predict each image once an epoch, which is measured on blank images. Images that do not change are
    predicted only in the first epoch, which is ignored.
    """
    if rate is None or config.distillation is None or config.augmentation is None:
        return rate
    seconds = 1 / rate
    try:
        for card, network in load_teachers(config, store):
            images = np.zeros(
                (max(1, min(TRIED, LARGEST_TRIAL // max(network.multiplications, 1))), *IMAGE_SHAPE), np.uint8
            )
            predict(network, images, input_scale=card.input_scale)  # allocates the buffers
            started = clock()
            predict(network, images, input_scale=card.input_scale)
            seconds += (clock() - started) / len(images)
    except UnusableModelError:  # the run will report it
        return rate
    return 1 / seconds


def layer_summary(network: Network) -> list[dict[str, Any]]:
    """The layers with their output shapes and numbers of parameters."""
    shapes = [*(layer.input_shape for layer in network.layers[1:]), network.output_shape]
    return [
        {"type": layer.type, "shape": list(shape), "parameters": _size(layer)}
        for layer, shape in zip(network.layers, shapes, strict=True)
    ]


def _numbers(network: Network) -> int:
    return max(sum(int(math.prod(part["shape"])) for part in layer_summary(network)), 1)


def _size(layer: Layer) -> int:
    return sum(math.prod(shape) for shape in layer.parameter_shapes().values())


def _augmentation_seconds(config: RunConfig, images: Any, clock: Callable[[], float]) -> float:
    """Seconds of augmentation per image."""
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
