"""What a data set is: a name, the labels, and images to train on and to test on."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError, MessageError

ImageArray: TypeAlias = NDArray[np.uint8]
LabelArray: TypeAlias = NDArray[np.uint8] | NDArray[np.int64]


class DatasetUnavailable(MessageError):
    """A data set cannot be had on this machine; the message says what is missing and what to do."""

    code = "dataset_unavailable"


@dataclass(frozen=True, eq=False)
class Split:
    """`images`, uint8 (N, 28, 28), 0 is paper and 255 is ink, and `labels`, (N,), indices into the set's labels."""

    images: ImageArray
    labels: LabelArray

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise InputError(
                "expected as many labels as images; got {count} and {count2}",
                count=len(self.labels),
                count2=len(self.images),
            )

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set: `name` as in a config, `title` as on a page, `labels` in the order of the label indices.

    `version` names what the images were made of, for a data set that the user can change; None for all others.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    train: Split
    test: Split
    version: str | None = None


def split_validation(split: Split, fraction: float) -> tuple[Split, Split]:
    """Part the last `fraction` off for validation, as Keras does: the first int(n × (1 − fraction)) stay to train on.

    Gives (training, validation), views of the arrays. Raises ValueError if `fraction` is not between 0 and 1, or if
    one of the parts would be empty.
    """
    if not 0.0 < fraction < 1.0:
        raise InputError(
            "expected a validation fraction between 0 and 1, both excluded; got {fraction}", fraction=fraction
        )
    kept = int(len(split) * (1.0 - fraction))
    if kept == 0 or kept == len(split):
        raise InputError(
            "expected a validation fraction that leaves both parts an image; got {fraction} of {count} images",
            fraction=fraction,
            count=len(split),
        )
    return (
        Split(split.images[:kept], split.labels[:kept]),
        Split(split.images[kept:], split.labels[kept:]),
    )


SHEET = 20
"""Digits on a sheet: two of each label where there are ten."""


def sample_per_label(labels: LabelArray, kinds: int, count: int = SHEET) -> NDArray[np.int64]:
    """Which images of a split to show, by `labels` (N,), indices of `kinds` labels: up to `count`, label by label.

    As many of each label as of any other, the first ones of the split; where a label has too few, or there are more
    labels than places, the places are spread over the labels.
    """
    places = [np.flatnonzero(labels == kind) for kind in range(kinds)]
    present = [own for own in places if len(own)]
    if len(present) > count:
        present = [present[i] for i in np.linspace(0, len(present) - 1, count).round().astype(int)]
    taken = [0] * len(present)
    left = min(count, sum(map(len, present)))
    while left:
        for i, own in enumerate(present):
            if left and taken[i] < len(own):
                taken[i] += 1
                left -= 1
    parts = [own[:number] for own, number in zip(present, taken, strict=True)]
    return np.concatenate(parts).astype(np.int64) if parts else np.empty(0, np.int64)
