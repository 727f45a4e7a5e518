"""Drawings that are no digits, drawn by digitpad itself: what a network that reads digits is measured on refusing."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from app.data.dataset import ImageArray
from app.data.glyphs import make_pen
from app.data.letters import LETTERS
from app.data.raster import FloatArray, draw_strokes
from app.data.rule import IMAGE_SIZE, apply_rule
from app.data.strokes import draw_digit

Draw: TypeAlias = Callable[[np.random.Generator, ImageArray], NDArray[np.uint8]]

SEED = 20_260_101
SIDE = 140
"""Pixels of the canvas that shapes are filled on."""


def draw_nondigits(count: int, digits: ImageArray, *, seed: int = SEED) -> dict[str, ImageArray]:
    """`count` images, uint8 (count, 28, 28), of each kind of what is no digit, by the kind's name.

    `digits`, uint8 (N, 28, 28), are those that "two digits" puts side by side. Image i depends on the seed, the kind
    and i alone.
    """
    return {
        kind: np.stack([draw(np.random.default_rng([seed, number, i]), digits) for i in range(count)])
        for number, (kind, draw) in enumerate(KINDS.items())
    }


def _letter(rng: np.random.Generator, digits: ImageArray) -> NDArray[np.uint8]:
    glyphs = list(LETTERS.values())
    return draw_digit(make_pen(glyphs[int(rng.integers(len(glyphs)))]), rng)


def _scribble(rng: np.random.Generator, digits: ImageArray) -> NDArray[np.uint8]:
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
    return _stroked([path])


def _dots(rng: np.random.Generator, digits: ImageArray) -> NDArray[np.uint8]:
    """One to four dots."""
    return _stroked([rng.random((1, 2)) for _ in range(int(rng.integers(1, 5)))])


def _two_digits(rng: np.random.Generator, digits: ImageArray) -> NDArray[np.uint8]:
    """Two digits side by side, taken for one."""
    left, right = (digits[i].astype(np.float32) / np.float32(255) for i in rng.integers(len(digits), size=2))
    gap = np.zeros((IMAGE_SIZE, int(rng.integers(1, 7))), np.float32)
    return _bytes(apply_rule(np.hstack([left[:, left.any(axis=0)], gap, right[:, right.any(axis=0)]])))


def _shape(rng: np.random.Generator, digits: ImageArray) -> NDArray[np.uint8]:
    """Something filled: boxes and discs on top of each other, as the outline of a shirt or a shoe."""
    canvas = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(2, 5))):
        x, y = rng.uniform(0.1, 0.6, 2) * SIDE
        width, height = rng.uniform(0.2, 0.5, 2) * SIDE
        box, tone = (x, y, min(x + width, SIDE - 1), min(y + height, SIDE - 1)), int(rng.integers(120, 256))
        (draw.rectangle if rng.random() < 0.5 else draw.ellipse)(box, fill=tone)
    return _bytes(apply_rule(np.asarray(canvas, np.float32) / np.float32(255)))


def _noise(rng: np.random.Generator, digits: ImageArray) -> NDArray[np.uint8]:
    """Grey clouds from coarse to fine, with no shape at all."""
    grey = Image.fromarray((rng.random((IMAGE_SIZE, IMAGE_SIZE)) * 255).astype(np.uint8))
    cloud = np.asarray(grey.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2))), np.float32)
    low, high = np.quantile(cloud, [rng.uniform(0.2, 0.8), 1])
    return _bytes(np.clip((cloud - low) / max(high - low, 1), 0, 1))


KINDS: Mapping[str, Draw] = {
    "letters": _letter,
    "scribbles": _scribble,
    "dots": _dots,
    "two digits": _two_digits,
    "shapes": _shape,
    "noise": _noise,
}


def _stroked(strokes: list[NDArray[np.float64]]) -> NDArray[np.uint8]:
    drawing = draw_strokes(strokes)
    if drawing is None:
        raise ValueError("expected strokes with at least one point; got none")
    return _bytes(apply_rule(*drawing))


def _bytes(pixels: FloatArray) -> NDArray[np.uint8]:
    image: NDArray[np.uint8] = np.rint(pixels * 255).astype(np.uint8)
    return image
