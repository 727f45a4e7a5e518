"""A way from a drawing to one that the network reads as another label."""

from typing import Any

import numpy as np

from app.errors import InputError
from app.learn.inspection.encoding import encoded
from app.learn.inspection.pixel_gradient import SIDE, inputs_of, logits_of, pixel_gradient
from app.learn.inspection.subject import InspectedNetwork
from app.nn.layers.activations import softmax

MOST_STEPS = 100
LEAST_STEPS = 10
"""A network that is too large even for these is refused."""
PASSES = 3
"""The cost of a step in passes: a forward and a backward one."""
RATE = 0.25
"""The length of a step, of the difference of all 784 pixels."""
SURE = 0.9
"""The probability of the other label at which the steps end."""


def morph(subject: InspectedNetwork, label: str) -> dict[str, Any]:
    """Change the drawing down the gradient of −log of another label's probability until it is read as that, as JSON.

    `end` is the end of the way, the first drawing at which the label has the probability SURE, without calibration,
    or else the one at which it has the highest; `changed` says whether it is read as the label there. Drawings between
    are (1 − s)·drawing + s·end. Raises InputError where the drawing is read as the label already, and TooLargeError.
    """
    labels = subject.card.labels
    of = subject.label(label)
    probabilities = subject.probabilities(subject.x)[0]
    answer = int(probabilities.argmax())
    if of == answer:
        raise InputError("expected another label than {label}", field="label", label=repr(label))
    steps = max(LEAST_STEPS, min(MOST_STEPS, (subject.affordable() - 2) // PASSES))
    subject.afford("label", PASSES * steps + 2)
    target = np.eye(len(labels))[of : of + 1]
    pixels = subject.pixels.astype(np.float64).reshape(SIDE, SIDE)
    best, most, taken = pixels, float(probabilities[of]), 0
    for step in range(1, steps + 1):
        said = softmax(logits_of(subject, inputs_of(subject, pixels.reshape(1, -1))))
        if said[0, of] > most:
            best, most, taken = pixels, float(said[0, of]), step - 1
        if most >= SURE:
            break
        gradient = pixel_gradient(subject, target - said)
        length = float(np.linalg.norm(gradient))
        if length == 0:
            break
        pixels = np.clip(pixels + RATE / length * gradient, 0, 1)
    end = subject.probabilities(inputs_of(subject, best.reshape(1, -1)))[0]
    return {
        "label": labels[answer],
        "other": labels[of],
        "says": labels[int(end.argmax())],
        "probability": float(end[of]),
        "changed": int(end.argmax()) == of,
        "steps": taken,
        "end": encoded(best),
    }
