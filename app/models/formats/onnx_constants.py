"""The parts of an ONNX graph that do not depend on its input: weights that are turned, and sizes that are computed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError

MOST_SIZES = 64
"""The most numbers of arrays that are computed with; larger ones, weights, are only turned."""

Constant = NDArray[Any]


@dataclass(frozen=True)
class Node:
    """A node; `attributes` are numbers, texts, lists of numbers, and arrays; `place` is its index and name."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    place: str


def compute(node: Node, values: list[Constant]) -> Constant | None:
    """The output of a node with constant inputs; None if it is of no use here. Raises ValueError."""
    rule = _TURNED.get(node.operator)
    if rule is None and sum(value.size for value in values) <= MOST_SIZES:
        rule = _COMPUTED.get(node.operator)
    try:
        return rule and np.asarray(rule(node, values))
    except (ValueError, KeyError, IndexError, ZeroDivisionError):
        raise InputError("expected constants that fit together; got others", field=node.operator) from None


def _axes(node: Node, values: list[Constant]) -> tuple[int, ...] | None:
    """The axes of Squeeze and Unsqueeze, an input since opset 13, before an attribute; None for all of size 1."""
    axes = values[1] if len(values) > 1 else node.attributes.get("axes")
    return None if axes is None else tuple(int(axis) for axis in axes)


def _reshape(node: Node, values: list[Constant]) -> Constant:
    shape = [int(size) for size in values[1]]
    if not node.attributes.get("allowzero", 0):
        shape = [size or values[0].shape[axis] for axis, size in enumerate(shape)]
    return values[0].reshape(shape)


def _cast(node: Node, values: list[Constant]) -> Constant:
    return values[0].astype({1: "f4", 6: "i4", 7: "i8", 10: "f2", 11: "f8"}[node.attributes["to"]])


def _slice(node: Node, values: list[Constant]) -> Constant:
    """Starts, ends, axes and steps are inputs since opset 10, before attributes."""
    given = values[1:] or [node.attributes[name] for name in ("starts", "ends", "axes") if name in node.attributes]
    starts, ends, *others = ([int(number) for number in value] for value in given)
    axes = others[0] if others else range(len(starts))
    steps = others[1] if len(others) > 1 else [1] * len(starts)
    parts = [slice(None)] * values[0].ndim
    for axis, *part in zip(axes, starts, ends, steps, strict=True):
        parts[axis] = slice(*part)
    return values[0][tuple(parts)]


def _divide(node: Node, values: list[Constant]) -> Constant:
    whole = all(value.dtype.kind == "i" for value in values)
    result: Constant = values[0] // values[1] if whole else values[0] / values[1]
    return result


Rule = Callable[[Node, list[Constant]], Constant]

_TURNED: Mapping[str, Rule] = {
    "Cast": _cast,
    "Identity": lambda node, values: values[0],
    "Reshape": _reshape,
    "Squeeze": lambda node, values: values[0].squeeze(_axes(node, values)),
    "Transpose": lambda node, values: values[0].transpose(node.attributes.get("perm")),
    "Unsqueeze": lambda node, values: np.expand_dims(values[0], _axes(node, values) or ()),
}
_COMPUTED: Mapping[str, Rule] = {
    "Add": lambda node, values: values[0] + values[1],
    "Concat": lambda node, values: np.concatenate(values, node.attributes["axis"]),
    "Div": _divide,
    "Gather": lambda node, values: values[0].take(values[1], node.attributes.get("axis", 0)),
    "Mul": lambda node, values: values[0] * values[1],
    "Slice": _slice,
    "Sub": lambda node, values: values[0] - values[1],
}
