"""The shape of a symbol and its variation: a glyph."""

from dataclasses import dataclass
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
"""A control point, x and y, in a box about 0.7 wide and 1 high, y down."""
Curve: TypeAlias = tuple[Point, ...]
"""The points of one smooth curve."""
Stroke: TypeAlias = tuple[Curve, ...]
"""Curves between which the pen turns a corner without lifting; one begins where the previous one ended."""


@dataclass(frozen=True)
class Glyph:
    """One way to write a symbol, and its variation; `weight` is its frequency relative to the symbol's other glyphs.

    Each drawing lies anywhere between `strokes` and `towards`, which has as many points: a loop or a gap opens or
    closes, a tail or a flag is short or long. `width` and `slant` are the mean and the spread of those two, relative
    to the mean and spread of all hands: the mean of `width` is the logarithm of a factor, that of `slant` is in widths
    per height. Corners become rounder with `haste`; 1 is an ordinary hand.
    """

    weight: float
    strokes: tuple[Stroke, ...]
    towards: tuple[Stroke, ...] | None = None
    width: tuple[float, float] = (0.0, 1.0)
    slant: tuple[float, float] = (0.0, 1.0)
    haste: float = 1.0
