"""Every error is `{"error": "what was expected and what came"}`; in a browser's address bar it is a page."""

import logging
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.models import DamagedModelError, ProtectedModelError, UnknownModelError
from app.runs.log import NotEndedError, UnknownRunError
from app.web import assets

logger = logging.getLogger("digitpad")

STATUSES: dict[type[Exception], HTTPStatus] = {
    UnknownRunError: HTTPStatus.NOT_FOUND,
    UnknownModelError: HTTPStatus.NOT_FOUND,
    NotEndedError: HTTPStatus.CONFLICT,
    ProtectedModelError: HTTPStatus.CONFLICT,
    DamagedModelError: HTTPStatus.CONFLICT,
}
"""Errors of the rooms behind the routes whose message is for the caller."""


class Error(BaseModel):
    """The body of every error."""

    error: str


def install(app: FastAPI) -> None:
    """Make every error of `app` come out in the one form."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(OperationalError, _busy)
    app.add_exception_handler(Exception, _unexpected)
    for kind in STATUSES:
        app.add_exception_handler(kind, _known)


def respond(request: Request, status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """The answer to a request that failed: JSON, or a page for a person who followed a link."""
    wants_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if wants_page and not request.url.path.startswith("/api/"):
        context = {"status": status, "message": message, "active": ""}
        return assets.templates(request).TemplateResponse(request, "error.html", context, status, headers)
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


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    parts = []
    for entry in error.errors():
        place = ".".join(str(part) for part in entry["loc"] if part not in ("body", "query", "path"))
        parts.append(f"{place}: {entry['msg']}" if place else str(entry["msg"]))
    return respond(request, HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(parts))


async def _known(request: Request, error: Exception) -> Response:
    return respond(request, STATUSES[type(error)], str(error))


async def _busy(request: Request, error: Exception) -> Response:
    logger.error("the database did not answer", exc_info=error)
    message = "the database is busy or cannot be reached; try again in a moment"
    return respond(request, HTTPStatus.SERVICE_UNAVAILABLE, message, {"retry-after": "2"})


async def _unexpected(request: Request, error: Exception) -> Response:
    message = "something went wrong in the server; its log says what"
    return respond(request, HTTPStatus.INTERNAL_SERVER_ERROR, message)
