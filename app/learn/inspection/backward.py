"""The backward pass: the loss, the gradient of every layer, and the chain rule for one neuron."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.learn.inspection.connections import chain, links_back, links_on
from app.learn.inspection.encoding import norm, picture, place, strongest
from app.learn.inspection.forward import check_layer, check_unit
from app.learn.inspection.subject import InspectedNetwork, finite
from app.nn.arrays import Array
from app.nn.layers.activations import Step, softmax
from app.nn.layers.convolution import Conv2D
from app.nn.layers.core import Dense, Flatten
from app.nn.losses import CrossEntropy

MOST_TERMS = 8
"""The most terms of each sign; the rest is one sum."""


@dataclass(frozen=True, eq=False)
class Passes:
    """A forward and a backward pass for one drawing and its true label, in the network's dtype.

    `outputs` and `gradients` have one array for the input, and one for each layer's output, without the batch axis: its
    value, and dL/d(value). The network's `grads` are those of this pass.
    """

    loss: float
    outputs: list[Array]
    gradients: list[Array]


def passes(subject: InspectedNetwork, truth: int) -> Passes:
    """Both passes through the subject's network. Raises DamagedModelError if a number is not finite."""
    outputs = [subject.x]
    for layer in subject.network.layers:
        outputs.append(layer.forward(outputs[-1], training=True))
    value, grad = subject.loss().value_and_gradient(outputs[-1], np.array([truth]))
    gradients = [grad.copy()]
    for layer in reversed(subject.network.layers):
        gradients.append(layer.backward(gradients[-1]).copy())
    gradients.reverse()
    return Passes(
        value,
        [finite(subject.card, array)[0].copy() for array in outputs],
        [finite(subject.card, array).reshape(like.shape)[0] for array, like in zip(gradients, outputs, strict=True)],
    )


def backward(subject: InspectedNetwork, label: str) -> dict[str, Any]:
    """The loss for the true label, y − t at the outputs, and every layer's gradient, as JSON. Raises ValueError."""
    truth = subject.label(label)
    found = passes(subject, truth)
    layers = []
    for index, layer in enumerate(subject.network.layers):
        gradient = found.gradients[index + 1]
        layers.append(
            {
                "index": index,
                "type": layer.type,
                "shape": list(gradient.shape),
                "picture": picture(gradient),
                "norm": norm(gradient),
                "parameters": [
                    {"name": name, "size": array.size, "norm": norm(array)} for name, array in layer.grads.items()
                ],
            }
        )
    return {
        "label": subject.card.labels[truth],
        "loss": {
            "type": subject.loss().type,
            "label_smoothing": subject.label_smoothing,
            "value": found.loss,
            "named": subject.names_loss,
        },
        "rows": _rows(subject, found, truth),
        "layers": layers,
        "input": {"picture": picture(found.gradients[0]), "norm": norm(found.gradients[0])},
        "norm": norm(subject.network.grads),
        "straight_through": any(isinstance(layer, Step) for layer in subject.network.layers),
    }


def delta(subject: InspectedNetwork, label: str, index: int, unit: int) -> dict[str, Any]:
    """The chain rule for the number `unit` of layer `index`, with its numbers, as JSON.

    `terms` are those of Σ w·δ over the next layer, with the total `sum`; `slopes` are the derivatives of the
    elementwise layers up to `last`; `delta` = `sum` × their product is dL/dz, with z the output of the weighted layer.
    `weights` are the gradients of that layer's weights, x·δ (for a convolution their sum over all positions). Raises
    ValueError if there is no such layer or unit.
    """
    check_unit(subject, check_layer(subject, index), unit)
    found = passes(subject, subject.label(label))
    row = chain(subject, index)
    answer = _upstream(subject, found, row.stop, unit)
    slopes = [] if row.stop - row.start < 2 else _slopes(subject, range(row.start + 1, row.stop), unit)
    layer = subject.network.layers[row.start]
    return {
        "layer": row.start,
        "last": row.stop - 1,
        "unit": unit,
        "place": place(unit, found.outputs[row.start + 1].shape),
        **answer,
        "slopes": slopes,
        "delta": float(found.gradients[row.start + 1].ravel()[unit]),
        "weights": _weight_gradients(subject, found, row.start, unit) if isinstance(layer, Dense | Conv2D) else None,
    }


def _rows(subject: InspectedNetwork, found: Passes, truth: int) -> list[dict[str, Any]]:
    """y, t and y − t for every label; y is what the loss compares, the softmax of the outputs for cross-entropy."""
    output = found.outputs[-1].astype(np.float64)
    predicted, target = output, np.zeros(output.size)
    target[truth] = 1
    if isinstance(subject.loss(), CrossEntropy):
        predicted = softmax(output)
    gradient = found.gradients[-1].tolist()
    return [
        {"label": name, "output": z, "said": y, "target": t, "gradient": g}
        for name, z, y, t, g in zip(
            subject.card.labels, output.tolist(), predicted.tolist(), target.tolist(), gradient, strict=True
        )
    ]


def _upstream(subject: InspectedNetwork, found: Passes, following: int, unit: int) -> dict[str, Any]:
    """The terms of dL/da for an input a of the layer `following`."""
    layers = subject.network.layers
    if following == len(layers):
        value = float(found.gradients[-1].ravel()[unit])
        return {"next": None, "terms": [], "others": {"count": 0, "sum": 0.0}, "sum": value}
    targets, factors = links_on(layers[following], found.outputs[following], found.outputs[following + 1], unit)
    upper = found.gradients[following + 1].ravel()[targets].astype(np.float64)
    products = factors * upper
    up, down = strongest(products, MOST_TERMS)
    shape = found.outputs[following + 1].shape
    others = np.delete(products, up + down)
    return {
        "next": {"layer": following, "type": layers[following].type},
        "terms": [
            {
                "unit": int(targets[at]),
                "place": place(int(targets[at]), shape),
                "weight": float(factors[at]),
                "delta": float(upper[at]),
                "product": float(products[at]),
            }
            for at in sorted(up + down, key=lambda at: -abs(products[at]))
        ],
        "others": {"count": int(np.count_nonzero(others)), "sum": float(others.sum())},
        "sum": float(products.sum()),
    }


def _slopes(subject: InspectedNetwork, row: range, unit: int) -> list[dict[str, Any]]:
    """The result of each layer's `backward` for ones at the unit, after a forward pass: the derivative, or 1 for the
    step function, which passes the gradient straight through."""
    slopes = []
    for index in row:
        layer = subject.network.layers[index]
        if isinstance(layer, Flatten):
            continue
        grads = {name: array.copy() for name, array in layer.grads.items()}
        ones = np.ones((1, *layer.input_shape), subject.network.dtype)
        slope = float(layer.backward(ones).ravel()[unit])
        for name, array in grads.items():
            layer.grads[name][...] = array
        slopes.append({"layer": index, "type": layer.type, "slope": slope})
    return slopes


def _weight_gradients(subject: InspectedNetwork, found: Passes, index: int, unit: int) -> dict[str, Any]:
    """dL/dw of a unit's weights as a picture, dL/db, and the largest products x·δ."""
    layer = subject.network.layers[index]
    links = links_back(layer, found.outputs[index], unit)
    unit_delta = float(found.gradients[index + 1].ravel()[unit])
    if isinstance(layer, Conv2D):
        feature = unit // (layer.out_height * layer.out_width)
        gradient, bias = layer.grads["weight"][feature], layer.grads["bias"][feature]
    else:
        gradient, bias = layer.grads["weight"][:, unit], layer.grads["bias"][unit]
    products = links.values * unit_delta
    up, down = strongest(products, MOST_TERMS // 2)
    return {
        "picture": picture(gradient),
        "norm": norm(gradient),
        "bias": float(bias),
        "shared": isinstance(layer, Conv2D),
        "largest": [
            {
                "input": int(links.places[at]),
                "place": place(int(links.places[at]), found.outputs[index].shape),
                "value": float(links.values[at]),
                "product": float(products[at]),
            }
            for at in sorted(up + down, key=lambda at: -abs(products[at]))
        ],
    }
