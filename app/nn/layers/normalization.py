"""Batch normalization."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from app.nn.arrays import Array, Shape
from app.nn.initializers import RandomSource
from app.nn.layers.core import Layer
from app.nn.layers.image_layer import image_shape
from app.nn.spec import number


class BatchNorm(Layer):
    """y = γ(x − μ)/√(σ² + ε) + β for each feature of (N, F), or each channel of (N, C, H, W). Ioffe and Szegedy 2015.

    While training μ and σ² are the mean and the (biased) variance of the batch, over N or over N, H, W. `state` holds
    running ones for inference, r ← momentum·r + (1 − momentum)·batch, with the unbiased variance σ²·n/(n − 1), as in
    PyTorch (whose `momentum` is 1 minus this one, which is Keras's). With a single number a feature, n = 1, there is no
    such variance: the batch gives y = β and leaves `state` unchanged.

    γ (`gamma`) and β (`beta`) are vectors, so weight decay, which acts on arrays of two axes or more, skips them.
    """

    type = "batch_norm"

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5) -> None:
        self.momentum = number("momentum", momentum, low=0, below=1)
        self.epsilon = number("epsilon", epsilon, above=0)
        self._total: Callable[[Array], Array] = _alone

    def build(self, input_shape: Shape, dtype: DTypeLike) -> Shape:
        super().build(input_shape, dtype)
        self._full_shape: Shape = input_shape if len(input_shape) == 1 else image_shape(input_shape)
        self._axes = (0,) if len(input_shape) == 1 else (0, 2, 3)
        self.features = self._full_shape[0]
        self.sums = 2 * self.features  # two a feature in `backward`; one, and their number, in `forward`
        self.state = {
            "running_mean": np.zeros(self.features, self.dtype),
            "running_variance": np.ones(self.features, self.dtype),
        }
        return input_shape

    def parameter_shapes(self) -> dict[str, Shape]:
        return {"gamma": (self.features,), "beta": (self.features,)}

    def share_batch(self, total: Callable[[Array], Array]) -> None:
        """Use the mean and the variance of the whole batch, as a single process would."""
        self._total = total

    def initialize(self, rng: RandomSource) -> None:
        self.params["gamma"][:] = 1
        self.params["beta"][:] = 0
        self.state["running_mean"][:] = 0
        self.state["running_variance"][:] = 1

    def forward(self, x: Array, *, training: bool) -> Array:
        x = x.reshape(len(x), *self._full_shape)
        if training:
            return self._normalize_batch(x).reshape(len(x), *self.input_shape)
        y: Array = x - self._along(self.state["running_mean"])
        y *= self._along(self.params["gamma"] / np.sqrt(self.state["running_variance"] + self.epsilon))
        y += self._along(self.params["beta"])
        return y.reshape(len(x), *self.input_shape)

    def _normalize_batch(self, x: Array) -> Array:
        sums = self._total(np.append(x.sum(axis=self._axes), x.size // self.features))
        self._count = int(sums[-1])
        mean = (sums[:-1] / self._count).astype(self.dtype)
        normalized = np.subtract(x, self._along(mean), out=self._buffer_like("normalized", x))
        y = np.multiply(normalized, normalized, out=self._buffer_like("y", x))
        variance = (self._total(y.sum(axis=self._axes)) / self._count).astype(self.dtype)
        self._inverse = 1 / np.sqrt(variance + self.epsilon)
        normalized *= self._along(self._inverse)
        if self._count > 1:
            unbiased = variance * (self._count / (self._count - 1))
            for name, value in (("running_mean", mean), ("running_variance", unbiased)):
                self.state[name] *= self.momentum
                self.state[name] += (1 - self.momentum) * value
        self._normalized = normalized
        np.multiply(normalized, self._along(self.params["gamma"]), out=y)
        y += self._along(self.params["beta"])
        return y

    def backward(self, grad: Array) -> Array:
        """With x̂ = (x − μ)/√(σ² + ε): dβ = Σg, dγ = Σg·x̂, dx = γ/√(σ² + ε) · (g − (dβ + x̂·dγ)/n)."""
        g = grad.reshape(len(grad), *self._full_shape)
        dx = np.multiply(g, self._normalized, out=self._buffer_like("dx", self._normalized))
        np.sum(dx, axis=self._axes, out=self.grads["gamma"])
        np.sum(g, axis=self._axes, out=self.grads["beta"])
        if not self.needs_input_gradient:
            return grad
        sums = self._total(np.concatenate((self.grads["gamma"], self.grads["beta"])))
        dgamma, dbeta = np.split((sums / self._count).astype(self.dtype), 2)
        np.multiply(self._normalized, self._along(-dgamma), out=dx)
        dx -= self._along(dbeta)
        dx += g
        dx *= self._along(self.params["gamma"] * self._inverse)
        return dx.reshape(grad.shape)

    def _along(self, values: Array) -> Array:
        """One number a feature, in a shape that broadcasts over a batch."""
        return values.reshape(-1, *(1,) * (len(self._full_shape) - 1))

    def spec(self) -> dict[str, Any]:
        return {"type": self.type, "momentum": self.momentum, "epsilon": self.epsilon}


def _alone(values: Array) -> Array:
    """The sum over all processes when there is only one."""
    return values
