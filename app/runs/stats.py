"""Statistics of the runs, from the log and the checkpoints."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.runs.log.database import runs
from app.runs.log.event_log import EventLog
from app.runs.log.state import RunState
from app.runs.training.checkpoints import Checkpoints


@dataclass(frozen=True)
class QueueStats:
    """The number of runs by state, the lag of readers, and the ages of running runs' checkpoints, both in seconds."""

    runs: dict[RunState, int]
    log_lag: float
    checkpoint_ages: dict[int, float]


def queue_stats(log: EventLog, checkpoints: Checkpoints, delivered: Mapping[int, int]) -> QueueStats:
    """Compute the statistics; `delivered` is the last `seq` of each followed run that readers got.

    A run that is deleted in the meantime is left out. Raises the database's errors.
    """
    by_state = select(runs.c.state, func.count()).group_by(runs.c.state)
    training = select(runs.c.id, runs.c.checkpoint).where(
        runs.c.state == RunState.RUNNING, runs.c.checkpoint.is_not(None)
    )
    ahead = select(runs.c.id, runs.c.last_seq).where(runs.c.id.in_(delivered))
    with log.engine.connect() as connection:
        counts = {RunState(state): count for state, count in connection.execute(by_state)}
        names = {row.id: row.checkpoint for row in connection.execute(training)}
        behind = [run for run, seq in connection.execute(ahead) if seq > delivered[run]]
    now = time.time()
    waiting = [_next_event_time(log, run, delivered[run]) for run in behind]
    written = {run: checkpoints.written(name) for run, name in names.items()}
    return QueueStats(
        runs={state: counts.get(state, 0) for state in RunState},
        log_lag=max((now - since for since in waiting if since is not None and since < now), default=0.0),
        checkpoint_ages={run: max(0.0, now - at) for run, at in written.items() if at is not None},
    )


def _next_event_time(log: EventLog, run: int, seq: int) -> float | None:
    """The time of the first event after `seq`, in seconds since 1970; None if there is none."""
    events = log.events(run, after=seq, limit=1)
    return datetime.fromisoformat(events[0]["time"]).timestamp() if events else None
