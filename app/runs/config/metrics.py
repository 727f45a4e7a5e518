"""The metrics of a training, after each epoch and at its end: one table for pages, charts and trackers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Metric:
    """A number of `epoch` and `evaluated` events.

    `path` is its path in an event's data, `chart` the name of a run's chart with it, as the line `line` of that chart,
    `tracked` its name in TensorBoard and MLflow; None if it is not shown there. `better` is the direction of
    improvement. An `optional` one is shown for runs that have it.
    """

    name: str
    title: str
    unit: Literal["", "%", "s", "1/s"] = ""
    better: Literal["lower", "higher"] | None = None
    chart: Literal["loss", "accuracy", "rate", "speed"] | None = None
    line: Literal["training", "validation", "yours"] | None = None
    tracked: str | None = None
    path: tuple[str, ...] = ()
    optional: bool = False

    def of(self, data: Mapping[str, Any]) -> float | None:
        """The value in an event's data; None if the event does not have it."""
        found: Any = data
        for key in self.path or (self.name,):
            found = (found or {}).get(key)
        return None if found is None else float(found)


def _accuracy(name: str, title: str, **place: Any) -> Metric:
    return Metric(name, title, unit="%", better="higher", **place)


def _loss(name: str, title: str, **place: Any) -> Metric:
    return Metric(name, title, better="lower", **place)


METRICS = (
    Metric("epoch", title="epoch"),
    _accuracy(
        "val_accuracy", title="validation accuracy", chart="accuracy", line="validation", tracked="accuracy/validation"
    ),
    _loss("val_loss", title="validation loss", chart="loss", line="validation", tracked="loss/validation"),
    _accuracy("train_accuracy", title="training accuracy", chart="accuracy", line="training", tracked="accuracy/train"),
    _loss("train_loss", title="training loss", chart="loss", line="training", tracked="loss/train"),
    _accuracy(
        "yours_accuracy",
        title="accuracy on your drawings",
        chart="accuracy",
        line="yours",
        tracked="accuracy/yours",
        path=("yours", "accuracy"),
        optional=True,
    ),
    _loss(
        "yours_loss",
        title="loss on your drawings",
        chart="loss",
        line="yours",
        tracked="loss/yours",
        path=("yours", "loss"),
        optional=True,
    ),
    Metric("learning_rate", title="learning rate", chart="rate", tracked="learning_rate"),
    Metric("seconds", title="seconds", unit="s", better="lower", tracked="seconds"),
    Metric(
        "samples_per_second",
        title="samples per second",
        unit="1/s",
        better="higher",
        chart="speed",
        tracked="samples_per_second",
    ),
    _loss("test_loss", title="test loss", tracked="loss/test"),
    _accuracy("test_accuracy", title="test accuracy", tracked="accuracy/test"),
)
