"""Drawings that are no digits, drawn by digitpad itself: what a reader of digits learns, and proves, to refuse."""

import contextlib
import io
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from app.data.dataset import ImageArray
from app.data.handwriting.digits import Glyph
from app.data.handwriting.spline import make_pen
from app.data.handwriting.symbols import KANA, LETTERS, SIGNS, SMALL
from app.data.handwriting.writer import draw_variation, write
from app.data.preprocessing.normalize import IMAGE_SIZE, normalize
from app.data.preprocessing.rasterize import STROKE_WIDTH, FloatArray
from app.data.preprocessing.rasterize_batch import Drawing, rasterize_batch
from app.data.sources.synthetic import make_strokes
from app.errors import InputError
from app.storage.atomic import write_atomic

Strokes: TypeAlias = list[NDArray[np.float64]]

SEED = 20_260_101
VERSION = 1
"""Goes up with every change to what is drawn: an older cache is then not found, rather than wrong."""

SIDE = 140
"""Pixels of the canvas that shapes are filled on."""
SHOWN = 400
MEASURED = 200
"""Drawings of each kind."""
DIGITS_SHOWN = 2_000
APART = 4
"""Every fourth letter and sign is measured on and never shown."""


@dataclass(frozen=True, eq=False)
class NonDigits:
    """Images, uint8 (N, 28, 28), by kind: those to learn from, and others, of other letters and signs, to measure on.

    `digits`, drawn by the same hand, keep it from being learnt that what this hand draws is none.
    """

    shown: Mapping[str, ImageArray]
    measured: Mapping[str, ImageArray]
    digits: ImageArray


def load_nondigits(cache_dir: Path | None) -> NonDigits:
    """The drawings from the cache, or drawn and put there. A damaged file is drawn anew."""
    path = None if cache_dir is None else cache_dir / "strokes" / f"nondigits-v{VERSION}.npz"
    if path is not None:
        # Opened here, as NumPy leaves a file open that turns out to be no archive.
        with (
            contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error),
            path.open("rb") as file,
            np.load(file, allow_pickle=False) as arrays,
        ):
            kinds = [{kind: _checked(arrays[f"{part} {kind}"]) for kind in KINDS} for part in ("shown", "measured")]
            return NonDigits(kinds[0], kinds[1], _checked(arrays["digits"]))
    drawn = make_nondigits()
    if path is not None:
        # A read-only disk costs the time to draw again, nothing else.
        with contextlib.suppress(OSError):
            packed = io.BytesIO()
            named = {
                f"{part} {kind}": images
                for part in ("shown", "measured")
                for kind, images in getattr(drawn, part).items()
            }
            np.savez_compressed(packed, digits=drawn.digits, **named)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, packed.getvalue(), prefix=path.stem)
    return drawn


def make_nondigits(
    *, shown: int = SHOWN, measured: int = MEASURED, digits: int = DIGITS_SHOWN, seed: int = SEED
) -> NonDigits:
    """Draw so many of each kind, and so many digits. What is drawn depends on these numbers alone."""
    parts = [
        {
            kind: draw(np.random.default_rng([seed, part, number]), count, bool(part))
            for number, (kind, draw) in enumerate(KINDS.items())
        }
        for part, count in enumerate((shown, measured))
    ]
    return NonDigits(parts[0], parts[1], make_strokes(train=digits, test=0, seed=seed).train.images)


def pair_digits(digits: ImageArray, count: int, *, seed: int = SEED) -> ImageArray:
    """Two of the `digits`, uint8 (N, 28, 28), side by side and taken for one, `count` times."""
    rng = np.random.default_rng([seed, 2])
    return np.stack([_pair(rng, digits) for _ in range(count)])


def _glyphs(glyphs: Sequence[Glyph], rng: np.random.Generator, count: int, apart: bool) -> ImageArray:
    """Letters or signs, written by the hand that writes `strokes`."""
    own = [glyph for number, glyph in enumerate(glyphs) if (number % APART == APART - 1) is apart]
    chosen, whims = rng.integers(len(own), size=count), draw_variation(rng, count)
    drawings: list[Drawing] = []
    for number, glyph in enumerate(own):
        drawings += write(make_pen(glyph), whims[np.flatnonzero(chosen == number)])
    return rasterize_batch(drawings)


def _letters(rng: np.random.Generator, count: int, apart: bool) -> ImageArray:
    return _glyphs([*LETTERS.values(), *SMALL.values()], rng, count, apart)


def _signs(rng: np.random.Generator, count: int, apart: bool) -> ImageArray:
    return _glyphs([*SIGNS.values(), *KANA.values()], rng, count, apart)


def _scribble(rng: np.random.Generator) -> Strokes:
    """A pen that goes to and fro, round and round, or in loops, as somebody does who tries it out."""
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
    return _bytes(normalize(np.hstack([left[:, left.any(axis=0)], gap, right[:, right.any(axis=0)]])))


def _shape(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Something filled: boxes and discs on top of each other, as the outline of a shirt or a shoe."""
    canvas = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(2, 5))):
        x, y = rng.uniform(0.1, 0.6, 2) * SIDE
        width, height = rng.uniform(0.2, 0.5, 2) * SIDE
        box, tone = (x, y, min(x + width, SIDE - 1), min(y + height, SIDE - 1)), int(rng.integers(120, 256))
        (draw.rectangle if rng.random() < 0.5 else draw.ellipse)(box, fill=tone)
    return _bytes(normalize(np.asarray(canvas, np.float32) / np.float32(255)))


def _noise(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Grey clouds from coarse to fine, with no shape at all."""
    grey = Image.fromarray((rng.random((IMAGE_SIZE, IMAGE_SIZE)) * 255).astype(np.uint8))
    cloud = np.asarray(grey.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2))), np.float32)
    low, high = np.quantile(cloud, [rng.uniform(0.2, 0.8), 1])
    return _bytes(np.clip((cloud - low) / max(high - low, 1), 0, 1))


def _strokes_of(draw: Callable[[np.random.Generator], Strokes]) -> "Kind":
    def kind(rng: np.random.Generator, count: int, apart: bool) -> ImageArray:
        return rasterize_batch([(draw(rng), STROKE_WIDTH) for _ in range(count)])

    return kind


def _images_of(draw: Callable[[np.random.Generator], NDArray[np.uint8]]) -> "Kind":
    def kind(rng: np.random.Generator, count: int, apart: bool) -> ImageArray:
        return np.stack([draw(rng) for _ in range(count)])

    return kind


Kind: TypeAlias = Callable[[np.random.Generator, int, bool], ImageArray]
"""Draws so many images; with True those that are only measured on."""

KINDS: Mapping[str, Kind] = {
    "letters": _letters,
    "signs": _signs,
    "scribbles": _strokes_of(_scribble),
    "dots": _strokes_of(_dot),
    "shapes": _images_of(_shape),
    "noise": _images_of(_noise),
}


def _checked(images: NDArray[np.uint8]) -> ImageArray:
    """Raises ValueError where these are no images."""
    if images.ndim != 3 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or images.dtype != np.uint8:
        raise InputError("expected uint8 (N, 28, 28); got {dtype} {shape}", dtype=images.dtype, shape=images.shape)
    return images


def _bytes(pixels: FloatArray) -> NDArray[np.uint8]:
    image: NDArray[np.uint8] = np.rint(pixels * 255).astype(np.uint8)
    return image
