"""The log: the runs' rows, and what each run said. Nothing is shown to anybody before its row is committed."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, Select, and_, delete, func, select, update

from app.errors import Message, MessageError
from app.runs.config.run_config import RunConfig
from app.runs.log.database import events, log_id, open_database, runs, writing
from app.runs.log.state import ENDED, RunState
from app.runs.log.transitions import Lease, append, fence, now, queue, transition
from app.runs.log.views import CHANGING, changing, run_views

LARGEST_DEATHS = 3
"""A run that lost its worker so many times, with no epoch done in between, fails."""


class UnknownRunError(MessageError):
    """There is no run of that number."""

    code = "unknown_run"


class NotEndedError(MessageError):
    """The run is still going on."""

    code = "not_ended"


class ControlFlags(NamedTuple):
    """What is asked of a worker."""

    cancel: bool
    pause: bool
    keep_model: bool


class EventLog:
    """All access to the database. Safe to share between threads."""

    def __init__(self, url: str, *, lease_seconds: float = 15.0) -> None:
        """`lease_seconds` is how long a worker may be silent before it is given up for dead."""
        self.lease_seconds = lease_seconds
        self.engine: Engine = open_database(url)
        self.id = log_id(self.engine)

    def close(self) -> None:
        self.engine.dispose()

    # Reading

    def run(self, run: int) -> dict[str, Any]:
        """One run as the API shows it. Raises UnknownRunError."""
        found = self._runs(select(runs).where(runs.c.id == run))
        if not found:
            raise UnknownRunError("there is no run {run}", run=run)
        return found[0]

    def status(self, run: int) -> dict[str, Any] | None:
        """What changes of a run as the API shows it, None if there is none; cheap."""
        with self.engine.connect() as connection:
            row = connection.execute(select(*CHANGING).where(runs.c.id == run)).mappings().one_or_none()
        return None if row is None else changing(row)

    def list_runs(self, *, limit: int, before: int | None = None) -> list[dict[str, Any]]:
        """Up to `limit` runs, newest first, those with a number under `before`."""
        query = select(runs).order_by(runs.c.id.desc()).limit(limit)
        return self._runs(query if before is None else query.where(runs.c.id < before))

    def events(self, run: int, *, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Up to `limit` events of `run` with `seq` > `after`, in order."""
        query = select(events).where(events.c.run == run, events.c.seq > after).order_by(events.c.seq).limit(limit)
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def waiting(self) -> int:
        """How many runs are in the queue."""
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).where(runs.c.state == RunState.QUEUED)) or 0

    def expired(self) -> list[Lease]:
        """The claims whose lease has run out."""
        query = select(runs.c.id, runs.c.attempt).where(runs.c.state == RunState.RUNNING, runs.c.lease < time.time())
        with self.engine.connect() as connection:
            return [Lease(row.id, row.attempt) for row in connection.execute(query.order_by(runs.c.id))]

    def event_types(self, run: int) -> set[str]:
        """The types of the events that `run` has said."""
        with self.engine.connect() as connection:
            return set(connection.scalars(select(events.c.type).where(events.c.run == run).distinct()))

    def all_ids(self) -> set[int]:
        """The numbers of all runs, once whoever writes at the moment has done."""
        with writing(self.engine) as connection:
            return set(connection.scalars(select(runs.c.id)))

    def _runs(self, query: Select[Any]) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return run_views(connection, query)

    # Writing, by a server

    def add(self, config: RunConfig, *, checkpoint: Callable[[int], str] | None = None, **remarks: Any) -> int:
        """Put a new run into the queue and return its number.

        `checkpoint`, given the number, names the checkpoint from which the run starts; `remarks` are tags and a note.
        """
        with writing(self.engine) as connection:
            run = queue(connection, config.model_dump(mode="json"), remarks)
            if checkpoint is not None:
                connection.execute(update(runs).where(runs.c.id == run).values(checkpoint=checkpoint(run)))
        return run

    def add_race(self, configs: Sequence[RunConfig], tags: Callable[[int], list[str]]) -> list[int]:
        """Put several runs into the queue, all or none; `tags`, given the first's number, are what they share."""
        with writing(self.engine) as connection:
            ids = [queue(connection, config.model_dump(mode="json"), {}) for config in configs]
            connection.execute(update(runs).where(runs.c.id.in_(ids)).values(tags=tags(ids[0])))
        return ids

    def annotate(self, run: int, remarks: Mapping[str, Any]) -> None:
        """Put other tags or another note on a run. Raises UnknownRunError."""
        with writing(self.engine) as connection:
            _state(connection, run)
            connection.execute(update(runs).where(runs.c.id == run).values(dict(remarks)))

    def rename_model(self, name: str, new: str) -> None:
        """Let the runs that left a model of that name say its new one."""
        with writing(self.engine) as connection:
            connection.execute(update(runs).where(runs.c.model == name).values(model=new))

    def claim(self, owner: str, run: int | None = None) -> Lease | None:
        """Take the oldest queued run for `owner`, or `run` if that waits; None where there is none."""
        oldest = select(func.min(runs.c.id)).where(runs.c.state == RunState.QUEUED).scalar_subquery()
        take = (
            update(runs)
            .where(runs.c.id == (oldest if run is None else run), runs.c.state == RunState.QUEUED)
            .values(
                state=RunState.RUNNING,
                owner=owner,
                attempt=runs.c.attempt + 1,
                lease=time.time() + self.lease_seconds,
                started=func.coalesce(runs.c.started, now()),
            )
            .returning(runs.c.id, runs.c.attempt)
        )
        with writing(self.engine) as connection:
            row = connection.execute(take).one_or_none()
        return None if row is None else Lease(row.id, row.attempt)

    def request_pause(self, run: int) -> None:
        """Hold a run that waits, ask one that is at work to pause, and leave any other as it is.

        Raises UnknownRunError.
        """
        with writing(self.engine) as connection:
            state = _state(connection, run)
            if state == RunState.QUEUED and transition(connection, run, RunState.PAUSED):
                append(connection, run, "paused", {})
            elif state == RunState.RUNNING:
                connection.execute(update(runs).where(runs.c.id == run).values(pause_requested=True))

    def request_resume(self, run: int) -> None:
        """Put a paused run back into the queue, take back the wish to pause, and leave any other as it is.

        Raises UnknownRunError.
        """
        with writing(self.engine) as connection:
            state = _state(connection, run)
            if state == RunState.PAUSED and transition(connection, run, RunState.QUEUED):
                append(connection, run, "resumed", {})
            elif state == RunState.RUNNING:
                connection.execute(update(runs).where(runs.c.id == run).values(pause_requested=False))

    def request_cancel(self, run: int, *, keep_model: bool = False, saved: Mapping[str, Any] | None = None) -> bool:
        """Cancel a run that waits, ask one that is at work to end, and leave an ended one as it is.

        One at work is asked to save its best model first if `keep_model`; of one that waits, `saved` says which model
        was saved, or why none was. False, and nothing done, where that is still to be saved. Raises UnknownRunError.
        """
        with writing(self.engine) as connection:
            state = _state(connection, run)
            if state == RunState.RUNNING:
                wish = {"cancel_requested": True, **({"keep_model": True} if keep_model else {})}
                connection.execute(update(runs).where(runs.c.id == run).values(wish))
                return True
            has_model = select(runs.c.id).where(runs.c.id == run, runs.c.checkpoint.is_not(None))
            if keep_model and saved is None and state not in ENDED and connection.scalar(has_model):
                return False
            columns = {key: value for key, value in (saved or {}).items() if key == "model"}
            if transition(connection, run, RunState.CANCELLED, **columns):
                if saved is not None and columns:
                    append(connection, run, "model_saved", saved)
                append(connection, run, "cancelled", saved if saved is not None and not columns else {})
            return True

    def release(self, claim: Lease) -> None:
        """Take a run from a worker that was made to stop, which is no death; nothing where the claim is lost."""
        with writing(self.engine) as connection:
            row = _held(connection, claim)
            if row is not None:
                _let_go(connection, claim, row)

    def reclaim_dead(self, claim: Lease, how: str) -> None:
        """Take a run from a worker that is dead: into the queue again, or to the end that was asked for.

        One whose workers died LARGEST_DEATHS times, with no epoch done in between, fails; `how` says how this one did.
        Nothing where the claim is lost.
        """
        with writing(self.engine) as connection:
            row = _held(connection, claim)
            if row is None:
                return
            deaths = row.deaths + 1
            error = Message("the training process died {deaths} times, the last time: {how}", deaths=deaths, how=how)
            if deaths < LARGEST_DEATHS:
                _let_go(connection, claim, row, deaths=deaths)
            elif row.cancel_requested:
                _end(connection, claim, RunState.CANCELLED, {"not_kept": error} if row.keep_model else {})
            else:
                _end(connection, claim, RunState.FAILED, {"reason": "process"}, error=error)

    def delete(self, run: int) -> None:
        """Remove an ended run and its events. Raises UnknownRunError, NotEndedError."""
        with writing(self.engine) as connection:
            state = _state(connection, run)
            if state not in ENDED:
                raise NotEndedError("run {run} is {state}; cancel it first", run=run, state=state)
            connection.execute(delete(events).where(events.c.run == run))
            connection.execute(delete(runs).where(runs.c.id == run))

    # Writing, by a worker: fenced by its claim

    def append(self, claim: Lease, kind: str, data: Mapping[str, Any], **columns: Any) -> None:
        """Append an event of the worker that holds `claim`, and set columns of its run. Raises FencedError."""
        with writing(self.engine) as connection:
            fence(connection, claim, columns)
            append(connection, claim.run, kind, data)

    def pause(self, claim: Lease, data: Mapping[str, Any], **columns: Any) -> bool:
        """Pause the run that the worker holds, if that is still wanted; tell whether it is. Raises FencedError."""
        with writing(self.engine) as connection:
            fence(connection, claim, columns)
            row = _held(connection, claim)
            if row is None or row.cancel_requested or not row.pause_requested:
                return False
            transition(connection, claim.run, RunState.PAUSED, attempt=claim.attempt)
            append(connection, claim.run, "paused", data)
            return True

    def hand_back(self, claim: Lease, **columns: Any) -> None:
        """Put the run that the worker holds back into the queue, or do what is asked of it. Raises FencedError."""
        with writing(self.engine) as connection:
            fence(connection, claim, columns)
            row = _held(connection, claim)
            assert row is not None
            _let_go(connection, claim, row)

    def finish(self, claim: Lease, state: RunState, data: Mapping[str, Any], *, error: Message | None = None) -> None:
        """End the run that the worker holds. Raises FencedError."""
        with writing(self.engine) as connection:
            fence(connection, claim, {})
            _end(connection, claim, state, data, error=error)

    def heartbeat(self, claim: Lease, progress: Mapping[str, Any] | None) -> ControlFlags:
        """Renew the worker's lease, note its progress, and tell what is asked of it. Raises FencedError."""
        with writing(self.engine) as connection:
            fence(connection, claim, {"lease": time.time() + self.lease_seconds, "progress": progress})
            columns = (runs.c.cancel_requested, runs.c.pause_requested, runs.c.keep_model)
            return ControlFlags(*connection.execute(select(*columns).where(runs.c.id == claim.run)).one())


def _state(connection: Connection, run: int) -> str:
    state = connection.scalar(select(runs.c.state).where(runs.c.id == run).with_for_update())
    if state is None:
        raise UnknownRunError("there is no run {run}", run=run)
    return str(state)


def _held(connection: Connection, claim: Lease) -> Row[Any, Any, Any, Any, Any] | None:
    """What is asked of the run that `claim` holds, and its deaths; None where the claim is lost."""
    columns = (runs.c.deaths, runs.c.cancel_requested, runs.c.pause_requested, runs.c.keep_model, runs.c.checkpoint)
    held = and_(runs.c.id == claim.run, runs.c.attempt == claim.attempt, runs.c.state == RunState.RUNNING)
    return connection.execute(select(*columns).where(held).with_for_update()).one_or_none()


def _let_go(connection: Connection, claim: Lease, row: Row[Any, Any, Any, Any, Any], **columns: Any) -> None:
    """Take a run from its worker: into the queue again, or where it was asked to go."""
    to_keep = row.keep_model and row.checkpoint is not None  # another worker will save the model, and then cancel
    if row.cancel_requested and not to_keep:
        _end(connection, claim, RunState.CANCELLED, {})
    elif row.pause_requested and not row.cancel_requested:
        if transition(connection, claim.run, RunState.PAUSED, attempt=claim.attempt, **columns):
            append(connection, claim.run, "paused", {})
    else:
        transition(connection, claim.run, RunState.QUEUED, attempt=claim.attempt, **columns)


def _end(
    connection: Connection, claim: Lease, state: RunState, data: Mapping[str, Any], *, error: Message | None = None
) -> None:
    if transition(connection, claim.run, state, attempt=claim.attempt, error=error):
        append(connection, claim.run, state.value, data if error is None else {**data, "error": error})
