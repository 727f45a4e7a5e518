"""From a grey picture to ink: which tone is paper, how the light falls, what is noise, and how thick the pen is."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from app.data.decoding import GreyArray
from app.data.raster import BOX_SIZE, STROKE_WIDTH, SUPERSAMPLING, Box, FloatArray, pen_width, sweep
from app.data.rule import ink_box

Mask: TypeAlias = NDArray[np.bool_]

EVEN_TONE = 0.06
"""The border is even paper where it is this near (in 0 to 1) to its median tone ..."""
EVEN_SHARE = 0.95
"""... on at least this share of its pixels."""

PAPER_SIZE = 64
"""Longer side, in pixels, of the small picture on which uneven paper is estimated."""
PAPER_WINDOW = 27
"""Side of the window of that estimate: wider than any stroke, and odd as Pillow wants it."""

MIN_CONTRAST = 0.03
"""Ink that differs from even paper by less than this (in 0 to 1) is no ink."""
MIN_CONTRAST_UNEVEN = 0.12
"""The same on a photograph, where the estimate of the paper is itself uncertain."""
NOISE_FLOOR = 0.008
"""A standard deviation of the paper (in 0 to 1) above which a picture counts as noisy."""
NOISE_MARGIN = 6.0
"""How many standard deviations of the paper ink must stand out on a noisy picture."""

RINGING = 0.15
"""What JPEG leaves around a stroke is paler than this share of full ink."""

SPECK_SHARE = 0.02
"""In a noisy picture, a patch apart from the rest with less than this share of all ink is a speck of dirt."""

THIN = 0.9
"""A pen below this share of `STROKE_WIDTH` is thickened."""
MIN_DETAIL = 3 * BOX_SIZE
"""Ink whose longer side has fewer pixels than this is too coarse to measure its pen."""


def ink_of_picture(grey: GreyArray) -> tuple[FloatArray, Box] | None:
    """Find the ink in a grey picture, uint8 (H, W), of either polarity.

    Gives ink, float32 (h, w) in 0 to 1, and the box that bounds it; None if the picture is blank.
    """
    picture = grey.astype(np.float32) / np.float32(255)
    contrast, even = _contrast(picture)
    noise = _noise(contrast)
    noisy = noise > NOISE_FLOOR
    if noisy:
        smooth = Image.fromarray(np.clip(contrast * 255, 0, 255).astype(np.uint8))
        smooth = smooth.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(max(grey.shape) / 400))
        contrast = np.asarray(smooth).astype(np.float32) / np.float32(255)
    least = max(MIN_CONTRAST if even else MIN_CONTRAST_UNEVEN, NOISE_MARGIN * noise)
    if float(contrast.max()) < least:
        return None
    dark = contrast[contrast > max(_otsu(contrast), least / 2)]
    full = float(np.percentile(dark, 75)) if len(dark) else 0.0
    if full < least:
        return None
    paper = min(3.0 * noise, full / 4) if noisy else 0.0
    ink = np.clip((contrast - paper) / (full - paper), 0.0, 1.0).astype(np.float32)
    kept = _near(_without_specks(ink) if noisy else ink > 0.5, max(1, round(max(grey.shape) / 200)))
    ink *= kept if noisy else kept | (ink > RINGING)
    bounds = ink_box(ink)
    if bounds is None:
        return None
    top, left, bottom, right = (int(side) for side in bounds)
    if max(bottom - top, right - left) < MIN_DETAIL:
        return ink, bounds
    return _thickened(ink[top:bottom, left:right])


def _contrast(picture: FloatArray) -> tuple[FloatArray, bool]:
    """How far each pixel is from the paper towards the ink, and whether the paper is even."""
    border = np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])
    tone = np.median(border)
    if np.mean(np.abs(border - tone) < EVEN_TONE) >= EVEN_SHARE:
        lighter = picture - tone
        return (lighter if lighter.sum() > 0 else -lighter), True
    # Closing takes thin dark strokes away, opening thin light ones; the one that has to change less is right.
    # Either leaves a ramp of light as it is.
    dark_ink = _paper(picture, closing=True) - picture
    light_ink = picture - _paper(picture, closing=False)
    return (dark_ink if np.clip(dark_ink, 0, 1).sum() <= np.clip(light_ink, 0, 1).sum() else light_ink), False


def _paper(picture: FloatArray, *, closing: bool) -> FloatArray:
    height, width = picture.shape
    scale = min(1.0, PAPER_SIZE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = Image.fromarray((picture * 255).astype(np.uint8)).resize(size, Image.Resampling.BOX)
    first, second = ImageFilter.MaxFilter(PAPER_WINDOW), ImageFilter.MinFilter(PAPER_WINDOW)
    small = small.filter(first).filter(second) if closing else small.filter(second).filter(first)
    small = small.filter(ImageFilter.GaussianBlur(2))
    large = small.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(large).astype(np.float32) / np.float32(255)


def _noise(contrast: FloatArray) -> float:
    """Standard deviation of the paper, from differences of neighbours: neither light nor a few strokes count."""
    if contrast.shape[1] < 2:
        return 0.0
    steps = np.abs(np.diff(contrast[::2], axis=1))
    # 0.6745 is the median of a standard normal's absolute value; a difference has √2 times the deviation.
    return float(np.median(steps)) / 0.6745 / 2**0.5


def _otsu(contrast: FloatArray) -> float:
    """The threshold that parts paper from ink best (N. Otsu, IEEE Trans. SMC 9(1), 1979)."""
    counts, edges = np.histogram(np.clip(contrast, 0, 1), bins=256, range=(0.0, 1.0))
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(edges[int(np.argmax(np.nan_to_num(between, posinf=0.0))) + 1])


def _near(mask: Mask, reach: int) -> Mask:
    """Pixels at most `reach` away from the mask: the soft edges of ink, and not what rings further out."""
    image = Image.fromarray(mask.astype(np.uint8)).filter(ImageFilter.MaxFilter(2 * reach + 1))
    near: Mask = np.asarray(image) > 0
    return near


def _without_specks(ink: FloatArray) -> Mask:
    """The mask of ink, without patches too small to be part of a drawing."""
    mask = ink > 0.5
    step = -(-max(mask.shape) // PAPER_SIZE)
    height, width = (-(-side // step) for side in mask.shape)
    padded = np.pad(mask, ((0, height * step - mask.shape[0]), (0, width * step - mask.shape[1])))
    cells = padded.reshape(height, step, width, step).sum(axis=(1, 3))
    labels = np.pad(np.where(cells > 0, np.arange(1, cells.size + 1).reshape(cells.shape), 0), 1)
    inked = labels > 0
    # The largest label spreads until every patch has one.
    while True:
        spread = np.maximum.reduce([np.roll(labels, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)])
        spread[~inked] = 0
        if np.array_equal(spread, labels):
            break
        labels = spread
    labels = labels[1:-1, 1:-1]
    weights = np.bincount(labels.ravel(), weights=cells.ravel().astype(np.float64))
    kept = weights >= SPECK_SHARE * weights.sum()
    patches: Mask = np.repeat(np.repeat(kept[labels], step, 0), step, 1)[: mask.shape[0], : mask.shape[1]]
    return mask & patches


def _thickened(ink: FloatArray) -> tuple[FloatArray, Box]:
    """Draw cropped ink again with MNIST's pen if its own is thinner: averaged to 20 pixels, a thin one would fade."""
    # The outermost row is covered only in part: the edge lies inside it, by what its darkest pixel lacks.
    first_row, first_column = 1 - float(ink[0].max()), 1 - float(ink[:, 0].max())
    height = ink.shape[0] - 1 + float(ink[-1].max()) - first_row
    width = ink.shape[1] - 1 + float(ink[:, -1].max()) - first_column
    longer = max(height, width)
    pen = pen_width(ink)
    if pen / longer > THIN * STROKE_WIDTH / BOX_SIZE:
        return ink, (first_row, first_column, first_row + height, first_column + width)
    tip = STROKE_WIDTH * SUPERSAMPLING
    scale = (BOX_SIZE * SUPERSAMPLING - tip) / max(longer - pen, 1.0)
    # The pen that is there already counts towards the new one.
    radius = (tip - pen * scale) / 2
    rows, columns = np.nonzero(ink > 0.5)
    origin = radius + 1
    y = (rows + 0.5 - first_row) * scale + origin
    x = (columns + 0.5 - first_column) * scale + origin
    bottom, right = height * scale + radius + origin, width * scale + radius + origin
    canvas = np.zeros((int(bottom) + 2, int(right) + 2), np.bool_)
    canvas[y.astype(np.int64), x.astype(np.int64)] = True
    return sweep(canvas, radius), (1.0, 1.0, bottom, right)
