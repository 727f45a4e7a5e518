"""Gradient check: backpropagation compared with numerical differentiation."""

import time
from dataclasses import dataclass

import numpy as np

from app.nn.arrays import Array
from app.nn.errors import SpecError
from app.nn.evaluation import check_loss, check_samples
from app.nn.losses import CrossEntropy, Loss
from app.nn.network import Network

STEP = 1e-5
"""h of the central difference (f(w + h) − f(w − h))/2h: near the cube root of float64's precision."""
FLOOR = 1e-4
"""The smallest scale of a relative error: a loss of about 1 has a precision of 1e-16, so the difference has one of
1e-11, which would look large compared with a gradient of zero."""

OFFSET = 0.01
"""Standard deviation of the noise added to biases for the check. With zero biases, as initially, every blank part of
an image is exactly on ReLU's kink, which has no derivative."""


@dataclass(frozen=True)
class GradientError:
    """The difference between the two gradients of one parameter array.

    `relative_error` is the largest |numerical − backpropagated| / max(FLOOR, |numerical| + |backpropagated|) of the
    `checked` numbers, of `size` in the array. `type` is the type of layer number `layer`.
    """

    layer: int
    type: str
    parameter: str
    relative_error: float
    checked: int
    size: int


@dataclass(frozen=True)
class GradientCheck:
    """One row per parameter array, and the time of each method: the numerical one for the checked numbers only."""

    rows: tuple[GradientError, ...]
    numerical_seconds: float
    backpropagation_seconds: float

    @property
    def relative_error(self) -> float:
        """The largest relative error of all rows."""
        return max((row.relative_error for row in self.rows), default=0.0)

    def table(self) -> str:
        """The rows as a text table, followed by both times."""
        checked, size = (sum(getattr(row, name) for row in self.rows) for name in ("checked", "size"))
        cells = [("layer", "parameter", "checked", "largest relative error")] + [
            (f"{row.layer} {row.type}", row.parameter, f"{row.checked:,} of {row.size:,}", f"{row.relative_error:.1e}")
            for row in self.rows
        ]
        widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
        ]
        numerical = f"numerical differentiation  {_duration(self.numerical_seconds)} for {checked:,} parameters"
        if checked < size:
            numerical += f", at that rate {_duration(self.numerical_seconds * size / checked)} for all {size:,}"
        backpropagation = f"backpropagation            {_duration(self.backpropagation_seconds)} for all {size:,}"
        return "\n".join([*lines, "", numerical, backpropagation])


def gradient_check(
    network: Network, x: Array, t: Array, *, loss: Loss | None = None, seed: int = 0, sample: int | None = None
) -> GradientCheck:
    """Compare both gradients for the parameters of a float64 network; `x` and `t` are as for `Trainer`.

    In every parameter array `sample` random numbers are checked, or all. Layers with randomness get the same generator
    at each evaluation; biases get a little noise (see OFFSET). The network is restored afterwards. Raises ValueError
    for another dtype, and if `x` and `t` do not fit.
    """
    if network.dtype != np.float64:
        raise SpecError(
            "expected float64, as differences vanish in float32; got {dtype}", field="network", dtype=network.dtype
        )
    if sample is not None and sample < 1:
        raise SpecError("expected a whole number ≥ 1; got {sample}", field="sample", sample=sample)
    loss = loss or CrossEntropy()
    check_loss(network, loss)
    x, t = check_samples(network, x, t, "gradient check")
    rng, params = np.random.default_rng(seed), network.params.copy()
    network.params[network.decayed :] += OFFSET * rng.standard_normal(params.size - network.decayed)
    states = [{name: array.copy() for name, array in layer.state.items()} for layer in network.layers]

    def value() -> tuple[float, Array]:
        network.begin_epoch(np.random.default_rng(seed))
        assert loss is not None
        return loss.value_and_gradient(network.forward(x, training=True), t)

    try:
        started = time.perf_counter()
        network.backward(value()[1])
        backpropagation_seconds = time.perf_counter() - started
        rows = []
        started = time.perf_counter()
        for index, layer in enumerate(network.layers):
            for name, parameter in layer.params.items():
                # both are views of the network's vectors, in which they are contiguous
                values, exact = parameter.reshape(-1), layer.grads[name].reshape(-1).copy()
                indices = np.arange(values.size)
                if sample is not None and sample < values.size:
                    indices = rng.choice(values.size, sample, replace=False)
                numerical = np.empty(len(indices))
                for row, index_in_array in enumerate(indices):
                    original = values[index_in_array]
                    values[index_in_array] = original + STEP
                    above = value()[0]
                    values[index_in_array] = original - STEP
                    below = value()[0]
                    values[index_in_array] = original
                    numerical[row] = (above - below) / (2 * STEP)
                exact = exact[indices]
                scale = np.maximum(FLOOR, np.abs(numerical) + np.abs(exact))
                error = float((np.abs(numerical - exact) / scale).max())
                rows.append(GradientError(index, layer.type, name, error, len(indices), values.size))
        numerical_seconds = time.perf_counter() - started
    finally:
        network.params[:] = params
        for layer, state in zip(network.layers, states, strict=True):
            for name, array in state.items():
                layer.state[name][...] = array
    return GradientCheck(tuple(rows), numerical_seconds, backpropagation_seconds)


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.2f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"
