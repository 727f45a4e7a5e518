"""Templates, and static files under an address that changes with their content."""

import hashlib
from collections.abc import Mapping, MutableMapping
from functools import cache, partial
from typing import Any

from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from app.data.catalog import dataset_titles
from app.i18n.catalog import LANGUAGES, catalog
from app.learn.formulas import FORMULAS
from app.recipes import load_recipes
from app.resources import bundled
from app.runs.training.personalization import RECIPE as PERSONAL
from app.web.preferences import (
    DARK_STYLES,
    language_headers,
    language_links,
    language_of,
    theme_links,
    theme_of,
)
from app.web.script_catalog import script_words

STATIC = bundled("static")
FOREVER = "public, max-age=31536000, immutable"


class _Immutable(StaticFiles):
    """Static files that a browser need not ask for again."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = FOREVER
        return response


def install(app: FastAPI) -> None:
    """Serve `static/`, and make the templates ready."""
    app.mount(_prefix(), _Immutable(directory=STATIC), name="static")
    app.state.templates = {language: _templates(language) for language in LANGUAGES}


def _templates(language: str) -> Jinja2Templates:
    """The templates in one language, in an environment of its own: requests share nothing that changes."""
    environment = Environment(
        loader=FileSystemLoader(bundled("templates")),
        autoescape=select_autoescape(default=True),
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda key: catalog(language).gettext(key), lambda *forms: catalog(language).ngettext(*forms), newstyle=True
    )
    environment.globals["static"] = static_url
    environment.globals["language"] = language
    environment.globals["script_words"] = partial(script_words, language)
    environment.globals["language_links"] = language_links
    environment.globals["dark_styles"] = DARK_STYLES
    environment.globals["theme_links"] = theme_links
    environment.globals["theme_of"] = theme_of
    environment.globals["formulas"] = FORMULAS
    environment.globals["titles"] = titles
    return Jinja2Templates(env=environment)


def render_page(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A template as an answer, in the language that the request asks for."""
    language = language_of(request)
    templates: Jinja2Templates = request.app.state.templates[language]
    return templates.TemplateResponse(request, template, dict(context), status, language_headers(language, headers))


def static_url(path: str) -> str:
    """The address of a file in `static/`."""
    return f"{_prefix()}/{path}"


@cache
def _prefix() -> str:
    """Where static files are, with a short hash of them all: so browsers may keep them for good."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return f"/static/{digest.hexdigest()[:12]}"


PERSONAL_TITLE = "Make it mine"


@cache
def titles() -> Mapping[str, Mapping[str, str]]:
    """By name, the English titles of the `recipes` and of the `datasets` that digitpad knows. The recipe of "Make it
    mine" is no file: it is made for each model.
    """
    recipes = {name: recipe.title for name, recipe in load_recipes().items()}
    return {"recipes": {**recipes, PERSONAL: PERSONAL_TITLE}, "datasets": dataset_titles()}
