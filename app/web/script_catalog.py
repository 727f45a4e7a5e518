"""All texts of the scripts in one language, as one script whose address changes with its content."""

import hashlib
import json
from functools import cache

from fastapi import APIRouter
from starlette.responses import Response

from app.errors import RequestError
from app.i18n.catalog import KEYS, LANGUAGES, catalog, key_id

FOREVER = "public, max-age=31536000, immutable"

SCRIPTS = "static/js/"

router = APIRouter(include_in_schema=False)


@cache
def script_catalog(language: str) -> bytes:
    """The script, which gives its own element the texts by the `key_id` of their keys: so it needs no global name, and
    a page whose catalogue does not come shows the keys, in English.
    """
    found = catalog(language)
    texts = {
        key_id(key): text
        for key, text in found.texts.items()
        if any(place.startswith(SCRIPTS) for place in found.places[key])
    }
    return f"document.currentScript.texts={json.dumps(texts, ensure_ascii=False, separators=(',', ':'))}".encode()


@cache
def script_catalog_url(language: str) -> str | None:
    """The address of the script; None for the language of the keys, which needs none."""
    if language == KEYS:
        return None
    return f"/catalog/{language}-{hashlib.sha256(script_catalog(language)).hexdigest()[:12]}.js"


@router.get("/catalog/{name}")
def serve_script_catalog(name: str) -> Response:
    """Serve a language's texts, to be kept for good."""
    for language in LANGUAGES:
        if f"/catalog/{name}" == script_catalog_url(language):
            return Response(script_catalog(language), media_type="text/javascript", headers={"cache-control": FOREVER})
    raise RequestError(404, "there is no such catalogue")
