"""The training images that a network takes for most similar to a drawing."""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.data import Dataset
from app.data.cache import DatasetCache
from app.data.catalog import DatasetCatalog
from app.data.dataset import DatasetUnavailable, ImageArray
from app.data.sources import mixture
from app.errors import InputError
from app.models.card import ModelCard
from app.models.cost import MOST_WORK, TooLargeError, prediction_cost
from app.models.evaluation_cache import identity
from app.models.store import ModelStore
from app.nn import Network, infer_batches
from app.nn.arrays import Array

BYTE_MAX = 255
MOST_IMAGES = 4_000
"""The most images of a sample."""
MOST_BYTES = 32 * 2**20
"""The most bytes of a sample's features."""
LEAST_IMAGES = 100
"""With fewer there is nothing near."""
REMEMBERED = 3
"""Samples in memory."""
BATCH = 250


@dataclass(frozen=True, eq=False)
class NearImage:
    """A training image, uint8 (28, 28), 255 is ink, the title of its data set, and its cosine similarity, −1 to 1."""

    pixels: ImageArray
    dataset: str
    similarity: float


@dataclass(frozen=True, eq=False)
class _Sample:
    images: ImageArray
    labels: NDArray[np.int64]
    sources: NDArray[np.int64]
    titles: list[str]
    features: Array
    """Vectors of length 1, float32 (N, F)."""


class NearestImages:
    """Finds training images by the features of a network's last hidden layer. Thread-safe.

    It looks through a sample, the same number of every label and of every part of a mixture.
    """

    def __init__(self, store: ModelStore, catalog: DatasetCatalog, datasets: DatasetCache) -> None:
        self._store, self._catalog, self._datasets = store, catalog, datasets
        self._samples: OrderedDict[Hashable, _Sample] = OrderedDict()
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
        sample = self._sample(card, network)
        raw = np.round(pixels * BYTE_MAX).astype(np.uint8).reshape(1, *network.input_shape)
        similarity = sample.features @ _features(network, card, raw)[0]
        found = {}
        for label in labels:
            rows = np.flatnonzero(sample.labels == card.labels.index(label))
            nearest = rows[np.argsort(-similarity[rows], kind="stable")[:count]]
            found[label] = [
                NearImage(sample.images[row], sample.titles[sample.sources[row]], float(similarity[row]))
                for row in nearest.tolist()
            ]
        return found

    def _sample(self, card: ModelCard, network: Network) -> _Sample:
        sets = self._training_sets(card.dataset)
        key = (identity(card), tuple((dataset.name, dataset.version) for dataset in sets))
        with self._lock:
            if key in self._samples:
                self._samples.move_to_end(key)
                return self._samples[key]
        sample = _make_sample(card, network, sets)
        with self._lock:
            self._samples[key] = sample
            while len(self._samples) > REMEMBERED:
                self._samples.popitem(last=False)
        return sample

    def _training_sets(self, name: str) -> list[Dataset]:
        """The parts of a data set that are on this machine, or that digitpad can draw itself."""
        terms = mixture.parse_mixture(name) if mixture.is_mixture(name) else [mixture.Term(name)]
        found, problem = [], None
        for term in terms:
            try:
                can_draw = self._catalog.info(term.name).state == "generate"
                found.append(self._datasets.get(term.name, fetch=can_draw))
            except DatasetUnavailable as error:
                problem = problem or error
        if not found and problem is not None:
            raise problem
        return found


def _make_sample(card: ModelCard, network: Network, sets: Sequence[Dataset]) -> _Sample:
    most = min(
        MOST_IMAGES,
        MOST_BYTES // (4 * max(1, network.feature_count)),
        MOST_WORK // max(1, prediction_cost(network)),
    )
    if most < LEAST_IMAGES:
        raise TooLargeError("{name} is too large to look for similar images", name=card.name)
    images, labels, sources = [], [], []
    for source, dataset in enumerate(sets):
        known = [index for index, label in enumerate(dataset.labels) if label in card.labels]
        each = max(1, most // max(1, len(known) * len(sets)))
        for index in known:
            rows = np.flatnonzero(dataset.train.labels == index)
            chosen = rows[np.linspace(0, max(0, len(rows) - 1), min(each, len(rows))).astype(int)]
            images.append(dataset.train.images[chosen])
            labels.append(np.full(len(chosen), card.labels.index(dataset.labels[index]), np.int64))
            sources.append(np.full(len(chosen), source, np.int64))
    if not images or not sum(map(len, images)):
        raise DatasetUnavailable("{title} has no images of this model's labels", title=card.dataset)
    stacked = np.concatenate(images)
    features = _features(network, card, stacked.reshape(len(stacked), *network.input_shape))
    titles = [dataset.title for dataset in sets]
    return _Sample(stacked, np.concatenate(labels), np.concatenate(sources), titles, features)


def _features(network: Network, card: ModelCard, images: ImageArray) -> Array:
    """The features of images, uint8 (N, *input_shape), scaled to length 1, float32 (N, F)."""
    features = np.empty((len(images), network.feature_count), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for rows, output in infer_batches(network, images, input_scale=card.input_scale, batch_size=BATCH):
            features[rows] = output.features
        features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return np.nan_to_num(features)
