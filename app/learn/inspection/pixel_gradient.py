"""The logits of drawings, and their gradient by the pixels."""

import numpy as np

from app.learn.inspection.subject import InspectedNetwork, finite
from app.nn.arrays import Array

SIDE = 28


def inputs_of(subject: InspectedNetwork, images: Array) -> Array:
    """The network's inputs for images, 0 to 1, (N, 784)."""
    return (images * subject.scale).reshape(len(images), *subject.x.shape[1:]).astype(subject.network.dtype)


def logits_of(subject: InspectedNetwork, x: Array) -> Array:
    """The logits (N, K) of inputs (N, *input_shape); prepares the layers for the backward pass."""
    for layer in subject.network.layers[: subject.body]:
        x = layer.forward(x, training=True)
    logits: Array = finite(subject.card, x).astype(np.float64).reshape(len(x), -1)
    return logits


def pixel_gradient(subject: InspectedNetwork, factors: Array) -> Array:
    """d(Σ factors·logits)/d(pixels), float64 (28, 28), at the last inputs of `logits_of`, summed over them.

    `factors` is (N, K).
    """
    grad = factors.astype(subject.network.dtype)
    for layer in reversed(subject.network.layers[: subject.body]):
        grad = layer.backward(grad)
    gradient: Array = finite(subject.card, grad).astype(np.float64).sum(axis=0).reshape(SIDE, SIDE) * subject.scale
    return gradient
