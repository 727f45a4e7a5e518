"""Optimizers on surfaces of two parameters, where one can see the way they go.

The third is Rosenbrock's (1960), with 10 for his 100, so that its valley is less narrow.
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
"""An optimizer that comes so far out has left the surface for good."""


@dataclass(frozen=True)
class Surface:
    """A function of (x, y), its gradient, the part of it that is shown, a start, and learning rates that suit it."""

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
        # those of Deep Learning from Scratch, section 6.1.7, where it has the optimizer
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
    """Every surface as a grid of heights, row by row from the lowest y, and the learning rate to begin with for each
    optimizer of the engine."""
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
    """A learning rate that suits; the optimizer's own where none is noted."""
    return surface.rates.get(optimizer, build("optimizer", OPTIMIZERS, optimizer).learning_rate)


def path(
    surface: str, optimizer: str, rate: float, steps: int, start: tuple[float, float] | None = None
) -> dict[str, Any]:
    """The way of an optimizer from the surface's start, or another: a point a step, and the heights there.

    `left` is true where it went out so far that it was stopped.
    """
    land = SURFACES[surface]
    place = np.array(start or land.start, np.float64)
    rule = build("optimizer", OPTIMIZERS, {"type": optimizer, "learning_rate": rate})
    points = [place.tolist()]
    left = False
    for _ in range(steps):
        rule.step(place, np.array(land.gradient(*place.tolist())))
        if not all(math.isfinite(part) and abs(part) < FAR for part in place.tolist()):
            left = True
            break
        points.append(place.tolist())
    walked = np.array(points)
    heights = land.value(walked[:, 0], walked[:, 1])
    return {"points": points, "heights": heights.tolist(), "left": left}
