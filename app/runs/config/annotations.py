"""Annotations of runs: tags and a note."""

import unicodedata
from typing import Any

from app.errors import InputError
from app.nn import abbreviate

MOST_TAGS = 20
LONGEST_TAG = 40
LONGEST_NOTE = 2000
"""The most characters, after composition (NFC)."""

REMARKS = ("tags", "note")

_NOT_IN_LINES = ("Cc", "Cs", "Zl", "Zp")  # control characters, surrogates, line and paragraph separators


def check_tags(tags: object) -> list[str]:
    """The tags for storage: composed, stripped, and distinct. Raises ValueError."""
    if not isinstance(tags, list):
        raise InputError("expected a list of strings; got {value}", field="tags", value=abbreviate(tags))
    if len(tags) > MOST_TAGS:
        raise InputError("expected at most {most} tags; got {count}", field="tags", most=MOST_TAGS, count=len(tags))
    return list(dict.fromkeys(_tag(f"tags[{index}]", tag) for index, tag in enumerate(tags)))


def check_note(note: object) -> str:
    """The note for storage; it may have several lines. Raises ValueError."""
    if not isinstance(note, str):
        raise InputError("expected a string; got {value}", field="note", value=abbreviate(note))
    if len(note) > LONGEST_NOTE:
        raise _too_long(note)
    composed = unicodedata.normalize("NFC", note.replace("\r\n", "\n")).strip()
    for character in composed:
        if character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs"):
            raise InputError(
                "expected no control characters; got U+{character}", field="note", character=f"{ord(character):04X}"
            )
    if len(composed) > LONGEST_NOTE:
        raise _too_long(composed)
    return composed


def _too_long(note: str) -> InputError:
    return InputError(
        "expected at most {most} characters; got {count}", field="note", most=LONGEST_NOTE, count=len(note)
    )


def check_remarks(data: dict[str, Any]) -> dict[str, Any]:
    """The `tags` and the `note` of `data`, if present. Raises ValueError."""
    remarks: dict[str, Any] = {}
    if "tags" in data:
        remarks["tags"] = check_tags(data["tags"])
    if "note" in data:
        remarks["note"] = check_note(data["note"])
    return remarks


def _tag(place: str, tag: object) -> str:
    if not isinstance(tag, str):
        raise InputError("expected a string; got {value}", field=place, value=abbreviate(tag))
    if len(tag) > 10 * LONGEST_TAG:  # composing takes time
        raise _wrong_length(place, tag)
    for character in tag:
        if unicodedata.category(character) in _NOT_IN_LINES:
            raise InputError(
                "expected one line without control characters; got U+{character}",
                field=place,
                character=f"{ord(character):04X}",
            )
    composed = unicodedata.normalize("NFC", tag).strip()
    if not 1 <= len(composed) <= LONGEST_TAG:
        raise _wrong_length(place, composed)
    return composed


def _wrong_length(place: str, tag: str) -> InputError:
    return InputError("expected 1 to {most} characters; got {count}", field=place, most=LONGEST_TAG, count=len(tag))
