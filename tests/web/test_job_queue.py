"""Long work, one piece at a time."""

import asyncio
import threading

import pytest

from app.errors import LimitError
from app.web.job_queue import JobQueue
from tests.support.waiting import run_async


class Held:
    """Work that waits until it is let go, and keeps the order in which it was done."""

    def __init__(self):
        self.go, self.done = threading.Event(), []

    def __call__(self, name):
        self.go.wait(10)
        self.done.append(name)
        return name

    async def wait_for(self, count):
        async with asyncio.timeout(20):
            while len(self.done) < count:
                await asyncio.sleep(0.01)


def test_the_same_work_asked_for_twice_is_done_once_and_the_next_waits_its_turn():
    work = Held()

    async def ask():
        desk = JobQueue()
        asked = [asyncio.ensure_future(desk.run(key, lambda key=key: work(key))) for key in ("a", "a", "b")]
        await asyncio.sleep(0)
        work.go.set()
        found = await asyncio.gather(*asked)
        await desk.close()
        return found

    assert run_async(ask()) == ["a", "a", "b"]
    assert work.done == ["a", "b"]


def test_one_who_leaves_does_not_end_the_work_of_others():
    go = threading.Event()

    async def ask():
        desk = JobQueue()
        first, second = (asyncio.ensure_future(desk.run("key", lambda: go.wait(10))) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        go.set()
        found = await second
        await desk.close()
        return found

    assert run_async(ask()) is True


def test_work_that_nobody_waits_for_any_more_is_not_begun_or_is_told_to_stop():
    work = Held()
    stop = threading.Event()

    async def ask():
        desk = JobQueue()
        first = asyncio.ensure_future(desk.run("a", lambda: work("a"), stop))
        others = [asyncio.ensure_future(desk.run("b", lambda: work("b"))) for _ in range(2)]
        await asyncio.sleep(0.05)
        others[0].cancel()
        await asyncio.sleep(0)
        assert not stop.is_set()
        for task in (first, others[1]):
            task.cancel()
        await asyncio.sleep(0)
        assert stop.is_set()
        again = asyncio.ensure_future(desk.run("a", lambda: work("a anew")))
        await asyncio.sleep(0)
        work.go.set()
        assert await again == "a anew"
        await desk.close()

    run_async(ask())
    assert work.done == ["a", "a anew"]


def test_a_queue_that_closes_tells_what_is_at_hand_to_stop():
    stop = threading.Event()

    async def ask():
        desk = JobQueue()
        asked = asyncio.ensure_future(desk.run("a", lambda: stop.wait(20), stop))
        await asyncio.sleep(0.05)
        await desk.close()
        assert await asked is True

    run_async(ask())


def test_what_fails_is_told_to_all_and_tried_again_when_asked_again(monkeypatch):
    monkeypatch.setattr("app.web.job_queue.MOST_WAITING", 1)

    def fail():
        raise ValueError("no")

    async def ask():
        desk = JobQueue()
        with pytest.raises(ValueError, match="no"):
            await desk.run("key", fail)
        assert await desk.run("key", lambda: 3) == 3
        go = threading.Event()
        begun = asyncio.ensure_future(desk.run("one", lambda: go.wait(10)))
        await asyncio.sleep(0)
        with pytest.raises(LimitError, match="too many evaluations"):
            await desk.run("two", fail)
        go.set()
        await begun
        await desk.close()

    run_async(ask())


def test_what_has_time_is_done_when_nobody_waits_for_anything_else():
    work = Held()

    async def ask():
        desk = JobQueue()
        for name in ("first", "second", "third", "fourth"):
            desk.submit_idle(name, lambda name=name: work(name))
        asked = [asyncio.ensure_future(desk.run(name, lambda name=name: work(name))) for name in ("user", "third")]
        await asyncio.sleep(0)
        work.go.set()
        await asyncio.gather(*asked)
        await work.wait_for(5)
        for name in ("fifth", "sixth"):
            desk.submit_idle(name, lambda name=name: work(name))
        await desk.close()
        assert work.done[:5] == ["first", "user", "third", "second", "fourth"]
        assert "sixth" not in work.done

    run_async(ask())


def test_what_has_time_does_not_pile_up(monkeypatch):
    monkeypatch.setattr("app.web.job_queue.MOST_WAITING", 1)
    work = Held()

    async def ask():
        desk = JobQueue()
        for name in ("first", "second", "third", "second"):
            desk.submit_idle(name, lambda name=name: work(name))
        work.go.set()
        await work.wait_for(2)
        await asyncio.sleep(0.05)
        await desk.close()

    run_async(ask())
    assert work.done == ["first", "second"]
