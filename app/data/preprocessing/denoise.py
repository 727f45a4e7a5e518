"""How noisy a picture is, and smoothing in proportion to that."""

from functools import lru_cache
from math import pi
from statistics import NormalDist

import numpy as np
from PIL import Image, ImageFilter

from app.data.preprocessing.background import as_floats, border_of
from app.data.preprocessing.components import label_components
from app.data.preprocessing.decode import GreyArray
from app.data.preprocessing.rasterize import FloatArray

NOISE_FLOOR = 0.008
"""A standard deviation of the noise (in 0 to 1) above which a picture counts as noisy."""
PIXEL_FLOOR = 0.07
"""The same where 28×28 come as they shall be read: below, smoothing takes more from the strokes than noise does."""
SCALES = (2, 4)
"""Noise that is spread over neighbours, as by JPEG, is measured on the picture averaged by these factors too ..."""
SMALLEST_SIDE = 64
"""... as long as its shorter side keeps as many pixels. A picture that has fewer can be all stroke."""

TILES = 4
"""Noise is looked for in 4×4 tiles of the picture ..."""
QUIET_TILES = 0.25
"""... and is what this share of the quietest of them has at most: it is everywhere, strokes and textures are not."""
EVEN_SIDE = 0.85
"""A side of the picture on which this share of the pixels are of one tone exactly has no noise ..."""
NOISY_SIDES = 3
"""... and where fewer sides than these have it, it is in the ink alone: where there are so few pixels, that happens."""
CUT_MEDIAN = 0.2
"""By how much the median of what is cut off is smaller than a normal variable's, times the share beyond (measured)."""
SAMPLES = 256
"""Rows and columns that are looked at, at most: more would not make the estimate better."""

NOISY_SIZE = 512
"""Longer side, in pixels, to which a larger noisy picture is averaged: that is still 20 times what is read."""
RESIDUE = 0.02
"""The standard deviation that smoothing leaves ..."""
PIXEL_RESIDUE = 0.06
"""... on 28×28, where more of a blur would cost strokes of two pixels more than noise does ..."""
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
    down, across = (-(-side // SAMPLES) for side in (height, width))
    rows = picture[0:-2:down] - 2 * picture[1:-1:down] + picture[2::down]
    response = np.abs(rows[:, 0:-2:across] - 2 * rows[:, 1:-1:across] + rows[:, 2::across])
    tall, wide = (side // TILES for side in response.shape)
    if min(tall, wide) > 0:
        cells = response[: tall * TILES, : wide * TILES].reshape(TILES, tall, TILES, wide).swapaxes(1, 2)
        medians = np.sort(_middle(cells.reshape(TILES * TILES, -1)))
        quiet = float(medians[int(QUIET_TILES * (len(medians) - 1))])
        # The quietest of several estimates is too small by a part that shrinks as they become better.
        quiet *= 1 + (tall * wide) ** -0.5
    else:
        quiet = float(_middle(response.ravel()))
    border = border_of(picture)
    cut = min(float(max(np.count_nonzero(border <= 0), np.count_nonzero(border >= 1)) / border.size), 0.5)
    return quiet / _MEDIAN / 6 / (_kept(cut) * (1 - CUT_MEDIAN * cut))


def picture_deviation(picture: FloatArray) -> float:
    """As `noise_deviation`, and of noise that is spread over neighbours too: of white noise that does as much harm.

    The average of n×n pixels leaves 1/n of white noise, but more of what JPEG, a camera's own smoothing or enlarging
    has left, for that is of low frequencies, which a Laplacian does not see. The scale on which there is most counts.
    """
    if min(picture.shape) < SMALLEST_SIDE and not _is_noisy_around(picture):
        return 0.0
    found = [noise_deviation(picture)]
    image = Image.fromarray(picture)
    for factor in SCALES:
        if min(picture.shape) // factor >= SMALLEST_SIDE:
            found.append(factor * noise_deviation(np.asarray(image.reduce(factor))))
    return max(found)


def smoothed(grey: GreyArray, deviation: float, residue: float = RESIDUE) -> tuple[GreyArray, float]:
    """A grey picture, uint8 (H, W), smoothed against noise of `deviation` down to `residue`, and what is left of it.

    A large one comes back smaller, by a whole number: averaging is the smoothing that costs least.
    """
    image = Image.fromarray(grey)
    factor = -(-max(grey.shape) // NOISY_SIZE)
    if factor > 1:
        image, deviation = image.reduce(factor), deviation / factor
    radius = min(deviation / (2 * pi**0.5 * residue), BLUR_SHARE * max(image.size))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius))), deviation * _passed(round(radius, 2))


def without_noise(pixels: FloatArray) -> FloatArray:
    """28×28, ink is 1, without their noise; the very same where there is none, or their border is no paper."""
    if not _is_noisy_around(pixels) or float(_middle(border_of(pixels))) >= DARKEST_PAPER:
        return pixels
    deviation = noise_deviation(pixels)
    if deviation <= PIXEL_FLOOR:
        return pixels
    grey, left = smoothed(np.rint(pixels * 255).astype(np.uint8), deviation, PIXEL_RESIDUE)
    smooth = as_floats(grey)
    # Noise that is cut off at 0 and 1 makes paper darker and ink paler: both ends are drawn back by as much.
    paper = float(_middle(border_of(smooth))) + PAPER_MARGIN * left * _kept(0.5)
    if paper >= 0.5:
        return pixels
    ink: FloatArray = np.clip((smooth - paper) / (1 - 2 * paper), 0, 1).astype(np.float32)
    patches, _ = label_components(ink > 0)
    weights = np.bincount(patches.ravel(), weights=ink.ravel())
    ink[(weights < SPECK_SHARE * weights.sum())[patches]] = 0
    return ink


def _is_noisy_around(picture: FloatArray) -> bool:
    sides = picture[0], picture[-1], picture[:, 0], picture[:, -1]
    return sum(not _is_even(side) for side in sides) >= NOISY_SIDES


def _is_even(side: FloatArray) -> bool:
    # The first question is answered soonest, and by most drawings.
    if side.min() == side.max():
        return True
    return bool(np.count_nonzero(side == _middle(side)) >= EVEN_SIDE * side.size)


def _middle(values: FloatArray) -> FloatArray:
    """The median over the last axis. As np.median's, which for few values takes ten times as long."""
    count = values.shape[-1]
    low = (count - 1) // 2
    middle: FloatArray = np.partition(values, (low, count // 2), axis=-1)[..., low : count // 2 + 1].mean(axis=-1)
    return middle


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
