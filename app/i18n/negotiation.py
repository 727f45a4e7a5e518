"""Negotiation of the language, by a browser's preferences."""

import re

from app.i18n.catalog import KEYS, LANGUAGES

_QUALITY = re.compile(r"q=([01](?:\.\d{0,3})?)$")
_MOST_TAGS = 20  # read from a header


def preferred_language(header: str) -> str:
    """The available language that a header `Accept-Language` (RFC 9110, section 12.5.4) prefers."""
    accepted = accepted_languages(header)
    return max(accepted, key=accepted.__getitem__, default=KEYS)


def accepted_languages(header: str) -> dict[str, float]:
    """The available languages that a header `Accept-Language` accepts, with their qualities, in its order."""
    accepted = dict[str, float]()
    for entry in header.split(",")[:_MOST_TAGS]:
        tag, _, parameter = entry.strip().partition(";")
        language = KEYS if tag.strip() == "*" else tag.strip().partition("-")[0].lower()
        quality = _QUALITY.match(parameter.strip())
        value = 1.0 if not parameter else float(quality[1]) if quality else 0.0
        if language in LANGUAGES and value > accepted.get(language, 0.0):
            accepted[language] = value
    return accepted
