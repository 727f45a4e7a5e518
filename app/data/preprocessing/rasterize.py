"""Rasterization of pen strokes: a mask one pixel thin, and a disc swept along it.

Sweeping a disc (a Minkowski sum) gives round caps and joins, takes the same time for ten points as for ten thousand,
and thickens a scanned stroke exactly as if it had been drawn with the wider pen.
"""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

FloatArray: TypeAlias = NDArray[np.float32]
Box: TypeAlias = tuple[float, float, float, float]
"""Top, left, bottom, right, in pixels of its image."""

Square: TypeAlias = tuple[float, float, float]
"""Left, top and side, in the unit of its strokes."""

BOX_SIZE = 20
"""Side of the square that MNIST's authors fit a digit into, in pixels of the 28×28 image."""

SUPERSAMPLING = 8
"""Pixels of the high-resolution canvas per pixel of the 28×28 image."""

STROKE_WIDTH = 2.6
"""The pen width in pixels of the 28×28 image: `pen_width` measures a mean of 2.60 (median 2.48) on every third of
MNIST's training images."""


def draw_strokes(
    strokes: Sequence[NDArray[np.float64]], width: float = STROKE_WIDTH, square: Square | None = None
) -> tuple[FloatArray, Box] | None:
    """Draw strokes with a round pen, as large as the 20×20 box at `SUPERSAMPLING` allows.

    `strokes` are arrays (n, 2) of finite x, y, any unit, y down; `width` is the pen's width in pixels of the 28×28
    image. With `square`, which holds all points, the square and not the ink fills the box. Returns the ink,
    float32 (H, W), 1 is ink, and its box, or the square's; None if there are no points.
    """
    drawn = trace_strokes(strokes, width, square)
    return None if drawn is None else (sweep(drawn[0], width * SUPERSAMPLING / 2), drawn[1])


def trace_strokes(
    strokes: Sequence[NDArray[np.float64]], width: float, square: Square | None = None
) -> tuple[NDArray[np.bool_], Box] | None:
    """The path of the pen's middle, one pixel thin, bool (H, W), with a margin for the pen; as `draw_strokes`."""
    drawn = [stroke for stroke in strokes if len(stroke)]
    if not drawn:
        return None
    points = np.concatenate(drawn)
    pen = width * SUPERSAMPLING
    # One pixel of margin holds the soft edge of the pen.
    origin = pen / 2 + 1
    box_size = BOX_SIZE * SUPERSAMPLING
    # Halves, so that the extent of ±1e308 is finite.
    if square is None:
        low = points.min(axis=0) * 0.5
        half_extent, reach = float((points.max(axis=0) * 0.5 - low).max()), box_size - pen
    else:
        low, half_extent, reach = np.array(square[:2]) * 0.5, square[2] * 0.5, float(box_size)
    unit = np.zeros_like(points) if half_extent == 0 else (points * 0.5 - low) / half_extent
    placed = unit * reach + origin
    right, bottom = (float(side) + pen / 2 for side in placed.max(axis=0))
    box = (1.0, 1.0, bottom, right)
    if square is not None:
        box = (origin, origin, origin + box_size, origin + box_size)
        right = bottom = origin + box_size + pen / 2
    canvas = Image.new("L", (int(right) + 2, int(bottom) + 2))
    draw = ImageDraw.Draw(canvas)
    start = 0
    pixels = placed.astype(np.int64)
    for stroke in drawn:
        path = pixels[start : start + len(stroke)].ravel().tolist()
        start += len(stroke)
        draw.line(path, fill=1)
        draw.point(path[:2], fill=1)
    return np.asarray(canvas) > 0, box


def sweep(mask: NDArray[np.bool_], radius: float) -> FloatArray:
    """Coverage, float32 (H, W) in 0 to 1, of a disc swept over the true pixels' centres, with soft edges.

    The result has the size of `mask`, (H, W); anything beyond is cut. `radius` is in pixels, at most 100.
    """
    reach = int(np.ceil(radius + 0.5))
    height, width = mask.shape
    far = reach + 1
    columns = np.arange(width, dtype=np.int16)
    before = np.maximum.accumulate(np.where(mask, columns, np.int16(-far)), axis=1)
    after = np.minimum.accumulate(np.where(mask, columns, np.int16(width + far))[:, ::-1], axis=1)[:, ::-1]
    across = np.minimum(np.minimum(columns - before, after - columns), np.int16(far))
    # The squared distance to the nearest true pixel, exact up to `reach`: the lower envelope of the rows' parabolas.
    across = across * across
    squared = across.copy()
    for down in range(1, min(reach, height - 1) + 1):
        shifted = across + np.int16(down * down)
        np.minimum(squared[down:], shifted[:-down], out=squared[down:])
        np.minimum(squared[:-down], shifted[down:], out=squared[:-down])
    coverage = np.sqrt(squared, dtype=np.float32)
    np.subtract(np.float32(radius + 0.5), coverage, out=coverage)
    return np.clip(coverage, 0.0, 1.0, out=coverage)


def pen_width(ink: FloatArray) -> float:
    """The pen's width, in pixels, of ink (H, W) in 0 to 1, from its area A and its perimeter P (total variation).

    A round pen of width w along a line of length L gives A = wL + πw²/4 and P = 2L + πw; this solves for w, exactly for
    a line that does not cross itself, and for a disc.
    """
    padded = np.pad(ink, 1)
    down = padded[1:, :-1] - padded[:-1, :-1]
    across = padded[:-1, 1:] - padded[:-1, :-1]
    perimeter = float(np.sqrt(down * down + across * across).sum())
    area = float(ink.sum())
    return (perimeter - math.sqrt(max(perimeter * perimeter - 4 * math.pi * area, 0.0))) / math.pi
