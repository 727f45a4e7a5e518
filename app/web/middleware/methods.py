"""The HTTP methods of an address, asked of the routes; HEAD works wherever GET does."""

from http import HTTPMethod, HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.addresses import root_of


def allowed_methods(scope: Scope) -> str:
    """The methods that the routes have at the path of a request, as the header `Allow` lists them."""
    path = {"path": scope["path"], "root_path": root_of(scope)}
    found = {
        method
        for method in HTTPMethod
        if any(_takes(route, {**path, "type": "http", "method": method}) for route in scope["app"].router.routes)
    }
    if HTTPMethod.GET in found:
        found.add(HTTPMethod.HEAD)
    return ", ".join(sorted(found))


def _takes(route: BaseRoute, scope: Scope) -> bool:
    if isinstance(route, Mount) and scope["method"] != HTTPMethod.GET:  # files; Starlette matches any method there
        return False
    return route.matches(scope)[0] is Match.FULL


def has_socket(scope: Scope) -> bool:
    """Return True if a route takes web sockets at the path."""
    routes = scope["app"].router.routes
    return any(route.matches(scope)[0] is Match.FULL for route in routes if not isinstance(route, Mount))


async def method_not_allowed(request: Request, _: Exception) -> Response:
    """Answer 405 with all methods of the address (RFC 9110, section 15.5.6); the framework names those of one route."""
    error = HTTPException(status_code=HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": allowed_methods(request.scope)})
    answer: Response = await request.app.exception_handlers[HTTPException](request, error)
    return answer


class HeadMiddleware:
    """Answers HEAD as GET without the content (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") != HTTPMethod.HEAD:
            await self._app(scope, receive, send)
            return

        async def without_content(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, without_content)
