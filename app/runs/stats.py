"""How the runs stand at a moment: counted from the log and the checkpoints, which own the facts."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.runs.log.database import runs
from app.runs.log.event_log import Log
from app.runs.log.state import State
from app.runs.training.checkpoints import Checkpoints


@dataclass(frozen=True)
class Census:
    """`log_lag` is in seconds, as are the ages of the checkpoints of the runs that train, by run."""

    runs: dict[State, int]
    log_lag: float
    checkpoint_ages: dict[int, float]


def take_census(log: Log, checkpoints: Checkpoints, told: Mapping[int, int]) -> Census:
    """Count; `told` is the last `seq` of each followed run that readers were handed.

    A run that is deleted meanwhile is left out. Raises what the database raises.
    """
    by_state = select(runs.c.state, func.count()).group_by(runs.c.state)
    training = select(runs.c.id, runs.c.checkpoint).where(runs.c.state == State.RUNNING, runs.c.checkpoint.is_not(None))
    ahead = select(runs.c.id, runs.c.last_seq).where(runs.c.id.in_(told))
    with log.engine.connect() as connection:
        counts = {State(state): count for state, count in connection.execute(by_state)}
        names = {row.id: row.checkpoint for row in connection.execute(training)}
        behind = [run for run, seq in connection.execute(ahead) if seq > told[run]]
    now = time.time()
    waiting = [_waits_since(log, run, told[run]) for run in behind]
    written = {run: checkpoints.written(name) for run, name in names.items()}
    return Census(
        runs={state: counts.get(state, 0) for state in State},
        log_lag=max((now - since for since in waiting if since is not None and since < now), default=0.0),
        checkpoint_ages={run: max(0.0, now - at) for run, at in written.items() if at is not None},
    )


def _waits_since(log: Log, run: int, seq: int) -> float | None:
    """When the first event after `seq` was written, in seconds since 1970; None where there is none."""
    events = log.events(run, after=seq, limit=1)
    return datetime.fromisoformat(events[0]["time"]).timestamp() if events else None
