"""Predictions of stored models for 28×28 images."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np

from app.data import PreparedImage
from app.errors import InputError
from app.models.card import ModelCard
from app.models.cost import prediction_cost
from app.models.ood.detector import OutOfDistributionDetector
from app.models.store import CARD, DamagedModelError, ModelStore, Stamp, UnknownModelError, file_stamp
from app.nn import Network, softmax
from app.nn.arrays import Array

BYTE_MAX = 255
KEPT = 8
"""Networks kept in memory."""


@dataclass(frozen=True)
class Prediction:
    """A prediction; for a blank drawing `label` is None, and the probabilities, one a label, are all the same.

    `score`, 0 to 1, is the similarity of the drawing to the training images; None if the model has no such score, and
    then everything but a blank counts as a digit.
    """

    label: str | None
    probabilities: dict[str, float]
    is_digit: bool
    score: float | None


class Predictor:
    """A network ready for predictions. Thread-safe."""

    def __init__(self, card: ModelCard, network: Network, detector: OutOfDistributionDetector | None = None) -> None:
        outputs = network.output_shape
        if outputs != (len(card.labels),):
            raise InputError(
                "expected one for each of the {outputs} outputs; got {count}",
                field="labels",
                outputs=" × ".join(map(str, outputs)),
                count=len(card.labels),
            )
        self.card, self._network, self._detector = card, network, detector
        self.cost = prediction_cost(network)
        """The multiplications of one prediction."""
        self._scale = network.dtype.type(BYTE_MAX / card.input_scale)
        self._temperature = card.temperature

    def predict(self, images: list[PreparedImage]) -> list[Prediction]:
        """One prediction for each prepared image. Raises DamagedModelError if outputs are not finite."""
        pixels = np.stack([image.pixels for image in images]).astype(self._network.dtype, copy=False)
        inputs = (pixels * self._scale).reshape(len(images), *self._network.input_shape)
        with np.errstate(over="ignore", invalid="ignore"):
            output = self._network.infer(inputs)
        logits = output.logits
        if not np.isfinite(logits).all():
            raise DamagedModelError(
                "the model {name} cannot be used: its outputs are not finite numbers", name=self.card.name
            )
        labels = logits.argmax(axis=1).tolist()
        rows = softmax(logits / self._temperature).tolist()
        return [
            self._prediction(image, label, row, logits[index : index + 1], output.features[index : index + 1])
            for index, (image, label, row) in enumerate(zip(images, labels, rows, strict=True))
        ]

    def _prediction(
        self, image: PreparedImage, label: int, row: list[float], logits: Array, features: Array
    ) -> Prediction:
        labels, detector = self.card.labels, self._detector
        if image.blank:
            blank = dict.fromkeys(labels, 1 / len(labels))
            return Prediction(None, blank, False, None if detector is None else 0.0)
        probabilities = dict(zip(labels, row, strict=True))
        if detector is None:
            return Prediction(labels[label], probabilities, True, None)
        score = detector.score(image.pixels, label, logits, features)
        return Prediction(labels[label], probabilities, detector.is_known(score), score)


class Predictors:
    """A cache of predictors of a store's models, valid while the files do not change."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._loaded: OrderedDict[str, tuple[str, Stamp, Predictor]] = OrderedDict()
        self._lock = Lock()

    def get(self, name: str | None = None) -> Predictor:
        """The predictor of a model, by default the default model. Raises UnknownModelError, DamagedModelError."""
        if name is None:
            return self._default()
        with self._lock:
            known = self._loaded.get(name)
            if known is not None and self._is_fresh(known[0], known[1]):
                self._loaded.move_to_end(name)
                return known[2]
        path = str(self._store.path(name, CARD))
        stamp = file_stamp(path)
        predictor = Predictor(*self._store.load_with_detector(name))
        with self._lock:
            self._loaded[name] = (path, stamp, predictor)
            self._loaded.move_to_end(name)
            while len(self._loaded) > KEPT:
                self._loaded.popitem(last=False)
        return predictor

    @staticmethod
    def _is_fresh(path: str, stamp: Stamp) -> bool:
        try:
            return file_stamp(path) == stamp
        except FileNotFoundError:
            return False

    def _default(self) -> Predictor:
        chosen = self._store.chosen()
        if chosen is not None:
            try:
                return self.get(chosen)
            except (UnknownModelError, DamagedModelError):
                pass  # use another one; the list of models shows the reason
        failed: set[str] = set()
        while (name := self._store.default()) is not None:
            try:
                return self.get(name)
            except (UnknownModelError, DamagedModelError):  # found only now, so that another one is the default
                if name in failed:
                    raise
                failed.add(name)
        raise UnknownModelError("there is no model yet: train one, or restore the one that ships with digitpad")
