"""A drawing's way through a network: what every layer makes of it, up to the probabilities."""

from typing import Any

import numpy as np

from app.errors import InputError
from app.learn.inspection.encoding import norm, picture
from app.learn.inspection.subject import InspectedNetwork, finite
from app.nn import softmax
from app.nn.arrays import Array


def trace(subject: InspectedNetwork) -> list[Array]:
    """The outputs of every layer for the drawing, each of the layer's own shape, the input itself first."""
    found = [subject.x]
    for layer in subject.network.layers:
        found.append(finite(subject.card, layer.forward(found[-1], training=False)))
    shapes = [subject.network.input_shape]
    for array in found[1:]:
        shapes.append(array.shape[1:])
    return [array[0].reshape(shape) for array, shape in zip(found, shapes, strict=True)]


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
    """More of a layer's activations, from unit or map number `first` on. Raises ValueError where there is none."""
    return picture(trace(subject)[check_layer(subject, index) + 1], first=first)


def outputs(subject: InspectedNetwork) -> dict[str, Any]:
    """From logits to probabilities: zₖ, e^(zₖ − max z), its share in the sum; and the calibrated ones of /predict."""
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
    """The number of a layer. Raises ValueError where there is none of it."""
    count = len(subject.network.layers)
    if not 0 <= index < count:
        raise InputError(
            "expected a number from 0 to {value}; got {index}", field="layer", value=count - 1, index=index
        )
    return index


def check_unit(subject: InspectedNetwork, index: int, unit: int) -> int:
    """The number of a unit of the layer `index`, in C order. Raises ValueError where there is none of it."""
    layers = subject.network.layers
    shape = layers[index + 1].input_shape if index + 1 < len(layers) else subject.network.output_shape
    count = int(np.prod(shape))
    if not 0 <= unit < count:
        raise InputError("expected a number from 0 to {value}; got {unit}", field="unit", value=count - 1, unit=unit)
    return unit
