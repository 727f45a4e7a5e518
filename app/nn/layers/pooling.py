"""Pooling layers."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from app.nn.arrays import Array, Shape
from app.nn.layers.image_layer import ImageLayer, as_images, outputs_along
from app.nn.spec import integer


class _Pool2D(ImageLayer):
    """Windows of `size` × `size` at a distance of `stride`, which is `size` unless given; they must fit exactly.

    Images (N, C, H, W) in, (N, C, H', W') out, with H' = (H − size)/stride + 1.
    """

    def __init__(self, size: int = 2, stride: int | None = None) -> None:
        self.size = integer("size", size, low=1, high=1000)
        self.stride = self.size if stride is None else integer("stride", stride, low=1, high=1000)

    def build(self, input_shape: Shape, dtype: DTypeLike) -> Shape:
        super().build(input_shape, dtype)
        self.out_height = outputs_along(self.height, self.size, self.stride)
        self.out_width = outputs_along(self.width, self.size, self.stride)
        return (self.channels, self.out_height, self.out_width)

    def spec(self) -> dict[str, Any]:
        return {"type": self.type, "size": self.size, "stride": self.stride}

    def _inputs(self, x: Array, *, training: bool) -> Array:
        return self._rows("x", x, (self.channels, self.height, self.width), training=training)

    def _output_gradient(self, grad: Array) -> Array:
        return self._rows("dy", grad, (self.channels, self.out_height, self.out_width), training=True)

    def _input_gradient(self, dx: Array) -> Array:
        return as_images(dx).reshape(dx.shape[3], *self.input_shape)

    def _taps(self, rows: Array, axis: int) -> list[Array]:
        """The first number of every window along `axis`, the second, and so on: `size` views."""
        count = self.out_width if axis == 2 else self.out_height
        before = (slice(None),) * axis
        return [
            rows[(*before, slice(tap, tap + (count - 1) * self.stride + 1, self.stride))] for tap in range(self.size)
        ]

    def _clear(self, dx: Array) -> bool:
        """Set `dx` to zero if windows overlap or leave gaps; return True if gradients must be added up."""
        if self.stride != self.size:
            dx[:] = 0
        return self.stride < self.size


class MaxPool2D(_Pool2D):
    """The largest number of each window; among equal ones the first, row by row, gets the gradient, as in PyTorch.

    First along the rows, then along the columns: 2·(size − 1) comparisons instead of size² − 1.
    """

    type = "max_pool2d"

    def forward(self, x: Array, *, training: bool) -> Array:
        rows = self._inputs(x, training=training)
        across = self._array("across", (*rows.shape[:2], self.out_width, len(x)), training=training)
        y = self._array("y", (self.out_height, *across.shape[1:]), training=training)
        _maximum(self._taps(rows, 2), across)
        _maximum(self._taps(across, 0), y)
        if training:
            self._x, self._across, self._y = rows, across, y
        return as_images(y)

    def backward(self, grad: Array) -> Array:
        across = self._array("dacross", self._across.shape, training=True)
        dx = self._array("dx", self._x.shape, training=True)
        self._choose(self._across, self._y, self._output_gradient(grad), across, 0)
        self._choose(self._x, self._across, across, dx, 2)
        return self._input_gradient(dx)

    def _choose(self, x: Array, y: Array, dy: Array, dx: Array, axis: int) -> None:
        """Write to `dx` each number of `dy` at the first place in its window along `axis` where x is y."""
        add = self._clear(dx)
        sources, targets = self._taps(x, axis), self._taps(dx, axis)
        hit = self._array("hit", dy.shape, training=True, dtype=np.bool_)
        remainder = self._array("remainder", dy.shape, training=True) if add else targets[-1]
        rest = dy
        for source, target in zip(sources[:-1], targets[:-1], strict=True):
            np.equal(source, y, out=hit)
            given = np.multiply(rest, hit, out=self._array("given", dy.shape, training=True) if add else target)
            if add:
                target += given
            rest = np.subtract(rest, given, out=remainder)  # exact: either x − x or x − 0
        if add:
            targets[-1][:] += rest
        elif rest is dy:
            remainder[:] = dy


class AveragePool2D(_Pool2D):
    """The mean of each window; every number of it gets the same share of the gradient."""

    type = "average_pool2d"

    def forward(self, x: Array, *, training: bool) -> Array:
        rows = self._inputs(x, training=training)
        across = self._array("across", (*rows.shape[:2], self.out_width, len(x)), training=training)
        y = self._array("y", (self.out_height, *across.shape[1:]), training=training)
        _sum(self._taps(rows, 2), across)
        _sum(self._taps(across, 0), y)
        y *= 1 / self.size**2
        return as_images(y)

    def backward(self, grad: Array) -> Array:
        dy = self._output_gradient(grad)
        across = self._array("across", (self.height, self.channels, *dy.shape[2:]), training=True)
        dx = self._array("dx", (self.height, self.channels, self.width, len(grad)), training=True)
        share = np.multiply(dy, 1 / self.size**2, out=self._array("share", dy.shape, training=True))
        self._spread(share, across, 0)
        self._spread(across, dx, 2)
        return self._input_gradient(dx)

    def _spread(self, dy: Array, dx: Array, axis: int) -> None:
        add = self._clear(dx)
        for target in self._taps(dx, axis):
            if add:
                target += dy
            else:
                target[:] = dy


def _maximum(taps: list[Array], out: Array) -> None:
    np.maximum(taps[0], taps[-1], out=out)
    for tap in taps[1:-1]:
        np.maximum(out, tap, out=out)


def _sum(taps: list[Array], out: Array) -> None:
    np.copyto(out, taps[0])
    for tap in taps[1:]:
        out += tap
