"""How one number of a layer hangs on the numbers before it: which they are, and with what factor each counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.learn.inspection.subject import Subject
from app.nn.arrays import Array
from app.nn.layers.activations import Softmax
from app.nn.layers.convolution import Conv2D
from app.nn.layers.core import Dense, Layer
from app.nn.layers.image_layer import ImageLayer
from app.nn.layers.pooling import AveragePool2D, MaxPool2D

MIXING = (Dense, Conv2D, MaxPool2D, AveragePool2D, Softmax)
"""Layers in which a number comes from others than the one in its own place (in C order); all others work number by
number, and Flatten only writes the same numbers in one row."""


@dataclass(frozen=True, eq=False)
class Links:
    """Inputs of one number: `places` (n,) in the layer's input in C order, −1 for padding, their values, and factors.

    The number is the sum of values × factors, and of a bias where the layer has one; with max pooling it is the
    largest value, whose factor is 1.
    """

    places: NDArray[np.int64]
    values: Array
    factors: Array
    shape: tuple[int, ...]
    """How the inputs lie: (inputs,), or (C, kernel height, kernel width)."""

    @property
    def products(self) -> Array:
        return self.values * self.factors


def links_back(layer: Layer, x: Array, unit: int) -> Links:
    """The inputs that the number `unit` of a layer's output is made of; `x` is the layer's input, of its shape."""
    values = x.astype(np.float64)
    if isinstance(layer, Dense):
        places = np.arange(layer.inputs)
        return Links(places, values.ravel(), layer.params["weight"][:, unit].astype(np.float64), (layer.inputs,))
    if isinstance(layer, Conv2D):
        feature, row, column = _at(unit, layer.filters, layer.out_height, layer.out_width)
        (top, _), (left, _) = layer.padding
        channels = np.arange(layer.channels)
        places = _window(layer, channels, row * layer.stride - top, column * layer.stride - left, *layer.kernel)
        factors = layer.params["weight"][feature].astype(np.float64).ravel()
        return Links(places, _taken(values, places), factors, (layer.channels, *layer.kernel))
    if isinstance(layer, MaxPool2D | AveragePool2D):
        channel, row, column = _at(unit, layer.channels, layer.out_height, layer.out_width)
        size = layer.size
        places = _window(layer, np.array([channel]), row * layer.stride, column * layer.stride, size, size)
        taken = _taken(values, places)
        factors = np.full(taken.size, 1 / size**2)
        if isinstance(layer, MaxPool2D):
            factors = np.zeros(taken.size)
            factors[taken.argmax()] = 1
        return Links(places, taken, factors, (1, size, size))
    return Links(np.array([unit]), values.ravel()[[unit]], np.ones(1), (1,))


def links_on(layer: Layer, x: Array, y: Array, place: int) -> tuple[NDArray[np.int64], Array]:
    """Which numbers of a layer's output change with the number `place` of its input, and by what factor each.

    Both in C order. With max pooling a number counts where it is the first largest of a window.
    """
    if isinstance(layer, Dense):
        return np.arange(layer.units), layer.params["weight"][place].astype(np.float64)
    if isinstance(layer, Softmax):
        said = y.astype(np.float64).ravel()
        return np.arange(said.size), said * ((np.arange(said.size) == place) - said[place])
    if isinstance(layer, Conv2D):
        return _convolved(layer, place)
    if isinstance(layer, MaxPool2D | AveragePool2D):
        return _pooled(layer, x, place)
    return np.array([place]), np.ones(1)


def is_mixing(layer: Layer) -> bool:
    """Whether a number of the layer's output comes from others than the one in its own place."""
    return isinstance(layer, MIXING)


def chain(subject: Subject, index: int) -> range:
    """The layers that a unit goes through number by number: from the mixing one at or before `index` to the next.

    The first of them is mixing, unless the network begins with layers that are not.
    """
    layers = subject.network.layers
    first = index
    while first > 0 and not is_mixing(layers[first]):
        first -= 1
    last = index
    while last + 1 < len(layers) and not is_mixing(layers[last + 1]):
        last += 1
    return range(first, last + 1)


def _window(
    layer: ImageLayer, channels: NDArray[np.int64], top: int, left: int, height: int, width: int
) -> NDArray[np.int64]:
    """The places of a window of an image layer's input, channel by channel and row by row, −1 outside."""
    rows, columns = top + np.arange(height)[:, None], left + np.arange(width)[None, :]
    inside = (rows >= 0) & (rows < layer.height) & (columns >= 0) & (columns < layer.width)
    plane = np.where(inside, rows * layer.width + columns, -1)
    offsets = channels[:, None, None] * layer.height * layer.width
    return np.where(plane < 0, -1, plane + offsets).ravel()


def _at(index: int, *shape: int) -> tuple[int, int, int]:
    """Map, row and column of a number's place in C order."""
    first, row, column = np.unravel_index(index, shape)
    return int(first), int(row), int(column)


def _taken(values: Array, places: NDArray[np.int64]) -> Array:
    """The numbers at `places`, 0 for padding."""
    return np.where(places < 0, 0.0, values.ravel()[places])


def _convolved(layer: Conv2D, place: int) -> tuple[NDArray[np.int64], Array]:
    channel, row, column = _at(place, layer.channels, layer.height, layer.width)
    (top, _), (left, _) = layer.padding
    weight = layer.params["weight"].astype(np.float64)
    targets, factors = [], []
    for i in range(layer.kernel[0]):
        for j in range(layer.kernel[1]):
            down, along = row + top - i, column + left - j
            if down % layer.stride or along % layer.stride:
                continue
            h, w = down // layer.stride, along // layer.stride
            if 0 <= h < layer.out_height and 0 <= w < layer.out_width:
                targets.append((np.arange(layer.filters) * layer.out_height + h) * layer.out_width + w)
                factors.append(weight[:, channel, i, j])
    if not targets:
        return np.array([], np.int64), np.array([])
    return np.concatenate(targets), np.concatenate(factors)


def _pooled(layer: MaxPool2D | AveragePool2D, x: Array, place: int) -> tuple[NDArray[np.int64], Array]:
    channel, row, column = _at(place, layer.channels, layer.height, layer.width)
    targets, factors = [], []
    for h in _windows(row, layer, layer.out_height):
        for w in _windows(column, layer, layer.out_width):
            unit = (channel * layer.out_height + h) * layer.out_width + w
            found = links_back(layer, x, unit)
            factor = float(found.factors[found.places == place].sum())
            if factor:
                targets.append(unit)
                factors.append(factor)
    return np.array(targets, np.int64), np.array(factors)


def _windows(at: int, layer: MaxPool2D | AveragePool2D, count: int) -> range:
    """Which of `count` windows along an axis have the place `at` in them."""
    first = -(-(at - layer.size + 1) // layer.stride)
    return range(max(0, first), min(count - 1, at // layer.stride) + 1)
