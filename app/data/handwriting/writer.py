"""A hand that writes: how one glyph becomes another drawing each time it is written.

Lengths are in glyph heights. What differs was found by looking at sheets of drawn and of real digits side by side.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from app.data.handwriting.spline import GlyphSpline
from app.data.preprocessing.rasterize_batch import Drawing

Array = NDArray[np.float64]

PEN_MEDIAN = 2.5
"""Median pen width in pixels of the 28×28 image, as `pen_width` measures MNIST's training images (2.48) ..."""
PEN_SPREAD = 0.27
"""... and the standard deviation of its logarithm (5th and 95th percentile of MNIST: 1.69 and 3.90)."""
PEN_LIMITS = (1.4, 5.0)

SLANT_MEAN, SLANT_SPREAD = 0.12, 0.28
TURN_SPREAD_RADIANS = 0.1
ASPECT_SPREAD = 0.24
TAPER_SPREAD = 0.15
BALANCE_SPREAD = 0.3
WAVE_HEIGHT = 0.04
STROKE_SHIFT = 0.035
STROKE_STRETCH = 0.08
"""Strokes after the first are shifted, and made longer or shorter, by such lengths and shares."""
TREMOR = 0.007
RUN_ON = 0.03
"""Standard deviation of how far a stroke runs on beyond its end, or stops short of it."""
HOOK_SHARE, HOOK = 0.16, 0.07
"""Share of the strokes' ends where the pen leaves a hook, as it comes down or leaves in haste; and its length."""
PRESSURE_SHARE, PRESSURE = 0.4, 0.4
"""Share of the drawings whose pen presses unevenly, and by how much of its width."""
HAIR = 0.85
"""Width of the strokes of an uneven pen where it does not press, as a share of an even one's."""

STROKES = 12
"""Strokes that a glyph may have."""
POINTS = 64
"""Control points that a glyph may have."""
WAVES = 3


@dataclass(frozen=True, eq=False)
class Variation:
    """What makes each of N drawings different, before it is known what will be drawn: the same numbers for any glyph.

    `normal` fields have mean 0 and deviation 1, `share` fields lie in [0, 1).
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
    """The numbers for `count` drawings."""
    return Variation(
        points=rng.standard_normal((count, POINTS, 2)),
        globals=rng.standard_normal((count, 12)),
        strokes=rng.standard_normal((count, STROKES, 3)),
        ends=rng.standard_normal((count, STROKES, 2, 2)),
        tremor=rng.standard_normal((count, WAVES, 2)),
        share=rng.random((count, 8 + 2 * WAVES)),
        end_share=rng.random((count, STROKES, 2)),
    )


def write(pen: GlyphSpline, whims: Variation) -> list[Drawing]:
    """Write a glyph once for each of the N whims."""
    points = pen.points + pen.sway @ whims.points[:, : len(pen.points)]
    path = pen.basis @ points
    # Haste rounds corners: many write slowly, and some fast.
    haste = whims.share[:, 0] ** 1.5
    path += haste[:, None, None] * (pen.rounding @ path - path)
    path = _tremble(_run_on(_place_strokes(path, pen, whims), pen, whims), pen, whims)
    path = _warp(path, whims)
    width = np.clip(PEN_MEDIAN * np.exp(PEN_SPREAD * whims.globals[:, 0]), *PEN_LIMITS)
    return _press(path, pen, whims, width)


def _place_strokes(path: Array, pen: GlyphSpline, whims: Variation) -> Array:
    """A stroke does not begin quite where another one passes, nor is it as long as it was meant to be."""
    begin = pen.ends[0]
    for number, end in enumerate(pen.ends[1:], 1):
        own = path[:, begin:end]
        middle = own.mean(axis=1, keepdims=True)
        change = whims.strokes[:, number, None]
        path[:, begin:end] = middle + (own - middle) * np.exp(STROKE_STRETCH * change[..., 2:])
        path[:, begin:end] += STROKE_SHIFT * change[..., :2]
        begin = end
    return path


def _run_on(path: Array, pen: GlyphSpline, whims: Variation) -> Array:
    """Each stroke's very ends run on along the stroke, stop short, or leave a hook."""
    begin = 0
    for number, end in enumerate(pen.ends):
        for side, (tip, inner) in enumerate(((begin, begin + 2), (end - 1, end - 3))):
            ahead = path[:, tip] - path[:, inner]
            ahead /= np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-6)[:, None]
            far, askew = whims.ends[:, number, side].T
            hooked = whims.end_share[:, number, side] < HOOK_SHARE
            angle = np.where(hooked, np.sign(askew) * (1.9 + 0.4 * np.abs(askew)), 0.0)
            length = np.where(hooked, HOOK * np.abs(far), RUN_ON * far)
            cosine, sine = np.cos(angle) * length, np.sin(angle) * length
            path[:, tip, 0] += cosine * ahead[:, 0] - sine * ahead[:, 1]
            path[:, tip, 1] += sine * ahead[:, 0] + cosine * ahead[:, 1]
        begin = end
    return path


def _tremble(path: Array, pen: GlyphSpline, whims: Variation) -> Array:
    along = np.arange(path.shape[1]) / 12
    for wave in range(WAVES):
        phase = whims.share[:, 2 + wave, None] * 2 * np.pi
        turns = 1 + 4 * whims.share[:, 2 + WAVES + wave, None]
        height = TREMOR * whims.tremor[:, wave, None]
        path += height * np.sin(along * turns + phase)[..., None]
    return path


def _warp(path: Array, whims: Variation) -> Array:
    slant, turn, aspect, taper, balance, lean, across, down = (whims.globals[:, i, None] for i in range(1, 9))
    x, y = path[..., 0] - 0.35, path[..., 1] - 0.5
    # Where the middle of the digit lies: some people write large bowls over small ones, some the other way round.
    y = y + BALANCE_SPREAD * balance * (0.25 - y * y)
    x = x + 0.5 * BALANCE_SPREAD * lean * (0.12 - x * x)
    x = x * (1 + 2 * TAPER_SPREAD * taper * y)
    phases = whims.share[:, -2:] * 2 * np.pi
    x = x + WAVE_HEIGHT * across * np.sin(2 * np.pi * y + phases[:, :1])
    y = y + WAVE_HEIGHT * down * np.sin(2 * np.pi * x + phases[:, 1:])
    x = x * np.exp(ASPECT_SPREAD * aspect) - (SLANT_MEAN + SLANT_SPREAD * slant) * y
    cosine, sine = np.cos(TURN_SPREAD_RADIANS * turn), np.sin(TURN_SPREAD_RADIANS * turn)
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=2)


def _press(path: Array, pen: GlyphSpline, whims: Variation, width: Array) -> list[Drawing]:
    """Where the pen presses, the stroke is drawn again on either side of itself, and so becomes wider."""
    drawings: list[Drawing] = []
    begins = (0, *pen.ends[:-1])
    pressed = whims.share[:, 1] < PRESSURE_SHARE
    height = np.ptp(path, axis=1).max(axis=1)
    for i in range(len(path)):
        own = path[i]
        strokes = [own[begin:end] for begin, end in zip(begins, pen.ends, strict=True)]
        if pressed[i]:
            strength = PRESSURE * min(abs(float(whims.globals[i, 9])), 1.5) * float(width[i]) / 20 * height[i] / 2
            strokes += _sides(strokes, strength, whims.globals[i, 10:])
            width[i] *= HAIR
        drawings.append((strokes, float(width[i])))
    return drawings


def _sides(strokes: list[Array], strength: float, way: Array) -> list[Array]:
    """The edges of strokes that are pressed upon most at their begin, their end, or where the pen goes down."""
    sides = []
    for stroke in strokes:
        ahead = np.gradient(stroke, axis=0)
        ahead /= np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-6)[:, None]
        along = np.linspace(-1, 1, len(stroke))
        force = np.clip(0.5 + 0.4 * way[0] * along + 0.4 * way[1] * ahead[:, 1], 0, 1)[:, None]
        aside = strength * force * np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
        sides += [stroke + aside, stroke - aside]
    return sides
