"""Import of ONNX files of dense networks, written by digitpad or by other programs.

A file is a chain of Gemm (or MatMul and Add), activations, batch normalization, and logits or a softmax at the end. A
factor of the input becomes the input scale; the temperature is multiplied into the last layer's weights, or becomes an
additional dense layer. An import gives exactly the file's answers, or is refused. Needs the package `onnx` (the extra
of that name), which is imported only when a file is read.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import numpy as np
from safetensors.numpy import save

from app import __version__
from app.errors import InputError
from app.models.card import NAME, RESERVED, ModelCard
from app.models.formats.onnx_graph import LayerSequence, Node
from app.models.formats.source import MissingExtraError
from app.models.predictor import BYTE_MAX
from app.nn import Network
from app.nn.arrays import Array

DEFAULT_NAME = "imported"
LARGEST_FACTOR = 1e6
_FLOATS = (1, 10, 11)
"""float, float16 and double in TensorProto."""
TINY = 1e-30
"""The largest constant of a `Max` that only keeps a logarithm finite."""
_BOUNDED = ("sigmoid", "tanh", "step")
"""Layers whose outputs are not logits."""


def convert_onnx(data: bytes) -> tuple[bytes, bytes]:
    """The card and the weights, in the store's formats, of the network in an ONNX file.

    Raises ValueError with the unexpected operator or array, and MissingExtraError. Validate the result with
    `archive.check`.
    """
    try:
        from app.models.formats.onnx_proto import read_onnx
    except ImportError:
        raise MissingExtraError("ONNX", "onnx") from None
    file = read_onnx(data)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            chain = LayerSequence(file, lambda chain, node: _READERS.get(node.operator, _unknown)(chain, node))
    except (TypeError, OverflowError):
        raise InputError("expected attributes of the kinds that the operators have; got others") from None
    if chain.last(*_BOUNDED) and chain.only_logits:
        chain.add("softmax")
    elif chain.last(*_BOUNDED):
        raise InputError(
            "expected logits or a softmax at the end; got the outputs of a {type}", type=chain.layers[-1]["type"]
        )
    network = Network.from_spec({"layers": chain.layers}, input_shape=(chain.inputs,))
    with np.errstate(over="ignore"):  # infinite weights are refused
        weights = {name: np.ascontiguousarray(array, np.float32) for name, array in chain.weights.items()}
    network.load_weights(weights)
    labels = _labels(file.metadata.get("labels"), network.output_shape[0])
    name = file.metadata.get("name", "")
    packed = save(weights)
    card = ModelCard(
        name=name if NAME.fullmatch(name) and name not in RESERVED else DEFAULT_NAME,
        network=network.spec(),
        labels=labels,
        input_scale=BYTE_MAX / chain.factor,
        recipe="onnx",
        dataset=file.metadata.get("dataset", "unknown")[:200],
        config={},
        seed=0,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        software={"digitpad": __version__},
        parameters=network.params.size,
        sha256=hashlib.sha256(packed).hexdigest(),
    )
    return card.model_dump_json().encode(), packed


def _labels(given: str | None, count: int) -> list[str]:
    """The labels of the metadata, if there is one for each output; otherwise "0", "1", ..."""
    try:
        found = json.loads(given or "null")
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, list) and len(found) == count and all(isinstance(label, str) for label in found):
        return found
    return [str(index) for index in range(count)]


def _unknown(chain: LayerSequence, node: Node) -> None:
    known = ", ".join(sorted(_READERS))
    raise InputError(
        "expected operators of a network of dense layers ({known}); got {operator}",
        known=known,
        operator=repr(node.operator[:40]),
    )


def _expect(node: Node, **allowed: tuple[float, ...]) -> None:
    """Raise ValueError if an attribute has another value; the first one is the default."""
    for name, values in allowed.items():
        value = node.attributes.get(name, values[0])
        if value not in values:
            raise InputError(
                "expected {name} to be one of {values}; got {value}",
                field=node.operator,
                name=name,
                values=", ".join(map(str, values)),
                value=str(value)[:20],
            )


def _gemm(chain: LayerSequence, node: Node) -> None:
    _expect(node, alpha=(1,), beta=(1,), transA=(0,), transB=(0, 1))
    weight = chain.array(node, 1, 2)
    weight = weight.T if node.attributes.get("transB", 0) else weight
    _dense(chain, weight)
    chain.is_flat = True  # required by Gemm
    if len(node.inputs) > 2 and node.inputs[2]:
        _bias(chain, node, chain.array(node, 2, 0, 1, 2))


def _dense(chain: LayerSequence, weight: Array) -> None:
    chain.take(weight.shape[0])
    chain.add("dense", units=weight.shape[1])
    chain.store(weight=weight, bias=np.zeros(weight.shape[1]))
    chain.give(weight.shape[1])


def _bias(chain: LayerSequence, node: Node, bias: Array) -> None:
    units = chain.layers[-1]["units"]
    if bias.size != 1 and (bias.size != units or bias.shape[-1] != units):
        raise InputError(
            "expected a bias of {units} numbers; got the shape {shape}",
            field=node.operator,
            units=units,
            shape=bias.shape,
        )
    key = f"{len(chain.layers) - 1}.bias"
    chain.weights[key] = chain.weights[key] + bias.reshape(-1)


def _add(chain: LayerSequence, node: Node) -> None:
    if not chain.last("dense"):
        raise InputError("Add: expected it only as the bias of a MatMul; found it elsewhere")
    _bias(chain, node, chain.array(node, chain.place(node), 0, 1, 2))


def _scale(chain: LayerSequence, node: Node) -> None:
    value = chain.scalar(node)
    if node.operator == "Div" and chain.is_constant(node.inputs[0]):
        raise InputError("Div: expected a constant divisor; got a constant that is divided")
    if not math.isfinite(value) or not 1 / LARGEST_FACTOR <= value <= LARGEST_FACTOR:
        raise InputError("expected a number from 1e-6 to 1e6; got {value}", field=node.operator, value=f"{value:g}")
    factor = 1 / value if node.operator == "Div" else value
    if not chain.layers:
        chain.factor *= factor
        if not 1 / LARGEST_FACTOR <= chain.factor <= LARGEST_FACTOR:
            raise InputError(
                "expected 1e-6 to 1e6 as all factors together; got {factor}",
                field=node.operator,
                factor=f"{chain.factor:g}",
            )
    elif chain.features is None or chain.last("softmax"):
        raise InputError(
            "expected it at the input, or after a dense layer without softmax; found it elsewhere", field=node.operator
        )
    elif chain.last("dense", "batch_norm"):
        for name in ("weight", "bias") if chain.last("dense") else ("gamma", "beta"):
            key = f"{len(chain.layers) - 1}.{name}"
            chain.weights[key] = chain.weights[key] * factor
    elif factor != 1:
        chain.count(chain.features**2)  # before allocation
        only_logits, chain.only_logits = chain.only_logits, False
        _dense(chain, np.eye(chain.features) * factor)
        chain.only_logits = only_logits


def _batch_norm(chain: LayerSequence, node: Node) -> None:
    _expect(node, training_mode=(0,))
    arrays = [chain.array(node, place, 1) for place in range(1, 5)]
    if len({array.shape for array in arrays}) != 1:
        raise InputError("BatchNormalization: expected four arrays of one length; got others")
    is_image = chain.features is None and len(arrays[0]) == 1  # one channel, whose pixels share the parameters
    if not is_image:
        chain.take(len(arrays[0]))
    if arrays[3].min() < 0:
        raise InputError("BatchNormalization: expected variances of at least 0; got a smaller one")
    chain.add("batch_norm", epsilon=float(node.attributes.get("epsilon", 1e-5)))
    chain.store(**dict(zip(("gamma", "beta", "running_mean", "running_variance"), arrays, strict=True)))
    if is_image:
        chain.spread()


def _reshape(chain: LayerSequence, node: Node) -> None:
    shape = [int(size) for size in chain.array(node, 1, 1)]
    sizes = [size for size in shape[1:] if size != -1]
    free = shape.count(-1)
    # Samples stay separate: the first axis is kept, or is the free one.
    keeps = (shape[:1] == [0] and free <= 1) or (shape[:1] == [-1] and free == 1)
    product, features = math.prod(sizes), chain.features
    if not keeps or min(sizes, default=1) < 1:
        raise InputError("Reshape: expected one that keeps samples apart; got {shape}", shape=shape[:8])
    if features is not None and (features % product if free and shape[0] == 0 else features != product):
        raise InputError(
            "Reshape: expected {features} numbers per sample; got {shape}", features=features, shape=shape[:8]
        )
    if features is not None and len(shape) != 2:
        raise InputError("Reshape: expected 2 axes after a layer; got {shape}", shape=shape[:8])
    chain.is_flat = len(shape) == 2


def _flatten(chain: LayerSequence, node: Node) -> None:
    _expect(node, axis=(1,))
    chain.is_flat = True


def _softmax(chain: LayerSequence, node: Node) -> None:
    _expect(node, axis=(-1, 1))
    if chain.features is None or (node.attributes.get("axis", -1) == 1 and not chain.is_flat):
        raise InputError("Softmax: expected it over all outputs of a layer; got one over a part of an image")
    if chain.last("softmax"):
        raise InputError("Softmax: expected one; got two in a row")
    chain.add("softmax")


def _max(chain: LayerSequence, node: Node) -> None:
    if not chain.last("softmax") or chain.scalar(node) > TINY:
        raise InputError("Max: expected it between a softmax and its logarithm; found it elsewhere")


def _log(chain: LayerSequence, node: Node) -> None:
    if not chain.last("softmax"):
        raise InputError("Log: expected that of a softmax; got another")
    chain.layers.pop()  # the logarithms of a softmax are logits up to a common constant
    chain.only_logits = True


def _greater(chain: LayerSequence, node: Node) -> None:
    if chain.scalar(node) != 0 or chain.is_constant(node.inputs[0]):
        raise InputError("Greater: expected a comparison with 0; got another")
    chain.add("step")


def _skip(chain: LayerSequence, node: Node) -> None:
    """Add nothing."""


def _cast(chain: LayerSequence, node: Node) -> None:
    _expect(node, to=_FLOATS)


def _activation(type: str) -> "Reader":
    return lambda chain, node: chain.add(type)


def _leaky(chain: LayerSequence, node: Node) -> None:
    chain.add("leaky_relu", slope=float(node.attributes.get("alpha", 0.01)))


def _gelu(chain: LayerSequence, node: Node) -> None:
    chain.add("gelu", approximate=node.attributes.get("approximate", "none"))


Reader = Callable[[LayerSequence, Node], None]

_READERS: Mapping[str, Reader] = {
    "Add": _add,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Div": _scale,
    "Dropout": _skip,
    "Flatten": _flatten,
    "Gelu": _gelu,
    "Gemm": _gemm,
    "Greater": _greater,
    "Identity": _skip,
    "LeakyRelu": _leaky,
    "Log": _log,
    "MatMul": lambda chain, node: _dense(chain, chain.array(node, 1, 2)),
    "Max": _max,
    "Mul": _scale,
    "Relu": _activation("relu"),
    "Reshape": _reshape,
    "Sigmoid": _activation("sigmoid"),
    "Softmax": _softmax,
    "Tanh": _activation("tanh"),
}
