"""The sheet of digits that stays the same through a training, so that one sees what is said of each change."""

import numpy as np
from numpy.typing import NDArray

from app.data.dataset import LabelArray

SHEET = 20
"""Digits on a sheet: two of each label where there are ten."""


def sheet_indexes(labels: LabelArray, kinds: int, count: int = SHEET) -> NDArray[np.int64]:
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
