"""Derivatives of activations for the pages."""

import numpy as np

from app.nn.arrays import Array
from app.nn.layers.activations import Activation, Step


def derivative(layer: Activation, upper: Array) -> Array:
    """dy/dx times `upper`, both of the shape of the layer's last training `forward`.

    It is `backward(upper)`, except for the step function, whose derivative is 0, but whose `backward` passes the
    gradient straight through.
    """
    return np.zeros_like(upper) if isinstance(layer, Step) else layer.backward(upper.copy())
