"""Diagnosis of a drawing: the effect of each preprocessing step, and remarks on anything unusual."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.data.preprocessing.decode import Decoders, decode_image
from app.data.preprocessing.ink import Ink, find_ink
from app.data.preprocessing.normalize import CENTRE, IMAGE_SIZE, ink_box
from app.data.preprocessing.pipeline import Canvas, PipelineSteps, canvas_of, prepare_ink, prepare_strokes
from app.data.preprocessing.prepare import BLANK, PreparedImage
from app.data.preprocessing.rasterize import BOX_SIZE, Box, FloatArray, draw_strokes, pen_width
from app.data.preprocessing.segment import segment_ink, segment_strokes
from app.data.preprocessing.validate import parse_strokes
from app.errors import Message

RAW_SIDE = 112
"""The most pixels of the raw drawing's longer side: four for each of the 28×28."""

USUAL_STROKE_WIDTH = 2.5
"""The stroke width of MNIST's training images, in pixels: `pen_width` measures a median of 2.48."""

THIN_SHARE, THICK_SHARE = 0.75, 1.5
"""Strokes outside these shares of MNIST's usual width are remarked on; 5 % of MNIST's are thinner, 5 % thicker."""
SMALL_SHARE = 0.35
"""A drawing smaller than this share of its canvas is small."""
OFF_CENTRE_SHARE = 0.15
"""A drawing whose middle is this share of the canvas away from the canvas's middle is off centre."""
OFF_CENTRE_PIXELS = 1.5
"""The same for the centre of mass in the 28×28, where MNIST's is within half a pixel."""

THIN = "the stroke is {width} px wide (MNIST: about {usual}): it is thin, so parts of it fade"
THICK = "the stroke is {width} px wide (MNIST: about {usual}): it is thick, so small holes close"

NO_INK = Message("there is no ink: nothing to read")

OF_PICTURES = ("smooth", "even_out", "clear")
"""Steps for noisy, unevenly lit and cluttered pictures only."""
STEP_TEXTS: Mapping[str, Mapping[str, str]] = {
    "smooth": {"title": "Smoothing", "explanation": "smooths away noise in the image"},
    "even_out": {"title": "Even light", "explanation": "evens out the light on the paper"},
    "clear": {"title": "Lines", "explanation": "removes lines of the paper and other things beside the digit"},
    "crop": {"title": "Crop", "explanation": "cuts away empty paper"},
    "scale": {"title": "Scale", "explanation": "scales the ink to 20 pixels, keeping its shape"},
    "center": {"title": "Centre", "explanation": "moves its centre of mass to the middle"},
    "stroke_width": {"title": "Stroke width", "explanation": "redraws it with a pen as wide as MNIST's"},
}
"""The title of each step, and an explanation."""
STEPS: tuple[str, ...] = tuple(field.name for field in fields(PipelineSteps) if field.name not in OF_PICTURES)


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """A drawing before and after preprocessing.

    `raw` is float32 (S, S), 0 to 1, S at most 112, the drawing on square paper. `prepared` is the result of the
    requested steps, and `without` has, for each step that the drawing needs, the result with that step toggled.
    `stroke_width` is in pixels of `prepared`; None if that is blank.
    """

    raw: FloatArray
    prepared: PreparedImage
    without: dict[str, PreparedImage]
    stroke_width: float | None
    remarks: tuple[Message, ...]


@dataclass(frozen=True, eq=False)
class DescribedImage:
    """A picture before and after preprocessing: `original`, float32 (S, S), 0 is black, S at most 112."""

    original: FloatArray
    prepared: PreparedImage
    remarks: tuple[Message, ...]


def describe_image(data: bytes, decoders: Decoders) -> DescribedImage:
    """Prepare a picture as `from_image`, with remarks on what was unusual about it. Raises ValueError as that does."""
    grey = decode_image(data, decoders).grey
    original = _shrunk(grey.astype(np.float32) / np.float32(255))
    found = find_ink(grey)
    if found is None:
        return DescribedImage(original, BLANK, (NO_INK,))
    pixels = prepare_ink(found.ink)
    remarks = _of_picture(found, PipelineSteps()) if pixels.any() else [NO_INK]
    return DescribedImage(original, PreparedImage(pixels, blank=not pixels.any()), tuple(remarks))


def examine_strokes(
    strokes: object, steps: PipelineSteps, *, side: float | None = None, brush: float | None = None
) -> Diagnosis:
    """Examine a drawing given as strokes, as for `from_strokes`. Raises ValueError as that does.

    `side` is the side of the canvas and `brush` the pen's width on it, in the strokes' unit; guessed if missing.
    """
    parsed = parse_strokes(strokes)
    canvas = canvas_of(parsed, side, brush)
    drawing = draw_strokes(parsed, _share(canvas) * BOX_SIZE, canvas.square)
    drawn = [stroke for stroke in parsed if len(stroke)]
    remarks = []
    if drawn:
        raw = _square(drawing)
        points = np.concatenate(drawn)
        corner, length = np.array(canvas.square[:2]), canvas.square[2]
        low, high = (
            ((edge * 0.5 - corner * 0.5) / (length * 0.5)) for edge in (points.min(axis=0), points.max(axis=0))
        )
        remarks = _of_place(low, high, len(segment_strokes(parsed)))
    else:
        raw = np.zeros((RAW_SIDE, RAW_SIDE), np.float32)
    return _examined(raw, lambda chosen: prepare_strokes(parsed, chosen, canvas), steps, remarks)


def examine_image(data: bytes, steps: PipelineSteps) -> Diagnosis:
    """Examine a picture, the bytes of a PNG or JPEG. Raises ValueError as `from_image` does."""
    picture = decode_image(data)
    raw = _shrunk(1 - picture.grey.astype(np.float32) / np.float32(255))

    @cache
    def ink(smooth: bool, even_out: bool, clear: bool) -> Ink | None:
        return find_ink(picture.grey, smooth=smooth, even_out=even_out, clear=clear)

    def prepare(chosen: PipelineSteps) -> FloatArray:
        found = ink(chosen.smooth, chosen.even_out, chosen.clear)
        return BLANK.pixels if found is None else prepare_ink(found.ink, chosen)

    full = ink(True, True, True)
    needed = () if full is None else _needed(full)
    found = ink(steps.smooth, steps.even_out, steps.clear)
    if found is None:
        return _examined(raw, prepare, steps, [], needed)
    bounds = ink_box(np.where(found.ink > 0.5, found.ink, np.float32(0)))
    remarks = _of_picture(found, steps)
    if bounds is not None:
        top, left, bottom, right = bounds
        size = np.array(found.ink.shape[::-1])
        low, high = np.array([left, top]) / size, np.array([right, bottom]) / size
        remarks += _of_place(low, high, len(segment_ink(found.ink)))
        if min(top, left) == 0 or bottom == size[1] or right == size[0]:
            remarks.append(Message("the ink touches the edge of the image, so part of it may be cut off"))
    return _examined(raw, prepare, steps, remarks, needed)


def _needed(found: Ink) -> tuple[str, ...]:
    """The picture steps that this picture needs."""
    needs = found.is_noisy, found.is_uneven, found.is_cluttered
    return tuple(name for name, needed in zip(OF_PICTURES, needs, strict=True) if needed)


def _examined(
    raw: FloatArray,
    prepare: Callable[[PipelineSteps], FloatArray],
    steps: PipelineSteps,
    remarks: list[Message],
    needed: tuple[str, ...] = (),
) -> Diagnosis:
    def prepared(chosen: PipelineSteps) -> PreparedImage:
        pixels = prepare(chosen)
        return PreparedImage(pixels, blank=not pixels.any())

    now = prepared(steps)
    without = {name: prepared(replace(steps, **{name: not getattr(steps, name)})) for name in (*needed, *STEPS)}
    width = None if now.blank else pen_width(now.pixels)
    if now.blank:
        return Diagnosis(raw, now, without, None, (NO_INK,))
    return Diagnosis(raw, now, without, width, (*_of_width(width), *_of_image(now.pixels), *remarks))


def _of_width(width: float | None) -> list[Message]:
    if width is None:
        return []
    values = {"width": f"{width:.1f}", "usual": f"{USUAL_STROKE_WIDTH:.1f}"}
    if width < THIN_SHARE * USUAL_STROKE_WIDTH:
        return [Message(THIN, **values)]
    if width > THICK_SHARE * USUAL_STROKE_WIDTH:
        return [Message(THICK, **values)]
    return [Message("the stroke is {width} px wide (MNIST: about {usual})", **values)]


def _of_image(pixels: FloatArray) -> list[Message]:
    """Remarks on the 28×28."""
    remarks = []
    bounds = ink_box(pixels)
    assert bounds is not None
    longer = int(max(bounds[2] - bounds[0], bounds[3] - bounds[1]))
    if not BOX_SIZE - 1 <= longer <= BOX_SIZE + 1:
        values = {"length": str(longer), "usual": str(BOX_SIZE)}
        remarks.append(Message("the digit is {length} px long in the 28×28 image (MNIST: {usual})", **values))
    indices = np.arange(IMAGE_SIZE)
    mass = float(pixels.sum())
    across = float(pixels.sum(axis=0) @ indices) / mass - CENTRE
    down = float(pixels.sum(axis=1) @ indices) / mass - CENTRE
    if max(abs(across), abs(down)) > OFF_CENTRE_PIXELS:
        values = {"distance": f"{max(abs(across), abs(down)):.1f}"}
        remarks.append(Message("its centre of mass is {distance} px off centre (MNIST: within 0.5)", **values))
    return remarks


def _of_place(low: NDArray[np.float64], high: NDArray[np.float64], groups: int) -> list[Message]:
    """Remarks on the position of a drawing with these corners, x and y as shares of the canvas."""
    remarks = []
    share = float((high - low).max())
    if share < SMALL_SHARE:
        values = {"percent": f"{100 * share:.0f}"}
        remarks.append(Message("the drawing is small: it fills {percent} % of the canvas, so it is enlarged", **values))
    away = np.abs((low + high) / 2 - 0.5)
    if float(away.max()) > OFF_CENTRE_SHARE:
        values = {"percent": f"{100 * float(away.max()):.0f}"}
        remarks.append(Message("the drawing is off centre by {percent} % of the canvas, so it is moved", **values))
    if groups > 1:
        values = {"count": str(groups)}
        remarks.append(Message("it splits into {count} groups from left to right: more than one digit", **values))
    return remarks


def _of_picture(found: Ink, steps: PipelineSteps) -> list[Message]:
    remarks = []
    if found.is_light:
        remarks.append(Message("the ink is lighter than the paper, so the image is inverted"))
    if found.is_uneven:
        remarks.append(Message("the paper is unevenly lit, so the shading is removed"))
    if found.is_noisy and steps.smooth:
        remarks.append(Message("the image is noisy, so it is smoothed"))
    if found.is_cluttered:
        remarks.append(Message("there are lines or other things beside the digit, so they are removed"))
    return remarks


def _share(canvas: Canvas) -> float:
    """The brush as a share of the canvas, limited to what can be drawn."""
    return min(max(canvas.brush / canvas.square[2], 1 / RAW_SIDE), 0.5)


def _square(drawing: tuple[FloatArray, Box] | None) -> FloatArray:
    assert drawing is not None
    ink, (top, left, bottom, right) = drawing
    return _shrunk(ink[int(top) : int(bottom), int(left) : int(right)])


def _shrunk(ink: FloatArray) -> FloatArray:
    """Ink (H, W) averaged to at most 112 pixels, and made square."""
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
