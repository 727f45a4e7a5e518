"""A sequential network, with all parameters in one vector and all gradients in another."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from app.nn.arrays import Array, Shape
from app.nn.errors import SpecError
from app.nn.initializers import RandomSource
from app.nn.layers.activations import ACTIVATIONS, Softmax, softmax
from app.nn.layers.convolution import Conv2D
from app.nn.layers.core import Dense, Dropout, Flatten, Layer
from app.nn.layers.normalization import BatchNorm
from app.nn.layers.pooling import AveragePool2D, MaxPool2D
from app.nn.spec import abbreviate, build, choice

LAYERS: dict[str, type[Layer]] = {
    **{cls.type: cls for cls in (Dense, Dropout, Flatten, BatchNorm, Conv2D, MaxPool2D, AveragePool2D)},
    **ACTIVATIONS,
}
DTYPES = ("float32", "float64")
GENERATORS = ("pcg64", "legacy")
LAYER_LIMIT = 200
PARAMETER_LIMIT = 50_000_000
"""200 MB of float32; a larger spec is probably a mistake, and would fill the machine's memory."""

SMALLEST_PROBABILITY = float(np.finfo(np.float32).smallest_normal)
"""The floor of a softmax's output under its logarithm: below it some runtimes round to zero and others do not."""

_INITIALIZATION = 0
"""The purpose in `default_rng([seed, epoch, purpose])`: initial weights."""


@dataclass(frozen=True, eq=False)
class NetworkOutput:
    """The output for N samples, in the network's dtype: `outputs` (N, *output_shape) and `features` (N, F).

    The features are the inputs of the last dense layer, or of the last layer if none is dense.
    """

    outputs: Array
    features: Array
    ends_in_softmax: bool

    def __getitem__(self, rows: slice) -> "NetworkOutput":
        """The output for a slice of the samples; a view."""
        return NetworkOutput(self.outputs[rows], self.features[rows], self.ends_in_softmax)

    @property
    def probabilities(self) -> Array:
        """One probability a label, (N, K), each row summing to 1."""
        return self.outputs if self.ends_in_softmax else softmax(self.outputs)

    @cached_property
    def logits(self) -> Array:
        """The outputs (N, K) as float64 logits; their logarithms if the network ends in a softmax."""
        rows = self.outputs.astype(np.float64)
        if self.ends_in_softmax:
            np.log(np.maximum(rows, SMALLEST_PROBABILITY), out=rows)
        return rows


class Network:
    """A sequence of layers.

    `params` and `grads` are the flat vectors; each layer holds views of them. Weights (arrays of two axes or more) come
    first, so that `params[:decayed]` is what weight decay acts on; biases come after.
    """

    def __init__(
        self,
        layers: list[Layer],
        input_shape: Shape,
        *,
        dtype: DTypeLike = "float32",
        generator: str = "pcg64",
    ) -> None:
        """Build `layers` for inputs of `input_shape` (without the batch axis).

        `generator` draws the initial weights: NumPy's default, or "legacy", its `RandomState`, as in older tutorials.
        Raises ValueError if the layers' shapes do not fit together.
        """
        if not 0 < len(layers) <= LAYER_LIMIT:
            raise SpecError(
                "expected 1 to {most} layers; got {count}", field="layers", most=LAYER_LIMIT, count=len(layers)
            )
        self.dtype = np.dtype(choice("dtype", dtype if isinstance(dtype, str) else str(np.dtype(dtype)), DTYPES))
        self.generator = choice("generator", generator, GENERATORS)
        self.layers = layers
        self.input_shape = tuple(input_shape)
        shape = self.input_shape
        for index, layer in enumerate(layers):
            try:
                shape = layer.build(shape, self.dtype)
            except SpecError as error:
                raise error.within(f"layers[{index}]") from None
        self.output_shape = shape
        dense = [index for index, layer in enumerate(layers) if isinstance(layer, Dense)]
        self._last_dense = dense[-1] if dense else len(layers) - 1
        self._bind()

    @classmethod
    def from_spec(
        cls, spec: Mapping[str, Any], *, input_shape: Shape | None = None, dtype: DTypeLike = "float32"
    ) -> "Network":
        """Build from `{"layers": [...], "input_shape"?, "generator"?}`; the argument `input_shape` takes precedence.

        Raises ValueError with the field, the expected and the given value.
        """
        unknown = set(spec) - {"layers", "input_shape", "generator"}
        if unknown:
            raise SpecError("unknown field; a network takes layers and generator", field=f"network.{min(unknown)[:80]}")
        layers = spec.get("layers")
        if not isinstance(layers, list):
            raise SpecError("expected a list of layers; got {value}", field="network.layers", value=abbreviate(layers))
        shape = input_shape if input_shape is not None else spec.get("input_shape")
        if shape is None:
            raise SpecError("missing", field="network.input_shape")
        if not isinstance(shape, (list, tuple)) or not all(
            isinstance(size, int) and 0 < size < 10**6 for size in shape
        ):
            raise SpecError("expected whole numbers; got {value}", field="network.input_shape", value=abbreviate(shape))
        if len(layers) > LAYER_LIMIT:
            raise SpecError(
                "expected 1 to {most} layers; got {count}",
                field="network.layers",
                most=LAYER_LIMIT,
                count=len(layers),
            )
        try:
            built = [build(f"layers[{index}]", LAYERS, layer) for index, layer in enumerate(layers)]
            return cls(built, tuple(shape), dtype=dtype, generator=spec.get("generator", "pcg64"))
        except SpecError as error:
            raise error.within("network") from None

    def spec(self) -> dict[str, Any]:
        """The JSON from which an equal network can be built, without its weights."""
        return {
            "input_shape": list(self.input_shape),
            "layers": [layer.spec() for layer in self.layers],
            "generator": self.generator,
        }

    @property
    def multiplications(self) -> int:
        """The number of multiplications by weights in the forward pass of one sample."""
        return sum(layer.multiplications for layer in self.layers)

    @property
    def feature_count(self) -> int:
        """The number of features that `infer` returns for a sample."""
        return math.prod(self.layers[self._last_dense].input_shape)

    @property
    def has_hidden_layer(self) -> bool:
        """True if layers with parameters compute the features; otherwise they are the inputs themselves."""
        return any(layer.params for layer in self.layers[: self._last_dense])

    def bind_storage(self, params: Array, grads: Array) -> None:
        """Use these vectors, with their contents, as the parameters and gradients from now on."""
        self._bind(params, grads)

    def initialize(self, seed: int) -> None:
        """Draw the initial values of all parameters, layer by layer."""
        rng: RandomSource = (
            np.random.RandomState(seed)
            if self.generator == "legacy"
            else np.random.default_rng([seed, 0, _INITIALIZATION])
        )
        for layer in self.layers:
            layer.initialize(rng)

    def begin_epoch(self, rng: np.random.Generator) -> None:
        """Give all layers this epoch's random generator."""
        for layer in self.layers:
            layer.begin_epoch(rng)

    def forward(self, x: Array, *, training: bool) -> Array:
        """Outputs (N, *output_shape) for `x` (N, *input_shape), of the network's dtype.

        With `training=True` the result is a buffer that the next call overwrites.
        """
        for layer in self.layers:
            x = layer.forward(x, training=training)
        return x

    def backward(self, grad: Array) -> None:
        """Write `grads` from dL/d(outputs) of the last training `forward`."""
        for layer in reversed(self.layers[self._first_learning :]):
            grad = layer.backward(grad)

    def infer(self, x: Array) -> NetworkOutput:
        """Outputs and features of `x` (N, *input_shape), of the network's dtype; safe to call from several threads."""
        for layer in self.layers[: self._last_dense]:
            x = layer.forward(x, training=False)
        features = x.reshape(len(x), -1)
        for layer in self.layers[self._last_dense :]:
            x = layer.forward(x, training=False)
        return NetworkOutput(x, features, isinstance(self.layers[-1], Softmax))

    def probabilities(self, x: Array) -> Array:
        """One probability a label, (N, K), each row summing to 1; safe to call from several threads."""
        return self.infer(x).probabilities

    def weights(self) -> dict[str, Array]:
        """The parameters by name ("0.weight", "0.bias", "2.weight", ...), as views of `params`, and the layers' state
        ("1.running_mean")."""
        return {
            f"{index}.{name}": array
            for index, layer in enumerate(self.layers)
            for name, array in (*layer.params.items(), *layer.state.items())
        }

    def load_weights(self, weights: Mapping[str, Array]) -> None:
        """Copy `weights`, as `weights()` names them, into the network.

        Raises ValueError if one is missing, unknown, of another shape or not finite.
        """
        current = self.weights()
        if set(current) != set(weights):
            raise SpecError(
                "expected the arrays {names}; got {got}",
                field="weights",
                names=abbreviate([*current]),
                got=abbreviate(sorted(weights)),
            )
        for name in current:
            array = weights[name]
            if array.shape != current[name].shape:
                raise SpecError(
                    "expected the shape {shape}; got {got}",
                    field=f"weights[{name}]",
                    shape=current[name].shape,
                    got=array.shape,
                )
            if not np.isfinite(array).all():
                raise SpecError("expected finite numbers; got NaN or infinity", field=f"weights[{name}]")
        for name, array in weights.items():
            current[name][...] = array

    def _bind(self, params: Array | None = None, grads: Array | None = None) -> None:
        shapes = [
            (index, name, shape)
            for index, layer in enumerate(self.layers)
            for name, shape in layer.parameter_shapes().items()
        ]
        shapes.sort(key=lambda entry: len(entry[2]) < 2)  # stable: weights first, each kind in the layers' order
        sizes = [int(np.prod(shape)) for _, _, shape in shapes]
        if sum(sizes) > PARAMETER_LIMIT:
            raise SpecError(
                "expected at most {most} parameters; got {count}",
                field="layers",
                most=f"{PARAMETER_LIMIT:,}",
                count=f"{sum(sizes):,}",
            )
        self.params = np.zeros(sum(sizes), self.dtype) if params is None else params
        self.grads = np.zeros(sum(sizes), self.dtype) if grads is None else grads
        self.decayed = sum(size for size, entry in zip(sizes, shapes, strict=True) if len(entry[2]) >= 2)
        views: dict[int, tuple[dict[str, Array], dict[str, Array]]] = {}
        offset = 0
        for (index, name, shape), size in zip(shapes, sizes, strict=True):
            layer_params, layer_grads = views.setdefault(index, ({}, {}))
            layer_params[name] = self.params[offset : offset + size].reshape(shape)
            layer_grads[name] = self.grads[offset : offset + size].reshape(shape)
            offset += size
        for index, (layer_params, layer_grads) in views.items():
            self.layers[index].bind(layer_params, layer_grads)
        self._first_learning = min(views, default=len(self.layers))
        if views:
            self.layers[self._first_learning].needs_input_gradient = False
