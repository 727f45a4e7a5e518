"""Glyphs prepared for drawing: the matrices that turn displaced control points into the path of the pen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.data.handwriting.glyph import Glyph, Stroke

Matrix = NDArray[np.float64]

SAMPLES_PER_SPAN = 5
"""Points per span between two control points."""

# The correlated displacement of control points, in glyph heights. Points near each other in the plane move together, so
# that a loop stays closed; so do points near each other along the stroke; and each moves a little by itself.
NEAR_SPREAD, NEAR_LENGTH = 0.045, 0.3
ALONG_SPREAD, ALONG_LENGTH = 0.035, 0.3
OWN_SPREAD = 0.017
ROUNDING_LENGTH = 0.1
"""The length along the path over which a fast pen rounds corners, in glyph heights."""


@dataclass(frozen=True, eq=False)
class GlyphSpline:
    """A glyph prepared for drawing: path = basis @ points.

    `points` is float64 (K, 2), `basis` (M, K), and `ends` are the M-indices after each stroke's last point. `reach`
    (K, 2) leads from the points to those of the glyph's `towards`. `sway` (K, K) turns independent normal numbers into
    correlated displacements; `rounding` (M, M) rounds the corners of a path. Every stroke's first and last point is
    doubled, for a hook or an overshoot.
    """

    glyph: Glyph
    points: Matrix
    reach: Matrix
    basis: Matrix
    ends: tuple[int, ...]
    sway: Matrix
    rounding: Matrix

    @property
    def stroke_of(self) -> NDArray[np.int64]:
        """The number of the stroke that each of the M points belongs to."""
        return np.searchsorted(self.ends, np.arange(len(self.basis)), side="right")


def make_pen(glyph: Glyph) -> GlyphSpline:
    """Compute the matrices of a glyph."""
    points = _points(glyph.strokes)
    towards = points if glyph.towards is None else _points(glyph.towards)
    count = 0
    rows: list[dict[int, float]] = []
    ends = []
    stroke_of_point: list[int] = []
    for number, stroke in enumerate(glyph.strokes):
        indices: list[int] = []
        begin = len(rows)
        for curve in stroke:
            indices = [*indices[-1:], *range(count, count + len(curve))]
            count += len(curve)
            stroke_of_point += [number] * len(curve)
            rows.extend(_catmull_rom(indices)[: None if curve is stroke[-1] else -1])
        rows.insert(begin, rows[begin])
        rows.append(rows[-1])
        ends.append(len(rows))
    basis = np.zeros((len(rows), count))
    for row, weights in enumerate(rows):
        for column, weight in weights.items():
            basis[row, column] = weight
    sway, rounding = _sway(points, np.array(stroke_of_point)), _rounding(basis @ points, ends)
    return GlyphSpline(glyph, points, towards - points, basis, tuple(ends), sway, rounding)


def _points(strokes: Sequence[Stroke]) -> Matrix:
    return np.array([point for stroke in strokes for curve in stroke for point in curve], np.float64)


def _sway(points: Matrix, stroke_of: NDArray[np.int64]) -> Matrix:
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    near = ((points[:, None] - points) ** 2).sum(axis=2)
    same = stroke_of[:, None] == stroke_of
    covariance = NEAR_SPREAD**2 * np.exp(-near / (2 * NEAR_LENGTH**2))
    covariance += ALONG_SPREAD**2 * same * np.exp(-((along[:, None] - along) ** 2) / (2 * ALONG_LENGTH**2))
    return np.linalg.cholesky(covariance + OWN_SPREAD**2 * np.eye(len(points)))


def _rounding(path: Matrix, ends: list[int]) -> Matrix:
    """Averages along the path, over less towards the ends of a stroke, which stay in place."""
    rounding = np.zeros((len(path), len(path)))
    begin = 0
    for end in ends:
        steps = np.hypot(*np.diff(path[begin:end], axis=0).T)
        along = np.r_[0, np.cumsum(steps)]
        # Weights compensate for the density of the points.
        weight = np.maximum(np.r_[steps, 0] + np.r_[0, steps], 1e-9)
        length = np.maximum(np.minimum(ROUNDING_LENGTH, np.minimum(along, along[-1] - along) / 2), 1e-6)[:, None]
        kernel = weight * np.exp(-((along[:, None] - along) ** 2) / (2 * length**2))
        rounding[begin:end, begin:end] = kernel / kernel.sum(axis=1, keepdims=True)
        begin = end
    return rounding


def _catmull_rom(indices: list[int]) -> list[dict[int, float]]:
    """Weights of the control points for every sample of a uniform Catmull-Rom spline (E. Catmull, R. Rom, 1974)."""
    samples = SAMPLES_PER_SPAN
    rows: list[dict[int, float]] = []
    for span in range(len(indices) - 1):
        around = [indices[min(max(span + offset, 0), len(indices) - 1)] for offset in (-1, 0, 1, 2)]
        for step in range(samples):
            t = step / samples
            weights = (
                (-t + 2 * t**2 - t**3) / 2,
                (2 - 5 * t**2 + 3 * t**3) / 2,
                (t + 4 * t**2 - 3 * t**3) / 2,
                (-(t**2) + t**3) / 2,
            )
            row: dict[int, float] = {}
            for index, weight in zip(around, weights, strict=True):
                row[index] = row.get(index, 0.0) + weight
            rows.append(row)
    rows.append({indices[-1]: 1.0})
    return rows
