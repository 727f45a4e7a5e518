"""Handwriting: a glyph becomes a different drawing each time it is written.

Lengths are in glyph heights. The amounts were tuned by comparing generated and real digits side by side.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from app.data.handwriting.glyph import Glyph
from app.data.handwriting.spline import GlyphSpline
from app.data.preprocessing.rasterize_batch import Drawing

Array = NDArray[np.float64]

PEN_MEDIAN = 2.5
"""The median pen width in pixels of the 28×28 image; `pen_width` measures 2.48 on MNIST's training images."""
PEN_SPREAD = 0.27
"""The standard deviation of the logarithm of the pen width (5th and 95th percentile of MNIST: 1.69 and 3.90)."""
PEN_LIMITS = (1.4, 5.0)

SLANT_MEAN, SLANT_SPREAD = 0.12, 0.28
TURN_SPREAD_RADIANS = 0.1
ASPECT_SPREAD = 0.24
TAPER_SPREAD = 0.15
BALANCE_SPREAD = 0.3
WAVE_HEIGHT = 0.04
STROKE_SHIFT = 0.035
STROKE_STRETCH = 0.08
"""Standard deviations of the shift and of the relative length of strokes after the first."""
TREMOR = 0.007
RUN_ON = 0.03
"""Standard deviation of a stroke's overshoot, negative if it stops short."""
HOOK_SHARE, HOOK = 0.16, 0.07
"""The share of stroke ends with a hook, and the standard deviation of its length."""
PRESSURE_SHARE, PRESSURE = 0.4, 0.4
"""The share of drawings with uneven pen pressure, and its strength as a share of the pen width."""
HAIR = 0.85
"""The pen width without pressure in a drawing with uneven pressure, relative to an even pen."""

STROKES = 12
"""The most strokes of a glyph."""
POINTS = 64
"""The most control points of a glyph."""
WAVES = 3


@dataclass(frozen=True, eq=False)
class Variation:
    """The random numbers of N drawings, independent of their glyphs.

    `share` and `end_share` are uniform in [0, 1), all others normal with mean 0 and deviation 1.
    """

    points: Array
    globals: Array
    strokes: Array
    ends: Array
    tremor: Array
    share: Array
    end_share: Array

    def __getitem__(self, rows: NDArray[np.int64]) -> "Variation":
        return Variation(*(getattr(self, field.name)[rows] for field in fields(self)))


def draw_variation(rng: np.random.Generator, count: int) -> Variation:
    """Draw the random numbers of `count` drawings."""
    return Variation(
        points=rng.standard_normal((count, POINTS, 2)),
        globals=rng.standard_normal((count, 12)),
        strokes=rng.standard_normal((count, STROKES, 3)),
        ends=rng.standard_normal((count, STROKES, 2, 2)),
        tremor=rng.standard_normal((count, WAVES, 2)),
        share=rng.random((count, 8 + 2 * WAVES)),
        end_share=rng.random((count, STROKES, 2)),
    )


def write(pen: GlyphSpline, variation: Variation) -> list[Drawing]:
    """Write a glyph once for each of the N variations."""
    points = pen.points + variation.share[:, 8, None, None] * pen.reach
    points = points + pen.sway @ variation.points[:, : len(pen.points)]
    path = pen.basis @ points
    # Fast writing rounds corners; most people write slowly.
    haste = variation.share[:, 0] ** (1.5 / pen.glyph.haste)
    path += haste[:, None, None] * (pen.rounding @ path - path)
    path = _tremble(_run_on(_place_strokes(path, pen, variation), pen, variation), pen, variation)
    path = _warp(path, pen.glyph, variation)
    width = np.clip(PEN_MEDIAN * np.exp(PEN_SPREAD * variation.globals[:, 0]), *PEN_LIMITS)
    return _press(path, pen, variation, width)


def _place_strokes(path: Array, pen: GlyphSpline, variation: Variation) -> Array:
    """Shift and stretch all strokes but the first."""
    begin = pen.ends[0]
    for number, end in enumerate(pen.ends[1:], 1):
        stroke = path[:, begin:end]
        middle = stroke.mean(axis=1, keepdims=True)
        change = variation.strokes[:, number, None]
        path[:, begin:end] = middle + (stroke - middle) * np.exp(STROKE_STRETCH * change[..., 2:])
        path[:, begin:end] += STROKE_SHIFT * change[..., :2]
        begin = end
    return path


def _run_on(path: Array, pen: GlyphSpline, variation: Variation) -> Array:
    """Extend, shorten or hook both ends of each stroke."""
    begin = 0
    for number, end in enumerate(pen.ends):
        for side, (tip, inner) in enumerate(((begin, begin + 2), (end - 1, end - 3))):
            ahead = path[:, tip] - path[:, inner]
            ahead /= np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-6)[:, None]
            far, askew = variation.ends[:, number, side].T
            hooked = variation.end_share[:, number, side] < HOOK_SHARE
            angle = np.where(hooked, np.sign(askew) * (1.9 + 0.4 * np.abs(askew)), 0.0)
            length = np.where(hooked, HOOK * np.abs(far), RUN_ON * far)
            cosine, sine = np.cos(angle) * length, np.sin(angle) * length
            path[:, tip, 0] += cosine * ahead[:, 0] - sine * ahead[:, 1]
            path[:, tip, 1] += sine * ahead[:, 0] + cosine * ahead[:, 1]
        begin = end
    return path


def _tremble(path: Array, pen: GlyphSpline, variation: Variation) -> Array:
    along = np.arange(path.shape[1]) / 12
    for wave in range(WAVES):
        phase = variation.share[:, 2 + wave, None] * 2 * np.pi
        turns = 1 + 4 * variation.share[:, 2 + WAVES + wave, None]
        height = TREMOR * variation.tremor[:, wave, None]
        path += height * np.sin(along * turns + phase)[..., None]
    return path


def _warp(path: Array, glyph: Glyph, variation: Variation) -> Array:
    slant, turn, width, taper, balance, lean, across, down = (variation.globals[:, i, None] for i in range(1, 9))
    shear = SLANT_MEAN + glyph.slant[0] + SLANT_SPREAD * glyph.slant[1] * slant
    aspect = glyph.width[0] + ASPECT_SPREAD * glyph.width[1] * width
    x, y = path[..., 0] - 0.35, path[..., 1] - 0.5
    # The balance of upper and lower bowls, and of left and right.
    y = y + BALANCE_SPREAD * balance * (0.25 - y * y)
    x = x + 0.5 * BALANCE_SPREAD * lean * (0.12 - x * x)
    x = x * (1 + 2 * TAPER_SPREAD * taper * y)
    phases = variation.share[:, -2:] * 2 * np.pi
    x = x + WAVE_HEIGHT * across * np.sin(2 * np.pi * y + phases[:, :1])
    y = y + WAVE_HEIGHT * down * np.sin(2 * np.pi * x + phases[:, 1:])
    x = x * np.exp(aspect) - shear * y
    cosine, sine = np.cos(TURN_SPREAD_RADIANS * turn), np.sin(TURN_SPREAD_RADIANS * turn)
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=2)


def _press(path: Array, pen: GlyphSpline, variation: Variation, width: Array) -> list[Drawing]:
    """Widen strokes under pressure by drawing them again on both sides."""
    drawings: list[Drawing] = []
    begins = (0, *pen.ends[:-1])
    pressed = variation.share[:, 1] < PRESSURE_SHARE
    height = np.ptp(path, axis=1).max(axis=1)
    for i in range(len(path)):
        strokes = [path[i][begin:end] for begin, end in zip(begins, pen.ends, strict=True)]
        if pressed[i]:
            strength = PRESSURE * min(abs(float(variation.globals[i, 9])), 1.5) * float(width[i]) / 20 * height[i] / 2
            strokes += _sides(strokes, strength, variation.globals[i, 10:])
            width[i] *= HAIR
        drawings.append((strokes, float(width[i])))
    return drawings


def _sides(strokes: list[Array], strength: float, way: Array) -> list[Array]:
    """The edges of strokes with most pressure at their start, at their end, or in downward parts."""
    sides = []
    for stroke in strokes:
        ahead = np.gradient(stroke, axis=0)
        ahead /= np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-6)[:, None]
        along = np.linspace(-1, 1, len(stroke))
        force = np.clip(0.5 + 0.4 * way[0] * along + 0.4 * way[1] * ahead[:, 1], 0, 1)[:, None]
        aside = strength * force * np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
        sides += [stroke + aside, stroke - aside]
    return sides
