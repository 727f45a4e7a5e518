"""Hands that draw ○ △ ×, in a square of 500, never twice the same."""

from itertools import pairwise

import numpy as np

Strokes = list[list[list[float]]]


def draw_symbol(label: str, rng: np.random.Generator) -> Strokes:
    """Strokes of one symbol, all that differs from last time coming from `rng`."""
    return {"○": _circle, "△": _triangle, "×": _cross}[label](rng)


def _circle(rng: np.random.Generator) -> Strokes:
    start, end = -1.6 + rng.normal(0, 0.2), 4.7 + rng.normal(0, 0.2)
    angles = np.linspace(start, end, 14)
    (x, y), (across, down) = rng.uniform(220, 280, 2), rng.uniform(120, 180, 2)
    return [np.stack([x + across * np.cos(angles), y + down * np.sin(angles)], axis=1).round(1).tolist()]


def _triangle(rng: np.random.Generator) -> Strokes:
    corners = np.array([[250, 100], [400, 400], [100, 400]]) + rng.normal(0, 18, (3, 2))
    return [_line([*corners, corners[0] + rng.normal(0, 10, 2)])]


def _cross(rng: np.random.Generator) -> Strokes:
    ends = np.array([[120, 120], [380, 380], [380, 120], [120, 380]]) + rng.normal(0, 22, (4, 2))
    return [_line(ends[:2]), _line(ends[2:])]


def _line(corners: list[np.ndarray] | np.ndarray) -> list[list[float]]:
    sides = [np.linspace(a, b, 4) for a, b in pairwise(corners)]
    return np.concatenate(sides).round(1).tolist()
