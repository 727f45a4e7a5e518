"""Warps of batches of images: affine maps and smooth random fields in one matrix product, then one gather."""

import numpy as np
from numpy.typing import NDArray

from app.nn.arrays import Buffers

KEPT_VARIANCE = 0.999
"""The share of a random field's variance that its principal components must hold."""

FloatImages = NDArray[np.float32]


class Warp:
    """Displaces every point of square images with sides of `size` pixels.

    The displacement field is Gaussian noise, smoothed with a Gaussian of `smoothness` pixels, with a standard deviation
    of `elastic` pixels; its covariance at a distance d is exp(−d²/4σ²), a product over the axes. So it is drawn as a
    sum of the leading products of the covariance's eigenvectors, some hundred numbers instead of 784, in one matrix
    product with the affine map's three fields (x, y and 1).
    """

    def __init__(self, size: int, elastic: float, smoothness: float) -> None:
        self._size = size
        position = np.arange(size, dtype=np.float64)
        middle = (size - 1) / 2
        basis = [np.tile(position - middle, size), np.repeat(position - middle, size), np.ones(size * size)]
        if elastic:
            distance = position[:, None] - position
            values, vectors = np.linalg.eigh(np.exp(-(distance**2) / (4 * smoothness**2)))
            order = np.argsort(values)[::-1]
            values, vectors = np.maximum(values[order], 0), vectors[:, order]
            rank = int(np.searchsorted(np.cumsum(values) / values.sum(), KEPT_VARIANCE)) + 1
            axes = elastic**0.5 * vectors[:, :rank] * np.sqrt(values[:rank])
            basis.extend((axes.T[:, None, :, None] * axes.T[None, :, None, :]).reshape(rank * rank, size * size))
        self._basis = np.stack(basis).astype(np.float32)
        self._buffers = Buffers()
        self._middle = np.float32(middle + 1)

    def __call__(
        self, images: FloatImages, matrices: FloatImages, shifts: FloatImages, rng: np.random.Generator
    ) -> FloatImages:
        """Images (n, size, size) under the maps `matrices` (n, 2, 2) (x and y from the middle) and `shifts` (n, 2).

        Interpolation is bilinear; beyond the edge is paper, 0. The result is a buffer that the next call overwrites.
        """
        count, size = len(images), self._size
        parts = self._buffers.get("parts", (2, count, len(self._basis)), np.float32)
        for axis in (0, 1):
            parts[axis, :, :2] = matrices[:, axis]
            parts[axis, :, 2] = shifts[:, axis] + self._middle
            parts[axis, :, 3:] = rng.standard_normal((count, len(self._basis) - 3), np.float32)
        places = self._buffers.get("places", (2 * count, size * size), np.float32)
        np.matmul(parts.reshape(2 * count, -1), self._basis, out=places)
        np.clip(places, 0, size + 1, out=places)  # within the border of zeros
        x, y = places.reshape(2, count, size * size)
        side = size + 3
        bordered = self._buffers.get("bordered", (count, side, side), np.float32)
        bordered[:] = 0
        bordered[:, 1 : size + 1, 1 : size + 1] = images
        flat = bordered.reshape(-1)
        upper, lower = (self._buffers.get(name, x.shape, np.float32) for name in ("upper", "lower"))
        index, whole = (self._buffers.get(name, x.shape, np.int64) for name in ("index", "whole"))
        np.floor(y, out=upper)
        np.copyto(index, upper, casting="unsafe")
        y -= upper
        index *= side
        np.floor(x, out=upper)
        x -= upper
        np.copyto(whole, upper, casting="unsafe")
        index += whole
        index += (np.arange(count) * (side * side))[:, None]
        self._between(flat, index, x, upper)
        index += side
        self._between(flat, index, x, lower)
        lower -= upper
        lower *= y
        upper += lower
        return upper.reshape(count, size, size)

    def _between(self, flat: FloatImages, index: NDArray[np.int64], share: FloatImages, out: FloatImages) -> None:
        """Write the values at `index`, interpolated with the next ones by `share`, into `out`."""
        first = self._buffers.get("first", share.shape, np.float32)
        flat.take(index, out=first, mode="clip")  # every index is within; other modes would copy
        flat[1:].take(index, out=out, mode="clip")
        out -= first
        out *= share
        out += first
