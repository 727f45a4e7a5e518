"""Arrays in JSON: float32 in base64, which a browser can use directly, in pages of limited size."""

import math
from base64 import b64encode
from typing import Any

import numpy as np

from app.errors import InputError
from app.nn.arrays import Array, Shape

MOST_NUMBERS = 8_192
"""The most numbers of a picture; more are requested page by page."""


def encoded(array: Array) -> str:
    """The numbers as little-endian float32 in C order, in base64."""
    most = np.finfo(np.float32).max
    return b64encode(np.clip(array, -most, most).astype("<f4", order="C").tobytes()).decode("ascii")


def picture(array: Array, *, first: int = 0) -> dict[str, Any]:
    """The numbers of a layer: (n,), units in a row, or (C, H, W), maps; one page of them from `first` on.

    `shape` is that of `values`, `total` the number of all units or maps, `low` and `high` are the range of all. Raises
    ValueError if there is no unit or map number `first`.
    """
    units = array if array.ndim in (1, 3) else array.reshape(1, *array.shape[-2:])
    if not 0 <= first < len(units):
        raise InputError("expected a number from 0 to {last}; got {got}", field="first", last=len(units) - 1, got=first)
    page = units[first : first + max(1, MOST_NUMBERS // math.prod(units.shape[1:]))]
    return {
        "shape": list(page.shape),
        "first": first,
        "total": len(units),
        "low": float(units.min()),
        "high": float(units.max()),
        "values": encoded(page),
    }


def place(index: int, shape: Shape) -> list[int]:
    """The multi-index of a flat index in an array of `shape`."""
    return [int(at) for at in np.unravel_index(index, shape)]


def strongest(products: Array, most: int) -> tuple[list[int], list[int]]:
    """The indices of the largest positive and of the smallest negative products, each at most `most`, in order."""
    order = np.argsort(products, kind="stable")
    up = [int(at) for at in order[::-1][:most] if products[at] > 0]
    down = [int(at) for at in order[:most] if products[at] < 0]
    return up, down


def norm(array: Array) -> float:
    """The Euclidean norm, in float64."""
    return float(np.linalg.norm(array.astype(np.float64).ravel()))
