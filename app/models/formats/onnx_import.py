"""Import of ONNX files of dense networks, written by digitpad or by other programs.

A file is a chain of Gemm (or MatMul and Add), activations, batch normalization, and logits or a softmax at the end. A
factor of the input becomes the input scale; other numbers that are multiplied or added go into the layer before or
behind, or become a batch normalization. An import gives exactly the file's answers, or is refused. Needs the package
`onnx` (the extra of that name), which is imported only when a file is read.
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
from app.models.formats.foreign import refuse_foreign
from app.models.formats.onnx_constants import Node, compute
from app.models.formats.onnx_graph import ANY_BATCH, LARGEST_FACTOR, LayerSequence
from app.models.formats.source import MissingExtraError
from app.models.predictor import BYTE_MAX
from app.nn import Network

DEFAULT_NAME = "imported"
_FLOATS = (1, 10, 11)
"""float, float16 and double in TensorProto."""
LARGEST_FLOAT = 3.4e38
"""About the largest float32, which exporters write for infinity."""
TINY = 1e-30
"""The largest constant of a `Max` that only keeps a logarithm finite."""
_UNKNOWN = 2
"""A size that is not 1, for one that is not known."""
_BOUNDED = ("sigmoid", "tanh", "step")
"""Layers whose outputs are not logits."""


def convert_onnx(data: bytes) -> tuple[bytes, bytes]:
    """The card and the weights, in the store's formats, of the network in an ONNX file.

    Raises ValueError with the unexpected operator or array, and MissingExtraError. Validate the result with
    `archive.check`.
    """
    refuse_foreign(data)
    try:
        from app.models.formats.onnx_proto import read_onnx
    except ImportError:
        raise MissingExtraError("ONNX", "onnx") from None
    file = read_onnx(data)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # infinite weights are refused
        chain = LayerSequence(file, lambda chain, node: _READERS.get(node.operator, _unknown)(chain, node))
    if chain.last(*_BOUNDED) and chain.only_logits:
        chain.add("softmax")
    elif chain.last(*_BOUNDED):
        raise InputError(
            "expected logits or a softmax at the end; got the outputs of a {type}", type=chain.layers[-1]["type"]
        )
    network = Network.from_spec({"layers": chain.layers}, input_shape=(chain.inputs,))
    with np.errstate(over="ignore"):
        # each goes as it is converted: they are twice as large
        weights = {name: np.ascontiguousarray(chain.weights.pop(name), np.float32) for name in [*chain.weights]}
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
    chain.dense(weight.T if node.attributes.get("transB", 0) else weight)
    chain.shape = (chain.features,)  # required by Gemm
    if len(node.inputs) > 2 and node.inputs[2]:
        chain.transform(node, shift=chain.factors(node, 2))


def _matmul(chain: LayerSequence, node: Node) -> None:
    chain.dense(chain.array(node, 1, 2))
    chain.shape = chain.shape and (*chain.shape[:-1], chain.features)


def _elementwise(chain: LayerSequence, node: Node) -> None:
    """Add, Sub, Mul and Div, of the data and a constant."""
    place = chain.place(node)
    value = chain.factors(node, place)
    match node.operator:
        case "Add":
            chain.transform(node, shift=value)
        case "Sub" if place == 0:
            chain.transform(node, -1.0, value)
        case "Sub":
            chain.transform(node, shift=-value)
        case "Div" if place == 0:
            raise InputError("Div: expected a constant divisor; got a constant that is divided")
        case _:
            if isinstance(value, float) and not 1 / LARGEST_FACTOR <= abs(value) <= LARGEST_FACTOR:
                raise InputError(
                    "expected a number from 1e-6 to 1e6; got {value}", field=node.operator, value=f"{value:g}"
                )
            chain.transform(node, np.divide(1, value) if node.operator == "Div" else value)


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
    names = ("gamma", "beta", "running_mean", "running_variance")
    chain.store(**dict(zip(names, arrays if is_image else map(chain.in_order, arrays), strict=True)))
    if is_image:
        chain.spread()


def _reshape(chain: LayerSequence, node: Node) -> None:
    shape = [int(size) for size in chain.array(node, 1, 1)]
    sizes = [size for size in shape[1:] if size != -1]
    free = shape.count(-1)
    # Samples stay separate: the first axis is kept, or is the free one.
    is_batch = shape[:1] == [chain.batch or ANY_BATCH] or (shape[:1] == [0] and not node.attributes.get("allowzero", 0))
    keeps = (is_batch and free <= 1) or (shape[:1] == [-1] and free == 1)
    product, features = math.prod(sizes), chain.features
    if not keeps or min(sizes, default=1) < 1 or max(sizes, default=1) >= ANY_BATCH:
        raise InputError("Reshape: expected one that keeps samples apart; got {shape}", shape=shape[:8])
    if features is None and chain.shape is not None and None not in chain.shape:
        features = math.prod(size or 1 for size in chain.shape)
    if features is not None and (features % product if free and is_batch else features != product):
        raise InputError(
            "Reshape: expected {features} numbers per sample; got {shape}", features=features, shape=shape[:8]
        )
    if chain.features is not None and len(shape) != 2:
        raise InputError("Reshape: expected 2 axes after a layer; got {shape}", shape=shape[:8])
    rest = None if features is None else features // product
    chain.shape = tuple(rest if size == -1 else size for size in shape[1:])


def _flatten(chain: LayerSequence, node: Node) -> None:
    _expect(node, axis=(1,))
    sizes = chain.shape or (None,)
    chain.shape = (chain.features if None in sizes else math.prod(size or 1 for size in sizes),)


def _transpose(chain: LayerSequence, node: Node) -> None:
    chain.transpose(node.attributes.get("perm", []))


def _squeeze(chain: LayerSequence, node: Node) -> None:
    """Squeeze and Unsqueeze, of an array that stands for the data of two samples."""
    axes, shape = chain.constant(node, 1), chain.shape or ()
    try:
        data = np.broadcast_to(np.int8(0), (2, *(size or _UNKNOWN for size in shape)))
        moved = compute(node, [data] if axes is None else [data, axes])
    except ValueError:
        moved = None
    if moved is None or moved.shape[0] != 2 or chain.shape is None:
        raise InputError("expected one that keeps samples apart, of an input whose axes are known", field=node.operator)
    chain.shape = tuple(size if size != _UNKNOWN else None for size in moved.shape[1:])


def _softmax(chain: LayerSequence, node: Node) -> None:
    _expect(node, axis=(-1, 1))
    axis, shape = node.attributes.get("axis", -1), chain.shape
    is_whole = axis == -1 if shape is None else len(shape) == 1 or (axis == -1 and shape[-1] == chain.features)
    if chain.features is None or not is_whole:
        raise InputError("Softmax: expected it over all outputs of a layer; got one over a part of an image")
    if chain.last("softmax"):
        raise InputError("Softmax: expected one; got two in a row")
    chain.add("softmax")


def _log_softmax(chain: LayerSequence, node: Node) -> None:
    _softmax(chain, node)
    _log(chain, node)


def _max(chain: LayerSequence, node: Node) -> None:
    least = chain.scalar(node, chain.place(node))
    if least == 0 and not chain.last("softmax"):
        chain.add("relu")
    elif not chain.last("softmax") or least > TINY:
        raise InputError("Max: expected it between a softmax and its logarithm; found it elsewhere")


def _log(chain: LayerSequence, node: Node) -> None:
    if not chain.last("softmax"):
        raise InputError("Log: expected that of a softmax; got another")
    chain.layers.pop()  # the logarithms of a softmax are logits up to a common constant
    chain.only_logits = True


def _greater(chain: LayerSequence, node: Node) -> None:
    if chain.scalar(node, chain.place(node)) != 0 or chain.place(node) == 0:
        raise InputError("Greater: expected a comparison with 0; got another")
    chain.add("step")


def _clip(chain: LayerSequence, node: Node) -> None:
    """Clip from 0 up is ReLU. Its limits are inputs since opset 11, before attributes."""
    low, high = (
        chain.scalar(node, place) if place < len(node.inputs) and node.inputs[place] else node.attributes.get(name, end)
        for place, name, end in ((1, "min", -math.inf), (2, "max", math.inf))
    )
    if low != 0 or high < LARGEST_FLOAT:
        raise InputError(
            "Clip: expected one from 0 to infinity, which is ReLU; got {low} to {high}",
            low=f"{low:g}",
            high=f"{high:g}",
        )
    chain.add("relu")


def _dropout(chain: LayerSequence, node: Node) -> None:
    if len(node.inputs) > 2 and node.inputs[2]:
        training = chain.constant(node, 2)
        if training is None or training.any():
            raise InputError("Dropout: expected one that is off, for inference; got one for training")


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
    "Add": _elementwise,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Clip": _clip,
    "Div": _elementwise,
    "Dropout": _dropout,
    "Flatten": _flatten,
    "Gelu": _gelu,
    "Gemm": _gemm,
    "Greater": _greater,
    "Identity": _skip,
    "LeakyRelu": _leaky,
    "Log": _log,
    "LogSoftmax": _log_softmax,
    "MatMul": _matmul,
    "Max": _max,
    "Mul": _elementwise,
    "Relu": _activation("relu"),
    "Reshape": _reshape,
    "Sigmoid": _activation("sigmoid"),
    "Softmax": _softmax,
    "Squeeze": _squeeze,
    "Sub": _elementwise,
    "Tanh": _activation("tanh"),
    "Transpose": _transpose,
    "Unsqueeze": _squeeze,
}
