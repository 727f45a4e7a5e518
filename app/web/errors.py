"""Every error is `{"error": "what was expected and what came"}`; in a browser's address bar it is a page."""

import errno
import logging
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.errors import LimitError, QueueFullError
from app.logging import request_id_header
from app.models import DamagedModelError, ProtectedModelError, UnknownModelError
from app.models.store import ForgetfulModelError
from app.runs.config.run_config import field_of
from app.runs.log.database import UNREACHABLE
from app.runs.log.event_log import NotEndedError, UnknownRunError
from app.runs.service import NoCheckpointError
from app.runs.training.personalization import UnpreparedError
from app.web import templates
from app.web.security_headers import ALWAYS, DATA_POLICY, NO_FRAME, NO_STORE, PAGE_POLICY

logger = logging.getLogger("digitpad")

STATUSES: dict[type[Exception], HTTPStatus] = {
    UnknownRunError: HTTPStatus.NOT_FOUND,
    UnknownModelError: HTTPStatus.NOT_FOUND,
    NotEndedError: HTTPStatus.CONFLICT,
    NoCheckpointError: HTTPStatus.CONFLICT,
    ProtectedModelError: HTTPStatus.CONFLICT,
    DamagedModelError: HTTPStatus.CONFLICT,
    UnpreparedError: HTTPStatus.CONFLICT,
}
"""Errors of the rooms behind the routes whose message is for the caller."""


_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


class Error(BaseModel):
    """The body of every error."""

    error: str


class FieldError(HTTPException):
    """What came for a config is refused; `field` is what a form may point at, where the message names one."""

    def __init__(self, message: str) -> None:
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, message)
        self.field = field_of(message)


def install(app: FastAPI) -> None:
    """Make every error of `app` come out in the one form."""
    app.add_exception_handler(FieldError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    for unreachable in UNREACHABLE:
        app.add_exception_handler(unreachable, _busy)
    app.add_exception_handler(OSError, _unwritable)
    app.add_exception_handler(LimitError, _full)
    app.add_exception_handler(Exception, _unexpected)
    app.add_exception_handler(ForgetfulModelError, _forgot)
    for kind in STATUSES:
        app.add_exception_handler(kind, _known)


def respond(
    request: Request,
    status: int,
    message: str,
    headers: dict[str, str] | None = None,
    *,
    template: str = "pages/error.html",
) -> Response:
    """The answer to a request that failed: JSON, or a page for a person who followed a link."""
    wants_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if wants_page and not request.url.path.startswith("/api/"):
        context = {"status": status, "message": message, "active": ""}
        return templates.render_page(request, template, context, status, headers)
    return JSONResponse({"error": message}, status, headers)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND and message == "Not Found":
        message = f"there is nothing at {request.url.path[:200]}"
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = Headers(error.headers or {}).get("allow", "another method")
        message = f"expected {allowed} at {request.url.path[:200]}; got {request.method}"
    return respond(request, error.status_code, message, dict(error.headers or {}))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, FieldError)
    return JSONResponse({"error": error.detail, "field": error.field}, error.status_code)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    parts = []
    for entry in error.errors():
        place = ".".join(str(part) for part in entry["loc"] if part not in ("body", "query", "path"))
        parts.append(f"{place}: {entry['msg']}" if place else str(entry["msg"]))
    return respond(request, HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(parts))


async def _known(request: Request, error: Exception) -> Response:
    return respond(request, STATUSES[type(error)], str(error))


async def _forgot(request: Request, error: Exception) -> Response:
    """`forgot` tells this conflict from others with the same status: a page asks whether it is wanted all the same."""
    return JSONResponse({"error": str(error), "forgot": True}, HTTPStatus.CONFLICT)


async def _unwritable(request: Request, error: Exception) -> Response:
    assert isinstance(error, OSError)
    if error.errno not in _UNWRITABLE:
        raise error
    logger.error("a file cannot be written", exc_info=error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _no_room(request)
    message = "the folder where digitpad keeps its files cannot be written; its permissions may be wrong"
    return respond(request, HTTPStatus.SERVICE_UNAVAILABLE, message, {"retry-after": "60"})


def _no_room(request: Request) -> Response:
    message = "there is no room left on the disk; nothing was changed"
    return respond(request, HTTPStatus.INSUFFICIENT_STORAGE, message)


async def _busy(request: Request, error: Exception) -> Response:
    logger.error("the database did not answer", exc_info=error)
    if "disk is full" in str(error):  # SQLite's words for SQLITE_FULL
        return _no_room(request)
    message = "the database is busy or cannot be reached; try again in a moment"
    return respond(request, HTTPStatus.SERVICE_UNAVAILABLE, message, {"retry-after": "2"})


async def _full(request: Request, error: Exception) -> Response:
    assert isinstance(error, LimitError)
    status = HTTPStatus.TOO_MANY_REQUESTS if isinstance(error, QueueFullError) else HTTPStatus.SERVICE_UNAVAILABLE
    return respond(request, status, str(error), {"retry-after": str(error.retry_after)})


async def _unexpected(request: Request, error: Exception) -> Response:
    message = "something went wrong in the server; its log says what"
    answer = respond(request, HTTPStatus.INTERNAL_SERVER_ERROR, message, request_id_header())
    # Starlette answers these outside of all middleware, so nobody else puts the headers on.
    policy = PAGE_POLICY if answer.media_type == "text/html" else DATA_POLICY
    for name, value in (*ALWAYS, NO_FRAME, NO_STORE, policy):
        answer.headers[name.decode()] = value.decode()
    return answer
