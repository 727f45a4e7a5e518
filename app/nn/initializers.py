"""First values of the weights, in order of complexity. Biases always start at zero."""

import math
from typing import Any, ClassVar, Protocol

import numpy as np

from app.nn.arrays import Array, Shape
from app.nn.spec import choice, number


class RandomSource(Protocol):
    """The methods that NumPy's `Generator` and its legacy `RandomState` share."""

    def random(self, size: Any) -> Any: ...

    def standard_normal(self, size: Any) -> Any: ...


class Initializer:
    """Draws the first values of a weight array."""

    type: ClassVar[str]

    def __call__(self, shape: Shape, fan_in: int, fan_out: int, rng: RandomSource) -> Array:
        """Return float64 values of `shape` for a unit with `fan_in` inputs and `fan_out` outputs."""
        raise NotImplementedError

    def spec(self) -> dict[str, Any]:
        """The JSON from which an equal initializer can be built."""
        return {"type": self.type, **vars(self)}


class Zeros(Initializer):
    """All zero: every unit of a layer then learns the same, which is why weights are drawn at random."""

    type = "zeros"

    def __call__(self, shape: Shape, fan_in: int, fan_out: int, rng: RandomSource) -> Array:
        return np.zeros(shape)


class Normal(Initializer):
    """N(0, std²)."""

    type = "normal"

    def __init__(self, std: float = 0.01) -> None:
        self.std = number("std", std, above=0)

    def __call__(self, shape: Shape, fan_in: int, fan_out: int, rng: RandomSource) -> Array:
        return np.asarray(rng.standard_normal(shape)) * self.std


class Uniform(Initializer):
    """U(low, high)."""

    type = "uniform"

    def __init__(self, low: float = -0.05, high: float = 0.05) -> None:
        self.low = number("low", low)
        self.high = number("high", high, above=self.low)

    def __call__(self, shape: Shape, fan_in: int, fan_out: int, rng: RandomSource) -> Array:
        return np.asarray(rng.random(shape)) * (self.high - self.low) + self.low


class _Scaled(Initializer):
    """Zero mean and a variance that keeps the size of the signal from layer to layer."""

    def __init__(self, distribution: str) -> None:
        self.distribution = choice("distribution", distribution, ("uniform", "normal"))

    def variance(self, fan_in: int, fan_out: int) -> float:
        raise NotImplementedError

    def __call__(self, shape: Shape, fan_in: int, fan_out: int, rng: RandomSource) -> Array:
        std = math.sqrt(self.variance(fan_in, fan_out))
        if self.distribution == "normal":
            return np.asarray(rng.standard_normal(shape)) * std
        limit = math.sqrt(3) * std  # U(−a, a) has the variance a²/3
        return np.asarray(rng.random(shape)) * (2 * limit) - limit


class Xavier(_Scaled):
    """Variance 2/(fan_in + fan_out); for sigmoid and tanh. Glorot and Bengio 2010, section 4.2.1."""

    type = "xavier"

    def __init__(self, distribution: str = "uniform") -> None:
        super().__init__(distribution)

    def variance(self, fan_in: int, fan_out: int) -> float:
        return 2 / (fan_in + fan_out)


class He(_Scaled):
    """Variance 2/fan_in; for ReLU. He, Zhang, Ren and Sun 2015, section 2.2."""

    type = "he"

    def __init__(self, distribution: str = "normal") -> None:
        super().__init__(distribution)

    def variance(self, fan_in: int, fan_out: int) -> float:
        return 2 / fan_in


INITIALIZERS: dict[str, type[Initializer]] = {cls.type: cls for cls in (Zeros, Normal, Uniform, Xavier, He)}
