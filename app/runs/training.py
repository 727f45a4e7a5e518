"""One training from a config to a stored model, as a row of steps that say how far they are.

It knows neither the log nor processes: the worker writes down what it yields, the command line prints it.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from app import __version__
from app.data import Dataset, Split, split_validation
from app.models import ModelCard
from app.nn import (
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    BatchDone,
    Diverged,
    EpochMetrics,
    Network,
    Trainer,
    build,
    report,
)
from app.runs.compute import computing
from app.runs.config import RunConfig


@dataclass(frozen=True)
class Said:
    """Something for the log: an event's type and data."""

    type: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Progress:
    """How far a run is; `seconds_left` counts training and the evaluations between, once they are known."""

    phase: str
    epoch: int = 0
    epochs: int = 0
    batch: int = 0
    batches: int = 0
    loss: float | None = None
    samples_per_second: float | None = None
    seconds_left: float | None = None


class Training:
    """Trains the network of `config` on `dataset`. Raises ValueError where the two do not fit."""

    def __init__(self, config: RunConfig, dataset: Dataset, *, processes: int = 1) -> None:
        self.config = config
        self.labels, self.test, self._title = dataset.labels, dataset.test, dataset.title
        self.network: Network = config.build_network()
        outputs = self.network.output_shape
        if outputs != (len(dataset.labels),):
            raise ValueError(
                f"network.layers: expected {len(dataset.labels)} outputs, one for each label of {dataset.name}; "
                f"got {' × '.join(map(str, outputs))}"
            )
        self.network.initialize(config.seed)
        train, validation = _split(config, dataset)
        self._validation_samples = 0 if validation is None else len(validation)
        self.trainer = Trainer(
            self.network,
            train.images,
            train.labels,
            loss=build("loss", LOSSES, config.loss),
            optimizer=build("optimizer", OPTIMIZERS, config.optimizer),
            schedule=build("schedule", SCHEDULES, config.schedule),
            validation=None if validation is None else (validation.images, validation.labels),
            options=config.options(),
            processes=processes,
        )
        self.metrics: dict[str, float] = {}

    def run(self) -> Iterator[Said | Progress]:
        """Train and evaluate. Raises Diverged."""
        with computing(self.trainer.processes) as compute:
            yield from self._run(compute)

    def _run(self, compute: dict[str, Any]) -> Iterator[Said | Progress]:
        yield Said(
            "started",
            {
                "parameters": self.network.params.size,
                "train_samples": self.trainer.samples,
                "validation_samples": self._validation_samples,
                "labels": list(self.labels),
                "dataset": self._title,
                "compute": compute,
            },
        )
        clock = _Clock(self.config.epochs, self.trainer.batches, self.trainer.samples)
        for step in self.trainer.run():
            if isinstance(step, BatchDone):
                yield clock.progress(step)
                continue
            clock.epoch_done(step)
            yield Said("epoch", asdict(step))
        yield Progress("evaluating", self.config.epochs, self.config.epochs)
        evaluation = self.trainer.evaluate(self.test.images, self.test.labels)
        assert evaluation.accuracy is not None
        if not math.isfinite(evaluation.loss):
            raise Diverged(self.config.epochs, self.trainer.batches)
        self.metrics = {"test_loss": evaluation.loss, "test_accuracy": evaluation.accuracy}
        yield Said("evaluated", {**self.metrics, "test_samples": len(self.test), **self._report()})

    def _report(self) -> dict[str, Any]:
        """How the network errs on the test set, by label."""
        found = report(self.network, self.test.images, self.test.labels, input_scale=self.config.input_scale)
        stopping = self.trainer.stopping
        return {
            "confusion": found.confusion.tolist(),
            "precision": dict(zip(self.labels, found.precision, strict=True)),
            "recall": dict(zip(self.labels, found.recall, strict=True)),
            "mistakes": [
                {**asdict(mistake), "label": self.labels[mistake.label], "said": self.labels[mistake.said]}
                for mistake in found.mistakes
            ],
            "best_epoch": None if stopping is None else stopping.best_epoch,
        }

    def card(self, name: str, *, run: int | None = None, shipped: bool = False) -> ModelCard:
        """The card of the trained network, under `name`; the store fills in the hash of the weights."""
        config = self.config
        return ModelCard(
            name=name,
            network=self.network.spec(),
            dtype=config.dtype,
            labels=list(self.labels),
            input_scale=config.input_scale,
            metrics=self.metrics,
            recipe=config.recipe,
            dataset=config.dataset,
            config=config.model_dump(mode="json"),
            seed=config.seed,
            created=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            software={"digitpad": __version__, "numpy": np.__version__},
            parameters=self.network.params.size,
            sha256="0" * 64,
            run=run,
            shipped=shipped,
        )


def _split(config: RunConfig, dataset: Dataset) -> tuple[Split, Split | None]:
    if config.validation == "test":
        return dataset.train, dataset.test
    if isinstance(config.validation, float):
        return split_validation(dataset.train, config.validation)
    return dataset.train, None


class _Clock:
    """Speed and time left of a training, from the time its steps and its pauses for evaluation took so far."""

    def __init__(self, epochs: int, batches: int, samples: int) -> None:
        self._total, self._per_batch = epochs * batches, samples / batches
        self._epochs, self._batches = epochs, batches
        self._started = self._epoch_started = time.perf_counter()

    def progress(self, step: BatchDone) -> Progress:
        now = time.perf_counter()
        done = (step.epoch - 1) * self._batches + step.batch
        left = (now - self._started) / done * (self._total - done)
        speed = step.batch * self._per_batch / max(now - self._epoch_started, 1e-9)
        return Progress("training", step.epoch, self._epochs, step.batch, self._batches, step.loss, speed, left)

    def epoch_done(self, metrics: EpochMetrics) -> None:
        self._epoch_started = time.perf_counter()
        if metrics.epoch == 0:
            self._started = self._epoch_started
