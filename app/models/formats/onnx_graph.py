"""The nodes of an ONNX file as a row of layers with their weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError
from app.nn.arrays import Array

MOST_NODES = 500
"""A network of 200 layers has fewer that compute something."""
MOST_NUMBERS = 16_000_000
"""Numbers of all weights: 64 MB of float32. A file may name the same constant for many layers."""

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


class LayerSequence:
    """The layers and weights of a file whose nodes follow one another, each of which `read` adds."""

    def __init__(self, file: OnnxFile, read: "Callable[[LayerSequence, Node], None]") -> None:
        self._file = file
        self.layers: list[dict[str, Any]] = []
        self.weights: dict[str, Array] = {}
        self.factor = 1.0
        self.inputs = 0
        self.is_flat = file.axes == 2
        """Whether what flows is known to be one row of numbers a sample."""
        self.only_logits = False
        """Whether what flows is right only up to a number that is added to all of a sample."""
        self._spread: list[str] = []
        self._numbers = 0
        self._features: int | None = None
        if len(file.inputs) != 1 or len(file.outputs) != 1:
            came = f"{len(file.inputs)} and {len(file.outputs)}"
            raise InputError("expected a network with one input and one output; got {got}", got=came)
        if len(file.nodes) > MOST_NODES:
            raise InputError(
                "expected at most {most_nodes} operators; got {count}", most_nodes=MOST_NODES, count=len(file.nodes)
            )
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
                    "expected operators that follow one another; got {count} after {now}",
                    count=len(following),
                    now=repr(now[:40]),
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
        """Weights of the last layer."""
        for array in arrays.values():
            self.count(array.size)
        for name, array in arrays.items():
            self.weights[f"{len(self.layers) - 1}.{name}"] = array

    def count(self, numbers: int) -> None:
        """Note that there are so many weights more."""
        self._numbers += numbers
        if self._numbers > MOST_NUMBERS:
            raise InputError("expected at most {most_numbers} weights; got more", most_numbers=f"{MOST_NUMBERS:,}")

    def spread(self) -> None:
        """Give each input the one number that the last layer's arrays have for all, once it is known how many."""
        index = len(self.layers) - 1
        self._spread += [key for key in self.weights if key.startswith(f"{index}.")]

    def last(self, *types: str) -> bool:
        return bool(self.layers) and self.layers[-1]["type"] in types

    def take(self, features: int) -> None:
        """Note that an operator takes so many numbers a sample."""
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
        """Numbers a sample after what has been read, None before the first that says."""
        return self._features

    def array(self, node: Node, place: int, *axes: int) -> Array:
        """The constant that is an input of a node, with so many axes as one of `axes`."""
        name = node.inputs[place] if place < len(node.inputs) else ""
        found = self._file.constants.get(name)
        if found is None or found.ndim not in axes or found.dtype.kind not in "fi" or found.size == 0:
            came = "none" if found is None else f"one of the shape {found.shape}"
            wanted = " or ".join(map(str, axes))
            raise InputError(
                "expected a constant array of {wanted} axes as input {place}; got {got}",
                field=node.operator,
                wanted=wanted,
                place=place,
                got=came,
            )
        return found.astype(np.float64) if found.dtype.kind == "f" else found

    def is_constant(self, name: str) -> bool:
        return name in self._file.constants

    def place(self, node: Node) -> int:
        """Which of a node's inputs is its constant."""
        return next((place for place, name in enumerate(node.inputs) if self.is_constant(name)), 1)

    def scalar(self, node: Node) -> float:
        """The one number that a node combines what flows with."""
        found = self.array(node, self.place(node), 0, 1, 2, 3, 4)
        if found.size != 1:
            raise InputError("expected one number; got {size}", field=node.operator, size=found.size)
        return float(found.reshape(-1)[0])
