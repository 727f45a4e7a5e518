"""Connections between layers: the inputs of one number of a layer, and their factors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.learn.inspection.subject import InspectedNetwork
from app.nn.arrays import Array
from app.nn.layers.activations import Softmax
from app.nn.layers.convolution import Conv2D
from app.nn.layers.core import Dense, Layer
from app.nn.layers.image_layer import ImageLayer
from app.nn.layers.pooling import AveragePool2D, MaxPool2D

MIXING = (Dense, Conv2D, MaxPool2D, AveragePool2D, Softmax)
"""Layers in which an output depends on several inputs; all others are elementwise, or only reshape (Flatten)."""


@dataclass(frozen=True, eq=False)
class Links:
    """The inputs of one number: `places` (n,) in the input (C order), −1 for padding, their values and factors.

    The number is the sum of values × factors, plus a bias if the layer has one; for max pooling it is the largest
    value, with a factor of 1.
    """

    places: NDArray[np.int64]
    values: Array
    factors: Array
    shape: tuple[int, ...]
    """The shape of the inputs: (inputs,), or (C, kernel height, kernel width)."""

    @property
    def products(self) -> Array:
        return self.values * self.factors


def links_back(layer: Layer, x: Array, unit: int) -> Links:
    """The inputs of the number `unit` of a layer's output; `x` is the layer's input, in its shape."""
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
    """The indices of a layer's outputs that depend on its input number `place`, and the factor of each.

    Both are in C order. For max pooling an input counts where it is the first maximum of a window.
    """
    if isinstance(layer, Dense):
        return np.arange(layer.units), layer.params["weight"][place].astype(np.float64)
    if isinstance(layer, Softmax):
        p = y.astype(np.float64).ravel()
        return np.arange(p.size), p * ((np.arange(p.size) == place) - p[place])
    if isinstance(layer, Conv2D):
        return _convolved(layer, place)
    if isinstance(layer, MaxPool2D | AveragePool2D):
        return _pooled(layer, x, place)
    return np.array([place]), np.ones(1)


def is_mixing(layer: Layer) -> bool:
    """True if an output of the layer depends on several inputs."""
    return isinstance(layer, MIXING)


def chain(subject: InspectedNetwork, index: int) -> range:
    """The mixing layer at or before `index`, and the elementwise layers after it.

    The first one is mixing, unless the network begins with elementwise layers.
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
    """Map, row and column of an index in C order."""
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
    """The windows, of `count` along an axis, that contain the position `at`."""
    first = -(-(at - layer.size + 1) // layer.stride)
    return range(max(0, first), min(count - 1, at // layer.stride) + 1)
