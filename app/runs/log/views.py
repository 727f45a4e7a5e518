"""Runs as the API shows them: their rows, and the newest of what they said of how good they are."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, func, select

from app.runs.log.database import events

_SHOWN = (
    "id",
    "state",
    "config",
    "progress",
    "attempt",
    "created",
    "started",
    "ended",
    "error",
    "model",
    "last_seq",
    "cancel_requested",
    "pause_requested",
    "checkpoint",
)


def shown_runs(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    """The runs that `query`, a selection of whole rows, finds."""
    rows = connection.execute(query).mappings().all()
    latest = _latest(connection, [row["id"] for row in rows])
    return [_show(row, latest) for row in rows]


def brief(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """An epoch's data without what is seen of its layers and its sheet, which is most of it."""
    return {key: value for key, value in metrics.items() if key not in ("layers", "sheet")}


def _latest(connection: Connection, ids: list[int]) -> dict[tuple[int, str], dict[str, Any]]:
    """The data of the last `epoch` and `evaluated` event of each run."""
    last = (
        select(events.c.run, func.max(events.c.seq).label("seq"))
        .where(events.c.run.in_(ids), events.c.type.in_(["epoch", "evaluated"]))
        .group_by(events.c.run, events.c.type)
        .subquery()
    )
    query = select(events).join(last, and_(events.c.run == last.c.run, events.c.seq == last.c.seq))
    return {(row["run"], row["type"]): row["data"] for row in connection.execute(query).mappings()}


def _show(row: RowMapping, latest: Mapping[tuple[int, str], dict[str, Any]]) -> dict[str, Any]:
    metrics = latest.get((row["id"], "epoch"))
    evaluated = latest.get((row["id"], "evaluated"), {})
    return {
        **{name: row[name] for name in _SHOWN},
        "tags": row["tags"] or [],
        "note": row["note"] or "",
        "metrics": None if metrics is None else brief(metrics),
        "test_accuracy": evaluated.get("test_accuracy"),
        "best_epoch": evaluated.get("best_epoch"),
    }
