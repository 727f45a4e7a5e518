"""The counters of requests and predictions: in memory, and at `/metrics` if its library is installed."""

import time
from collections.abc import Iterable
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from app.models import Prediction

NO_MODEL = ""
"""The model of a request that named none that there is: to Prometheus, no label."""


class PredictionOutcome(StrEnum):
    """The outcome of reading a drawing."""

    LABEL = "label"
    BLANK = "blank"
    NOT_A_DIGIT = "not_a_digit"
    SEVERAL = "several"
    ERROR = "error"


class Counters(Protocol):
    """Counts; safe to share between threads."""

    def read(self, model: str, outcome: PredictionOutcome, count: int = 1) -> None:
        """So many drawings came to `outcome` with `model`."""

    def observe_latency(self, seconds: float) -> None:
        """A request to read drawings was answered in this time."""

    def answered(self, method: str, status: int) -> None:
        """A request was answered."""

    def text(self) -> bytes:
        """The counters in Prometheus's text format."""


def outcome_of(said: Prediction, *, parts: bool = False) -> PredictionOutcome:
    """The outcome of a prediction; `parts` if the drawing fell into several."""
    if said.label is None:
        return PredictionOutcome.BLANK
    if parts:
        return PredictionOutcome.SEVERAL
    return PredictionOutcome.LABEL if said.is_digit else PredictionOutcome.NOT_A_DIGIT


class PredictionTimer:
    """The reading of one request's drawings, from its head to its answer, which is counted at its end."""

    __slots__ = ("_counters", "_outcomes", "_started", "model")

    def __init__(self, counters: Counters | None) -> None:
        self.model = NO_MODEL
        self._counters, self._outcomes = counters, list[PredictionOutcome]()

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        return self

    def came_to(self, outcomes: Iterable[PredictionOutcome]) -> None:
        """Note what was said of each drawing."""
        self._outcomes.extend(outcomes)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._counters is None:
            return
        if isinstance(error, Exception):
            self._counters.read(self.model, PredictionOutcome.ERROR)
        elif error is None:
            for outcome in set(self._outcomes):
                self._counters.read(self.model, outcome, self._outcomes.count(outcome))
            self._counters.observe_latency(time.perf_counter() - self._started)
