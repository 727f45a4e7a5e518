"""The interface of tracking sinks, and the numbers of an event."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from app.runs.config.metrics import METRICS

Run = Mapping[str, Any]
Event = Mapping[str, Any]


class Sink(Protocol):
    """A destination for the events of runs."""

    name: str

    def last_seq(self, run: Run) -> int:
        """The `seq` of the last written event of `run`, 0 if there is none."""

    def write(self, run: Run, events: Sequence[Event]) -> None:
        """Write events after the last written one."""

    def forget(self) -> None:
        """Close open resources, and drop cached state."""


def numbers_of(event: Event) -> dict[str, float]:
    """The numbers of an event by tracked name, without missing ones."""
    data = event["data"]
    if event["type"] not in ("epoch", "evaluated"):
        return {}
    found = {metric.tracked: metric.of(data) for metric in METRICS if metric.tracked is not None}
    for layer in data.get("layers") or ():
        found[f"gradient_norm/{layer['name']}"] = layer.get("gradient_norm")
        found[f"weight_norm/{layer['name']}"] = layer.get("weight_norm")
    return {name: float(value) for name, value in found.items() if value is not None}


def step_of(run: Run, event: Event) -> int:
    """The epoch of an event's numbers."""
    data = event["data"]
    return int(
        data.get("epoch") or data.get("best_epoch") or (0 if event["type"] == "epoch" else run["config"]["epochs"])
    )
