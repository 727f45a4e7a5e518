"""One real server for all attacks, a wire to it that corrects nothing, and a look at the server after each attack."""

import hashlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.serving import Server, serve
from tests.support.waiting import until

TOKEN, PREDICT = "a-token-for-everything", "a-token-that-predicts"
SECONDS = 30


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Target:
    """A server under attack. Sends exactly what it is given: no path is normalized, no header is corrected."""

    server: Server
    home: Path
    token: str = ""
    known: list[str] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.server.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def send(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> Answer:
        """The answer to one request; names of headers are written with underscores."""
        connection = http.client.HTTPConnection(*self.address, timeout=SECONDS)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.putrequest(method, path, skip_host="host" in named, skip_accept_encoding=True)
            data = body.encode() if isinstance(body, str) else body
            if data is not None and "content-length" not in named and "transfer-encoding" not in named:
                connection.putheader("content-length", str(len(data)))
            for name, value in named.items():
                connection.putheader(name, value)
            connection.endheaders(data)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def raw(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(self.address, timeout=SECONDS)

    def upgrade(self, path: str = "/api/runs/1/stream", **headers: str) -> Answer:
        """The answer to a web socket's handshake."""
        asking = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13"}
        return self.send("GET", path, sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ==", **asking, **headers)

    def state(self) -> object:
        """All that an attack must leave as it is: the files of the store, the runs and what they said."""
        files = {
            str(path.relative_to(self.home)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.home.rglob("*"))
            if path.is_file() and not path.name.startswith("digitpad.sqlite3")
        }
        bearer = {"authorization": f"Bearer {self.token}"} if self.token else {}
        listed = [
            json.loads(self.send("GET", path, **bearer).body) for path in ("/api/runs", "/api/models", "/api/drawings")
        ]
        return files, listed


def refused(answer: Answer, *statuses: int) -> str:
    """The message of an error in its one form, with one of these statuses, all of them 4xx."""
    assert answer.status in statuses, (answer.status, answer.body[:300])
    assert answer.headers["content-type"] == "application/json"
    error = json.loads(answer.body)
    assert set(error) == {"error", "code", "field", "params"}
    message = error["error"]
    assert isinstance(message, str)
    assert message
    for inside in ("Traceback", 'File "', "site-packages", "/work", "/home", "/tmp", "/usr", ".py"):
        assert inside not in message
    assert len(message) < 2000
    return message


@pytest.fixture(scope="package")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server on loopback, which asks for no token."""
    home = tmp_path_factory.mktemp("home")
    with serve(home) as server:
        yield Target(server, home)


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server with both tokens."""
    home = tmp_path_factory.mktemp("home")
    with serve(home, DIGITPAD_TOKEN=TOKEN, DIGITPAD_PREDICT_TOKEN=PREDICT) as server:
        yield Target(server, home, TOKEN)


@pytest.fixture
def target(attacked: Target) -> Iterator[Target]:
    yield from _watched(attacked)


@pytest.fixture
def locked(guarded: Target) -> Iterator[Target]:
    yield from _watched(guarded)


def _watched(target: Target) -> Iterator[Target]:
    before = target.state()
    yield target
    health = target.send("GET", "/health")
    assert (health.status, json.loads(health.body)["ok"]) == (200, True)
    assert target.state() == before
    assert threading.active_count() < 50
    until(lambda: target.server.process.poll() is None)
