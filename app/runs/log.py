"""The log: the runs' rows, and what each run said. Nothing is shown to anybody before its row is committed."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, and_, delete, func, insert, select, update

from app.runs.config import RunConfig
from app.runs.database import events, log_id, open_database, runs, writing
from app.runs.states import ENDED, State, sources

LEASE_SECONDS = 15.0
"""How long a worker may be silent before it is given up for dead."""


class FencedError(RuntimeError):
    """This worker no longer holds its run: it was cancelled, or given up for dead and taken up by another."""


class UnknownRunError(LookupError):
    """There is no run of that number."""


class NotEndedError(RuntimeError):
    """The run is still going on."""


@dataclass(frozen=True)
class Claim:
    """A worker's right to write: one attempt at one run."""

    run: int
    attempt: int


def now() -> str:
    """The time as it stands in the log: UTC, ISO 8601, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Log:
    """All access to the database. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = open_database(url)
        self.id = log_id(self.engine)

    def close(self) -> None:
        self.engine.dispose()

    # Reading

    def run(self, run: int) -> dict[str, Any]:
        """One run as the API shows it. Raises UnknownRunError."""
        found = self._runs(select(runs).where(runs.c.id == run))
        if not found:
            raise UnknownRunError(f"there is no run {run}")
        return found[0]

    def status(self, run: int) -> RowMapping | None:
        """`state`, `last_seq`, `progress` and `cancel_requested` of a run, None where there is none; cheap."""
        columns = (runs.c.state, runs.c.last_seq, runs.c.progress, runs.c.cancel_requested)
        with self.engine.connect() as connection:
            return connection.execute(select(*columns).where(runs.c.id == run)).mappings().one_or_none()

    def list_runs(self, *, limit: int, before: int | None = None) -> list[dict[str, Any]]:
        """Up to `limit` runs, newest first, those with a number under `before`."""
        query = select(runs).order_by(runs.c.id.desc()).limit(limit)
        return self._runs(query if before is None else query.where(runs.c.id < before))

    def events(self, run: int, *, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Up to `limit` events of `run` with `seq` > `after`, in order."""
        query = select(events).where(events.c.run == run, events.c.seq > after).order_by(events.c.seq).limit(limit)
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def ids(self, states: Collection[State], *, lease_before: float | None = None) -> list[int]:
        """The numbers of the runs in one of `states`, and with a lease that ended before that time if one is given."""
        query = select(runs.c.id).where(runs.c.state.in_(list(states))).order_by(runs.c.id)
        if lease_before is not None:
            query = query.where(runs.c.lease < lease_before)
        with self.engine.connect() as connection:
            return list(connection.scalars(query))

    def _runs(self, query: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
            latest = self._latest(connection, [row["id"] for row in rows])
        return [_show(row, latest) for row in rows]

    def _latest(self, connection: Connection, ids: list[int]) -> dict[tuple[int, str], dict[str, Any]]:
        """The data of the last `epoch` and `evaluated` event of each run."""
        last = (
            select(events.c.run, func.max(events.c.seq).label("seq"))
            .where(events.c.run.in_(ids), events.c.type.in_(["epoch", "evaluated"]))
            .group_by(events.c.run, events.c.type)
            .subquery()
        )
        query = select(events).join(last, and_(events.c.run == last.c.run, events.c.seq == last.c.seq))
        return {(row["run"], row["type"]): row["data"] for row in connection.execute(query).mappings()}

    # Writing, by a server

    def add(self, config: RunConfig) -> int:
        """Put a new run into the queue and return its number."""
        values = {"state": State.QUEUED, "config": config.model_dump(mode="json"), "created": now()}
        with writing(self.engine) as connection:
            run = connection.scalar(insert(runs).values(values).returning(runs.c.id))
            _append(connection, run, "queued", {})
        return int(run)

    def claim(self, owner: str) -> Claim | None:
        """Take the oldest queued run for the server `owner`, or return None where none waits."""
        oldest = select(func.min(runs.c.id)).where(runs.c.state == State.QUEUED).scalar_subquery()
        take = (
            update(runs)
            .where(runs.c.id == oldest, runs.c.state == State.QUEUED)
            .values(
                state=State.RUNNING,
                owner=owner,
                attempt=runs.c.attempt + 1,
                lease=time.time() + LEASE_SECONDS,
                started=func.coalesce(runs.c.started, now()),
            )
            .returning(runs.c.id, runs.c.attempt)
        )
        with writing(self.engine) as connection:
            row = connection.execute(take).one_or_none()
        return None if row is None else Claim(row.id, row.attempt)

    def request_cancel(self, run: int) -> None:
        """Cancel a run that waits, ask one that is at work to end, and leave an ended one as it is.

        Raises UnknownRunError.
        """
        with writing(self.engine) as connection:
            state = connection.scalar(select(runs.c.state).where(runs.c.id == run))
            if state is None:
                raise UnknownRunError(f"there is no run {run}")
            if state in (State.QUEUED, State.PAUSED):
                _move(connection, run, State.CANCELLED, "cancelled", {})
            elif state == State.RUNNING:
                connection.execute(update(runs).where(runs.c.id == run).values(cancel_requested=True))

    def end(self, run: int, state: State, *, error: str | None = None, attempt: int | None = None) -> bool:
        """End a run from outside its worker; False where it had ended already, or another attempt is at it."""
        data = {} if error is None else {"error": error}
        with writing(self.engine) as connection:
            return _move(connection, run, state, state.value, data, attempt=attempt, error=error)

    def delete(self, run: int) -> None:
        """Remove an ended run and its events. Raises UnknownRunError, NotEndedError."""
        with writing(self.engine) as connection:
            state = connection.scalar(select(runs.c.state).where(runs.c.id == run))
            if state is None:
                raise UnknownRunError(f"there is no run {run}")
            if state not in ENDED:
                raise NotEndedError(f"run {run} is {state}; cancel it first")
            connection.execute(delete(events).where(events.c.run == run))
            connection.execute(delete(runs).where(runs.c.id == run))

    # Writing, by a worker: fenced by its claim

    def say(self, claim: Claim, kind: str, data: Mapping[str, Any], **columns: Any) -> None:
        """Append an event of the worker that holds `claim`, and set columns of its run. Raises FencedError."""
        with writing(self.engine) as connection:
            _fence(connection, claim, columns)
            _append(connection, claim.run, kind, data)

    def finish(self, claim: Claim, state: State, data: Mapping[str, Any], *, error: str | None = None) -> None:
        """End the run that the worker holds. Raises FencedError."""
        with writing(self.engine) as connection:
            if not _move(connection, claim.run, state, state.value, data, attempt=claim.attempt, error=error):
                raise FencedError(f"run {claim.run} is no longer attempt {claim.attempt}'s")

    def renew(self, claim: Claim, progress: Mapping[str, Any] | None) -> bool:
        """Renew the worker's lease, note its progress, and tell whether it is asked to cancel. Raises FencedError."""
        with writing(self.engine) as connection:
            _fence(connection, claim, {"lease": time.time() + LEASE_SECONDS, "progress": progress})
            return bool(connection.scalar(select(runs.c.cancel_requested).where(runs.c.id == claim.run)))


def _fence(connection: Connection, claim: Claim, columns: Mapping[str, Any]) -> None:
    held = and_(runs.c.id == claim.run, runs.c.attempt == claim.attempt, runs.c.state == State.RUNNING)
    values = {"attempt": claim.attempt, **columns}
    if connection.execute(update(runs).where(held).values(values)).rowcount != 1:
        raise FencedError(f"run {claim.run} is no longer attempt {claim.attempt}'s")


def _move(
    connection: Connection,
    run: int,
    state: State,
    kind: str,
    data: Mapping[str, Any],
    *,
    attempt: int | None = None,
    error: str | None = None,
) -> bool:
    """Move `run` into `state` and say so, if the table of moves allows it from where the run is."""
    allowed = and_(runs.c.id == run, runs.c.state.in_(sources(state)))
    if attempt is not None:
        allowed = and_(allowed, runs.c.attempt == attempt)
    values: dict[str, Any] = {"state": state, "lease": None, "error": error}
    if state in ENDED:
        values |= {"ended": now(), "progress": None}
    if connection.execute(update(runs).where(allowed).values(values)).rowcount != 1:
        return False
    _append(connection, run, kind, data)
    return True


def _append(connection: Connection, run: int, kind: str, data: Mapping[str, Any]) -> None:
    count = update(runs).where(runs.c.id == run).values(last_seq=runs.c.last_seq + 1).returning(runs.c.last_seq)
    seq = connection.scalar(count)
    connection.execute(insert(events).values(run=run, seq=seq, type=kind, time=now(), data=dict(data)))


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
)


def _show(row: RowMapping, latest: Mapping[tuple[int, str], dict[str, Any]]) -> dict[str, Any]:
    metrics = latest.get((row["id"], "epoch"))
    evaluated = latest.get((row["id"], "evaluated"), {})
    return {
        **{name: row[name] for name in _SHOWN},
        "metrics": metrics,
        "test_accuracy": evaluated.get("test_accuracy"),
    }
