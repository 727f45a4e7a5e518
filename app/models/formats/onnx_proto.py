"""Safe reading of untrusted ONNX files: limited in size, and without external data."""

import math
from typing import Any

import numpy as np
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, numpy_helper

from app.errors import InputError
from app.models.formats.onnx_constants import Constant, Node
from app.models.formats.onnx_graph import OnnxFile, Sizes

MAX_FIELDS = 50_000
"""The most fields and packed integers of a file; a network of 200 layers has some thousand."""
MAX_AXES = 8
_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)
_TENSOR_TYPES = (*_FLOATS, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL)
_VALUE_FIELDS = {
    AttributeProto.FLOAT: "f",
    AttributeProto.FLOATS: "floats",
    AttributeProto.INT: "i",
    AttributeProto.INTS: "ints",
    AttributeProto.STRING: "s",
    AttributeProto.TENSOR: "t",
}
"""The supported types of attributes, and the field of each value."""
_CONSTANTS = ("value", "value_float", "value_int", "value_floats", "value_ints")
_FIXED_SIZE = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)


def read_onnx(data: bytes) -> OnnxFile:
    """Read a file. Raises ValueError if it is invalid or not a plain network."""
    if not data:
        raise InputError("expected an ONNX file with a graph; got none: the file is empty")
    try:
        _check_fields(data)
        model = ModelProto.FromString(data)
    except (IndexError, UnicodeDecodeError, DecodeError):
        raise InputError("expected an ONNX file; got a damaged one, or another kind of file") from None
    if not model.HasField("graph"):
        raise InputError("expected an ONNX file with a graph; got none")
    if model.functions or model.training_info:
        raise InputError("expected a plain network; got custom functions or training data")
    graph = model.graph
    if graph.sparse_initializer:
        raise InputError("expected dense arrays; got sparse ones")
    outputs = _outputs(graph)
    entries = _leading_to(outputs, graph)
    used = {name for _, entry in entries for name in entry.input}
    is_whole = len(entries) == len(graph.node)
    constants = {tensor.name: _array(tensor) for tensor in graph.initializer if is_whole or tensor.name in used}
    nodes = []
    for index, entry in entries:
        node = _node(index, entry)
        if entry.domain not in ("", "ai.onnx"):  # the file may name sets that it does not use
            raise InputError(
                "expected the standard operators of ONNX; got {operator} of the set {domain}",
                field=node.place,
                operator=_printable(entry.op_type[:40]),
                domain=_printable(entry.domain[:40]),
            )
        if node.operator != "Constant":
            nodes.append(node)
            continue
        value = next((node.attributes[name] for name in _CONSTANTS if name in node.attributes), None)
        if value is None or len(node.outputs) != 1:
            raise InputError("Constant: expected one array or number")
        constants[node.outputs[0]] = np.asarray(value)
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [entry for entry in graph.input if entry.name not in weights]
    return OnnxFile(
        nodes,
        constants,
        [entry.name for entry in inputs],
        _shape(inputs[0]) if inputs else None,
        outputs,
        {entry.key: entry.value for entry in model.metadata_props},
    )


def _check_fields(data: bytes) -> None:
    """Refuse a file with too many fields before parsing, as protobuf may turn two bytes into 200 bytes of memory.

    Raises ValueError for that; DecodeError, IndexError or UnicodeDecodeError for a damaged file. The wire format:
    https://protobuf.dev/programming-guides/encoding.
    """
    remaining = MAX_FIELDS
    pending: list[tuple[memoryview, Descriptor]] = [(memoryview(data), ModelProto.DESCRIPTOR)]
    while pending:
        message, descriptor = pending.pop()
        place = 0
        while place < len(message):
            key, place = _varint(message, place)
            field = descriptor.fields_by_number.get(key >> 3)
            remaining -= 1
            match key & 7:
                case 0:
                    _, place = _varint(message, place)
                case 1:
                    place += 8
                case 5:
                    place += 4
                case 2:
                    length, start = _varint(message, place)
                    place = start + length
                    if field is None or field.type == field.TYPE_BYTES or field.cpp_type in _FIXED_SIZE:
                        pass
                    elif field.message_type is not None:
                        pending.append((message[start:place], field.message_type))
                    elif field.type == field.TYPE_STRING:
                        str(message[start:place], "utf-8")
                    else:
                        remaining -= length  # packed numbers of a byte or more
                case _:
                    raise DecodeError
            if remaining < 0:
                raise InputError("expected an ONNX file of at most {most} fields; got more", most=f"{MAX_FIELDS:,}")


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """The number at `place`, and the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise DecodeError


def _outputs(graph: GraphProto) -> list[str]:
    """The outputs; of a classifier of scikit-learn its probabilities, without labels, and before they become a map."""
    maps = [node for node in graph.node if node.op_type == "ZipMap" and node.input]
    before = {name: node.input[0] for node in maps for name in node.output}
    numbers = [entry for entry in graph.output if entry.type.tensor_type.elem_type in _FLOATS or entry.name in before]
    return [before.get(entry.name, entry.name) for entry in (numbers if len(numbers) == 1 else graph.output)]


def _leading_to(outputs: list[str], graph: GraphProto) -> list[tuple[int, NodeProto]]:
    """The nodes, with their indices; if these are not all outputs, those that lead to them."""
    nodes = list(enumerate(graph.node))
    if outputs == [entry.name for entry in graph.output]:
        return nodes
    needed, kept = set(outputs), []
    for index, node in reversed(nodes):
        if not needed.isdisjoint(node.output):
            needed.update(node.input)
            kept.append((index, node))
    return kept[::-1]


def _shape(entry: ValueInfoProto) -> Sizes | None:
    """The declared shape of an input; None for what is unknown."""
    tensor = entry.type.tensor_type
    sizes = (axis.dim_value for axis in tensor.shape.dim)
    return tuple(size if size > 0 else None for size in sizes) if tensor.HasField("shape") else None


def _node(index: int, node: NodeProto) -> Node:
    attributes = {entry.name: _value(entry) for entry in node.attribute}
    place = f"nodes[{index}] ({_printable(node.name[:40])})" if node.name else f"nodes[{index}]"
    return Node(node.op_type, tuple(node.input), tuple(node.output), attributes, place)


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _value(attribute: AttributeProto) -> Any:
    if attribute.type not in _VALUE_FIELDS:
        raise InputError("expected a number, a text, a list of numbers or an array", field=repr(attribute.name[:40]))
    value = getattr(attribute, _VALUE_FIELDS[attribute.type])
    if isinstance(value, TensorProto):
        return _array(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return list(value) if attribute.type in (AttributeProto.INTS, AttributeProto.FLOATS) else value


def _array(tensor: TensorProto) -> Constant:
    """A constant as an array. Raises ValueError, also for external data, which is never opened."""
    name = _printable(tensor.name[:80]) or "constant"
    if tensor.data_location != TensorProto.DEFAULT or tensor.external_data or tensor.HasField("segment"):
        raise InputError("expected its numbers in the file itself; it refers to another file", field=name)
    if tensor.data_type not in _TENSOR_TYPES:
        raise InputError(
            "expected numbers of the type float, float16, double or int64; got type {type}",
            field=name,
            type=tensor.data_type,
        )
    if len(tensor.dims) > MAX_AXES or any(size < 0 for size in tensor.dims):
        shape = list(tensor.dims[: MAX_AXES + 1])
        raise InputError(
            "expected at most {most} axes, none of a negative size; got {shape}",
            field=name,
            most=MAX_AXES,
            shape=shape,
        )
    try:
        return numpy_helper.to_array(tensor)
    except ValueError:
        raise InputError(
            "expected {count} numbers, as its shape says; got others", field=name, count=f"{math.prod(tensor.dims):,}"
        ) from None
