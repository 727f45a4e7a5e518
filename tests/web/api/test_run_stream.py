"""Many readers, slow readers and the end of the server, over real sockets."""

import asyncio
import json
import re
import signal
import time
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from app.runs.config.run_config import request_config
from app.runs.log.event_log import EventLog
from app.runs.log.state import RunState
from tests.support.serving import serve
from tests.support.waiting import run_async, until

MIB = 2**20


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def log(home):
    opened = EventLog(f"sqlite:///{home / 'digitpad.sqlite3'}", lease_seconds=3600)
    yield opened
    opened.close()


@pytest.fixture
def claim(log):
    """A run that this test trains, as it were: the server only reads what is said of it."""
    log.add(request_config({"recipe": "quick"}))
    return log.claim("this test")


@pytest.fixture
def server(claim, home):
    with serve(home, DIGITPAD_LEASE_SECONDS="3600") as running:
        yield running


def address(server, run, after=0):
    return server.url.replace("http", "ws") + f"/api/runs/{run}/stream?after={after}"


def memory(server, field="VmRSS"):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) * 1024


async def read_all(socket):
    """The seqs that come until the socket closes, and the code that it closes with."""
    seqs = []
    try:
        while True:
            message = json.loads(await socket.recv())
            seqs += [message["seq"]] if "seq" in message else []
    except ConnectionClosed as closed:
        return seqs, closed.rcvd and closed.rcvd.code


async def several(server, run, count):
    return [await connect(address(server, run), compression=None) for _ in range(count)]


@pytest.mark.slow
def test_a_thousand_readers_get_every_event_and_the_server_stays_small(server, log, claim):
    async def go():
        sockets = []
        for _ in range(10):
            sockets += await asyncio.gather(
                *(connect(address(server, claim.run), compression=None, open_timeout=60) for _ in range(100))
            )
        reading = [asyncio.create_task(read_all(socket)) for socket in sockets]
        for epoch in range(20):
            await asyncio.to_thread(log.append, claim, "epoch", {"epoch": epoch})
        await asyncio.to_thread(log.finish, claim, RunState.SUCCEEDED, {})
        return await asyncio.gather(*reading)

    assert run_async(go()) == [(list(range(1, 23)), 1000)] * 1000
    assert memory(server, "VmHWM") < 400 * MIB


@pytest.mark.slow
def test_a_reader_that_stops_reading_is_dropped_with_1013_and_costs_bounded_memory(server, log, claim):
    text = "x" * 20_000

    async def go():
        async with connect(address(server, claim.run), compression=None, max_queue=1, ping_interval=None) as socket:
            await socket.recv()
            before = await asyncio.to_thread(memory, server)
            for _ in range(1600):
                await asyncio.to_thread(log.append, claim, "epoch", {"text": text})
            grown = await asyncio.to_thread(memory, server) - before
            seqs, code = await read_all(socket)
        async with connect(address(server, claim.run, seqs[-1]), compression=None) as socket:
            await asyncio.to_thread(log.finish, claim, RunState.SUCCEEDED, {})
            rest, end = await read_all(socket)
        return grown, seqs, code, rest, end

    grown, seqs, code, rest, end = run_async(go())
    assert code == 1013
    assert len(seqs) < 1600
    assert grown < 50 * MIB
    assert seqs + rest == list(range(1, 1603))
    assert end == 1000


@pytest.mark.slow
def test_a_terminated_server_says_1012_to_its_readers_and_ends_within_five_seconds(server, claim):
    async def go():
        sockets = await several(server, claim.run, 20)
        reading = [asyncio.create_task(read_all(socket)) for socket in sockets]
        server.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        await asyncio.to_thread(server.process.wait, 5)
        return await asyncio.gather(*reading), time.monotonic() - started

    found, _ = run_async(go())
    assert [code for _, code in found] == [1012] * 20


@pytest.mark.slow
def test_a_reader_that_says_things_or_breaks_off_harms_nobody(server, log, claim):
    async def go():
        first, second, third = await several(server, claim.run, 3)
        await first.send("hello?" * 100)
        second.transport.abort()
        await asyncio.to_thread(log.finish, claim, RunState.SUCCEEDED, {})
        return await read_all(first), await read_all(third)

    assert run_async(go()) == (([1, 2], 1000), ([1, 2], 1000))
    until(lambda: server.get("/health")["ok"])
