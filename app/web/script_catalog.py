"""The part of a language's catalogue that the scripts of one page need."""

import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from functools import cache, partial

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from app.i18n.catalog import catalog
from app.resources import bundled

SCRIPTS = bundled("static") / "js"

COMMON_SCRIPT = "pages/every-page"
"""The module that every page has."""

SERVER_TEXTS: Mapping[str, tuple[str, ...]] = {
    "pages/pad/diagnosis": ("app/data/preprocessing/diagnose.py",),
    "i18n/server-text": (
        "app/data/catalog",
        "app/data/sources/idx_datasets",
        "app/data/sources/mnist",
        "app/data/sources/synthetic",
        "app/recipes/",
        "app/runs/",
    ),
}
"""Modules that show texts which the server gives, and the beginnings of the files from which these come."""

_IMPORT = re.compile(r"""(?:from|import)\s*["'](\.{1,2}/[\w./-]+)\.js["']""")
_SCRIPT = re.compile(r"/js/([\w/-]+)\.js")


def texts_of_scripts(language: str, names: Iterable[str]) -> dict[str, str]:
    """The texts that a page needs which loads these modules of `static/js`, and all that they import."""
    found = catalog(language)
    if not found.texts:
        return {}
    modules = set[str]()
    for name in names:
        modules |= with_imports(name)
    files = {f"static/js/{name}.js" for name in modules}
    tables = tuple(start for module in modules for start in SERVER_TEXTS.get(module, ()))
    return {
        key: text
        for key, text in found.texts.items()
        if any(place in files or place.startswith(tables) for place in found.places[key])
    }


@cache
def script_words(language: str, scripts: str) -> Markup:
    """The element of a page from which static/js/i18n/translate.js reads, given the page's markup of its scripts."""
    found = texts_of_scripts(language, (COMMON_SCRIPT, *_SCRIPT.findall(scripts)))
    if not found:
        return Markup("")
    content = htmlsafe_json_dumps(found, dumps=partial(json.dumps, ensure_ascii=False, separators=(",", ":")))
    return Markup('<script type="application/json" id="words">{}</script>').format(content)


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
