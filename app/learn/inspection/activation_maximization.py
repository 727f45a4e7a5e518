"""Activation maximization: the image that a network itself takes most for a label."""

from typing import Any

import numpy as np

from app.learn.inspection.encoding import encoded
from app.learn.inspection.pixel_gradient import SIDE, inputs_of, logits_of, pixel_gradient
from app.learn.inspection.subject import InspectedNetwork
from app.nn.arrays import Array
from app.nn.layers.activations import softmax

MOST_STEPS = 40
LEAST_STEPS = 8
"""With fewer there is little to see; a network that is too large even for these is refused."""
PASSES = 3
"""The cost of a step in passes: a forward and a backward one."""
RATE = 0.5
"""The length of a step, of the difference of all 784 pixels."""
SMOOTH_RATE = 1.0
"""The same where smoothing takes part of it back."""
FADING = 0.02
"""The part of all ink that every step takes away, which is the gradient of an L2 penalty."""
BLUR = 0.1
"""The part of a pixel that goes to each neighbour along an axis, at every step."""


def maximize_activation(subject: InspectedNetwork, label: str) -> dict[str, Any]:
    """Climb the gradient of the label's logit from a blank sheet, without and with smoothing, as JSON.

    Simonyan, Vedaldi and Zisserman 2014, "Deep inside convolutional networks", section 2, with pixels between 0 and 1.
    Smoothing is an L2 penalty, as there, and a small blur at every step, as in Yosinski et al. 2015, "Understanding
    neural networks through deep visualization", section 4. A large network takes fewer steps. `stuck` says that the
    gradient was zero at once. Probabilities are calibrated as in /predict. Raises InputError for another label, and
    TooLargeError.
    """
    of = subject.label(label)
    steps = max(LEAST_STEPS, min(MOST_STEPS, (subject.affordable() - 2) // (2 * PASSES)))
    subject.afford("label", 2 * PASSES * steps + 2)
    found = {"plain": _climb(subject, of, steps, smooth=False), "smooth": _climb(subject, of, steps, smooth=True)}
    return {"label": label, "steps": steps, **found}


def _climb(subject: InspectedNetwork, of: int, steps: int, *, smooth: bool) -> dict[str, Any]:
    pixels = np.zeros((SIDE, SIDE))
    for _ in range(steps):
        logits = logits_of(subject, inputs_of(subject, pixels.reshape(1, -1)))
        gradient = pixel_gradient(subject, np.eye(logits.shape[1])[of : of + 1])
        length = float(np.linalg.norm(gradient))
        if length == 0:
            break
        pixels = pixels + (SMOOTH_RATE if smooth else RATE) / length * gradient
        if smooth:
            pixels = (1 - FADING) * _blurred(pixels)
        pixels = np.clip(pixels, 0, 1)
    scores = subject.scores(inputs_of(subject, pixels.reshape(1, -1)))[0]
    probabilities = softmax(scores[None] / subject.card.temperature)[0]
    return {
        "pixels": encoded(pixels),
        "logit": float(scores[of]),
        "probability": float(probabilities[of]),
        "says": subject.card.labels[int(scores.argmax())],
        "stuck": not pixels.any(),
    }


def _blurred(image: Array) -> Array:
    """The image (H, W) with a part of each pixel in its neighbours, along both axes; at the edge it is lost."""
    for _ in range(2):
        image = image.T
        padded = np.pad(image, ((1, 1), (0, 0)))
        image = (1 - 2 * BLUR) * image + BLUR * (padded[:-2] + padded[2:])
    return image
