"""Changes of runs within a transaction, restricted by the table of states and by a worker's lease."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from app.errors import MessageError
from app.runs.log.clock import now
from app.runs.log.database import events, runs
from app.runs.log.state import ENDED, RunState, sources


class FencedError(MessageError):
    """The worker has lost its run, which was cancelled or given to another worker."""

    code = "fenced"


@dataclass(frozen=True)
class Lease:
    """A worker's right to write: one attempt of one run."""

    run: int
    attempt: int


def has_appended(connection: Connection, lease: Lease, number: int) -> bool:
    """True if the lease's event `number` is in the log, and False if it is to be the next one.

    Raises FencedError if the lease is lost, or if earlier events are missing, as after the return of an older copy of
    the database: then the run resumes from what its row names.
    """
    appended = connection.scalar(select(runs.c.appended).where(_held(lease)).with_for_update())
    if appended is None or appended < number - 1:
        raise FencedError("the log has lost what attempt {attempt} of run {run} wrote", **asdict(lease))
    return int(appended) >= number


def _held(lease: Lease) -> ColumnElement[bool]:
    return and_(runs.c.id == lease.run, runs.c.attempt == lease.attempt, runs.c.state == RunState.RUNNING)


def fence(connection: Connection, lease: Lease, columns: Mapping[str, Any]) -> None:
    """Set columns of the leased run. Raises FencedError if the lease is lost."""
    held = _held(lease)
    if connection.execute(update(runs).where(held).values({"attempt": lease.attempt, **columns})).rowcount != 1:
        raise FencedError("attempt {attempt} no longer owns run {run}", run=lease.run, attempt=lease.attempt)


def transition(
    connection: Connection, run: int, state: RunState, *, attempt: int | None = None, **columns: Any
) -> bool:
    """Move `run` into `state`, if its current state allows that; return True if it did."""
    allowed = and_(runs.c.id == run, runs.c.state.in_(sources(state)))
    if attempt is not None:
        allowed = and_(allowed, runs.c.attempt == attempt)
    values: dict[str, Any] = {"state": state, "lease": None, "owner": None, "pause_requested": False, **columns}
    if state in ENDED:
        values |= {"ended": now(), "progress": None}
    return connection.execute(update(runs).where(allowed).values(values)).rowcount == 1


def queue(connection: Connection, config: Mapping[str, Any], remarks: Mapping[str, Any]) -> int:
    """Queue a run, with its tags and note, and return its number."""
    values = {"state": RunState.QUEUED, "config": config, "created": now(), **remarks}
    run = int(connection.scalar(insert(runs).values(values).returning(runs.c.id)) or 0)
    append(connection, run, "queued", {})
    return run


def append(connection: Connection, run: int, kind: str, data: Mapping[str, Any]) -> None:
    """Append an event to the run's log, with the next `seq`."""
    count = update(runs).where(runs.c.id == run).values(last_seq=runs.c.last_seq + 1).returning(runs.c.last_seq)
    seq = connection.scalar(count)
    connection.execute(insert(events).values(run=run, seq=seq, type=kind, time=now(), data=dict(data)))
