"""Logic gates: those that a perceptron can learn, and those that need two layers."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from app.nn.losses import CrossEntropy, SquaredError
from app.nn.network import Network
from app.nn.optimizers import SGD

INPUTS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
GATES: Mapping[str, tuple[int, int, int, int]] = {
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, 1),
    "nand": (1, 1, 1, 0),
    "xor": (0, 1, 1, 0),
}
"""The outputs, in the order of INPUTS."""

MOST_EPOCHS = 200
"""The most epochs for linearly separable gates."""
NOT_SEPARABLE: Mapping[str, int] = {"xor": 25}
"""Gates that are not linearly separable, and the number of epochs to try."""
MOST_UNITS = 8
FRAMES = 60
"""The number of frames of the two-layer network's training."""
EPOCHS = 1200
SIDE = 25
"""Points along each side of the picture of the network's outputs."""
PLANE = (-0.5, 1.5)


def perceptron(gate: str, rate: float, seed: int) -> dict[str, Any]:
    """The perceptron's training, step by step, with one input at a time, until an epoch has no error.

    It is a dense layer of one unit and the step function, trained by SGD with squared error, whose gradient is y − t:
    Rosenblatt's rule. `settled` is false if the epochs were not enough: always if the gate is not `separable`, and
    otherwise only with a rate far smaller than the initial weights.
    """
    spec = {"layers": [{"type": "dense", "units": 1}, {"type": "step"}]}
    network = Network.from_spec(spec, input_shape=(2,), dtype="float64")
    network.initialize(seed)
    weight, bias = network.weights()["0.weight"], network.weights()["0.bias"]
    loss, optimizer = SquaredError(), SGD(rate)
    steps: list[dict[str, Any]] = []
    settled = False
    for epoch in range(1, NOT_SEPARABLE.get(gate, MOST_EPOCHS) + 1):
        wrong = 0
        for x, t in zip(INPUTS, GATES[gate], strict=True):
            inputs, target = np.array([x]), np.array([[float(t)]])
            before = {"weights": weight[:, 0].tolist(), "bias": float(bias[0])}
            total = float(network.layers[0].forward(inputs, training=False)[0, 0])
            outputs = network.forward(inputs, training=True)
            y = float(outputs[0, 0])
            network.backward(loss.value_and_gradient(outputs, target)[1])
            optimizer.step(network.params, network.grads)
            wrong += y != t
            steps.append(
                {
                    "epoch": epoch,
                    "x": x,
                    "t": t,
                    "sum": total,
                    "y": y,
                    "before": before,
                    "weights": weight[:, 0].tolist(),
                    "bias": float(bias[0]),
                }
            )
        if wrong == 0:
            settled = True
            break
    return {
        "inputs": INPUTS,
        "targets": GATES[gate],
        "separable": gate not in NOT_SEPARABLE,
        "steps": steps,
        "settled": settled,
        "epochs": steps[-1]["epoch"],
    }


def two_layers(gate: str, units: int, activation: str, rate: float, seed: int) -> dict[str, Any]:
    """The training of a network with one hidden layer: its output at each point of the plane, epoch by epoch.

    The four inputs are one batch. `plane` is the probability of 1 as bytes (255 is 1) in base64, row by row from the
    lowest x₂.
    """
    layers = [{"type": "dense", "units": units}, {"type": activation}, {"type": "dense", "units": 2}]
    network = Network.from_spec({"layers": layers}, input_shape=(2,), dtype="float64")
    network.initialize(seed)
    return {
        "inputs": INPUTS,
        "targets": GATES[gate],
        "range": PLANE,
        "side": SIDE,
        "epochs": EPOCHS,
        "parameters": len(network.params),
        "frames": list(_frames(network, GATES[gate], SGD(rate))),
    }


def _frames(network: Network, targets: tuple[int, ...], optimizer: SGD) -> Iterator[dict[str, Any]]:
    x, t = np.array(INPUTS), np.array(targets)
    loss = CrossEntropy()
    line = np.linspace(*PLANE, SIDE)
    plane = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    # denser at first, where most changes happen
    epochs = {round(EPOCHS * (frame / FRAMES) ** 2) for frame in range(FRAMES + 1)}
    for epoch in range(EPOCHS + 1):
        outputs = network.forward(x, training=True)
        value, gradient = loss.value_and_gradient(outputs, t)
        if epoch in epochs:
            yield {
                "epoch": epoch,
                "loss": value,
                "outputs": network.probabilities(x)[:, 1].tolist(),
                "plane": b64encode(np.rint(network.probabilities(plane)[:, 1] * 255).astype(np.uint8)).decode("ascii"),
            }
        network.backward(gradient)
        optimizer.step(network.params, network.grads)
