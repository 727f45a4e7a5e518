"""The log: the rows and the events of runs. Only committed rows are visible."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, Select, and_, delete, func, or_, select, update

from app.errors import Message, MessageError
from app.runs.config.run_config import RunConfig
from app.runs.log.clock import now, seconds
from app.runs.log.database import checkpoint, events, log_id, open_database, runs, writing
from app.runs.log.state import ENDED, RunState
from app.runs.log.transitions import Lease, append, fence, has_appended, queue, transition
from app.runs.log.views import BRIEF_EVENT, CHANGING, changing, run_views

LARGEST_DEATHS = 3
"""A run fails when it loses its worker this many times without finishing an epoch."""


class UnknownRunError(MessageError):
    """There is no run with this number."""

    code = "unknown_run"


class NotEndedError(MessageError):
    """The run has not ended."""

    code = "not_ended"


class ControlFlags(NamedTuple):
    """The requests to a worker."""

    cancel: bool
    pause: bool
    keep_model: bool


class Look(NamedTuple):
    """The changing part of a run as in the API, and the runs ahead of it while it waits.

    Those are the runs that are trained, and those that are served earlier; none for a run of a race, as these take
    turns.
    """

    status: dict[str, Any]
    ahead: list[int]


class EventLog:
    """All access to the database. Thread-safe."""

    def __init__(self, url: str, *, lease_seconds: float = 15.0) -> None:
        """A worker that is silent for `lease_seconds` counts as dead."""
        self.lease_seconds = lease_seconds
        self.engine: Engine = open_database(url)
        self.id = log_id(self.engine)
        self.is_remote = self.engine.dialect.name != "sqlite"
        """True if the database is a server."""

    def close(self) -> None:
        self.engine.dispose()

    def checkpoint(self) -> None:
        """Bring the last writes into the database's own file."""
        checkpoint(self.engine)

    # Reading

    def run(self, run: int) -> dict[str, Any]:
        """A run as in the API. Raises UnknownRunError."""
        found = self._runs(select(runs).where(runs.c.id == run))
        if not found:
            raise UnknownRunError("there is no run {run}", run=run)
        return found[0]

    def status(self, run: int) -> dict[str, Any] | None:
        """The changing part of a run as in the API; None for an unknown run. Cheap."""
        with self.engine.connect() as connection:
            row = connection.execute(select(*CHANGING).where(runs.c.id == run)).mappings().one_or_none()
        return None if row is None else changing(row)

    def list_runs(self, *, limit: int, before: int | None = None) -> list[dict[str, Any]]:
        """Up to `limit` runs with numbers below `before`, newest first."""
        query = select(runs).order_by(runs.c.id.desc()).limit(limit)
        return self._runs(query if before is None else query.where(runs.c.id < before))

    def race_runs(self, race: int) -> list[dict[str, Any]]:
        """The runs of a race, oldest first; none if it is unknown."""
        return self._runs(select(runs).where(runs.c.race == race).order_by(runs.c.id))

    def events(self, run: int, *, after: int = 0, limit: int = 1000, short: bool = False) -> list[dict[str, Any]]:
        """Up to `limit` events of `run` with `seq` > `after`, in order; `short` as from `brief`."""
        columns = BRIEF_EVENT if short else events.columns
        query = select(*columns).where(events.c.run == run, events.c.seq > after).order_by(events.c.seq).limit(limit)
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def waiting(self) -> int:
        """The number of queued runs."""
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).where(runs.c.state == RunState.QUEUED)) or 0

    def expired(self) -> list[Lease]:
        """The expired leases."""
        time = self.time()
        return [lease for lease, end in self.leases().items() if end < time]

    def time(self) -> float:
        """The database's time, in seconds since 1970."""
        with self.engine.connect() as connection:
            return float(connection.scalar(select(seconds())) or 0.0)

    def leases(self) -> dict[Lease, float]:
        """All leases, and the time of each one's end, in seconds since 1970, by the database's clock."""
        query = select(runs.c.id, runs.c.attempt, runs.c.lease).order_by(runs.c.id)
        held = query.where(runs.c.state == RunState.RUNNING, runs.c.lease.is_not(None))
        with self.engine.connect() as connection:
            return {Lease(row.id, row.attempt): row.lease for row in connection.execute(held)}

    def gives_way(self, run: int, epochs: int) -> bool:
        """True if a run of a race is to let another go on after `epochs` epochs.

        The other is of no race, or of the same one with fewer epochs.
        """
        race = select(runs.c.race).where(runs.c.id == run).scalar_subquery()
        others = select(runs.c.race, runs.c.checkpoint).where(
            runs.c.state == RunState.QUEUED, or_(runs.c.race == race, runs.c.race.is_(None))
        )
        with self.engine.connect() as connection:
            return any(row.race is None or _epochs_done(row.checkpoint) < epochs for row in connection.execute(others))

    def look(self, numbers: Collection[int]) -> dict[int, Look]:
        """The state of several runs, in two queries; unknown ones are missing."""
        with self.engine.connect() as connection:
            found = connection.execute(select(runs.c.id, *CHANGING).where(runs.c.id.in_(numbers))).mappings().all()
            active: Sequence[Row[Any, Any, Any]] = []
            if any(row["state"] == RunState.QUEUED for row in found):
                columns = select(runs.c.id, runs.c.state, runs.c.race).order_by(runs.c.id)
                active = connection.execute(columns.where(runs.c.state.in_([RunState.RUNNING, RunState.QUEUED]))).all()
        trained = [row.id for row in active if row.state == RunState.RUNNING]
        waiting = [row.id for row in active if row.state == RunState.QUEUED and row.race is None]
        return {
            row["id"]: Look(
                changing(row), [*trained, *waiting[: waiting.index(row["id"])]] if row["id"] in waiting else []
            )
            for row in found
        }

    def event_types(self, run: int) -> set[str]:
        """The types of the events of `run`."""
        with self.engine.connect() as connection:
            return set(connection.scalars(select(events.c.type).where(events.c.run == run).distinct()))

    def all_ids(self) -> set[int]:
        """The numbers of all runs, after the current write transactions."""
        with writing(self.engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("LOCK TABLE runs IN SHARE MODE")
            return set(connection.scalars(select(runs.c.id)))

    def _runs(self, query: Select[Any]) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return run_views(connection, query)

    # Writing, by a server

    def add(self, config: RunConfig, *, checkpoint: Callable[[int], str] | None = None, **remarks: Any) -> int:
        """Queue a new run and return its number.

        `checkpoint` maps the number to the name of the checkpoint to start from; `remarks` are tags and a note.
        """
        with writing(self.engine) as connection:
            run = queue(connection, config.model_dump(mode="json"), remarks)
            if checkpoint is not None:
                connection.execute(update(runs).where(runs.c.id == run).values(checkpoint=checkpoint(run)))
        return run

    def add_race(self, configs: Sequence[RunConfig], tags: Callable[[int], list[str]]) -> list[int]:
        """Queue several runs, all or none; `tags` maps the first one's number to their common tags."""
        with writing(self.engine) as connection:
            ids = [queue(connection, config.model_dump(mode="json"), {}) for config in configs]
            connection.execute(update(runs).where(runs.c.id.in_(ids)).values(tags=tags(ids[0]), race=ids[0]))
        return ids

    def annotate(self, run: int, remarks: Mapping[str, Any]) -> None:
        """Change the tags or the note of a run. Raises UnknownRunError."""
        with writing(self.engine) as connection:
            _state(connection, run)
            connection.execute(update(runs).where(runs.c.id == run).values(dict(remarks)))

    def rename_model(self, name: str, new: str) -> None:
        """Update a model's name in the runs that saved it."""
        with writing(self.engine) as connection:
            connection.execute(update(runs).where(runs.c.model == name).values(model=new))

    def claim(self, owner: str, run: int | None = None) -> Lease | None:
        """Lease the next queued run, or `run` if it is queued, to `owner`; None if there is none.

        The oldest that is of no race is next, then the oldest race, of whose runs the one with the fewest epochs.
        """
        take = (
            update(runs)
            .values(
                state=RunState.RUNNING,
                owner=owner,
                attempt=runs.c.attempt + 1,
                appended=0,
                lease=seconds() + self.lease_seconds,
                started=func.coalesce(runs.c.started, now()),
            )
            .returning(runs.c.id, runs.c.attempt)
        )
        with writing(self.engine) as connection:
            chosen = _next(connection) if run is None else run
            row = connection.execute(take.where(runs.c.id == chosen, runs.c.state == RunState.QUEUED)).one_or_none()
        return None if row is None else Lease(row.id, row.attempt)

    def request_pause(self, run: int) -> None:
        """Pause a queued run, ask a running one to pause, and leave any other, or one that is to end, unchanged.

        Raises UnknownRunError.
        """
        with writing(self.engine) as connection:
            state = _state(connection, run)
            if connection.scalar(select(runs.c.cancel_requested).where(runs.c.id == run)):
                return
            if state == RunState.QUEUED and transition(connection, run, RunState.PAUSED):
                append(connection, run, "paused", {})
            elif state == RunState.RUNNING:
                connection.execute(update(runs).where(runs.c.id == run).values(pause_requested=True))

    def request_resume(self, run: int) -> None:
        """Queue a paused run, withdraw a request to pause, and leave any other run unchanged.

        Raises UnknownRunError.
        """
        with writing(self.engine) as connection:
            state = _state(connection, run)
            if state == RunState.PAUSED and transition(connection, run, RunState.QUEUED):
                append(connection, run, "resumed", {})
            elif state == RunState.RUNNING:
                connection.execute(update(runs).where(runs.c.id == run).values(pause_requested=False))

    def request_cancel(self, run: int, *, keep_model: bool = False, saved: Mapping[str, Any] | None = None) -> bool:
        """Cancel a waiting run, ask a running one to end, and leave an ended one unchanged.

        With `keep_model` a running one is asked to save its best model first; for a waiting one, `saved` has the saved
        model, or the reason why there is none. Returns False and changes nothing if the caller must save the model
        first. Raises UnknownRunError.
        """
        with writing(self.engine) as connection:
            state = _state(connection, run)
            if state == RunState.RUNNING:
                request = {"cancel_requested": True, **({"keep_model": True} if keep_model else {})}
                connection.execute(update(runs).where(runs.c.id == run).values(request))
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

    def release(self, lease: Lease) -> None:
        """Take a run from a stopped worker, without counting a death; do nothing if the lease is lost."""
        with writing(self.engine) as connection:
            row = _held(connection, lease)
            if row is not None:
                _let_go(connection, lease, row)

    def reclaim_dead(self, lease: Lease, how: Message) -> None:
        """Take a run from a dead worker: queue it again, or end it if that was requested.

        It fails after LARGEST_DEATHS deaths without a finished epoch; `how` describes this one. Do nothing if the lease
        is lost.
        """
        with writing(self.engine) as connection:
            row = _held(connection, lease)
            if row is None:
                return
            deaths = row.deaths + 1
            error = Message("the training process died {deaths} times, the last time: {how}", deaths=deaths, how=how)
            if deaths < LARGEST_DEATHS:
                _let_go(connection, lease, row, deaths=deaths)
            elif row.cancel_requested:
                _end(connection, lease, RunState.CANCELLED, {"not_kept": error} if row.keep_model else {})
            else:
                _end(connection, lease, RunState.FAILED, {"reason": "process"}, error=error)

    def delete(self, run: int) -> None:
        """Delete an ended run and its events. Raises UnknownRunError, NotEndedError."""
        with writing(self.engine) as connection:
            state = _state(connection, run)
            if state not in ENDED:
                raise NotEndedError("run {run} has not ended; cancel it first", run=run)
            connection.execute(delete(events).where(events.c.run == run))
            connection.execute(delete(runs).where(runs.c.id == run))

    # Writing, by a worker: fenced by its lease

    def append(
        self, lease: Lease, kind: str, data: Mapping[str, Any], *, number: int | None = None, **columns: Any
    ) -> None:
        """Append an event of the worker with the lease, and set columns of its run. Raises FencedError.

        `number` counts the events of the lease from 1. One that is in the log already is not appended again: the answer
        to its commit may have been lost.
        """
        with writing(self.engine) as connection:
            if number is not None:
                if has_appended(connection, lease, number):
                    return
                columns["appended"] = number
            fence(connection, lease, columns)
            append(connection, lease.run, kind, data)

    def pause(self, lease: Lease, data: Mapping[str, Any], **columns: Any) -> bool:
        """Pause the worker's run, if that is still requested; return True if it is. Raises FencedError."""
        with writing(self.engine) as connection:
            fence(connection, lease, columns)
            row = _held(connection, lease)
            if row is None or row.cancel_requested or not row.pause_requested:
                return False
            transition(connection, lease.run, RunState.PAUSED, attempt=lease.attempt)
            append(connection, lease.run, "paused", data)
            return True

    def hand_back(self, lease: Lease, **columns: Any) -> None:
        """Queue the worker's run again, or do what is requested. Raises FencedError."""
        with writing(self.engine) as connection:
            fence(connection, lease, columns)
            row = _held(connection, lease)
            assert row is not None
            _let_go(connection, lease, row)

    def finish(self, lease: Lease, state: RunState, data: Mapping[str, Any], *, error: Message | None = None) -> None:
        """End the worker's run. Raises FencedError."""
        with writing(self.engine) as connection:
            fence(connection, lease, {})
            _end(connection, lease, state, data, error=error)

    def heartbeat(self, lease: Lease, progress: Mapping[str, Any] | None) -> ControlFlags:
        """Renew the worker's lease, store its progress, and return the requests to it. Raises FencedError."""
        with writing(self.engine) as connection:
            fence(connection, lease, {"lease": seconds() + self.lease_seconds, "progress": progress})
            columns = (runs.c.cancel_requested, runs.c.pause_requested, runs.c.keep_model)
            return ControlFlags(*connection.execute(select(*columns).where(runs.c.id == lease.run)).one())


def _next(connection: Connection) -> int | None:
    """The queued run that is next."""
    queued = runs.c.state == RunState.QUEUED
    singles = select(runs.c.id).where(queued, runs.c.race.is_(None)).order_by(runs.c.id).limit(1)
    single = connection.scalar(singles.with_for_update(skip_locked=True))  # others claim others
    if single is not None:
        return int(single)
    first = select(func.min(runs.c.race)).where(queued).scalar_subquery()
    waiting = select(runs.c.id, runs.c.checkpoint).where(queued, runs.c.race == first)
    found = [(_epochs_done(row.checkpoint), row.id) for row in connection.execute(waiting)]
    return min(found)[1] if found else None


def _epochs_done(checkpoint: str | None) -> int:
    """The completed epochs, from a checkpoint's name, `run.attempt.epoch.batch.safetensors`; 0 for any other name."""
    epoch = [*(checkpoint or "").split("."), "", "", ""][2]
    return int(epoch) if epoch.isascii() and epoch.isdecimal() else 0


def _state(connection: Connection, run: int) -> str:
    state = connection.scalar(select(runs.c.state).where(runs.c.id == run).with_for_update())
    if state is None:
        raise UnknownRunError("there is no run {run}", run=run)
    return str(state)


def _held(connection: Connection, lease: Lease) -> Row[Any, Any, Any, Any, Any] | None:
    """The requests to the leased run, and its deaths; None if the lease is lost."""
    columns = (runs.c.deaths, runs.c.cancel_requested, runs.c.pause_requested, runs.c.keep_model, runs.c.checkpoint)
    held = and_(runs.c.id == lease.run, runs.c.attempt == lease.attempt, runs.c.state == RunState.RUNNING)
    return connection.execute(select(*columns).where(held).with_for_update()).one_or_none()


def _let_go(connection: Connection, lease: Lease, row: Row[Any, Any, Any, Any, Any], **columns: Any) -> None:
    """Take a run from its worker: queue it again, or do what was requested."""
    must_save = row.keep_model and row.checkpoint is not None  # another worker saves the model, and then cancels
    if row.cancel_requested and not must_save:
        _end(connection, lease, RunState.CANCELLED, {})
    elif row.pause_requested and not row.cancel_requested:
        if transition(connection, lease.run, RunState.PAUSED, attempt=lease.attempt, **columns):
            append(connection, lease.run, "paused", {})
    else:
        transition(connection, lease.run, RunState.QUEUED, attempt=lease.attempt, **columns)


def _end(
    connection: Connection, lease: Lease, state: RunState, data: Mapping[str, Any], *, error: Message | None = None
) -> None:
    if transition(connection, lease.run, state, attempt=lease.attempt, error=error):
        append(connection, lease.run, state.value, data if error is None else {**data, "error": error})
