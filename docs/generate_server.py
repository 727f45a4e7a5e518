"""The settings and the metrics of a server, for the reference."""

import re
from typing import Any, get_args

from app.runs.log.state import RunState
from app.runs.stats import QueueStats
from app.settings import Settings
from app.web.prometheus.exposition import Figures, PrometheusCounters
from docs.markdown import described, table

OF_THE_MACHINE = {
    "home": "`model_store/` of the checkout; where installed, the user's data folder",
    "cache_dir": "the user's cache folder",
}
"""Defaults that are not the same everywhere."""


def settings() -> str:
    """Every setting, its default and what it does."""
    rows = []
    for name, field in Settings.model_fields.items():
        value = ",".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
        default = OF_THE_MACHINE.get(name) or (f"`{value}`" if value not in (None, "") else "")
        limits = " ".join(_limits(field.metadata))
        text = described(f"setting {name}", field.description)
        choices = " or ".join(f"`{one}`" for one in get_args(field.annotation) if isinstance(one, str))
        more = f" A number {limits}." if limits else f" {choices}." if choices else ""
        rows.append((f"`DIGITPAD_{name.upper()}`", default, text + more))
    return table(("setting", "default", "what it does"), rows)


def _limits(constraints: list[Any]) -> list[str]:
    words = (("ge", "from"), ("le", "to"))
    return [f"{word} {getattr(one, key):g}" for one in constraints for key, word in words if hasattr(one, key)]


def prometheus() -> str:
    """Every metric of /metrics, from what it really says."""
    figures = Figures(QueueStats(dict.fromkeys(RunState, 0), 0.0, {1: 0.0}), sockets=0, backlog=0, queue_is_up=True)
    said = (PrometheusCounters().text() + figures.text()).decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", said, re.MULTILINE))
    rows = [
        (f"`{name}`", kinds[name], described(f"metric {name}", text))
        for name, text in re.findall(r"^# HELP (\S+) ?(.*)$", said, re.MULTILINE)
        if not name.endswith("_created")
    ]
    return table(("metric", "kind", "what it is"), rows)
