"""The nodes of an ONNX file as a sequence of layers with weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError
from app.nn.arrays import Array

MOST_NODES = 500
"""A network of 200 layers has fewer."""
MOST_NUMBERS = 16_000_000
"""The most weights: 64 MB of float32. A file may use the same constant for many layers."""

Constant = NDArray[Any]


@dataclass(frozen=True)
class Node:
    """A node; `attributes` are numbers, texts, lists of integers, and arrays."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class OnnxFile:
    """The content of a file; `inputs` excludes constants, `axes` is the first input's rank, None if unknown."""

    nodes: list[Node]
    constants: dict[str, Constant]
    inputs: list[str]
    axes: int | None
    outputs: list[str]
    metadata: dict[str, str]


class LayerSequence:
    """The layers and weights of a file with a chain of nodes; `read` adds each node."""

    def __init__(self, file: OnnxFile, read: "Callable[[LayerSequence, Node], None]") -> None:
        self._file = file
        self.layers: list[dict[str, Any]] = []
        self.weights: dict[str, Array] = {}
        self.factor = 1.0
        self.inputs = 0
        self.is_flat = file.axes == 2
        """True if the data are known to be one row a sample."""
        self.only_logits = False
        """True if the data are exact only up to a constant added to all numbers of a sample."""
        self._spread: list[str] = []
        self._numbers = 0
        self._features: int | None = None
        if len(file.inputs) != 1 or len(file.outputs) != 1:
            raise InputError(
                "expected a network with one input and one output; got {inputs} and {outputs}",
                inputs=len(file.inputs),
                outputs=len(file.outputs),
            )
        if len(file.nodes) > MOST_NODES:
            raise InputError("expected at most {most} operators; got {count}", most=MOST_NODES, count=len(file.nodes))
        now = file.inputs[0]
        readers: dict[str, list[Node]] = {}
        for node in file.nodes:
            for name in node.inputs:
                if name not in file.constants and name:
                    readers.setdefault(name, []).append(node)
        for _ in file.nodes:
            if now in file.outputs:
                break
            following = readers.get(now, [])
            if len(following) != 1:
                raise InputError(
                    "expected operators that follow one another; got {count} after {name}",
                    count=len(following),
                    name=repr(now[:40]),
                )
            node = following[0]
            read(self, node)
            if not node.outputs:
                raise InputError("expected an output; got none", field=node.operator[:40])
            now = node.outputs[0]
        if now not in file.outputs:
            raise InputError("expected operators that lead from the input to the output")
        if not any(layer["type"] == "dense" for layer in self.layers):
            raise InputError("expected at least one Gemm or MatMul; got none")
        for key in self._spread:
            self.count(self.inputs)
            self.weights[key] = np.repeat(self.weights[key], self.inputs)

    def add(self, type: str, **fields: Any) -> None:
        if self.only_logits and type != "softmax":
            raise InputError("expected nothing but a softmax after the logarithms of one; got a {type}", type=type)
        self.only_logits = False
        self.layers.append({"type": type, **fields})

    def store(self, **arrays: Array) -> None:
        """Store weights of the last layer."""
        for array in arrays.values():
            self.count(array.size)
        for name, array in arrays.items():
            self.weights[f"{len(self.layers) - 1}.{name}"] = array

    def count(self, numbers: int) -> None:
        """Count additional weights. Raises ValueError if there are too many."""
        self._numbers += numbers
        if self._numbers > MOST_NUMBERS:
            raise InputError("expected at most {most} weights; got more", most=f"{MOST_NUMBERS:,}")

    def spread(self) -> None:
        """Repeat the last layer's single parameters for each input, once their number is known."""
        index = len(self.layers) - 1
        self._spread += [key for key in self.weights if key.startswith(f"{index}.")]

    def last(self, *types: str) -> bool:
        return bool(self.layers) and self.layers[-1]["type"] in types

    def take(self, features: int) -> None:
        """Check and record the number of inputs of an operator."""
        if self._features is None:
            self.inputs = features
        elif self._features != features:
            raise InputError(
                "expected an operator that takes {features} numbers per sample; got {got}",
                features=self._features,
                got=features,
            )
        self._features = features

    def give(self, features: int) -> None:
        self._features = features

    @property
    def features(self) -> int | None:
        """The present numbers a sample; None while unknown."""
        return self._features

    def array(self, node: Node, place: int, *axes: int) -> Array:
        """The constant input number `place` of a node, with a rank in `axes`."""
        name = node.inputs[place] if place < len(node.inputs) else ""
        found = self._file.constants.get(name)
        if found is None:
            raise InputError("expected a constant array as input {input}; got none", field=node.operator, input=place)
        if found.ndim not in axes or found.dtype.kind not in "fi" or found.size == 0:
            raise InputError(
                "expected numbers as input {input}, with one of these numbers of axes: {axes}; got the shape {shape}",
                field=node.operator,
                input=place,
                axes=", ".join(map(str, axes)),
                shape=found.shape,
            )
        return found.astype(np.float64) if found.dtype.kind == "f" else found

    def is_constant(self, name: str) -> bool:
        return name in self._file.constants

    def place(self, node: Node) -> int:
        """The index of a node's constant input."""
        return next((place for place, name in enumerate(node.inputs) if self.is_constant(name)), 1)

    def scalar(self, node: Node) -> float:
        """The scalar constant of a node."""
        found = self.array(node, self.place(node), 0, 1, 2, 3, 4)
        if found.size != 1:
            raise InputError("expected one number; got {size}", field=node.operator, size=found.size)
        return float(found.reshape(-1)[0])
