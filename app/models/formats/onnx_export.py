"""Export to ONNX, opset 20 (https://onnx.ai/onnx/operators), IR version 9, in float32.

The file of a stored model takes `input` (N, 1, 28, 28), pixels as for `POST /predict`: 0 is paper, 1 is ink. It returns
`probabilities` (N, labels), calibrated like those of /predict. Its metadata has the labels as a JSON list, the card's
network, and a description of the preprocessing; the detection of outliers is not included. Needs the package `onnx`
(the extra of that name).
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from app import __version__
from app.data.preprocessing.normalize import IMAGE_SIZE
from app.errors import InputError
from app.models.formats.source import MissingExtraError, Source
from app.nn import LAYERS, Network
from app.nn.arrays import Array, Shape
from app.nn.layers.core import Layer
from app.nn.network import SMALLEST_PROBABILITY

OPSET = 20
"""The first opset with `Gelu`."""
IR_VERSION = 9
PREPROCESSING = (
    "28 rows of 28 numbers, 0 is paper, 1 is ink. As in MNIST: ink fitted into 20 x 20 keeping its aspect ratio, with "
    "anti-aliasing, then placed in 28 x 28 with its centre of mass at pixel (14, 14)."
)


def write(source: Source) -> bytes:
    """The `.onnx` of a stored model. Raises MissingExtraError, ValueError for a layer that ONNX does not have."""
    card = source.card
    metadata = {
        "name": card.name,
        "labels": json.dumps(card.labels, ensure_ascii=False),
        "preprocessing": PREPROCESSING,
        "network": json.dumps(card.network),
        "temperature": repr(source.card.temperature),
        "dataset": card.dataset,
        "recipe": card.recipe,
        "digitpad": __version__,
    }
    return to_onnx(
        source.network,
        input_shape=(1, IMAGE_SIZE, IMAGE_SIZE),
        factor=source.factor,
        temperature=source.card.temperature,
        metadata=metadata,
    )


def to_onnx(
    network: Network,
    *,
    input_shape: Shape | None = None,
    factor: float = 1.0,
    temperature: float | None = None,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """A network as an ONNX file, with `input` (N, *input_shape), by default the network's shape.

    Inputs are multiplied by `factor`. With a `temperature` the output is `probabilities`, the softmax of the logits
    divided by it; without, it is the network's `outputs`. Raises MissingExtraError, ValueError.
    """
    graph = _Graph()
    shape = tuple(input_shape or network.input_shape)
    if math.prod(shape) != math.prod(network.input_shape):
        raise InputError(
            "expected one of {count} numbers; got {shape}",
            field="input_shape",
            count=math.prod(network.input_shape),
            shape=shape,
        )
    x = "input"
    if factor != 1:
        x = graph.add("Mul", x, graph.constant("input.factor", np.float32(factor)))
    if shape != network.input_shape:
        x = graph.reshape(x, network.input_shape)
    for index, layer in enumerate(network.layers):
        graph.prefix = str(index)
        writer = _WRITERS.get(layer.type)
        if writer is None or LAYERS.get(layer.type) is not type(layer):
            raise InputError(
                "expected one of {names}; got {value}",
                field=f"layers[{index}]",
                names=", ".join(_WRITERS),
                value=layer.type,
            )
        x = writer(graph, layer, x)
    graph.prefix = "end"
    if temperature is not None:
        x = _probabilities(graph, x, network.layers[-1].type == "softmax", temperature)
    return graph.model(x, "outputs" if temperature is None else "probabilities", shape, network, metadata or {})


class _Graph:
    """The nodes and constants of a graph."""

    def __init__(self) -> None:
        try:
            import onnx
        except ImportError:
            raise MissingExtraError("ONNX", "onnx") from None
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self.prefix = "start"

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        output = f"{self.prefix}.{operator.lower()}.{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: Any) -> str:
        """Add a constant; floats become float32 unless they are float64 scalars."""
        array = np.asarray(value)
        if array.dtype.kind == "f" and array.ndim > 0:
            array = array.astype(np.float32)
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def weight(self, layer: Layer, name: str) -> str:
        """Add a parameter or a state of the layer, named as in `Network.weights()`."""
        array: Array = {**layer.params, **layer.state}[name]
        return self.constant(f"{self.prefix}.{name}", array)

    def reshape(self, x: str, shape: Shape) -> str:
        name = f"{self.prefix}.shape.{len(self._nodes)}"
        return self.add("Reshape", x, self.constant(name, np.array([-1, *shape], np.int64)))

    def cast(self, x: str, kind: str) -> str:
        return self.add("Cast", x, to=getattr(self._onnx.TensorProto, kind))

    def model(self, x: str, output: str, shape: Shape, network: Network, metadata: Mapping[str, str]) -> bytes:
        """The checked file with the output `x`. Raises ValueError if it is too large for protobuf."""
        helper, float32 = self._onnx.helper, self._onnx.TensorProto.FLOAT
        self._nodes.append(helper.make_node("Identity", [x], [output], name=output))
        graph = helper.make_graph(
            self._nodes,
            "digitpad",
            [helper.make_tensor_value_info("input", float32, ["N", *shape])],
            [helper.make_tensor_value_info(output, float32, ["N", *network.output_shape])],
            self._constants,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="digitpad",
            producer_version=__version__,
            doc_string=f"Written by digitpad {__version__} for opset {OPSET}.",
        )
        helper.set_model_props(model, dict(metadata))
        self._onnx.checker.check_model(model, full_check=True)
        packed: bytes = model.SerializeToString(deterministic=True)
        return packed


def _probabilities(graph: _Graph, x: str, softmax_is_last: bool, temperature: float) -> str:
    if temperature == 1:
        return x if softmax_is_last else graph.add("Softmax", x, axis=-1)
    if not softmax_is_last:
        scaled = graph.add("Div", x, graph.constant("end.temperature", np.float32(temperature)))
        return graph.add("Softmax", scaled, axis=-1)
    # As in the predictor: logits are the logarithms of probabilities, in float64 and from a smallest one on.
    wide = graph.cast(x, "DOUBLE")
    tiny = graph.constant("end.tiny", np.float64(SMALLEST_PROBABILITY))
    logits = graph.add("Log", graph.add("Max", wide, tiny))
    scaled = graph.add("Div", logits, graph.constant("end.temperature", np.float64(temperature)))
    return graph.cast(graph.add("Softmax", scaled, axis=-1), "FLOAT")


def _dense(graph: _Graph, layer: Any, x: str) -> str:
    if len(layer.input_shape) > 1:
        x = graph.reshape(x, (layer.inputs,))
    return graph.add("Gemm", x, graph.weight(layer, "weight"), graph.weight(layer, "bias"))


def _flatten(graph: _Graph, layer: Any, x: str) -> str:
    return graph.reshape(x, (layer.size,))


def _batch_norm(graph: _Graph, layer: Any, x: str) -> str:
    shape = layer.input_shape
    x = x if len(shape) != 2 else graph.reshape(x, (1, *shape))
    names = ("gamma", "beta", "running_mean", "running_variance")
    y = graph.add("BatchNormalization", x, *(graph.weight(layer, name) for name in names), epsilon=layer.epsilon)
    return y if len(shape) != 2 else graph.reshape(y, shape)


def _image(graph: _Graph, layer: Any, x: str) -> str:
    """`x` with an axis for a single channel if the network's shape has none."""
    return x if len(layer.input_shape) == 3 else graph.reshape(x, (1, *layer.input_shape))


def _conv(graph: _Graph, layer: Any, x: str) -> str:
    (top, bottom), (left, right) = layer.padding
    return graph.add(
        *("Conv", _image(graph, layer, x), graph.weight(layer, "weight"), graph.weight(layer, "bias")),
        kernel_shape=layer.kernel,
        strides=[layer.stride] * 2,
        pads=[top, left, bottom, right],
    )


def _pool(operator: str) -> "Writer":
    return lambda graph, layer, x: graph.add(
        operator, _image(graph, layer, x), kernel_shape=[layer.size] * 2, strides=[layer.stride] * 2
    )


def _step(graph: _Graph, layer: Any, x: str) -> str:
    zero = graph.constant(f"{graph.prefix}.zero", np.float32(0))
    return graph.cast(graph.add("Greater", x, zero), "FLOAT")


def _unchanged(graph: _Graph, layer: Any, x: str) -> str:
    return x


def _plain(operator: str) -> "Writer":
    return lambda graph, layer, x: graph.add(operator, x)


Writer = Callable[[_Graph, Any, str], str]

_WRITERS: Mapping[str, Writer] = {
    "dense": _dense,
    "dropout": _unchanged,
    "flatten": _flatten,
    "batch_norm": _batch_norm,
    "conv2d": _conv,
    "max_pool2d": _pool("MaxPool"),
    "average_pool2d": _pool("AveragePool"),
    "identity": _unchanged,
    "step": _step,
    "relu": _plain("Relu"),
    "leaky_relu": lambda graph, layer, x: graph.add("LeakyRelu", x, alpha=layer.slope),
    "sigmoid": _plain("Sigmoid"),
    "tanh": _plain("Tanh"),
    "gelu": lambda graph, layer, x: graph.add("Gelu", x, approximate=layer.approximate),
    "softmax": lambda graph, layer, x: graph.add("Softmax", x, axis=-1),
}
