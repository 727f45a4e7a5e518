"""A wire to a server that corrects nothing, and bodies that mean harm."""

import hashlib
import http.client
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from app.storage.lock import FILE as LOCK
from tests.support.errors import form_of_errors
from tests.support.serving import Server

TOKEN, PREDICT = "a-token-for-everything", "a-token-that-predicts"
SECONDS = 30


@dataclass
class Answer:
    """What came back."""

    path: str
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Target:
    """A server under attack. Sends exactly what it is given: no path is normalized, no header is corrected."""

    server: Server
    home: Path
    token: str = ""
    before: object = None

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
            return Answer(path, response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
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
            if path.is_file() and not path.name.startswith("digitpad.sqlite3") and path.name != LOCK
        }
        bearer = {"authorization": f"Bearer {self.token}"} if self.token else {}
        listed = [
            json.loads(self.send("GET", path, **bearer).body) for path in ("/api/runs", "/api/models", "/api/drawings")
        ]
        return files, listed


def refused(answer: Answer, *statuses: int, longest: int = 2000) -> str:
    """The message of an error in its one form, with one of these statuses, all of them 4xx."""
    assert answer.status in statuses, (answer.status, answer.body[:300])
    assert answer.headers["content-type"] == "application/json"
    error = json.loads(answer.body)
    assert set(error) == form_of_errors(answer.path)
    message = error["error"]
    assert isinstance(message, str)
    assert message
    for inside in ("Traceback", 'File "', "site-packages", "/work", "/home", "/tmp", "/usr", ".py"):
        assert inside not in message
    assert len(message) < longest
    return message
