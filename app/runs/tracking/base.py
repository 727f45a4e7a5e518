"""What the sinks of tracking share with the follower that feeds them: their interface, and the numbers of an event."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from app.runs.config.metrics import METRICS

Run = Mapping[str, Any]
Event = Mapping[str, Any]


class Sink(Protocol):
    """Where the events of runs are written."""

    name: str

    def last_seq(self, run: Run) -> int:
        """The `seq` of the last event of `run` that was written, 0 where there is none."""

    def write(self, run: Run, events: Sequence[Event]) -> None:
        """Write events that follow the last one that was written."""

    def forget(self) -> None:
        """Let go of what is open; what was written is looked at anew."""


def numbers_of(event: Event) -> dict[str, float]:
    """The numbers of an event by their tracked names; those that it does not know are left out."""
    data = event["data"]
    if event["type"] not in ("epoch", "evaluated"):
        return {}
    found = {metric.tracked: metric.of(data) for metric in METRICS if metric.tracked is not None}
    for layer in data.get("layers") or ():
        found[f"gradient_norm/{layer['name']}"] = layer.get("gradient_norm")
        found[f"weight_norm/{layer['name']}"] = layer.get("weight_norm")
    return {name: float(value) for name, value in found.items() if value is not None}


def step_of(run: Run, event: Event) -> int:
    """The epoch that the numbers of an event are of."""
    data = event["data"]
    return int(
        data.get("epoch") or data.get("best_epoch") or (0 if event["type"] == "epoch" else run["config"]["epochs"])
    )
