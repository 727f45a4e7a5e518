"""Runs as in the API: their rows, and their latest results."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.runs.log.database import EventData, events, runs

CHANGING = (
    runs.c.state,
    runs.c.progress,
    runs.c.attempt,
    runs.c.started,
    runs.c.ended,
    runs.c.error,
    runs.c.model,
    runs.c.last_seq,
    runs.c.cancel_requested,
    runs.c.pause_requested,
    runs.c.checkpoint,
    runs.c.tags,
    runs.c.note,
)
"""The visible columns that change."""

_LARGE = ("layers", "sheet", "batch_losses")
"""The large parts of an epoch's data: its layers, sample digits and losses of batches, most of the bytes."""


class BriefData(FunctionElement[dict[str, Any]]):
    """An event's data without the large parts."""

    type = EventData()
    inherit_cache = True


@compiles(BriefData, "sqlite")
def _brief_of_sqlite(element: BriefData, compiler: SQLCompiler, **kw: Any) -> str:
    paths = ", ".join(f"'$.{name}'" for name in _LARGE)
    return f"json_remove({compiler.process(events.c.data)}, {paths})"


@compiles(BriefData, "postgresql")
def _brief_of_postgresql(element: BriefData, compiler: SQLCompiler, **kw: Any) -> str:
    names = ", ".join(f"'{name}'" for name in _LARGE)
    rest = f"SELECT json_object_agg(key, value) FROM json_each({compiler.process(events.c.data)})"
    return f"coalesce(({rest} WHERE key NOT IN ({names})), '{{}}')"  # in their order, unlike jsonb


BRIEF_EVENT = (
    events.c.run,
    events.c.seq,
    events.c.type,
    events.c.time,
    BriefData().label("data"),
)
"""An event with its data as from `brief`: the database leaves the large parts out, and nobody parses them."""


def run_views(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    """The runs of `query`, which selects whole rows."""
    rows = connection.execute(query).mappings().all()
    latest = _latest(connection, [row["id"] for row in rows])
    return [_view(row, latest[row["id"]]) for row in rows]


def changing(row: RowMapping) -> dict[str, Any]:
    """The part of a run's view from its `CHANGING` columns."""
    columns = {column.name: row[column.name] for column in CHANGING}
    return {**columns, "tags": columns["tags"] or [], "note": columns["note"] or ""}


def brief(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """An epoch's data without the large parts: layers, sample digits and losses of batches."""
    return {key: value for key, value in metrics.items() if key not in _LARGE}


def results(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a run's view from its last event of a kind, `epoch` or `evaluated`."""
    if kind == "epoch":
        return {"metrics": brief(data)}
    if kind == "evaluated":
        return {"test_accuracy": data.get("test_accuracy"), "best_epoch": data.get("best_epoch")}
    return {}


def _latest(connection: Connection, ids: list[int]) -> dict[int, dict[str, Any]]:
    """The results of the last `epoch` and `evaluated` event of each run."""
    last = (
        select(events.c.run, func.max(events.c.seq).label("seq"))
        .where(events.c.run.in_(ids), events.c.type.in_(["epoch", "evaluated"]))
        .group_by(events.c.run, events.c.type)
        .subquery()
    )
    query = select(*BRIEF_EVENT).join(last, and_(events.c.run == last.c.run, events.c.seq == last.c.seq))
    found: dict[int, dict[str, Any]] = {run: {} for run in ids}
    for row in connection.execute(query).mappings():
        found[row["run"]] |= results(row["type"], row["data"])
    return found


def _view(row: RowMapping, latest: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {"metrics": None, "test_accuracy": None, "best_epoch": None}
    constant = {name: row[name] for name in ("id", "config", "created", "race")}
    return {**constant, **changing(row), **defaults, **latest}
