"""Tensors of the Open Inference Protocol: JSON and the binary-tensor extension, to and from NumPy."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError
from app.nn import abbreviate

INPUT = "input"
LARGEST_BATCH = 256
SIDE = 28
PIXELS = SIDE * SIDE
SHAPES = ((PIXELS,), (1, SIDE, SIDE))
"""The shapes that may follow the batch axis."""

DATATYPES: dict[str, np.dtype[Any]] = {"FP32": np.dtype("<f4"), "UINT8": np.dtype("u1")}
BYTE_MAX = 255

JSON_TYPES = {"FP32": (int, float), "UINT8": (int,)}
UNSUPPORTED = ("shared_memory_region", "classification")
"""Parameters of extensions that would change the answer's meaning; other unknown ones are passed over."""


@dataclass(frozen=True)
class Output:
    """One tensor of an answer. `data` is a float32 array, or one text for each row."""

    name: str
    datatype: str
    data: NDArray[np.float32] | list[str]

    @property
    def shape(self) -> list[int]:
        """All axes, the batch first."""
        return [len(self.data)] if isinstance(self.data, list) else list(self.data.shape)

    def values(self) -> list[Any]:
        """The elements in row-major order, as JSON has them."""
        return self.data if isinstance(self.data, list) else self.data.ravel().tolist()

    def to_bytes(self) -> bytes:
        """The elements as bytes: little-endian, and BYTES with the length of each before it."""
        if isinstance(self.data, list):
            texts = [text.encode() for text in self.data]
            return b"".join(struct.pack("<I", len(text)) + text for text in texts)
        return self.data.astype("<f4").tobytes()


def read_input(inputs: object, binary: bytes) -> NDArray[np.float32]:
    """The images of a request, float32 (N, 28, 28), from 0 (paper) to 1 (ink).

    `binary` is what follows the JSON. Raises ValueError with what was expected and what came.
    """
    if not isinstance(inputs, list) or not all(isinstance(tensor, Mapping) for tensor in inputs):
        raise InputError("expected a list of tensors; got {value}", field="inputs", value=abbreviate(inputs))
    names = [tensor.get("name") for tensor in inputs]
    if names != [INPUT]:
        raise InputError(
            "expected one tensor named {input}; got {value}", field="inputs", input=INPUT, value=abbreviate(names)
        )
    try:
        return _read_tensor(inputs[0], binary)
    except InputError as error:
        raise error.within("inputs[0]") from None


def _read_tensor(tensor: Mapping[str, Any], binary: bytes) -> NDArray[np.float32]:
    datatype = tensor.get("datatype")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise InputError(
            "expected one of {names}; got {value}",
            field="datatype",
            names=", ".join(DATATYPES),
            value=abbreviate(datatype),
        )
    shape = _shape(tensor.get("shape"))
    parameters = check_parameters("parameters", tensor.get("parameters"))
    if "binary_data_size" in parameters:
        if "data" in tensor:
            raise InputError("expected the data in JSON or binary_data_size, not both")
        values = _from_bytes(binary, parameters["binary_data_size"], shape, DATATYPES[datatype])
    else:
        if binary:
            raise InputError(
                "expected nothing after the JSON, as no tensor is binary; got {count} bytes", count=len(binary)
            )
        values = _from_json(tensor.get("data"), shape, datatype)
    if datatype == "UINT8":
        return (values / np.float32(BYTE_MAX)).astype(np.float32).reshape(-1, SIDE, SIDE)
    # NaN compares false with everything, so it ends here too.
    good = (values >= 0) & (values <= 1)
    if not good.all():
        place = int(np.argmin(good))
        raise InputError(
            "expected numbers from 0 to 1; got {value} at position {position}",
            field="data",
            value=f"{values[place]:g}",
            position=place,
        )
    return values.astype(np.float32).reshape(-1, SIDE, SIDE)


def check_parameters(place: str, parameters: object) -> Mapping[str, Any]:
    """`parameters`, or none at all. Raises ValueError where they are no object, or ask for what cannot be given."""
    if parameters is None:
        return {}
    if not isinstance(parameters, Mapping):
        raise InputError("expected an object; got {value}", field=place, value=abbreviate(parameters))
    for name in UNSUPPORTED:
        if name in parameters:
            raise InputError("expected no {name}, which is not supported here; got one", field=place, name=name)
    return parameters


def _shape(shape: object) -> tuple[int, ...]:
    is_shape = isinstance(shape, list) and all(type(size) is int for size in shape)
    if not is_shape or tuple(shape[1:]) not in SHAPES or not 1 <= shape[0] <= LARGEST_BATCH:  # type: ignore[index]
        raise InputError(
            "expected [N, {pixels}] or [N, 1, {side}, {side}] with N from 1 to {most}; got {value}",
            field="shape",
            pixels=PIXELS,
            side=SIDE,
            most=LARGEST_BATCH,
            value=abbreviate(shape),
        )
    return tuple(shape)  # type: ignore[arg-type]


def _from_bytes(binary: bytes, size: object, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    needed = math.prod(shape) * dtype.itemsize
    if type(size) is not int or size != needed:
        raise InputError(
            "expected {needed} bytes for the shape {shape}; got {value}",
            field="parameters.binary_data_size",
            needed=needed,
            shape=list(shape),
            value=abbreviate(size),
        )
    if len(binary) != needed:
        raise InputError(
            "expected {needed} bytes after the JSON, as binary_data_size says; got {count}",
            needed=needed,
            count=len(binary),
        )
    return np.frombuffer(binary, dtype)


def _from_json(data: object, shape: tuple[int, ...], datatype: str) -> NDArray[np.float64]:
    """The elements, which come flat or nested as the shape says."""
    if not isinstance(data, list):
        raise InputError("expected a list of numbers; got {value}", field="data", value=abbreviate(data))
    values = _flatten(data, shape) if data and isinstance(data[0], list) else data
    if len(values) != math.prod(shape):
        raise InputError(
            "expected {needed} numbers for the shape {shape}; got {count}",
            field="data",
            needed=math.prod(shape),
            shape=list(shape),
            count=len(values),
        )
    allowed = JSON_TYPES[datatype]
    if not set(map(type, values)) <= set(allowed):
        place, value = next((i, v) for i, v in enumerate(values) if type(v) not in allowed)
        got = {"value": abbreviate(value), "position": place}
        if datatype == "UINT8":
            raise InputError("expected whole numbers; got {value} at position {position}", field="data", **got)
        raise InputError("expected numbers; got {value} at position {position}", field="data", **got)
    try:
        array = np.array(values, np.float64)
    except OverflowError:
        raise InputError(
            "expected numbers that fit the datatype; got an integer that is far too large", field="data"
        ) from None
    if datatype == "UINT8" and not ((array >= 0) & (array <= BYTE_MAX)).all():
        raise InputError("expected whole numbers from 0 to {last}; got others", field="data", last=BYTE_MAX)
    return array


def _flatten(data: list[Any], shape: tuple[int, ...]) -> list[Any]:
    if len(data) == shape[0]:
        for size in shape[1:]:
            if not all(isinstance(row, list) and len(row) == size for row in data):
                break
            data = list(chain.from_iterable(data))
        else:
            return data
    raise InputError(
        "expected a flat list, or lists nested as the shape {shape} says; got others", field="data", shape=list(shape)
    )
