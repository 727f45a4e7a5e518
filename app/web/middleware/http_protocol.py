"""The protocols of the server: uvicorn's, with an end to how long the head of a request may be, and may take."""

import asyncio
import json
import sys
import time
from http import HTTPStatus

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.errors import Message, code_of

if sys.platform != "win32":
    import resource

HEAD_LIMIT = 64 * 1024
"""Bytes of a request's first line and headers; others allow 8 to 64 KB."""

HEAD_SECONDS = 20.0
"""The longest time for a head to arrive; browsers open connections ahead, and use them within a few seconds."""

RESERVED_FILES = 256
"""Files that connections leave for the database, models and data; where they would not, the one that has been silent
for the longest time is closed."""

_MESSAGE = Message("expected headers of at most {most} KB; got more", most=HEAD_LIMIT // 1024)
_BODY = json.dumps(
    {
        "error": _MESSAGE,  # in English, as no header has been read that says otherwise
        "code": code_of(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
        "field": None,
        "params": _MESSAGE.values,
    }
).encode()
_ANSWER = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s"
) % (len(_BODY), _BODY)


class BoundedProtocol(HttpToolsProtocol):
    """Answers 431 and hangs up where a head goes on and on, which the parser would keep until the memory is full.

    Hangs up, too, where it does not come, so that silent connections do not take all files that the server may open.
    """

    _head = 0
    _in_head = True
    _since = 0.0
    _hang_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._await_head()
        if len(self.connections) > _most_connections():
            waiting = [one for one in self.connections if isinstance(one, BoundedProtocol) and one._hang_up is not None]
            min(waiting, key=lambda one: one._since).transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._stop_waiting()
        self._since = time.monotonic()
        self._hang_up = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._hang_up is not None:
            self._hang_up.cancel()
            self._hang_up = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_head:
            self._head = 0
            return
        self._head += len(data)
        if self._head > HEAD_LIMIT and not self.transport.is_closing():
            self.transport.write(_ANSWER)
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head = True, 0
        if self._hang_up is None:  # not the first of its connection
            self._await_head()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer, which nothing here reads
        super().on_header(name, value)


def _most_connections() -> int:
    """The most connections for which there are files."""
    if sys.platform == "win32":
        return sys.maxsize
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if files == resource.RLIM_INFINITY else max(files - RESERVED_FILES, 1)


class SocketProtocol(WebSocketsSansIOProtocol):
    """Completes the handshake of a socket that is refused; uvicorn forgets to, and logs an error for each."""

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True
