"""The steps from a drawing to 28×28; each can be left out to show its effect."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.data.preprocessing.ink import fit_ink
from app.data.preprocessing.normalize import IMAGE_SIZE, normalize
from app.data.preprocessing.rasterize import BOX_SIZE, STROKE_WIDTH, FloatArray, Square, draw_strokes

BRUSH_SHARE = 0.06
"""The default pen width as a share of the canvas: the pad's, 30 of 500."""
THINNEST_SHARE, WIDEST_SHARE = 0.002, 0.5
"""The limits of the brush as a share of what fills the 28×28."""


@dataclass(frozen=True)
class PipelineSteps:
    """The enabled steps; the network was trained on images with all of them.

    `crop`: crop to the ink. `scale`: fit it into 20×20, otherwise into the whole 28×28. `center`: centre its centre of
    mass, otherwise its box. `stroke_width`: give the pen MNIST's width, otherwise keep its own. For pictures only are
    `smooth`: smooth noise, `even_out`: even out light, and `clear`: remove lines and other things beside the digit.
    """

    crop: bool = True
    scale: bool = True
    center: bool = True
    stroke_width: bool = True
    smooth: bool = True
    even_out: bool = True
    clear: bool = True


@dataclass(frozen=True)
class Canvas:
    """The square that strokes were drawn on, and the width of the pen, both in the strokes' unit."""

    square: Square
    brush: float


def canvas_of(strokes: Sequence[NDArray[np.float64]], side: float | None = None, brush: float | None = None) -> Canvas:
    """The canvas of strokes, arrays (n, 2): from (0, 0) to `side` if that is known and holds them all.

    Otherwise it is guessed: from 0 if no coordinate is negative, with the same margin on both sides.
    """
    drawn = [stroke for stroke in strokes if len(stroke)]
    points = np.concatenate(drawn) if drawn else np.zeros((1, 2))
    low, high = points.min(axis=0), points.max(axis=0)
    square = (0.0, 0.0, float(side or 0))
    if side is None or low.min() < 0 or high.max() > side:
        near, far = float(low.min()), float(high.max())
        if near < 0 or far > 1e300:
            # Halves, so that the extent of ±1e308 is finite.
            extent = min(float((high * 0.5 - low * 0.5).max()) * 2.2, 1e308)
            square = (
                *((low * 0.5 + high * 0.5) - extent * 0.5).tolist(),
                extent,
            )
        else:
            square = (0.0, 0.0, far + near)
    if square[2] <= 0:
        square = (square[0] - 0.5, square[1] - 0.5, 1.0)
    return Canvas(square, square[2] * BRUSH_SHARE if brush is None else brush)


def prepare_strokes(
    strokes: Sequence[NDArray[np.float64]],
    steps: PipelineSteps = PipelineSteps(),
    canvas: Canvas | None = None,
) -> FloatArray:
    """Strokes, arrays (n, 2), as 28×28; zeros if there are no points. `canvas` matters if a step is left out."""
    if steps.crop and steps.scale and steps.center and steps.stroke_width:
        drawing = draw_strokes(strokes)
        return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32) if drawing is None else normalize(*drawing)
    canvas = canvas or canvas_of(strokes)
    drawn = [stroke for stroke in strokes if len(stroke)]
    if not drawn:
        return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    fills = BOX_SIZE if steps.scale else IMAGE_SIZE
    if steps.stroke_width:
        width = STROKE_WIDTH * BOX_SIZE / fills
    else:
        points = np.concatenate(drawn) * 0.5
        half_extent = float(np.ptp(points, axis=0).max()) + canvas.brush * 0.5 if steps.crop else canvas.square[2] * 0.5
        share = canvas.brush * 0.5 / half_extent if half_extent > 0 else WIDEST_SHARE
        width = BOX_SIZE * min(max(share, THINNEST_SHARE), WIDEST_SHARE)
    drawing = draw_strokes(drawn, width, None if steps.crop else canvas.square)
    assert drawing is not None
    return normalize(*drawing, scale=steps.scale, center=steps.center)


def prepare_ink(ink: FloatArray, steps: PipelineSteps = PipelineSteps()) -> FloatArray:
    """Ink of a picture (H, W), 0 to 1, as 28×28."""
    fitted = fit_ink(ink, crop=steps.crop, thicken=steps.stroke_width, fills=BOX_SIZE if steps.scale else IMAGE_SIZE)
    if fitted is None:
        return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    return normalize(*fitted, scale=steps.scale, center=steps.center)
