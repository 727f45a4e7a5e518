"""Curves of activations and losses, and a signal's propagation through many layers."""

from typing import Any

import numpy as np

from app.learn.inspection.derivative import derivative
from app.nn.arrays import Array
from app.nn.initializers import INITIALIZERS
from app.nn.layers.activations import ACTIVATIONS, Activation, Identity, Softmax, Step
from app.nn.layers.core import Dense
from app.nn.losses import LOSSES, CrossEntropy
from app.nn.network import Network
from app.nn.spec import build

REACH = 6.0
"""The range of activations is −6 to 6."""
POINTS = 241
BINS = 30
SAMPLES = 200
"""The number of random inputs."""
DEPTHS = (1, 20)
WIDTHS = (10, 200)
SEED = 1


def numbers(values: Array) -> list[float]:
    """The values rounded to six digits, enough for a chart."""
    return [float(f"{value:.6g}") for value in values.tolist()]


def activation_curves() -> dict[str, Any]:
    """Each activation of the engine at `x`, and its derivative.

    For softmax, which needs several numbers, it is the first output for x and 0.
    """
    x = np.linspace(-REACH, REACH, POINTS)
    inputs, ones = np.stack([x, np.zeros(POINTS)], axis=1), np.tile([1.0, 0.0], (POINTS, 1))
    curves = []
    for name in ACTIVATIONS:
        layer = build("activation", ACTIVATIONS, name)
        layer.build((2,), "float64")
        y = layer.forward(inputs.copy(), training=True)[:, 0].copy()
        slope = derivative(layer, ones)[:, 0].copy()
        curves.append({"type": name, "y": numbers(y), "slope": numbers(slope)})
    return {"x": numbers(x), "activations": curves}


def loss_curves() -> dict[str, Any]:
    """Each loss of the engine as a function of the true label's probability p, for two outputs p and 1 − p.

    `slope` is the gradient at the true label's logit: p and 1 − p are the softmax of two logits, which cross-entropy
    contains, and through which the gradient of the squared error is backpropagated.
    """
    p = np.linspace(0.005, 0.995, 199)
    logits = np.log(np.stack([p, 1 - p], axis=1))
    truth = np.zeros(1, np.int64)
    curves = []
    for name in LOSSES:
        loss = build("loss", LOSSES, name)
        last = Identity() if isinstance(loss, CrossEntropy) else Softmax()
        last.build((2,), "float64")
        values, slopes = np.empty(len(p)), np.empty(len(p))
        for row in range(len(p)):
            outputs = last.forward(logits[row : row + 1], training=True)
            value, gradient = loss.value_and_gradient(outputs, truth)
            values[row], slopes[row] = value, last.backward(gradient)[0, 0]
        curves.append({"type": name, "y": numbers(values), "slope": numbers(slopes)})
    return {"x": numbers(p), "losses": curves}


def depth_choices() -> dict[str, list[str]]:
    """The choices of `signal`."""
    return {"activations": [name for name in ACTIVATIONS if name != Softmax.type], "initializers": list(INITIALIZERS)}


def signal(activation: str, initializer: str, depth: int, width: int, std: float) -> dict[str, Any]:
    """The propagation of random inputs, N(0, 1), through `depth` dense layers of `width` units, and of a random
    gradient, N(0, 1), back.

    `std` is the spread of the initializer "normal". Each layer has the mean, the spread and a histogram of its
    activation's outputs, the activation's mean slope, and the spread of the gradients of outputs and weights.
    `straight_through` means that the activation passes the gradient unchanged.
    """
    first: dict[str, Any] = {"type": initializer, **({"std": std} if initializer == "normal" else {})}
    layers = [{"type": "dense", "units": width, "initializer": first}, {"type": activation}] * depth
    network = Network.from_spec({"layers": layers}, input_shape=(width,), dtype="float64")
    network.initialize(SEED)
    rng = np.random.default_rng(SEED)
    x = rng.standard_normal((SAMPLES, width))
    outputs = []
    for layer in network.layers:
        x = layer.forward(x, training=True)
        if not isinstance(layer, Dense):
            outputs.append(x)
    gradient = rng.standard_normal(x.shape) / SAMPLES
    found: list[dict[str, Any]] = []
    for index in reversed(range(depth)):
        dense, active = network.layers[2 * index], network.layers[2 * index + 1]
        assert isinstance(active, Activation)
        spread = float(gradient.std())
        slope = float(derivative(active, np.ones_like(gradient)).mean())
        gradient = dense.backward(active.backward(gradient))
        found.append(
            {
                "layer": index + 1,
                **_histogram(outputs[index]),
                "slope": slope,
                "gradient": spread,
                "weight_gradient": float(dense.grads["weight"].std()),
            }
        )
    return {"samples": SAMPLES, "straight_through": activation == Step.type, "layers": found[::-1]}


def _histogram(values: Array) -> dict[str, Any]:
    low, high = float(values.min()), float(values.max())
    if not high > low:
        low, high = low - 0.5, high + 0.5
    counts, _ = np.histogram(values, BINS, (low, high))
    mean, spread = float(values.mean()), float(values.std())
    return {"low": low, "high": high, "counts": counts.tolist(), "mean": mean, "spread": spread}


def neuron(inputs: tuple[float, float], weights: tuple[float, float], bias: float, activation: str) -> dict[str, Any]:
    """One unit with two inputs, step by step: the products, their sum with the bias, and the activation's output."""
    network = Network.from_spec(
        {"layers": [{"type": "dense", "units": 1}, {"type": activation}]}, input_shape=(2,), dtype="float64"
    )
    dense, active = network.layers
    dense.params["weight"][:, 0] = weights
    dense.params["bias"][0] = bias
    x = np.array([inputs])
    total = dense.forward(x, training=False)
    output = active.forward(total, training=False)
    return {
        "products": (x[0] * dense.params["weight"][:, 0]).tolist(),
        "sum": float(total[0, 0]),
        "output": float(output[0, 0]),
    }
