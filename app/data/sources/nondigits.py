"""Generated drawings that are not digits, to train and evaluate the detection of outliers."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from app.data.dataset import ImageArray
from app.data.handwriting.glyph import Glyph
from app.data.handwriting.inventions import invent_glyph
from app.data.handwriting.spline import make_pen
from app.data.handwriting.symbols import KANA, LETTERS, SIGNS, SMALL
from app.data.handwriting.writer import draw_variation, write
from app.data.preprocessing.normalize import IMAGE_SIZE, normalize, to_uint8
from app.data.preprocessing.rasterize import STROKE_WIDTH
from app.data.preprocessing.rasterize_batch import Drawing, rasterize_batch
from app.data.sources.npz_cache import read_arrays, write_arrays
from app.data.sources.synthetic import make_strokes
from app.errors import InputError

Strokes: TypeAlias = list[NDArray[np.float64]]

SEED = 20_260_101
VERSION = 3
"""Increases with every change to the drawings, which invalidates older caches."""

SIDE = 140
"""The side of the canvas for filled shapes, in pixels."""
SHOWN = 400
MEASURED = 200
"""Drawings of each kind."""
INVENTED = 2_000
"""Invented characters, for training alone: those of the alphabets that are not here."""
DIGITS_SHOWN = 2_000
APART = 4
"""Every fourth letter and sign is for evaluation only."""


INVENTIONS = "inventions"


@dataclass(frozen=True, eq=False)
class NonDigits:
    """Images, uint8 (N, 28, 28), by kind: `shown` for training, and `measured` for evaluation.

    Both have different letters and signs, and `shown` has invented characters too. `digits` are generated in the same
    way, so that the style alone does not mark an outlier.
    """

    shown: Mapping[str, ImageArray]
    measured: Mapping[str, ImageArray]
    digits: ImageArray


def load_nondigits(cache_dir: Path | None, effort: int = 1) -> NonDigits:
    """Load the drawings from the cache, or draw them and write the cache. Replaces a damaged file.

    With more `effort` there are so many times as many for training.
    """
    path = None if cache_dir is None else cache_dir / "strokes" / f"nondigits-v{VERSION}-{effort}.npz"
    if path is not None:
        arrays = read_arrays(path)
        with contextlib.suppress(KeyError, ValueError):
            shown, measured = (
                {kind: _checked(arrays[f"{part} {kind}"]) for kind in kinds}
                for part, kinds in (("shown", (*KINDS, INVENTIONS)), ("measured", KINDS))
            )
            return NonDigits(shown, measured, _checked(arrays["digits"]))
    drawn = make_nondigits(shown=SHOWN * effort, invented=INVENTED * effort, digits=DIGITS_SHOWN * effort)
    if path is not None:
        parts = {"shown": drawn.shown, "measured": drawn.measured}
        images = {f"{part} {kind}": images for part, kinds in parts.items() for kind, images in kinds.items()}
        write_arrays(path, {"digits": drawn.digits, **images})
    return drawn


def make_nondigits(
    *,
    shown: int = SHOWN,
    measured: int = MEASURED,
    invented: int = INVENTED,
    digits: int = DIGITS_SHOWN,
    seed: int = SEED,
) -> NonDigits:
    """Draw these numbers of each kind, and of digits. The drawings depend on the arguments alone."""
    parts = [
        {
            kind: draw(np.random.default_rng([seed, part, number]), count, bool(part))
            for number, (kind, draw) in enumerate(KINDS.items())
        }
        for part, count in enumerate((shown, measured))
    ]
    inventions = _inventions(np.random.default_rng([seed, 3]), invented)
    drawn = make_strokes(train=digits, test=0, seed=seed).train.images
    return NonDigits({**parts[0], INVENTIONS: inventions}, parts[1], drawn)


def pair_digits(digits: ImageArray, count: int, *, seed: int = SEED) -> ImageArray:
    """`count` images of two of the `digits`, uint8 (N, 28, 28), side by side."""
    rng = np.random.default_rng([seed, 2])
    return np.stack([_pair(rng, digits) for _ in range(count)])


def _glyphs(glyphs: Sequence[Glyph], rng: np.random.Generator, count: int, apart: bool) -> ImageArray:
    """Letters or signs, written like the data set `strokes`."""
    glyphs = [glyph for number, glyph in enumerate(glyphs) if (number % APART == APART - 1) is apart]
    chosen, variation = rng.integers(len(glyphs), size=count), draw_variation(rng, count)
    drawings: list[Drawing] = []
    for number, glyph in enumerate(glyphs):
        drawings += write(make_pen(glyph), variation[np.flatnonzero(chosen == number)])
    return rasterize_batch(drawings)


def _letters(rng: np.random.Generator, count: int, apart: bool) -> ImageArray:
    return _glyphs([*LETTERS.values(), *SMALL.values()], rng, count, apart)


def _signs(rng: np.random.Generator, count: int, apart: bool) -> ImageArray:
    return _glyphs([*SIGNS.values(), *KANA.values()], rng, count, apart)


def _inventions(rng: np.random.Generator, count: int) -> ImageArray:
    return rasterize_batch(
        [drawing for _ in range(count) for drawing in write(make_pen(invent_glyph(rng)), draw_variation(rng, 1))]
    )


def _scribble(rng: np.random.Generator) -> Strokes:
    """Hatching, tangles or loops, as when trying out a pen."""
    t = np.linspace(0, 1, 300)
    turns, phase, lean = rng.uniform(3, 9), rng.uniform(0, 6.3), rng.uniform(-0.6, 0.6)
    way = int(rng.integers(3))
    if way == 0:  # hatching
        across = 2 * np.abs((t * turns) % 1 - 0.5)
        path = np.stack([across + lean * t, t * rng.uniform(0.3, 1.2)], axis=1)
    elif way == 1:  # a ball of wool
        angle = 2 * np.pi * turns * t + phase
        reach = 1 + 0.5 * np.sin(angle * rng.uniform(0.2, 0.8))
        path = np.stack([reach * np.cos(angle), rng.uniform(0.6, 1) * reach * np.sin(angle + lean)], axis=1)
    else:  # loops along a line
        angle = 2 * np.pi * turns * t + phase
        path = np.stack([t * rng.uniform(1.5, 4) + 0.6 * np.cos(angle), np.sin(angle) + lean * t], axis=1)
    path = path + np.cumsum(rng.normal(0, 0.015, path.shape), axis=0)
    return [path]


def _dot(rng: np.random.Generator) -> Strokes:
    """One to four dots."""
    return [rng.random((1, 2)) for _ in range(int(rng.integers(1, 5)))]


def _pair(rng: np.random.Generator, digits: ImageArray) -> NDArray[np.uint8]:
    left, right = (digits[i].astype(np.float32) / np.float32(255) for i in rng.integers(len(digits), size=2))
    gap = np.zeros((IMAGE_SIZE, int(rng.integers(1, 7))), np.float32)
    return to_uint8(normalize(np.hstack([left[:, left.any(axis=0)], gap, right[:, right.any(axis=0)]])))


def _shape(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Overlapping filled boxes and discs, similar to the outline of a shirt or a shoe."""
    canvas = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(2, 5))):
        x, y = rng.uniform(0.1, 0.6, 2) * SIDE
        width, height = rng.uniform(0.2, 0.5, 2) * SIDE
        box, tone = (x, y, min(x + width, SIDE - 1), min(y + height, SIDE - 1)), int(rng.integers(120, 256))
        (draw.rectangle if rng.random() < 0.5 else draw.ellipse)(box, fill=tone)
    return to_uint8(normalize(np.asarray(canvas, np.float32) / np.float32(255)))


def _noise(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Grey clouds from coarse to fine."""
    grey = Image.fromarray((rng.random((IMAGE_SIZE, IMAGE_SIZE)) * 255).astype(np.uint8))
    cloud = np.asarray(grey.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2))), np.float32)
    low, high = np.quantile(cloud, [rng.uniform(0.2, 0.8), 1])
    return to_uint8(np.clip((cloud - low) / max(high - low, 1), 0, 1))


def _strokes_of(draw: Callable[[np.random.Generator], Strokes]) -> "Kind":
    def kind(rng: np.random.Generator, count: int, apart: bool) -> ImageArray:
        return rasterize_batch([(draw(rng), STROKE_WIDTH) for _ in range(count)])

    return kind


def _images_of(draw: Callable[[np.random.Generator], NDArray[np.uint8]]) -> "Kind":
    def kind(rng: np.random.Generator, count: int, apart: bool) -> ImageArray:
        return np.stack([draw(rng) for _ in range(count)])

    return kind


Kind: TypeAlias = Callable[[np.random.Generator, int, bool], ImageArray]
"""Draws a number of images; with True those for evaluation."""

KINDS: Mapping[str, Kind] = {
    "letters": _letters,
    "signs": _signs,
    "scribbles": _strokes_of(_scribble),
    "dots": _strokes_of(_dot),
    "shapes": _images_of(_shape),
    "noise": _images_of(_noise),
}


def _checked(images: NDArray[np.uint8]) -> ImageArray:
    """Return the images; raise ValueError if they are not."""
    if images.ndim != 3 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or images.dtype != np.uint8:
        raise InputError("expected uint8 (N, 28, 28); got {dtype} {shape}", dtype=images.dtype, shape=images.shape)
    return images
