"""What one sees of a network while it learns: its layers, one sheet of digits, and the user's own drawings."""

import math
from typing import Any

import numpy as np

from app.data import Dataset
from app.data.dataset import sheet_indexes
from app.data.drawings.rendered import Yours
from app.nn import LayerStatistics, Trainer


class Watch:
    """Looks at the network of `trainer` after an epoch. It changes nothing of the training."""

    def __init__(self, trainer: Trainer, dataset: Dataset, yours: Yours | None) -> None:
        self._trainer = trainer
        self._yours = yours if yours is not None and len(yours) else None
        images = dataset.test.images[sheet_indexes(dataset.test.labels, len(dataset.labels))]
        network, scale = trainer.network, trainer.options.input_scale
        self._sheet = (images.astype(network.dtype) / network.dtype.type(scale)).reshape(-1, *network.input_shape)

    def look(self) -> dict[str, Any]:
        """What an `epoch` event has of it, as JSON."""
        seen: dict[str, Any] = {"layers": [_told(layer) for layer in self._trainer.statistics()]}
        if len(self._sheet):
            seen["sheet"] = self._read_sheet()
        if self._yours is not None:
            found = self._trainer.evaluate(self._yours.images, self._yours.labels)
            seen["yours"] = {"accuracy": found.accuracy, "loss": _finite(found.loss), "count": len(self._yours)}
        return seen

    def _read_sheet(self) -> dict[str, list[Any]]:
        probabilities = self._trainer.network.probabilities(self._sheet)
        said = probabilities.argmax(axis=1)
        sure = probabilities[np.arange(len(said)), said]
        return {"said": said.tolist(), "probability": [_finite(round(value, 4)) for value in sure.tolist()]}


def _told(layer: LayerStatistics) -> dict[str, Any]:
    return {
        "name": layer.name,
        "gradient_norm": None if layer.gradient_norm is None else _short(layer.gradient_norm),
        "weight_norm": _short(layer.weight_norm),
        "histogram": {"from": _short(layer.low), "to": _short(layer.high), "counts": list(layer.counts)},
    }


def _short(value: float) -> float | None:
    """`value` to six digits, as many as a picture shows: there is one event an epoch, and readers load them all."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _finite(value: float) -> float | None:
    """None for a number that JSON cannot hold."""
    return value if math.isfinite(value) else None
