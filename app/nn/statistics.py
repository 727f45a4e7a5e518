"""Statistics of a network's weights: norms, histograms, and the patterns of the first layer."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.nn.arrays import Array, Shape
from app.nn.layers.convolution import Conv2D
from app.nn.layers.core import Dense, Layer
from app.nn.network import Network

BINS = 30
PIECE = 65_536
"""Weights processed at a time, which keeps the memory small."""


@dataclass(frozen=True)
class LayerStatistics:
    """The weights of one layer, without biases: `counts` in 30 bins of equal width from `low` to `high`.

    `name` is the layer's number, from 1, and its type. The norms are Euclidean; `gradient_norm` is that of the last
    batch, with weight decay and clipping; None before the first batch.
    """

    name: str
    gradient_norm: float | None
    weight_norm: float
    low: float
    high: float
    counts: tuple[int, ...]


def layer_statistics(network: Network, norms: Mapping[str, float]) -> tuple[LayerStatistics, ...]:
    """The statistics of each layer with parameters, in order; `norms` come from `gradient_norms`."""
    statistics = []
    for index, layer in enumerate(network.layers):
        name = _weights_of(layer)
        if name is None:
            continue
        weights = layer.params[name]
        gradient = norms.get(f"{index}.{name}")
        low, high = float(weights.min()), float(weights.max())
        counts = _histogram(weights, low, high)
        statistics.append(LayerStatistics(f"{index + 1} {layer.type}", gradient, _norm(weights), low, high, counts))
    return tuple(statistics)


def gradient_norms(network: Network, gradient: Array) -> dict[str, float]:
    """The norm of each parameter's part of a vector of the parameters' length, by parameter name."""
    twin = Network.from_spec(network.spec(), dtype=gradient.dtype)
    twin.bind_storage(gradient, gradient)
    return {
        f"{index}.{name}": _norm(array)
        for index, layer in enumerate(twin.layers)
        for name, array in layer.params.items()
    }


def first_patterns(network: Network) -> tuple[str, Shape] | None:
    """The name of the weights applied to the image itself, and the shape (H, W) of each unit's pattern.

    These are a convolution's filters on one channel, or a dense layer on all pixels, with nothing before it that
    moves them. None if the first layer with weights is neither.
    """
    image = network.input_shape
    if len(image) < 2 or int(np.prod(image[:-2])) != 1:
        return None
    for index, layer in enumerate(network.layers):
        if isinstance(layer, Conv2D):
            return (f"{index}.weight", layer.kernel) if layer.channels == 1 else None
        if isinstance(layer, Dense):
            return f"{index}.weight", tuple(image[-2:])
        if int(np.prod(layer.input_shape)) != int(np.prod(image)) or layer.type.endswith("pool2d"):
            return None
    return None


def patterns(weights: Array, shape: Shape) -> Array:
    """The patterns (units, H, W) in the weights of the layer that `first_patterns` names."""
    return weights[:, 0] if weights.ndim == 4 else weights.T.reshape(-1, *shape)


def _weights_of(layer: Layer) -> str | None:
    """The name of the layer's weights: "weight", or else its first parameter, such as batch normalization's gamma."""
    return "weight" if "weight" in layer.params else next(iter(layer.params), None)


def _norm(array: Array) -> float:
    flat, total = array.reshape(-1), 0.0
    for start in range(0, flat.size, PIECE):
        piece = flat[start : start + PIECE].astype(np.float64)  # squares of float32 may overflow
        total += float(np.dot(piece, piece))
    return float(np.sqrt(total))


def _histogram(array: Array, low: float, high: float) -> tuple[int, ...]:
    """Counts as NumPy's histogram gives them, in a tenth of the time."""
    counts = np.zeros(BINS, np.int64)
    scale = BINS / (high - low) if high > low else 0.0
    flat = array.reshape(-1)
    for start in range(0, flat.size, PIECE):
        indices = ((flat[start : start + PIECE] - low) * scale).astype(np.int64)
        counts += np.bincount(np.minimum(indices, BINS - 1), minlength=BINS)
    return tuple(counts.tolist())
