"""An ONNX file as nodes and constant arrays, read without the package `onnx`: only what is in the file itself is read.

The field numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.models.protobuf import Budget, Message

TENSOR_TYPES: dict[int, tuple[str, int | None]] = {
    1: ("<f4", 4),
    10: ("<f2", None),
    11: ("<f8", 10),
    7: ("<i8", 7),
}
"""Data types by their number in TensorProto: NumPy's name, and the field that holds them if not `raw_data`."""
_RAW, _EXTERNAL_DATA, _LOCATION, _SEGMENT = 9, 13, 14, 3
_FLOAT, _INT, _STRING, _TENSOR, _INTS = 1, 2, 3, 4, 7
"""AttributeProto.type."""
MOST_AXES = 8

Constant = NDArray[Any]


@dataclass(frozen=True)
class Node:
    """`attributes` are numbers, texts, lists of whole numbers, and arrays."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class OnnxFile:
    """`inputs` are those that are no constants; `axes` is how many the first of them has, None where it is not said."""

    nodes: list[Node]
    constants: dict[str, Constant]
    inputs: list[str]
    axes: int | None
    outputs: list[str]
    metadata: dict[str, str]


def read_onnx(data: bytes) -> OnnxFile:
    """Read a file. Raises ValueError where it is none, or has what a plain network does not have."""
    try:
        return _model(Message.read(memoryview(data), Budget()))
    except (struct.error, OverflowError) as error:
        raise ValueError(f"expected an ONNX file; got a damaged one: {error}") from None


def _model(model: Message) -> OnnxFile:
    graphs = model.messages(7)
    if len(graphs) != 1:
        raise ValueError(f"expected an ONNX file with one graph; got {len(graphs)}")
    if 25 in model.fields or 20 in model.fields:
        raise ValueError("expected a plain network; got functions of its own or a training")
    if any(message.text(1) not in ("", "ai.onnx") for message in model.messages(8)):
        raise ValueError("expected the standard operators of ONNX; got other sets of operators too")
    (graph,) = graphs
    if 15 in graph.fields:
        raise ValueError("expected dense arrays; got sparse ones")
    constants = {}
    for tensor in graph.messages(5):
        constants[tensor.text(8)] = read_tensor(tensor)
    nodes = []
    for message in graph.messages(1):
        node = _node(message)
        if node.operator == "Constant":
            value = node.attributes.get("value", node.attributes.get("value_float", node.attributes.get("value_int")))
            if value is None or len(node.outputs) != 1:
                raise ValueError("Constant: expected one array or number")
            constants[node.outputs[0]] = np.asarray(value)
        else:
            nodes.append(node)
    entries = [entry for entry in graph.messages(11) if entry.text(1) not in constants]
    return OnnxFile(
        nodes,
        constants,
        [entry.text(1) for entry in entries],
        _axes(entries[0]) if entries else None,
        [entry.text(1) for entry in graph.messages(12)],
        {entry.text(1): entry.text(2) for entry in model.messages(14)},
    )


def _axes(entry: Message) -> int | None:
    """How many axes a ValueInfoProto says that its tensor has."""
    shapes = [shape for kind in entry.messages(2) for tensor in kind.messages(1) for shape in tensor.messages(2)]
    return len(shapes[0].messages(1)) if len(shapes) == 1 else None


def _node(message: Message) -> Node:
    if message.text(7) not in ("", "ai.onnx"):
        raise ValueError("expected the standard operators of ONNX; got one of another set")
    attributes = {entry.text(1): _attribute(entry) for entry in message.messages(5)}
    return Node(message.text(4), tuple(message.texts(1)), tuple(message.texts(2)), attributes)


def _attribute(message: Message) -> Any:
    kind = message.integer(20)
    if kind == _FLOAT:
        return struct.unpack("<f", message.view(2))[0]
    if kind == _INT:
        return message.integer(3)
    if kind == _STRING:
        return message.text(4)
    if kind == _INTS:
        return message.integers(8)
    if kind == _TENSOR:
        tensors = message.messages(5)
        if len(tensors) == 1:
            return read_tensor(tensors[0])
    raise ValueError(f"{message.text(1)[:40]!r}: expected a number, a text, a list of whole numbers or an array")


def read_tensor(message: Message) -> Constant:
    """A TensorProto as an array. Raises ValueError, also for data in another file, which is never opened."""
    name = "".join(one if one.isprintable() else "?" for one in message.text(8)[:80]) or "a constant"
    if message.integer(_LOCATION) != 0 or _EXTERNAL_DATA in message.fields or _SEGMENT in message.fields:
        raise ValueError(f"{name}: expected its numbers in the file itself; it refers to another file")
    kind = message.integer(2)
    if kind not in TENSOR_TYPES:
        raise ValueError(f"{name}: expected numbers of the type float, float16, double or int64; got type {kind}")
    shape = message.integers(1)
    if len(shape) > MOST_AXES or any(size < 0 for size in shape):
        raise ValueError(f"{name}: expected at most {MOST_AXES} axes, none of a negative size; got {shape[:9]}")
    dtype, own = np.dtype(TENSOR_TYPES[kind][0]), TENSOR_TYPES[kind][1]
    views = message.views(_RAW)
    if not views and kind == 7:
        array: Constant = np.array(message.integers(7), np.int64)
    else:
        parts = views or (message.views(own) if own is not None else [])
        joined = parts[0] if len(parts) == 1 else b"".join(parts)
        if len(joined) % dtype.itemsize:
            raise ValueError(f"{name}: expected whole numbers of {dtype.itemsize} bytes; got {len(joined)} bytes")
        array = np.frombuffer(joined, dtype)
    if array.size != math.prod(shape):
        raise ValueError(f"{name}: expected {math.prod(shape):,} numbers, as its shape says; got {array.size:,}")
    return array.reshape(shape)
