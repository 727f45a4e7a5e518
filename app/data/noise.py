"""How noisy a picture is, and smoothing in proportion to that."""

from functools import lru_cache
from math import pi
from statistics import NormalDist

import numpy as np
from PIL import Image, ImageFilter

from app.data.components import label_components
from app.data.decoding import GreyArray
from app.data.paper import as_floats, border_of
from app.data.raster import FloatArray

NOISE_FLOOR = 0.008
"""A standard deviation of the noise (in 0 to 1) above which a picture counts as noisy."""
PIXEL_FLOOR = 0.02
"""The same where 28×28 come as they shall be read: below, the network is not troubled."""

TILES = 4
"""Noise is looked for in 4×4 tiles of the picture ..."""
QUIET_TILES = 0.25
"""... and is what this share of the quietest of them has at most: it is everywhere, strokes and textures are not."""
EVEN_SIDE = 0.85
"""A side of the picture on which this share of the pixels are of one tone exactly has no noise ..."""
NOISY_SIDES = 3
"""... and where fewer sides than these have it, it is none of the picture's."""
CUT_MEDIAN = 0.2
"""By how much the median of what is cut off is smaller than a normal variable's, times the share beyond (measured)."""
SAMPLES = 256
"""Rows and columns that are looked at, at most: more would not make the estimate better."""

NOISY_SIZE = 512
"""Longer side, in pixels, to which a larger noisy picture is averaged: that is still 20 times what is read."""
RESIDUE = 0.06
"""The standard deviation that smoothing leaves ..."""
BLUR_SHARE = 0.03
"""... but for what would need a blur wider than this share of the picture, which would close the holes of digits."""
PAPER_MARGIN = 2.0
"""How many standard deviations of what is left above the paper a pixel has to be to be ink."""
SPECK_SHARE = 0.03
"""A patch apart from the rest with less than this share of all ink is what is left of noise."""
DARKEST_PAPER = 0.25
"""28×28 whose border is not below this are no ink on paper, and are let alone."""

_NORMAL = NormalDist()
_MEDIAN = _NORMAL.inv_cdf(0.75)
"""The median of the absolute value of a standard normal variable."""


def noise_deviation(picture: FloatArray) -> float:
    """The standard deviation of white noise on a picture, float32 (H, W) in 0 to 1; 0 where there is none.

    J. Immerkaer, "Fast Noise Variance Estimation", CVIU 64(2), 1996: the difference of two Laplacians takes out
    what is even, sloping or an edge, and a normal deviate keeps 6 times its deviation. Taken robustly, by the median
    of tiles. Noise that was cut off at black or white, as on white paper, is counted as it was before that.
    """
    height, width = picture.shape
    if min(height, width) < 3:
        return 0.0
    sides = picture[0], picture[-1], picture[:, 0], picture[:, -1]
    if sum(not _is_even(side) for side in sides) < NOISY_SIDES:
        return 0.0
    down, across = (-(-side // SAMPLES) for side in (height, width))
    rows = picture[0:-2:down] - 2 * picture[1:-1:down] + picture[2::down]
    response = np.abs(rows[:, 0:-2:across] - 2 * rows[:, 1:-1:across] + rows[:, 2::across])
    tall, wide = (side // TILES for side in response.shape)
    if min(tall, wide) > 0:
        cells = response[: tall * TILES, : wide * TILES].reshape(TILES, tall, TILES, wide).swapaxes(1, 2)
        quiet = float(np.quantile(np.median(cells.reshape(TILES * TILES, -1), axis=1), QUIET_TILES, method="lower"))
        # The quietest of several estimates is too small by a part that shrinks as they become better.
        quiet *= 1 + (tall * wide) ** -0.5
    else:
        quiet = float(np.median(response))
    border = border_of(picture)
    cut = min(float(max(np.mean(border <= 0), np.mean(border >= 1))), 0.5)
    return quiet / _MEDIAN / 6 / (_kept(cut) * (1 - CUT_MEDIAN * cut))


def smoothed(grey: GreyArray, deviation: float) -> tuple[GreyArray, float]:
    """A grey picture, uint8 (H, W), smoothed against noise of `deviation`, and the deviation that is left.

    A large one comes back smaller, by a whole number: averaging is the smoothing that costs least.
    """
    image = Image.fromarray(grey)
    factor = -(-max(grey.shape) // NOISY_SIZE)
    if factor > 1:
        image, deviation = image.reduce(factor), deviation / factor
    radius = min(deviation / (2 * pi**0.5 * RESIDUE), BLUR_SHARE * max(image.size))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius))), deviation * _passed(round(radius, 2))


def without_noise(pixels: FloatArray) -> FloatArray:
    """28×28, ink is 1, without their noise; the very same where there is none, or their border is no paper."""
    deviation = noise_deviation(pixels)
    if deviation <= PIXEL_FLOOR or float(np.median(border_of(pixels))) >= DARKEST_PAPER:
        return pixels
    grey, left = smoothed(np.rint(pixels * 255).astype(np.uint8), deviation)
    smooth = as_floats(grey)
    # Noise that is cut off at 0 and 1 makes paper darker and ink paler: both ends are drawn back by as much.
    paper = float(np.median(border_of(smooth))) + PAPER_MARGIN * left * _kept(0.5)
    if paper >= 0.5:
        return pixels
    ink: FloatArray = np.clip((smooth - paper) / (1 - 2 * paper), 0, 1).astype(np.float32)
    patches, _ = label_components(ink > 0)
    weights = np.bincount(patches.ravel(), weights=ink.ravel())
    ink[(weights < SPECK_SHARE * weights.sum())[patches]] = 0
    return ink


def _is_even(side: FloatArray) -> bool:
    # The first question is answered soonest, and by most drawings.
    return bool(side.min() == side.max() or np.mean(side == np.median(side)) >= EVEN_SIDE)


def _kept(share: float) -> float:
    """The deviation that a standard normal variable keeps if it is cut off where a share of it lies beyond."""
    if share <= 0:
        return 1.0
    share = min(share, 0.9)
    end = _NORMAL.inv_cdf(share)
    density = _NORMAL.pdf(end)
    mean = end * share + density
    square = end * end * share + (1 - share) + end * density
    return float((square - mean * mean) ** 0.5)


@lru_cache
def _passed(radius: float) -> float:
    """The share of the deviation of white noise that a Gaussian blur of this radius, in pixels, lets through."""
    if radius <= 0:
        return 1.0
    weights = np.exp(-0.5 * (np.arange(-40, 41) / radius) ** 2)
    return float((weights**2).sum() / weights.sum() ** 2)
