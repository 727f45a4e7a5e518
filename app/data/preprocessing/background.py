"""Background estimation: the paper of a grey picture, evenly lit or not, and the contrast of each pixel with it."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from app.data.preprocessing.decode import GreyArray
from app.data.preprocessing.rasterize import FloatArray

Edges: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""Rows at the top and the bottom, columns at the left and the right."""
NO_EDGES: Edges = (0, 0), (0, 0)

EVEN_TONE = 0.06
"""The largest difference (in 0 to 1) from the border's median tone on even paper."""
EVEN_SHARE = 0.95
"""The share of the border's pixels that must be within it."""
EXACT_SHARE = 0.15
"""The least share of a picture's pixels with exactly one tone, for that to be the paper's."""
EXACT_NEIGHBORS, EXACT_EDGES = 0.8, 6.0
"""The least share of these pixels whose right neighbour has the tone too, less by EXACT_EDGES / size in a small
picture, of which the edges of ink take more. Noise that is cut off at white leaves a half."""
STRAY_SHARE = 0.01
"""The largest share of pixels beyond exact paper on the side where the ink is not, or beyond two exact tones."""
SHARP_STEP = 0.06
"""The least step from a pixel to the next at the edge of ink, relative to the difference of all tones."""
SIMILAR, SIMILAR_SHARE = 30, 0.2
"""The largest share of pixels whose tone differs from exact paper's by no more than this, of 255."""
NOISE_TONE = 2.0
"""The additional tolerance on a noisy picture, in standard deviations of the noise."""

PAPER_SIZE = 64
"""The longer side, in pixels, of the reduced picture on which uneven paper is estimated."""
PAPER_WINDOW = 27
"""The side of the window of that estimate: wider than any stroke, and odd for Pillow."""

RING = 3
"""The width of the reduced picture's border, in pixels, that is mostly paper and shows the light."""
RING_SHARE = 0.9
"""The light is smooth if at least this share of the border fits it; the rest may be ink that reaches the border."""
BAR_SHARE = 0.25
"""The largest width of a letterbox bar as a share of the picture."""
TURNS, SMALLEST = 12, 1e-3
"""Iterations of the fit, and the smallest difference (in 0 to 1) that counts."""
NO_CHANGE = 0.01
"""An average difference from the paper below this is rounding."""
SHADOW_SHARE = 0.12
"""The largest share of the ink at the border."""
DARKEST = 0.2
"""The least light, as a share of the brightest place's, by which contrast is divided."""


@dataclass(frozen=True, eq=False)
class Contrast:
    """The difference of each pixel from the paper towards the ink, float32 (H, W), 1 between black and white."""

    contrast: FloatArray
    is_light: bool
    """The ink is lighter than the paper."""
    is_even: bool
    """The paper is of one tone; otherwise uneven light is removed from `contrast`."""
    noise: FloatArray
    """The deviation of noise in `contrast`, (H, W), or (1, 1) if it is the same everywhere."""


def find_uniform_background(grey: GreyArray) -> int | None:
    """Find the tone of paper that has exactly one, as drawing programs make it, also if much of the border is ink.

    Of the two most frequent tones of a grey picture, uint8 (H, W), the one with more of the border. None if neither is
    frequent and in one piece, or if one is light's or a frame's: a soft shadow's, whose ink is beyond both tones, or
    that of a frame around paper of similar tones.
    """
    counts = np.bincount(grey.ravel(), minlength=256)
    found = [tone for tone in np.argsort(counts)[:-3:-1].tolist() if _is_exact(grey == tone)]
    border = border_of(grey)
    tone = max(found, key=lambda tone: int(np.count_nonzero(border == tone)), default=None)
    if tone is None or _steepest(grey) < SHARP_STEP * (int(grey.max()) - int(grey.min())):
        return None
    below, above = counts[: max(tone - SIMILAR, 0)].sum(), counts[tone + SIMILAR + 1 :].sum()
    similar = grey.size - below - above - counts[tone]
    if len(found) == 2:
        below, above = counts[: max(min(found) - SIMILAR, 0)].sum(), counts[max(found) + SIMILAR + 1 :].sum()
        stray = below + above
    else:
        stray = min(below, above)
    return tone if stray <= STRAY_SHARE * grey.size and similar < SIMILAR_SHARE * grey.size else None


def is_even(picture: FloatArray, noise: float = 0.0) -> bool:
    """True if nearly all of a picture's border, with noise of this deviation, is of one tone."""
    border = border_of(picture)
    return bool(np.mean(np.abs(border - np.median(border)) < EVEN_TONE + NOISE_TONE * noise) >= EVEN_SHARE)


def estimate_background(
    picture: FloatArray, noise: float = 0.0, *, even_out: bool = True, exact: int | None = None
) -> Contrast:
    """Estimate the paper of a picture, float32 (H, W) in 0 to 1, with noise of this deviation.

    Without `even_out` it is assumed to be even, with the median tone of its border; with `exact`, from
    `find_uniform_background`, with that tone.
    """
    if not even_out or exact is not None or is_even(picture, noise):
        tone = np.median(border_of(picture)) if exact is None else np.float32(exact / 255)
        lighter = picture - tone
        light = bool(lighter.sum() > 0)
        return Contrast(lighter if light else -lighter, light, True, np.full((1, 1), noise, np.float32))
    small = _reduced(picture)
    basis = [_powers(side) for side in small.shape]
    weights, share = _light_of(small, basis, EVEN_TONE + NOISE_TONE * noise)
    tall, wide = (_powers(side) for side in picture.shape)
    light = bool((small - basis[0] @ weights @ basis[1].T).sum() > 0)
    if share >= RING_SHARE:
        paper = (tall @ weights @ wide.T).astype(np.float32)
    else:
        light, paper = _shadowed(small, picture.shape, light)
    difference = picture - paper if light else paper - picture
    # Light is a factor: in the shade ink differs less from the paper.
    lit = np.maximum(paper / max(float(paper.max()), SMALLEST), DARKEST)
    return Contrast(difference / lit, light, False, np.float32(noise) / lit)


def strip_letterbox(grey: GreyArray) -> tuple[GreyArray, Edges]:
    """A grey picture, uint8 (H, W), without letterbox bars, which have exactly one tone, and the widths removed.

    The inside must have paper of one tone, other than the bars', on all four sides; otherwise nothing is removed.
    """
    top, bottom = _bar(grey), _bar(grey[::-1])
    inside = grey[top : len(grey) - bottom]
    left, right = _bar(inside.T), _bar(inside.T[::-1])
    inside = inside[:, left : inside.shape[1] - right]
    if inside.shape == grey.shape or inside.min() == inside.max():
        return grey, NO_EDGES
    sides = [np.median(side) for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1])]
    return (inside, ((top, bottom), (left, right))) if np.ptp(sides) < 255 * EVEN_TONE else (grey, NO_EDGES)


def as_floats(grey: GreyArray) -> FloatArray:
    """A grey picture, uint8, as float32 in 0 to 1."""
    return grey.astype(np.float32) / np.float32(255)


def border_of(picture: NDArray[Any]) -> NDArray[Any]:
    """The outermost pixels of a picture (H, W), each once."""
    return np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])


def _is_exact(plateau: NDArray[np.bool_]) -> bool:
    if np.count_nonzero(plateau) < EXACT_SHARE * plateau.size:
        return False
    begins, least = plateau[:, :-1], EXACT_NEIGHBORS - EXACT_EDGES / max(plateau.shape)
    return bool(np.count_nonzero(begins & plateau[:, 1:]) >= least * np.count_nonzero(begins))


def _steepest(grey: GreyArray) -> int:
    """The largest difference of a pixel from the next one in its row or column."""
    tones = grey.astype(np.int16)
    return max(int(np.abs(np.diff(tones, axis=axis)).max(initial=0)) for axis in (0, 1))


def _bar(grey: GreyArray) -> int:
    """The number of rows at the top of one tone that (almost) no pixel of the next row has."""
    tone = int(grey[0, 0])
    if (grey[0] != tone).any():
        return 0
    rows = (grey == tone).all(axis=1)
    depth = int(np.argmin(rows))
    if not 0 < depth <= BAR_SHARE * len(rows):
        return 0
    other = np.abs(grey[depth].astype(np.int64) - tone) > 255 * EVEN_TONE
    return depth if np.count_nonzero(other) >= EVEN_SHARE * other.size else 0


def _reduced(picture: FloatArray) -> FloatArray:
    height, width = picture.shape
    scale = min(1.0, PAPER_SIZE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def _powers(side: int) -> NDArray[np.float64]:
    """1, x, x² at the middles of `side` pixels of [-1, 1]: (side, 3)."""
    x = (np.arange(side) + 0.5) * (2 / side) - 1
    return np.stack([np.ones(side), x, x * x], axis=1)


def _light_of(
    small: FloatArray, basis: list[NDArray[np.float64]], tolerance: float
) -> tuple[NDArray[np.float64], float]:
    """The quadratic surface fitted to the border, as weights (3, 3) of the powers, and the share of the border on it.

    Fitted by least absolute deviations (E. Schlossmacher, JASA 68(344), 1973), which a minority of ink at the border
    does not affect. The border determines a quadratic everywhere.
    """
    ring = _ring(small)
    rows, columns = np.nonzero(ring)
    down, across = basis[0][rows], basis[1][columns]
    orders = [(i, j) for i in range(3) for j in range(3) if i + j < 3]
    terms = np.stack([down[:, i] * across[:, j] for i, j in orders], axis=1)
    tones = small[ring].astype(np.float64)
    fit = np.linalg.lstsq(terms, tones, rcond=None)[0]
    for _ in range(TURNS):
        weight = 1 / np.maximum(np.abs(tones - terms @ fit), SMALLEST) ** 0.5
        fit = np.linalg.lstsq(terms * weight[:, None], tones * weight, rcond=None)[0]
    weights = np.zeros((3, 3))
    for (i, j), value in zip(orders, fit.tolist(), strict=True):
        weights[i, j] = value
    return weights, float(np.mean(np.abs(tones - terms @ fit) < tolerance))


def _ring(small: FloatArray) -> NDArray[np.bool_]:
    ring = np.ones(small.shape, np.bool_)
    ring[RING:-RING, RING:-RING] = False
    return ring


def _shadowed(small: FloatArray, shape: tuple[int, ...], light: bool) -> tuple[bool, FloatArray]:
    """The polarity (True for light ink) and the paper under light that is not smooth, at its full size (H, W).

    `light` is the apparent polarity. It is wrong if nothing differs in the other direction, and much of what differs in
    this one is at the border: then that is a shadow or a light.
    """
    images = [_without_strokes(small, closing=closing) for closing in (light, not light)]
    other, seeming = (np.abs(small - as_floats(np.asarray(image))) for image in images)
    if other.mean() < NO_CHANGE and seeming[_ring(small)].sum() > SHADOW_SHARE * seeming.sum():
        light, images = not light, images[::-1]
    blurred = images[1].filter(ImageFilter.GaussianBlur(2))
    return light, as_floats(np.asarray(blurred.resize((shape[1], shape[0]), Image.Resampling.BICUBIC)))


def _without_strokes(small: FloatArray, *, closing: bool) -> Image.Image:
    """Remove thin strokes: dark ones by closing, light ones by opening; both keep gradients."""
    image = Image.fromarray((small * 255).clip(0, 255).astype(np.uint8))
    first, second = ImageFilter.MaxFilter(PAPER_WINDOW), ImageFilter.MinFilter(PAPER_WINDOW)
    return image.filter(first).filter(second) if closing else image.filter(second).filter(first)
