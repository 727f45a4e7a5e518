"""Counters and figures in Prometheus's text format, by its own client library; from the extra `metrics`."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app import __version__
from app.runs.log.state import RunState
from app.runs.stats import QueueStats
from app.web.prometheus.counters import PredictionOutcome

MOST_MODELS = 100
"""Models that are counted by their names; the rest are counted together, so that names cannot fill the memory."""

OTHERS = "(others)"
METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "WEBSOCKET"})

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Bounds of the time of a reading: half a millisecond for 784 pixels, seconds for a large picture."""


class PrometheusCounters:
    """The counters of one server. The children of each metric are kept, as a lookup takes longer than counting."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._predictions = Counter(
            "digitpad_predictions_total",
            "Drawings that were read, by model and by what came of it; a request that is refused counts as one error",
            ("model", "outcome"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "digitpad_prediction_seconds",
            "Time from the head of a request to read drawings to its answer, errors left out",
            buckets=SECONDS,
            registry=self._registry,
        )
        self._requests = Counter(
            "digitpad_requests_total",
            "Requests and web sockets, by method and status",
            ("method", "status"),
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        self._models = set[str]()
        self._by_outcome: dict[tuple[str, PredictionOutcome], Counter] = {}
        self._by_status: dict[tuple[str, int], Counter] = {}

    def read(self, model: str, outcome: PredictionOutcome, count: int = 1) -> None:
        """So many drawings came to `outcome` with `model`."""
        child = self._by_outcome.get((model, outcome))
        if child is None:
            if model not in self._models:
                if len(self._models) >= MOST_MODELS:
                    model = OTHERS
                else:
                    self._models.add(model)
            child = self._predictions.labels(model, outcome.value)
            if model != OTHERS:
                self._by_outcome[model, outcome] = child
        child.inc(count)

    def observe_latency(self, seconds: float) -> None:
        """A request to read drawings was answered in this time."""
        self._seconds.observe(seconds)

    def answered(self, method: str, status: int) -> None:
        """A request was answered."""
        method = method if method in METHODS else OTHERS
        child = self._by_status.get((method, status))
        if child is None:
            child = self._by_status[method, status] = self._requests.labels(method, str(status))
        child.inc()

    def text(self) -> bytes:
        """The counters in Prometheus's text format."""
        return generate_latest(self._registry)


@dataclass(frozen=True, eq=False)  # a registry tells them apart by their identity
class Figures(Collector):
    """Gauges that are read at the moment of a request.

    `census` is None where the log cannot be read; what it would tell is then left out.
    """

    census: QueueStats | None
    sockets: int
    backlog: int
    queue_is_up: bool

    def text(self) -> bytes:
        """The counters in Prometheus's text format."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """Each figure as a gauge."""
        info = GaugeMetricFamily("digitpad_info", "Which version this is", labels=["version"])
        info.add_metric([__version__], 1)
        yield info
        yield _gauge("log_up", "1 while the log can be read, else 0", self.census is not None)
        yield _gauge("queue_up", "1 while runs of the queue are started, else 0", self.queue_is_up)
        yield _gauge("sockets", "Web sockets that are open", self.sockets)
        yield _gauge("log_backlog_messages", "Messages that wait for the reader furthest behind", self.backlog)
        if self.census is not None:
            yield from _of_runs(self.census)


def _of_runs(census: QueueStats) -> Iterator[Metric]:
    by_state = GaugeMetricFamily("digitpad_runs", "Runs in the log, by state", labels=["state"])
    for state, count in census.runs.items():
        by_state.add_metric([state.value], count)
    yield by_state
    yield _gauge("queue_length", "Runs that wait for a worker", census.runs[RunState.QUEUED])
    yield _gauge(
        "log_lag_seconds",
        "Age of the oldest event that is in the log and was not yet handed to who follows its run",
        census.log_lag,
    )
    ages = GaugeMetricFamily(
        "digitpad_checkpoint_age_seconds", "Age of the checkpoint of each run that trains", labels=["run"]
    )
    for run, age in census.checkpoint_ages.items():
        ages.add_metric([str(run)], age)
    yield ages


def _gauge(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"digitpad_{name}", what, value=float(value))
