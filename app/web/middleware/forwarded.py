"""The request as the visitor made it: its path under the root path, and what a trusted proxy says of it.

A proxy may strip the root path or keep it; inside, `scope["path"]` always has it, as ASGI says. `X-Forwarded-*` headers
of anyone but a trusted proxy are removed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.errors import Message
from app.settings import Settings, parse_root_path

FORWARDED = "digitpad.forwarded"
"""Where a scope has what a trusted proxy says, if anything."""

KEPT_ANSWERS = 512


@dataclass(frozen=True)
class Forwarded:
    """The hosts that the visitor and proxies in between named, the visitor's first, and a fault to refuse."""

    hosts: tuple[bytes, ...] = ()
    fault: Message | None = None


NOT_FORWARDED = Forwarded()


class ForwardedMiddleware:
    """Inside of the access log, which is to tell the visitor's address, and outside of the gate, which judges hosts."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._root = settings.root_path
        self._proxies = settings.trusted_proxies
        # believes X-Forwarded-For and X-Forwarded-Proto
        self._believing = ProxyHeadersMiddleware(
            self._pass_on,  # type: ignore[arg-type]
            [str(network) for network in self._proxies],
        )
        self._trusted_address = lru_cache(KEPT_ANSWERS)(self._find_trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        app, root, stripped = self._app, self._root, False
        if any(name.startswith(b"x-forwarded-") for name, _ in headers):
            client = scope.get("client")
            address = self._trusted_address(client[0]) if client else None
            if client is None or address is None:
                scope["headers"] = [pair for pair in headers if not pair[0].startswith(b"x-forwarded-")]
            else:
                scope["client"] = (address, client[1])
                app = self._believing  # type: ignore[assignment]
                hosts, fault = _values(scope, b"x-forwarded-host"), None
                if not root:
                    stripped = True
                    root, fault = _prefix(_values(scope, b"x-forwarded-prefix"))
                scope[FORWARDED] = Forwarded(hosts, fault)
        if root:
            _place(scope, root, stripped=stripped)
        await app(scope, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _address(scope["client"][0]) is None:  # X-Forwarded-For may hold anything
            scope["client"] = None
        await self._app(scope, receive, send)

    def _find_trusted(self, text: str) -> str | None:
        """The address, as settings write it, if it is a trusted proxy's."""
        address = _address(text)
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:  # a socket for both takes IPv4 as this
            address = address.ipv4_mapped
        is_trusted = address is not None and any(address in network for network in self._proxies)
        return str(address) if is_trusted else None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _values(scope: Scope, name: bytes) -> tuple[bytes, ...]:
    """The values of a header, which proxies one after the other may have added to."""
    found: Iterable[bytes] = (value for key, value in scope["headers"] if key == name)
    return tuple(part for value in found for part in map(bytes.strip, value.split(b",")) if part)


def _prefix(values: tuple[bytes, ...]) -> tuple[str, Message | None]:
    """The root path of a header, or a fault."""
    if not values:
        return "", None
    text = values[0].decode("latin-1")
    try:
        if len(values) == 1:
            return parse_root_path(text.removesuffix("/")), None
    except ValueError:
        pass
    given = repr(b", ".join(values)[:80].decode("latin-1"))
    return "", Message('expected one path such as "/pad" as X-Forwarded-Prefix; got {prefix}', prefix=given)


def _place(scope: Scope, root: str, *, stripped: bool) -> None:
    """Put a request under the root path, if it does not come with it."""
    path = scope["path"]
    if stripped or not (path == root or path.startswith(f"{root}/")):
        scope["path"] = root + path
        scope["raw_path"] = root.encode() + (scope.get("raw_path") or b"")
    scope["root_path"] = root
