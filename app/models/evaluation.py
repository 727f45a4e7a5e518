"""Evaluation of stored models on data sets and on the user's drawings: accuracy, confusion and calibration."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.data import Dataset, Split
from app.data.drawings.rendered import DrawingRenderer, RenderedDrawings
from app.errors import InputError, LimitError
from app.models.card import ModelCard
from app.models.cost import check_affordable, prediction_cost
from app.models.evaluation_cache import EvaluationCache, ModelEvaluation, calibrated_predictions, identity
from app.models.store import DamagedModelError, ModelStore
from app.nn import LOSSES, Loss, Network, Predictions, build, check_loss, infer_batches

MISTAKES = 60
"""The most mistakes of an evaluation."""
BATCH = 250
"""Images at a time: some milliseconds, so that concurrent predictions hardly wait."""
REMEMBERED = 16
"""Evaluations in memory, 24 bytes an image."""

LARGEST_EVALUATION = 6_000_000_000_000
"""The most multiplications of an evaluation: a quarter of an hour of one processor."""

Part = Literal["train", "test"]
Stop = Callable[[], bool]
"""Returns True once the evaluation is not needed any more."""
Work = Callable[[Network, ModelCard, Split, Stop], ModelEvaluation]


class LabelMismatchError(InputError):
    """The data set has labels that the model does not know."""

    code = "label_mismatch"


class StoppedError(LimitError):
    """The evaluation was stopped before its end, as the server stops, or nobody waits for it any more."""


class Evaluator:
    """Evaluates the models of a store, with a cache of the predictions in memory and in `cache`.

    `work` evaluates a network on a split: `evaluate_split`, or `evaluate_apart` in a process of its own.
    """

    def __init__(
        self, store: ModelStore, drawings: DrawingRenderer, cache: EvaluationCache, work: Work | None = None
    ) -> None:
        self._store, self._drawings, self._cache = store, drawings, cache
        self._work = work or evaluate_split
        self._known: OrderedDict[Hashable, ModelEvaluation] = OrderedDict()
        self._lock = threading.Lock()
        self._is_over = threading.Event()

    def stop(self) -> None:
        """Let the current evaluation, and every later one that is not cached, raise StoppedError."""
        self._is_over.set()

    def evaluate(
        self, name: str, dataset: Dataset, part: Part, *, most: int = LARGEST_EVALUATION, stop: Stop = lambda: False
    ) -> tuple[dict[str, Any], RenderedDrawings]:
        """The evaluation as JSON, and the drawings of its `yours`, if there are any.

        Raises UnknownModelError, DamagedModelError and LabelMismatchError, TooLargeError before it begins if it takes
        more than `most` multiplications, and StoppedError.
        """
        card = self._store.get(name)
        found = self._evaluation(card, dataset, part, most, stop)
        predictions, report = found.predictions, found.predictions.report(len(card.labels), mistakes=0)
        yours = self._drawings.get(card.labels)
        return {
            "model": card.name,
            "dataset": dataset.name,
            "split": part,
            "changed": _has_changed(card, dataset),
            "count": len(predictions.truth),
            "labels": list(card.labels),
            "accuracy": predictions.accuracy,
            "loss": found.loss,
            "confusion": report.confusion.tolist(),
            "precision": list(report.precision),
            "recall": list(report.recall),
            "calibration": _reliability_json(predictions),
            "mistakes": [
                _sample_json(predictions, index, card.labels) for index in predictions.worst(MISTAKES).tolist()
            ],
            "yours": self._yours(card, yours, most, stop) if len(yours) else None,
        }, yours

    def confusion_examples(
        self,
        name: str,
        dataset: Dataset,
        part: Part,
        truth: str,
        said: str,
        offset: int,
        limit: int,
        *,
        most: int = LARGEST_EVALUATION,
        stop: Stop = lambda: False,
    ) -> tuple[int, list[dict[str, Any]]]:
        """The number of images of label `truth` with the prediction `said`, and a page of them: the most confident
        mistakes first, or the least confident correct ones.

        Raises as `evaluate`, and ValueError if the model has no such label.
        """
        card = self._store.get(name)
        row, column = _label_index("truth", truth, card.labels), _label_index("said", said, card.labels)
        predictions = self._evaluation(card, dataset, part, most, stop).predictions
        found = np.flatnonzero((predictions.truth == row) & (predictions.predicted == column))
        confidence = predictions.confidence[found]
        order = np.argsort(confidence if row == column else -confidence, kind="stable")
        page = found[order][offset : offset + limit]
        return len(found), [_sample_json(predictions, index, card.labels) for index in page.tolist()]

    def _evaluation(self, card: ModelCard, dataset: Dataset, part: Part, most: int, stop: Stop) -> ModelEvaluation:
        labels = self._label_indices(card, dataset)
        split = dataset.train if part == "train" else dataset.test
        if not len(split):
            raise LabelMismatchError(
                "expected images to evaluate on; the split {part} of {title} has none", title=dataset.title, part=part
            )

        def evaluate() -> ModelEvaluation:
            known = Split(split.images, labels[split.labels])
            found = self._cache.get(card, known)
            if found is None:
                found = self._read(card, known, most, stop)
                self._cache.put(card, known, found)
            return found

        return self._cached((identity(card), dataset.name, dataset.version, part), evaluate)

    def _yours(self, card: ModelCard, yours: RenderedDrawings, most: int, stop: Stop) -> dict[str, Any]:
        key = (identity(card), tuple((drawing.id, drawing.label) for drawing in yours.drawings))
        predictions = self._cached(
            key, lambda: self._read(card, Split(yours.images, yours.labels), most, stop)
        ).predictions
        return {
            "count": len(yours),
            "accuracy": predictions.accuracy,
            "confusion": predictions.confusion(len(card.labels)).tolist(),
            "drawings": [
                {"id": drawing.id, "set": drawing.set, **_sample_json(predictions, index, card.labels)}
                for index, drawing in enumerate(yours.drawings)
            ],
        }

    def _read(self, card: ModelCard, split: Split, most: int, stop: Stop) -> ModelEvaluation:
        _, network = self._store.load(card.name)
        check_affordable(card.name, prediction_cost(network), len(split), most=most)
        found = self._work(network, card, split, lambda: self._is_over.is_set() or stop())
        if not np.isfinite(found.predictions.confidence).all():
            raise DamagedModelError(
                "the model {name} cannot be used: its outputs are not finite numbers", name=card.name
            )
        return found

    def _cached(self, key: Hashable, evaluate: Callable[[], ModelEvaluation]) -> ModelEvaluation:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = evaluate()
        with self._lock:
            self._known[key] = found
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found

    @staticmethod
    def _label_indices(card: ModelCard, dataset: Dataset) -> NDArray[np.int64]:
        """The index of each of the data set's labels among the model's. Raises LabelMismatchError."""
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
    """True if `dataset` is the model's training data set, but with other images than at the time of training."""
    known = card.dataset_version if card.mine is None else None  # personalization had a version of more than the set
    return known is not None and dataset.name == card.dataset and dataset.version != known


def evaluate_split(network: Network, card: ModelCard, split: Split, is_over: Stop = lambda: False) -> ModelEvaluation:
    """Evaluate a network on the images of `split`, whose labels are indices into the card's.

    Raises StoppedError once `is_over` returns True.
    """
    loss, total, parts = _loss(network, card), 0.0, []
    truth = split.labels.astype(np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        for rows, output in infer_batches(network, split.images, input_scale=card.input_scale, batch_size=BATCH):
            if is_over():
                raise StoppedError("the evaluation was stopped; try again", retry_after=2)
            parts.append(calibrated_predictions(output, truth[rows], card.temperature))
            if loss is not None:
                total += loss.total(output.outputs, truth[rows])
    mean = total / len(split) if loss is not None else None
    return ModelEvaluation(Predictions.join(parts), mean if mean is not None and np.isfinite(mean) else None)


def _reliability_json(predictions: Predictions) -> dict[str, Any]:
    """Confidence and accuracy in bins of equal width, and the expected calibration error."""
    found = predictions.reliability()
    bins = len(found.counts)
    columns = zip(found.counts.tolist(), found.confidence.tolist(), found.correct.tolist(), strict=True)
    return {
        "bins": [
            {
                "low": index / bins,
                "high": (index + 1) / bins,
                "count": count,
                "confidence": confidence / count if count else None,
                "accuracy": correct / count if count else None,
            }
            for index, (count, confidence, correct) in enumerate(columns)
        ],
        "ece": found.error,
    }


def _sample_json(predictions: Predictions, index: int, labels: list[str]) -> dict[str, Any]:
    return {
        "index": index,
        "truth": labels[int(predictions.truth[index])],
        "said": labels[int(predictions.predicted[index])],
        "probability": float(predictions.confidence[index]),
    }


def _loss(network: Network, card: ModelCard) -> Loss | None:
    try:
        loss = build("loss", LOSSES, card.config.get("loss", "cross_entropy"))
        check_loss(network, loss)
    except ValueError:  # an imported model's card
        return None
    return loss


def _label_index(field: str, label: str, labels: list[str]) -> int:
    if label in labels:
        return labels.index(label)
    if label.isascii() and label.isdecimal() and len(label) < 5 and int(label) < len(labels):
        return int(label)
    raise InputError(
        "expected one of {names}; got {value}", field=field, names=", ".join(labels[:40]), value=repr(label[:64])
    )
