"""The log: contiguous, committed, fenced, and with one end to every run."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select, update
from sqlalchemy.exc import IntegrityError

from app.errors import Message
from app.runs.config.run_config import request_config
from app.runs.log import database, migrations
from app.runs.log.database import UNREACHABLE, DatabaseReplacedError, NewerDatabaseError, writing
from app.runs.log.event_log import EventLog, NotEndedError, UnknownRunError
from app.runs.log.migrations import HEAD
from app.runs.log.state import ENDED, MOVES, RunState
from app.runs.log.transitions import FencedError, Lease
from app.runs.log.views import brief

CONFIG = request_config({"recipe": "quick"})


@pytest.fixture
def log(tmp_path, database_url):
    opened = EventLog(database_url or f"sqlite:///{tmp_path / 'log.sqlite3'}")
    yield opened
    opened.close()


@pytest.fixture
def file_log(tmp_path):
    """A log in an SQLite file, `log.sqlite3`."""
    opened = EventLog(f"sqlite:///{tmp_path / 'log.sqlite3'}")
    yield opened
    opened.close()


def types(log, run):
    return [event["type"] for event in log.events(run)]


def test_a_run_waits_is_claimed_once_and_ends_once(log):
    run = log.add(CONFIG)
    assert log.run(run)["state"] == "queued"
    claim = log.claim("me")
    assert claim == Lease(run, 1)
    assert log.claim("you") is None
    log.append(claim, "started", {"parameters": 1})
    log.finish(claim, RunState.SUCCEEDED, {})
    with pytest.raises(FencedError):
        log.finish(claim, RunState.FAILED, {})
    log.reclaim_dead(claim, "late")
    log.release(claim)
    assert log.request_cancel(run)
    assert types(log, run) == ["queued", "started", "succeeded"]
    assert [event["seq"] for event in log.events(run)] == [1, 2, 3]


def test_the_oldest_waiting_run_goes_first(log):
    runs = [log.add(CONFIG) for _ in range(3)]
    assert [log.claim("me").run for _ in runs] == runs


def test_races_come_after_other_runs_and_the_one_with_the_fewest_epochs_is_next(log):
    race = log.add_race([CONFIG] * 3, lambda first: [f"race #{first}"])
    assert [log.run(run)["race"] for run in race] == [race[0]] * 3
    later_race = log.add_race([CONFIG] * 2, lambda first: [f"race #{first}"])
    first = log.claim("me")
    assert first.run == race[0]
    assert log.gives_way(race[0], 1)
    log.hand_back(first, checkpoint=f"{race[0]}.1.1.0.safetensors")
    second = log.claim("me")
    log.hand_back(second, checkpoint=f"{race[1]}.1.10.0.safetensors")
    assert (second.run, log.claim("me").run) == (race[1], race[2])
    assert log.gives_way(race[2], 2)
    assert not log.gives_way(race[2], 1)
    single = log.add(CONFIG)
    assert log.gives_way(race[2], 1)
    assert log.claim("me").run == single
    assert not log.gives_way(single, 99)
    log.request_pause(race[0])
    assert not log.gives_way(race[2], 2)
    assert log.claim("me").run == race[1]
    assert log.claim("me").run == later_race[0]
    log.request_resume(race[0])
    assert log.claim("me").run == race[0]
    assert log.claim("me").run == later_race[1]
    assert log.claim("me") is None


def test_a_waiting_run_knows_the_runs_ahead(log):
    def ahead(run):
        return log.look([run, 1])[run].ahead

    first, second, third = (log.add(CONFIG) for _ in range(3))
    race = log.add_race([CONFIG] * 2, lambda first: [f"race #{first}"])
    assert ahead(first) == []
    assert ahead(third) == [first, second]
    assert log.claim("me", second).run == second
    assert ahead(third) == [second, first]
    assert ahead(race[1]) == []
    log.request_cancel(first)
    assert ahead(third) == [second]
    assert list(log.look([third + 99, third])) == [third]


@pytest.mark.parametrize("name", ["c", "", "1.2", "1.2.x.4", "1.2.-3.4"])
def test_a_strange_name_of_a_checkpoint_does_not_stop_the_queue(log, name):
    run = log.add(CONFIG)
    log.hand_back(log.claim("me"), checkpoint=name)
    assert log.claim("me").run == run


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
            log.append(claim, "epoch", {})

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
    stale = Lease(run, claim.attempt - 1)
    for write in (
        lambda: log.append(stale, "epoch", {}),
        lambda: log.heartbeat(stale, {"epoch": 1}),
        lambda: log.finish(stale, RunState.SUCCEEDED, {}),
        lambda: log.pause(stale, {}),
        lambda: log.hand_back(stale),
    ):
        with pytest.raises(FencedError):
            write()
    log.finish(claim, RunState.FAILED, {}, error="gone")
    with pytest.raises(FencedError):
        log.append(claim, "epoch", {})
    assert types(log, run) == ["queued", "failed"]
    assert log.run(run)["error"] == "gone"


def test_progress_is_a_column_and_not_an_event(log):
    run = log.add(CONFIG)
    claim = log.claim("me")
    assert log.heartbeat(claim, {"epoch": 1}) == (False, False, False)
    assert log.run(run)["progress"] == {"epoch": 1}
    assert types(log, run) == ["queued"]
    log.finish(claim, RunState.SUCCEEDED, {})
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
    assert log.heartbeat(claim, None).cancel is True
    log.finish(claim, RunState.CANCELLED, {})
    log.request_cancel(waiting)
    assert types(log, waiting) == ["queued", "cancelled"]


def test_pausing_and_resuming_are_idempotent_in_every_state(log):
    working, waiting = log.add(CONFIG), log.add(CONFIG)
    claim = log.claim("me")
    for _ in range(2):
        log.request_pause(waiting)
        log.request_pause(working)
    assert types(log, waiting) == ["queued", "paused"]
    assert log.claim("you") is None
    assert log.heartbeat(claim, None).pause
    assert log.pause(claim, {"epoch": 1, "batch": 2}, checkpoint="a")
    assert (log.run(working)["state"], log.run(working)["checkpoint"]) == ("paused", "a")
    with pytest.raises(FencedError):
        log.append(claim, "epoch", {})
    for _ in range(2):
        log.request_resume(working)
        log.request_resume(waiting)
    assert types(log, working) == ["queued", "paused", "resumed"]
    assert log.claim("me") == Lease(working, 2)
    assert not log.run(working)["pause_requested"]
    log.finish(Lease(working, 2), RunState.SUCCEEDED, {})
    log.request_pause(working)
    log.request_resume(working)
    assert types(log, working) == ["queued", "paused", "resumed", "succeeded"]
    for ask in (log.request_pause, log.request_resume, log.request_cancel):
        with pytest.raises(UnknownRunError):
            ask(99)


def test_a_wish_to_pause_that_is_taken_back_in_time_is_none(log):
    run = log.add(CONFIG)
    claim = log.claim("me")
    log.request_pause(run)
    log.request_resume(run)
    assert not log.pause(claim, {}, checkpoint="kept")
    assert types(log, run) == ["queued"]
    assert log.run(run)["checkpoint"] == "kept"


def test_a_run_given_up_waits_again_without_a_word_and_fails_the_third_time(log):
    run = log.add(CONFIG)
    for attempt in (1, 2, 3):
        claim = log.claim("me")
        assert claim == Lease(run, attempt)
        log.reclaim_dead(claim, "signal SIGKILL")
        log.reclaim_dead(claim, "it is not counted twice")
        for write in (
            lambda claim=claim: log.heartbeat(claim, None),
            lambda claim=claim: log.finish(claim, RunState.CANCELLED, {}),
            lambda claim=claim: log.finish(claim, RunState.FAILED, {}),
        ):
            with pytest.raises(FencedError):
                write()
    assert types(log, run) == ["queued", "failed"]
    assert log.run(run)["error"] == "the training process died 3 times, the last time: signal SIGKILL"
    assert log.events(run)[-1]["data"]["reason"] == "process"


def test_a_model_to_be_kept_that_three_workers_died_of_is_said_to_be_lost(log):
    run = log.add(CONFIG)
    for attempt in (1, 2, 3):
        claim = log.claim("me")
        log.append(claim, "note", {}, checkpoint="one")
        if attempt == 1:
            log.request_cancel(run, keep_model=True)
        log.reclaim_dead(claim, "signal SIGKILL")
    last = log.events(run)[-1]
    lost = "the training process died 3 times, the last time: signal SIGKILL"
    assert (last["type"], last["data"]) == ("cancelled", {"not_kept": lost})


@pytest.mark.parametrize(
    ("ask", "state", "said"),
    [("request_cancel", "cancelled", "cancelled"), ("request_pause", "paused", "paused")],
)
def test_a_run_given_up_does_what_was_asked_of_it(log, ask, state, said):
    run = log.add(CONFIG)
    claim = log.claim("me")
    getattr(log, ask)(run)
    log.reclaim_dead(claim, "signal SIGKILL")
    assert log.run(run)["state"] == state
    assert types(log, run) == ["queued", said]


@pytest.mark.parametrize("let_go", ["release", "hand_back", "reclaim_dead"])
@pytest.mark.parametrize(
    ("asked", "state"), [("pause", "paused"), ("cancel", "cancelled"), ("both", "cancelled"), ("keep", "queued")]
)
def test_what_was_asked_of_a_run_is_not_forgotten_when_its_worker_lets_it_go(log, let_go, asked, state):
    run = log.add(CONFIG)
    claim = log.claim("me")
    log.append(claim, "epoch", {}, checkpoint="a")
    if asked in ("pause", "both"):
        log.request_pause(run)
    if asked != "pause":
        log.request_cancel(run, keep_model=asked == "keep")
    getattr(log, let_go)(*([claim, "it died"] if let_go == "reclaim_dead" else [claim]))
    assert log.run(run)["state"] == state
    if asked == "keep":  # the next worker saves the model and cancels
        assert log.heartbeat(log.claim("me"), None) == (True, False, True)


def test_a_run_that_is_to_be_cancelled_is_not_paused_instead(log):
    run = log.add(CONFIG)
    claim = log.claim("me")
    log.request_pause(run)
    log.request_cancel(run)
    assert not log.pause(claim, {}, checkpoint="a")
    assert log.run(run)["state"] == "running"


def test_a_run_that_waits_to_save_its_model_and_end_is_not_paused(log):
    run = log.add(CONFIG)
    claim = log.claim("me")
    log.append(claim, "epoch", {}, checkpoint="a")
    log.request_cancel(run, keep_model=True)
    log.reclaim_dead(claim, "it died")
    log.request_pause(run)
    assert log.run(run)["state"] == "queued"


def test_deaths_count_while_nothing_comes_of_it(log):
    run = log.add(CONFIG)
    for _ in range(4):
        claim = log.claim("me")
        log.append(claim, "epoch", {}, deaths=0)
        log.reclaim_dead(claim, "signal SIGKILL")
    assert log.run(run)["state"] == "queued"


def test_a_model_that_is_to_be_kept_must_be_saved_first(log):
    run = log.add(CONFIG)
    log.hand_back(log.claim("me"), checkpoint="a")
    assert not log.request_cancel(run, keep_model=True)
    assert log.run(run)["state"] == "queued"
    assert log.request_cancel(run, keep_model=True, saved={"model": "m"})
    assert types(log, run) == ["queued", "model_saved", "cancelled"]


def test_a_run_put_back_is_not_counted_as_dead(log):
    run = log.add(CONFIG)
    for _ in range(5):
        log.release(log.claim("me"))
    claim = log.claim("me")
    log.hand_back(claim, checkpoint="b")
    assert (log.run(run)["state"], log.run(run)["checkpoint"]) == ("queued", "b")
    assert types(log, run) == ["queued"]


def test_leases_that_ran_out_are_found(log, monkeypatch):
    silent, alive = log.add(CONFIG), log.add(CONFIG)
    log.lease_seconds = -1.0
    first = log.claim("me")
    log.lease_seconds = 15.0
    log.claim("me")
    assert log.expired() == [first] == [Lease(silent, 1)]
    log.heartbeat(first, None)
    assert log.expired() == []
    assert alive


@pytest.mark.parametrize("replaced", [False, True])
def test_nothing_is_written_to_a_database_whose_file_was_removed_until_it_is_back(file_log, tmp_path, replaced):
    run = file_log.add(CONFIG)
    file, away = tmp_path / "log.sqlite3", tmp_path / "away"
    file.rename(away)
    if replaced:
        file.touch()
    for call in (lambda: file_log.add(CONFIG), lambda: file_log.run(run), lambda: file_log.claim("me")):
        with pytest.raises(DatabaseReplacedError, match="moved, removed or replaced"):
            call()
    file_log.engine.dispose()  # a new connection would create a new file
    with pytest.raises(DatabaseReplacedError):
        file_log.add(CONFIG)
    assert file.exists() == replaced
    away.rename(file)
    assert file_log.add(CONFIG) == run + 1


def test_after_the_loss_of_its_last_writes_file_a_database_takes_nothing_and_a_restart_has_all(file_log, tmp_path):
    runs = [file_log.add(CONFIG) for _ in range(3)]
    file_log.run(runs[0])
    (tmp_path / "log.sqlite3-wal").unlink()
    with pytest.raises(DatabaseReplacedError):
        file_log.add(CONFIG)
    file_log.close()
    again = EventLog(f"sqlite:///{tmp_path / 'log.sqlite3'}")
    assert (again.id, sorted(row["id"] for row in again.list_runs(limit=9))) == (file_log.id, runs)
    again.close()


def test_a_young_log_keeps_its_name_and_tables_without_the_file_of_its_last_writes(file_log, tmp_path):
    (tmp_path / "copy.sqlite3").write_bytes((tmp_path / "log.sqlite3").read_bytes())  # as after a kill, the -wal lost
    copy = EventLog(f"sqlite:///{tmp_path / 'copy.sqlite3'}")
    assert (copy.id, copy.list_runs(limit=9)) == (file_log.id, [])
    assert copy.add(CONFIG) == 1
    copy.close()


def test_what_was_written_is_in_the_file_alone_after_a_checkpoint(file_log, tmp_path):
    runs = [file_log.add(CONFIG) for _ in range(3)]
    with file_log.engine.begin():  # a reader is in nobody's way
        file_log.checkpoint()
    (tmp_path / "copy.sqlite3").write_bytes((tmp_path / "log.sqlite3").read_bytes())
    copy = EventLog(f"sqlite:///{tmp_path / 'copy.sqlite3'}")
    assert sorted(row["id"] for row in copy.list_runs(limit=9)) == runs
    copy.close()


FIRST_SCHEMA = """
CREATE TABLE runs (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, state VARCHAR(16) NOT NULL, config JSON NOT NULL,
    attempt INTEGER NOT NULL, owner VARCHAR(36), lease FLOAT, cancel_requested BOOLEAN NOT NULL, progress JSON,
    last_seq INTEGER NOT NULL, created VARCHAR(32) NOT NULL, started VARCHAR(32), ended VARCHAR(32), error TEXT,
    model VARCHAR(64)
);
CREATE TABLE events (
    run INTEGER NOT NULL, seq INTEGER NOT NULL, type VARCHAR(16) NOT NULL, time VARCHAR(32) NOT NULL,
    data JSON NOT NULL, PRIMARY KEY (run, seq), FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
);
CREATE TABLE about ("key" VARCHAR(16) NOT NULL, value VARCHAR(64) NOT NULL, PRIMARY KEY ("key"));
CREATE INDEX ix_runs_state ON runs (state);
INSERT INTO about VALUES ('log', '7a0c8be9-66f0-4fb2-a1a4-9c7f1d0f6a55');
INSERT INTO runs VALUES (
    1, 'failed', '{"recipe": "quick", "dataset": "strokes", "epochs": 2}', 1, NULL, NULL, 0, NULL, 2,
    '2026-11-21T10:24:09.000Z', '2026-11-21T10:24:10.000Z', '2026-11-21T10:24:11.000Z', 'the loss is no number', NULL
);
INSERT INTO events VALUES (1, 1, 'queued', '2026-11-21T10:24:09.000Z', '{}');
INSERT INTO events VALUES (1, 2, 'failed', '2026-11-21T10:24:11.000Z', '{"error": "the loss is no number"}');
"""
"""The database of the first version with a log, by commit 2c3cc40: no column has a default."""


def test_a_database_of_the_first_version_is_read_and_takes_runs(tmp_path):
    with closing(sqlite3.connect(tmp_path / "old.sqlite3")) as connection:
        connection.executescript(FIRST_SCHEMA)
    log = EventLog(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    assert log.id == "7a0c8be9-66f0-4fb2-a1a4-9c7f1d0f6a55"
    assert (log.run(1)["state"], log.run(1)["error"]) == ("failed", "the loss is no number")
    assert types(log, 1) == ["queued", "failed"]
    run = log.add(CONFIG)
    claim = log.claim("me")
    log.append(claim, "started", {})
    log.request_pause(run)
    assert log.pause(claim, {}, checkpoint="c")
    log.request_cancel(run)
    assert types(log, run) == ["queued", "started", "paused", "cancelled"]
    log.close()


def schema(engine):
    """The tables with their columns and indices, as the database tells them."""
    found = inspect(engine)
    return {
        table: (
            sorted((one["name"], str(one["type"]), one["nullable"]) for one in found.get_columns(table)),
            sorted((one["name"], tuple(one["column_names"])) for one in found.get_indexes(table)),
        )
        for table in found.get_table_names()
    }


def test_a_database_that_was_brought_up_has_the_tables_of_a_new_one(file_log, tmp_path):
    with closing(sqlite3.connect(tmp_path / "old.sqlite3")) as connection:
        connection.executescript(FIRST_SCHEMA)
    old = EventLog(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    assert schema(old.engine) == schema(file_log.engine)
    with old.engine.connect() as connection:
        assert connection.scalar(select(database.version.c.version_num)) == HEAD
    old.close()


def test_the_last_step_is_the_version_of_the_tables():
    steps = ScriptDirectory(str(Path(migrations.__file__).parent / "alembic"))
    assert steps.get_heads() == [HEAD]


@pytest.mark.parametrize("found", ["99", "later"])
def test_a_newer_database_is_refused_in_plain_words_and_left_as_it_is(file_log, tmp_path, found):
    with file_log.engine.begin() as connection:
        connection.execute(update(database.version).values(version_num=found))
    file_log.checkpoint()
    with pytest.raises(NewerDatabaseError, match="written by a newer version of digitpad"):
        EventLog(f"sqlite:///{tmp_path / 'log.sqlite3'}")
    with file_log.engine.connect() as connection:
        assert connection.scalar(select(database.version.c.version_num)) == found


def test_an_event_whose_commit_got_no_answer_is_not_appended_twice(log):
    run = log.add(CONFIG)
    claim = log.claim("me")
    log.append(claim, "started", {}, number=1)
    for _ in range(2):
        log.append(claim, "epoch", {"epoch": 1}, number=2, checkpoint="c")
    assert types(log, run) == ["queued", "started", "epoch"]
    assert log.run(run)["checkpoint"] == "c"
    log.hand_back(claim)
    again = log.claim("me")
    log.append(again, "epoch", {"epoch": 2}, number=1)  # each attempt counts from 1
    with pytest.raises(FencedError):
        log.append(claim, "epoch", {"epoch": 3}, number=3)
    assert types(log, run) == ["queued", "started", "epoch", "epoch"]


def test_a_worker_whose_log_went_back_in_time_lets_go_of_its_run(log):
    run = log.add(CONFIG)
    claim = log.claim("me")
    log.append(claim, "started", {}, number=1)
    with pytest.raises(FencedError, match="has lost what attempt 1"):
        log.append(claim, "epoch", {"epoch": 2}, number=3)
    assert types(log, run) == ["queued", "started"]
    log.reclaim_dead(claim, Message("it ended"))
    assert log.run(run)["state"] == "queued"


@pytest.mark.parametrize("column", [one for one in database.runs.columns if one.server_default is not None], ids=str)
def test_a_column_with_a_default_of_the_database_has_one_of_its_own(column):
    assert column.default is not None  # a table of an older version may lack the other


def test_a_run_that_waits_keeps_its_model_when_it_is_cancelled(log):
    run = log.add(CONFIG)
    log.request_cancel(run, keep_model=True, saved={"model": "quick-1", "bytes": 3})
    assert types(log, run) == ["queued", "model_saved", "cancelled"]
    assert log.run(run)["model"] == "quick-1"


def test_a_database_of_an_older_version_gets_the_columns_that_it_lacks(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
    new = EventLog(url)
    run = new.add(CONFIG)
    with new.engine.begin() as connection:
        for column in ("pause_requested", "keep_model", "deaths", "checkpoint", "race", "appended"):
            connection.exec_driver_sql(f"ALTER TABLE runs DROP COLUMN {column}")
        connection.exec_driver_sql("DROP TABLE digitpad_schema")
    new.close()
    again = EventLog(url)
    claim = again.claim("me")
    assert claim == Lease(run, 1)
    again.request_pause(run)
    assert again.pause(claim, {}, checkpoint="c")
    again.close()


def test_only_an_ended_run_is_deleted_and_its_number_is_not_used_again(log):
    run = log.add(CONFIG)
    with pytest.raises(NotEndedError, match=f"run {run} has not ended; cancel it first"):
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
        log.append(claim, "epoch", {"epoch": epoch, "val_accuracy": epoch / 10})
    log.append(claim, "evaluated", {"test_accuracy": 0.5})
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
        log.append(claim, "epoch", {"epoch": epoch})
    assert [event["seq"] for event in log.events(run, after=2, limit=3)] == [3, 4, 5]
    assert log.events(run, after=99) == []


def test_short_events_are_the_whole_ones_without_layers_and_sheets(log):
    run = log.add(CONFIG)
    claim = log.claim("me")
    numbers = {
        "epoch": 1,
        "loss": 0.1 + 0.2,
        "tiny": 5e-324,
        "large": 2**60,
        "none": None,
        "text": 'é "ど"',
        "in": {"layers": 1},
    }
    log.append(claim, "epoch", {**numbers, "layers": [{"name": "1 dense"}], "sheet": {"said": [1]}})
    log.finish(claim, RunState.FAILED, {"error": Message("run {run} has saved no model", run=run)})
    whole, short = log.events(run), log.events(run, short=True)
    assert [{**event, "data": brief(event["data"])} for event in whole] == short
    assert short[1]["data"] == numbers
    assert list(short[1]["data"]) == list(numbers)
    assert isinstance(short[2]["data"]["error"], Message)
    assert log.run(run)["metrics"] == numbers


def test_a_log_keeps_its_name_and_another_has_another(log, tmp_path):
    again = EventLog(str(log.engine.url))
    other = EventLog(f"sqlite:///{tmp_path / 'other.sqlite3'}")
    assert again.id == log.id != other.id
    again.close()
    other.close()


def test_the_table_of_moves_has_three_ends_and_a_way_to_each_state():
    assert {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED} == ENDED
    reached = {RunState.QUEUED}
    while more := {target for state in reached for target in MOVES[state]} - reached:
        reached |= more
    assert reached == set(RunState)


def test_a_mistake_of_the_program_is_not_taken_for_a_database_that_is_away(log):
    with pytest.raises(IntegrityError) as refused, writing(log.engine) as connection:
        connection.execute(insert(database.runs).values(state="queued", config={}, created=None))
    assert not isinstance(refused.value, UNREACHABLE)  # or a training would repeat it for ever
