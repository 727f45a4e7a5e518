"""The states of a run, and their transitions."""

from enum import StrEnum


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


MOVES: dict[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.PAUSED, RunState.FAILED, RunState.CANCELLED}),
    RunState.RUNNING: frozenset(
        {RunState.QUEUED, RunState.PAUSED, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}
    ),
    RunState.PAUSED: frozenset({RunState.QUEUED, RunState.FAILED, RunState.CANCELLED}),
    RunState.SUCCEEDED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}

ENDED = frozenset(state for state, moves in MOVES.items() if not moves)


def has_stopped(state: RunState) -> bool:
    """True if a run in this state does not change by itself."""
    return state in ENDED or state == RunState.PAUSED


def sources(target: RunState) -> list[RunState]:
    """The states from which a run may move to `target`."""
    return [state for state, moves in MOVES.items() if target in moves]
