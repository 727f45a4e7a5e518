"""The data set `strokes`: digits that digitpad draws itself, so that a machine with no network has one to train on."""

import contextlib
import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.data.dataset import Dataset, Split
from app.data.files import write_whole
from app.data.glyphs import DIGITS, Pen, make_pen
from app.data.raster import draw_strokes
from app.data.rule import IMAGE_SIZE, apply_rule

LABELS = tuple(DIGITS)
TITLE = "Strokes"
VERSION = 1
"""Goes up with every change to what is drawn: an older cache is then not found, rather than wrong."""

SEED = 20_240_229
TRAIN_SIZE = 20_000
TEST_SIZE = 2_000

PEN_MEDIAN = 2.5
"""Median pen width in pixels of the 28×28 image, as `pen_width` measures MNIST's training images (2.48) ..."""
PEN_SPREAD = 0.27
"""... and the standard deviation of its logarithm (5th and 95th percentile of MNIST: 1.69 and 3.90)."""
PEN_LIMITS = (1.4, 5.0)

# Deviations of a hand, found by looking at sheets of drawn and of real digits side by side; lengths in glyph heights.
JITTER = 0.06
STROKE_JITTER = 0.05
SLANT_MEAN, SLANT_SPREAD = 0.12, 0.25
TURN_SPREAD_RADIANS = 0.1
ASPECT_SPREAD = 0.22
TAPER_SPREAD = 0.15
WAVE_HEIGHT = 0.04
BALANCE_SPREAD = 0.25


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


def is_cached(*, cache_dir: Path) -> bool:
    """Whether the full set is in the cache; what is in the file is not looked at."""
    return _cache_path(cache_dir, TRAIN_SIZE, TEST_SIZE, SEED).is_file()


def draw_digit(pen: Pen, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a glyph once as a hand would, uint8 (28, 28); all that differs from last time comes from `rng`."""
    width = float(np.clip(PEN_MEDIAN * np.exp(rng.normal(0, PEN_SPREAD)), *PEN_LIMITS))
    drawing = draw_strokes(_waver(pen, rng), width)
    if drawing is None:
        raise ValueError("expected a glyph with at least one point; got none")
    image: NDArray[np.uint8] = np.rint(apply_rule(*drawing) * 255).astype(np.uint8)
    return image


def _waver(pen: Pen, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    points = pen.points + rng.normal(0, JITTER, pen.points.shape)
    path = pen.basis @ points
    x, y = path[:, 0] - 0.35, path[:, 1] - 0.5
    slant, turn, aspect, taper, balance = rng.normal(0, 1, 5)
    phases = rng.uniform(0, 2 * np.pi, 2)
    waves = rng.normal(0, WAVE_HEIGHT, 2)
    # Where the middle of the digit lies: some people write large bowls over small ones, some the other way round.
    y = y + BALANCE_SPREAD * balance * (0.25 - y * y)
    x = x * (1 + 2 * TAPER_SPREAD * taper * y)
    x = x + waves[0] * np.sin(np.pi * 2 * y + phases[0])
    y = y + waves[1] * np.sin(np.pi * 2 * x + phases[1])
    x = x * np.exp(ASPECT_SPREAD * aspect) - (SLANT_MEAN + SLANT_SPREAD * slant) * y
    cosine, sine = np.cos(TURN_SPREAD_RADIANS * turn), np.sin(TURN_SPREAD_RADIANS * turn)
    path = np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=1)
    strokes = np.split(path, pen.ends[:-1])
    # A stroke does not begin quite where another one passes.
    return [stroke + rng.normal(0, STROKE_JITTER, 2) * (index > 0) for index, stroke in enumerate(strokes)]


def _draw_split(pens: list[tuple[list[Pen], NDArray[np.float64]]], count: int, seed: int, part: int) -> Split:
    images = np.empty((count, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    labels = np.arange(count) % len(pens)
    for index, label in enumerate(labels.tolist()):
        rng = np.random.default_rng([seed, part, index])
        ways, shares = pens[label]
        images[index] = draw_digit(ways[int(np.searchsorted(shares, rng.random()))], rng)
    return Split(images, labels.astype(np.uint8))


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
    write_whole(path, file.getvalue(), prefix=path.stem)
