"""What a stored model says of a 28×28 image."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from app.data import Prepared
from app.models.card import ModelCard
from app.models.store import CARD, DamagedModelError, ModelStore, Stamp, UnknownModelError, file_stamp
from app.nn import Network

BYTE_MAX = 255
KEPT = 8
"""How many networks stay in memory."""


@dataclass(frozen=True)
class Prediction:
    """`label` is None where the drawing is blank; the probabilities, one a label, then are all the same."""

    label: str | None
    probabilities: dict[str, float]


class Predictor:
    """A network ready to read images; safe to share between threads."""

    def __init__(self, card: ModelCard, network: Network) -> None:
        outputs = network.output_shape
        if outputs != (len(card.labels),):
            raise ValueError(f"labels: expected one for each of the {outputs} outputs; got {len(card.labels)}")
        self.card, self._network = card, network
        self._scale = network.dtype.type(BYTE_MAX / card.input_scale)

    def predict(self, images: list[Prepared]) -> list[Prediction]:
        """Read prepared images, one prediction each."""
        pixels = np.stack([image.pixels for image in images]).astype(self._network.dtype, copy=False)
        inputs = (pixels * self._scale).reshape(len(images), *self._network.input_shape)
        rows = self._network.probabilities(inputs).astype(np.float64)
        rows /= rows.sum(axis=1, keepdims=True)  # float32 sums to 1 only to its own precision
        return [self._say(row, image.blank) for row, image in zip(rows, images, strict=True)]

    def _say(self, row: NDArray[np.float64], blank: bool) -> Prediction:
        labels = self.card.labels
        if blank:
            return Prediction(None, dict.fromkeys(labels, 1 / len(labels)))
        return Prediction(labels[int(row.argmax())], dict(zip(labels, row.tolist(), strict=True)))


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
        predictor = Predictor(*self._store.load(name))
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
