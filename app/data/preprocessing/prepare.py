"""Preprocessing of strokes, pictures and pixels to 28×28; ink is 1, paper is 0."""

import sys
from dataclasses import dataclass

import numpy as np

from app.data.preprocessing.decode import DECODERS, Decoders, decode_image
from app.data.preprocessing.denoise import without_noise
from app.data.preprocessing.ink import find_ink
from app.data.preprocessing.normalize import IMAGE_SIZE
from app.data.preprocessing.pipeline import prepare_ink, prepare_strokes
from app.data.preprocessing.rasterize import Box, FloatArray
from app.data.preprocessing.segment import segment_ink, segment_strokes
from app.data.preprocessing.validate import parse_strokes, pixel_array
from app.errors import InputError


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """The network's input: `pixels`, float32 (28, 28), 0 is paper and 1 is ink; `blank` if there is no ink."""

    pixels: FloatArray
    blank: bool


@dataclass(frozen=True, eq=False)
class Segment:
    """One of several digits in a drawing; `box` is left, top, width and height in the drawing's unit, y down."""

    box: Box
    prepared: PreparedImage


@dataclass(frozen=True, eq=False)
class PreparedDrawing:
    """A drawing as one digit, and its parts from left to right if there are several, at most 32.

    `area` is the number of pixels of the picture; 0 for strokes.
    """

    whole: PreparedImage
    parts: tuple[Segment, ...] = ()
    area: int = 0


def from_strokes(strokes: object) -> PreparedImage:
    """Prepare a drawing: a list of strokes, each a list of [x, y] in any unit, y down, at most 10,000 points.

    The pen's width is proportional to the drawing, so neither the brush nor the screen's size matters. A drawing
    without points is blank. Points that all coincide are a dot as large as the pen's tip, as its intended size is
    unknown without a unit. Raises ValueError that names the position of the problem.
    """
    return _prepared(prepare_strokes(parse_strokes(strokes)))


def from_image(data: bytes, decoders: Decoders = DECODERS) -> PreparedImage:
    """Prepare a picture: the bytes of a file of `decoders`, of at most 20 megapixels.

    Its polarity may be any, and its paper any even one. Ink is what differs from the paper; uneven light and noise are
    removed. A pen thinner than MNIST's is thickened. A uniform picture is blank. Raises ValueError if the picture is of
    another format or size, or damaged.
    """
    found = find_ink(decode_image(data, decoders).grey)
    return BLANK if found is None else _prepared(prepare_ink(found.ink))


def drawing_from_strokes(strokes: object) -> PreparedDrawing:
    """Prepare a drawing as `from_strokes`, and each of its groups of strokes; boxes bound the points."""
    parsed = parse_strokes(strokes)
    whole = _prepared(prepare_strokes(parsed))
    groups = segment_strokes(parsed)
    if len(groups) < 2:
        return PreparedDrawing(whole)
    parts = []
    for group in groups:
        strokes_of_group = [parsed[index] for index in group]
        points = np.concatenate(strokes_of_group)
        left, top = points.min(axis=0).tolist()
        right, bottom = points.max(axis=0).tolist()
        box = left, top, min(right - left, sys.float_info.max), min(bottom - top, sys.float_info.max)
        parts.append(Segment(box, _prepared(prepare_strokes(strokes_of_group))))
    return PreparedDrawing(whole, tuple(parts))


def drawing_from_image(data: bytes) -> PreparedDrawing:
    """Prepare a picture as `from_image`, and each of its groups of ink; boxes are in pixels of the upright picture."""
    picture = decode_image(data)
    found, area = find_ink(picture.grey), picture.width * picture.height
    if found is None:
        return PreparedDrawing(BLANK, area=area)
    height, width = found.ink.shape
    across, down = picture.width / width, picture.height / height
    parts = []
    for group in segment_ink(found.ink):
        top, left, bottom, right = group.box
        box = left * across, top * down, (right - left) * across, (bottom - top) * down
        parts.append(Segment(box, _prepared(prepare_ink(group.ink))))
    return PreparedDrawing(_prepared(prepare_ink(found.ink)), tuple(parts), area)


def from_pixels(values: object) -> PreparedImage:
    """Prepare 28×28 or 784 numbers from 0 to 1, ink is 1: nested lists, a flat list, or an array.

    Noise on the paper is smoothed; pixels without noise, such as MNIST's, stay exactly the same.
    Raises ValueError for any other shape, type or range. Booleans and strings are not numbers.
    """
    array = pixel_array(values)
    low, high = float(array.min()), float(array.max())
    # NaN fails this comparison too.
    if not (low >= 0.0 and high <= 1.0):
        wrong = ~((array >= 0.0) & (array <= 1.0))
        place = int(np.argmax(wrong))
        raise InputError(
            "expected numbers from 0 to 1; got {value} at position {position}",
            field="pixels",
            value=f"{array[place]:g}",
            position=place,
        )
    return _prepared(without_noise(array.reshape(IMAGE_SIZE, IMAGE_SIZE).astype(np.float32)))


def _prepared(pixels: FloatArray) -> PreparedImage:
    return PreparedImage(pixels, blank=not pixels.any())


BLANK = _prepared(np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32))
