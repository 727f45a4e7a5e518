"""Array types, and buffers that are allocated once and reused."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]


class Buffers:
    """Named work arrays.

    An array is as large as the largest batch so far; a smaller batch gets its first rows, so that the short last batch
    of an epoch needs no new memory.
    """

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def get(self, name: str, shape: Shape, dtype: DTypeLike) -> Array:
        """Return an array of `shape` and `dtype` with undefined contents; the first axis is the batch."""
        array = self._arrays.get(name)
        if array is None or array.shape[1:] != shape[1:] or array.dtype != dtype or len(array) < shape[0]:
            array = self._arrays[name] = np.empty(shape, dtype)
        return array if len(array) == shape[0] else array[: shape[0]]
