"""Activation functions as layers, in order of complexity.

Where possible a derivative uses the output y alone, so that the input need not be stored.
"""

import math
from typing import Any

import numpy as np

from app.nn.arrays import Array
from app.nn.layers.core import Layer
from app.nn.spec import choice, number

CUBIC = 0.044715
"""The factor of x³ in GELU's approximation. Hendrycks and Gimpel 2016, section 2."""


LONG = 20_000
"""The size above which a fast loop outweighs a costly call."""


class Activation(Layer):
    """An elementwise layer without parameters; a subclass writes `value` and `gradient`."""

    def forward(self, x: Array, *, training: bool) -> Array:
        if not training:
            return self.value(x, np.empty_like(x))
        self._y = self.value(x, self._buffer_like("y", x))
        return self._y

    def backward(self, grad: Array) -> Array:
        return self.gradient(self._y, grad, self._buffer_like("dx", grad))

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
        # NumPy's clip runs over the numbers three times as fast, and costs a microsecond more to call
        return np.clip(x, 0, np.inf, out=out) if x.size > LONG else np.maximum(x, 0, out=out)

    def gradient(self, y: Array, grad: Array, out: Array) -> Array:
        np.greater(y, 0, out=out)
        return np.multiply(grad, out, out=out)


class LeakyReLU(Activation):
    """y = x where x > 0, else slope·x; dy/dx = 1 where y > 0, else slope. Maas, Hannun and Ng 2013, section 2.

    The slope is above 0, so that the sign of x is that of y, and at most 1, so that y is the larger of x and slope·x.
    """

    type = "leaky_relu"

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = number("slope", slope, above=0, high=1)

    def value(self, x: Array, out: Array) -> Array:
        np.multiply(x, self.slope, out=out)
        return np.maximum(x, out, out=out)

    def gradient(self, y: Array, grad: Array, out: Array) -> Array:
        np.greater(y, 0, out=out)
        out *= 1 - self.slope
        out += self.slope
        out *= grad
        return out

    def spec(self) -> dict[str, Any]:
        return {"type": self.type, "slope": self.slope}


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


class GELU(Activation):
    """y = x·Φ(x), with Φ the normal distribution's (1 + erf(x/√2))/2. Hendrycks and Gimpel 2016, section 2.

    dy/dx = Φ(x) + x·φ(x), with φ(x) = e^(−x²/2)/√(2π). With `approximate` "tanh", theirs, in place of "none",
    Φ(x) = (1 + tanh u)/2 with u = √(2/π)(x + 0.044715x³), and dΦ/dx = (1 − tanh² u)/2 · du/dx.
    """

    type = "gelu"

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = choice("approximate", approximate, ("none", "tanh"))

    def forward(self, x: Array, *, training: bool) -> Array:
        phi = self._distribution(x)
        if not training:
            return x * phi
        self._x, self._phi = x, phi
        return np.multiply(x, phi, out=self._buffer_like("y", x))

    def backward(self, grad: Array) -> Array:
        x, phi = self._x, self._phi
        dx = np.multiply(x, x, out=self._buffer_like("dx", x))
        if self.approximate == "none":
            dx *= -0.5
            np.exp(dx, out=dx)
            dx *= 1 / math.sqrt(2 * math.pi)
        else:  # with t = tanh u: (1 − t²)/2 = 2Φ(1 − Φ)
            dx *= 3 * CUBIC
            dx += 1
            dx *= 2 * math.sqrt(2 / math.pi) * phi
            dx *= 1 - phi
        dx *= x
        dx += phi
        dx *= grad
        return dx

    def _distribution(self, x: Array) -> Array:
        """Φ(x)."""
        if self.approximate == "none":
            phi = erf(x * math.sqrt(0.5))
        else:
            phi = x * x
            phi *= CUBIC
            phi += 1
            phi *= x
            phi *= math.sqrt(2 / math.pi)
            np.tanh(phi, out=phi)
        phi += 1
        phi *= 0.5
        return phi

    def spec(self) -> dict[str, Any]:
        return {"type": self.type, "approximate": self.approximate}


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


ACTIVATIONS: dict[str, type[Activation]] = {
    cls.type: cls for cls in (Identity, Step, ReLU, LeakyReLU, Sigmoid, Tanh, GELU, Softmax)
}


# Cody 1969, "Rational Chebyshev approximations for the error function", Math. Comp. 23, 631–637, with the coefficients
# of his CALERF (netlib specfun): numerator and denominator, highest power first
_NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_MIDDLE = (
    (
        *(2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1),
        *(2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3),
        1.23033935479799725e3,
    ),
    (
        *(1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3),
        *(3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
    ),
)
_FAR = (
    (
        *(1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1),
        *(1.60837851487422766e-2, 6.58749161529837803e-4),
    ),
    (
        *(1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2),
        2.33520497626869185e-3,
    ),
)
NEAR, FAR = 0.46875, 4.0
"""The bounds between the approximations."""


def erf(x: Array) -> Array:
    """2/√π ∫₀ˣ e^(−t²) dt, in `x`'s shape and dtype; accurate to 1e-15 in float64."""
    size = np.abs(x)
    y = np.empty_like(x)
    near, far = size <= NEAR, size > FAR
    middle = ~(near | far)
    z = x[near]
    y[near] = z * _ratio(_NEAR, z * z)
    z = size[middle]
    y[middle] = np.copysign(1 - np.exp(-z * z) * _ratio(_MIDDLE, z), x[middle])
    z = size[far].clip(max=10)  # beyond 6 it is 1, to the last bit
    w = 1 / (z * z)
    y[far] = np.copysign(1 - np.exp(-z * z) * (1 / np.sqrt(np.pi) - w * _ratio(_FAR, w)) / z, x[far])
    return y


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    numerator, denominator = (_polynomial(row, x) for row in coefficients)
    return numerator / denominator


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Horner's scheme, in x's dtype."""
    y = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        y *= x
        y += coefficient
    return y
