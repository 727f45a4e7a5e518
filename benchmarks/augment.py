"""The cost of augmentation: seconds per epoch of the best recipes, with it and without, and of the images alone.

`python -m benchmarks.augment [RECIPE ...]`. A recipe without augmentation has that of best-cnn. Plain and augmented
trainings alternate, in separate processes. The table shows the median of their epochs after the first, and the least
and the median ratio of augmented to plain time over the rounds: other load on the machine falls on one half of a round,
so that the least ratio is the best estimate of the cost.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np

from app.data import DatasetCatalog, Split
from app.data.augmentation.augment import Augmenter, make_augmentation
from app.recipes import get_recipe
from app.runs.config.run_config import parse_config
from app.runs.training.hardware import cores, worker_environment
from app.runs.training.run_training import RunEvent, Training
from app.settings import Settings

RECIPES = {"best-mlp": (60_000, 4), "lenet": (12_000, 2), "best-cnn": (6_000, 2)}
"""By recipe, the number of images and of measured epochs after the first."""
OTHERS = (12_000, 2)
ROUNDS = 3
ONE = "--one"


def main() -> None:
    print("| recipe | images | s/epoch, plain | s/epoch, augmented | times, least | median | images alone, s |")
    print("|---|---|---|---|---|---|---|")
    for recipe in sys.argv[1:] or RECIPES:
        images, epochs = RECIPES.get(recipe, OTHERS)
        turns = []
        for _ in range(ROUNDS):
            plain, augmented = (
                statistics.median(_measure(kind, recipe, images, epochs)) for kind in ("plain", "augmented")
            )
            turns.append((plain, augmented, augmented / plain))
        plain, augmented, times = (statistics.median(column) for column in zip(*turns, strict=True))
        alone = statistics.median(_measure("images", recipe, images, epochs))
        least = min(turn[2] for turn in turns)
        print(
            f"| {recipe} | {images:,} | {plain:.2f} | {augmented:.2f} | {least:.2f} | {times:.2f} | {alone:.2f} |",
            flush=True,
        )


def _measure(kind: str, recipe: str, images: int, epochs: int) -> list[float]:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.augment", ONE, kind, recipe, str(images), str(epochs)],
        env={**os.environ, **worker_environment("auto", 1)},
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(ended.stdout))


def _epochs(kind: str, recipe: str, count: int, epochs: int) -> list[float]:
    """Seconds of each epoch after the first: of its training, or of the augmentation of its images."""
    settings = Settings()
    whole = DatasetCatalog.from_settings(settings).load("mnist")
    train = Split(whole.train.images[:count], whole.train.labels[:count])
    dataset = replace(whole, train=train, test=Split(whole.test.images[:200], whole.test.labels[:200]))
    config = dict(get_recipe(recipe).config)
    config["augmentation"] = config.get("augmentation") or get_recipe("best-cnn").config["augmentation"]
    if kind == "images":
        augmentation = make_augmentation(config["augmentation"])
        assert augmentation is not None
        augmenter, out = Augmenter(augmentation), np.empty_like(dataset.train.images)
        started = [time.perf_counter()]
        for epoch in range(epochs + 1):
            augmenter.epoch(dataset.train.images, 1, epoch, out)
            started.append(time.perf_counter())
        return [end - start for start, end in pairwise(started[1:])]
    changes = {} if kind == "augmented" else {"augmentation": None}
    training = Training(parse_config({**config, "epochs": epochs + 2, **changes}), dataset, processes=cores())
    found = []
    for step in training.run():  # without the last epoch, in which no images are prefetched
        if isinstance(step, RunEvent) and step.type == "epoch":
            found.append(step.data["seconds"])
        if len(found) == epochs + 1:
            break
    return found[1:]


if __name__ == "__main__":
    if sys.argv[1:2] == [ONE]:
        print(json.dumps(_epochs(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))))
    else:
        main()
