"""A small network that separates digits from outliers, given the features of the main network.

It is trained on digits, and on drawings that are not and that the main network was not trained on (outlier exposure,
Hendrycks et al. 2019). Its inputs for an image are the statistics of the detector, the logits in descending order, the
features before the last layer, and the image at half its resolution; each standardized by its spread among digits.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError
from app.nn import Adam, Cosine, Network, Trainer, TrainingOptions
from app.nn.arrays import Array

FloatRows = NDArray[np.float32]

UNITS = 96
MOST_UNITS = 1024
"""The most units of a stored head."""
EPOCHS = 8
BATCH_SIZE = 256
LEARNING_RATE = 0.002
SEED = 1
FAR = 6.0
"""Inputs are clipped at this many spreads from the middle."""
LARGEST = 1e4
"""The largest number in the arrays."""

PREFIX = "rejection.outlier_"
NAMES = tuple(f"{PREFIX}{name}" for name in ("middle", "spread", "weight", "bias", "weight_out", "bias_out"))


@dataclass(frozen=True, eq=False)
class OutlierHead:
    """The parameters: `middle`, `spread` (F,), `weight` (F, U), `bias` (U,), `weight_out` (U,) and `bias_out` (1,)."""

    middle: FloatRows
    spread: FloatRows
    weight: FloatRows
    bias: FloatRows
    weight_out: FloatRows
    bias_out: FloatRows

    @classmethod
    def of(cls, arrays: Mapping[str, Array], features: int) -> "OutlierHead":
        """The head for `features` features, from the arrays of a model. Raises ValueError if they are invalid."""
        weight = arrays.get(NAMES[2])
        units = weight.shape[1] if weight is not None and weight.ndim == 2 and weight.shape[1] <= MOST_UNITS else UNITS
        shapes = ((features,), (features,), (features, units), (units,), (units,), (1,))
        found = []
        for name, shape in zip(NAMES, shapes, strict=True):
            array = arrays.get(name)
            if array is None:
                raise InputError(
                    "expected {name}, which the card's calibration needs; got none", field="weights", name=name
                )
            if array.shape != shape or array.dtype.kind != "f":
                raise InputError(
                    "expected floats of the shape {shape}; got {dtype} {got}",
                    field=f"weights[{name}]",
                    shape=shape,
                    dtype=array.dtype,
                    got=array.shape,
                )
            if not np.isfinite(array).all() or np.abs(array).max() > LARGEST:
                raise InputError(
                    "expected finite numbers up to {largest}", field=f"weights[{name}]", largest=f"{LARGEST:g}"
                )
            found.append(np.ascontiguousarray(array, np.float32))
        if found[1].min() <= 0:
            raise InputError("expected spreads above 0", field=f"weights[{NAMES[1]}]")
        return cls(*found)

    def arrays(self) -> dict[str, Array]:
        """The arrays by their names among the weights."""
        parts = (self.middle, self.spread, self.weight, self.bias, self.weight_out, self.bias_out)
        return dict(zip(NAMES, parts, strict=True))

    def anomaly_score(self, rows: FloatRows) -> NDArray[np.float64]:
        """The logits (N,) of being an outlier for the features `rows` (N, F)."""
        hidden = _scaled(rows, self.middle, self.spread) @ self.weight
        hidden += self.bias
        np.maximum(hidden, 0, out=hidden)
        logits: NDArray[np.float64] = (hidden @ self.weight_out + self.bias_out).astype(np.float64)
        return logits


def fit_outlier_head(known: FloatRows, others: FloatRows) -> OutlierHead:
    """Train the head on the features (N, F) of digits and of outliers."""
    middle = known.mean(axis=0)
    spread = known.std(axis=0)
    spread += 0.01 * known.std() + 0.001
    rows = _scaled(np.concatenate([known, others]), middle, spread)
    labels = np.repeat(np.array([0, 1], np.uint8), [len(known), len(others)])
    layers = [{"type": "dense", "units": UNITS}, {"type": "relu"}, {"type": "dense", "units": 2}]
    network = Network.from_spec({"layers": layers}, input_shape=(rows.shape[1],))
    network.initialize(SEED)
    trainer = Trainer(
        network,
        rows,
        labels,
        optimizer=Adam(learning_rate=LEARNING_RATE),
        schedule=Cosine(),
        options=TrainingOptions(batch_size=BATCH_SIZE, epochs=EPOCHS, seed=SEED),
    )
    for _ in trainer.run():
        pass
    weights = network.weights()
    # Only the difference of the two logits matters.
    out, bias_out = (weights[name][..., 1:] - weights[name][..., :1] for name in ("2.weight", "2.bias"))
    return OutlierHead(middle, spread, weights["0.weight"].copy(), weights["0.bias"].copy(), out[:, 0], bias_out)


def _scaled(rows: FloatRows, middle: FloatRows, spread: FloatRows) -> FloatRows:
    scaled: FloatRows = (rows - middle) / spread
    return np.clip(scaled, -FAR, FAR, out=scaled)
