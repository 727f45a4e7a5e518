"""Whatever is asked of a run, in any order and by whomever: its log stays whole, and it ends once."""

import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from app.runs.config.run_config import request_config
from app.runs.log.event_log import EventLog, NotEndedError, UnknownRunError
from app.runs.log.state import ENDED, MOVES, RunState
from app.runs.log.transitions import FencedError, Lease

CONFIG = request_config({"recipe": "quick"})
SAID_BY_A_MOVE = {"queued", "paused", "resumed", "succeeded", "failed", "cancelled"}


class RunsMachine(RuleBasedStateMachine):
    """Servers, workers and people who all use one log; `held` is what the claims should be worth."""

    runs = Bundle("runs")
    claims = Bundle("claims")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.log = EventLog(f"sqlite:///{Path(self.folder.name) / 'log.sqlite3'}")
        self.seen = {}  # run → its state when last looked at
        self.held = {}  # run → the claim that may write

    def teardown(self):
        self.log.close()
        self.folder.cleanup()

    # people

    @rule(target=runs)
    def add(self):
        run = self.log.add(CONFIG)
        self.seen[run] = RunState.QUEUED
        return run

    @rule(run=runs)
    def ask_to_pause(self, run):
        self._ask(self.log.request_pause, run)

    @rule(run=runs)
    def ask_to_resume(self, run):
        self._ask(self.log.request_resume, run)

    @rule(run=runs, keep=st.booleans())
    def ask_to_cancel(self, run, keep):
        self._ask(lambda run: self.log.request_cancel(run, keep_model=keep), run)

    @rule(run=runs)
    def delete(self, run):
        try:
            self.log.delete(run)
        except NotEndedError:
            assert self.seen[run] not in ENDED
        except UnknownRunError:
            assert run not in self.seen
        else:
            assert self.seen.pop(run) in ENDED
            self.held.pop(run, None)

    def _ask(self, ask, run):
        try:
            ask(run)
        except UnknownRunError:
            assert run not in self.seen

    # servers

    @rule(target=claims)
    def claim(self):
        claim = self.log.claim("a server")
        if claim is None:
            return multiple()
        assert self.seen[claim.run] == RunState.QUEUED
        self.held[claim.run] = claim
        return claim

    @rule(claim=claims)
    def give_up(self, claim):
        self.log.reclaim_dead(claim, "it was silent")
        self._lost(claim)

    @rule(claim=claims)
    def release(self, claim):
        self.log.release(claim)
        self._lost(claim)

    def _lost(self, claim):
        if self.held.get(claim.run) == claim:
            del self.held[claim.run]

    # workers, some of which were given up for dead

    @rule(claim=claims)
    def renew(self, claim):
        self._write(claim, lambda: self.log.heartbeat(claim, {"epoch": 1}))

    @rule(claim=claims, kind=st.sampled_from(["started", "epoch", "evaluated", "model_saved"]))
    def say(self, claim, kind):
        self._write(claim, lambda: self.log.append(claim, kind, {"epoch": 1}, checkpoint="a"))

    @rule(claim=claims)
    def pause(self, claim):
        if self._write(claim, lambda: self.log.pause(claim, {}, checkpoint="b")):
            self._lost(claim)

    @rule(claim=consumes(claims))
    def leave(self, claim):
        self._write(claim, lambda: self.log.hand_back(claim, checkpoint="c"))
        self._lost(claim)

    @rule(claim=claims, state=st.sampled_from(sorted(ENDED)))
    def finish(self, claim, state):
        self._write(claim, lambda: self.log.finish(claim, state, {}))
        self._lost(claim)

    def _write(self, claim, write):
        before = self.log.events(claim.run)
        try:
            result = write()
        except FencedError:
            assert self.held.get(claim.run) != claim
            assert self.log.events(claim.run) == before
            return None
        assert self.held.get(claim.run) == claim
        return result

    # what always holds

    @invariant()
    def logs_are_whole(self):
        for run, before in list(self.seen.items()):
            row, events = self.log.run(run), self.log.events(run)
            state = RunState(row["state"])
            assert [event["seq"] for event in events] == list(range(1, row["last_seq"] + 1))
            ends = [event["type"] for event in events if event["type"] in ENDED]
            assert ends == ([state] if state in ENDED else [])
            assert not ends or events[-1]["type"] == state
            assert before not in ENDED or state == before
            assert _is_reachable(before, state)
            self.seen[run] = state
            moves = [event["type"] for event in events if event["type"] in SAID_BY_A_MOVE]
            assert all(one != other for one, other in pairwise(moves))
            assert (run in self.held) == (state == RunState.RUNNING)
            assert state == RunState.RUNNING or not row["pause_requested"]
            assert state in (RunState.QUEUED, RunState.RUNNING, *ENDED) or not row["cancel_requested"]

    @invariant()
    def one_attempt_holds_each_run(self):
        for run, claim in self.held.items():
            assert claim == Lease(run, self.log.run(run)["attempt"])


def _is_reachable(before, after):
    """Whether one command can lead from `before` to `after`: two moves at most (given up, and what was asked for)."""
    return after == before or after in MOVES[before] or any(after in MOVES[middle] for middle in MOVES[before])


class TestRuns(RunsMachine.TestCase):
    settings = hypothesis_settings(max_examples=8, stateful_step_count=40, deadline=None)


@pytest.mark.slow
class TestManyRuns(RunsMachine.TestCase):
    settings = hypothesis_settings(max_examples=60, stateful_step_count=60, deadline=None)
