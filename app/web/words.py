"""The languages of the pages: which of them a request asks for, and what every text is in it."""

import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial

from fastapi import APIRouter
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.bundle import bundled
from app.texts import KEYS, LANGUAGES, read_texts
from app.web.switch import chosen, leading_back

SCRIPTS = bundled("static") / "js"

COOKIE = "digitpad-language"
VARY = "Accept-Language, Cookie"

COMMON_SCRIPT = "pages/every-page"
"""The module that every page has."""

SERVER_TEXTS: Mapping[str, tuple[str, ...]] = {
    "pages/pad/diagnosis": ("app/data/preprocessing/diagnose.py",),
    "i18n/server-text": (
        "app/data/catalog",
        "app/data/sources/",
        "app/recipes/",
        "app/runs/",
    ),
}
"""Modules that show texts which the server gives, and the beginnings of the files from which these come."""

LATER = frozenset({"api/errors"})
"""Modules that a page may load when it needs them, by `import()`, with their words."""

_IMPORT = re.compile(r"""(?:from|import)\s*["'](\.{1,2}/[\w./-]+)\.js["']""")
_SCRIPT = re.compile(r"/js/([\w/-]+)\.js")
_QUALITY = re.compile(r"q=([01](?:\.\d{0,3})?)$")
_MOST_TAGS = 20  # that are looked at in a header

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Words:
    """A catalogue: texts by their key, and the files in which each stands, from the top of the project."""

    language: str
    texts: Mapping[str, str]
    places: Mapping[str, frozenset[str]]

    def text(self, key: str) -> str:
        """`key` in this language; itself where the catalogue lacks it."""
        return self.texts.get(key, key)

    def counted(self, one: str, many: str, number: int) -> str:
        """The same for a text with a number, in a language that does not bend words by it."""
        return self.texts.get(one, one if number == 1 else many)

    def of_scripts(self, names: Iterable[str]) -> dict[str, str]:
        """The texts that a page needs which loads these modules of `static/js`, and all that they import."""
        if not self.texts:
            return {}
        modules = set[str]()
        for name in names:
            modules |= with_imports(name)
        files = {f"static/js/{name}.js" for name in modules}
        tables = tuple(start for module in modules for start in SERVER_TEXTS.get(module, ()))
        return {
            key: text
            for key, text in self.texts.items()
            if any(place in files or place.startswith(tables) for place in self.places[key])
        }


@cache
def words(language: str) -> Words:
    """The catalogue of a language, read when it is first asked for. Raises ValueError for one that is damaged."""
    found = read_texts(language)
    return Words(language, {one.key: one.text for one in found}, {one.key: one.places for one in found})


def language_of(request: Request) -> str:
    """The language to answer in: that of the switch on the pages, else the one that the browser likes best."""
    kept = request.cookies.get(COOKIE)
    if kept is not None and kept in LANGUAGES:
        return kept
    return preferred(request.headers.get("accept-language", ""))


def words_of(request: Request) -> Words:
    """The catalogue to answer from."""
    return words(language_of(request))


def preferred(header: str) -> str:
    """The language that a header `Accept-Language` (RFC 9110, section 12.5.4) likes best of those that there are."""
    best, best_quality = KEYS, 0.0
    for entry in header.split(",")[:_MOST_TAGS]:
        tag, _, parameter = entry.strip().partition(";")
        language = KEYS if tag.strip() == "*" else tag.strip().partition("-")[0].lower()
        quality = _QUALITY.match(parameter.strip())
        value = 1.0 if not parameter else float(quality[1]) if quality else 0.0
        if language in LANGUAGES and value > best_quality:
            best, best_quality = language, value
    return best


@cache
def script_words(language: str, scripts: str) -> Markup:
    """The element of a page from which static/js/i18n/translate.js reads, given the page's markup of its scripts."""
    found = words(language).of_scripts((COMMON_SCRIPT, *_SCRIPT.findall(scripts)))
    if not found:
        return Markup("")
    content = htmlsafe_json_dumps(found, dumps=partial(json.dumps, ensure_ascii=False, separators=(",", ":")))
    return Markup('<script type="application/json" id="words">{}</script>').format(content)


def switches(request: Request) -> list[dict[str, str]]:
    """A link for each language, which leads back to the page that is asked for."""
    return [
        {"language": tag, "name": name, "href": leading_back(request, f"/language/{tag}")}
        for tag, name in LANGUAGES.items()
    ]


@router.get("/language/{language}")
def choose(request: Request, language: str, next: str = "/") -> Response:
    """Keep the language that was chosen in a cookie, and go back to the page."""
    if language not in LANGUAGES:
        raise HTTPException(404, f"expected a language: {', '.join(LANGUAGES)}; got {language[:20]!r}")
    return chosen(request, COOKIE, language, next)


@router.get("/language/{language}/{script:path}")
def later(language: str, script: str) -> Response:
    """The texts of a module that a page did not load at once."""
    if language not in LANGUAGES or script not in LATER:
        raise HTTPException(404, "expected a language and a script that is loaded later; got others")
    return JSONResponse(words(language).of_scripts((script,)), headers={"cache-control": "no-cache"})


def headers(language: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The headers of a page in a language; caches must know that there are others."""
    return {**(more or {}), "content-language": language, "vary": VARY}


@cache
def with_imports(name: str) -> frozenset[str]:
    """A module of `static/js` and all that it imports, by their paths without `.js`."""
    found, ahead = set[str](), [name]
    while ahead:
        module = ahead.pop()
        if module in found:
            continue
        found.add(module)
        source = (SCRIPTS / f"{module}.js").read_text(encoding="utf-8")
        ahead += (
            posixpath.normpath(posixpath.join(posixpath.dirname(module), path)) for path in _IMPORT.findall(source)
        )
    return frozenset(found)
