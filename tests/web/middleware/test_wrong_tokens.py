"""After some wrong tokens from an address further ones are answered late, and the others are not held up."""

import asyncio

import pytest

from app.web.middleware import authentication
from app.web.middleware.authentication import FREE_TRIES, MOST_ADDRESSES, TRIES_AT_ONCE, WrongTokens
from tests.support.errors import is_an_error
from tests.support.waiting import run_async
from tests.web.middleware.test_security import TOKEN, app_client, socket_refused


@pytest.fixture
def slept(monkeypatch):
    """The delays, which take no time."""
    delays, sleep = [], asyncio.sleep

    async def note(seconds):
        delays.append(seconds)
        await sleep(0)

    monkeypatch.setattr(authentication.asyncio, "sleep", note)
    return delays


def test_the_first_wrong_tokens_are_answered_at_once_and_others_late(slept):
    async def tries():
        wrong = WrongTokens()
        for _ in range(FREE_TRIES):
            await wrong.note("1.2.3.4")
        assert slept == []
        await wrong.note("5.6.7.8")
        assert slept == []
        await wrong.note("1.2.3.4")
        assert slept == [authentication.DELAY_SECONDS]

    run_async(tries())


def test_a_pause_starts_anew(slept, monkeypatch):
    async def tries():
        wrong, now = WrongTokens(), [0.0]
        monkeypatch.setattr(authentication.time, "monotonic", lambda: now[0])
        for _ in range(3 * FREE_TRIES):
            now[0] += authentication.TRIES_SECONDS + 1
            await wrong.note("1.2.3.4")
        assert slept == []

    run_async(tries())


def test_of_one_address_a_few_wait_and_the_addresses_are_bounded():
    async def tries():
        wrong = WrongTokens()
        for _ in range(FREE_TRIES):
            await wrong.note("1.2.3.4")
        waiting = [asyncio.ensure_future(wrong.note("1.2.3.4")) for _ in range(TRIES_AT_ONCE)]
        await asyncio.sleep(0)
        assert wrong.is_full("1.2.3.4")
        assert not wrong.is_full("5.6.7.8")
        await asyncio.gather(*waiting)
        assert not wrong.is_full("1.2.3.4")
        for number in range(2 * MOST_ADDRESSES):
            await wrong.note(str(number))
        assert len(wrong._tries) == MOST_ADDRESSES

    run_async(tries())


def test_a_server_refuses_more_at_once_and_serves_who_brings_none(tmp_path, cache_dir, monkeypatch):
    monkeypatch.setattr(WrongTokens, "is_full", lambda self, address: address == "testclient")
    with app_client(tmp_path, cache_dir, host="0.0.0.0", token=TOKEN) as client:
        answer = client.get("/api/runs", headers={"authorization": "Bearer wrong"})
        assert "too many wrong tokens" in is_an_error(answer, 429)
        assert answer.headers["retry-after"] == "1"
        assert client.get("/health").status_code == 200
        is_an_error(client.get("/api/runs"), 401)


def test_every_way_to_bring_a_wrong_token_counts_and_the_right_one_does_not(tmp_path, cache_dir, monkeypatch):
    noted = []

    async def note(self, address):
        noted.append(address)

    monkeypatch.setattr(WrongTokens, "note", note)
    with app_client(tmp_path, cache_dir, host="0.0.0.0", token=TOKEN) as client:
        assert client.get("/api/runs", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
        is_an_error(client.get("/api/runs"), 401)
        assert noted == []
        is_an_error(client.get("/api/runs", headers={"authorization": "Bearer wrong"}), 401)
        assert client.get("/?token=wrong").status_code == 401
        assert client.get("/", headers={"cookie": "digitpad=wrong"}).status_code == 401
        assert socket_refused(client, authorization="Bearer wrong").status_code == 401
        assert noted == ["testclient"] * 4
