"""How good a network is that gives values, not labels."""

from dataclasses import dataclass

import numpy as np

from app.nn.arrays import Array
from app.nn.evaluation import EVALUATION_BATCH, check_samples, divide
from app.nn.network import Network


@dataclass(frozen=True)
class Fit:
    """`r2`, the coefficient of determination: 1 is perfect, 0 as good as the targets' mean; the mean over the outputs.

    `mean_absolute_error` and `root_mean_squared_error` are over all values, in the targets' unit.
    """

    r2: float
    mean_absolute_error: float
    root_mean_squared_error: float


def predict(network: Network, x: Array, *, input_scale: float = 1.0) -> Array:
    """The network's outputs (N, *output_shape) for `x` (N, *input_shape) of any real dtype, batch by batch.

    `input_scale` divides the inputs, as in training. Raises ValueError where `x` does not fit the network.
    """
    if not isinstance(x, np.ndarray) or x.ndim == 0 or x.dtype.kind not in "fiu":
        came = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise ValueError(f"inputs: expected an array of real numbers; got {came}")
    if int(np.prod(x.shape[1:])) != int(np.prod(network.input_shape)):
        raise ValueError(f"inputs: expected the shape (N, {network.input_shape}); got {x.shape}")
    outputs = np.empty((len(x), *network.output_shape), network.dtype)
    inputs = np.empty((min(EVALUATION_BATCH, len(x)), *network.input_shape), network.dtype)
    for start in range(0, len(x), EVALUATION_BATCH):
        raw = x[start : start + EVALUATION_BATCH]
        outputs[start : start + len(raw)] = network.forward(
            divide(raw, input_scale, inputs[: len(raw)]), training=False
        )
    return outputs


def measure_fit(network: Network, x: Array, t: Array, *, input_scale: float = 1.0) -> Fit:
    """How near the outputs for `x` (N, *input_shape) are to the values `t` (N, K), or (N,) of a single output.

    Of targets that are all the same R² is 1 where each is met, else 0. Raises ValueError where `x` and `t` do not fit
    the network, or `t` are labels.
    """
    x, t = check_samples(network, x, t, "evaluation")
    if t.ndim == 1:
        raise ValueError("evaluation targets: expected values, floats; got labels")
    targets = t.astype(np.float64)
    misses = targets - predict(network, x, input_scale=input_scale)
    left = (misses**2).sum(axis=0)
    all_of_it = ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    shares = np.divide(left, all_of_it, out=(left > 0).astype(np.float64), where=all_of_it > 0)
    return Fit(float(1 - shares.mean()), float(np.abs(misses).mean()), float(np.sqrt((misses**2).mean())))
