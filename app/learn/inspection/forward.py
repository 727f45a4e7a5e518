"""The forward pass of a drawing: the output of every layer, up to the probabilities."""

from typing import Any

import numpy as np

from app.errors import InputError
from app.learn.inspection.encoding import norm, picture
from app.learn.inspection.subject import InspectedNetwork, finite
from app.nn import softmax
from app.nn.arrays import Array


def trace(subject: InspectedNetwork) -> list[Array]:
    """The input, and the output of every layer for the drawing, in their shapes."""
    arrays = [subject.x]
    for layer in subject.network.layers:
        arrays.append(finite(subject.card, layer.forward(arrays[-1], training=False)))
    return [arrays[0][0].reshape(subject.network.input_shape), *(array[0] for array in arrays[1:])]


def forward(subject: InspectedNetwork) -> dict[str, Any]:
    """Each layer with its activations, and the logits, their exponentials and the probabilities, as JSON."""
    arrays = trace(subject)
    layers = []
    for index, layer in enumerate(subject.network.layers):
        output = arrays[index + 1]
        layers.append(
            {
                "index": index,
                "type": layer.type,
                "spec": layer.spec(),
                "input_shape": list(layer.input_shape),
                "output_shape": list(output.shape),
                "parameters": sum(array.size for array in layer.params.values()),
                "picture": picture(output),
                "zeros": int(np.count_nonzero(output == 0)),
                "norm": norm(output),
            }
        )
    return {
        "input": {"shape": list(subject.network.input_shape), "scale": subject.scale, "picture": picture(arrays[0])},
        "layers": layers,
        "parameters": subject.network.params.size,
        "outputs": outputs(subject),
    }


def layer_picture(subject: InspectedNetwork, index: int, first: int) -> dict[str, Any]:
    """A layer's activations from unit or map number `first` on. Raises ValueError if there is none."""
    return picture(trace(subject)[check_layer(subject, index) + 1], first=first)


def outputs(subject: InspectedNetwork) -> dict[str, Any]:
    """From logits to probabilities: zₖ, e^(zₖ − max z), its share of the sum, and the calibrated one of /predict."""
    scores = subject.scores(subject.x)[0]
    exponentials = np.exp(scores - scores.max())
    probabilities = subject.probabilities(subject.x)[0]
    temperature = subject.card.temperature
    calibrated = softmax(scores[None] / temperature)[0]
    return {
        "labels": list(subject.card.labels),
        "logits": scores.tolist(),
        "largest": float(scores.max()),
        "exponentials": exponentials.tolist(),
        "sum": float(exponentials.sum()),
        "probabilities": probabilities.tolist(),
        "temperature": temperature,
        "calibrated": calibrated.tolist(),
        "says": subject.card.labels[int(scores.argmax())],
    }


def check_layer(subject: InspectedNetwork, index: int) -> int:
    """Return the number of a layer; raise ValueError if there is no such layer."""
    count = len(subject.network.layers)
    if not 0 <= index < count:
        raise InputError("expected a number from 0 to {last}; got {got}", field="layer", last=count - 1, got=index)
    return index


def check_unit(subject: InspectedNetwork, index: int, unit: int) -> int:
    """Return the number of a unit of layer `index`, in C order; raise ValueError if there is no such unit."""
    layers = subject.network.layers
    shape = layers[index + 1].input_shape if index + 1 < len(layers) else subject.network.output_shape
    count = int(np.prod(shape))
    if not 0 <= unit < count:
        raise InputError("expected a number from 0 to {last}; got {got}", field="unit", last=count - 1, got=unit)
    return unit
