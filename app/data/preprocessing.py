"""The one preprocessing: strokes, pictures and pixels all become 28×28 here; ink is 1, paper is 0."""

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.data.decoding import decode_image
from app.data.groups import group_ink, group_strokes
from app.data.ink import find_ink
from app.data.noise import without_noise
from app.data.raster import Box, FloatArray
from app.data.rule import IMAGE_SIZE
from app.data.steps import prepare_ink, prepare_strokes

MAX_POINTS = 10_000
"""The most points that the strokes of one drawing may have together."""

_NUMBERS = {int, float}


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the network sees: `pixels`, float32 (28, 28), 0 is paper and 1 is ink; `blank` if there is no ink."""

    pixels: FloatArray
    blank: bool


@dataclass(frozen=True, eq=False)
class Part:
    """One of several drawings on a sheet; `box` is left, top, width and height in the sheet's own unit, y down."""

    box: Box
    prepared: Prepared


@dataclass(frozen=True, eq=False)
class Sheet:
    """A drawing as a whole, and its parts from left to right where it falls into several, at most 32.

    `area` is how many pixels the picture has that it came as, if it came as one.
    """

    whole: Prepared
    parts: tuple[Part, ...] = ()
    area: int = 0


def from_strokes(strokes: object) -> Prepared:
    """Prepare a drawing: a list of strokes, each a list of [x, y] in any unit, y down, at most 10,000 points.

    The pen's width is in proportion to the drawing, so neither the brush nor the screen's size matters. No points at
    all is blank. All points in one place are a dot, as large as the pen's tip: how large it was meant to be cannot be
    known without a unit. Raises ValueError that names the place of what is wrong.
    """
    return _prepared(prepare_strokes(parse_strokes(strokes)))


def from_image(data: bytes) -> Prepared:
    """Prepare a picture: the bytes of a PNG or JPEG of at most 20 megapixels, of any polarity, on any even paper.

    Ink is what differs from the paper; light that falls unevenly and noise are taken out. A pen thinner than MNIST's
    is thickened to it. A uniform picture is blank. Raises ValueError if it is no such picture, or is damaged.
    """
    found = find_ink(decode_image(data).grey)
    return BLANK if found is None else _prepared(prepare_ink(found.ink))


def sheet_of_strokes(strokes: object) -> Sheet:
    """Prepare a drawing as `from_strokes`, and each of its groups of strokes; boxes bound the points."""
    parsed = parse_strokes(strokes)
    whole = _prepared(prepare_strokes(parsed))
    groups = group_strokes(parsed)
    if len(groups) < 2:
        return Sheet(whole)
    parts = []
    for group in groups:
        own = [parsed[index] for index in group]
        points = np.concatenate(own)
        left, top = points.min(axis=0).tolist()
        right, bottom = points.max(axis=0).tolist()
        box = left, top, min(right - left, sys.float_info.max), min(bottom - top, sys.float_info.max)
        parts.append(Part(box, _prepared(prepare_strokes(own))))
    return Sheet(whole, tuple(parts))


def sheet_of_image(data: bytes) -> Sheet:
    """Prepare a picture as `from_image`, and each of its groups of ink; boxes are in pixels of the upright picture."""
    picture = decode_image(data)
    found, area = find_ink(picture.grey), picture.width * picture.height
    if found is None:
        return Sheet(BLANK, area=area)
    height, width = found.ink.shape
    across, down = picture.width / width, picture.height / height
    parts = []
    for group in group_ink(found.ink):
        top, left, bottom, right = group.box
        box = left * across, top * down, (right - left) * across, (bottom - top) * down
        parts.append(Part(box, _prepared(prepare_ink(group.ink))))
    return Sheet(_prepared(prepare_ink(found.ink)), tuple(parts), area)


def from_pixels(values: object) -> Prepared:
    """Take 28×28 or 784 numbers from 0 to 1, ink is 1, as they are: nested lists, a flat list, or an array.

    But for noise on their paper, which is smoothed; pixels without it, as MNIST's own, stay bit for bit the same.
    Raises ValueError for any other shape, type or range. Booleans and strings are not numbers.
    """
    array = _pixel_array(values)
    low, high = float(array.min()), float(array.max())
    # NaN compares false with everything, so it ends here too.
    if not (low >= 0.0 and high <= 1.0):
        wrong = ~((array >= 0.0) & (array <= 1.0))
        place = int(np.argmax(wrong))
        raise ValueError(f"pixels: expected numbers from 0 to 1; got {array[place]:g} at position {place}")
    return _prepared(without_noise(array.reshape(IMAGE_SIZE, IMAGE_SIZE).astype(np.float32)))


def parse_strokes(strokes: object) -> list[NDArray[np.float64]]:
    """Check strokes as they come in JSON; gives one float64 array (n, 2) per stroke. Errors as `from_strokes`."""
    if not isinstance(strokes, Sequence) or isinstance(strokes, str | bytes):
        raise ValueError(f"strokes: expected a list of strokes; got {_describe(strokes)}")
    for index, stroke in enumerate(strokes):
        if not isinstance(stroke, list | tuple):
            raise ValueError(f"strokes[{index}]: expected a list of [x, y] points; got {_describe(stroke)}")
    lengths = [len(stroke) for stroke in strokes]
    total = sum(lengths)
    if total > MAX_POINTS:
        raise ValueError(f"strokes: expected at most {MAX_POINTS} points; got {total}")
    points = list(chain.from_iterable(strokes))
    if not (
        set(map(type, points)) <= {list, tuple}
        and set(map(len, points)) <= {2}
        and set(map(type, chain.from_iterable(points))) <= _NUMBERS
    ):
        raise _bad_point(strokes)
    try:
        array = np.array(points, np.float64).reshape(-1, 2)
    except OverflowError:
        raise _bad_point(strokes) from None
    if not np.isfinite(array).all():
        raise _bad_point(strokes)
    ends = np.cumsum(lengths)
    return [array[end - length : end] for end, length in zip(ends.tolist(), lengths, strict=True)]


def _bad_point(strokes: Sequence[Any]) -> ValueError:
    for i, stroke in enumerate(strokes):
        for j, point in enumerate(stroke):
            if isinstance(point, list | tuple) and len(point) == 2 and all(map(_is_finite, point)):
                continue
            return ValueError(f"strokes[{i}][{j}]: expected [x, y], two finite numbers; got {_describe(point)}")
    return ValueError("strokes: expected points [x, y], two finite numbers each")


def _is_finite(value: object) -> bool:
    if type(value) not in _NUMBERS:
        return False
    try:
        return math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        return False


def _pixel_array(values: object) -> NDArray[np.float64]:
    count = IMAGE_SIZE * IMAGE_SIZE
    if isinstance(values, np.ndarray):
        if values.shape not in ((IMAGE_SIZE, IMAGE_SIZE), (count,)):
            shape = "×".join(map(str, values.shape))
            raise ValueError(f"pixels: expected 28×28 or 784 numbers; got an array of {shape or 'no dimensions'}")
        if values.dtype.kind not in "fiu":
            raise ValueError(f"pixels: expected numbers; got an array of {values.dtype}")
        return values.astype(np.float64).ravel()
    if not isinstance(values, list | tuple):
        raise ValueError(f"pixels: expected 28×28 or 784 numbers; got {_describe(values)}")
    flat: Sequence[Any] = values
    if values and isinstance(values[0], list | tuple):
        flat = _flatten_rows(values)
    # A set of types is one pass in C; NumPy alone would take True and "1" for numbers.
    if not set(map(type, flat)) <= _NUMBERS:
        place, value = next((i, v) for i, v in enumerate(flat) if type(v) not in _NUMBERS)
        raise ValueError(f"pixels: expected numbers; got {_describe(value)} at position {place}")
    if len(flat) != count:
        raise ValueError(f"pixels: expected 28×28 or 784 numbers; got {len(flat)}")
    try:
        return np.array(flat, np.float64)
    except OverflowError:
        raise ValueError("pixels: expected numbers from 0 to 1; got an integer too large for a float") from None


def _flatten_rows(rows: Sequence[Any]) -> list[Any]:
    for index, row in enumerate(rows):
        if not isinstance(row, list | tuple):
            raise ValueError(f"pixels: expected 28 rows of 28 numbers; row {index} is {_describe(row)}")
    lengths = list(map(len, rows))
    if len(rows) != IMAGE_SIZE:
        widths = str(lengths[0]) if len(set(lengths)) == 1 else "different numbers of"
        raise ValueError(f"pixels: expected 28×28 or 784 numbers; got {len(rows)} rows of {widths} numbers")
    for index, length in enumerate(lengths):
        if length != IMAGE_SIZE:
            raise ValueError(f"pixels: expected 28 rows of 28 numbers; row {index} has {length}")
    chained: Iterable[Any] = chain.from_iterable(rows)
    return list(chained)


def _describe(value: object) -> str:
    """What came, in a few words: never the whole of what a stranger sent."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        if len(value) <= 4 and all(type(part) in {int, float, bool, str, type(None)} for part in value):
            return f"[{', '.join(_describe(part) for part in value)}]"
        return f"a list of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**18:
        return "a very large integer"
    if isinstance(value, bool | int | float):
        return repr(value).lower() if isinstance(value, bool) else repr(value)
    if isinstance(value, str):
        return f"the string {value[:20]!r}" + ("..." if len(value) > 20 else "")
    return {"dict": "an object", "bytes": "bytes"}.get(type(value).__name__, f"a {type(value).__name__}")


def _prepared(pixels: FloatArray) -> Prepared:
    return Prepared(pixels, blank=not pixels.any())


BLANK = _prepared(np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32))
