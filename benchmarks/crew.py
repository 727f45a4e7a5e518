"""The speed-up of a training by several processes: `python -m benchmarks.crew [RECIPE ...]`.

Seconds of an epoch of each recipe without augmentation, by one process and by one for each processor, on enough
random images for a few seconds. Both alternate; the table shows the medians, and the speed-up of each round.
"""

import os

from app.runs.training.hardware import MAX_PROCESSES, computing, cores, worker_environment

os.environ.update(worker_environment("auto", 1))  # before NumPy is imported

import statistics
import sys

import numpy as np

from app.nn import LOSSES, OPTIMIZERS, EpochMetrics, Network, Trainer, build
from app.recipes import get_recipe
from app.runs.config.run_config import parse_config

RECIPES = ("small-mlp", "best-mlp", "best-cnn")
SECONDS = 3.0
"""The approximate time of an epoch in one process."""
ROUNDS = 5


def epoch_seconds(recipe: str, images: int, processes: int) -> float:
    """Seconds of the second of two epochs on `images` images."""
    config = parse_config(dict(get_recipe(recipe).config))
    rng = np.random.default_rng(0)
    network: Network = config.build_network()
    network.initialize(config.seed)
    trainer = Trainer(
        network,
        rng.integers(0, 256, (images, *network.input_shape), dtype=np.uint8),
        rng.integers(0, network.output_shape[0], images),
        loss=build("loss", LOSSES, config.loss),
        optimizer=build("optimizer", OPTIMIZERS, config.optimizer),
        options=config.model_copy(update={"epochs": 2}).options(),
        processes=processes,
    )
    if trainer.processes != processes:
        raise RuntimeError(f"{recipe}: {trainer.processes} processes, not {processes}")
    with computing(processes):
        return [step.seconds for step in trainer.run() if isinstance(step, EpochMetrics)][-1]


def main() -> None:
    count = min(cores(), MAX_PROCESSES)
    print(f"| recipe | ms/image, 1 process | {count} processes | times as fast | least | most |")
    print("|---|---|---|---|---|---|")
    for recipe in sys.argv[1:] or RECIPES:
        images = round(SECONDS / epoch_seconds(recipe, 1000, 1)) * 1000
        turns = [(epoch_seconds(recipe, images, 1), epoch_seconds(recipe, images, count)) for _ in range(ROUNDS)]
        alone, shared = (1000 * statistics.median(column) / images for column in zip(*turns, strict=True))
        gains = [one / many for one, many in turns]
        print(
            f"| {recipe} | {alone:.3f} | {shared:.3f} | {statistics.median(gains):.2f} | {min(gains):.2f} "
            f"| {max(gains):.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
