"""The variation of a training over seeds: `python -m benchmarks.seeds RECIPE [SEED ...] [--write MODEL]`.

Trains the recipe once for each seed (by default 1, 2, 3) and prints the validation accuracy of the last epoch and the
test accuracy of the model, measured once at the end of each. With `--write` the rows are written into a stored model's
card as `seeds`.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import statistics

from app.data import DatasetCatalog
from app.models import ModelStore
from app.models.card import SeedResult
from app.recipes import get_recipe
from app.runs.config.run_config import parse_config
from app.runs.training.hardware import MAX_PROCESSES, cores
from app.runs.training.run_training import RunEvent, Training
from app.settings import SHIPPED_MODELS, Settings


def train(recipe: str, seed: int, settings: Settings) -> SeedResult:
    """One training of `recipe` with `seed`; prints its epochs."""
    config = parse_config({**get_recipe(recipe).config, "seed": seed})
    dataset = DatasetCatalog.from_settings(settings).load(config.dataset)
    training = Training(config, dataset, processes=min(cores(), MAX_PROCESSES), cache_dir=settings.cache_dir)
    validation = test = None
    for step in training.run():
        if isinstance(step, RunEvent) and step.type == "epoch":
            validation = step.data["val_accuracy"]
            print(f"seed {seed}: epoch {step.data['epoch']} validation {validation}", flush=True)
        elif isinstance(step, RunEvent) and step.type == "evaluated":
            test = step.data["test_accuracy"]
    if test is None:
        raise RuntimeError(f"seed {seed}: the training ended before it was evaluated")
    return SeedResult(seed=seed, val=validation, test=test)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe")
    parser.add_argument("seeds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--write", metavar="MODEL")
    arguments = parser.parse_args()
    settings = Settings()
    found = [train(arguments.recipe, seed, settings) for seed in arguments.seeds]
    for row in found:
        print(row.model_dump_json())
    tests = [row.test for row in found if row.test is not None]
    spread = statistics.stdev(tests) if len(tests) > 1 else 0.0
    print(f"test accuracy {statistics.mean(tests):.4%}, standard deviation {spread:.4%} over {len(tests)} seeds")
    if arguments.write is not None:
        store = ModelStore(settings.home, SHIPPED_MODELS)
        store.update_card(arguments.write, seeds=[row.model_dump() for row in found])


if __name__ == "__main__":
    main()
