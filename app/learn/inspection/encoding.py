"""Arrays as JSON carries them: float32 in base64, which a browser reads as it lies, never more than a page shows."""

import math
from base64 import b64encode
from typing import Any

import numpy as np

from app.errors import InputError
from app.nn.arrays import Array, Shape

MOST_NUMBERS = 8_192
"""Of one picture: what is more is asked for page by page."""


def encoded(array: Array) -> str:
    """Base64 of the numbers as little-endian float32, in C order."""
    most = np.finfo(np.float32).max
    return b64encode(np.clip(array, -most, most).astype("<f4", order="C").tobytes()).decode("ascii")


def picture(array: Array, *, first: int = 0) -> dict[str, Any]:
    """Numbers of a layer: (n,), units in a row, or (C, H, W), maps; as many of them from `first` on as a page shows.

    `shape` is that of what is in `values`, `total` how many units or maps there are, `low` and `high` those of all.
    Raises ValueError where there is no unit or map of the number `first`.
    """
    whole = array if array.ndim in (1, 3) else array.reshape(1, *array.shape[-2:])
    if not 0 <= first < len(whole):
        raise InputError(
            "expected a number from 0 to {value}; got {first}", field="first", value=len(whole) - 1, first=first
        )
    shown = whole[first : first + max(1, MOST_NUMBERS // math.prod(whole.shape[1:]))]
    return {
        "shape": list(shown.shape),
        "first": first,
        "total": len(whole),
        "low": float(whole.min()),
        "high": float(whole.max()),
        "values": encoded(shown),
    }


def place(index: int, shape: Shape) -> list[int]:
    """A number's place in an array of `shape`, of its place in the row of all."""
    return [int(at) for at in np.unravel_index(index, shape)]


def strongest(products: Array, most: int) -> tuple[list[int], list[int]]:
    """The places of the largest products above zero and of those farthest below it, each at most `most`, in order."""
    order = np.argsort(products, kind="stable")
    up = [int(at) for at in order[::-1][:most] if products[at] > 0]
    down = [int(at) for at in order[:most] if products[at] < 0]
    return up, down


def norm(array: Array) -> float:
    """The Euclidean norm, in float64."""
    return float(np.linalg.norm(array.astype(np.float64).ravel()))
