"""Noise estimation, and smoothing in proportion."""

from functools import lru_cache
from math import pi
from statistics import NormalDist

import numpy as np
from PIL import Image, ImageFilter

from app.data.preprocessing.background import as_floats, border_of
from app.data.preprocessing.components import label_components
from app.data.preprocessing.decode import GreyArray
from app.data.preprocessing.normalize import to_uint8
from app.data.preprocessing.rasterize import FloatArray

NOISE_FLOOR = 0.008
"""The standard deviation of the noise (in 0 to 1) above which a picture counts as noisy."""
PIXEL_FLOOR = 0.07
"""The same for 28×28 pixels; below it smoothing damages strokes more than noise does."""
SCALES = (2, 4)
"""Correlated noise, such as JPEG's, is also measured on the picture averaged by these factors."""
SMALLEST_SIDE = 64
"""The fewest pixels of the shorter side for that. A picture with fewer can be all stroke."""

TILES = 4
"""Noise is measured in 4×4 tiles of the picture."""
QUIET_TILES = 0.25
"""The quantile of the tiles that counts: noise is everywhere, strokes and textures are not."""
EVEN_SIDE = 0.85
"""A side of the picture with this share of pixels of exactly one tone has no noise."""
NOISY_SIDES = 3
"""With fewer noisy sides than this the noise is in the ink alone, which happens in small pictures."""
CUT_MEDIAN = 0.2
"""The reduction of a clipped normal variable's median per share clipped (measured)."""
SAMPLES = 256
"""The most rows and columns to sample; more would not improve the estimate."""

NOISY_SIZE = 512
"""The longer side, in pixels, to which a larger noisy picture is averaged; still 20 times the final resolution."""
RESIDUE = 0.02
"""The standard deviation that smoothing leaves."""
PIXEL_RESIDUE = 0.06
"""The same for 28×28, where more blur would damage strokes of two pixels more than noise does."""
BLUR_SHARE = 0.03
"""The widest blur as a share of the picture; a wider one would close the holes of digits."""
PAPER_MARGIN = 2.0
"""The standard deviations of the remaining noise that ink must be above the paper."""
SPECK_SHARE = 0.03
"""A separate patch with less than this share of all ink is noise."""
DARKEST_PAPER = 0.25
"""28×28 pixels with a border above this are not ink on paper, and stay unchanged."""

_NORMAL = NormalDist()
_MEDIAN = _NORMAL.inv_cdf(0.75)
"""The median of the absolute value of a standard normal variable."""


def noise_deviation(picture: FloatArray) -> float:
    """The standard deviation of white noise on a picture, float32 (H, W) in 0 to 1; 0 if there is none.

    J. Immerkaer, "Fast Noise Variance Estimation", CVIU 64(2), 1996: the difference of two Laplacians removes flat
    areas, slopes and edges, and multiplies the deviation of noise by 6. Made robust by the median of tiles. Noise
    clipped at black or white, as on white paper, counts as before clipping.
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
        medians = np.sort(_median(cells.reshape(TILES * TILES, -1)))
        quiet = float(medians[int(QUIET_TILES * (len(medians) - 1))])
        # The quietest of several estimates is too small, less so the better they are.
        quiet *= 1 + (tall * wide) ** -0.5
    else:
        quiet = float(_median(response.ravel()))
    border = border_of(picture)
    cut = min(float(max(np.count_nonzero(border <= 0), np.count_nonzero(border >= 1)) / border.size), 0.5)
    return quiet / _MEDIAN / 6 / (_clipped_deviation(cut) * (1 - CUT_MEDIAN * cut))


def picture_deviation(picture: FloatArray) -> float:
    """As `noise_deviation`, but also for correlated noise: the deviation of equally harmful white noise.

    The average of n×n pixels leaves 1/n of white noise, but more of the noise of JPEG, of a camera's smoothing or of
    enlargement, which has low frequencies that a Laplacian ignores. The scale with the most noise counts.
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
    """A grey picture, uint8 (H, W), smoothed to reduce noise of `deviation` to `residue`, and the remaining deviation.

    A large one is returned smaller by an integer factor: averaging is the cheapest smoothing.
    """
    image = Image.fromarray(grey)
    factor = -(-max(grey.shape) // NOISY_SIZE)
    if factor > 1:
        image, deviation = image.reduce(factor), deviation / factor
    radius = min(deviation / (2 * pi**0.5 * residue), BLUR_SHARE * max(image.size))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius))), deviation * _passed(round(radius, 2))


def without_noise(pixels: FloatArray) -> FloatArray:
    """28×28 pixels, ink is 1, without noise; the same array if there is none, or if the border is not paper."""
    if not _is_noisy_around(pixels) or float(_median(border_of(pixels))) >= DARKEST_PAPER:
        return pixels
    deviation = noise_deviation(pixels)
    if deviation <= PIXEL_FLOOR:
        return pixels
    grey, remaining = smoothed(to_uint8(pixels), deviation, PIXEL_RESIDUE)
    smooth = as_floats(grey)
    # Noise clipped at 0 and 1 makes paper darker and ink paler: both ends are corrected by the same amount.
    paper = float(_median(border_of(smooth))) + PAPER_MARGIN * remaining * _clipped_deviation(0.5)
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
    # the cheapest test, which most drawings pass
    if side.min() == side.max():
        return True
    return bool(np.count_nonzero(side == _median(side)) >= EVEN_SIDE * side.size)


def _median(values: FloatArray) -> FloatArray:
    """The median over the last axis, ten times as fast as np.median for few values."""
    count = values.shape[-1]
    low = (count - 1) // 2
    middle: FloatArray = np.partition(values, (low, count // 2), axis=-1)[..., low : count // 2 + 1].mean(axis=-1)
    return middle


def _clipped_deviation(share: float) -> float:
    """The deviation of a standard normal variable clipped so that a share of it is beyond."""
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
    """The share of white noise's deviation that passes a Gaussian blur of this radius in pixels."""
    if radius <= 0:
        return 1.0
    weights = np.exp(-0.5 * (np.arange(-40, 41) / radius) ** 2)
    return float((weights**2).sum() / weights.sum() ** 2)
