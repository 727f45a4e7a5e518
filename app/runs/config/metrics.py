"""The metrics of a training, after each epoch and at its end: one table for pages, charts and trackers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Metric:
    """A number of `epoch` and `evaluated` events.

    `path` is its path in an event's data, `chart` the name of a run's chart with it, `tracked` its name in TensorBoard
    and MLflow; None if it is not shown there. `better` is the direction of improvement.
    """

    name: str
    title: str
    unit: Literal["", "%", "s", "1/s"] = ""
    better: Literal["lower", "higher"] | None = None
    chart: Literal["loss", "accuracy", "rate", "speed"] | None = None
    tracked: str | None = None
    path: tuple[str, ...] = ()

    def of(self, data: Mapping[str, Any]) -> float | None:
        """The value in an event's data; None if the event does not have it."""
        found: Any = data
        for key in self.path or (self.name,):
            found = (found or {}).get(key)
        return None if found is None else float(found)


METRICS = (
    Metric("epoch", title="epoch"),
    Metric("train_loss", title="training loss", better="lower", chart="loss", tracked="loss/train"),
    Metric(
        "train_accuracy",
        title="training accuracy",
        unit="%",
        better="higher",
        chart="accuracy",
        tracked="accuracy/train",
    ),
    Metric("val_loss", title="validation loss", better="lower", chart="loss", tracked="loss/validation"),
    Metric(
        "val_accuracy",
        title="validation accuracy",
        unit="%",
        better="higher",
        chart="accuracy",
        tracked="accuracy/validation",
    ),
    Metric(
        "yours_loss",
        title="loss on your drawings",
        better="lower",
        chart="loss",
        tracked="loss/yours",
        path=("yours", "loss"),
    ),
    Metric(
        "yours_accuracy",
        title="accuracy on your drawings",
        unit="%",
        better="higher",
        chart="accuracy",
        tracked="accuracy/yours",
        path=("yours", "accuracy"),
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
    Metric("test_loss", title="test loss", better="lower", tracked="loss/test"),
    Metric("test_accuracy", title="test accuracy", unit="%", better="higher", tracked="accuracy/test"),
)
