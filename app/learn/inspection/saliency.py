"""Where a network looks: the input's gradient, what a cover takes away, and which ink would make it another label."""

from typing import Any

import numpy as np

from app.learn.inspection.encoding import encoded, picture
from app.learn.inspection.subject import Subject, activations, finite
from app.nn.arrays import Array
from app.nn.layers.activations import softmax

SIDE = 28
MOST_FRAMES = 25
MOST_COVERED = 64
"""Covered drawings that go through the network at a time at most."""
MOST_ACTIVATIONS = 4_000_000
"""Outputs of all layers together that so many drawings may come to, unless one drawing alone has more."""


def input_gradient(subject: Subject, label: str | None) -> dict[str, Any]:
    """d(logit of the label)/d(pixel), signed, as JSON; of the label that the network says where none is given.

    Simonyan, Vedaldi and Zisserman 2014, section 3, there without the sign.
    """
    of = subject.label(label)
    logits = _logits(subject, subject.x)
    gradient = _pixel_gradient(subject, np.eye(logits.size)[of])
    return {"label": subject.card.labels[of], "logit": float(logits[of]), "picture": picture(gradient)}


def occlusion(subject: Subject, label: str | None, size: int, fill: float) -> dict[str, Any]:
    """How much less probable the label is with a square of `size` pixels, painted with `fill`, over each place.

    `picture` has the drop for the square whose middle is at that pixel (of an even size the one after it); squares
    that reach over the edge are cut off. Where the network is large the square moves by `stride` pixels, and the
    pixels between have the value of the one before. Zeiler and Fergus 2014, section 4.2.
    """
    of = subject.label(label)
    stride = _stride(subject)
    subject.afford("cover", _places(stride))
    middles = [(row, column) for row in range(0, SIDE, stride) for column in range(0, SIDE, stride)]
    said = np.empty(len(middles))
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
        said[start : start + len(part)] = subject.probabilities(covered.reshape(-1, *shape))[:, of]
    probability = float(subject.probabilities(subject.x)[0, of])
    drops = (probability - said).reshape(len(range(0, SIDE, stride)), -1)
    whole = np.repeat(np.repeat(drops, stride, axis=0), stride, axis=1)[:SIDE, :SIDE]
    return {
        "label": subject.card.labels[of],
        "probability": probability,
        "size": size,
        "fill": fill,
        "stride": stride,
        "picture": picture(whole),
    }


def toward(subject: Subject, label: str, count: int, rate: float) -> dict[str, Any]:
    """Change the drawing, not the network: `count` steps down the gradient of −log of the label's probability, as JSON.

    A step goes `rate` far (the length of the difference of all 784 pixels), and pixels stay between 0 and 1. The steps
    end early where the gradient is zero, `stuck`. `frames` have the pixels after each step, float32 in base64.
    """
    of = subject.label(label)
    subject.afford("steps", 3 * count + 1)
    target = np.zeros(len(subject.card.labels))
    target[of] = 1
    x, frames, stuck = subject.x, [], False
    for _ in range(count):
        # d(log p)/d(logits) is t − y: far from the label too it does not vanish, as the probability's own would
        gradient = _pixel_gradient(subject, target - softmax(_logits(subject, x)))
        length = float(np.linalg.norm(gradient))
        if length == 0:
            stuck = True
            break
        pixels = np.clip(x.reshape(SIDE, SIDE) / subject.scale + rate / length * gradient, 0, 1)
        x = (pixels * subject.scale).reshape(subject.x.shape)
        said = subject.probabilities(x)[0]
        frames.append(
            {
                "pixels": encoded(pixels),
                "probability": float(said[of]),
                "says": subject.card.labels[int(said.argmax())],
                "probabilities": said.tolist(),
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


def _logits(subject: Subject, x: Array) -> Array:
    """The logits (K,) of one input; each layer is ready for the way back."""
    for layer in subject.network.layers[: subject.body]:
        x = layer.forward(x, training=True)
    logits: Array = finite(subject.card, x)[0].astype(np.float64).ravel()
    return logits


def _pixel_gradient(subject: Subject, factors: Array) -> Array:
    """d(Σ factors·logits)/d(pixels), float64 (28, 28), at the input that `_logits` was asked for last."""
    grad = factors[None].astype(subject.network.dtype)
    for layer in reversed(subject.network.layers[: subject.body]):
        grad = layer.backward(grad)
    gradient: Array = finite(subject.card, grad).astype(np.float64).reshape(SIDE, SIDE) * subject.scale
    return gradient


def _stride(subject: Subject) -> int:
    """How far the cover moves: as little as the work that one answer may be lets it."""
    strides = (1, 2, 3, 4, 7, SIDE)
    return next((stride for stride in strides if _places(stride) <= subject.affordable()), SIDE)


def _places(stride: int) -> int:
    return len(range(0, SIDE, stride)) ** 2
