"""Routes of the API: JSON bodies are read within their limits, and messages in answers speak the caller's language."""

from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from app.web.api.request_body import parse_json, read_body
from app.web.errors import Error
from app.web.preferences import in_callers_language


class RequestBody(BaseModel):
    """The JSON that a route takes: every field is known, and of its type."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class ResponseBody(BaseModel):
    """The JSON that a route answers with."""

    model_config = ConfigDict(extra="forbid")


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse with these statuses."""
    return {status: {"model": Error} for status in statuses}


class ApiRoute(APIRoute):
    """A route whose body, if it declares one, is read as JSON whatever its content type, as of `curl -d`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        @wraps(endpoint)
        async def answer_later(*args: Any, **kwargs: Any) -> Any:
            return in_callers_language(await endpoint(*args, **kwargs))

        @wraps(endpoint)
        def answer(*args: Any, **kwargs: Any) -> Any:
            return in_callers_language(endpoint(*args, **kwargs))

        super().__init__(path, answer_later if iscoroutinefunction(endpoint) else answer, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI's, with the body read under the limits of the server."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def read_and_handle(request: Request) -> Response:
            return await handle(_JsonRequest(request, await read_body(request)))

        return read_and_handle


class _JsonRequest(Request):
    """A request whose body was read and parsed."""

    def __init__(self, request: Request, body: bytes) -> None:
        others = [header for header in request.scope["headers"] if header[0] != b"content-type"]
        headers = [*others, (b"content-type", b"application/json")]
        super().__init__({**request.scope, "headers": headers}, request.receive)
        self._bytes, self._data = body, parse_json(body) if body.strip() else None

    async def body(self) -> bytes:
        return self._bytes.strip()

    async def json(self) -> Any:
        return self._data
