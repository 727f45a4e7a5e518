"""Monitoring of a network during training: its layers, sample digits, and the user's drawings."""

import math
from typing import Any

from app.data import Dataset
from app.data.dataset import sample_per_label
from app.data.drawings.rendered import RenderedDrawings
from app.nn import LayerStatistics, Network, Trainer
from app.nn.arrays import Array


class TrainingMonitor:
    """Inspects the network of `trainer` after an epoch, without an effect on the training."""

    def __init__(self, trainer: Trainer, dataset: Dataset, yours: RenderedDrawings | None) -> None:
        self._trainer = trainer
        self._yours = yours if yours is not None and len(yours) else None
        self._sheet = sample_inputs(dataset, trainer.network, trainer.options.input_scale)

    def look(self) -> dict[str, Any]:
        """The additional data of an `epoch` event, as JSON."""
        data: dict[str, Any] = {"layers": [layer_json(layer) for layer in self._trainer.statistics()]}
        if len(self._sheet):
            data["sheet"] = predict_samples(self._trainer.network, self._sheet)
        if self._yours is not None:
            found = self._trainer.evaluate(self._yours.images, self._yours.labels)
            data["yours"] = {"accuracy": found.accuracy, "loss": _finite(found.loss), "count": len(self._yours)}
        return data


def sample_inputs(dataset: Dataset, network: Network, input_scale: float) -> Array:
    """The same few test images of each label as inputs of the network, (N, *input_shape)."""
    images = dataset.test.images[sample_per_label(dataset.test.labels, len(dataset.labels))]
    inputs: Array = (images.astype(network.dtype) / network.dtype.type(input_scale)).reshape(-1, *network.input_shape)
    return inputs


def predict_samples(network: Network, inputs: Array) -> dict[str, list[Any]]:
    """The answers to these images, as indices of labels, and their probabilities, as JSON."""
    probabilities = network.probabilities(inputs)
    labels, largest = probabilities.argmax(axis=1), probabilities.max(axis=1)
    return {"said": labels.tolist(), "probability": [_finite(round(value, 4)) for value in largest.tolist()]}


def layer_json(layer: LayerStatistics) -> dict[str, Any]:
    """The statistics of a layer as JSON, for the log of a run."""
    return {
        "name": layer.name,
        "gradient_norm": None if layer.gradient_norm is None else _short(layer.gradient_norm),
        "weight_norm": _short(layer.weight_norm),
        "histogram": {"from": _short(layer.low), "to": _short(layer.high), "counts": list(layer.counts)},
    }


def _short(value: float) -> float | None:
    """`value` to six digits, enough for a chart, as readers load the events of all epochs."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _finite(value: float) -> float | None:
    """None for a number that JSON does not support."""
    return value if math.isfinite(value) else None
