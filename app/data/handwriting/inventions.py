"""Invented characters: glyphs of no alphabet, so that a network learns that letters it never saw are no digits."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from app.data.handwriting.glyph import Glyph, Stroke

Points: TypeAlias = Sequence[tuple[float, float]]
Part: TypeAlias = Callable[[float, float, float, float, int], Sequence[Points]]
"""The curves of a stroke, from a place x, y, a top, a bottom, and the side, -1 or 1, to which it opens."""

STROKE_COUNTS = (0.25, 0.4, 0.25, 0.1)
"""The shares of free characters with one, two, three and four strokes."""
PART_COUNTS = (0.0, 0.45, 0.4, 0.15)
"""The shares of composed characters with one, two, three and four parts."""
ANGULAR = 0.4
"""The share of free strokes that have corners and no curves."""
LEFT, MIDDLE, RIGHT = 0.05, 0.35, 0.65
JITTER = 0.05


def invent_glyph(rng: np.random.Generator) -> Glyph:
    """A random glyph: as often free strokes as a composition of the parts of letters."""
    draw, shares = (_free_stroke, STROKE_COUNTS) if rng.random() < 0.5 else (_part, PART_COUNTS)
    count = int(rng.choice(len(shares), p=shares)) + 1
    return Glyph(1, tuple(draw(rng, count) for _ in range(count)))


def _free_stroke(rng: np.random.Generator, count: int) -> Stroke:
    """A curve or a zigzag between points of a coarse grid, shorter if it is one of many."""
    grid = rng.integers(0, 4, (int(rng.integers(2, 6 if count < 3 else 4)), 2)) / 3 * (2 * MIDDLE, 1)
    points = (grid + rng.normal(0, JITTER, grid.shape)).tolist()
    return _stroke([points[:2], *([point] for point in points[2:])] if rng.random() < ANGULAR else [points])


def _part(rng: np.random.Generator, count: int) -> Stroke:
    """A part of a letter, at one of a few places."""
    top, bottom = np.sort(rng.choice(5, 2, replace=False)) / 4
    x, y = rng.choice([LEFT, MIDDLE, RIGHT]), rng.choice([0.0, 0.5, 1.0])
    part = PARTS[str(rng.choice(list(PARTS)))]
    shift = rng.normal(0, JITTER, 2)
    return _stroke([np.add(curve, shift).tolist() for curve in part(x, y, top, bottom, int(rng.choice([-1, 1])))])


def _stroke(curves: Sequence[Points]) -> Stroke:
    return tuple(tuple((float(x), float(y)) for x, y in curve) for curve in curves)


def _bowl(x: float, y: float, top: float, bottom: float, side: int) -> Sequence[Points]:
    near, far, edge = x + 0.32 * side, x + 0.4 * side, 0.1 * (bottom - top)
    return [[(x, top), (near, top + edge), (far, (top + bottom) / 2), (near, bottom - edge), (x, bottom)]]


def _ring(x: float, y: float, top: float, bottom: float, side: int) -> Sequence[Points]:
    angles, radius = np.linspace(0, 2 * np.pi, 8), (bottom - top) / 3
    return [[(x + radius * np.cos(angle), y + radius * np.sin(angle)) for angle in angles]]


def _arch(top: float, bottom: float) -> Sequence[Points]:
    knee = top + 0.2 * (bottom - top)
    return [[(LEFT, bottom), (0.1, knee), (MIDDLE, top), (0.6, knee), (RIGHT, bottom)]]


PARTS: Mapping[str, Part] = {
    "stem": lambda x, y, top, bottom, side: [[(x, top), (x, bottom)]],
    "bar": lambda x, y, top, bottom, side: [[(LEFT, y), (RIGHT, y)]],
    "diagonal": lambda x, y, top, bottom, side: [[(MIDDLE - 0.3 * side, top), (MIDDLE + 0.3 * side, bottom)]],
    "vee": lambda x, y, top, bottom, side: [[(LEFT, top), (MIDDLE, bottom)], [(RIGHT, top)]],
    "roof": lambda x, y, top, bottom, side: [[(LEFT, bottom), (MIDDLE, top)], [(RIGHT, bottom)]],
    "arch": lambda x, y, top, bottom, side: _arch(top, bottom),
    "cup": lambda x, y, top, bottom, side: _arch(bottom, top),
    "bowl": _bowl,
    "ring": _ring,
}
