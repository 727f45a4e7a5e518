"""The counters and gauges of a server, for Prometheus."""

from importlib.util import find_spec

from app.web.prometheus.counters import Counters

LIBRARY = "prometheus_client"


def make_counters() -> Counters | None:
    """Counters, or None where the extra `metrics` is not installed."""
    if find_spec(LIBRARY) is None:
        return None
    from app.web.prometheus.exposition import PrometheusCounters

    return PrometheusCounters()
