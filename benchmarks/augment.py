"""What augmentation costs: seconds of the epochs of the best recipes, with it and without, and of the images alone.

`python -m benchmarks.augment`. Plain and augmented trainings take turns, in processes of their own; the median of their
epochs after the first stands in the table.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np

from app.data import load_dataset
from app.data.augment import Augmenter, make_augmentation
from app.recipes import get_recipe
from app.runs.compute import cores, worker_environment
from app.runs.config import parse_config
from app.runs.training import Said, Training
from app.settings import Settings

RECIPES = {"best-mlp": 4, "best-cnn": 1}
"""Each recipe, and how many epochs are measured after the first."""
ROUNDS = 2


def main() -> None:
    print("| recipe | s/epoch, plain | s/epoch, augmented | times | s of one core for the images |")
    print("|---|---|---|---|---|")
    for recipe, epochs in RECIPES.items():
        seconds: dict[str, list[float]] = {"plain": [], "augmented": []}
        for _ in range(ROUNDS):
            for kind, found in seconds.items():
                found.extend(_measure(kind, recipe, epochs))
        plain, augmented = (statistics.median(found) for found in seconds.values())
        alone = statistics.median(_measure("images", recipe, epochs))
        print(f"| {recipe} | {plain:.2f} | {augmented:.2f} | {augmented / plain:.2f} | {alone:.2f} |", flush=True)


def _measure(kind: str, recipe: str, epochs: int) -> list[float]:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.augment", kind, recipe, str(epochs)],
        env={**os.environ, **worker_environment("auto", 1)},
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(ended.stdout))


def _epochs(kind: str, recipe: str, epochs: int) -> list[float]:
    """Seconds of each epoch after the first: of its training, or of making its images."""
    settings = Settings()
    dataset = load_dataset("mnist", data_dir=settings.data_dir, cache_dir=settings.cache_dir)
    config = get_recipe(recipe).config
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
    for step in training.run():  # the last epoch is left out: nothing is made ahead in it
        if isinstance(step, Said) and step.type == "epoch":
            found.append(step.data["seconds"])
        if len(found) == epochs + 1:
            break
    return found[1:]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(_epochs(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
    else:
        main()
