"""The texts of scripts in one language, as one script whose address changes with its content."""

import hashlib
import json
from functools import cache
from itertools import product
from typing import Literal, get_args

from fastapi import APIRouter
from starlette.responses import Response

from app.errors import RequestError
from app.i18n.catalog import KEYS, LANGUAGES, catalog, key_id

FOREVER = "public, max-age=31536000, immutable"

SCRIPTS = "static/js/"
NOT_OF_THE_PAD = ("runs/", "evaluation/", "models/", "data/", "pages/")
OF_THE_PAD = ("pages/pad/", "pages/every-page.js")

Scope = Literal["all", "pad"]
"""The scripts whose texts a page needs: those of the pad, which must stay small, or all of them."""

router = APIRouter(include_in_schema=False)


@cache
def script_catalog(language: str, scope: Scope = "all") -> bytes:
    """The script, which gives its own element the texts by the `key_id` of their keys: so it needs no global name, and
    a page whose catalogue does not come shows the keys, in English.
    """
    found = catalog(language)
    texts = {
        key_id(key): text
        for key, text in found.texts.items()
        if any(is_within(place, scope) for place in found.places[key])
    }
    return f"document.currentScript.texts={json.dumps(texts, ensure_ascii=False, separators=(',', ':'))}".encode()


def is_within(place: str, scope: Scope) -> bool:
    """Return True if the file `place` is a script of the scope."""
    script = place.removeprefix(SCRIPTS)
    if script == place:
        return False
    return scope == "all" or script.startswith(OF_THE_PAD) or not script.startswith(NOT_OF_THE_PAD)


@cache
def script_catalog_url(language: str, scope: Scope = "all") -> str | None:
    """The address of the script; None for the language of the keys, which needs none."""
    if language == KEYS:
        return None
    return f"/catalog/{language}-{hashlib.sha256(script_catalog(language, scope)).hexdigest()[:12]}.js"


@router.get("/catalog/{name}")
def serve_script_catalog(name: str) -> Response:
    """Serve a language's texts, to be kept for good."""
    for language, scope in product(LANGUAGES, get_args(Scope)):
        if f"/catalog/{name}" == script_catalog_url(language, scope):
            return Response(
                script_catalog(language, scope), media_type="text/javascript", headers={"cache-control": FOREVER}
            )
    raise RequestError(404, "there is no such catalogue")
