"""A preview of digits before and after augmentation."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.data.augmentation.augment import Augmentation, Augmenter
from app.data.dataset import ImageArray, Split

GAP = 2
"""Pixels between digits, before enlargement."""
RULE_GREY = 200


def changed_digits(
    split: Split, augmentation: Augmentation | None, *, seed: int, count: int, epochs: int
) -> tuple[NDArray[np.int64], ImageArray]:
    """Some digits, cycling through the labels, and their augmentations in each epoch.

    Returns the digits' indices (count,) and the images of the epochs (epochs, count, H, W); none without augmentation.
    The changes are those of a training's first images with the same seed.
    """
    order = np.random.default_rng(seed).permutation(len(split))
    labels = split.labels[order]
    # the first of each label, then the second of each, ...
    turn = np.empty(len(order), np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        turn[rows] = np.arange(len(rows))
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
