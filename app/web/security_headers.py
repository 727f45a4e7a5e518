"""The headers that tell a browser what the server's answers may and may not do."""

from collections.abc import Iterable

from starlette.types import Message

Header = tuple[bytes, bytes]


def page_policy(*, styles: Iterable[str] = ()) -> str:
    """A content security policy for a page: nothing from elsewhere, nothing inline but what is named, no frame."""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            " ".join(("style-src 'self'", *styles)),
            "img-src 'self' data: blob:",
            "connect-src 'self'",  # the server's own sockets too: CSP level 3, section 6.7.2.8
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        )
    )


ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NO_FRAME: Header = (b"x-frame-options", b"DENY")
WINDOW: Header = (b"cross-origin-opener-policy", b"same-origin")
PAGE_POLICY: Header = (b"content-security-policy", page_policy().encode())
DATA_POLICY: Header = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
NO_STORE: Header = (b"cache-control", b"no-store")


def protect(message: Message, extra: Iterable[Header]) -> None:
    """Put the headers, and `extra`, into the start of an answer; what it says of policy or cache by itself stays."""
    headers: list[Header] = list(message.get("headers", ()))
    is_page = has_policy = has_cache = False
    for name, value in headers:
        if name == b"content-type":
            is_page = value.startswith(b"text/html")
        elif name == b"content-security-policy":
            has_policy = True
        elif name == b"cache-control":
            has_cache = True
    headers += ALWAYS
    headers += extra
    if is_page:
        headers += (NO_FRAME, WINDOW)
    if not has_policy:
        headers.append(PAGE_POLICY if is_page else DATA_POLICY)
    if not has_cache:
        headers.append(NO_STORE)
    message["headers"] = headers
