"""Every error is `{"error", "code", "field", "params"}`, in the caller's language; in an address bar it is a page.

`error` is what people read, `code` its kind, `field` the path of the value that is wrong, and `params` the values that
`error` is made with.
"""

import errno
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from app.errors import OUTCOMES, LimitError, Message, MessageError, RequestError, code_of, joined, message_of
from app.i18n.pydantic_errors import pydantic_message
from app.logging import request_id_header
from app.nn.errors import SpecError
from app.runs.log.database import UNREACHABLE, DatabaseReplacedError
from app.web import templates
from app.web.addresses import route_path
from app.web.invitations import JOIN_PREFIX, PAGE_PREFIX
from app.web.preferences import catalog_of, language_headers, language_of
from app.web.security_headers import ALWAYS, DATA_POLICY, NO_FRAME, NO_STORE, PAGE_POLICY

logger = logging.getLogger("digitpad")

MOST_ERRORS = 5
"""Wrong values that one answer names."""
LONGEST_REASON = 123
"""Bytes of the reason in a close frame, RFC 6455 section 5.5."""

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


class Error(BaseModel):
    """The body of every error; at `/v2`, whose protocol says so, `error` alone."""

    error: str
    code: str | None = None
    field: str | None = None
    params: dict[str, Any] = {}


def install(app: FastAPI) -> None:
    """Make every error of `app` come out in the one form."""
    app.add_exception_handler(MessageError, _known)
    app.add_exception_handler(SpecError, _known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    for unreachable in UNREACHABLE:
        app.add_exception_handler(unreachable, _busy)
    app.add_exception_handler(OSError, _unwritable)
    app.add_exception_handler(Exception, _unexpected)


def respond(
    request: Request,
    status: int,
    message: Message,
    headers: Mapping[str, str] | None = None,
    *,
    code: str | None = None,
    template: str = "pages/error.html",
) -> Response:
    """The answer to a request that failed: JSON, or a page for a person who followed a link."""
    text = message.localized(catalog_of(request).gettext)
    path = route_path(request.scope)
    wants_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if wants_page and not path.startswith("/api/"):
        invited = path.startswith((JOIN_PREFIX, PAGE_PREFIX))  # whom the links of the other pages lead to refusals
        context = {"status": status, "message": text, "active": "", "invited": invited}
        return templates.render_page(request, template, context, status, headers)
    body = error_body(request, message, code or code_of(status))
    if path.startswith("/v2"):  # whose protocol has an error alone
        body = {"error": body["error"]}
    return JSONResponse(body, status, language_headers(language_of(request), headers))


def error_body(request: HTTPConnection, message: Message, code: str) -> dict[str, Any]:
    """The JSON of an error, in the language of the request."""
    told = message.to_json()
    return {
        "error": message.localized(catalog_of(request).gettext),
        "code": code,
        "field": message.first_field,
        "params": told["values"],
    }


def close_reason(socket: HTTPConnection, message: Message) -> str:
    """The reason for closing a socket, in its language, in no more bytes than a frame has for it."""
    text = message.localized(catalog_of(socket).gettext)
    return text.encode()[:LONGEST_REASON].decode(errors="ignore")


async def _known(request: Request, error: Exception) -> Response:
    message = message_of(error)
    if isinstance(error, RequestError):
        return respond(request, error.status, message, error.headers, code=error.code)
    code = getattr(error, "code", "invalid")
    outcome = OUTCOMES.get(code)
    if outcome is None:  # it should have been caught: a fault of ours, not the caller's
        raise error
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, LimitError) else None
    return respond(request, outcome.status, message, headers, code=code)


async def _http(request: Request, error: Exception) -> Response:
    """An error of the framework."""
    assert isinstance(error, HTTPException)
    message = Message("the request was refused with the status {status}", status=error.status_code)
    if error.status_code == HTTPStatus.NOT_FOUND and error.detail == "Not Found":
        message = Message("there is nothing at {path}", path=request.url.path[:200])
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = Headers(error.headers or {}).get("allow", "")
        message = Message(
            "expected {allowed} at {path}; got {method}",
            allowed=allowed,
            path=request.url.path[:200],
            method=request.method,
        )
    return respond(request, error.status_code, message, error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return respond(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        joined([_located(entry) for entry in error.errors()[:MOST_ERRORS]]),
    )


def _located(entry: Mapping[str, Any]) -> Message:
    """The message of an error of FastAPI, whose location begins with the part of the request, as "body"."""
    return pydantic_message({**entry, "loc": entry["loc"][1:]})


async def _unwritable(request: Request, error: Exception) -> Response:
    assert isinstance(error, OSError)
    if error.errno not in _UNWRITABLE:
        raise error
    logger.error("a file cannot be written", exc_info=error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _no_room(request)
    message = Message("digitpad cannot write to its data folder; check the folder's permissions")
    return respond(request, HTTPStatus.SERVICE_UNAVAILABLE, message, {"retry-after": "60"}, code="unwritable")


def _no_room(request: Request) -> Response:
    message = Message("the disk is full; nothing was changed")
    return respond(request, HTTPStatus.INSUFFICIENT_STORAGE, message, code="disk_full")


async def _busy(request: Request, error: Exception) -> Response:
    logger.error("the database did not answer", exc_info=error)
    if "disk is full" in str(error):  # SQLite's words for SQLITE_FULL
        return _no_room(request)
    message = Message("the database is busy or cannot be reached; try again in a moment")
    if isinstance(error, DatabaseReplacedError):
        message = Message("the database's files were moved or removed; put them back, or restart digitpad")
    return respond(request, HTTPStatus.SERVICE_UNAVAILABLE, message, {"retry-after": "2"}, code="database_away")


async def _unexpected(request: Request, error: Exception) -> Response:
    message = Message("something went wrong on the server; its log has the details")
    answer = respond(request, HTTPStatus.INTERNAL_SERVER_ERROR, message, request_id_header())
    # Starlette answers these outside of all middleware, so nobody else puts the headers on.
    policy = PAGE_POLICY if answer.media_type == "text/html" else DATA_POLICY
    for name, value in (*ALWAYS, NO_FRAME, NO_STORE, policy):
        answer.headers[name.decode()] = value.decode()
    return answer
