"""The first layer's weights as images, from a run's model or its latest checkpoint."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from app.errors import MessageError
from app.models import DamagedModelError, ModelCard, ModelStore, UnknownModelError
from app.models.store import WEIGHTS
from app.nn.arrays import Array, Shape
from app.nn.statistics import first_patterns, patterns
from app.runs.config.run_config import parse_config
from app.runs.log.event_log import EventLog
from app.runs.training.checkpoints import CheckpointError, Checkpoints

ATTEMPTS = 5
"""A checkpoint may be replaced before it is read."""


class NoPatternsError(MessageError):
    """The first layer of the run's network is not applied to pixels."""

    code = "no_patterns"


class NothingYetError(MessageError):
    """The run has no weights yet."""

    code = "nothing_yet"


@dataclass(frozen=True, eq=False)
class FirstLayer:
    """The weights as `patterns`, float64 (units, H, W), after `epoch`; None if unknown."""

    epoch: int | None
    type: str
    shape: Shape
    patterns: NDArray[np.float64]


def first_layer(log: EventLog, checkpoints: Checkpoints, store: ModelStore, run: int) -> FirstLayer:
    """The present first layer of a run. Raises UnknownRunError, NoPatternsError and NothingYetError."""
    row = log.run(run)
    network = parse_config(row["config"]).build_network()
    found = first_patterns(network)
    if found is None:
        raise NoPatternsError("the first layer of run {run} does not see the pixels of the image", run=run)
    name, shape = found
    kind = network.layers[int(name.partition(".")[0])].type
    epoch, weights = _weights(log, checkpoints, store, row, name)
    return FirstLayer(epoch, kind, shape, patterns(weights, shape).astype(np.float64))


def _weights(
    log: EventLog, checkpoints: Checkpoints, store: ModelStore, row: dict[str, Any], name: str
) -> tuple[int | None, Array]:
    run = row["id"]
    if row["model"] is not None:
        try:
            card = store.get(row["model"])
            with safe_open(store.path(card.name, WEIGHTS), framework="numpy") as file:
                return _epoch(row, card), file.get_tensor(name)
        except (UnknownModelError, DamagedModelError, OSError, SafetensorError):
            pass  # removed in the meantime; there may still be a checkpoint
    for _ in range(ATTEMPTS):
        if row["checkpoint"] is None:
            break
        try:
            return checkpoints.peek(row["checkpoint"], f"network.{name}")
        except CheckpointError:
            row = log.run(run)
    raise NothingYetError("run {run} has no weights to show", run=run)


def _epoch(row: dict[str, Any], card: ModelCard) -> int | None:
    """The epoch of a run's model: the best one if the run had patience or was cancelled, otherwise the last."""
    if "epoch" in card.metrics:
        return int(card.metrics["epoch"])
    last: int | None = (row["metrics"] or {}).get("epoch")
    return row["best_epoch"] or last if row["config"].get("patience") else last
