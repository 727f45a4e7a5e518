"""The access log: the id of every request, which its log lines and its answer carry, its duration and its outcome."""

import asyncio
import logging
import os
import re
import time
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logging import REQUEST_ID_HEADER, begin_request, configure, fields
from app.settings import Settings
from app.web.addresses import route_path
from app.web.invitations import JOIN_PREFIX
from app.web.prometheus.counters import Counters

logger = logging.getLogger("digitpad.access")

NAME_BYTES = 16
CLIENT_LEFT = 499
"""For a client that left before its request had come; no answer has it. nginx's number for that."""

LONGEST_PATH = 500
"""Characters of a path that are written down."""

_NAME = re.compile(rb"[A-Za-z0-9._-]{1,128}")


def server_logging(settings: Settings) -> dict[str, Any]:
    """Send this process's lines where the settings say, uvicorn's too; returns what uvicorn's Config is to be told.

    The lines of requests come from `AccessLogMiddleware`: uvicorn's own would show the token in an address or a
    header.
    """
    configure(settings.log_format, settings.log_level)
    logging.getLogger("uvicorn.error").addFilter(_without_requests)
    return {"log_config": None, "log_level": settings.log_level, "access_log": False}


def _without_requests(record: logging.LogRecord) -> bool:
    """Keep uvicorn's lines about the server; remove the traceback from that of a request that was cut off."""
    if record.levelno < logging.INFO:  # the web-socket library tells every header there
        return False
    if isinstance(record.msg, str) and record.msg.startswith('%s - "WebSocket'):
        return False
    if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
        record.msg, record.args = "a request was cut off, as the server ends", ()
        record.exc_info = record.exc_text = None
    return True


class AccessLogMiddleware:
    """Outermost of all that a request passes, so that it sees refusals too; pure ASGI, for `/predict`'s sake."""

    def __init__(self, app: ASGIApp, counters: Counters | None = None) -> None:
        self._app, self._counters = app, counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        name = _name(scope)
        begin_request(name)
        started = time.perf_counter()
        status: int | None = None

        async def named(message: Message) -> None:
            nonlocal status
            kind = message["type"]
            if kind in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                _add(message, name)
            elif kind == "websocket.accept":
                status = HTTPStatus.SWITCHING_PROTOCOLS
                _add(message, name)
            elif kind == "websocket.close" and status is None:
                status = HTTPStatus.FORBIDDEN  # what servers make of a refusal before it was accepted
            await send(message)

        try:
            await self._app(scope, receive, named)
        except ClientDisconnect:  # nobody is there to answer
            status = status or CLIENT_LEFT
        finally:
            # none where an error goes up to the server, which answers with that
            code = int(HTTPStatus.INTERNAL_SERVER_ERROR if status is None else status)
            if self._counters is not None:
                self._counters.answered(scope.get("method", "GET"), code)
            if logger.isEnabledFor(logging.INFO):
                _tell(scope, code, time.perf_counter() - started)


def _name(scope: Scope) -> str:
    """The name that the request brings, if it is one and well formed, or a new one."""
    brought = [value for key, value in scope["headers"] if key == REQUEST_ID_HEADER]
    if len(brought) == 1 and _NAME.fullmatch(brought[0]):
        return str(brought[0], "ascii")
    return os.urandom(NAME_BYTES).hex()


def _add(message: Message, name: str) -> None:
    message["headers"] = [*message.get("headers", ()), (REQUEST_ID_HEADER, name.encode())]


def _tell(scope: Scope, status: int, seconds: float) -> None:
    """Write the line of a request; without its query, which may hold a token, and the code of an invitation."""
    client = scope.get("client")
    method = scope.get("method", "WEBSOCKET")
    told = fields(status=status, milliseconds=round(seconds * 1000, 2), client=client[0] if client else None)
    path: str = scope["path"]
    if route_path(scope).startswith(JOIN_PREFIX):
        path = path.partition(JOIN_PREFIX)[0] + JOIN_PREFIX + "..."
    logger.info("%s %s", method, quote(path[:LONGEST_PATH], safe="/~:@!$&'()*+,;="), extra=told)
