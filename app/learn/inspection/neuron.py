"""One neuron: its inputs, weights, products, sum and bias, and its activation's curve."""

from typing import Any

import numpy as np

from app.learn.inspection.connections import Links, chain, links_back
from app.learn.inspection.derivative import derivative
from app.learn.inspection.encoding import picture, place, strongest
from app.learn.inspection.forward import check_layer, check_unit, outputs, trace
from app.learn.inspection.subject import InspectedNetwork
from app.nn.arrays import Array, Shape
from app.nn.layers.activations import ACTIVATIONS, Activation, Softmax, Step
from app.nn.layers.convolution import Conv2D
from app.nn.layers.core import Dense, Dropout, Layer
from app.nn.layers.normalization import BatchNorm
from app.nn.layers.pooling import AveragePool2D, MaxPool2D
from app.nn.spec import build

MOST_PRODUCTS = 8
"""The most products of each sign; the rest is one sum."""
CURVE_POINTS = 161
LEAST_REACH = 4.0
"""The smallest reach of a curve on both sides."""
ROOM = 1.25
"""The reach of a curve relative to its point."""


def neuron(subject: InspectedNetwork, index: int, unit: int) -> dict[str, Any]:
    """The steps that compute the number `unit`, in C order, of the output of layer `index`, as JSON.

    Elementwise layers after a weighted one, such as activations, are steps of the same sequence, whichever of them is
    given. Raises ValueError if there is no such layer or unit.
    """
    check_unit(subject, check_layer(subject, index), unit)
    arrays = trace(subject)
    return {
        "layer": index,
        "unit": unit,
        "place": place(unit, arrays[index + 1].shape),
        "shape": list(arrays[index + 1].shape),
        "steps": [_step(subject, arrays, number, unit) for number in chain(subject, index)],
    }


def weights_picture(subject: InspectedNetwork, index: int, unit: int) -> dict[str, Any] | None:
    """The weights of a unit as a picture, in the shape of the layer's input; None for layers without weights."""
    layer = subject.network.layers[index]
    if isinstance(layer, Dense):
        return picture(layer.params["weight"][:, unit].reshape(_picture_shape(subject, index)))
    if isinstance(layer, Conv2D):
        return picture(layer.params["weight"][unit // (layer.out_height * layer.out_width)])
    return None


def curve(layer: Activation, at: float) -> dict[str, Any]:
    """An activation and its derivative around `at`, and at that point.

    `straight_through` means that the backward pass does not use the derivative, which is 0 everywhere.
    """
    reach = max(LEAST_REACH, ROOM * abs(at))
    x = np.append(np.linspace(-reach, reach, CURVE_POINTS), at)
    activation = build("layer", ACTIVATIONS, layer.spec())
    activation.build((len(x),), "float64")
    y = activation.forward(x[None], training=True)[0].copy()
    slope = derivative(activation, np.ones((1, len(x))))[0]
    return {
        "x": x[:-1].tolist(),
        "y": y[:-1].tolist(),
        "slope": slope[:-1].tolist(),
        "point": {"x": at, "y": float(y[-1]), "slope": float(slope[-1])},
        "straight_through": isinstance(layer, Step),
    }


def _step(subject: InspectedNetwork, arrays: list[Array], index: int, unit: int) -> dict[str, Any]:
    layer = subject.network.layers[index]
    x, y = arrays[index], arrays[index + 1]
    step: dict[str, Any] = {"layer": index, "type": layer.type, "output": float(y.ravel()[unit])}
    if isinstance(layer, Dense | Conv2D):
        bias = layer.params["bias"][unit if isinstance(layer, Dense) else unit // (layer.out_height * layer.out_width)]
        found, shape = links_back(layer, x, unit), _picture_shape(subject, index)
        return {
            **step,
            **_products(found, shape),
            "bias": float(bias),
            "weights": weights_picture(subject, index, unit),
            "inputs": picture(found.values.reshape(shape if isinstance(layer, Dense) else found.shape)),
        }
    if isinstance(layer, MaxPool2D | AveragePool2D):
        return {**step, **_products(links_back(layer, x, unit), x.shape)}
    if isinstance(layer, Softmax):
        return {**step, "label": subject.card.labels[unit], "outputs": outputs(subject)}
    step["input"] = float(x.ravel()[unit])
    if isinstance(layer, BatchNorm):
        feature = place(unit, x.shape)[0] if len(x.shape) != 2 else 0
        numbers = {**layer.params, **layer.state}
        return {**step, "epsilon": layer.epsilon, **{name: float(array[feature]) for name, array in numbers.items()}}
    if isinstance(layer, Dropout):
        return {**step, "rate": _rate(subject, index)}
    if isinstance(layer, Activation):
        return {**step, "curve": curve(layer, step["input"])}
    return step


def _products(found: Links, shape: Shape) -> dict[str, Any]:
    """The largest products of each sign, and the sum of the others."""
    products = found.products
    up, down = strongest(products, MOST_PRODUCTS)
    others = np.delete(products, up + down)
    return {
        "sum": float(products.sum()),
        "up": [_product(found, at, shape) for at in up],
        "down": [_product(found, at, shape) for at in down],
        "others": {"count": int(np.count_nonzero(others)), "sum": float(others.sum())},
        "zero": int(np.count_nonzero(products == 0)),
    }


def _product(found: Links, at: int, shape: Shape) -> dict[str, Any]:
    where = int(found.places[at])
    return {
        "input": where,
        "place": place(where, shape),
        "value": float(found.values[at]),
        "weight": float(found.factors[at]),
        "product": float(found.products[at]),
    }


def _picture_shape(subject: InspectedNetwork, index: int) -> Shape:
    """The shape of a layer's input before it was flattened."""
    layers = subject.network.layers
    while index > 0 and (layers[index].input_shape == (int(np.prod(layers[index].input_shape)),)):
        before: Layer = layers[index - 1]
        if before.type not in ("flatten", "dropout", "batch_norm") and not isinstance(before, Activation):
            break
        index -= 1
    return layers[index].input_shape


def _rate(subject: InspectedNetwork, index: int) -> float:
    """The rate of a dropout layer in training; here it is 0."""
    return float(subject.card.network["layers"][index]["rate"])
