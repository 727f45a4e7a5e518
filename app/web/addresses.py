"""Addresses under the root path, at which a proxy shows the server: the one place that adds it and takes it away.

Redirects are relative, so that they are right behind a proxy that translates them and behind one that does not.
"""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Match, Mount, Router
from starlette.types import Receive, Scope, Send

from app.settings import SettingError


def root_of(scope: Scope) -> str:
    """The root path of a request or a socket, such as "/pad"; empty where there is none."""
    root: str = scope.get("app_root_path", scope.get("root_path", ""))  # the first is there within a mounted app
    return root


def route_path(scope: Scope) -> str:
    """The path of a request or a socket without the root path, as the routes have it."""
    path: str = scope["path"]
    return path.removeprefix(root_of(scope))


def cookie_path(scope: Scope) -> str:
    """The path of cookies, so that apps at other paths of the host do not get them."""
    return root_of(scope) or "/"


def with_root(scope: Scope, path: str) -> str:
    """The address of `path`, which begins with a slash, as the visitor's browser knows it."""
    return root_of(scope) + path


def same_page(scope: Scope, query: str) -> str:
    """The address of the page that is asked for with another query, relative to it."""
    if root_of(scope) and route_path(scope) == "/":
        return f"?{query}"  # a proxy that strips "/pad" may take it without the slash behind it too
    return "./" + quote(scope["path"].rpartition("/")[2]) + (f"?{query}" if query else "")


def check_root(router: Router, root: str) -> None:
    """Raise SettingError for a root path that begins as an address of digitpad does: a request for it could be meant
    with the root path or without.
    """
    first = f"/{root[1:].partition('/')[0]}"
    if root and first in {f"/{path[1:].partition('/')[0]}" for path in _paths(router.routes)}:
        raise SettingError(f"DIGITPAD_ROOT_PATH: expected another path: {first} is an address of digitpad; got {root}")


def redirect_slashes(router: Router) -> None:
    """Lead from an address with a slash too many or too few at its end to the one that there is.

    Starlette's own redirects name host and scheme, which behind a proxy may be others than the visitor's.
    """
    router.redirect_slashes = False
    not_found = router.default

    async def other_slash(scope: Scope, receive: Receive, send: Send) -> None:
        path, query = scope["path"], scope["query_string"].decode("latin-1")
        other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        is_escaped = path.endswith("/") and not scope.get("raw_path", b"/").endswith(b"/")  # to browsers no slash
        is_served = route_path(scope) != "/" and not is_escaped and _is_served(router, {**scope, "path": other})
        if scope["type"] == "http" and is_served:
            name = quote(other.removesuffix("/").rpartition("/")[2])
            address = f"../{name}" if path.endswith("/") else f"./{name}/"
            answer = RedirectResponse(address + (f"?{query}" if query else ""), HTTPStatus.TEMPORARY_REDIRECT)
            await answer(scope, receive, send)
        else:
            await not_found(scope, receive, send)

    router.default = other_slash


def _is_served(router: Router, scope: Scope) -> bool:
    return any(route.matches(scope)[0] is not Match.NONE for route in router.routes if not isinstance(route, Mount))


def _paths(routes: Iterable[BaseRoute]) -> Iterator[str]:
    """The paths of all routes, in routers within routers too."""
    for route in routes:
        if hasattr(route, "path"):
            yield route.path
        elif hasattr(route, "original_router"):  # FastAPI's, of a router that is included
            yield from _paths(route.original_router.routes)
