"""The numerical gradient beside backpropagation's."""

from dataclasses import dataclass

import numpy as np

from app.nn.arrays import Array
from app.nn.losses import CrossEntropy, Loss
from app.nn.network import Network

STEP = 1e-5
"""h of the central difference (f(w + h) − f(w − h))/2h: near the cube root of float64's precision."""


@dataclass(frozen=True)
class GradientError:
    """How far the two gradients of one parameter array are apart.

    `relative_error` is the largest |numerical − backpropagated| / max(1e-8, |numerical| + |backpropagated|).
    """

    layer: int
    parameter: str
    relative_error: float


def gradient_check(
    network: Network, x: Array, t: Array, *, loss: Loss | None = None, seed: int = 0
) -> list[GradientError]:
    """Compare both gradients for every parameter of a float64 network; `x` and `t` are as in `Trainer`.

    Layers with randomness are given the same at each evaluation. The parameters are left as they were.
    """
    if network.dtype != np.float64:
        raise ValueError(f"network: expected float64, as differences vanish in float32; got {network.dtype}")
    loss = loss or CrossEntropy()

    def value() -> tuple[float, Array]:
        network.begin_epoch(np.random.default_rng(seed))
        assert loss is not None
        return loss.value_and_gradient(network.forward(x, training=True), t)

    network.backward(value()[1])
    rows = []
    for index, layer in enumerate(network.layers):
        for name, parameter in layer.params.items():
            exact = layer.grads[name].copy()
            numerical = np.empty_like(exact)
            for place in np.ndindex(parameter.shape):
                kept = parameter[place]
                parameter[place] = kept + STEP
                above = value()[0]
                parameter[place] = kept - STEP
                below = value()[0]
                parameter[place] = kept
                numerical[place] = (above - below) / (2 * STEP)
            scale = np.maximum(1e-8, np.abs(numerical) + np.abs(exact))
            rows.append(GradientError(index, name, float((np.abs(numerical - exact) / scale).max())))
    return rows
