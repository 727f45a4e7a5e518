"""Steps of an optimizer for one drawing and its true label, on a copy of the network."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from app.learn.inspection.backward import passes
from app.learn.inspection.connections import chain
from app.learn.inspection.encoding import norm
from app.learn.inspection.forward import check_layer, check_unit
from app.learn.inspection.neuron import weights_picture
from app.learn.inspection.subject import InspectedNetwork
from app.models import DamagedModelError
from app.nn import OPTIMIZERS, build

MOST_STEPS = 200


def steps(
    subject: InspectedNetwork, label: str, optimizer: Mapping[str, Any], count: int, unit: tuple[int, int] | None = None
) -> dict[str, Any]:
    """Take `count` steps from the stored weights; return loss, probabilities and weight changes as JSON.

    The gradient is that of this drawing, as with a batch size of 1, without weight decay in the loss. `losses` and
    `certainties` (the probability of the label) are before the first step and after each; they end early, with
    `diverged`, if a number is no longer finite. `unit` is a layer and a unit whose weights are returned before and
    after. Raises ValueError for an invalid optimizer, label or unit.
    """
    rule = build("optimizer", OPTIMIZERS, optimizer)
    network = subject.network
    rule.decayed = network.decayed
    truth = subject.label(label)
    subject.afford("steps", 3 * count + 3)
    of = None
    if unit is not None:
        check_unit(subject, check_layer(subject, unit[0]), unit[1])
        of = chain(subject, unit[0]).start, unit[1]
    first = {name: array.copy() for name, array in network.weights().items()}
    picture = None if of is None else weights_picture(subject, *of)
    before = subject.probabilities(subject.x)[0].tolist()
    losses, certainties = [_loss(subject, truth)], [before[truth]]
    last, diverged = before, False
    for _ in range(count):
        params = network.params.copy()
        with np.errstate(all="ignore"):
            try:
                passes(subject, truth)
                rule.step(network.params, network.grads)
                probabilities, loss = subject.probabilities(subject.x)[0].tolist(), _loss(subject, truth)
            except DamagedModelError:
                loss = math.nan
        if not math.isfinite(loss) or not np.isfinite(network.params).all():
            network.params[:], diverged = params, True
            break
        last = probabilities
        losses.append(loss)
        certainties.append(probabilities[truth])
    return {
        "label": subject.card.labels[truth],
        "optimizer": rule.spec(),
        "steps": len(losses) - 1,
        "diverged": diverged,
        "losses": losses,
        "certainties": certainties,
        "before": before,
        "after": last,
        "weights": _changes(subject, first),
        "unit": None
        if of is None
        else {"layer": of[0], "unit": of[1], "before": picture, "after": weights_picture(subject, *of)},
    }


def _loss(subject: InspectedNetwork, truth: int) -> float:
    outputs = subject.network.forward(subject.x, training=False)
    return subject.loss().value_and_gradient(outputs, np.array([truth]))[0]


def _changes(subject: InspectedNetwork, first: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The norm of each parameter array and of its change, and their ratio."""
    rows = []
    for index, layer in enumerate(subject.network.layers):
        for name, array in layer.params.items():
            start = first[f"{index}.{name}"]
            length, change = norm(start), norm(array.astype(np.float64) - start)
            share = change / length if length > 0 else None
            rows.append(
                {
                    "layer": index,
                    "type": layer.type,
                    "parameter": name,
                    "norm": length,
                    "change": change,
                    "share": share,
                }
            )
    return rows
