"""How good a network is on a set, and whether arrays are fit for it."""

from dataclasses import dataclass

import numpy as np

from app.nn.activations import Softmax
from app.nn.arrays import Array
from app.nn.losses import CrossEntropy, Loss
from app.nn.network import Network

EVALUATION_BATCH = 1000


@dataclass(frozen=True)
class Evaluation:
    """Mean loss, and the share of samples whose largest output is the label (None where targets are values)."""

    loss: float
    accuracy: float | None


def evaluate(network: Network, x: Array, t: Array, *, loss: Loss, input_scale: float = 1.0) -> Evaluation:
    """Mean loss and accuracy of `network` on `x` (N, *input_shape) and `t`, as `Trainer` takes them."""
    x, t = check_samples(network, x, t, "evaluation")
    total, correct = 0.0, 0
    inputs = np.empty((min(EVALUATION_BATCH, len(x)), *network.input_shape), network.dtype)
    for start in range(0, len(x), EVALUATION_BATCH):
        raw, targets = x[start : start + EVALUATION_BATCH], t[start : start + EVALUATION_BATCH]
        outputs = network.forward(divide(raw, input_scale, inputs[: len(raw)]), training=False)
        total += loss.total(outputs, targets)
        if t.ndim == 1:
            correct += int(np.count_nonzero(outputs.argmax(axis=1) == targets))
    return Evaluation(total / len(x), correct / len(x) if t.ndim == 1 else None)


def check_loss(network: Network, loss: Loss) -> None:
    """Raise ValueError where `loss` is not one for the outputs of `network`."""
    if isinstance(loss, CrossEntropy) and isinstance(network.layers[-1], Softmax):
        raise ValueError("loss: cross_entropy takes logits and contains the softmax; leave out the last layer, softmax")


def check_samples(network: Network, x: Array, t: Array, name: str) -> tuple[Array, Array]:
    """Return x with the shape (N, *input_shape) and t, values (N,) of one output as (N, 1).

    Raises ValueError where they do not fit the network.
    """
    if not isinstance(x, np.ndarray) or not isinstance(t, np.ndarray) or x.ndim == 0 or t.ndim == 0:
        raise ValueError(f"{name}: expected arrays of inputs and targets; got {type(x).__name__}, {type(t).__name__}")
    if len(network.output_shape) != 1:
        shape = " × ".join(map(str, network.output_shape))
        raise ValueError(f"network.layers: expected outputs along one axis; got {shape}; add a flatten or dense layer")
    if len(x) == 0:
        raise ValueError(f"{name} inputs: expected at least one sample; got none")
    if x.dtype.kind not in "fiu":
        raise ValueError(f"{name} inputs: expected real numbers; got {x.dtype}")
    if int(np.prod(x.shape[1:])) != int(np.prod(network.input_shape)):
        raise ValueError(f"{name} inputs: expected the shape (N, {network.input_shape}); got {x.shape}")
    if len(t) != len(x):
        raise ValueError(f"{name} targets: expected {len(x)}, one a sample; got {len(t)}")
    outputs = int(np.prod(network.output_shape))
    if t.ndim == 1 and t.dtype.kind in "iu":
        if int(t.min()) < 0 or int(t.max()) >= outputs:
            raise ValueError(
                f"{name} targets: expected labels from 0 to {outputs - 1}, one for each of the network's "
                f"{outputs} outputs; got {int(t.min())} to {int(t.max())}"
            )
        return x.reshape(len(x), *network.input_shape), t
    if t.dtype.kind == "f" and (t.shape == (len(x), outputs) or (t.ndim == 1 and outputs == 1)):
        return x.reshape(len(x), *network.input_shape), t.reshape(len(x), outputs).astype(network.dtype, copy=False)
    raise ValueError(f"{name} targets: expected integer labels (N,) or values (N, {outputs}); got {t.dtype} {t.shape}")


def divide(raw: Array, scale: float, out: Array) -> Array:
    """Write raw / scale into `out`, which has raw's number of elements, and return it."""
    np.copyto(out, raw.reshape(out.shape))
    if scale != 1:
        out /= out.dtype.type(scale)
    return out
