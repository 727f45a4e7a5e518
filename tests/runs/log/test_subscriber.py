"""What readers of a run are told: its row, and the events that the row counts before it."""

import asyncio
import json
import threading
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import delete, event

from app.runs.config.run_config import request_config
from app.runs.log import subscriber as module
from app.runs.log.database import events, runs, writing
from app.runs.log.event_log import EventLog, UnknownRunError
from app.runs.log.state import RunState
from app.runs.log.subscriber import Broadcaster
from tests.support.waiting import run_async

CONFIG = request_config({"recipe": "quick"})
LIMIT_SECONDS = 30


@pytest.fixture
def url(tmp_path, database_url):
    return database_url or f"sqlite:///{tmp_path / 'log.sqlite3'}"


@pytest.fixture
def log(url):
    opened = EventLog(url, lease_seconds=3600)
    yield opened
    opened.close()


@pytest.fixture
def elsewhere(log, url):
    """The same database, opened by another program."""
    opened = EventLog(url, lease_seconds=3600)
    yield opened
    opened.close()


async def heard(reader):
    """The next message."""
    async with asyncio.timeout(LIMIT_SECONDS):
        return json.loads((await anext(reader)).text)


async def row_of(reader):
    """The row that the next message brings."""
    message = await heard(reader)
    assert message["type"] == "run"
    return message["run"]


async def rest_of(reader):
    async with asyncio.timeout(LIMIT_SECONDS):
        return [json.loads(message.text) async for message in reader]


def changes(log, claim):
    """All that can be done to a run at work, each with what the row shows of it afterwards."""
    run = claim.run
    yield lambda: log.annotate(run, {"tags": ["a"], "note": "why"}), {"tags": ["a"], "note": "why"}
    yield lambda: log.request_pause(run), {"pause_requested": True}
    yield lambda: log.request_resume(run), {"pause_requested": False}
    epoch = {"epoch": 1, "val_accuracy": 0.5, "layers": [], "sheet": {}}
    seen = {"metrics": {"epoch": 1, "val_accuracy": 0.5}, "checkpoint": "1.1", "last_seq": 2}
    yield lambda: log.append(claim, "epoch", epoch, checkpoint="1.1"), seen
    tested = {"test_accuracy": 0.9, "best_epoch": 1}
    yield lambda: log.append(claim, "evaluated", tested), {**tested, "last_seq": 3}
    yield lambda: log.append(claim, "model_saved", {"model": "m"}, model="m"), {"model": "m"}
    yield lambda: log.rename_model("m", "n"), {"model": "n"}
    yield lambda: log.request_cancel(run, keep_model=True), {"cancel_requested": True}
    yield lambda: log.reclaim_dead(claim, "signal SIGKILL"), {"state": "queued"}
    yield lambda: log.claim("another"), {"state": "running", "attempt": 2}


def test_every_change_of_the_row_whoever_makes_it_is_told_as_the_api_shows_it(log, elsewhere):
    run = log.add(CONFIG)
    claim = log.claim("me")

    async def go():
        async with Broadcaster(log).follow(run) as reader:
            assert await row_of(reader) == log.run(run)
            for change, shown in changes(elsewhere, claim):
                before = log.run(run)
                await asyncio.to_thread(change)
                message = await heard(reader)
                if "seq" in message:
                    assert message["seq"] == before["last_seq"] + 1
                    message = await heard(reader)
                assert message == {"type": "run", "run": log.run(run)}
                assert message["run"].items() >= shown.items()

    run_async(go())


def test_a_run_that_ends_is_told_with_its_last_event_first_and_nothing_after_its_row(log, elsewhere):
    run = log.add(CONFIG)
    claim = log.claim("me")

    async def go():
        async with Broadcaster(log).follow(run) as reader:
            await row_of(reader)
            await asyncio.to_thread(elsewhere.finish, claim, RunState.FAILED, {"reason": "diverged"}, error="NaN")
            return await rest_of(reader)

    event, last = run_async(go())
    assert (event["seq"], event["type"]) == (2, "failed")
    assert last == {"type": "run", "run": log.run(run)}
    assert (last["run"]["state"], last["run"]["error"], last["run"]["progress"]) == ("failed", "NaN", None)


def test_progress_alone_is_told_without_the_row(log):
    run = log.add(CONFIG)
    claim = log.claim("me")

    async def go():
        broadcaster = Broadcaster(log)
        async with broadcaster.follow(run) as reader:
            await row_of(reader)
            for batch in (1, 2):
                log.heartbeat(claim, {"batch": batch})
                assert await heard(reader) == {"type": "progress", "data": {"batch": batch}}
            async with broadcaster.follow(run) as late:  # which begins with what the others were told
                assert (await row_of(late))["progress"] == {"batch": 2}

    run_async(go())


def test_a_row_never_counts_an_event_that_was_not_told_before_it(log, elsewhere):
    run = log.add(CONFIG)
    claim = log.claim("me")

    def write():
        for epoch in range(300):
            elsewhere.append(claim, "epoch", {"epoch": epoch})
        elsewhere.finish(claim, RunState.SUCCEEDED, {})

    async def follow(broadcaster, pause):
        """The seqs, with those that the first row counts read from the log, as the stream does it."""
        await asyncio.sleep(pause)
        async with broadcaster.follow(run) as reader:
            last = (await row_of(reader))["last_seq"]
            seqs = list(range(1, last + 1))
            for message in await rest_of(reader):
                if message["type"] == "run":
                    assert message["run"]["last_seq"] == last
                elif message["seq"] > last:
                    last = message["seq"]
                    seqs.append(last)
        return seqs

    async def go():
        broadcaster = Broadcaster(log)
        writer = threading.Thread(target=write)
        writer.start()
        found = await asyncio.gather(*(follow(broadcaster, number / 50) for number in range(20)))
        writer.join()
        return found

    assert run_async(go()) == [list(range(1, 303))] * 20


def test_a_reader_of_no_run_or_of_one_that_is_deleted_hears_so(log):
    async def go(run, action=lambda: None):
        async with Broadcaster(log).follow(run) as reader:
            action()
            await rest_of(reader)

    run = log.add(CONFIG)
    log.request_cancel(run)
    assert run_async(go(run)) is None
    log.delete(run)
    with pytest.raises(UnknownRunError, match=f"there is no run {run}"):
        run_async(go(run))
    run = log.add(CONFIG)

    async def deleted_while_followed():
        async with Broadcaster(log).follow(run) as reader:
            await row_of(reader)
            with writing(log.engine) as connection:
                connection.execute(delete(events))
                connection.execute(delete(runs))
            await rest_of(reader)

    with pytest.raises(UnknownRunError):
        run_async(deleted_while_followed())


def test_a_run_that_waits_is_told_what_keeps_the_queue_from_being_looked_after(log):
    run = log.add(CONFIG)
    fault = "the disk is full"

    async def go():
        nonlocal fault
        broadcaster = Broadcaster(log, lambda: fault)
        async with broadcaster.follow(run) as reader:
            await row_of(reader)
            assert await heard(reader) == {"type": "queue", "fault": "the disk is full", "ahead": []}
            async with broadcaster.follow(run) as late:
                await row_of(late)
                assert await heard(late) == {"type": "queue", "fault": "the disk is full", "ahead": []}
            fault = None
            assert await heard(reader) == {"type": "queue", "fault": None, "ahead": []}
            log.claim("me")
            assert (await row_of(reader))["state"] == "running"
            fault = "the disk is full again"  # which a run at work does not wait for
            log.request_pause(run)
            assert (await row_of(reader))["pause_requested"] is True

    run_async(go())


def test_a_hundred_followed_runs_cost_two_queries_a_look(log, monkeypatch):
    monkeypatch.setattr(module, "POLL_SECONDS", 0.25)  # as with a server
    numbers = [log.add(CONFIG) for _ in range(100)]
    queries = []
    event.listen(log.engine, "before_cursor_execute", lambda *call: queries.append(call[2]))

    async def go():
        broadcaster = Broadcaster(log)
        async with AsyncExitStack() as stack:
            readers = [await stack.enter_async_context(broadcaster.follow(run)) for run in numbers]
            for reader, run in zip(readers, numbers, strict=True):
                assert (await row_of(reader))["id"] == run
                if run > numbers[0]:
                    assert (await heard(reader))["ahead"] == numbers[: run - numbers[0]]
            queries.clear()
            await asyncio.sleep(1)
            looks = [query for query in queries if query.startswith("SELECT")]
            assert 4 <= len(looks) <= 12
            log.request_cancel(numbers[50])
            messages = [await heard(readers[50]) for _ in range(2)]
            assert [message["type"] for message in messages] == ["cancelled", "run"]

    run_async(go())
