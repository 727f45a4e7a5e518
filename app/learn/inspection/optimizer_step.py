"""Steps of an optimizer from one drawing and its true label: what they change, on a copy that is then thrown away."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from app.learn.inspection.backward import passes
from app.learn.inspection.connections import chain
from app.learn.inspection.encoding import norm
from app.learn.inspection.forward import check_layer, check_unit
from app.learn.inspection.neuron import weights_picture
from app.learn.inspection.subject import Subject
from app.models import DamagedModelError
from app.nn import OPTIMIZERS, build

MOST_STEPS = 200


def steps(
    subject: Subject, label: str, optimizer: Mapping[str, Any], count: int, unit: tuple[int, int] | None = None
) -> dict[str, Any]:
    """Take `count` steps from the stored weights; say what came of loss, probabilities and weights, as JSON.

    The gradient is that of this one drawing, as with a batch size of 1, without weight decay in the loss. `losses` and
    `certainties` (the probability of the label) are before the first step and after each; they end early where a
    number is no longer finite, `diverged`. `unit` is a layer and a unit of it whose weights are shown before and after.
    Raises ValueError where the optimizer, the label or the unit is none.
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
        kept = network.params.copy()
        with np.errstate(all="ignore"):
            try:
                passes(subject, truth)
                rule.step(network.params, network.grads)
                said, loss = subject.probabilities(subject.x)[0].tolist(), _loss(subject, truth)
            except DamagedModelError:
                loss = math.nan
        if not math.isfinite(loss) or not np.isfinite(network.params).all():
            network.params[:], diverged = kept, True
            break
        last = said
        losses.append(loss)
        certainties.append(said[truth])
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


def _loss(subject: Subject, truth: int) -> float:
    outputs = subject.network.forward(subject.x, training=False)
    return subject.loss().value_and_gradient(outputs, np.array([truth]))[0]


def _changes(subject: Subject, first: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How long each array of parameters is, and how long the way that it has gone, also as a share of that."""
    found = []
    for index, layer in enumerate(subject.network.layers):
        for name, array in layer.params.items():
            start = first[f"{index}.{name}"]
            length, change = norm(start), norm(array.astype(np.float64) - start)
            share = change / length if length > 0 else None
            found.append(
                {
                    "layer": index,
                    "type": layer.type,
                    "parameter": name,
                    "norm": length,
                    "change": change,
                    "share": share,
                }
            )
    return found
