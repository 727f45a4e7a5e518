"""Preferences kept in cookies: the language and the theme of the pages, and the routes that choose them."""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from app.errors import RequestError, localized
from app.i18n.catalog import KEYS, LANGUAGES, Catalog, catalog
from app.i18n.negotiation import accepted_languages, preferred_language
from app.web.addresses import cookie_path, root_of, with_root

LANGUAGE_COOKIE, THEME_COOKIE = "digitpad-language", "digitpad-theme"
COOKIE_SECONDS = 400 * 24 * 3600  # the longest that browsers keep one
VARY = "Accept-Language, Cookie"

SYSTEM_THEME = "system"
DARK_STYLES: Mapping[str, str] = {SYSTEM_THEME: "(prefers-color-scheme: dark)", "light": "not all", "dark": "all"}
"""By theme, the media for which static/css/base/dark.css counts."""

_language: ContextVar[str] = ContextVar("language", default=KEYS)

router = APIRouter(include_in_schema=False)


def language_of(request: HTTPConnection) -> str:
    """The language to answer in: that of the switch on the pages, else the one that the browser likes best."""
    kept = _cookie(request, LANGUAGE_COOKIE)
    if kept is not None and kept in LANGUAGES:
        return kept
    return preferred_language(request.headers.get("accept-language", ""))


def reads_japanese(request: HTTPConnection) -> bool:
    """Return True if Japanese is among the browser's languages, or chosen on the pages: English terms then have the
    Japanese ones beside them.
    """
    return "ja" in {language_of(request), *accepted_languages(request.headers.get("accept-language", ""))}


def catalog_of(request: HTTPConnection) -> Catalog:
    """The catalogue to answer from."""
    return catalog(language_of(request))


def answer_language(request: Request, response: Response) -> Catalog:
    """Return the catalogue for the data that a route returns, and let caches know that there are other languages."""
    language = language_of(request)
    response.headers.update(language_headers(language))
    return catalog(language)


AnswerLanguage = Annotated[Catalog, Depends(answer_language)]


async def use_language(request: HTTPConnection) -> None:
    """Dependency: let `ApiRoute` answer this request in its language."""
    _language.set(language_of(request))


def in_callers_language(data: Any) -> Any:
    """`data`, with the messages of runs and models that failed in the language of the request that is answered."""
    language = _language.get()
    return data if language == KEYS else localized(data, catalog(language).gettext)


def language_headers(language: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The headers of an answer in a language; caches must know that there are others."""
    return {**(more or {}), "content-language": language, "vary": VARY}


def language_links(request: Request) -> list[dict[str, str]]:
    """A link for each language, which leads back to the page that is asked for."""
    return [
        {"language": tag, "name": name, "href": url_with_next(request, f"/language/{tag}")}
        for tag, name in LANGUAGES.items()
    ]


def theme_of(request: Request) -> str:
    """The theme that was chosen, or the system's."""
    found = _cookie(request, THEME_COOKIE)
    return found if found is not None and found in DARK_STYLES else SYSTEM_THEME


def theme_links(request: Request) -> dict[str, str]:
    """By theme, the address that chooses it and leads back to the page that is asked for."""
    return {theme: url_with_next(request, f"/theme/{theme}") for theme in DARK_STYLES}


@router.get("/language/{language}")
def choose_language(request: Request, language: str, next: str = "/") -> Response:
    """Keep the language that was chosen in a cookie, and go back to the page."""
    if language not in LANGUAGES:
        raise RequestError(
            404,
            "expected a language: {names}; got {language}",
            names=", ".join(LANGUAGES),
            language=repr(language[:20]),
        )
    return set_cookie_and_redirect(request, LANGUAGE_COOKIE, language, next)


@router.get("/theme/{theme}")
def choose_theme(request: Request, theme: str, next: str = "/") -> Response:
    """Keep the theme that was chosen in a cookie, and go back to the page."""
    if theme not in DARK_STYLES:
        raise RequestError(
            404, "expected a theme: {names}; got {theme}", names=", ".join(DARK_STYLES), theme=repr(theme[:20])
        )
    return set_cookie_and_redirect(request, THEME_COOKIE, None if theme == SYSTEM_THEME else theme, next)


def url_with_next(request: Request, path: str) -> str:
    """The address of a choice, at `path`, which leads back to the page that is asked for."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"{with_root(request.scope, path)}?{urlencode({'next': back})}"


def set_cookie_and_redirect(request: Request, cookie: str, value: str | None, back: str) -> Response:
    """Keep `value` in the cookie, or forget the one that there is where it is None, and go to the page `back`."""
    path = re.sub(r"[\x00-\x20\\]", "", back).removeprefix(root_of(request.scope)).lstrip("/")
    answer = RedirectResponse(f"../{path}", 303)  # relative to the route of the choice: never another server's
    secure = request.url.scheme == "https"
    seconds = COOKIE_SECONDS if value is not None else 0
    place = cookie_path(request.scope)
    answer.set_cookie(cookie, value or "", seconds, path=place, secure=secure, httponly=True, samesite="lax")
    return answer


def _cookie(request: HTTPConnection, name: str) -> str | None:
    """The first cookie of that name: that of the longest path, where an app beside has one for a shorter."""
    for header in request.headers.getlist("cookie"):
        for pair in header.split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value
    return None
