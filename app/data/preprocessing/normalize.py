"""MNIST's normalization: ink of any size becomes a 28×28 image as the data set's authors made theirs.

Y. LeCun, C. Cortes, C. Burges, "The MNIST database": size-normalised to fit a 20×20 box keeping the aspect ratio, with
anti-aliasing, then translated so that the centre of mass is at the centre of the 28×28 field. Measured on the training
images: the longer side is 20 pixels, the shift is whole pixels, and the centre of mass, in pixel indices, is within
half a pixel of 14 in both directions.
"""

import math

import numpy as np
from numpy.typing import NDArray

from app.data.preprocessing.rasterize import BOX_SIZE, STROKE_WIDTH, Box, FloatArray

IMAGE_SIZE = 28
CENTRE = 14.0
"""The target of the centre of mass as a pixel index (the middle of pixel 14, not the edge between 13 and 14)."""

TIE_MARGIN = 0.1
"""The offset of rounding, in pixels. As 20 is even, symmetric digits have their centre of mass exactly between two
pixels, where tiny differences would decide. Images that are centred already, such as MNIST's, stay in place."""

DOT_FILL = 0.72
"""Ink that fills more than this share of a nearly square box is a dot; a disc fills π/4 = 0.785."""

DOT_ASPECT = 0.75
"""The shorter side of a dot's box is at least this share of the longer one."""


def to_uint8(pixels: FloatArray) -> NDArray[np.uint8]:
    """Pixels in 0 to 1 as uint8, 255 is ink."""
    return np.rint(pixels * 255).astype(np.uint8)


def ink_box(ink: FloatArray) -> Box | None:
    """The smallest box around all ink above zero, or None if there is none. `ink` is (H, W)."""
    rows = np.flatnonzero(ink.any(axis=1))
    if len(rows) == 0:
        return None
    columns = np.flatnonzero(ink.any(axis=0))
    return float(rows[0]), float(columns[0]), float(rows[-1] + 1), float(columns[-1] + 1)


def normalize(ink: FloatArray, box: Box | None = None, *, scale: bool = True, center: bool = True) -> FloatArray:
    """Fit ink, (H, W) in 0 to 1, into the 28×28 field, float32 in 0 to 1; without ink return zeros.

    `box` bounds the ink more precisely than to a pixel. A lone dot is not enlarged to the 20×20 box but to the size of
    the pen's tip. Each step can be left out, to show its effect: without `scale` the box fills the whole field, and
    without `center` the box, not the centre of mass, is centred.
    """
    field = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    bounds = box or ink_box(ink)
    if bounds is None:
        return field
    top, left, bottom, right = bounds
    longer = max(bottom - top, right - left)
    in_place = ink.shape == field.shape and longer == BOX_SIZE
    side = IMAGE_SIZE if not scale else STROKE_WIDTH if not in_place and _is_dot(ink, bounds) else BOX_SIZE
    ratio = side / longer
    # Area averaging along one axis, then the other.
    small = _averaging(top, bottom, ratio, ink.shape[0]) @ ink @ _averaging(left, right, ratio, ink.shape[1]).T
    np.clip(small, 0.0, 1.0, out=small)
    mass = float(small.sum())
    if mass <= 0.0:
        return field
    height, width = small.shape
    if not center:
        y, x = (IMAGE_SIZE - height) // 2, (IMAGE_SIZE - width) // 2
        field[y : y + height, x : x + width] = small
        return field
    centre_y = float(small.sum(axis=1) @ np.arange(height)) / mass
    centre_x = float(small.sum(axis=0) @ np.arange(width)) / mass
    y = _position(centre_y, height, top if in_place else None)
    x = _position(centre_x, width, left if in_place else None)
    field[y : y + height, x : x + width] = small
    return field


def _position(centre: float, size: int, current: float | None) -> int:
    """The first pixel of ink `size` pixels long, from its centre of mass and its `current` position, if it has one."""
    if current is not None and abs(current + centre - CENTRE) <= 0.5 + TIE_MARGIN:
        return int(current)
    # Staying inside the field matters more than the centre.
    return min(max(math.floor(CENTRE + 0.5 + TIE_MARGIN - centre), 0), IMAGE_SIZE - size)


def _averaging(start: float, stop: float, scale: float, size: int) -> FloatArray:
    """Weights (outputs, size) that average the pixels of [start, stop) into pixels 1 / scale long."""
    # Rounding errors must not add an empty row.
    outputs = max(1, int(np.ceil((stop - start) * scale - 1e-3)))
    edges = np.minimum(start + np.arange(outputs + 1) / scale, stop)
    covered = np.clip(edges[:, None] - np.arange(size), 0.0, 1.0)
    weights: FloatArray = (np.diff(covered, axis=0) * scale).astype(np.float32)
    return weights


def _is_dot(ink: FloatArray, box: Box) -> bool:
    top, left, bottom, right = int(box[0]), int(box[1]), math.ceil(box[2]) - 1, math.ceil(box[3]) - 1
    # The outermost rows and columns count by their coverage, which matters for a dot of a few pixels.
    height = bottom - top - 1 + float(ink[top].max() + ink[bottom].max())
    width = right - left - 1 + float(ink[:, left].max() + ink[:, right].max())
    if min(height, width) < DOT_ASPECT * max(height, width):
        return False
    return float(ink.sum()) > DOT_FILL * height * width
