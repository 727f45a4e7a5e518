"""The data set `strokes`: digits that digitpad draws itself, so that a machine with no network has one to train on."""

import contextlib
import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.data.dataset import Dataset, ImageArray, Split
from app.data.handwriting.digits import DIGITS
from app.data.handwriting.spline import GlyphSpline, make_pen
from app.data.handwriting.writer import Variation, draw_variation, write
from app.data.preprocessing.normalize import IMAGE_SIZE
from app.data.preprocessing.rasterize_batch import Drawing, rasterize_batch
from app.storage.atomic import write_atomic

LABELS = tuple(DIGITS)
TITLE = "Strokes"
VERSION = 2
"""Goes up with every change to what is drawn: an older cache is then not found, rather than wrong."""

SEED = 20_240_229
TRAIN_SIZE = 20_000
TEST_SIZE = 2_000
BLOCK = 2_000
"""Images whose random numbers are drawn together."""


def make_strokes(*, train: int = TRAIN_SIZE, test: int = TEST_SIZE, seed: int = SEED) -> Dataset:
    """Draw the set: `train` and `test` images, the ten digits in turn.

    Image i of either part depends on (seed, part, i) alone, so a smaller set is the beginning of a larger one.
    """
    pens = [([make_pen(glyph) for glyph in glyphs], _shares([g.weight for g in glyphs])) for glyphs in DIGITS.values()]
    return Dataset("strokes", TITLE, LABELS, _draw_split(pens, train, seed, 0), _draw_split(pens, test, seed, 1))


def load_strokes(*, cache_dir: Path, train: int = TRAIN_SIZE, test: int = TEST_SIZE, seed: int = SEED) -> Dataset:
    """The set from `cache_dir / "strokes"`, or drawn and put there. A damaged file is drawn anew.

    A cache that cannot be written is done without.
    """
    path = _cache_path(cache_dir, train, test, seed)
    try:
        # Opened here, as NumPy leaves a file open that turns out to be no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            splits = [Split(arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in ("train", "test")]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        splits = []
    if [split.images.shape for split in splits] == [(n, IMAGE_SIZE, IMAGE_SIZE) for n in (train, test)]:
        return Dataset("strokes", TITLE, LABELS, splits[0], splits[1])
    dataset = make_strokes(train=train, test=test, seed=seed)
    # A read-only disk costs the time to draw again, nothing else.
    with contextlib.suppress(OSError):
        _write_cache(path, dataset)
    return dataset


def is_cached(*, cache_dir: Path, train: int = TRAIN_SIZE) -> bool:
    """Whether the set with so many training images is in the cache; what is in the file is not looked at."""
    return _cache_path(cache_dir, train, TEST_SIZE, SEED).is_file()


def draw_digit(pen: GlyphSpline, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a glyph once as a hand would, uint8 (28, 28); all that differs from last time comes from `rng`."""
    image: NDArray[np.uint8] = rasterize_batch(write(pen, draw_variation(rng, 1)))[0]
    return image


def _draw_split(ways: list[tuple[list[GlyphSpline], NDArray[np.float64]]], count: int, seed: int, part: int) -> Split:
    labels = np.arange(count) % len(ways)
    blocks = []
    for block, begin in enumerate(range(0, count, BLOCK)):
        rng = np.random.default_rng([seed, part, block])
        chosen, whims = rng.random(BLOCK), draw_variation(rng, BLOCK)
        blocks.append(_draw_block(ways, labels[begin : begin + BLOCK], chosen, whims))
    images = np.concatenate([*blocks, np.empty((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8)])
    return Split(images, labels.astype(np.uint8))


def _draw_block(
    ways: list[tuple[list[GlyphSpline], NDArray[np.float64]]],
    labels: NDArray[np.int64],
    chosen: NDArray[np.float64],
    whims: Variation,
) -> ImageArray:
    drawings: list[Drawing | None] = [None] * len(labels)
    for label, (pens, shares) in enumerate(ways):
        rows = np.flatnonzero(labels == label)
        way = np.searchsorted(shares, chosen[rows])
        for number, pen in enumerate(pens):
            own = rows[way == number]
            for row, drawing in zip(own.tolist(), write(pen, whims[own]), strict=True):
                drawings[row] = drawing
    return rasterize_batch([drawing for drawing in drawings if drawing is not None])


def _shares(weights: list[float]) -> NDArray[np.float64]:
    """Upper ends of the stretches of [0, 1) that belong to each weight."""
    total = np.cumsum(weights)
    shares: NDArray[np.float64] = total[:-1] / total[-1]
    return shares


def _cache_path(cache_dir: Path, train: int, test: int, seed: int) -> Path:
    return cache_dir / "strokes" / f"strokes-v{VERSION}-{train}-{test}-{seed}.npz"


def _write_cache(path: Path, dataset: Dataset) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = io.BytesIO()
    np.savez_compressed(
        file,
        train_images=dataset.train.images,
        train_labels=dataset.train.labels,
        test_images=dataset.test.images,
        test_labels=dataset.test.labels,
    )
    write_atomic(path, file.getvalue(), prefix=path.stem)
