"""Optimizers on surfaces of two parameters, with visible paths.

The third is Rosenbrock's (1960), with 10 instead of 100, which makes its valley wider.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.learn.experiments.curves import numbers
from app.nn.arrays import Array
from app.nn.optimizers import OPTIMIZERS
from app.nn.spec import build

GRID = (81, 61)
MOST_STEPS = 200
FAR = 1e6
"""An optimizer beyond this distance has left the surface."""


@dataclass(frozen=True)
class Surface:
    """A function of (x, y), its gradient, the visible range, a start, and suitable learning rates."""

    value: Callable[[Array, Array], Array]
    gradient: Callable[[float, float], tuple[float, float]]
    x: tuple[float, float]
    y: tuple[float, float]
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...]
    formula: str
    rates: Mapping[str, float]


SURFACES: Mapping[str, Surface] = {
    "valley": Surface(
        value=lambda x, y: x**2 / 20 + y**2,
        gradient=lambda x, y: (x / 10, 2 * y),
        x=(-10, 10),
        y=(-5, 5),
        start=(-7, 2),
        minima=((0, 0),),
        formula="x²/20 + y²",
        # from Deep Learning from Scratch, section 6.1.7, if it has the optimizer
        rates={
            "sgd": 0.95,
            "momentum": 0.1,
            "nesterov": 0.1,
            "adagrad": 1.5,
            "rmsprop": 0.3,
            "adam": 0.3,
            "adamw": 0.3,
        },
    ),
    "saddle": Surface(
        value=lambda x, y: x**2 / 2 - y**2 / 2 + y**4 / 4,
        gradient=lambda x, y: (x, y**3 - y),
        x=(-2, 2),
        y=(-1.6, 1.6),
        start=(-1.6, 0.01),
        minima=((0, 1), (0, -1)),
        formula="x²/2 − y²/2 + y⁴/4",
        rates={
            "sgd": 0.1,
            "momentum": 0.05,
            "nesterov": 0.05,
            "adagrad": 0.3,
            "rmsprop": 0.05,
            "adam": 0.1,
            "adamw": 0.1,
        },
    ),
    "rosenbrock": Surface(
        value=lambda x, y: (1 - x) ** 2 + 10 * (y - x**2) ** 2,
        gradient=lambda x, y: (-2 * (1 - x) - 40 * x * (y - x**2), 20 * (y - x**2)),
        x=(-2, 2),
        y=(-1, 3),
        start=(-1.2, 2),
        minima=((1, 1),),
        formula="(1 − x)² + 10 (y − x²)²",
        rates={
            "sgd": 0.01,
            "momentum": 0.003,
            "nesterov": 0.003,
            "adagrad": 0.5,
            "rmsprop": 0.05,
            "adam": 0.2,
            "adamw": 0.2,
        },
    ),
}


def surfaces() -> dict[str, Any]:
    """Every surface as a grid of heights, row by row from the lowest y, and an initial learning rate for each
    optimizer."""
    return {
        "surfaces": [{"name": name, **_described(surface)} for name, surface in SURFACES.items()],
        "optimizers": list(OPTIMIZERS),
        "most_steps": MOST_STEPS,
    }


def _described(surface: Surface) -> dict[str, Any]:
    across, up = np.linspace(*surface.x, GRID[0]), np.linspace(*surface.y, GRID[1])
    heights = surface.value(*np.meshgrid(across, up))
    return {
        "x": surface.x,
        "y": surface.y,
        "start": surface.start,
        "minima": surface.minima,
        "formula": surface.formula,
        "columns": GRID[0],
        "rows": GRID[1],
        "heights": numbers(heights.reshape(-1)),
        "rates": {name: rate_of(surface, name) for name in OPTIMIZERS},
    }


def rate_of(surface: Surface, optimizer: str) -> float:
    """A suitable learning rate, or the optimizer's default."""
    return surface.rates.get(optimizer, build("optimizer", OPTIMIZERS, optimizer).learning_rate)


def path(
    surface: str, optimizer: str, rate: float, steps: int, start: tuple[float, float] | None = None
) -> dict[str, Any]:
    """The path of an optimizer from the surface's start, or another one: a point per step, and its height.

    `left` is true if it left the surface and was stopped.
    """
    function = SURFACES[surface]
    point = np.array(start or function.start, np.float64)
    rule = build("optimizer", OPTIMIZERS, {"type": optimizer, "learning_rate": rate})
    points = [point.tolist()]
    left = False
    for _ in range(steps):
        rule.step(point, np.array(function.gradient(*point.tolist())))
        if not all(math.isfinite(part) and abs(part) < FAR for part in point.tolist()):
            left = True
            break
        points.append(point.tolist())
    heights = function.value(*np.array(points).T)
    return {"points": points, "heights": heights.tolist(), "left": left}
