"""The switches in the head of every page: what is chosen is kept in a cookie, and the page comes again."""

import re
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

COOKIE_SECONDS = 400 * 24 * 3600  # the longest that browsers keep one


def leading_back(request: Request, path: str) -> str:
    """The address of a choice, at `path`, which leads back to the page that is asked for."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"{path}?{urlencode({'next': back})}"


def chosen(request: Request, cookie: str, value: str | None, back: str) -> Response:
    """Keep `value` in the cookie, or forget the one that there is where it is None, and go to the page `back`."""
    # One slash at the beginning, and no control character: anything else may lead to another server.
    address = "/" + re.sub(r"[\x00-\x20\\]", "", back).lstrip("/")
    answer = RedirectResponse(address, 303)
    secure = request.url.scheme == "https"
    seconds = COOKIE_SECONDS if value is not None else 0
    answer.set_cookie(cookie, value or "", seconds, secure=secure, httponly=True, samesite="lax")
    return answer
