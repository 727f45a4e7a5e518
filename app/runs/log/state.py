"""The states of a run, and the one table of allowed moves."""

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


MOVES: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING, State.PAUSED, State.FAILED, State.CANCELLED}),
    State.RUNNING: frozenset({State.QUEUED, State.PAUSED, State.SUCCEEDED, State.FAILED, State.CANCELLED}),
    State.PAUSED: frozenset({State.QUEUED, State.FAILED, State.CANCELLED}),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}

ENDED = frozenset(state for state, moves in MOVES.items() if not moves)


def has_stopped(state: State) -> bool:
    """Whether nothing more comes of a run in this state by itself."""
    return state in ENDED or state == State.PAUSED


def sources(target: State) -> list[State]:
    """The states from which a run may move to `target`."""
    return [state for state, moves in MOVES.items() if target in moves]
