"""The training loss within epochs, as means of successive batches, few enough to be kept with a run of any length."""

import math
from collections.abc import Mapping
from typing import Any

MOST_POINTS = 300
"""The most points of a run that its log keeps."""
LEAST_POINTS_PER_EPOCH = 20
"""The least points of an epoch that has as many batches; of a long run, only the first epochs' are kept."""


class LossCurve:
    """The points of the present epoch: each is the mean loss of `step` batches, the last one of those that are left.

    Points follow the number of batches, not the time, so that a run that was interrupted has the same.
    """

    def __init__(self, epochs: int, batches: int) -> None:
        per_epoch = max(LEAST_POINTS_PER_EPOCH, MOST_POINTS // epochs)
        self.points: tuple[float | None, ...] = ()
        self._batches, self._step = batches, math.ceil(batches / per_epoch)
        self.expected = math.ceil(batches / self._step)
        self._epochs_kept = MOST_POINTS // per_epoch if batches > 1 else 0
        self._sum, self._count = 0.0, 0

    def add(self, batch: int, loss: float) -> None:
        """Add the mean loss of `batch`, from 1, and begin anew with the first."""
        if batch == 1:
            self.points, self._sum, self._count = (), 0.0, 0
        self._sum += loss
        self._count += 1
        if batch % self._step == 0 or batch == self._batches:
            mean = self._sum / self._count
            self.points = (*self.points, float(f"{mean:.4g}") if math.isfinite(mean) else None)
            self._sum, self._count = 0.0, 0

    def of_epoch(self, epoch: int) -> dict[str, Any]:
        """The additional data of the event of a finished epoch."""
        return {"batch_losses": list(self.points)} if 0 < epoch <= self._epochs_kept and self.points else {}

    def state(self) -> dict[str, Any]:
        """The state for a checkpoint, as JSON."""
        return {"points": list(self.points), "sum": self._sum, "count": self._count, "step": self._step}

    def restore(self, state: Mapping[str, Any], batch: int) -> None:
        """Continue from a state after `batch` batches of an epoch; points that it lacks are None."""
        expected = self.expected if batch == self._batches else batch // self._step
        points = state.get("points", []) if state.get("step") == self._step else []
        if len(points) == expected:
            self._sum, self._count = float(state.get("sum", 0.0)), int(state.get("count", 0))
        self.points = (*points[:expected], *[None] * (expected - len(points)))
