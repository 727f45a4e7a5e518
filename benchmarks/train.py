"""Samples per second of whole epochs (batch, forward, backward, update) of the recipes, on MNIST."""

import statistics
from dataclasses import replace

from app.data import load_dataset
from app.nn import OPTIMIZERS, EpochMetrics, Trainer, build
from app.recipes import load_recipes
from app.runs.config import parse_config
from app.settings import Settings

EPOCHS = 5


def main() -> None:
    settings = Settings()
    dataset = load_dataset("mnist", data_dir=settings.data_dir, cache_dir=settings.cache_dir)
    print("| recipe | dtype | samples/s, median of 5 epochs | lowest | highest |\n|---|---|---|---|---|")
    for recipe in load_recipes().values():
        for dtype in ("float32", "float64"):
            config = parse_config({**recipe.config, "dtype": dtype})
            network = config.build_network()
            network.initialize(config.seed)
            trainer = Trainer(
                network,
                dataset.train.images,
                dataset.train.labels,
                optimizer=build("optimizer", OPTIMIZERS, config.optimizer),
                options=replace(config.options(), epochs=EPOCHS, evaluate_training_set=False),
            )
            speeds = [step.samples_per_second for step in trainer.run() if isinstance(step, EpochMetrics)]
            row = (statistics.median(speeds), min(speeds), max(speeds))
            print(f"| {recipe.name} | {dtype} | {' | '.join(f'{speed:,.0f}' for speed in row)} |", flush=True)


if __name__ == "__main__":
    main()
