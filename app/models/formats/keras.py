"""Export for Keras: a zip of `weights.npz`, whose arrays `arr_0`, `arr_1`, ... are for `model.set_weights`, and
`model.py`, which builds the model and loads them.

Keras' images are (height, width, channels), digitpad's (channels, height, width): kernels become (kh, kw, in, out), and
parameters after a flattened image (the rows of a dense kernel, the vectors of a batch normalization) are reordered. A
batch normalization's arrays are gamma, beta, moving mean, moving variance. The model takes pixels as /predict does,
(N, 28, 28), and returns calibrated probabilities.
"""

import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.data.preprocessing.normalize import IMAGE_SIZE
from app.errors import InputError
from app.models.formats.source import Source
from app.nn import LAYERS, Network
from app.nn.arrays import Array
from app.nn.layers.core import Layer

WEIGHTS, PROGRAM = "weights.npz", "model.py"

_TEMPLATE = '''"""A model of digitpad for Keras 3: `build()` gives it with its weights, `LABELS` are its outputs."""

from pathlib import Path

import keras
import numpy as np

LABELS = {labels}


def build():
    """A model that takes pixels (N, {size}, {size}), 0 is paper and 1 is ink, and gives probabilities (N, {count})."""
    model = keras.Sequential(
        [
            keras.Input(({size}, {size})),
{layers}
        ]
    )
    with np.load(Path(__file__).with_name("{weights}")) as arrays:
        model.set_weights([arrays[f"arr_{{index}}"] for index in range(len(arrays.files))])
    return model


if __name__ == "__main__":
    build().summary()
'''


def write(source: Source) -> bytes:
    """The bytes of the zip; equal models give equal bytes. Raises ValueError for a layer that Keras does not have."""
    lines, arrays = translate(source.network)
    before = [] if source.factor == 1 else [f"keras.layers.Rescaling({source.factor!r})"]
    after = _probabilities(source.network, source.card.temperature)
    program = _TEMPLATE.format(
        labels=ascii(source.card.labels),
        size=IMAGE_SIZE,
        count=len(source.card.labels),
        layers="\n".join(f"            {line}," for line in (*before, *lines, *after)),
        weights=WEIGHTS,
    )
    weights, packed = BytesIO(), BytesIO()
    np.savez_compressed(weights, *arrays)
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in ((WEIGHTS, weights.getvalue()), (PROGRAM, program.encode())):
            archive.writestr(zipfile.ZipInfo(name), data)
    return packed.getvalue()


def translate(network: Network) -> tuple[list[str], list[Array]]:
    """The layers as Keras' constructor calls, and all arrays in the order of `set_weights`.

    The first layer takes digitpad's images, without an axis for a single channel.
    """
    steps = _Steps(network)
    for index, layer in enumerate(network.layers):
        writer = _WRITERS.get(layer.type)
        if writer is None or LAYERS.get(layer.type) is not type(layer):
            raise InputError(
                "expected one of {names}; got {value}",
                field=f"layers[{index}]",
                names=", ".join(_WRITERS),
                value=layer.type,
            )
        writer(steps, layer)
    if steps.order is not None:
        raise AssertionError("a flattened image is followed by a dense layer, or was turned before")
    return steps.lines, steps.arrays


class _Steps:
    """The translated layers; for features of a flattened image `order` has the digitpad index of each Keras feature."""

    def __init__(self, network: Network) -> None:
        self.lines: list[str] = []
        self.arrays: list[Array] = []
        self.order: NDArray[np.int64] | None = None
        self._dense_left = sum(layer.type == "dense" for layer in network.layers)
        if network.input_shape != (IMAGE_SIZE, IMAGE_SIZE):
            self.reshape(_keras_shape(network.input_shape), network.input_shape)

    def add(self, line: str, *arrays: Array) -> None:
        self.lines.append(f"keras.layers.{line}")
        self.arrays += arrays

    def reshape(self, target: tuple[int, ...], shape: tuple[int, ...]) -> None:
        """Reshape the input to `target`, with digitpad's order of `shape`."""
        if len(shape) == 3 and shape[0] > 1 and shape[1:] != (1, 1):
            self.add(f"Reshape({shape})")
            self.add("Permute((2, 3, 1))")
        else:
            self.add(f"Reshape({target})")

    def images(self, layer: Layer) -> None:
        """Add an axis for a single channel if there is none."""
        if len(layer.input_shape) == 2:
            self.add(f"Reshape({(*layer.input_shape, 1)})")

    def rows(self, layer: Layer) -> None:
        """Flatten the layer's input."""
        shape = layer.input_shape
        if len(shape) == 1:
            return
        if len(shape) == 3 and shape[0] > 1 and shape[1:] != (1, 1):
            if self._dense_left:
                self.order = np.arange(np.prod(shape)).reshape(shape).transpose(1, 2, 0).ravel()
            else:
                self.add("Permute((3, 1, 2))")
        self.add("Flatten()")

    def ordered(self, array: Array) -> Array:
        """Rows of the features, in Keras' order."""
        return array if self.order is None else array[self.order]

    def dense(self, layer: Any) -> None:
        self.rows(layer)
        self._dense_left -= 1
        self.add(f"Dense({layer.units})", self.ordered(layer.params["weight"]), layer.params["bias"])
        self.order = None


def _keras_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[1:], shape[0]) if len(shape) == 3 else shape


def _probabilities(network: Network, temperature: float) -> list[str]:
    if network.layers[-1].type == "softmax":
        if temperature == 1:
            return []
        return [
            f"keras.layers.Lambda(lambda x: keras.ops.log(keras.ops.maximum(x, 1e-37)) / {temperature!r})",
            "keras.layers.Softmax()",
        ]
    scaled = [] if temperature == 1 else [f"keras.layers.Rescaling({1 / temperature!r})"]
    return [*scaled, "keras.layers.Softmax()"]


def _batch_norm(steps: _Steps, layer: Any) -> None:
    names = ("gamma", "beta", "running_mean", "running_variance")
    found = {**layer.params, **layer.state}
    flat = len(layer.input_shape) == 1
    steps.images(layer)
    arrays = (steps.ordered(found[name]) if flat else found[name] for name in names)
    steps.add(f"BatchNormalization(momentum={layer.momentum!r}, epsilon={layer.epsilon!r})", *arrays)
    if len(layer.input_shape) == 2:
        steps.add(f"Reshape({layer.input_shape})")


def _conv(steps: _Steps, layer: Any) -> None:
    steps.images(layer)
    (top, bottom), (left, right) = layer.padding
    if top or bottom or left or right:
        steps.add(f"ZeroPadding2D((({top}, {bottom}), ({left}, {right})))")
    kernel = layer.params["weight"].transpose(2, 3, 1, 0)
    steps.add(f"Conv2D({layer.filters}, {layer.kernel}, strides={layer.stride})", kernel, layer.params["bias"])


def _pool(name: str) -> "Writer":
    def write(steps: _Steps, layer: Any) -> None:
        steps.images(layer)
        steps.add(f"{name}({layer.size}, strides={layer.stride})")

    return write


def _softmax(steps: _Steps, layer: Any) -> None:
    # digitpad's is over the last axis, which for images is that of columns.
    steps.add("Softmax(axis=2)" if len(layer.input_shape) == 3 else "Softmax()")


def _plain(line: str) -> "Writer":
    return lambda steps, layer: steps.add(line)


Writer = Callable[[_Steps, Any], None]

_WRITERS: Mapping[str, Writer] = {
    "dense": lambda steps, layer: steps.dense(layer),
    "dropout": lambda steps, layer: steps.add(f"Dropout({layer.rate!r})"),
    "flatten": lambda steps, layer: steps.rows(layer),
    "batch_norm": _batch_norm,
    "conv2d": _conv,
    "max_pool2d": _pool("MaxPooling2D"),
    "average_pool2d": _pool("AveragePooling2D"),
    "identity": lambda steps, layer: None,
    "step": _plain("Lambda(lambda x: keras.ops.cast(x > 0, x.dtype))"),
    "relu": _plain("ReLU()"),
    "leaky_relu": lambda steps, layer: steps.add(f"LeakyReLU(negative_slope={layer.slope!r})"),
    "sigmoid": _plain('Activation("sigmoid")'),
    "tanh": _plain('Activation("tanh")'),
    "gelu": lambda steps, layer: steps.add(
        f"Lambda(lambda x: keras.activations.gelu(x, approximate={layer.approximate == 'tanh'}))"
    ),
    "softmax": _softmax,
}
