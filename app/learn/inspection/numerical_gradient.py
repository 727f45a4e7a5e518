"""The numerical gradient and backpropagation's, for chosen weights."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.errors import InputError
from app.learn.inspection.backward import passes
from app.learn.inspection.encoding import place
from app.learn.inspection.forward import check_layer
from app.learn.inspection.subject import InspectedNetwork
from app.nn.gradient_check import FLOOR, STEP

MOST_PLACES = 50
"""The most weights of an answer; each takes two forward passes."""


def numerical(
    subject: InspectedNetwork, label: str, index: int, parameter: str, places: Sequence[int]
) -> dict[str, Any]:
    """Both gradients of some numbers of a parameter array, their relative error, and the time of each method, as JSON.

    `places` are in C order. The network must be in float64. Raises ValueError if there is no such number.
    """
    params = subject.network.layers[check_layer(subject, index)].params
    if not params:
        raise InputError("expected a layer that has parameters; got {index}", field="layer", index=index)
    if parameter not in params:
        raise InputError(
            "expected one of {names} in this layer; got {value}",
            field="parameter",
            names=", ".join(params),
            value=repr(parameter[:40]),
        )
    values = params[parameter].reshape(-1)
    for at in places:
        if not 0 <= at < values.size:
            raise InputError(
                "expected numbers from 0 to {last}; got {got}", field="places", last=values.size - 1, got=at
            )
    subject.afford("places", 2 * len(places) + 3)
    truth = subject.label(label)
    started = time.perf_counter()
    passes(subject, truth)
    backpropagation_seconds = time.perf_counter() - started
    exact = subject.network.layers[index].grads[parameter].reshape(-1)[list(places)].astype(float).tolist()
    targets, loss = np.array([truth]), subject.loss()

    def value() -> float:
        return loss.total(subject.network.forward(subject.x, training=False), targets)

    rows = []
    started = time.perf_counter()
    for at, found in zip(places, exact, strict=True):
        original = values[at]
        values[at] = original + STEP
        above = value()
        values[at] = original - STEP
        below = value()
        values[at] = original
        slope = (above - below) / (2 * STEP)
        rows.append(
            {
                "index": at,
                "place": place(at, params[parameter].shape),
                "value": float(original),
                "above": above,
                "below": below,
                "numerical": slope,
                "backpropagation": found,
                "relative_error": abs(slope - found) / max(FLOOR, abs(slope) + abs(found)),
            }
        )
    numerical_seconds = time.perf_counter() - started
    return {
        "layer": index,
        "parameter": parameter,
        "step": STEP,
        "rows": rows,
        "numerical_seconds": numerical_seconds,
        "numerical_seconds_for_all": numerical_seconds / max(1, len(rows)) * subject.network.params.size,
        "backpropagation_seconds": backpropagation_seconds,
        "parameters": subject.network.params.size,
    }


def random_places(subject: InspectedNetwork, index: int, parameter: str, count: int, seed: int) -> list[int]:
    """Random indices into a parameter array, drawn with a seed and sorted; empty for an unknown array."""
    params = subject.network.layers[check_layer(subject, index)].params
    size = params[parameter].size if parameter in params else 0
    found = np.random.default_rng(seed).choice(size, min(count, size), replace=False) if size else np.array([], int)
    return sorted(int(at) for at in found)
