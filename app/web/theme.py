"""Light or dark: as the system says, or as was chosen on the pages, for a projector say."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.web.switch import chosen, leading_back

COOKIE = "digitpad-theme"
SYSTEM = "system"
DARK_STYLES: Mapping[str, str] = {SYSTEM: "(prefers-color-scheme: dark)", "light": "not all", "dark": "all"}
"""By theme, the media for which static/css/base/dark.css counts."""

router = APIRouter(include_in_schema=False)


def theme_of(request: Request) -> str:
    """The theme that was chosen, or the system's."""
    found = request.cookies.get(COOKIE)
    return found if found is not None and found in DARK_STYLES else SYSTEM


def theme_links(request: Request) -> dict[str, str]:
    """By theme, the address that chooses it and leads back to the page that is asked for."""
    return {theme: leading_back(request, f"/theme/{theme}") for theme in DARK_STYLES}


@router.get("/theme/{theme}")
def choose(request: Request, theme: str, next: str = "/") -> Response:
    """Keep the theme that was chosen in a cookie, and go back to the page."""
    if theme not in DARK_STYLES:
        raise HTTPException(404, f"expected a theme: {', '.join(DARK_STYLES)}; got {theme[:20]!r}")
    return chosen(request, COOKIE, None if theme == SYSTEM else theme, next)
