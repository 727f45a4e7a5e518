"""The protocols of the server: uvicorn's, with an end to how long the head of a request may be."""

import json
from http import HTTPStatus

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.errors import Message, code_of

HEAD_LIMIT = 64 * 1024
"""Bytes of a request's first line and headers; others allow 8 to 64 KB."""

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
    """Answers 431 and hangs up where a head goes on and on, which the parser would keep until the memory is full."""

    _head = 0
    _in_head = True

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

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer, which nothing here reads
        super().on_header(name, value)


class SocketProtocol(WebSocketsSansIOProtocol):
    """Completes the handshake of a socket that is refused; uvicorn forgets to, and logs an error for each."""

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True
