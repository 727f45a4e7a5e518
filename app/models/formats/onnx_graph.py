"""The nodes of an ONNX file as a sequence of layers with weights."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError
from app.models.formats.onnx_constants import Constant, Node, compute
from app.nn.arrays import Array

MOST_NODES = 500
"""A network of 200 layers has fewer."""
MOST_NUMBERS = 16_000_000
"""The most weights: 64 MB of float32. A file may use the same constant for many layers."""
MOST_TRANSPOSED = 100_000
LARGEST_FACTOR = 1e6
ANY_BATCH, ANY_SIZE = 2**31 - 1, 2**40 + 15
"""These stand for the number of samples, and for sizes that the file does not declare, where it computes with them."""
EPSILON = 1e-5
Sizes = tuple[int | None, ...]
Factors = Array | float


@dataclass(frozen=True)
class OnnxFile:
    """The content of a file; `inputs` excludes constants, `shape` is the first input's, None if unknown."""

    nodes: list[Node]
    constants: dict[str, Constant]
    inputs: list[str]
    shape: Sizes | None
    outputs: list[str]
    metadata: dict[str, str]


class LayerSequence:
    """The layers and weights of a file with a chain of nodes; `read` adds each node.

    Numbers that are multiplied and added go into the last layer, the input's factor, or the next layer.
    """

    def __init__(self, file: OnnxFile, read: "Callable[[LayerSequence, Node], None]") -> None:
        self._constants = dict(file.constants)
        self.layers: list[dict[str, Any]] = []
        self.weights: dict[str, Array] = {}
        self.factor = 1.0
        self.inputs = 0
        self.batch = file.shape[0] if file.shape else None
        """The number of samples, if the file declares it."""
        self.shape = file.shape[1:] if file.shape else None
        """The shape of the data of one sample, if it is known."""
        self.only_logits = False
        """True if the data are exact only up to a constant added to all numbers of a sample."""
        self._scale: Factors = 1.0
        self._shift: Factors = 0.0
        self._order: NDArray[np.int64] | None = None
        """For transposed data the index of each number in the last layer's outputs."""
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
        self._nodes = file.nodes
        self._compute()
        now = file.inputs[0]
        readers: dict[str, list[Node]] = {}
        for node in file.nodes:
            for name in node.inputs:
                if name not in self._constants and name:
                    readers.setdefault(name, []).append(node)
        for _ in file.nodes:
            if now in file.outputs:
                break
            following = [node for node in readers.get(now, []) if node.operator != "Shape"]
            if len(following) < len(readers.get(now, [])):
                self._measure([node for node in readers[now] if node.operator == "Shape"])
            if len(following) != 1:
                raise InputError(
                    "expected operators that follow one another; got {count} after {name}",
                    count=len(following),
                    name=repr(now[:40]),
                )
            node = following[0]
            with _naming(node):
                read(self, node)
                if not node.outputs:
                    raise InputError("expected an output; got none", field=node.operator[:40])
            now = node.outputs[0]
        if now not in file.outputs:
            raise InputError("expected operators that lead from the input to the output")
        if not any(layer["type"] == "dense" for layer in self.layers):
            raise InputError("expected at least one Gemm or MatMul; got none")
        if self._order is not None:
            raise InputError("Transpose: expected a layer after it; got none")
        self._scale_apart()
        for key in self._spread:
            self.count(self.inputs)
            self.weights[key] = np.repeat(self.weights[key], self.inputs)

    def _compute(self) -> None:
        """Compute what depends on constants alone."""
        left = []
        for node in self._nodes:
            values = [self._constants[name] for name in node.inputs if name in self._constants]
            if not values or not node.outputs or len(values) < sum(map(bool, node.inputs)):
                left.append(node)
                continue
            with _naming(node):
                result = compute(node, values)
            if result is not None:
                if not np.may_share_memory(result, values[0]):
                    self.count(result.size)
                self._constants[node.outputs[0]] = result
        self._nodes = left

    def _measure(self, nodes: list[Node]) -> None:
        """Compute what depends on the present shape."""
        shape = (None,) * 7 if self.shape is None else self.shape
        sizes = np.array([self.batch or ANY_BATCH, *(size or ANY_SIZE for size in shape)])
        for node in nodes:
            if node.outputs:
                self._constants[node.outputs[0]] = sizes[node.attributes.get("start", 0) : node.attributes.get("end")]
        with np.errstate(over="ignore"):
            self._compute()

    def add(self, type: str, **fields: Any) -> None:
        if self.only_logits and type != "softmax":
            raise InputError("expected nothing but a softmax after the logarithms of one; got a {type}", type=type)
        self._scale_apart()
        self.only_logits = False
        self.layers.append({"type": type, **fields})

    def dense(self, weight: Array) -> None:
        """Add a dense layer, of weights (inputs, units)."""
        inputs, units = weight.shape
        self.take(inputs)
        weight = self.in_order(weight)
        bias = np.broadcast_to(self._shift, inputs) @ weight
        weight = weight * np.broadcast_to(self._scale, inputs)[:, None]
        self._scale, self._shift, self._order = 1.0, 0.0, None
        self.add("dense", units=units)
        self.store(weight=weight, bias=bias)
        self._features = units

    def transform(self, node: Node, scale: Factors = 1.0, shift: Factors = 0.0) -> None:
        """Multiply and add numbers, one or one for each feature."""
        is_logits = self.only_logits and np.ndim(scale) > 0
        if (self.layers and self._features is None) or self.last("softmax") or is_logits:
            raise InputError(
                "expected it at the input, or after a dense layer without softmax; found it elsewhere",
                field=node.operator,
            )
        key = f"{len(self.layers) - 1}."
        names = {"dense": ("weight", "bias"), "batch_norm": ("gamma", "beta")}.get(
            self.layers[-1]["type"] if self.layers else ""
        )
        if names and self.weights[key + names[1]].size >= max(np.size(scale), np.size(shift)):
            self.weights[key + names[0]] = self.weights[key + names[0]] * scale
            self.weights[key + names[1]] = self.weights[key + names[1]] * scale + shift
            return
        self._shift = self._shift * scale + shift
        if self.layers or np.ndim(scale) > 0 or scale < 0:
            self._scale = self._scale * scale
            return
        self.factor *= float(scale)
        if not 1 / LARGEST_FACTOR <= self.factor <= LARGEST_FACTOR:
            raise InputError(
                "expected 1e-6 to 1e6 as all factors together; got {factor}",
                field=node.operator,
                factor=f"{self.factor:g}",
            )

    def _scale_apart(self) -> None:
        """Multiply and add what is left in a layer of its own: a batch normalization."""
        scale, shift = self._scale, self._shift
        if np.all(np.equal(scale, 1)) and not np.any(shift):
            return
        self._scale, self._shift = 1.0, 0.0
        self.layers.append({"type": "batch_norm", "epsilon": EPSILON})
        ones = np.ones(self._features or 1)
        gamma = ones * scale * math.sqrt(1 + EPSILON)
        self.store(gamma=gamma, beta=ones * shift, running_mean=0 * ones, running_variance=ones)
        if self._features is None:
            self.spread()

    def transpose(self, perm: Sequence[int]) -> None:
        """Move the axes of the data, of which the first is the batch."""
        shape = self.shape
        if shape is None or list(perm[:1]) != [0] or sorted(perm) != list(range(len(shape) + 1)):
            raise InputError(
                "Transpose: expected an order of axes that keeps samples apart; got {order}", order=list(perm[:8])
            )
        sizes = [size or ANY_SIZE for size in shape]
        if math.prod(sizes) > MOST_TRANSPOSED:
            raise InputError(
                "Transpose: expected at most {most} numbers of known sizes; got more", most=MOST_TRANSPOSED
            )
        unmoved = np.arange(math.prod(sizes))
        order = unmoved.reshape(sizes).transpose([axis - 1 for axis in perm[1:]]).ravel()
        order = order if self._order is None else self._order[order]
        self._order = None if np.array_equal(order, unmoved) else order
        if self._order is not None:
            self.take(len(order))
        self.shape = tuple(shape[axis - 1] for axis in perm[1:])

    def in_order(self, values: Array) -> Array:
        """Rows for each of the present numbers, in the order of the last layer's outputs."""
        if self._order is None:
            return values
        ordered = np.empty_like(values)
        ordered[self._order] = values
        return ordered

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

    @property
    def features(self) -> int | None:
        """The present numbers a sample; None while unknown."""
        return self._features

    def array(self, node: Node, place: int, *axes: int) -> Array:
        """The constant input number `place` of a node, with a rank in `axes`."""
        found = self.constant(node, place)
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

    def constant(self, node: Node, place: int) -> Constant | None:
        """The constant input number `place` of a node, if there is one."""
        return self._constants.get(node.inputs[place] if place < len(node.inputs) else "")

    def place(self, node: Node) -> int:
        """The index of a node's constant input."""
        return next((place for place, name in enumerate(node.inputs) if name in self._constants), 1)

    def scalar(self, node: Node, place: int) -> float:
        """The constant number that is input number `place` of a node."""
        found = self.array(node, place, 0, 1, 2, 3, 4)
        if found.size != 1:
            raise InputError("expected one number; got {size}", field=node.operator, size=found.size)
        return float(found.reshape(-1)[0])

    def factors(self, node: Node, place: int) -> Factors:
        """The constant of a node: one number, or one for each feature, in the order of the last layer's outputs."""
        found = self.array(node, place, 0, 1, 2, 3, 4)
        sizes = self.shape if self._features is None or self.shape is not None else (self._features,)
        if found.size == 1 or sizes is None or None in sizes:
            return self.scalar(node, place)
        self.count(math.prod(size or 1 for size in sizes))  # before allocation
        try:
            spread = np.broadcast_to(found, (1, *(size or 1 for size in sizes))).reshape(-1)
        except ValueError:
            if self.last("dense"):
                raise InputError(
                    "expected a bias of {units} numbers; got the shape {shape}",
                    field=node.operator,
                    units=self._features,
                    shape=found.shape,
                ) from None
            return self.scalar(node, place)
        self.take(len(spread))
        return self.in_order(spread)


@contextmanager
def _naming(node: Node) -> Iterator[None]:
    """Errors name the node."""
    try:
        yield
    except InputError as error:
        raise error.within(node.place) from None
    except (TypeError, OverflowError):
        raise InputError(
            "expected attributes of the kinds that the operators have; got others", field=node.place
        ) from None
