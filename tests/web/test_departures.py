"""Senders who leave: what they asked for is not worked out."""

import asyncio
import threading

import pytest
from starlette.requests import ClientDisconnect, Request

from app.web.departures import RequestJobs, unless_left
from app.web.job_queue import JobQueue
from app.web.preparation_threads import PREPARED_AT_ONCE, PreparationThreads
from tests.support.waiting import run_async


class Sender:
    """One who has sent a whole request, and leaves when told to."""

    def __init__(self):
        self.left = asyncio.Event()
        self.request = Request({"type": "http"}, self.receive)

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}


def test_work_for_one_who_stays_is_done():
    async def ask():
        async def work():
            return 5

        return await unless_left(Sender().request, work())

    assert run_async(ask()) == 5


def test_work_for_one_who_leaves_is_cancelled():
    async def ask():
        sender, cancelled = Sender(), []

        async def work():
            try:
                await asyncio.sleep(20)
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

        asked = asyncio.ensure_future(unless_left(sender.request, work()))
        await asyncio.sleep(0.01)
        sender.left.set()
        with pytest.raises(ClientDisconnect):
            await asked
        await asyncio.sleep(0)
        return cancelled

    assert run_async(ask()) == [True]


def test_an_error_of_the_work_is_the_answers():
    async def ask():
        async def work():
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await unless_left(Sender().request, work())

    run_async(ask())


def test_a_job_ends_when_the_last_of_its_askers_has_left():
    async def ask():
        queue, stop = JobQueue(), threading.Event()
        senders = [Sender(), Sender()]
        asked = [
            asyncio.ensure_future(RequestJobs(sender.request, queue).run("key", lambda: stop.wait(20), stop))
            for sender in senders
        ]
        await asyncio.sleep(0.05)
        senders[0].left.set()
        await asyncio.sleep(0.05)
        assert not stop.is_set()
        senders[1].left.set()
        assert [type(found) for found in await asyncio.gather(*asked, return_exceptions=True)] == [ClientDisconnect] * 2
        await asyncio.sleep(0)
        assert stop.is_set()
        await queue.close()

    run_async(ask())


def test_drawings_are_prepared_a_few_at_a_time_and_not_for_those_who_left():
    async def ask():
        threads, go, done = PreparationThreads(), threading.Event(), []

        def work(name):
            go.wait(20)
            done.append(name)

        senders = [Sender() for _ in range(PREPARED_AT_ONCE + 2)]
        asked = [
            asyncio.ensure_future(threads.run(sender.request, lambda name=name: work(name)))
            for name, sender in enumerate(senders)
        ]
        await asyncio.sleep(0.05)
        senders[-1].left.set()
        go.set()
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(found[-1], ClientDisconnect)
        assert found[:-1] == [None] * (len(senders) - 1)
        assert sorted(done) == list(range(len(senders) - 1))

    run_async(ask())
