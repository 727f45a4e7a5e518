"""The cost of keeping the weights along a training: the share of its seconds, and the bytes.

`python -m benchmarks.trajectory [RECIPE ...]`. Each recipe is trained on MNIST for two epochs, of which the first has
all its moments, three times; the table shows the median share of what keeping takes, timed within the training itself,
as the times of two trainings differ by more.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from app.data import DatasetCatalog
from app.runs.config.run_config import request_config
from app.runs.training.hardware import cores
from app.runs.training.run_training import Progress, RunEvent, Training
from app.runs.trajectory.trajectories import Trajectories
from app.settings import Settings

RECIPES = ("quick", "from-scratch", "lenet")
ROUNDS = 3
EPOCHS = 2


def main() -> None:
    dataset = DatasetCatalog.from_settings(Settings()).load("mnist")
    print("| recipe | two epochs, s | keeping, ms | share | moments | MB |")
    print("|---|---|---|---|---|---|")
    for recipe in sys.argv[1:] or RECIPES:
        config = request_config({"recipe": recipe, "overrides": {"epochs": EPOCHS, "dataset": "mnist"}})
        turns = [_measure(Training(config, dataset, processes=cores())) for _ in range(ROUNDS)]
        total, keeping, moments, size = (statistics.median(column) for column in zip(*turns, strict=True))
        share = statistics.median(turn[1] / turn[0] for turn in turns)
        print(
            f"| {recipe} | {total:.2f} | {1000 * keeping:.1f} | {share:.2%} | {moments:.0f} | {size / 1e6:.1f} |",
            flush=True,
        )


def _measure(training: Training) -> tuple[float, float, int, int]:
    """The seconds of a training, those of keeping, and the number and the bytes of the files."""
    with tempfile.TemporaryDirectory() as folder:
        writer = Trajectories(Path(folder), "log").writer(1, training.trainer)
        keeping = 0.0

        def keep(epoch: int, batch: int) -> None:
            nonlocal keeping
            started = time.perf_counter()
            writer.offer(epoch, batch)
            keeping += time.perf_counter() - started

        started = time.perf_counter()
        keep(0, 0)
        for step in training.run():
            if isinstance(step, RunEvent) and step.type == "epoch":
                keep(step.data["epoch"], 0)
            elif isinstance(step, Progress) and step.phase == "training":
                keep(step.epoch - 1, step.batch)
            elif isinstance(step, Progress):
                break
        seconds = time.perf_counter() - started
        files = list(Path(folder).rglob("*.npy"))
        return seconds, keeping, len(files), sum(file.stat().st_size for file in files)


if __name__ == "__main__":
    main()
