"""Segmentation of several digits: groups of strokes, or of patches of ink, from left to right.

Strokes that touch are one digit, and so are strokes above one another: the detached bar of a 5, the two strokes of a
"=". A stroke beside, with a gap, is another digit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from app.data.preprocessing.components import label_components
from app.data.preprocessing.normalize import ink_box
from app.data.preprocessing.rasterize import Box, FloatArray

MAX_GROUPS = 32
"""A drawing with more groups than this is not a number, and is not split."""
MAX_PARTS = 128
"""A drawing with more separate patches or strokes than this is not split either, which limits the work."""

CELLS = 48
"""Cells of the grid along the drawing's height."""
MAX_ASPECT = 40
"""A drawing wider than this many heights gets larger cells."""
STROKE_TOUCH = 5
"""Strokes nearer than this many cells, about a tenth of the height, touch; a pen on a screen is about as wide."""
INK_TOUCH = 3
"""The same for ink, which includes the pen's width."""

OVERLAP = 0.3
"""Two patches are above one another if they share at least this much of the narrower one's width."""
MARGIN = 0.02
"""The share of the height added to a width on both sides, as an upright line has none."""

LEAST_INK = 0.01
"""A patch with less than this share of a picture's ink is dirt."""


@dataclass(frozen=True, eq=False)
class InkGroup:
    """A group of ink, float32 (h, w), and its box in pixels of the picture."""

    ink: FloatArray
    box: Box


def segment_strokes(strokes: Sequence[NDArray[np.float64]]) -> list[list[int]]:
    """The indices of the strokes of each group, left to right, without empty strokes.

    `strokes` are arrays (n, 2) of finite x, y, y down. Returns one group if there are too many for a number.
    """
    inked = [index for index, stroke in enumerate(strokes) if len(stroke)]
    if len(inked) < 2 or len(inked) > MAX_PARTS:
        return [inked] if inked else []
    halves = [strokes[index] * 0.5 for index in inked]  # so that the extent of ±1e308 is finite
    points = np.concatenate(halves)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    unit = max(float(extent[1]), float(extent[0]) / MAX_ASPECT)
    if unit == 0:
        return [inked]
    margin = STROKE_TOUCH
    placed = [(half - low) / unit * CELLS + margin for half in halves]
    size = (extent / unit * CELLS).astype(int) + 2 * margin + 1
    canvas = Image.new("L", (int(size[0]), int(size[1])))
    draw = ImageDraw.Draw(canvas)
    for stroke in placed:
        path = stroke.astype(np.int64).ravel().tolist()
        draw.line(path, fill=1)
        draw.point(path[:2], fill=1)
    wide = np.asarray(canvas.filter(ImageFilter.MaxFilter(STROKE_TOUCH))) > 0
    labels, count = label_components(wide)
    if count < 2:
        return [inked]
    patches: list[list[int]] = [[] for _ in range(count)]
    for index, stroke in zip(inked, placed, strict=True):
        x, y = stroke[0].astype(np.int64)
        patches[int(labels[y, x]) - 1].append(index)
    spans = []
    for patch in patches:
        across = np.concatenate([placed[inked.index(index)][:, 0] for index in patch])
        spans.append((float(across.min()), float(across.max())))
    groups = _above_one_another(spans, MARGIN * CELLS)
    if len(groups) > MAX_GROUPS:
        return [inked]
    return [sorted(index for patch in group for index in patches[patch]) for group in groups]


def segment_ink(ink: FloatArray) -> list[InkGroup]:
    """The groups of ink (H, W) of a picture, left to right; empty for one group or too many for a number."""
    bounds = ink_box(ink)
    if bounds is None:
        return []
    top, left, bottom, right = (int(side) for side in bounds)
    cropped = ink[top:bottom, left:right]
    step = max(1, -(-(bottom - top) // CELLS), -(-(right - left) // (CELLS * MAX_ASPECT)))
    height, width = (-(-side // step) for side in cropped.shape)
    padded = np.pad(cropped, ((0, height * step - cropped.shape[0]), (0, width * step - cropped.shape[1])))
    cells = padded.reshape(height, step, width, step)
    dark = cells.max(axis=(1, 3)) > 0.5
    wide = np.asarray(Image.fromarray(dark.astype(np.uint8)).filter(ImageFilter.MaxFilter(INK_TOUCH))) > 0
    labels, count = label_components(wide)
    if count < 2 or count > MAX_PARTS:
        return []
    amounts = np.bincount(labels.ravel(), weights=cells.sum(axis=(1, 3)).ravel(), minlength=count + 1)[1:]
    inked = np.flatnonzero(amounts >= LEAST_INK * amounts.sum()) + 1
    spans = []
    for label in inked.tolist():
        columns = np.flatnonzero(((labels == label) & dark).any(axis=0))
        spans.append((float(columns[0]), float(columns[-1] + 1)))
    groups = _above_one_another(spans, MARGIN * height)
    if not 1 < len(groups) <= MAX_GROUPS:
        return []
    return [_cut(cropped, np.isin(labels, inked[group]), step, top, left) for group in groups]


def _cut(ink: FloatArray, cells: NDArray[np.bool_], step: int, top: int, left: int) -> InkGroup:
    """The ink of the true cells, and its box; `top` and `left` are the offset of `ink` in the picture."""
    rows, columns = np.flatnonzero(cells.any(axis=1)), np.flatnonzero(cells.any(axis=0))
    y, x = int(rows[0]) * step, int(columns[0]) * step
    mask = cells[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].repeat(step, axis=0).repeat(step, axis=1)
    part = ink[y : y + mask.shape[0], x : x + mask.shape[1]]
    part = part * mask[: part.shape[0], : part.shape[1]]
    inner = ink_box(part)
    assert inner is not None  # every patch has a cell of ink
    y0, x0, y1, x1 = (int(side) for side in inner)
    return InkGroup(
        part[y0:y1, x0:x1], (float(top + y + y0), float(left + x + x0), float(top + y + y1), float(left + x + x1))
    )


def _above_one_another(spans: list[tuple[float, float]], margin: float) -> list[list[int]]:
    """Indices of spans (left, right) that share enough of their width, in groups from left to right."""
    groups = [([index], left - margin, right + margin) for index, (left, right) in enumerate(spans)]
    groups.sort(key=lambda group: group[1])
    merged = True
    while merged:
        merged = False
        for first in range(len(groups)):
            for second in range(first + 1, len(groups)):
                one, other = groups[first], groups[second]
                shared = min(one[2], other[2]) - max(one[1], other[1])
                if shared >= OVERLAP * min(one[2] - one[1], other[2] - other[1]):
                    groups[first] = (one[0] + other[0], min(one[1], other[1]), max(one[2], other[2]))
                    del groups[second]
                    merged = True
                    break
            if merged:
                break
    groups.sort(key=lambda group: group[1] + group[2])
    return [group[0] for group in groups]
