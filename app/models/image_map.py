"""The map of a model: test images in the plane of the two directions in which its last hidden layer varies most."""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.data.cache import DatasetCache
from app.data.catalog import DatasetCatalog
from app.data.dataset import Dataset, DatasetUnavailable
from app.models.card import ModelCard
from app.models.cost import TooLargeError
from app.models.evaluation_cache import identity
from app.models.image_samples import LabelledImages, affordable_images, features_of, sample_images, sets_at_hand
from app.models.store import ModelStore
from app.nn import Network
from app.nn.arrays import Array

BYTE_MAX = 255
MOST_IMAGES = 2_000
LEAST_IMAGES = 20
"""With fewer there is no cloud to see."""
REMEMBERED = 3
"""Maps in memory."""
NEIGHBOURS = 5


@dataclass(frozen=True, eq=False)
class ImageMap:
    """`points`, float32 (N, 2), −1 to 1, are the principal components of the images' `features`, float32 (N, F), less
    their `mean` (F,); `said` (N,) are the network's answers, as indices of the card's labels.

    `variance` are the shares of the features' variance along the two directions.
    """

    card: ModelCard
    sample: LabelledImages
    points: Array
    said: NDArray[np.int64]
    variance: tuple[float, float]
    features: Array
    mean: Array
    directions: Array
    """The two directions, (F, 2), divided by the largest coordinate."""

    def project(self, features: Array) -> Array:
        """The places, float (N, 2), of features (N, F)."""
        places: Array = (features - self.mean) @ self.directions
        return places


@dataclass(frozen=True, eq=False)
class Place:
    """A drawing's place on the map, its answer, and the images nearest to it in the last hidden layer."""

    x: float
    y: float
    said: str
    nearest: list[int]


class ImageMaps:
    """The maps of a store's models, computed once each. Thread-safe."""

    def __init__(self, store: ModelStore, catalog: DatasetCatalog, datasets: DatasetCache) -> None:
        self._store, self._catalog, self._datasets = store, catalog, datasets
        self._maps: OrderedDict[Hashable, ImageMap] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> ImageMap:
        """The map of a model on the test images of its data set.

        Raises UnknownModelError, DamagedModelError, TooLargeError, and DatasetUnavailable if there are too few images.
        """
        return self._map(*self._store.load(name))

    def place(self, name: str, pixels: Array) -> Place:
        """The place of a drawing, float (28, 28). Raises as `get`."""
        card, network = self._store.load(name)
        found = self._map(card, network)
        features, said = features_of(network, card.input_scale, np.round(pixels * BYTE_MAX).astype(np.uint8)[None])
        ((x, y),) = found.project(features).tolist()
        distances = np.linalg.norm(found.features - features, axis=1)
        nearest = np.argsort(distances, kind="stable")[:NEIGHBOURS].tolist()
        return Place(x, y, card.labels[int(said[0])], nearest)

    def _map(self, card: ModelCard, network: Network) -> ImageMap:
        sets = sets_at_hand(self._catalog, self._datasets, card.dataset)
        key = (identity(card), tuple((dataset.name, dataset.version) for dataset in sets))
        with self._lock:
            if key in self._maps:
                self._maps.move_to_end(key)
                return self._maps[key]
        most = affordable_images(network, MOST_IMAGES)
        if most < LEAST_IMAGES:
            raise TooLargeError("{name} is too large for a map of its images", name=card.name)
        sample = images_for_map(card.labels, sets, most)
        found = make_map(card, network, sample)
        with self._lock:
            self._maps[key] = found
            while len(self._maps) > REMEMBERED:
                self._maps.popitem(last=False)
        return found


def images_for_map(labels: Sequence[str], sets: Sequence[Dataset], most: int) -> LabelledImages:
    """Up to about `most` test images of `labels`, as `sample_images`. Raises DatasetUnavailable for too few."""
    sample = sample_images(labels, sets, "test", most)
    if len(sample) < LEAST_IMAGES:
        raise DatasetUnavailable(
            "expected at least {least} test images for a map; {title} has {count}",
            least=LEAST_IMAGES,
            title=sample.titles[0],
            count=len(sample),
        )
    return sample


def make_map(card: ModelCard, network: Network, sample: LabelledImages) -> ImageMap:
    """Project the features of the images to their first two principal components (Pearson 1901)."""
    features, said = features_of(network, card.input_scale, sample.images)
    mean = features.mean(axis=0)
    directions, variance = principal_directions((features - mean).astype(np.float64))
    points = (features - mean) @ directions
    scale = float(np.abs(points).max()) or 1.0
    directions = (directions / scale).astype(np.float32)
    return ImageMap(card, sample, (features - mean) @ directions, said, variance, features, mean, directions)


def principal_directions(centred: Array) -> tuple[Array, tuple[float, float]]:
    """The two directions of unit length, (F, 2), along which `centred` (N, F) varies most, and their shares.

    The largest entry of each is positive, so that a map does not turn over. A direction without variance is zero.
    """
    if centred.shape[1] <= centred.shape[0]:
        values, vectors = np.linalg.eigh(centred.T @ centred)
    else:
        values, left = np.linalg.eigh(centred @ centred.T)
        vectors = centred.T @ left / np.sqrt(np.maximum(values, np.finfo(float).tiny))
    order = np.argsort(-values)[:2]
    directions = np.zeros((centred.shape[1], 2))
    total = max(float(values.clip(0).sum()), np.finfo(float).tiny)
    shares = [0.0, 0.0]
    for column, place in enumerate(order.tolist()):
        if values[place] > 1e-12 * total:
            vector = vectors[:, place]
            directions[:, column] = vector * np.sign(vector[np.abs(vector).argmax()])
            shares[column] = float(values[place]) / total
    return directions, (shares[0], shares[1])
