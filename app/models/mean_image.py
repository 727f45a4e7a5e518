"""The mean of a label's training images."""

from dataclasses import dataclass

import numpy as np

from app.data.cache import DatasetCache
from app.data.catalog import DatasetCatalog
from app.errors import InputError
from app.models.card import ModelCard
from app.models.image_samples import sample_images, sets_at_hand
from app.nn.arrays import Array

BYTE_MAX = 255
MOST_IMAGES = 1_000
"""The most images of the label, of every part of a mixture."""


@dataclass(frozen=True, eq=False)
class MeanImage:
    """The mean of `count` images, float64 (28, 28), 1 is ink, and the titles of their data sets."""

    pixels: Array
    count: int
    datasets: list[str]


def mean_image(card: ModelCard, catalog: DatasetCatalog, datasets: DatasetCache, label: str) -> MeanImage:
    """The mean of a sample of the training images of a label.

    Raises InputError for a label that the model does not know, and DatasetUnavailable where no image of it is on this
    machine.
    """
    if label not in card.labels:
        raise InputError("expected labels of the model; got {label}", field="label", label=repr(label[:40]))
    sets = sets_at_hand(catalog, datasets, card.dataset)
    found = sample_images([label], sets, "train", MOST_IMAGES * len(sets))
    pixels = found.images.mean(axis=0, dtype=np.float64).reshape(found.images.shape[1:]) / BYTE_MAX
    return MeanImage(pixels, len(found), [found.titles[source] for source in np.unique(found.sources)])
