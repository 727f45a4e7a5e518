"""The training images that a network takes for most similar to a drawing."""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from app.data.cache import DatasetCache
from app.data.catalog import DatasetCatalog
from app.data.dataset import ImageArray
from app.errors import InputError
from app.models.card import ModelCard
from app.models.cost import TooLargeError
from app.models.evaluation_cache import identity
from app.models.image_samples import LabelledImages, affordable_images, features_of, sample_images, sets_at_hand
from app.models.store import ModelStore
from app.nn import Network
from app.nn.arrays import Array

BYTE_MAX = 255
MOST_IMAGES = 4_000
"""The most images of a sample."""
LEAST_IMAGES = 100
"""With fewer there is nothing near."""
REMEMBERED = 3
"""Samples in memory."""


@dataclass(frozen=True, eq=False)
class NearImage:
    """A training image, uint8 (28, 28), 255 is ink, the title of its data set, and its cosine similarity, −1 to 1."""

    pixels: ImageArray
    dataset: str
    similarity: float


class NearestImages:
    """Finds training images by the features of a network's last hidden layer. Thread-safe."""

    def __init__(self, store: ModelStore, catalog: DatasetCatalog, datasets: DatasetCache) -> None:
        self._store, self._catalog, self._datasets = store, catalog, datasets
        self._samples: OrderedDict[Hashable, tuple[LabelledImages, Array]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, name: str, pixels: Array, labels: Sequence[str], count: int) -> dict[str, list[NearImage]]:
        """The `count` nearest training images of each of `labels` to a drawing, float (28, 28), the nearest first.

        Raises UnknownModelError, DamagedModelError, TooLargeError, InputError for a label that the model does not know,
        and DatasetUnavailable where none of its training images are on this machine.
        """
        card, network = self._store.load(name)
        for label in labels:
            if label not in card.labels:
                raise InputError("expected labels of the model; got {label}", field="labels", label=repr(label[:40]))
        sample, directions = self._sample(card, network)
        raw = np.round(pixels * BYTE_MAX).astype(np.uint8)[None]
        similarity = directions @ _directions(network, card, raw)[0]
        found = {}
        for label in labels:
            rows = np.flatnonzero(sample.labels == card.labels.index(label))
            nearest = rows[np.argsort(-similarity[rows], kind="stable")[:count]]
            found[label] = [
                NearImage(sample.images[row], sample.titles[sample.sources[row]], float(similarity[row]))
                for row in nearest.tolist()
            ]
        return found

    def _sample(self, card: ModelCard, network: Network) -> tuple[LabelledImages, Array]:
        sets = sets_at_hand(self._catalog, self._datasets, card.dataset)
        key = (identity(card), tuple((dataset.name, dataset.version) for dataset in sets))
        with self._lock:
            if key in self._samples:
                self._samples.move_to_end(key)
                return self._samples[key]
        most = affordable_images(network, MOST_IMAGES)
        if most < LEAST_IMAGES:
            raise TooLargeError("{name} is too large to look for similar images", name=card.name)
        sample = sample_images(card.labels, sets, "train", most)
        found = sample, _directions(network, card, sample.images)
        with self._lock:
            self._samples[key] = found
            while len(self._samples) > REMEMBERED:
                self._samples.popitem(last=False)
        return found


def _directions(network: Network, card: ModelCard, images: ImageArray) -> Array:
    """The features of images, uint8 (N, 28, 28), scaled to length 1, float32 (N, F)."""
    features, _ = features_of(network, card.input_scale, images)
    scaled: Array = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return scaled
