"""What a stored model says of a 28×28 image."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np

from app.data import PreparedImage
from app.errors import InputError
from app.models.card import ModelCard
from app.models.ood.detector import OutOfDistributionDetector
from app.models.store import CARD, DamagedModelError, ModelStore, Stamp, UnknownModelError, file_stamp
from app.nn import Network, softmax
from app.nn.arrays import Array

BYTE_MAX = 255
KEPT = 8
"""How many networks stay in memory."""


@dataclass(frozen=True)
class Prediction:
    """`label` is None where the drawing is blank; the probabilities, one a label, then are all the same.

    `score`, 0 to 1, is larger the more the drawing looks like what the network was trained on, and None where the model
    has no such score; then everything but a blank counts as a digit.
    """

    label: str | None
    probabilities: dict[str, float]
    is_digit: bool
    score: float | None


class Predictor:
    """A network ready to read images; safe to share between threads."""

    def __init__(self, card: ModelCard, network: Network, rejecter: OutOfDistributionDetector | None = None) -> None:
        outputs = network.output_shape
        if outputs != (len(card.labels),):
            raise InputError(
                "expected one for each of the {outputs} outputs; got {count}",
                field="labels",
                outputs=outputs,
                count=len(card.labels),
            )
        self.card, self._network, self._rejecter = card, network, rejecter
        self._scale = network.dtype.type(BYTE_MAX / card.input_scale)
        self._temperature = card.temperature

    def predict(self, images: list[PreparedImage]) -> list[Prediction]:
        """Read prepared images, one prediction each. Raises DamagedModelError where it gives no finite numbers."""
        pixels = np.stack([image.pixels for image in images]).astype(self._network.dtype, copy=False)
        inputs = (pixels * self._scale).reshape(len(images), *self._network.input_shape)
        with np.errstate(over="ignore", invalid="ignore"):
            output = self._network.infer(inputs)
        logits = output.logits
        if not np.isfinite(logits).all():
            raise DamagedModelError(
                "the model {name} cannot be used: its outputs are not finite numbers", name=self.card.name
            )
        said = logits.argmax(axis=1).tolist()
        rows = softmax(logits / self._temperature).tolist()
        return [
            self._say(image, label, row, logits[number : number + 1], output.features[number : number + 1])
            for number, (image, label, row) in enumerate(zip(images, said, rows, strict=True))
        ]

    def _say(self, image: PreparedImage, label: int, row: list[float], logits: Array, features: Array) -> Prediction:
        labels = self.card.labels
        rejecter = self._rejecter
        if image.blank:
            blank = dict.fromkeys(labels, 1 / len(labels))
            return Prediction(None, blank, False, None if rejecter is None else 0.0)
        probabilities = dict(zip(labels, row, strict=True))
        if rejecter is None:
            return Prediction(labels[label], probabilities, True, None)
        score = rejecter.score(image.pixels, label, logits, features)
        return Prediction(labels[label], probabilities, rejecter.is_known(score), score)


class Predictors:
    """Predictors of a store's models, kept in memory while the models' files stay as they are."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._loaded: OrderedDict[str, tuple[str, Stamp, Predictor]] = OrderedDict()
        self._lock = Lock()

    def get(self, name: str | None = None) -> Predictor:
        """The predictor of a model, or of the default one. Raises UnknownModelError, DamagedModelError."""
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
                """Another serves in its place; the list of models shows why."""
        name = self._store.default()
        if name is None:
            raise UnknownModelError("there is no model yet: train one, or restore the one that ships with digitpad")
        return self.get(name)
