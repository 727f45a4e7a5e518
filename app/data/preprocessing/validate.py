"""Validation of strokes and pixels, with errors that name the position of the problem."""

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.data.preprocessing.normalize import IMAGE_SIZE
from app.errors import InputError
from app.nn import abbreviate

MAX_POINTS = 10_000
"""The most points of a drawing, over all strokes, and the most strokes."""

_NUMBERS = {int, float}


def parse_strokes(strokes: object) -> list[NDArray[np.float64]]:
    """Validate strokes from JSON; return a float64 array (n, 2) per stroke. Raises ValueError."""
    if not isinstance(strokes, Sequence) or isinstance(strokes, str | bytes):
        raise InputError("expected a list of strokes; got {value}", field="strokes", value=abbreviate(strokes))
    if len(strokes) > MAX_POINTS:
        raise InputError(
            "expected at most {most} strokes; got {count}", field="strokes", most=MAX_POINTS, count=len(strokes)
        )
    for index, stroke in enumerate(strokes):
        if not isinstance(stroke, list | tuple):
            raise InputError(
                "expected a list of [x, y] points; got {value}", field=f"strokes[{index}]", value=abbreviate(stroke)
            )
    lengths = [len(stroke) for stroke in strokes]
    total = sum(lengths)
    if total > MAX_POINTS:
        raise InputError("expected at most {most} points; got {count}", field="strokes", most=MAX_POINTS, count=total)
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
            return InputError(
                "expected [x, y], two finite numbers; got {value}", field=f"strokes[{i}][{j}]", value=abbreviate(point)
            )
    return InputError("expected points [x, y], two finite numbers each", field="strokes")


def _is_finite(value: object) -> bool:
    if type(value) not in _NUMBERS:
        return False
    try:
        return math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        return False


def pixel_array(values: object) -> NDArray[np.float64]:
    """Validate pixels from JSON, or an array; return float64 (784,). Raises ValueError."""
    count = IMAGE_SIZE * IMAGE_SIZE
    if isinstance(values, np.ndarray):
        if values.shape not in ((IMAGE_SIZE, IMAGE_SIZE), (count,)):
            raise InputError(
                "expected 28×28 or 784 numbers; got an array of the shape {shape}", field="pixels", shape=values.shape
            )
        if values.dtype.kind not in "fiu":
            raise InputError("expected numbers; got an array of {dtype}", field="pixels", dtype=values.dtype)
        return values.astype(np.float64).ravel()
    if not isinstance(values, list | tuple):
        raise InputError("expected 28×28 or 784 numbers; got {value}", field="pixels", value=abbreviate(values))
    flat: Sequence[Any] = values
    if values and isinstance(values[0], list | tuple):
        flat = _flatten_rows(values)
    # A set of types is one pass in C; NumPy would accept True and "1".
    if not set(map(type, flat)) <= _NUMBERS:
        place, value = next((i, v) for i, v in enumerate(flat) if type(v) not in _NUMBERS)
        raise InputError(
            "expected numbers; got {value} at position {position}",
            field="pixels",
            value=abbreviate(value),
            position=place,
        )
    if len(flat) != count:
        raise InputError("expected 28×28 or 784 numbers; got {count}", field="pixels", count=len(flat))
    try:
        return np.array(flat, np.float64)
    except OverflowError:
        raise InputError("expected numbers from 0 to 1; got an integer too large for a float", field="pixels") from None


def _flatten_rows(rows: Sequence[Any]) -> list[Any]:
    for index, row in enumerate(rows):
        if not isinstance(row, list | tuple):
            raise InputError(
                "expected 28 rows of 28 numbers; row {index} is {value}",
                field="pixels",
                index=index,
                value=abbreviate(row),
            )
    lengths = list(map(len, rows))
    if len(rows) != IMAGE_SIZE:
        if len(set(lengths)) > 1:
            raise InputError(
                "expected 28×28 or 784 numbers; got {rows} rows of different lengths", field="pixels", rows=len(rows)
            )
        raise InputError(
            "expected 28×28 or 784 numbers; got {rows} rows of {columns} numbers",
            field="pixels",
            rows=len(rows),
            columns=lengths[0],
        )
    for index, length in enumerate(lengths):
        if length != IMAGE_SIZE:
            raise InputError(
                "expected 28 rows of 28 numbers; row {index} has {length}", field="pixels", index=index, length=length
            )
    chained: Iterable[Any] = chain.from_iterable(rows)
    return list(chained)
