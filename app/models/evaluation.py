"""How good a stored model is on a data set and on the user's own drawings: what it takes for what, and how surely."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.data import Dataset, Split
from app.data.drawings.rendered import DrawingRenderer, RenderedDrawings
from app.errors import InputError
from app.models.calibration import BINS, softmax
from app.models.card import ModelCard
from app.models.features import as_logits
from app.models.store import DamagedModelError, ModelStore
from app.nn import LOSSES, Loss, Network, build, check_loss

MISTAKES = 60
"""The worst ones that a judgement names."""
BATCH = 250
"""Images at a time: some milliseconds, so that a prediction beside it hardly waits."""
REMEMBERED = 16
"""Readings that stay in memory, 16 bytes an image."""

Part = Literal["train", "test"]


class LabelMismatchError(InputError):
    """The data set has labels that the model does not know."""

    code = "label_mismatch"


class StoppedError(Exception):
    """The server ends, and nobody waits for the judgement any more."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model said of N images: all arrays (N,). `truth` and `said` are indices into the model's labels.

    `probability` is that of what was said and `likelihood` that of the truth, as the model's calibration has them.
    `loss` is the mean of the loss that the model was trained by, None where its card names none that fits.
    """

    truth: NDArray[np.int64]
    said: NDArray[np.int64]
    probability: NDArray[np.float32]
    likelihood: NDArray[np.float32]
    loss: float | None

    @property
    def accuracy(self) -> float:
        return float(np.mean(self.said == self.truth))


class Evaluator:
    """Judges the models of a store. What was read once is remembered by the hash of the weights."""

    def __init__(self, store: ModelStore, own: DrawingRenderer) -> None:
        self._store, self._own = store, own
        self._known: OrderedDict[Hashable, Predictions] = OrderedDict()
        self._lock = threading.Lock()
        self._is_over = threading.Event()

    def stop(self) -> None:
        """End the judgement at hand soon, by a StoppedError, and every later one that is not remembered."""
        self._is_over.set()

    def judgement(self, name: str, dataset: Dataset, part: Part) -> tuple[dict[str, Any], RenderedDrawings]:
        """The judgement as JSON, and the drawings whose numbers stand in its `yours`, if there are any.

        Raises UnknownModelError, DamagedModelError and LabelMismatchError.
        """
        card = self._store.get(name)
        readings = self._readings(card, dataset, part)
        yours = self._own.get(card.labels)
        confusion = confusion_of(readings, len(card.labels))
        worst = _worst(readings)
        return {
            "model": card.name,
            "dataset": dataset.name,
            "split": part,
            "changed": _has_changed(card, dataset),
            "count": len(readings.truth),
            "labels": list(card.labels),
            "accuracy": readings.accuracy,
            "loss": readings.loss,
            "confusion": confusion.tolist(),
            "precision": _shares(confusion, 0),
            "recall": _shares(confusion, 1),
            "calibration": calibration_of(readings),
            "mistakes": [_told(readings, index, card.labels) for index in worst],
            "yours": self._yours(card, yours) if len(yours) else None,
        }, yours

    def confusion_examples(
        self, name: str, dataset: Dataset, part: Part, truth: str, said: str, offset: int, limit: int
    ) -> tuple[int, list[dict[str, Any]]]:
        """How many images of one label were taken for another, and some of them; those where it was surest come first,
        or, where it was right, those where it was least sure.

        Raises as `judgement`, and ValueError where the model has no such label.
        """
        card = self._store.get(name)
        row, column = _place("truth", truth, card.labels), _place("said", said, card.labels)
        readings = self._readings(card, dataset, part)
        found = np.flatnonzero((readings.truth == row) & (readings.said == column))
        sureness = readings.probability[found]
        order = np.argsort(sureness if row == column else -sureness, kind="stable")
        page = found[order][offset : offset + limit]
        return len(found), [_told(readings, index, card.labels) for index in page.tolist()]

    def _readings(self, card: ModelCard, dataset: Dataset, part: Part) -> Predictions:
        labels = self._translation(card, dataset)
        split = dataset.train if part == "train" else dataset.test
        if not len(split):
            raise LabelMismatchError(
                "expected images to judge by; {title} has none to {part} with", title=dataset.title, part=part
            )
        key = (*_identity(card), dataset.name, dataset.version, part)
        return self._remembered(key, lambda: self._read(card, split.images, labels[split.labels]))

    def _yours(self, card: ModelCard, yours: RenderedDrawings) -> dict[str, Any]:
        key = (*_identity(card), tuple((drawing.id, drawing.label) for drawing in yours.drawings))
        readings = self._remembered(key, lambda: self._read(card, yours.images, yours.labels))
        return {
            "count": len(yours),
            "accuracy": readings.accuracy,
            "confusion": confusion_of(readings, len(card.labels)).tolist(),
            "drawings": [
                {"id": drawing.id, "set": drawing.set, **_told(readings, index, card.labels)}
                for index, drawing in enumerate(yours.drawings)
            ],
        }

    def _read(self, card: ModelCard, images: NDArray[np.uint8], truth: NDArray[np.int64]) -> Predictions:
        _, network = self._store.load(card.name)
        readings = read(network, card, Split(images, truth), self._is_over.is_set)
        if not np.isfinite(readings.probability).all():
            raise DamagedModelError(
                "the model {name} cannot be used: its outputs are not finite numbers", name=card.name
            )
        return readings

    def _remembered(self, key: Hashable, work: Any) -> Predictions:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        readings: Predictions = work()
        with self._lock:
            self._known[key] = readings
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return readings

    @staticmethod
    def _translation(card: ModelCard, dataset: Dataset) -> NDArray[np.int64]:
        """The place of each of the data set's labels among the model's. Raises LabelMismatchError."""
        unknown = [label for label in dataset.labels if label not in card.labels]
        if unknown:
            raise LabelMismatchError(
                "expected a data set whose labels the model {name} knows; {title} has {names}, which it does not",
                name=card.name,
                title=dataset.title,
                names=", ".join(unknown[:10]),
            )
        return np.array([card.labels.index(label) for label in dataset.labels], np.int64)


def _has_changed(card: ModelCard, dataset: Dataset) -> bool:
    """Whether the data set that the model was trained on is judged by, with other images than it had then."""
    known = card.dataset_version if card.mine is None else None  # what was learned then is more than the data set
    return known is not None and dataset.name == card.dataset and dataset.version != known


def read(network: Network, card: ModelCard, split: Split, is_over: Callable[[], bool] = lambda: False) -> Predictions:
    """What a network says of the images of `split`, whose labels are indices into the card's.

    Raises StoppedError once `is_over` says so.
    """
    count, truth = len(split), split.labels.astype(np.int64)
    said, sure, likely = np.empty(count, np.int64), np.empty(count, np.float32), np.empty(count, np.float32)
    loss, total = _loss(network, card), 0.0
    scale, temperature = network.dtype.type(card.input_scale), _temperature(card)
    for start in range(0, count, BATCH):
        if is_over():
            raise StoppedError
        rows = slice(start, min(start + BATCH, count))
        inputs = (split.images[rows].astype(network.dtype) / scale).reshape(-1, *network.input_shape)
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = network.forward(inputs, training=False)
            probabilities = softmax(as_logits(network, outputs) / temperature)
            if loss is not None:
                total += loss.total(outputs, truth[rows])
        each = np.arange(len(probabilities))
        said[rows] = probabilities.argmax(axis=1)
        sure[rows], likely[rows] = probabilities[each, said[rows]], probabilities[each, truth[rows]]
    mean = total / count if loss is not None else None
    return Predictions(truth, said, sure, likely, mean if mean is not None and np.isfinite(mean) else None)


def _identity(card: ModelCard) -> tuple[Hashable, ...]:
    """All of a card that a reading depends on: two may have the same weights."""
    described = (card.network, card.labels, card.input_scale, card.dtype, card.config.get("loss"))
    return card.sha256, _temperature(card), json.dumps(described, sort_keys=True)


def confusion_of(readings: Predictions, labels: int) -> NDArray[np.int64]:
    """Counts (K, K): a row for each truth, a column for each answer."""
    counts = np.bincount(readings.truth * labels + readings.said, minlength=labels * labels)
    return counts.reshape(labels, labels)


def calibration_of(readings: Predictions, bins: int = BINS) -> dict[str, Any]:
    """Confidence beside accuracy in bins of equal width, open below, and the expected calibration error.

    Guo et al. 2017, section 2.
    """
    sure = readings.probability.astype(np.float64)
    right = readings.said == readings.truth
    places = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    confidence = np.bincount(places, weights=sure, minlength=bins)
    correct = np.bincount(places, weights=right, minlength=bins)
    return {
        "bins": [
            {
                "low": place / bins,
                "high": (place + 1) / bins,
                "count": int(counts[place]),
                "confidence": float(confidence[place] / counts[place]) if counts[place] else None,
                "accuracy": float(correct[place] / counts[place]) if counts[place] else None,
            }
            for place in range(bins)
        ],
        "ece": float(np.abs(correct - confidence).sum() / len(sure)),
    }


def _worst(readings: Predictions) -> list[int]:
    wrong = np.flatnonzero(readings.said != readings.truth)
    order = np.argsort(readings.likelihood[wrong], kind="stable")[:MISTAKES]
    found: list[int] = wrong[order].tolist()
    return found


def _told(readings: Predictions, index: int, labels: list[str]) -> dict[str, Any]:
    return {
        "index": index,
        "truth": labels[int(readings.truth[index])],
        "said": labels[int(readings.said[index])],
        "probability": float(readings.probability[index]),
    }


def _shares(confusion: NDArray[np.int64], axis: int) -> list[float | None]:
    """What is right, as a share of each column (0: precision) or of each row (1: recall); None where there is none."""
    totals = confusion.sum(axis=axis)
    return [float(confusion[i, i] / total) if total else None for i, total in enumerate(totals.tolist())]


def _loss(network: Network, card: ModelCard) -> Loss | None:
    try:
        loss = build("loss", LOSSES, card.config.get("loss", "cross_entropy"))
        check_loss(network, loss)
    except ValueError:  # the card of a model from elsewhere
        return None
    return loss


def _temperature(card: ModelCard) -> float:
    return card.calibration.temperature if card.calibration is not None else 1.0


def _place(field: str, label: str, labels: list[str]) -> int:
    if label in labels:
        return labels.index(label)
    if label.isascii() and label.isdecimal() and len(label) < 5 and int(label) < len(labels):
        return int(label)
    raise InputError(
        "expected one of {names}; got {label}", field=field, names=", ".join(labels[:40]), label=repr(label[:64])
    )
