"""Digits before and after their augmentation, to look at."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.data.augmentation.augment import Augmentation, Augmenter
from app.data.dataset import ImageArray, Split

GAP = 2
"""Pixels between digits, before they are enlarged."""
RULE_GREY = 200


def changed_digits(
    split: Split, augmentation: Augmentation | None, *, seed: int, count: int, epochs: int
) -> tuple[NDArray[np.int64], ImageArray]:
    """Some digits, label by label in turn, and what each epoch makes of them.

    Gives the digits' indices (count,) and the images of the epochs (epochs, count, H, W); none without augmentation.
    They are changed as a training changes its first images, from the same seed.
    """
    order = np.random.default_rng(seed).permutation(len(split))
    labels = split.labels[order]
    # the first of each label, then the second of each, ...
    turn = np.empty(len(order), np.int64)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        turn[own] = np.arange(len(own))
    indices = order[np.lexsort((labels, turn))][:count]
    images = split.images[indices]
    if augmentation is None:
        return indices, np.empty((0, *images.shape), np.uint8)
    augmenter = Augmenter(augmentation, images.shape[1])
    return indices, np.stack(
        [augmenter.epoch(images, seed, epoch, np.empty_like(images)) for epoch in range(1, epochs + 1)]
    )


def contact_sheet(before: ImageArray, after: ImageArray, *, enlarge: int = 2) -> bytes:
    """A PNG, dark ink on white: `before` (n, H, W) on top, a line, a row for each of `after` (m, n, H, W)."""
    rows = np.concatenate([before[None], after])
    epochs, count, height, width = rows.shape
    sheet = np.zeros((epochs, height + GAP, count, width + GAP), np.uint8)
    sheet[:, :height, :, :width] = rows.transpose(0, 2, 1, 3)
    sheet[0, height:] = RULE_GREY
    flat = 255 - sheet.reshape(epochs * (height + GAP), count * (width + GAP))
    file = io.BytesIO()
    Image.fromarray(np.kron(flat, np.ones((enlarge, enlarge), np.uint8))).save(file, "PNG")
    return file.getvalue()
