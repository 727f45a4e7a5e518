"""Ink from a grey picture: the difference from the paper, without dirt, with the pen's width corrected."""

from dataclasses import dataclass, replace
from math import log
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.data.preprocessing.background import (
    NO_EDGES,
    PAPER_SIZE,
    as_floats,
    estimate_background,
    find_uniform_background,
    is_even,
    strip_letterbox,
)
from app.data.preprocessing.clutter import remove_clutter
from app.data.preprocessing.components import label_components
from app.data.preprocessing.decode import GreyArray
from app.data.preprocessing.denoise import NOISE_FLOOR, picture_deviation, smoothed
from app.data.preprocessing.normalize import ink_box
from app.data.preprocessing.rasterize import BOX_SIZE, STROKE_WIDTH, SUPERSAMPLING, Box, FloatArray, pen_width, sweep

Mask: TypeAlias = NDArray[np.bool_]

MIN_CONTRAST = 0.03
"""The least difference of ink from even paper (in 0 to 1)."""
MIN_CONTRAST_UNEVEN = 0.12
"""The same on a photograph, where the estimate of the paper is itself uncertain."""
RINGING = 0.15
"""JPEG artefacts around a stroke are paler than this share of full ink."""

SPECK_SHARE = 0.02
"""In a noisy picture, a separate patch with less than this share of all ink is a speck of dirt."""

THIN = 0.9
"""A pen below this share of the target width is thickened."""
MIN_DETAIL = 3 * BOX_SIZE
"""Ink whose longer side has fewer pixels than this is too coarse to measure its pen."""


@dataclass(frozen=True, eq=False)
class Ink:
    """The ink of a picture, float32 (H, W) in 0 to 1, with properties of the picture."""

    ink: FloatArray
    is_light: bool
    """The ink is lighter than the paper."""
    is_uneven: bool
    """The paper is not of one tone, and the uneven light was removed."""
    is_noisy: bool
    is_cluttered: bool = False
    """Lines or other things beside the digit were removed."""


def find_ink(grey: GreyArray, *, smooth: bool = True, even_out: bool = True, clear: bool = True) -> Ink | None:
    """Find the ink in a grey picture, uint8 (H, W), of either polarity; return None if the picture is blank.

    Noise is smoothed, uneven light evened out, and what is beside the digit removed; each can be left out. Letterbox
    bars are not ink. A large noisy picture's ink is smaller than the picture by an integer factor.
    """
    inside, bars = strip_letterbox(grey)
    found = _find_ink(inside, smooth=smooth, even_out=even_out, clear=clear)
    if found is None or bars == NO_EDGES:
        return found
    scale = found.ink.shape[0] / inside.shape[0]
    edges = [(round(before * scale), round(after * scale)) for before, after in bars]
    return replace(found, ink=np.pad(found.ink, edges))


def _find_ink(grey: GreyArray, *, smooth: bool, even_out: bool, clear: bool) -> Ink | None:
    picture = as_floats(grey)
    deviation = picture_deviation(picture)
    exact = None
    if deviation > NOISE_FLOOR or not is_even(picture):
        exact = find_uniform_background(grey)
        deviation = deviation if exact is None else 0.0
    noisy = deviation > NOISE_FLOOR
    if noisy and smooth:
        grey, deviation = smoothed(grey, deviation)
        picture = as_floats(grey)
    found = estimate_background(picture, deviation, even_out=even_out, exact=exact)
    contrast, noise = found.contrast, found.noise
    # about the largest of that many normal variables, on paper without any ink
    furthest = noise * ((2 * log(contrast.size)) ** 0.5 + 1)
    least = np.maximum(MIN_CONTRAST if found.is_even else MIN_CONTRAST_UNEVEN, furthest)
    if (contrast < least).all():
        return None
    is_dark = contrast > np.maximum(_otsu(contrast), least / 2)
    dark = contrast[is_dark]
    if not len(dark) or float(np.percentile(dark - np.broadcast_to(least, contrast.shape)[is_dark], 75)) < 0:
        return None
    full = float(np.percentile(dark, 75))
    paper = np.minimum(3 * noise, full / 4) if noisy else 0.0
    ink = np.clip((contrast - paper) / (full - paper), 0.0, 1.0).astype(np.float32)
    mask = _near(_without_specks(ink) if noisy else ink > 0.5, max(1, round(max(grey.shape) / 200)))
    ink *= mask if noisy else mask | (ink > RINGING)
    cleared = remove_clutter(ink) if clear else ink
    if not cleared.any():
        return None
    return Ink(cleared, found.is_light, not found.is_even, noisy, is_cluttered=cleared is not ink)


def fit_ink(
    ink: FloatArray, *, crop: bool = True, thicken: bool = True, fills: int = BOX_SIZE
) -> tuple[FloatArray, Box] | None:
    """Crop ink (H, W) to its box, and thicken a pen thinner than MNIST's; either can be left out.

    `fills` is the length of its longer side in pixels of the 28×28. Returns the ink and its box; None if there is no
    ink.
    """
    bounds = ink_box(ink)
    if bounds is None:
        return None
    if not crop:
        bounds = (0.0, 0.0, float(ink.shape[0]), float(ink.shape[1]))
    top, left, bottom, right = (int(side) for side in bounds)
    if not thicken or max(bottom - top, right - left) < MIN_DETAIL:
        return ink, bounds
    return _thickened(ink[top:bottom, left:right], STROKE_WIDTH * BOX_SIZE / fills)


def _otsu(contrast: FloatArray) -> float:
    """The threshold that best separates paper from ink (N. Otsu, IEEE Trans. SMC 9(1), 1979)."""
    counts, edges = np.histogram(np.clip(contrast, 0, 1), bins=256, range=(0.0, 1.0))
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(edges[int(np.argmax(np.nan_to_num(between, posinf=0.0))) + 1])


def _near(mask: Mask, reach: int) -> Mask:
    """Pixels at most `reach` rows and columns from the mask: the soft edges of ink, but not the ringing beyond."""
    for _ in range(2):
        counts = np.zeros((len(mask) + 1, mask.shape[1]), np.int32)
        np.cumsum(mask, axis=0, dtype=np.int32, out=counts[1:])
        rows = np.arange(len(mask))
        mask = (counts[np.minimum(rows + reach + 1, len(rows))] > counts[np.maximum(rows - reach, 0)]).T
    return mask


def _without_specks(ink: FloatArray) -> Mask:
    """The mask of ink, without patches too small to be part of a drawing."""
    mask = ink > 0.5
    step = -(-max(mask.shape) // PAPER_SIZE)
    height, width = (-(-side // step) for side in mask.shape)
    padded = np.pad(mask, ((0, height * step - mask.shape[0]), (0, width * step - mask.shape[1])))
    cells = padded.reshape(height, step, width, step).sum(axis=(1, 3))
    labels, _ = label_components(cells > 0)
    weights = np.bincount(labels.ravel(), weights=cells.ravel().astype(np.float64))
    large = weights >= SPECK_SHARE * weights.sum()
    patches: Mask = np.repeat(np.repeat(large[labels], step, 0), step, 1)[: mask.shape[0], : mask.shape[1]]
    return mask & patches


def _thickened(ink: FloatArray, width: float) -> tuple[FloatArray, Box]:
    """Redraw ink with a pen `width` pixels wide, of 20, if its own is thinner, as a thin one would fade."""
    # The outermost row is partly covered: the edge is inside it, by what its darkest pixel lacks.
    first_row, first_column = 1 - float(ink[0].max()), 1 - float(ink[:, 0].max())
    height = ink.shape[0] - 1 + float(ink[-1].max()) - first_row
    breadth = ink.shape[1] - 1 + float(ink[:, -1].max()) - first_column
    longer = max(height, breadth)
    pen = pen_width(ink)
    if pen / longer > THIN * width / BOX_SIZE:
        return ink, (first_row, first_column, first_row + height, first_column + breadth)
    tip = width * SUPERSAMPLING
    scale = (BOX_SIZE * SUPERSAMPLING - tip) / max(longer - pen, 1.0)
    # The existing pen counts towards the new one.
    radius = (tip - pen * scale) / 2
    rows, columns = np.nonzero(ink > 0.5)
    origin = radius + 1
    y = (rows + 0.5 - first_row) * scale + origin
    x = (columns + 0.5 - first_column) * scale + origin
    bottom, right = height * scale + radius + origin, breadth * scale + radius + origin
    canvas = np.zeros((int(bottom) + 2, int(right) + 2), np.bool_)
    canvas[y.astype(np.int64), x.astype(np.int64)] = True
    return sweep(canvas, radius), (1.0, 1.0, bottom, right)
