"""Convolution."""

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from numpy.typing import DTypeLike

from app.nn.arrays import Array, Shape
from app.nn.errors import SpecError
from app.nn.initializers import INITIALIZERS, Initializer, RandomSource, Xavier
from app.nn.layers.image_layer import ImageLayer, as_images, outputs_along
from app.nn.spec import abbreviate, build, integer

TILE_ROWS = 16
"""The most matrix rows for which one product computes several rows of an image: see `_tile`."""
TILE_WASTE = 1.3
"""The most multiplications, zeros included, per needed one for which it does so."""
PRODUCT_SIZE = 1_000_000
"""The most multiplications in one product. Up to here OpenBLAS, where it has kernels for AVX-512, multiplies matrices
in place (interface/gemm.c and kernel/x86_64/sgemm_small_kernel_permit_skylakex.c); larger ones it packs first, which
takes longer than a product of few rows. These three constants were measured on LeNet with 50 and 100 images."""
LARGE_MATRIX = 8_000
"""The size of a kernel's matrix above which packing pays: split up, 64 filters of 3×3 on 64 channels take twice as
long."""
FEW = 4
"""The largest batch for which inference takes one image at a time."""


class Conv2D(ImageLayer):
    """y[f, h, w] = b[f] + Σ over c, i, j of W[f, c, i, j] · x[c, h·s + i − p, w·s + j − p], as PyTorch's Conv2d.

    Images (N, C, H, W) in, (N, filters, H', W') out, with H' = (H + 2p − kernel)/s + 1; W has the shape
    (filters, C, kernel height, kernel width), b (filters,). LeCun et al. 1998, section II.A.

    `padding` is the number p of zeros on each side, "valid" (none) or "same" (H' = H; where the kernel is even the
    odd zero is at the bottom and right). `kernel_size` is one number or [height, width].

    The products follow Cho and Brand 2017 ("MEC", section 3): only the shifts along a row are copied, (H, C·kw, W'·N);
    as rows lie one after the other, the kh rows under an output row are one matrix (kh·C·kw, W'·N) in place.
    """

    type = "conv2d"

    def __init__(
        self,
        filters: int,
        kernel_size: object,
        stride: int = 1,
        padding: object = 0,
        initializer: object = None,
    ) -> None:
        self.filters = integer("filters", filters, low=1, high=10_000)
        self.kernel = _kernel(kernel_size)
        self.stride = integer("stride", stride, low=1, high=1000)
        self.padding = _padding(padding, self.kernel, self.stride)
        self._given = {"kernel_size": kernel_size, "padding": padding}
        self.initializer: Initializer = (
            Xavier() if initializer is None else build("initializer", INITIALIZERS, initializer)
        )

    def build(self, input_shape: Shape, dtype: DTypeLike) -> Shape:
        super().build(input_shape, dtype)
        (top, bottom), (left, right) = self.padding
        self.out_height = outputs_along(self.height, self.kernel[0], self.stride, top + bottom)
        self.out_width = outputs_along(self.width, self.kernel[1], self.stride, left + right)
        return (self.filters, self.out_height, self.out_width)

    def parameter_shapes(self) -> dict[str, Shape]:
        return {"weight": (self.filters, self.channels, *self.kernel), "bias": (self.filters,)}

    @property
    def multiplications(self) -> int:
        return math.prod(self.parameter_shapes()["weight"]) * self.out_height * self.out_width

    def initialize(self, rng: RandomSource) -> None:
        area = self.kernel[0] * self.kernel[1]
        shape = self.params["weight"].shape
        self.params["weight"][:] = self.initializer(shape, self.channels * area, self.filters * area, rng)
        self.params["bias"][:] = 0

    def forward(self, x: Array, *, training: bool) -> Array:
        if not training and len(x) <= FEW:
            return self._forward_few(x)
        rows = self._rows("x", x, (self.channels, self.height, self.width), training=training)
        shifted = self._shift(rows, training=training)
        y = self._array("y", (self.out_height, self.filters, self.out_width, len(x)), training=training)
        tile = _tile(self.out_height, self.filters, self.kernel[0], self.stride)
        weight = _tiled(self.params["weight"].transpose(0, 2, 1, 3), tile, self.stride)
        blocks = _blocks(shifted, tile, weight.shape[2], self.stride)
        parts = _parts(weight.size, blocks.shape[2])
        np.matmul(weight.reshape(-1, blocks.shape[1]), _split(blocks, parts), out=_split(_products(y, tile), parts))
        y += self.params["bias"][:, None, None]
        if training:
            self._blocks = blocks
        return as_images(y)

    def _forward_few(self, x: Array) -> Array:
        """As `forward`, one image at a time: one product with a matrix of all windows of the image (im2col).

        One row of a single image is too small for a product, and reordering the kernel would take longer than it.
        """
        (top, bottom), (left, right) = self.padding
        padded = np.zeros((self.channels, top + self.height + bottom, left + self.width + right), self.dtype)
        windows = np.empty((self.channels, *self.kernel, self.out_height, self.out_width), self.dtype)
        views = sliding_window_view(padded, self.kernel, (1, 2))[:, :: self.stride, :: self.stride]
        weight = self.params["weight"].reshape(self.filters, -1)
        y = np.empty((len(x), self.filters, self.out_height, self.out_width), self.dtype)
        for image, result in zip(x.reshape(len(x), self.channels, self.height, self.width), y, strict=True):
            padded[:, top : top + self.height, left : left + self.width] = image
            np.copyto(windows, views.transpose(0, 3, 4, 1, 2))
            np.matmul(weight, windows.reshape(weight.shape[1], -1), out=result.reshape(self.filters, -1))
        y += self.params["bias"][:, None, None]
        return y

    def backward(self, grad: Array) -> Array:
        n, (kernel_height, kernel_width) = len(grad), self.kernel
        dy = self._rows("dy", grad, (self.filters, self.out_height, self.out_width), training=True)
        # a product with ones: BLAS adds up several times as fast as np.sum
        ones = np.ones(self.out_width * n, self.dtype)
        np.sum(dy.reshape(self.out_height, self.filters, -1) @ ones, axis=0, out=self.grads["bias"])
        tile = _tile(self.out_height, self.filters, kernel_height, self.stride)
        _, height, columns = self._blocks.shape
        parts = _parts(height * tile * self.filters, columns)
        # BLAS is faster with the matrix of more rows on the left
        products = np.matmul(_split(self._blocks, parts), _split(_products(dy, tile), parts).transpose(0, 1, 3, 2))
        tiled = products.sum(axis=(0, 1)).reshape(-1, self.channels, kernel_width, tile, self.filters)
        weight = self.grads["weight"].transpose(2, 1, 3, 0)
        weight[:] = 0
        for row in range(tile):
            weight += tiled[row * self.stride : row * self.stride + kernel_height, :, :, row]
        if not self.needs_input_gradient:
            return grad
        return as_images(self._input_gradient(dy)).reshape(n, *self.input_shape)

    def _input_gradient(self, dy: Array) -> Array:
        """dL/dx (H, C, W, N) from dL/dy (H', F, W', N): the convolution of dy with W turned by 180°.

        dy gets s − 1 rows of zeros between its rows and kh − 1 around them; a product then gives the contribution of
        every shift along a row to each input row, and these are added up.
        """
        kernel_height, kernel_width = self.kernel
        (top, _), _ = self.padding
        n = dy.shape[3]
        spread = self._array("spread", (self.height + kernel_height - 1, *dy.shape[1:]), training=True)
        first = kernel_height - 1 - top
        last = first + (self.out_height - 1) * self.stride + 1
        if self.stride == 1:
            spread[:first] = 0
            spread[last:] = 0
        else:
            spread[:] = 0
        spread[first : last : self.stride] = dy
        tile = _tile(self.height, self.channels * kernel_width, kernel_height, 1)
        turned = self.params["weight"][:, :, ::-1].transpose(1, 3, 2, 0).reshape(-1, kernel_height, self.filters)
        weight = _tiled(turned, tile, 1)
        blocks = _blocks(spread, tile, weight.shape[2], 1)
        shifted = self._array("dshifted", (self.height, self.channels, kernel_width, self.out_width, n), training=True)
        parts = _parts(weight.size, blocks.shape[2])
        products = _split(_products(shifted, tile), parts)
        np.matmul(weight.reshape(-1, blocks.shape[1]), _split(blocks, parts), out=products)
        dx = self._array("dx", (self.height, self.channels, self.width, n), training=True)
        dx[:] = 0
        for shift in range(kernel_width):
            outputs, inputs = self._overlap(shift)
            dx[:, :, inputs] += shifted[:, :, shift, outputs]
        return dx

    def _shift(self, rows: Array, *, training: bool) -> Array:
        """Padded rows once for each column of the kernel: (padded H, C, kw, W', N) from (H, C, W, N)."""
        (top, bottom), _ = self.padding
        shape = (top + self.height + bottom, self.channels, self.kernel[1], self.out_width, rows.shape[3])
        shifted = self._array("shifted", shape, training=training)
        shifted[:top] = 0
        shifted[top + self.height :] = 0
        for shift in range(self.kernel[1]):
            outputs, inputs = self._overlap(shift)
            target = shifted[top : top + self.height, :, shift]
            target[:, :, : outputs.start] = 0
            target[:, :, outputs.stop :] = 0
            target[:, :, outputs] = rows[:, :, inputs]
        return shifted

    def _overlap(self, shift: int) -> tuple[slice, slice]:
        """The output columns where column `shift` of the kernel overlaps the image, and the image's columns there."""
        _, (left, _) = self.padding
        first = max(0, -((shift - left) // self.stride))
        stop = max(first, min(self.out_width, (self.width - 1 + left - shift) // self.stride + 1))
        start = first * self.stride + shift - left
        return slice(first, stop), slice(start, start + (stop - first) * self.stride, self.stride)

    def spec(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "filters": self.filters,
            "kernel_size": self._given["kernel_size"],
            "stride": self.stride,
            "padding": self._given["padding"],
            "initializer": self.initializer.spec(),
        }


def _tile(rows: int, outputs: int, kernel_height: int, stride: int) -> int:
    """The number of image rows, of `rows`, that one product computes.

    With few filters a product's matrix has few rows, which BLAS is slow with. A taller one computes several image rows
    at once from all the rows they need, and multiplies by zero where one of them needs fewer.
    """
    tile = 1
    for candidate in range(2, rows + 1):
        waste = (kernel_height + (candidate - 1) * stride) / kernel_height
        if candidate * outputs > TILE_ROWS or waste > TILE_WASTE:
            break
        if rows % candidate == 0:
            tile = candidate
    return tile


def _tiled(weight: Array, tile: int, stride: int) -> Array:
    """The kernel (outputs, kh, ...) for each of `tile` image rows: (tile, outputs, kh + (tile − 1)·stride, ...)."""
    outputs, height, *rest = weight.shape
    tiled = np.zeros((tile, outputs, height + (tile - 1) * stride, *rest), weight.dtype)
    for row in range(tile):
        tiled[row, :, row * stride : row * stride + height] = weight
    return tiled


def _blocks(rows: Array, tile: int, height: int, stride: int) -> Array:
    """The `height` rows under each tile as matrices (tiles, height·channels, columns), which overlap in memory."""
    size, columns = rows.strides[0] // rows.itemsize, int(np.prod(rows.shape[-2:]))
    tiles = (len(rows) - height) // (tile * stride) + 1
    strides = (tile * stride * size, columns, 1)
    shape = (tiles, height * size // columns, columns)
    return as_strided(rows, shape, tuple(step * rows.itemsize for step in strides), writeable=False)


def _products(rows: Array, tile: int) -> Array:
    """Image rows (H, C, W, N) or (H, C, kw, W, N) as one matrix a tile: (H/tile, tile·C, W·N)."""
    columns = rows.shape[-2] * rows.shape[-1]
    return rows.reshape(len(rows) // tile, -1, columns)


def _parts(size: int, columns: int) -> int:
    """The number of equal parts to cut `columns` into; each column takes `size` multiplications."""
    if size > LARGE_MATRIX:
        return 1
    fitting = (
        parts for parts in range(1, columns + 1) if columns % parts == 0 and size * columns // parts <= PRODUCT_SIZE
    )
    return next(fitting, 1)


def _split(matrices: Array, parts: int) -> Array:
    """Matrices (tiles, rows, columns) as (tiles, parts, rows, columns/parts), a view."""
    tiles, rows, columns = matrices.shape
    *steps, step = matrices.strides
    shape, strides = (tiles, parts, rows, columns // parts), (steps[0], columns // parts * step, steps[1], step)
    return as_strided(matrices, shape, strides, writeable=matrices.flags.writeable)


def _kernel(value: object) -> tuple[int, int]:
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise SpecError(
                "expected one number or [height, width]; got {value}", field="kernel_size", value=abbreviate(value)
            )
        height, width = value
        return integer("kernel_size", height, low=1, high=1000), integer("kernel_size", width, low=1, high=1000)
    size = integer("kernel_size", value, low=1, high=1000)
    return size, size


def _padding(value: object, kernel: tuple[int, int], stride: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right))."""
    if value == "valid":
        return (0, 0), (0, 0)
    if value == "same":
        if stride != 1:
            raise SpecError(
                'expected a number or "valid" where the stride is not 1; got "same" and {stride}',
                field="padding",
                stride=stride,
            )
        (top, left), (height, width) = ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2), kernel
        return (top, height - 1 - top), (left, width - 1 - left)
    if isinstance(value, str):
        raise SpecError('expected a number, "same" or "valid"; got {value}', field="padding", value=abbreviate(value))
    size = integer("padding", value, low=0, high=min(kernel) - 1)
    return (size, size), (size, size)
