"""A trial of some batches, to know how fast a training is: `main()` makes one in a process of its own.

The server never trains: what it wants to know it has measured beside it, by a process that is there for that alone.
"""

import json
import math
import os
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
from app.nn.subprocesses import ROOT
from app.runs.config.run_config import IMAGE_SHAPE, RunConfig, parse_config
from app.runs.training.distillation import load_teachers
from app.runs.training.hardware import cores, worker_environment
from app.runs.training.source_models import UnusableModelError

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
TRIED = 200
"""Images that a teacher reads to know how fast it is, at most."""

LONGEST_SECONDS = 30.0
"""A trial that takes longer, on a machine that is busy with other things, is given up."""


def trial_apart(config: RunConfig, *, kernel: str = "auto", workers: int = 1) -> float | None:
    """As `trial`, in a process of its own that computes as one of `workers` trainings would."""
    if size_of(config) < 1:  # no process is needed to know that
        return None
    try:
        ended = subprocess.run(
            [sys.executable, "-P", "-c", f"from {__name__} import main; main()"],  # -P: not the `app` of where we are
            input=config.model_dump_json(),
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **worker_environment(kernel, workers)},
        )
    except (subprocess.SubprocessError, OSError):  # there was no room for it, or no time: nothing is known then
        return None
    found: float | None = json.loads(ended.stdout)
    return found


def main() -> None:
    """Try the config that standard input has as JSON, and write its samples a second, or null."""
    sys.stdout.write(json.dumps(trial(parse_config(json.loads(sys.stdin.read())))))


def size_of(config: RunConfig) -> int:
    """How many images a trial's batch has; 0 where even some batches would take too long."""
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
    """Samples a second of a training on made-up images; None where even some batches would take too long."""
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


def with_teachers_time(
    rate: float | None, config: RunConfig, store: ModelStore, clock: Callable[[], float] = time.perf_counter
) -> float | None:
    """Samples a second of a training of which `rate` is known without its teachers, who read each image once an epoch.

    Their reading is tried on some made-up images. Images that stay the same are read in the first epoch alone, which is
    not counted.
    """
    if rate is None or config.distillation is None or config.augmentation is None:
        return rate
    seconds = 1 / rate
    try:
        for card, network in load_teachers(config, store):
            images = np.zeros(
                (max(1, min(TRIED, LARGEST_TRIAL // max(network.multiplications, 1))), *IMAGE_SHAPE), np.uint8
            )
            predict(network, images, input_scale=card.input_scale)  # which makes the buffers
            started = clock()
            predict(network, images, input_scale=card.input_scale)
            seconds += (clock() - started) / len(images)
    except UnusableModelError:  # the run will say so
        return rate
    return 1 / seconds


def layer_summary(network: Network) -> list[dict[str, Any]]:
    """The layers with the shape of what each puts out and the number of its parameters."""
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
