"""The log: contiguous, committed, fenced, and with one end to every run."""

import threading

import pytest

from app.runs.config import request_config
from app.runs.log import Claim, FencedError, Log, NotEndedError, UnknownRunError
from app.runs.states import ENDED, MOVES, State

CONFIG = request_config({"recipe": "quick"})


@pytest.fixture
def log(tmp_path):
    opened = Log(f"sqlite:///{tmp_path / 'log.sqlite3'}")
    yield opened
    opened.close()


def types(log, run):
    return [event["type"] for event in log.events(run)]


def test_a_run_waits_is_claimed_once_and_ends_once(log):
    run = log.add(CONFIG)
    assert log.run(run)["state"] == "queued"
    claim = log.claim("me")
    assert claim == Claim(run, 1)
    assert log.claim("you") is None
    log.say(claim, "started", {"parameters": 1})
    log.finish(claim, State.SUCCEEDED, {})
    with pytest.raises(FencedError):
        log.finish(claim, State.FAILED, {})
    assert not log.end(run, State.FAILED, error="late")
    assert types(log, run) == ["queued", "started", "succeeded"]
    assert [event["seq"] for event in log.events(run)] == [1, 2, 3]


def test_the_oldest_waiting_run_goes_first(log):
    runs = [log.add(CONFIG) for _ in range(3)]
    assert [log.claim("me").run for _ in runs] == runs


def test_many_claimants_get_one_run_each(log):
    runs = {log.add(CONFIG) for _ in range(20)}
    claims = []

    def take():
        while (claim := log.claim("me")) is not None:
            claims.append(claim.run)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claims) == sorted(runs)


def test_seq_is_contiguous_when_many_write(log):
    run = log.add(CONFIG)
    claim = log.claim("me")

    def speak():
        for _ in range(25):
            log.say(claim, "epoch", {})

    threads = [threading.Thread(target=speak) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event["seq"] for event in log.events(run)] == list(range(1, 102))
    assert log.run(run)["last_seq"] == 101


def test_a_worker_that_lost_its_run_writes_nothing(log):
    run = log.add(CONFIG)
    claim = log.claim("me")
    stale = Claim(run, claim.attempt - 1)
    for write in (
        lambda: log.say(stale, "epoch", {}),
        lambda: log.renew(stale, {"epoch": 1}),
        lambda: log.finish(stale, State.SUCCEEDED, {}),
    ):
        with pytest.raises(FencedError):
            write()
    log.end(run, State.FAILED, error="gone")
    with pytest.raises(FencedError):
        log.say(claim, "epoch", {})
    assert types(log, run) == ["queued", "failed"]
    assert log.run(run)["error"] == "gone"


def test_progress_is_a_column_and_not_an_event(log):
    run = log.add(CONFIG)
    claim = log.claim("me")
    assert log.renew(claim, {"epoch": 1}) is False
    assert log.run(run)["progress"] == {"epoch": 1}
    assert types(log, run) == ["queued"]
    log.finish(claim, State.SUCCEEDED, {})
    assert log.run(run)["progress"] is None


def test_cancelling_is_idempotent_in_every_state(log):
    waiting, working = log.add(CONFIG), log.add(CONFIG)
    claim = log.claim("me")
    assert claim.run == waiting
    log.request_cancel(working)
    log.request_cancel(working)
    assert log.run(working)["state"] == "cancelled"
    assert types(log, working) == ["queued", "cancelled"]
    log.request_cancel(waiting)
    log.request_cancel(waiting)
    assert log.run(waiting)["state"] == "running"
    assert log.renew(claim, None) is True
    log.finish(claim, State.CANCELLED, {})
    log.request_cancel(waiting)
    assert types(log, waiting) == ["queued", "cancelled"]


def test_only_an_ended_run_is_deleted_and_its_number_is_not_used_again(log):
    run = log.add(CONFIG)
    with pytest.raises(NotEndedError, match=f"run {run} is queued; cancel it first"):
        log.delete(run)
    log.request_cancel(run)
    log.delete(run)
    assert log.events(run) == []
    with pytest.raises(UnknownRunError):
        log.delete(run)
    assert log.add(CONFIG) > run


def test_a_run_shows_its_last_epoch_and_its_test_accuracy(log):
    run = log.add(CONFIG)
    claim = log.claim("me")
    assert log.run(run)["metrics"] is None
    for epoch in (1, 2):
        log.say(claim, "epoch", {"epoch": epoch, "val_accuracy": epoch / 10})
    log.say(claim, "evaluated", {"test_accuracy": 0.5})
    assert log.run(run)["metrics"]["epoch"] == 2
    assert log.run(run)["test_accuracy"] == 0.5
    assert log.list_runs(limit=5)[0] == log.run(run)


def test_runs_are_listed_newest_first_in_pages(log):
    runs = [log.add(CONFIG) for _ in range(5)]
    assert [row["id"] for row in log.list_runs(limit=2)] == runs[:2:-1]
    assert [row["id"] for row in log.list_runs(limit=9, before=runs[2])] == [runs[1], runs[0]]


def test_events_come_after_a_seq_and_in_pages(log):
    run = log.add(CONFIG)
    claim = log.claim("me")
    for epoch in range(5):
        log.say(claim, "epoch", {"epoch": epoch})
    assert [event["seq"] for event in log.events(run, after=2, limit=3)] == [3, 4, 5]
    assert log.events(run, after=99) == []


def test_a_log_keeps_its_name_and_another_has_another(log, tmp_path):
    again = Log(str(log.engine.url))
    other = Log(f"sqlite:///{tmp_path / 'other.sqlite3'}")
    assert again.id == log.id != other.id
    again.close()
    other.close()


def test_the_table_of_moves_has_three_ends_and_a_way_to_each_state():
    assert {State.SUCCEEDED, State.FAILED, State.CANCELLED} == ENDED
    reached = {State.QUEUED}
    while more := {target for state in reached for target in MOVES[state]} - reached:
        reached |= more
    assert reached == set(State)
