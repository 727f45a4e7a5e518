"""What changes a run: parts of a transaction that keep to the table of moves, and to the claim that a worker holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, insert, update

from app.errors import MessageError
from app.runs.log.database import events, runs
from app.runs.log.state import ENDED, RunState, sources


class FencedError(MessageError):
    """This worker no longer holds its run: it was cancelled, or given up for dead and taken up by another."""

    code = "fenced"


@dataclass(frozen=True)
class Lease:
    """A worker's right to write: one attempt at one run."""

    run: int
    attempt: int


def now() -> str:
    """The time as it stands in the log: UTC, ISO 8601, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fence(connection: Connection, claim: Lease, columns: Mapping[str, Any]) -> None:
    """Set columns of the run that `claim` holds. Raises FencedError."""
    held = and_(runs.c.id == claim.run, runs.c.attempt == claim.attempt, runs.c.state == RunState.RUNNING)
    if connection.execute(update(runs).where(held).values({"attempt": claim.attempt, **columns})).rowcount != 1:
        raise FencedError("attempt {attempt} no longer owns run {run}", run=claim.run, attempt=claim.attempt)


def transition(
    connection: Connection, run: int, state: RunState, *, attempt: int | None = None, **columns: Any
) -> bool:
    """Move `run` into `state`, if the table of moves allows it from where the run is; tell whether it did."""
    allowed = and_(runs.c.id == run, runs.c.state.in_(sources(state)))
    if attempt is not None:
        allowed = and_(allowed, runs.c.attempt == attempt)
    values: dict[str, Any] = {"state": state, "lease": None, "owner": None, "pause_requested": False, **columns}
    if state in ENDED:
        values |= {"ended": now(), "progress": None}
    return connection.execute(update(runs).where(allowed).values(values)).rowcount == 1


def queue(connection: Connection, config: Mapping[str, Any], remarks: Mapping[str, Any]) -> int:
    """Add a run to the queue, with its tags and its note, and return its number."""
    values = {"state": RunState.QUEUED, "config": config, "created": now(), **remarks}
    run = int(connection.scalar(insert(runs).values(values).returning(runs.c.id)) or 0)
    append(connection, run, "queued", {})
    return run


def append(connection: Connection, run: int, kind: str, data: Mapping[str, Any]) -> None:
    """Append an event to the run's log, under the next `seq`."""
    count = update(runs).where(runs.c.id == run).values(last_seq=runs.c.last_seq + 1).returning(runs.c.last_seq)
    seq = connection.scalar(count)
    connection.execute(insert(events).values(run=run, seq=seq, type=kind, time=now(), data=dict(data)))
