"""Data sets: a name, labels, and images for training and testing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError, Message, MessageError

ImageArray: TypeAlias = NDArray[np.uint8]
LabelArray: TypeAlias = NDArray[np.uint8] | NDArray[np.int64]


Grouping: TypeAlias = Literal["style", "writer", "source"]
"""The meaning of a data set's groups."""


class DatasetUnavailable(MessageError):
    """A data set is not available on this machine; the message says what is missing and what to do."""

    code = "dataset_unavailable"


@dataclass(frozen=True, eq=False)
class Split:
    """`images`, uint8 (N, 28, 28), 0 is paper and 255 is ink, and `labels`, (N,), indices into the set's labels.

    `groups` (N,) are indices into the set's groups, if it has any.
    """

    images: ImageArray
    labels: LabelArray
    groups: NDArray[np.uint8] | None = None

    def __getitem__(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> "Split":
        return Split(self.images[rows], self.labels[rows], None if self.groups is None else self.groups[rows])

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise InputError(
                "expected as many labels as images; got {labels} and {images}",
                labels=len(self.labels),
                images=len(self.images),
            )
        if self.groups is not None and len(self.groups) != len(self.images):
            raise InputError(
                "expected as many groups as images; got {groups} and {images}",
                groups=len(self.groups),
                images=len(self.images),
            )

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set: `name` as in a config, `title` for pages, `labels` in the order of the label indices.

    `version` identifies the content of a data set that the user can change; None for all others. If the images are
    `grouped_by` something, `groups` are its names. `tests` are the test images of each set of a mixture. `notes` say
    what was changed or passed over when the user's files were read.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    train: Split
    test: Split
    version: str | None = None
    grouped_by: Grouping | None = None
    groups: tuple[str, ...] = ()
    tests: Mapping[str, Split] = field(default_factory=dict)
    notes: tuple[Message, ...] = ()


def split_validation(split: Split, fraction: float, *, of_each_group: bool = False) -> tuple[Split, Split]:
    """Split off the last `fraction` for validation, as Keras does; the first int(n × (1 − fraction)) are for training.

    With `of_each_group` the last fraction of each group, but never some of the adjacent copies of one image: those go
    to the validation. Returns (training, validation), without it views of the arrays. Raises ValueError if `fraction`
    is not between 0 and 1, or if one of the parts would be empty.
    """
    if not 0.0 < fraction < 1.0:
        raise InputError(
            "expected a validation fraction between 0 and 1, both excluded; got {fraction}", fraction=fraction
        )
    count = int(len(split) * (1.0 - fraction))
    if count in (0, len(split)):
        raise InputError(
            "expected a validation fraction that leaves both parts an image; got {fraction} of {count} images",
            fraction=fraction,
            count=len(split),
        )
    if not of_each_group or split.groups is None:
        return split[:count], split[count:]
    held = np.zeros(len(split), bool)
    for group in np.unique(split.groups):
        rows = np.flatnonzero(split.groups == group)
        begin = int(len(rows) * (1.0 - fraction))
        while 0 < begin < len(rows) and np.array_equal(*split.images[rows[begin - 1 : begin + 1]]):
            begin -= 1
        held[rows[begin:]] = True
    return split[~held], split[held]


SHEET = 20
"""Digits of a sample: two of each label if there are ten."""


def sample_per_label(labels: LabelArray, kinds: int, count: int = SHEET) -> NDArray[np.int64]:
    """The indices of up to `count` images to show, label by label, from `labels` (N,), indices of `kinds` labels.

    These are the first ones of each label, equally many of each; if a label has too few, or there are more labels than
    `count`, they are spread over the labels.
    """
    present = [rows for kind in range(kinds) if len(rows := np.flatnonzero(labels == kind))]
    if len(present) > count:
        present = [present[i] for i in np.linspace(0, len(present) - 1, count).round().astype(int)]
    taken = [0] * len(present)
    remaining = min(count, sum(map(len, present)))
    while remaining:
        for i, rows in enumerate(present):
            if remaining and taken[i] < len(rows):
                taken[i] += 1
                remaining -= 1
    parts = [rows[:number] for rows, number in zip(present, taken, strict=True)]
    return np.concatenate(parts).astype(np.int64) if parts else np.empty(0, np.int64)
