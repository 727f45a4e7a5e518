"""A cache of evaluations on disk, so that the same weights evaluate a set only once.

A file's name is the hash of the model and of the images with their labels.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from app.data import Split
from app.models.card import ModelCard
from app.nn import NetworkOutput, Predictions, softmax
from app.nn.arrays import Array
from app.storage.atomic import write_atomic

KEPT = 64
"""The number of cached evaluations, the newest ones: 16 bytes an image."""


@dataclass(frozen=True, eq=False)
class ModelEvaluation:
    """A model's predictions for a set, and its mean loss; None if the card has no suitable loss."""

    predictions: Predictions
    loss: float | None

    def arrays(self) -> dict[str, Array]:
        """The arrays that `from_arrays` takes, beside the true labels."""
        return {
            "predicted": self.predictions.predicted.astype(np.int64),
            "confidence": self.predictions.confidence,
            "likelihood": self.predictions.likelihood,
            "loss": np.array([] if self.loss is None else [self.loss], np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], truth: Array) -> "ModelEvaluation":
        """The evaluation of the labels `truth` (N,) with these arrays."""
        loss = arrays["loss"]
        predictions = Predictions(truth, arrays["predicted"], arrays["confidence"], arrays["likelihood"])
        return cls(predictions, float(loss[0]) if loss.size else None)


def calibrated_predictions(output: NetworkOutput, truth: Array, temperature: float) -> Predictions:
    """The calibrated predictions, in half the memory of float64; `truth` are the labels (N,)."""
    found = Predictions.of(softmax(output.logits / temperature), truth)
    return replace(
        found, confidence=found.confidence.astype(np.float32), likelihood=found.likelihood.astype(np.float32)
    )


def identity(card: ModelCard) -> str:
    """The part of a card that determines an evaluation."""
    parts = (card.sha256, card.temperature, card.network, card.labels, card.input_scale, card.dtype)
    return json.dumps((*parts, card.config.get("loss")), sort_keys=True)


class EvaluationCache:
    """Evaluations by model and images; the labels of a split are indices into the card's."""

    def __init__(self, cache_dir: Path) -> None:
        self._folder = cache_dir / "evaluations"

    def get(self, card: ModelCard, split: Split) -> ModelEvaluation | None:
        """The cached evaluation; None if it is missing or damaged."""
        with suppress(OSError, SafetensorError):
            return _unpacked(load(self._path(card, split).read_bytes()), card, split)
        return None

    def put(self, card: ModelCard, split: Split, evaluation: ModelEvaluation) -> None:
        """Cache an evaluation, unless the disk is read-only."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path(card, split), save(evaluation.arrays()), prefix=".evaluation.")
            files = sorted(self._folder.glob("*.safetensors"), key=lambda file: file.stat().st_mtime_ns)
            for file in files[:-KEPT]:
                file.unlink(missing_ok=True)

    def _path(self, card: ModelCard, split: Split) -> Path:
        digest = hashlib.sha256(identity(card).encode())
        digest.update(np.ascontiguousarray(split.images).data)
        digest.update(split.labels.astype(np.int64).data)
        return self._folder / f"{digest.hexdigest()}.safetensors"


def _unpacked(arrays: Mapping[str, Any], card: ModelCard, split: Split) -> ModelEvaluation | None:
    """The evaluation in a file; None if the file is invalid."""
    shapes = {name: (array.shape, str(array.dtype)) for name, array in arrays.items()}
    count = (len(split),)
    expected = {"predicted": (count, "int64"), "confidence": (count, "float32"), "likelihood": (count, "float32")}
    loss = arrays.get("loss", np.zeros(2))
    if shapes != {**expected, "loss": (loss.shape, "float64")} or loss.size > 1:
        return None
    predicted, confidence = arrays["predicted"], arrays["confidence"]
    if not (np.isfinite(confidence).all() and np.isin(predicted, np.arange(len(card.labels))).all()):
        return None
    return ModelEvaluation.from_arrays(arrays, split.labels.astype(np.int64))
