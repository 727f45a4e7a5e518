"""Packing of large answers."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

FROM_BYTES = 2000


class Compression:
    """gzip for who accepts it; who does not is passed by, as even to look takes longer than to read a digit."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain, self._packing = app, GZipMiddleware(app, minimum_size=FROM_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asks = scope["type"] == "http" and any(
            name == b"accept-encoding" and b"gzip" in value.lower() for name, value in scope["headers"]
        )
        await (self._packing if asks else self._plain)(scope, receive, send)
