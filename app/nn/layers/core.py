"""The interface of every layer, and the basic layers."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from app.nn.arrays import Array, Buffers, Shape
from app.nn.initializers import INITIALIZERS, Initializer, RandomSource, Xavier
from app.nn.spec import build, integer, number


class Layer:
    """One step of a network: `(N, *input_shape)` in, `(N, *output_shape)` out.

    `forward(x, training=True)` stores what `backward` needs and returns one of the layer's buffers, which the next call
    overwrites. `forward(x, training=False)` writes nothing to the layer: threads may share it.

    After `bind` a layer with parameters has an array for each one in `params` and its gradient in `grads`: views of
    the network's two flat vectors.
    """

    type: ClassVar[str]
    params: dict[str, Array]
    grads: dict[str, Array]
    state: dict[str, Array]
    """Arrays saved with the parameters but not trained, such as running means; empty in most layers."""
    sums: int = 0
    """The most numbers at a time that it adds up over the batch in training; 0 if no output depends on the batch's
    other samples."""
    needs_input_gradient: bool = True
    """False in the first layer with parameters: the gradient of its input is not used."""

    def build(self, input_shape: Shape, dtype: DTypeLike) -> Shape:
        """Fix the shape and dtype of one input (without the batch axis) and return the output's shape.

        Raises ValueError if the layer cannot take such an input.
        """
        self.input_shape = input_shape
        self.dtype = np.dtype(dtype)
        self.params, self.grads, self.state = {}, {}, {}
        self._buffers = Buffers()
        return input_shape

    def parameter_shapes(self) -> dict[str, Shape]:
        """The shapes of the parameters by name; known after `build`."""
        return {}

    @property
    def multiplications(self) -> int:
        """The number of multiplications by weights in the forward pass of one sample; known after `build`."""
        return 0

    def bind(self, params: dict[str, Array], grads: dict[str, Array]) -> None:
        """Use these views of the network's vectors as this layer's parameters and gradients."""
        self.params, self.grads = params, grads

    def share_batch(self, total: Callable[[Array], Array]) -> None:
        """Share each batch with other processes from now on: `total(values)`, which all must call, returns the sum of
        all processes' `values`, at most `sums` of them, as a float64 vector."""

    def initialize(self, rng: RandomSource) -> None:
        """Draw the initial values of the parameters."""

    def begin_epoch(self, rng: np.random.Generator) -> None:
        """Use `rng` for this epoch's randomness."""

    def forward(self, x: Array, *, training: bool) -> Array:
        """The outputs for a batch of inputs."""
        raise NotImplementedError

    def backward(self, grad: Array) -> Array:
        """Take dL/d(output) of the last training `forward`; write `grads`; return dL/d(input)."""
        raise NotImplementedError

    def spec(self) -> dict[str, Any]:
        """The JSON from which an equal layer can be built."""
        return {"type": self.type}

    def _buffer(self, name: str, shape: Shape, dtype: DTypeLike | None = None) -> Array:
        return self._buffers.get(name, shape, dtype or self.dtype)

    def _buffer_like(self, name: str, array: Array, dtype: DTypeLike | None = None) -> Array:
        """A buffer with the shape and the memory order of `array`, so that loops over both are long."""
        if array.flags.c_contiguous:
            return self._buffer(name, array.shape, dtype)
        order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
        flat = self._buffer(name, (array.size,), dtype)
        return flat.reshape([array.shape[axis] for axis in order]).transpose(np.argsort(order))


class Dense(Layer):
    """y = x·W + b, with W of shape (inputs, units); "Affine" in Deep Learning from Scratch, section 5.6."""

    type = "dense"

    def __init__(self, units: int, initializer: object = None) -> None:
        self.units = integer("units", units, low=1, high=100_000)
        self.initializer: Initializer = (
            Xavier() if initializer is None else build("initializer", INITIALIZERS, initializer)
        )

    def build(self, input_shape: Shape, dtype: DTypeLike) -> Shape:
        super().build(input_shape, dtype)
        self.inputs = int(np.prod(input_shape))
        return (self.units,)

    def parameter_shapes(self) -> dict[str, Shape]:
        return {"weight": (self.inputs, self.units), "bias": (self.units,)}

    @property
    def multiplications(self) -> int:
        return self.inputs * self.units

    def initialize(self, rng: RandomSource) -> None:
        self.params["weight"][:] = self.initializer((self.inputs, self.units), self.inputs, self.units, rng)
        self.params["bias"][:] = 0

    def forward(self, x: Array, *, training: bool) -> Array:
        x = x.reshape(len(x), self.inputs)
        if not training:
            y: Array = x @ self.params["weight"]
            y += self.params["bias"]
            return y
        self._x = x
        y = self._buffer("y", (len(x), self.units))
        np.matmul(x, self.params["weight"], out=y)
        y += self.params["bias"]
        return y

    def backward(self, grad: Array) -> Array:
        np.matmul(self._x.T, grad, out=self.grads["weight"])
        np.add.reduce(grad, axis=0, out=self.grads["bias"])
        if not self.needs_input_gradient:
            return grad
        dx = self._buffer("dx", (len(grad), self.inputs))
        np.matmul(grad, self.params["weight"].T, out=dx)
        return dx.reshape(len(grad), *self.input_shape)

    def spec(self) -> dict[str, Any]:
        return {"type": self.type, "units": self.units, "initializer": self.initializer.spec()}


class Dropout(Layer):
    """Sets a fraction `rate` of its inputs to zero while training, and scales the rest by 1/(1 − rate).

    At inference it does nothing ("inverted dropout"). Srivastava et al. 2014, section 10.
    """

    type = "dropout"

    def __init__(self, rate: float) -> None:
        self.rate = number("rate", rate, low=0, below=1)

    def begin_epoch(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def forward(self, x: Array, *, training: bool) -> Array:
        if not training or self.rate == 0:
            return x
        mask = self._buffer("mask", x.shape)
        self._rng.random(out=mask, dtype=mask.dtype.type)
        np.greater_equal(mask, self.rate, out=mask)
        mask *= 1 / (1 - self.rate)
        self._mask = mask
        return np.multiply(x, mask, out=self._buffer("y", x.shape))

    def backward(self, grad: Array) -> Array:
        if self.rate == 0:
            return grad
        return np.multiply(grad, self._mask, out=self._buffer("dx", grad.shape))

    def spec(self) -> dict[str, Any]:
        return {"type": self.type, "rate": self.rate}


class Flatten(Layer):
    """Each sample as one row: (N, C, H, W) in, (N, C·H·W) out. `Dense` flattens its input itself."""

    type = "flatten"

    def build(self, input_shape: Shape, dtype: DTypeLike) -> Shape:
        super().build(input_shape, dtype)
        self.size = int(np.prod(input_shape))
        return (self.size,)

    def forward(self, x: Array, *, training: bool) -> Array:
        return x.reshape(len(x), self.size)

    def backward(self, grad: Array) -> Array:
        return grad.reshape(len(grad), *self.input_shape)
