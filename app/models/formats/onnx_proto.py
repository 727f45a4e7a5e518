"""An ONNX file as nodes and constant arrays, read without the package `onnx`: only what is in the file itself is read.

The field numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_FIELDS = 50_000
"""Fields that are looked at in one file; a network of 200 layers has some thousand."""
VARINT_BYTES = 10
_FIXED = {1: 8, 5: 4}
_BYTES = 2


@dataclass
class Budget:
    """How many fields of a file may still be read."""

    left: int = MOST_FIELDS


@dataclass(frozen=True)
class Message:
    """One message: the fields by their number, in the order in which they came.

    A varint is an int; what has a length, and numbers of 4 and 8 bytes, are views of their bytes.
    """

    budget: Budget
    fields: dict[int, list[int | memoryview]] = field(default_factory=dict)

    @classmethod
    def read(cls, data: memoryview, budget: Budget) -> "Message":
        """Raises ValueError where the bytes are no message, or one of too many fields."""
        message = cls(budget)
        for number, value in _fields(data):
            budget.left -= 1
            if budget.left < 0:
                raise ValueError(f"expected at most {MOST_FIELDS:,} fields; got more")
            message.fields.setdefault(number, []).append(value)
        return message

    def messages(self, number: int) -> list["Message"]:
        """The messages in a field. Raises ValueError."""
        return [Message.read(view, self.budget) for view in self.views(number)]

    def views(self, number: int) -> list[memoryview]:
        """The bytes of every value of a field. Raises ValueError where it has numbers."""
        found = self.fields.get(number, [])
        if any(isinstance(value, int) for value in found):
            raise ValueError(f"expected bytes in field {number}; got a number")
        return [value for value in found if isinstance(value, memoryview)]

    def view(self, number: int) -> memoryview:
        """The bytes of the last value of a field, or none."""
        return next(reversed(self.views(number)), memoryview(b""))

    def text(self, number: int) -> str:
        """A field as text, "" where there is none."""
        return bytes(self.view(number)).decode("utf-8", "replace")

    def texts(self, number: int) -> list[str]:
        return [bytes(view).decode("utf-8", "replace") for view in self.views(number)]

    def integer(self, number: int, default: int = 0) -> int:
        """A field as a signed whole number of 64 bits. Raises ValueError where it has bytes."""
        values = self.fields.get(number)
        if not values:
            return default
        if not isinstance(values[-1], int):
            raise ValueError(f"expected a number in field {number}; got bytes")
        return signed(values[-1])

    def integers(self, number: int) -> list[int]:
        """A repeated field of whole numbers, packed or not."""
        found = []
        for value in self.fields.get(number, []):
            if isinstance(value, int):
                found.append(signed(value))
                continue
            place = 0
            while place < len(value):
                one, place = _varint(value, place)
                found.append(signed(one))
                self.budget.left -= 1
                if self.budget.left < 0:
                    raise ValueError(f"expected at most {MOST_FIELDS:,} fields and numbers; got more")
        return found


def signed(value: int) -> int:
    """A varint as the signed number of 64 bits that it stands for."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise ValueError("expected a field's number above 0")
        if kind == 0:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == _BYTES:
            length, place = _varint(data, place)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise ValueError(f"expected a known kind of field; got {kind}")
        if length > len(data) - place:
            raise ValueError("expected a whole message; it ends in the middle of a field")
        yield number, data[place : place + length]
        place += length


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """The number that begins at `place`, and where the next begins."""
    value = 0
    for count, byte in enumerate(data[place : place + VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, place + count + 1
    raise ValueError("expected a whole message; a number in it does not end")


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
