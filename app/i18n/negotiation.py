"""Which language to answer in, from what a browser says that it likes."""

import re

from app.i18n.catalog import KEYS, LANGUAGES

_QUALITY = re.compile(r"q=([01](?:\.\d{0,3})?)$")
_MOST_TAGS = 20  # that are looked at in a header


def preferred_language(header: str) -> str:
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
