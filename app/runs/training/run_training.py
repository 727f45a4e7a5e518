"""A training from a config to a model, as an iterator of events and progress.

It is independent of the log and of processes: the worker logs the events, the command line prints them.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import __version__
from app.data import Dataset, Split, split_validation
from app.data.augmentation.augment import make_augmentation
from app.data.augmentation.worker import AugmentedEpochs
from app.data.drawings.rendered import RenderedDrawings
from app.errors import InputError
from app.models import Calibrated, Calibration, ModelCard, calibrate, fit_subspaces
from app.models.calibration import DIGITS_SHOWN
from app.models.evaluation_cache import EvaluationCache, ModelEvaluation, calibrated_predictions
from app.nn import (
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    BatchMetrics,
    Diverged,
    EpochMetrics,
    Network,
    Predictions,
    Snapshot,
    Trainer,
    build,
    infer_all,
)
from app.nn.arrays import Array
from app.nn.evaluation import batches, check_samples, evaluate_outputs
from app.runs.config.run_config import RunConfig
from app.runs.training.distillation import Teachers
from app.runs.training.hardware import computing
from app.runs.training.loss_curve import LossCurve
from app.runs.training.monitor import TrainingMonitor


@dataclass(frozen=True)
class RunEvent:
    """An event for the log: its type and data."""

    type: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Progress:
    """The progress of a run; `seconds_left` includes training and evaluations, once known."""

    phase: str
    epoch: int = 0
    epochs: int = 0
    batch: int = 0
    batches: int = 0
    loss: float | None = None
    samples_per_second: float | None = None
    seconds_left: float | None = None
    accuracy: float | None = None
    """The accuracy on the epoch's batches so far."""
    batch_losses: Sequence[float | None] = ()
    """The epoch's training loss so far, as means of equally many batches each (see loss_curve.py)."""
    batch_losses_expected: int = 0
    """The number of these at the end of the epoch."""


class Training:
    """Trains the network of `config` on `dataset`. Raises ValueError if they do not fit."""

    def __init__(
        self,
        config: RunConfig,
        dataset: Dataset,
        *,
        processes: int = 1,
        weights: Mapping[str, Array] | None = None,
        yours: RenderedDrawings | None = None,
        teachers: Sequence[tuple[ModelCard, Network]] = (),
        cache_dir: Path | None = None,
        effort: int = 1,
    ) -> None:
        """`weights` are the initial weights by name; by default they are drawn with the config's seed.

        `yours`, the user's drawings, are evaluated after each epoch; `teachers` are the models of the config's
        distillation, from `load_teachers`. `cache_dir` is for the drawings of the calibration, of
        which there are more with more `effort`.
        """
        self.config = config
        self.labels, self.test, self._title = dataset.labels, dataset.test, dataset.title
        self._version, self._tests = dataset.version, dataset.tests
        self.network: Network = config.build_network()
        outputs = self.network.output_shape
        if outputs != (len(dataset.labels),):
            raise InputError(
                "expected {count} outputs, one for each label of {name}; got {names}",
                field="network.layers",
                count=len(dataset.labels),
                name=dataset.name,
                names=" × ".join(map(str, outputs)),
            )
        self.network.initialize(config.seed)
        if weights is not None:
            self.network.load_weights(weights)
        train, validation = _split(config, dataset)
        augmentation = make_augmentation(config.augmentation)
        self._epoch_images = (
            None
            if augmentation is None
            else AugmentedEpochs(train.images, augmentation, seed=config.seed, epochs=config.epochs)
        )
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
            epoch_inputs=self._epoch_images,
            batch_targets=self._teachers(teachers, train.labels),
        )
        self._watch = TrainingMonitor(self.trainer, dataset, yours)
        self.metrics: dict[str, float] = {}
        self._validation = validation if isinstance(config.validation, float) else None
        self._train = train  # for the calibration, so that what takes a second comes after the training
        self._known = _some_of_each_group(train, DIGITS_SHOWN * effort)
        self._cache_dir, self._effort = cache_dir, effort
        self.calibrated: Calibrated | None = None
        """Set at the end of the training, if there are enough images to calibrate the network."""
        self.evaluation: ModelEvaluation | None = None
        """Set at the end of the training: the calibrated evaluation of the test images."""
        self.kept_metrics: dict[str, Any] = {}
        """The metrics of the epoch with the best weights so far."""
        self._is_learning = False
        self.losses = LossCurve(config.epochs, self.trainer.batches)

    def _teachers(self, models: Sequence[tuple[ModelCard, Network]], labels: Array) -> Teachers | None:
        distillation = self.config.distillation
        if (distillation is None) != (not models):
            raise InputError("expected the models that the config names, and no others", field="distillation")
        if distillation is None:
            return None
        return Teachers(models, labels, distillation.weight, changing=self._epoch_images is not None)

    def run(self, resume: Snapshot | None = None) -> Iterator[RunEvent | Progress]:
        """Train, from the snapshot if there is one, and evaluate. Raises Diverged."""
        with computing(self.trainer.processes) as compute, self._epoch_images or nullcontext():
            yield from self._run(compute, resume)

    def snapshot(self) -> Snapshot | None:
        """The state of the training after the last yield of `run`; None before the first batch and after the last."""
        return self.trainer.snapshot() if self._is_learning else None

    def _run(self, compute: dict[str, Any], resume: Snapshot | None) -> Iterator[RunEvent | Progress]:
        yield RunEvent(
            "started",
            {
                "parameters": self.network.params.size,
                "train_samples": self.trainer.samples,
                "validation_samples": self._validation_samples,
                "labels": list(self.labels),
                "dataset": self._title,
                **({} if self._version is None else {"dataset_version": self._version}),
                "compute": compute,
            },
        )
        clock = _Clock(self.config.epochs, self.trainer.batches, self.trainer.samples, resume)
        for step in self.trainer.run(resume=resume):
            self._is_learning = True
            if isinstance(step, BatchMetrics):
                self.losses.add(step.batch, step.loss)
                losses = self.losses
                yield replace(clock.progress(step), batch_losses=losses.points, batch_losses_expected=losses.expected)
                continue
            monitored = self._watch.look()
            clock.epoch_done(step)
            if self.trainer.stopping.best_epoch in (0, step.epoch):
                self.kept_metrics = asdict(step)
            yield RunEvent("epoch", {**asdict(step), **self.losses.of_epoch(step.epoch), **monitored})
        self._is_learning = False
        yield Progress("evaluating", self.config.epochs, self.config.epochs)
        # The only pass over the test set; everything else is computed from its outputs.
        images, labels = check_samples(self.network, self.test.images, self.test.labels, "evaluation")
        output = infer_all(self.network, images, input_scale=self.config.input_scale)
        evaluation = evaluate_outputs(
            (output.outputs[rows] for rows in batches(len(labels))), labels, loss=self.trainer.loss
        )
        assert evaluation.accuracy is not None
        if not math.isfinite(evaluation.loss):
            raise Diverged(self.config.epochs, self.trainer.batches)
        self.metrics = {"test_loss": evaluation.loss, "test_accuracy": evaluation.accuracy}
        report = self._report(Predictions.of(output.probabilities, labels))
        yield RunEvent("evaluated", {**self.metrics, "test_samples": len(labels), **report})
        yield Progress("calibrating", self.config.epochs, self.config.epochs)
        self.calibrated = calibrate(
            self.network,
            self.labels,
            input_scale=self.config.input_scale,
            subspaces=fit_subspaces(self._train.images, self._train.labels, len(self.labels)),
            validation=self._validation,
            test=self.test,
            test_output=output,
            tests=self._tests,
            known=self._known,
            cache_dir=self._cache_dir,
            effort=self._effort,
        )
        temperature = 1.0 if self.calibrated is None else self.calibrated.calibration.temperature
        self.evaluation = ModelEvaluation(calibrated_predictions(output, labels, temperature), evaluation.loss)

    def _report(self, predictions: Predictions) -> dict[str, Any]:
        """The errors on the test set, by label."""
        found = predictions.report(len(self.labels))
        return {
            "confusion": found.confusion.tolist(),
            "precision": dict(zip(self.labels, found.precision, strict=True)),
            "recall": dict(zip(self.labels, found.recall, strict=True)),
            "mistakes": [
                {**asdict(mistake), "label": self.labels[mistake.label], "said": self.labels[mistake.said]}
                for mistake in found.mistakes
            ],
            "best_epoch": self.trainer.stopping.best_epoch or None,
        }

    def card(self, name: str, *, run: int | None = None, shipped: bool = False) -> ModelCard:
        """The card of the trained network; the store sets the hash of the weights."""
        return card_of(
            name,
            self.network,
            config=self.config,
            labels=self.labels,
            metrics=self.metrics,
            version=self._version,
            calibration=None if self.calibrated is None else self.calibrated.calibration,
            run=run,
            shipped=shipped,
        )

    def keep_evaluation(self, cache: EvaluationCache, card: ModelCard) -> None:
        """Cache the evaluation of the trained network, stored with `card`, on the test images."""
        if self.evaluation is not None:
            cache.put(card, self.test, self.evaluation)

    def arrays(self) -> Mapping[str, Array]:
        """The arrays of the card's calibration, to save with the weights."""
        return {} if self.calibrated is None else self.calibrated.arrays


def card_of(
    name: str,
    network: Network,
    *,
    config: RunConfig,
    labels: Sequence[str],
    metrics: Mapping[str, float],
    version: str | None = None,
    calibration: Calibration | None = None,
    run: int | None = None,
    shipped: bool = False,
) -> ModelCard:
    """The card of a network trained with `config`; the store sets the hash of the weights."""
    return ModelCard(
        name=name,
        network=network.spec(),
        dtype=config.dtype,
        labels=list(labels),
        input_scale=config.input_scale,
        metrics=dict(metrics),
        calibration=calibration,
        recipe=config.recipe,
        dataset=config.dataset,
        dataset_version=version,
        config=config.model_dump(mode="json"),
        seed=config.seed,
        created=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        software={"digitpad": __version__, "numpy": np.__version__},
        parameters=network.params.size,
        sha256="0" * 64,
        run=run,
        shipped=shipped,
    )


def _split(config: RunConfig, dataset: Dataset) -> tuple[Split, Split | None]:
    if config.validation == "test":
        return dataset.train, dataset.test
    if isinstance(config.validation, float):
        return split_validation(dataset.train, config.validation, of_each_group=dataset.grouped_by == "source")
    return dataset.train, None


def _some_of_each_group(split: Split, count: int) -> NDArray[np.uint8]:
    """Up to `count` images (N, 28, 28), as many of each group, or as it has; of all parts of it."""
    groups = [np.arange(len(split))]
    if split.groups is not None:
        groups = [np.flatnonzero(split.groups == group) for group in np.unique(split.groups)]
    most = count // len(groups)
    chosen = [rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)] for rows in groups]
    images: NDArray[np.uint8] = split.images[np.concatenate(chosen)]
    return images


class _Clock:
    """The speed and the remaining time of a training, from the time of its steps and evaluations so far."""

    def __init__(self, epochs: int, batches: int, samples: int, resume: Snapshot | None) -> None:
        self._total, self._per_batch = epochs * batches, samples / batches
        self._epochs, self._batches = epochs, batches
        self._before = 0 if resume is None else resume.epoch * batches + resume.batch
        self._epoch_before = 0 if resume is None else resume.batch
        self._started = self._epoch_started = time.perf_counter()

    def progress(self, step: BatchMetrics) -> Progress:
        now = time.perf_counter()
        done = (step.epoch - 1) * self._batches + step.batch
        remaining = (now - self._started) / (done - self._before) * (self._total - done)
        batches = step.batch - self._epoch_before
        speed = batches * self._per_batch / max(now - self._epoch_started, 1e-9)
        position = (step.epoch, self._epochs, step.batch, self._batches)
        return Progress("training", *position, step.loss, speed, remaining, step.accuracy)

    def epoch_done(self, metrics: EpochMetrics) -> None:
        self._epoch_started, self._epoch_before = time.perf_counter(), 0
        if metrics.epoch == 0:
            self._started = self._epoch_started
