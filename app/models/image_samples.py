"""Samples of a data set's images: the same number of every label and of every part of a mixture, and their features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.data import Dataset
from app.data.cache import DatasetCache
from app.data.catalog import DatasetCatalog
from app.data.dataset import DatasetUnavailable, ImageArray
from app.data.sources import mixture
from app.models.cost import MOST_WORK, prediction_cost
from app.nn import Network, infer_batches
from app.nn.arrays import Array

MOST_BYTES = 32 * 2**20
"""The most bytes of a sample's features."""
BATCH = 250

Part = Literal["train", "test"]


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images, uint8 (N, 28, 28), 255 is ink, the indices of their labels in the card, and of their sets in `titles`."""

    images: ImageArray
    labels: NDArray[np.int64]
    sources: NDArray[np.int64]
    titles: list[str]

    def __len__(self) -> int:
        return len(self.images)


def sets_at_hand(catalog: DatasetCatalog, datasets: DatasetCache, name: str) -> list[Dataset]:
    """The parts of a data set that are on this machine, or that digitpad can draw itself; at least one.

    Raises DatasetUnavailable if there is none.
    """
    terms = mixture.parse_mixture(name) if mixture.is_mixture(name) else [mixture.Term(name)]
    found, problem = [], None
    for term in terms:
        try:
            can_draw = catalog.info(term.name).state == "generate"
            found.append(datasets.get(term.name, fetch=can_draw))
        except DatasetUnavailable as error:
            problem = problem or error
    if not found and problem is not None:
        raise problem
    return found


def affordable_images(network: Network, most: int) -> int:
    """The number of images, up to `most`, whose features can be computed and kept at once."""
    return min(most, MOST_BYTES // (4 * max(1, network.feature_count)), MOST_WORK // max(1, prediction_cost(network)))


def sample_images(known: Sequence[str], sets: Sequence[Dataset], part: Part, most: int) -> LabelledImages:
    """Up to about `most` images of the labels `known`, spread evenly over each set. Raises DatasetUnavailable."""
    images, labels, sources = [], [], []
    for source, dataset in enumerate(sets):
        split = dataset.train if part == "train" else dataset.test
        shared = [index for index, label in enumerate(dataset.labels) if label in known]
        each = max(1, most // max(1, len(shared) * len(sets)))
        for index in shared:
            rows = np.flatnonzero(split.labels == index)
            chosen = rows[np.linspace(0, max(0, len(rows) - 1), min(each, len(rows))).astype(int)]
            images.append(split.images[chosen])
            labels.append(np.full(len(chosen), known.index(dataset.labels[index]), np.int64))
            sources.append(np.full(len(chosen), source, np.int64))
    if not images or not sum(map(len, images)):
        title = " + ".join(dataset.title for dataset in sets)
        raise DatasetUnavailable("{title} has no images of this model's labels", title=title)
    titles = [dataset.title for dataset in sets]
    return LabelledImages(np.concatenate(images), np.concatenate(labels), np.concatenate(sources), titles)


def features_of(network: Network, input_scale: float, images: ImageArray) -> tuple[Array, NDArray[np.int64]]:
    """The outputs of the last hidden layer, float32 (N, F), for images, uint8 (N, 28, 28), and the answers (N,)."""
    raw = images.reshape(len(images), *network.input_shape)
    features, said = np.empty((len(images), network.feature_count), np.float32), np.empty(len(images), np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        for rows, output in infer_batches(network, raw, input_scale=input_scale, batch_size=BATCH):
            features[rows] = output.features
            said[rows] = output.logits.argmax(axis=1)
    return np.nan_to_num(features, posinf=0.0, neginf=0.0), said
