"""What a drawing loses and gains on its way to 28×28, and what is unusual about it, in plain sentences."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.data.decoding import decode_image
from app.data.groups import group_ink, group_strokes
from app.data.ink import Ink, find_ink
from app.data.preprocessing import BLANK, Prepared, parse_strokes
from app.data.raster import BOX_SIZE, Box, FloatArray, draw_strokes, pen_width
from app.data.rule import CENTRE, IMAGE_SIZE, ink_box
from app.data.steps import Canvas, Steps, canvas_of, prepare_ink, prepare_strokes

RAW_SIDE = 112
"""Pixels of the raw drawing's longer side at most: four for each of the 28×28."""

USUAL_STROKE_WIDTH = 2.5
"""What `pen_width` measures on MNIST's training images, in pixels: their median is 2.48."""

THIN_SHARE, THICK_SHARE = 0.75, 1.5
"""Strokes outside these shares of MNIST's usual width are worth a word; 5 % of MNIST's are thinner, 5 % thicker."""
SMALL_SHARE = 0.35
"""A drawing less than this share of its canvas is small ..."""
OFF_CENTRE_SHARE = 0.15
"""... and one whose middle is this share of the canvas away from the canvas's middle is off centre."""
OFF_CENTRE_PIXELS = 1.5
"""The same in the 28×28, where MNIST's centre of mass is within half a pixel."""

STEPS: tuple[str, ...] = tuple(field.name for field in fields(Steps))


@dataclass(frozen=True, eq=False)
class Examination:
    """A drawing as it came and as it becomes.

    `raw` is float32 (S, S), 0 to 1, S at most 112, the drawing on its paper made square. `prepared` is with the steps
    asked for, and `without` has each step by name with that one changed. `stroke_width` is in pixels of `prepared`,
    None where that is blank.
    """

    raw: FloatArray
    prepared: Prepared
    without: dict[str, Prepared]
    stroke_width: float | None
    sentences: tuple[str, ...]


def examine_strokes(
    strokes: object, steps: Steps, *, side: float | None = None, brush: float | None = None
) -> Examination:
    """Examine a drawing given as strokes, as `from_strokes` takes them. Raises ValueError as that does.

    `side` is the side of the canvas and `brush` the pen's width on it, in the strokes' unit; guessed if left out.
    """
    parsed = parse_strokes(strokes)
    canvas = canvas_of(parsed, side, brush)
    drawing = draw_strokes(parsed, _share(canvas) * BOX_SIZE, canvas.square)
    drawn = [stroke for stroke in parsed if len(stroke)]
    sentences = []
    if drawn:
        raw = _square(drawing)
        points = np.concatenate(drawn)
        corner, length = np.array(canvas.square[:2]), canvas.square[2]
        low, high = (
            ((edge * 0.5 - corner * 0.5) / (length * 0.5)) for edge in (points.min(axis=0), points.max(axis=0))
        )
        sentences = _of_place(low, high, len(group_strokes(parsed)))
    else:
        raw = np.zeros((RAW_SIDE, RAW_SIDE), np.float32)
    return _examined(raw, lambda chosen: prepare_strokes(parsed, chosen, canvas), steps, sentences)


def examine_image(data: bytes, steps: Steps) -> Examination:
    """Examine a picture, the bytes of a PNG or JPEG. Raises ValueError as `from_image` does."""
    picture = decode_image(data)
    raw = _shrunk(1 - picture.grey.astype(np.float32) / np.float32(255))
    found = find_ink(picture.grey)
    if found is None:
        return _examined(raw, lambda chosen: BLANK.pixels, steps, [])
    bounds = ink_box(np.where(found.ink > 0.5, found.ink, np.float32(0)))
    sentences = _of_picture(found)
    if bounds is not None:
        top, left, bottom, right = bounds
        size = np.array([picture.grey.shape[1], picture.grey.shape[0]])
        low, high = np.array([left, top]) / size, np.array([right, bottom]) / size
        sentences += _of_place(low, high, len(group_ink(found.ink)))
        if min(top, left) == 0 or bottom == size[1] or right == size[0]:
            sentences.append("the ink reaches the picture's edge, so a part of it may be cut off")
    return _examined(raw, lambda chosen: prepare_ink(found.ink, chosen), steps, sentences)


def _examined(
    raw: FloatArray, prepare: Callable[[Steps], FloatArray], steps: Steps, sentences: list[str]
) -> Examination:
    def prepared(chosen: Steps) -> Prepared:
        pixels = prepare(chosen)
        return Prepared(pixels, blank=not pixels.any())

    now = prepared(steps)
    without = {name: prepared(replace(steps, **{name: not getattr(steps, name)})) for name in STEPS}
    width = None if now.blank else pen_width(now.pixels)
    if now.blank:
        return Examination(raw, now, without, None, ("there is no ink: nothing to read",))
    return Examination(raw, now, without, width, (*_of_width(width), *_of_image(now.pixels), *sentences))


def _of_width(width: float | None) -> list[str]:
    if width is None:
        return []
    sentence = f"the stroke is {width:.1f} px wide, MNIST's about {USUAL_STROKE_WIDTH:.1f}"
    if width < THIN_SHARE * USUAL_STROKE_WIDTH:
        return [f"{sentence}: it is thin, and parts of it fade"]
    if width > THICK_SHARE * USUAL_STROKE_WIDTH:
        return [f"{sentence}: it is thick, and small holes close"]
    return [sentence]


def _of_image(pixels: FloatArray) -> list[str]:
    """What is unusual in the 28×28."""
    sentences = []
    bounds = ink_box(pixels)
    assert bounds is not None
    longer = int(max(bounds[2] - bounds[0], bounds[3] - bounds[1]))
    if not BOX_SIZE - 1 <= longer <= BOX_SIZE + 1:
        sentences.append(f"the digit is {longer} px long in the 28×28, MNIST's {BOX_SIZE}")
    indices = np.arange(IMAGE_SIZE)
    mass = float(pixels.sum())
    across = float(pixels.sum(axis=0) @ indices) / mass - CENTRE
    down = float(pixels.sum(axis=1) @ indices) / mass - CENTRE
    if max(abs(across), abs(down)) > OFF_CENTRE_PIXELS:
        away = max(abs(across), abs(down))
        sentences.append(f"its centre of mass is {away:.1f} px from the middle, MNIST's within 0.5")
    return sentences


def _of_place(low: NDArray[np.float64], high: NDArray[np.float64], groups: int) -> list[str]:
    """What is unusual about where the drawing lies: its corners as shares of the canvas, x and y."""
    sentences = []
    share = float((high - low).max())
    if share < SMALL_SHARE:
        sentences.append(f"the drawing is small: it takes {100 * share:.0f} % of the canvas, and is enlarged")
    away = np.abs((low + high) / 2 - 0.5)
    if float(away.max()) > OFF_CENTRE_SHARE:
        sentences.append(f"the drawing is off centre by {100 * float(away.max()):.0f} % of the canvas, and is moved")
    if groups > 1:
        sentences.append(f"it falls into {groups} groups from left to right: more than one digit")
    return sentences


def _of_picture(found: Ink) -> list[str]:
    sentences = []
    if found.is_light:
        sentences.append("the ink is lighter than the paper, so the picture is inverted")
    if found.is_uneven:
        sentences.append("the paper is not of one tone, so its light is taken out")
    if found.is_noisy:
        sentences.append("the picture is noisy, so it is smoothed")
    return sentences


def _share(canvas: Canvas) -> float:
    """The brush as a share of the canvas, within what can be drawn."""
    return min(max(canvas.brush / canvas.square[2], 1 / RAW_SIDE), 0.5)


def _square(drawing: tuple[FloatArray, Box] | None) -> FloatArray:
    assert drawing is not None
    ink, (top, left, bottom, right) = drawing
    return _shrunk(ink[int(top) : int(bottom), int(left) : int(right)])


def _shrunk(ink: FloatArray) -> FloatArray:
    """Ink (H, W) averaged to 112 pixels at most, and made square."""
    height, width = ink.shape
    ratio = min(1.0, RAW_SIDE / max(height, width))
    rows, columns = max(1, round(height * ratio)), max(1, round(width * ratio))
    small = np.asarray(Image.fromarray(ink).resize((columns, rows), Image.Resampling.BOX)).clip(0, 1)
    side = max(rows, columns)
    top, left = (side - rows) // 2, (side - columns) // 2
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    square = np.full((side, side), np.median(border), np.float32)
    square[top : top + rows, left : left + columns] = small
    return square
