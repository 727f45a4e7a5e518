"""The base of layers on images: shapes, and the memory order of images.

Between layers an image batch always has the shape (N, C, H, W). In memory these layers keep it as (H, C, W, N), batch
last: k consecutive rows are then one block, so a convolution needs few copies, and every slice of a row or a column is
a run of at least N numbers, so NumPy's loops are long. An array in another order is copied into this one.
"""

import math

import numpy as np
from numpy.typing import DTypeLike

from app.nn.arrays import Array, Shape
from app.nn.errors import SpecError
from app.nn.layers.core import Layer


class ImageLayer(Layer):
    """A layer on images (C, H, W); the shape (H, W) means one channel."""

    def build(self, input_shape: Shape, dtype: DTypeLike) -> Shape:
        super().build(input_shape, dtype)
        self.channels, self.height, self.width = image_shape(input_shape)
        return input_shape

    def _rows(self, name: str, x: Array, shape: Shape, *, training: bool) -> Array:
        """`x`, of shape (N, *shape) with shape (C, H, W), as a contiguous array (H, C, W, N)."""
        rows = x.reshape(len(x), *shape).transpose(2, 1, 3, 0)
        if rows.flags.c_contiguous:
            return rows
        copy = self._array(name, rows.shape, training=training)
        np.copyto(copy, rows)
        return copy

    def _array(self, name: str, shape: Shape, *, training: bool, dtype: DTypeLike | None = None) -> Array:
        """An array with undefined contents: while training a buffer, also used for smaller batches."""
        if not training:
            return np.empty(shape, dtype or self.dtype)
        return self._buffer(name, (math.prod(shape),), dtype).reshape(shape)


def image_shape(input_shape: Shape) -> tuple[int, int, int]:
    """(C, H, W) of `input_shape`; raises ValueError if that is not an image's shape."""
    if len(input_shape) == 2:
        return (1, *input_shape)
    if len(input_shape) == 3:
        return input_shape[0], input_shape[1], input_shape[2]
    raise SpecError(
        "expected images (channels, height, width) or (height, width); got {input_shape}",
        field="input_shape",
        input_shape=input_shape,
    )


def outputs_along(size: int, window: int, stride: int, padding: int = 0) -> int:
    """The number of windows along an axis of `size` numbers; raises ValueError if they do not fit it exactly.

    `padding` is the sum of both ends.
    """
    padded = size + padding
    if window > padded:
        raise SpecError(
            "expected a height and a width of at least the window's {window}; got {size} and {padding} of padding",
            field="input_shape",
            window=window,
            size=size,
            padding=padding,
        )
    if (padded - window) % stride:
        raise SpecError(
            "expected a height and a width that windows of {window} at a stride of {stride} divide; got {size} and "
            "{padding} of padding",
            field="input_shape",
            window=window,
            stride=stride,
            size=size,
            padding=padding,
        )
    return (padded - window) // stride + 1


def as_images(rows: Array) -> Array:
    """(H, C, W, N) as (N, C, H, W), a view."""
    return rows.transpose(3, 1, 0, 2)
