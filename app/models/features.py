"""What a network makes of images: its logits, and the features that it says them from."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.nn import Network
from app.nn.arrays import Array
from app.nn.layers.activations import Softmax
from app.nn.layers.core import Dense

BATCH = 1000

FloatRows = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seen:
    """`logits` (N, K), float64, and `features` (N, F): what the last dense layer is given, of the network's dtype."""

    logits: FloatRows
    features: Array

    def __getitem__(self, row: int) -> "Seen":
        """What was made of one of the images, as if it had come alone."""
        return Seen(self.logits[row : row + 1], self.features[row : row + 1])


def look(network: Network, inputs: Array) -> Seen:
    """What `network` makes of `inputs` (N, *input_shape), of its dtype."""
    last = _last_dense(network)
    features = inputs
    for layer in network.layers[:last]:
        features = layer.forward(features, training=False)
    outputs = features
    for layer in network.layers[last:]:
        outputs = layer.forward(outputs, training=False)
    return Seen(as_logits(network, outputs), features.reshape(len(features), -1))


def look_at(network: Network, images: NDArray[Any], input_scale: float) -> Seen:
    """What `network` makes of images (N, 28, 28) of bytes."""
    parts = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        inputs = (batch.astype(network.dtype) / network.dtype.type(input_scale)).reshape(-1, *network.input_shape)
        parts.append(look(network, inputs))
    return Seen(np.concatenate([part.logits for part in parts]), np.concatenate([part.features for part in parts]))


def as_logits(network: Network, outputs: Array) -> FloatRows:
    """A network's outputs (N, K) as float64 logits; the logarithms of probabilities are some."""
    rows: FloatRows = outputs.astype(np.float64)
    if isinstance(network.layers[-1], Softmax):
        np.log(np.maximum(rows, np.finfo(np.float64).tiny), out=rows)
    return rows


def count_features(network: Network) -> int:
    """How many features `look` gives an image."""
    return math.prod(network.layers[_last_dense(network)].input_shape)


def _last_dense(network: Network) -> int:
    """Where the features come in: the last dense layer, or the last of all."""
    found = [index for index, layer in enumerate(network.layers) if isinstance(layer, Dense)]
    return found[-1] if found else len(network.layers) - 1
