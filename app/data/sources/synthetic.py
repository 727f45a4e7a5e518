"""The data set `strokes`: generated digits, so that a machine without a network has a data set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.data.dataset import Dataset, ImageArray, Split
from app.data.handwriting.digits import DIGITS, STYLES
from app.data.handwriting.glyph import Glyph
from app.data.handwriting.spline import GlyphSpline, make_pen
from app.data.handwriting.writer import Variation, draw_variation, write
from app.data.preprocessing.normalize import IMAGE_SIZE
from app.data.preprocessing.rasterize_batch import Drawing, rasterize_batch
from app.data.sources.npz_cache import read_splits, write_splits

LABELS = tuple(DIGITS)
TITLE = "Strokes"
VERSION = 4
"""Increases with every change to the drawings, which invalidates older caches."""

SEED = 20_240_229
TRAIN_SIZE = 20_000
TEST_SIZE = 2_000
BLOCK = 2_000
"""Images per random generator."""


def make_strokes(*, train: int = TRAIN_SIZE, test: int = TEST_SIZE, seed: int = SEED) -> Dataset:
    """Draw the set: `train` and `test` images, cycling through the ten digits.

    Image i of either part depends on (seed, part, i) alone, so a smaller set is the beginning of a larger one.
    """
    hands = [_Hand.of(styles) for styles in DIGITS.values()]
    return _dataset(_draw_split(hands, train, seed, 0), _draw_split(hands, test, seed, 1))


def load_strokes(*, cache_dir: Path, train: int = TRAIN_SIZE, test: int = TEST_SIZE, seed: int = SEED) -> Dataset:
    """Load the set from `cache_dir / "strokes"`, or draw it and write the cache. Replaces a damaged file.

    Works without a writable cache too.
    """
    path = _cache_path(cache_dir, train, test, seed)
    splits = read_splits(path)
    if splits and [split.images.shape for split in splits] == [(n, IMAGE_SIZE, IMAGE_SIZE) for n in (train, test)]:
        return _dataset(*splits)
    dataset = make_strokes(train=train, test=test, seed=seed)
    write_splits(path, dataset.train, dataset.test)
    return dataset


def is_cached(*, cache_dir: Path, train: int = TRAIN_SIZE) -> bool:
    """True if the cache has the set with `train` training images; the file is not read."""
    return _cache_path(cache_dir, train, TEST_SIZE, SEED).is_file()


def _dataset(train: Split, test: Split) -> Dataset:
    return Dataset("strokes", TITLE, LABELS, train, test, grouped_by="style", groups=STYLES)


@dataclass(frozen=True, eq=False)
class _Hand:
    """The styles of one digit: their pens, their numbers in `STYLES`, and the upper ends of their shares of [0, 1)."""

    pens: list[GlyphSpline]
    numbers: NDArray[np.uint8]
    shares: NDArray[np.float64]

    @classmethod
    def of(cls, styles: Mapping[str, Glyph]) -> "_Hand":
        total = np.cumsum([glyph.weight for glyph in styles.values()])
        numbers = np.array([STYLES.index(name) for name in styles], np.uint8)
        return cls([make_pen(glyph) for glyph in styles.values()], numbers, total[:-1] / total[-1])


def _draw_split(hands: Sequence[_Hand], count: int, seed: int, part: int) -> Split:
    labels = np.arange(count) % len(hands)
    images = [np.empty((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8)]
    styles = np.empty(count, np.uint8)
    for block, begin in enumerate(range(0, count, BLOCK)):
        rng = np.random.default_rng([seed, part, block])
        chosen, variation = rng.random(BLOCK), draw_variation(rng, BLOCK)
        rows = slice(begin, min(begin + BLOCK, count))
        images.append(_draw_block(hands, labels[rows], chosen, variation, styles[rows]))
    return Split(np.concatenate(images), labels.astype(np.uint8), styles)


def _draw_block(
    hands: Sequence[_Hand],
    labels: NDArray[np.int64],
    chosen: NDArray[np.float64],
    variation: Variation,
    styles: NDArray[np.uint8],
) -> ImageArray:
    """Draw images of these labels, and write the numbers of their styles into `styles`."""
    drawings: list[Drawing | None] = [None] * len(labels)
    for label, hand in enumerate(hands):
        rows = np.flatnonzero(labels == label)
        style = np.searchsorted(hand.shares, chosen[rows])
        styles[rows] = hand.numbers[style]
        for number, pen in enumerate(hand.pens):
            chosen_rows = rows[style == number]
            for row, drawing in zip(chosen_rows.tolist(), write(pen, variation[chosen_rows]), strict=True):
                drawings[row] = drawing
    return rasterize_batch([drawing for drawing in drawings if drawing is not None])


def _cache_path(cache_dir: Path, train: int, test: int, seed: int) -> Path:
    return cache_dir / "strokes" / f"strokes-v{VERSION}-{train}-{test}-{seed}.npz"
