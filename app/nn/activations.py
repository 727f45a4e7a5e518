"""Activation functions as layers, in order of complexity.

Each derivative is written with the output y alone, so that the input need not be kept.
"""

import numpy as np

from app.nn.arrays import Array
from app.nn.layers import Layer


class Activation(Layer):
    """An elementwise layer without parameters; a subclass writes `value` and `gradient`."""

    def forward(self, x: Array, *, training: bool) -> Array:
        if not training:
            return self.value(x, np.empty_like(x))
        self._y = self.value(x, self._buffer("y", x.shape))
        return self._y

    def backward(self, grad: Array) -> Array:
        return self.gradient(self._y, grad, self._buffer("dx", grad.shape))

    def value(self, x: Array, out: Array) -> Array:
        """Write y(x) into `out` and return it."""
        raise NotImplementedError

    def gradient(self, y: Array, grad: Array, out: Array) -> Array:
        """Write dL/dx, from y and dL/dy, into `out` and return it."""
        raise NotImplementedError


class Identity(Activation):
    """y = x; the output of a regression."""

    type = "identity"

    def forward(self, x: Array, *, training: bool) -> Array:
        return x

    def backward(self, grad: Array) -> Array:
        return grad


class Step(Activation):
    """y = 1 where x > 0, else 0: the perceptron's. Rosenblatt 1958.

    Its derivative is zero wherever it exists. `backward` passes the gradient through unchanged ("straight-through",
    Hinton 2012, lecture 9), which with squared error gives the perceptron's own learning rule.
    """

    type = "step"

    def value(self, x: Array, out: Array) -> Array:
        return np.greater(x, 0, out=out)

    def backward(self, grad: Array) -> Array:
        return grad


class ReLU(Activation):
    """y = max(x, 0); dy/dx = 1 where y > 0, else 0. Glorot, Bordes and Bengio 2011."""

    type = "relu"

    def value(self, x: Array, out: Array) -> Array:
        return np.maximum(x, 0, out=out)

    def gradient(self, y: Array, grad: Array, out: Array) -> Array:
        np.greater(y, 0, out=out)
        return np.multiply(grad, out, out=out)


class Sigmoid(Activation):
    """y = 1/(1 + e⁻ˣ) = (1 + tanh(x/2))/2, a form that cannot overflow; dy/dx = y(1 − y)."""

    type = "sigmoid"

    def value(self, x: Array, out: Array) -> Array:
        np.multiply(x, 0.5, out=out)
        np.tanh(out, out=out)
        out += 1
        out *= 0.5
        return out

    def gradient(self, y: Array, grad: Array, out: Array) -> Array:
        np.subtract(1, y, out=out)
        out *= y
        out *= grad
        return out


class Tanh(Activation):
    """y = tanh(x); dy/dx = 1 − y²."""

    type = "tanh"

    def value(self, x: Array, out: Array) -> Array:
        return np.tanh(x, out=out)

    def gradient(self, y: Array, grad: Array, out: Array) -> Array:
        np.multiply(y, y, out=out)
        np.subtract(1, out, out=out)
        out *= grad
        return out


class Softmax(Activation):
    """yₖ = eˣᵏ/Σⱼ eˣʲ over the last axis; dL/dxₖ = yₖ(gₖ − Σⱼ gⱼyⱼ).

    With cross-entropy leave it out: that loss takes logits and contains it.
    """

    type = "softmax"

    def value(self, x: Array, out: Array) -> Array:
        return softmax(x, out=out)

    def gradient(self, y: Array, grad: Array, out: Array) -> Array:
        np.multiply(grad, y, out=out)
        np.subtract(grad, out.sum(axis=-1, keepdims=True), out=out)
        out *= y
        return out


def softmax(x: Array, out: Array | None = None) -> Array:
    """Probabilities of logits `x` over the last axis, in `x`'s shape and dtype; they sum to 1."""
    y: Array = np.subtract(x, x.max(axis=-1, keepdims=True), out=out)
    np.exp(y, out=y)
    y /= y.sum(axis=-1, keepdims=True)
    return y


ACTIVATIONS: dict[str, type[Activation]] = {cls.type: cls for cls in (Identity, Step, ReLU, Sigmoid, Tanh, Softmax)}
