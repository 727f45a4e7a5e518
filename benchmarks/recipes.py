"""Each recipe on MNIST with three seeds: test accuracy beside its reference, and the seconds of training."""

import statistics

from app.data import DatasetCatalog
from app.recipes import load_recipes
from app.runs.config.run_config import parse_config
from app.runs.training.run_training import RunEvent, Training
from app.settings import Settings

REFERENCES = {
    "from-scratch": (0.982,),
    "tf-tutorial": (0.9761,),
    "sigmoid-sgd": (0.8890, 0.8893, 0.8900),
    "keras-mlp": (0.9523, 0.9516, 0.9517),
}
"""Test accuracy that the tutorial prints, or that Keras reached with three seeds."""

SEEDS = (1, 2, 3)


def main() -> None:
    settings = Settings()
    dataset = DatasetCatalog.from_settings(settings).load("mnist")
    print("| recipe | three seeds | mean | reference | points apart | seconds of training |\n|---|---|---|---|---|---|")
    for recipe in load_recipes().values():
        accuracies, seconds = [], []
        for seed in SEEDS:
            training = Training(parse_config({**recipe.config, "seed": seed}), dataset)
            epochs = [step.data for step in training.run() if isinstance(step, RunEvent) and step.type == "epoch"]
            accuracies.append(training.metrics["test_accuracy"])
            seconds.append(sum(epoch["seconds"] for epoch in epochs))
        mean = statistics.mean(accuracies)
        reference = statistics.mean(REFERENCES.get(recipe.name, (recipe.expected_accuracy,)))
        print(
            f"| {recipe.name} | {', '.join(f'{a:.2%}' for a in accuracies)} | {mean:.2%} | {reference:.2%} "
            f"| {(mean - reference) * 100:+.2f} | {statistics.mean(seconds):.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
