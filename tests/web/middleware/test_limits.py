"""How much of the server may be taken up at one time."""

import asyncio
import gzip
import json

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.errors import LimitError, RequestError
from app.settings import Settings
from app.web.api.request_body import BODY_LIMIT, read_body
from app.web.middleware import limits
from app.web.middleware.limits import BodyReservation, Capacity
from app.web.middleware.security import SecurityMiddleware, SecurityRules
from tests.support.errors import is_an_error
from tests.support.runs import start
from tests.support.waiting import run_async, until


def request_of(*messages, held=None, **headers):
    """A request whose body comes in these messages, and the list of those that were not yet asked for."""
    waiting = list(messages)

    async def receive():
        return waiting.pop(0)

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": raw, "digitpad.held": held}
    return Request(scope, receive), waiting


def part(data, more=True):
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_body_in_parts_is_put_together_and_counted():
    room = Capacity(bodies=100)
    held = BodyReservation(room)
    request, _ = request_of(part(b"ab"), part(b""), part(b"cd", more=False), held=held)
    assert run_async(read_body(request)) == b"abcd"
    assert room.bodies == 96
    held.release()
    held.release()
    assert room.bodies == 100


def test_bodies_beyond_the_room_for_them_are_refused_before_they_are_kept():
    request, waiting = request_of(
        part(b"x" * 60), part(b"x" * 60), part(b"x" * 60), held=BodyReservation(Capacity(bodies=100))
    )
    with pytest.raises(LimitError, match="at once"):
        run_async(read_body(request))
    assert len(waiting) == 1


def test_what_a_body_unpacks_to_is_counted_before_more_is_unpacked():
    packed = gzip.compress(bytes(3 * 2**20))
    room = Capacity(bodies=2 * 2**20)
    held = BodyReservation(room)
    request, _ = request_of(part(packed, more=False), held=held, content_encoding="gzip")
    with pytest.raises(LimitError, match="at once"):
        run_async(read_body(request))
    assert room.bodies == 2 * 2**20 - len(packed) - 2**20
    held.release()
    assert room.bodies == 2 * 2**20


def test_a_body_that_says_it_is_too_large_is_not_asked_for_where_the_client_waits():
    request, waiting = request_of(part(b"x"), content_length=str(BODY_LIMIT + 1), expect="100-continue")
    with pytest.raises(RequestError, match="at most 8 MB"):
        run_async(read_body(request))
    assert len(waiting) == 1


def test_a_body_that_does_not_come_is_given_up(monkeypatch):
    monkeypatch.setattr("app.web.api.request_body.BODY_SECONDS", 0.01)

    async def never():
        await asyncio.Event().wait()

    request = Request({"type": "http", "method": "POST", "path": "/", "headers": []}, never)
    with pytest.raises(RequestError) as raised:
        run_async(read_body(request))
    assert raised.value.status == 408


def test_a_connection_that_ends_is_an_error_and_no_half_body():
    request, _ = request_of(part(b"{"), {"type": "http.disconnect"})
    with pytest.raises(RequestError) as raised:
        run_async(read_body(request))
    assert raised.value.status == 400


def test_what_a_request_held_is_free_again_however_it_ends():
    room = Capacity(bodies=BODY_LIMIT)

    async def app(scope, receive, send):
        await read_body(Request(scope, receive))
        if scope["path"] == "/bad":
            raise RuntimeError
        await Response()(scope, receive, send)

    client = TestClient(
        SecurityMiddleware(app, SecurityRules(Settings(allowed_hosts="testserver", _env_file=None)), room)
    )
    for path in ("/", "/bad", "/") * 3:
        if path == "/bad":
            with pytest.raises(RuntimeError):
                client.post(path, content=b"x" * 5000)
        else:
            assert client.post(path, content=b"x" * 5000).status_code == 200
    assert room.bodies == BODY_LIMIT


def test_sockets_beyond_their_number_are_refused_and_free_again_at_their_end():
    async def hello(socket):
        await socket.accept()
        await socket.send_text("hello")
        await socket.receive()

    room = Capacity(sockets=2)
    app = Starlette(routes=[WebSocketRoute("/", hello)])
    rules = SecurityRules(Settings(allowed_hosts="testserver", _env_file=None))
    app.add_middleware(SecurityMiddleware, rules=rules, room=room)
    client = TestClient(app)
    with client.websocket_connect("/") as first, client.websocket_connect("/") as second:
        assert (first.receive_text(), second.receive_text()) == ("hello", "hello")
        with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/"):
            """It is not even opened."""
        assert refused.value.status_code == 503
        assert "open sockets" in json.loads(refused.value.text)["error"]
    until(lambda: room.sockets == 2)
    with client.websocket_connect("/") as third:
        assert third.receive_text() == "hello"


def test_there_is_room_for_a_thousand_readers():
    assert limits.SOCKETS >= 1200


def test_runs_beyond_the_queue_are_refused_with_a_time_to_try_again(client, monkeypatch):
    monkeypatch.setattr("app.web.middleware.limits.QUEUED_RUNS", 1)
    first = start(client, epochs=100_000)
    until(lambda: client.get(f"/api/runs/{first['id']}").json()["state"] == "running")
    second = start(client, epochs=100_000)
    refused = client.post("/api/runs", json={"recipe": "quick"})
    assert "expected at most 1 waiting runs" in is_an_error(refused, 429)
    assert int(refused.headers["retry-after"]) > 0
    assert len(client.get("/api/runs").json()["runs"]) == 2
    for run in (first, second):
        client.post(f"/api/runs/{run['id']}/cancel")
