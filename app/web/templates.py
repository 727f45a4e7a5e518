"""Templates, and static files under an address that changes with their content."""

import gzip
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, metadata
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, pass_context, select_autoescape
from jinja2.runtime import Context
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import Scope

from app import __version__
from app.data.catalog import dataset_titles
from app.i18n.catalog import LANGUAGES, catalog
from app.learn.formulas import FORMULAS
from app.models.card import MEASUREMENTS
from app.recipes import load_recipes
from app.resources import bundled
from app.runs.config.metrics import METRICS
from app.runs.config.schema import learning_rates
from app.runs.config.schema import names as config_names
from app.runs.training.personalization import RECIPE as PERSONAL
from app.web.addresses import with_root
from app.web.preferences import (
    DARK_STYLES,
    language_headers,
    language_links,
    language_of,
    reads_japanese,
    theme_links,
    theme_of,
)
from app.web.script_catalog import FOREVER, script_catalog_url

STATIC = bundled("static")


_COMMENT_LINES = re.compile(r"^[ \t]*(?://.*|/\*(?!!)(?:[^*]|\*(?!/))*\*/)[ \t]*$", re.MULTILINE)


class _StaticFiles(StaticFiles):
    """Scripts and styles that a browser need not ask for again."""

    def file_response(
        self, full_path: Any, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        return _packed_response(Headers(scope=scope), _packed(full_path), guess_type(full_path)[0])


@cache
def _packed(path: str) -> bytes:
    """A file of `static/`, packed, with its lines of comments left empty: a seventh of what scripts weigh is for
    readers of the source, and errors still name the source's lines.
    """
    text = Path(path).read_text(encoding="utf-8")
    return gzip.compress(_COMMENT_LINES.sub(lambda lines: "\n" * lines[0].count("\n"), text).encode())


def _packed_response(asked: Headers, packed: bytes, media_type: str | None) -> Response:
    headers = {"cache-control": FOREVER, "vary": "accept-encoding"}
    if "gzip" in asked.get("accept-encoding", ""):
        return Response(packed, media_type=media_type, headers={**headers, "content-encoding": "gzip"})
    return Response(gzip.decompress(packed), media_type=media_type, headers=headers)


def install(app: FastAPI) -> None:
    """Serve `static/`, and make the templates ready."""
    app.mount(_prefix(), _StaticFiles(directory=STATIC), name="static")
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
    environment.globals["with_root"] = _with_root
    environment.globals["static"] = _static_with_root
    environment.globals["language"] = language
    environment.globals["catalog_url"] = partial(script_catalog_url, language)
    environment.globals["language_links"] = language_links
    environment.globals["dark_styles"] = DARK_STYLES
    environment.globals["theme_links"] = theme_links
    environment.globals["theme_of"] = theme_of
    environment.globals["reads_japanese"] = reads_japanese
    environment.globals["formulas"] = FORMULAS
    environment.globals["version"] = __version__
    environment.globals["manual"] = _manual()
    environment.globals["names"] = partial(names_in, language)
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


def _manual() -> str | None:
    """The address of the manual, where the package names one as its `Documentation`."""
    try:
        addresses = metadata("digitpad").get_all("Project-URL") or []
    except PackageNotFoundError:
        return None
    return next((url for name, _, url in (line.partition(", ") for line in addresses) if name == "Documentation"), None)


@pass_context
def _with_root(context: Context, path: str) -> str:
    return with_root(context["request"].scope, path)


@pass_context
def _static_with_root(context: Context, path: str) -> str:
    return with_root(context["request"].scope, static_url(path))


def static_url(path: str) -> str:
    """The address of a file in `static/`, without the root path."""
    return f"{_prefix()}/{path}"


@cache
def _prefix() -> str:
    """The address of static files, with a short hash of them all, so that browsers may keep them for good."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    return f"/static/{digest.hexdigest()[:12]}"


PERSONAL_TITLE = "Make it mine"


@cache
def names_in(language: str) -> Mapping[str, Any]:
    """The names of recipes, data sets and parts of a config, by their identifiers, the `curves` of a run's charts, and
    the optimizers' own `learning_rates`. The recipe of "Make it mine" is no file: it is made for each model.
    """
    recipes = {name: recipe.title for name, recipe in load_recipes().items()}
    tables = {
        "recipes": {**recipes, PERSONAL: PERSONAL_TITLE},
        "datasets": dataset_titles(),
        "measurements": MEASUREMENTS,
        **config_names(),
    }
    translated = {
        table: {name: catalog(language).translate(title) for name, title in titles.items() if title}
        for table, titles in tables.items()
    }
    curves = [asdict(metric) for metric in METRICS if metric.chart is not None]
    return {**translated, "curves": curves, "learning_rates": learning_rates()}
