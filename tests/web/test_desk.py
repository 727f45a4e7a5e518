"""Long work, one piece at a time."""

import asyncio
import threading

import pytest

from app.web.desk import Desk
from app.web.limits import LimitError
from tests.waiting import run_async


def test_the_same_work_asked_for_twice_is_done_once_and_the_next_waits_its_turn():
    go, order = threading.Event(), []

    def work(name):
        go.wait(10)
        order.append(name)
        return name

    async def ask():
        desk = Desk()
        asked = [asyncio.ensure_future(desk.do(key, lambda key=key: work(key))) for key in ("a", "a", "b")]
        await asyncio.sleep(0)
        go.set()
        found = await asyncio.gather(*asked)
        await desk.close()
        return found

    assert run_async(ask()) == ["a", "a", "b"]
    assert order == ["a", "b"]


def test_one_who_leaves_does_not_end_the_work_of_others():
    go = threading.Event()

    async def ask():
        desk = Desk()
        first, second = (asyncio.ensure_future(desk.do("key", lambda: go.wait(10))) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        go.set()
        found = await second
        await desk.close()
        return found

    assert run_async(ask()) is True


def test_what_fails_is_told_to_all_and_tried_again_when_asked_again(monkeypatch):
    monkeypatch.setattr("app.web.desk.MOST_WAITING", 1)

    def fail():
        raise ValueError("no")

    async def ask():
        desk = Desk()
        with pytest.raises(ValueError, match="no"):
            await desk.do("key", fail)
        assert await desk.do("key", lambda: 3) == 3
        go = threading.Event()
        begun = desk.begin("one", lambda: go.wait(10))
        with pytest.raises(LimitError, match="expected fewer evaluations"):
            desk.begin("two", fail)
        go.set()
        await begun
        await desk.close()

    run_async(ask())


def test_what_has_time_is_done_when_nobody_waits_for_anything_else():
    go, order = threading.Event(), []

    def work(name):
        go.wait(10)
        order.append(name)
        return name

    async def ask():
        desk = Desk()
        for name in ("first", "second", "third", "fourth"):
            desk.begin_later(name, lambda name=name: work(name))
        asked = [asyncio.ensure_future(desk.do(name, lambda name=name: work(name))) for name in ("user", "third")]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*asked)
        while len(order) < 5:
            await asyncio.sleep(0.01)
        for name in ("fifth", "sixth"):
            desk.begin_later(name, lambda name=name: work(name))
        await desk.close()
        assert order[:5] == ["first", "user", "third", "second", "fourth"]
        assert "sixth" not in order

    run_async(ask())


def test_what_has_time_does_not_pile_up(monkeypatch):
    monkeypatch.setattr("app.web.desk.MOST_WAITING", 1)
    go, done = threading.Event(), []

    async def ask():
        desk = Desk()
        desk.begin_later("first", lambda: go.wait(10))
        for name in ("second", "third", "second"):
            desk.begin_later(name, lambda name=name: done.append(name))
        go.set()
        while not done:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        await desk.close()

    run_async(ask())
    assert done == ["second"]
