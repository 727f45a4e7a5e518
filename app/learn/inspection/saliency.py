"""Saliency: the gradient of the input, contrasts of two labels, occlusion, and drawings that change the answer."""

from typing import Any

import numpy as np

from app.errors import InputError
from app.learn.inspection.encoding import encoded, picture
from app.learn.inspection.pixel_gradient import SIDE, inputs_of, logits_of, pixel_gradient
from app.learn.inspection.subject import InspectedNetwork, activations
from app.nn.arrays import Array
from app.nn.layers.activations import softmax

MOST_FRAMES = 25
MOST_COVERED = 64
"""The most covered drawings in a batch."""
MOST_ACTIVATIONS = 4_000_000
"""The most outputs of all layers for a batch, unless a single drawing has more."""
MOST_CHANGED = 60
"""The most pixels that are turned; a drawing that holds out is told as such."""
PATH_POINTS = 32
"""Drawings on the way from the blank one to the one to explain."""


def input_gradient(subject: InspectedNetwork, label: str | None) -> dict[str, Any]:
    """d(logit of the label)/d(pixel), signed, as JSON; by default for the predicted label.

    Simonyan, Vedaldi and Zisserman 2014, section 3, there without the sign.
    """
    of = subject.label(label)
    logits = logits_of(subject, subject.x)[0]
    gradient = pixel_gradient(subject, np.eye(logits.size)[of : of + 1])
    return {"label": subject.card.labels[of], "logit": float(logits[of]), "picture": picture(gradient)}


def contrast(subject: InspectedNetwork, label: str | None, other: str | None) -> dict[str, Any]:
    """The part of each pixel in logit(label) − logit(other), as JSON: positive ink speaks for `label`.

    These are integrated gradients along the straight path from blank paper: Sundararajan, Taly and Yan 2017, "Axiomatic
    attribution for deep networks", section 3. They sum up to the change of the difference on that path, and are zero
    where there is no ink. By default the predicted label is contrasted with the runner-up. Raises InputError if there
    is no second label, or if both are the same.
    """
    labels = subject.card.labels
    logits = subject.scores(subject.x)[0]
    if len(labels) < 2:
        raise InputError("expected a model of at least two labels; {name} has one", name=subject.card.name)
    of = subject.label(label)
    against = int(np.argsort(np.delete(logits, of))[-1]) if other is None else subject.label(other)
    if other is None and against >= of:
        against += 1
    if against == of:
        raise InputError("expected another label than {label}", field="other", label=repr(labels[of]))
    subject.afford("contrast", 3 * PATH_POINTS)
    factors = np.zeros(len(labels))
    factors[of], factors[against] = 1, -1
    shares = (np.arange(PATH_POINTS) + 0.5) / PATH_POINTS
    gradient = np.zeros((SIDE, SIDE))
    at_once = max(1, MOST_ACTIVATIONS // activations(subject.network))
    for start in range(0, PATH_POINTS, at_once):
        part = shares[start : start + at_once].astype(subject.network.dtype)
        logits_of(subject, subject.x * part.reshape(-1, *[1] * (subject.x.ndim - 1)))
        gradient += pixel_gradient(subject, np.repeat(factors[None], len(part), axis=0))
    calibrated = softmax(logits / subject.card.temperature)
    return {
        "label": labels[of],
        "other": labels[against],
        "probability": float(calibrated[of]),
        "other_probability": float(calibrated[against]),
        "picture": picture(subject.pixels * gradient / PATH_POINTS),
    }


def occlusion(subject: InspectedNetwork, label: str | None, size: int, fill: float) -> dict[str, Any]:
    """The drop of the label's probability with a square of `size` pixels, filled with `fill`, at each position.

    `picture` has the drop for the square with its middle at that pixel (for an even size the one after it); squares
    are cut at the edge. For a large network the square moves by `stride` pixels, and the pixels between have the value
    of the one before. Zeiler and Fergus 2014, section 4.2.
    """
    of = subject.label(label)
    stride = _stride(subject)
    subject.afford("cover", _positions(stride))
    middles = [(row, column) for row in range(0, SIDE, stride) for column in range(0, SIDE, stride)]
    probabilities = np.empty(len(middles))
    value = fill * subject.scale
    shape = subject.x.shape[1:]
    image = subject.x.reshape(SIDE, SIDE)
    at_once = max(1, min(MOST_COVERED, MOST_ACTIVATIONS // activations(subject.network)))
    for start in range(0, len(middles), at_once):
        part = middles[start : start + at_once]
        covered = np.repeat(image[None], len(part), axis=0)
        for drawing, (row, column) in zip(covered, part, strict=True):
            top, left = row - size // 2, column - size // 2
            drawing[max(0, top) : top + size, max(0, left) : left + size] = value
        probabilities[start : start + len(part)] = subject.probabilities(covered.reshape(-1, *shape))[:, of]
    probability = float(subject.probabilities(subject.x)[0, of])
    drops = (probability - probabilities).reshape(len(range(0, SIDE, stride)), -1)
    enlarged = np.repeat(np.repeat(drops, stride, axis=0), stride, axis=1)[:SIDE, :SIDE]
    return {
        "label": subject.card.labels[of],
        "probability": probability,
        "size": size,
        "fill": fill,
        "stride": stride,
        "picture": picture(enlarged),
    }


def toward(subject: InspectedNetwork, label: str, count: int, rate: float) -> dict[str, Any]:
    """Change the drawing by `count` steps down the gradient of −log of the label's probability, as JSON.

    A step has the length `rate` (the norm of the difference of all 784 pixels), and pixels stay between 0 and 1. The
    steps end early, with `stuck`, if the gradient is zero. `frames` have the pixels after each step, float32 in base64.
    """
    of = subject.label(label)
    subject.afford("steps", 3 * count + 1)
    target = np.zeros(len(subject.card.labels))
    target[of] = 1
    x, frames, stuck = subject.x, [], False
    for _ in range(count):
        # d(log p)/d(logits) is t − y, which does not vanish far from the label, unlike the gradient of p
        gradient = pixel_gradient(subject, target - softmax(logits_of(subject, x)))
        length = float(np.linalg.norm(gradient))
        if length == 0:
            stuck = True
            break
        pixels = np.clip(x.reshape(SIDE, SIDE) / subject.scale + rate / length * gradient, 0, 1)
        x = (pixels * subject.scale).reshape(subject.x.shape)
        probabilities = subject.probabilities(x)[0]
        frames.append(
            {
                "pixels": encoded(pixels),
                "probability": float(probabilities[of]),
                "says": subject.card.labels[int(probabilities.argmax())],
                "probabilities": probabilities.tolist(),
            }
        )
    first = subject.probabilities(subject.x)[0]
    return {
        "label": subject.card.labels[of],
        "probability": float(first[of]),
        "says": subject.card.labels[int(first.argmax())],
        "frames": frames,
        "stuck": stuck,
    }


def fewest_pixels(subject: InspectedNetwork) -> dict[str, Any]:
    """Turn pixels, ink to paper or paper to ink, one after another until the network answers otherwise, as JSON.

    Each is the one after which the answer leads the next label by the least: of all, or for a large network of those
    with the steepest gradient. Such a greedy search finds few pixels, not always the fewest. `changes` are the pixels
    in order, with their new value and all probabilities after each; `changed` is false where MOST_CHANGED were too few,
    or where no further one helps.
    Raises InputError for a model of one label, TooLargeError.
    """
    labels = subject.card.labels
    if len(labels) < 2:
        raise InputError("expected a model of at least two labels; {name} has one", name=subject.card.name)
    tried_at_once = max(1, min(SIDE * SIDE, subject.affordable() // MOST_CHANGED))
    subject.afford("pixels", MOST_CHANGED * tried_at_once)
    pixels = subject.pixels.astype(np.float64).ravel()
    scores = subject.scores(subject.x)
    answer = said = int(scores[0].argmax())
    lead = float(_lead(scores, answer)[0])
    changes: list[dict[str, Any]] = []
    untouched = np.ones(pixels.size, bool)
    while said == answer and len(changes) < MOST_CHANGED:
        turned = np.where(pixels > 0.5, 0.0, 1.0)
        places = np.flatnonzero(untouched)
        if tried_at_once < len(places):
            slope = _lead_gradient(subject, pixels, answer).ravel() * (turned - pixels)
            places = places[np.argsort(slope[places], kind="stable")[:tried_at_once]]
        leads = np.empty(len(places))
        for start in range(0, len(places), MOST_COVERED):
            part = places[start : start + MOST_COVERED]
            images = np.repeat(pixels[None], len(part), axis=0)
            images[np.arange(len(part)), part] = turned[part]
            leads[start : start + len(part)] = _lead(subject.scores(inputs_of(subject, images)), answer)
        if not leads.min() < lead:
            break  # as where an activation is flat: no pixel brings the next label nearer
        lead, place = float(leads.min()), int(places[leads.argmin()])
        pixels[place], untouched[place] = turned[place], False
        probabilities = subject.probabilities(inputs_of(subject, pixels[None]))[0]
        said = int(probabilities.argmax())
        changes.append({"pixel": place, "value": float(pixels[place]), "probabilities": probabilities.tolist()})
    return {"label": labels[answer], "says": labels[said], "changed": said != answer, "changes": changes}


def _lead(scores: Array, answer: int) -> Array:
    """The distance of the answer's logit from the next one's, for scores (N, K)."""
    found: Array = scores[:, answer] - np.delete(scores, answer, axis=1).max(axis=1)
    return found


def _lead_gradient(subject: InspectedNetwork, pixels: Array, answer: int) -> Array:
    """d(lead)/d(pixels), float64 (28, 28)."""
    logits = logits_of(subject, inputs_of(subject, pixels[None]))[0]
    factors = np.zeros(len(logits))
    factors[answer] += 1
    factors[int(np.where(np.arange(len(logits)) == answer, -np.inf, logits).argmax())] -= 1
    return pixel_gradient(subject, factors[None])


def _stride(subject: InspectedNetwork) -> int:
    """The smallest stride of the square that the limit of work allows."""
    strides = (1, 2, 3, 4, 7, SIDE)
    return next((stride for stride in strides if _positions(stride) <= subject.affordable()), SIDE)


def _positions(stride: int) -> int:
    return len(range(0, SIDE, stride)) ** 2
