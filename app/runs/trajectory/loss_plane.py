"""The loss in a plane of the space of weights, around the paths of several trainings of one network.

The plane is that in which the kept weights vary most: their two principal directions through their mean, as in Li and
others 2018 (Visualizing the Loss Landscape of Neural Nets, section 7). The loss is measured at the points of a grid,
and at the weights themselves, on the same images everywhere.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from app.errors import InputError
from app.models.evaluation_process import NICENESS
from app.nn import LOSSES, Loss, Network, build
from app.nn.arrays import Array
from app.nn.evaluation import evaluate
from app.runs.trajectory.trajectories import Moment, Trajectories, put_vector, vector_of

MARGIN = 0.2
"""The part of the paths' extent that the grid adds on each side."""
PIECE = 65_536
"""Weights processed at a time, in float64."""


@dataclass(frozen=True, eq=False)
class LossPlane:
    """`losses`, float64 (side, side), are those at `x` (columns) and `y` (rows), float64 (side,), or infinite.

    `points`, float64 (M, 2), are the places of the weights in the plane, `measured` (M,) the losses of the weights
    themselves, which lie beside it, and `variance` (2,) the shares of their variance along x and y.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    losses: NDArray[np.float64]
    points: NDArray[np.float64]
    measured: NDArray[np.float64]
    variance: NDArray[np.float64]

    def arrays(self) -> dict[str, Array]:
        """The arrays by name, for a file."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], *, side: int, points: int) -> "LossPlane":
        """The plane in a file. Raises InputError or KeyError if it is another."""
        plane = cls(**{name: arrays[name].astype(np.float64) for name in cls.__dataclass_fields__})
        shapes = [array.shape for array in plane.arrays().values()]
        if shapes != [(side,), (side,), (side, side), (points, 2), (points,), (2,)]:
            raise InputError("expected the arrays of a plane of this size")
        return plane


def principal_plane(vectors: Array) -> tuple[Array, Array, NDArray[np.float64], NDArray[np.float64]]:
    """The plane in which `vectors`, float32 (M, P), vary most.

    Their mean (P,), the two directions of unit length (2, P), the vectors' coordinates (M, 2), and the shares of
    variance (2,). The last vector's coordinates are not negative. A direction without variance is zero.
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    gram = np.zeros((len(vectors), len(vectors)))
    for start in range(0, len(mean), PIECE):
        piece = vectors[:, start : start + PIECE] - mean[start : start + PIECE]
        gram += piece @ piece.T
    values, left = np.linalg.eigh(gram)
    values, left = values[::-1][:2].clip(0), left[:, ::-1][:, :2]
    total = max(float(np.trace(gram)), np.finfo(float).tiny)
    values = np.where(values > 1e-12 * total, values, 0.0)
    left = left * np.where(left[-1] < 0, -1.0, 1.0)
    points = left * np.sqrt(values)
    weights = left / np.sqrt(np.where(values > 0, values, np.inf))
    directions = np.empty((2, len(mean)))
    for start in range(0, len(mean), PIECE):
        piece = vectors[:, start : start + PIECE] - mean[start : start + PIECE]
        directions[:, start : start + PIECE] = weights.T @ piece
    return mean, directions, points, values / total


def measure_plane(
    network: Network, vectors: Array, images: Array, labels: Array, *, loss: Loss, input_scale: float, side: int
) -> LossPlane:
    """Measure the mean loss of `images` on a grid of `side` by `side` points around `vectors`, float32 (M, P).

    The weights of `network` are changed.
    """
    mean, directions, points, shares = principal_plane(vectors)

    def loss_at(vector: Array) -> float:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            _put(network, vector)
            found = evaluate(network, images, labels, loss=loss, input_scale=input_scale).loss
        return found if np.isfinite(found) else np.inf

    def axis(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        low, high = float(coordinates.min()), float(coordinates.max())
        room = MARGIN * ((high - low) or 1.0)
        return np.linspace(low - room, high + room, side)

    x, y = axis(points[:, 0]), axis(points[:, 1])
    losses = np.array([[loss_at(mean + a * directions[0] + b * directions[1]) for a in x] for b in y])
    measured = np.array([loss_at(vector) for vector in vectors])
    return LossPlane(x, y, losses, points, measured, shares)


def _put(network: Network, vector: Array) -> None:
    put_vector(network, vector)
    for name, array in network.weights().items():
        if name.endswith("running_variance"):  # which may be negative between and beyond the weights of trainings
            np.maximum(array, 0, out=array)


def question_of(
    trajectories: Trajectories,
    runs: Sequence[tuple[int, Sequence[Moment]]],
    network: Network,
    images: Array,
    labels: Array,
    *,
    loss: Loss,
    input_scale: float,
    side: int,
) -> tuple[bytes, ...]:
    """The input of `main`: a line of JSON, the images, uint8 (N, 28, 28), and their labels."""
    head: dict[str, Any] = {
        "home": str(trajectories.home),
        "log": trajectories.log,
        "runs": [[run, [[one.epoch, one.batch, one.batches] for one in moments]] for run, moments in runs],
        "network": network.spec(),
        "dtype": str(network.dtype),
        "loss": loss.spec(),
        "input_scale": input_scale,
        "side": side,
        "images": images.shape,
    }
    return json.dumps(head).encode(), b"\n", images.tobytes(), labels.astype(np.int64).tobytes()


def main() -> None:
    """Measure the plane that standard input asks for, and write it to standard output, as safetensors."""
    os.nice(NICENESS)
    source = sys.stdin.buffer
    head = json.loads(source.readline())
    shape = head["images"]
    images = np.frombuffer(source.read(int(np.prod(shape))), np.uint8).reshape(shape)
    labels = np.frombuffer(source.read(), np.int64)
    network = Network.from_spec(head["network"], dtype=head["dtype"])
    trajectories, numbers = Trajectories(Path(head["home"]), head["log"]), vector_of(network).size
    vectors = np.stack(
        [trajectories.vector(run, Moment(*moment), numbers) for run, moments in head["runs"] for moment in moments]
    )
    loss = build("loss", LOSSES, head["loss"])
    plane = measure_plane(
        network, vectors, images, labels, loss=loss, input_scale=head["input_scale"], side=head["side"]
    )
    sys.stdout.buffer.write(save({name: np.ascontiguousarray(array) for name, array in plane.arrays().items()}))
