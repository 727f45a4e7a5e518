"""A labelled drawing of the user: validation and serialization."""

import hashlib
import json
import re
import secrets
import time
import unicodedata
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from app.data.preprocessing.validate import parse_strokes
from app.errors import InputError
from app.i18n.pydantic_errors import json_message
from app.nn import abbreviate

SET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""The same pattern as a model's name."""
DEFAULT_SET = "mine"

LONGEST_LABEL = 64
"""The most characters, after composition (NFC)."""
KEY_DIGITS = 8
"""Hexadecimal digits at the end of an id."""
LONGEST_KEY = 64
LARGEST_FILE = 1_000_000
"""The most bytes; 10,000 points with all decimals take less than half."""

_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NOT_IN_LABELS = {"Cc", "Cs", "Zl", "Zp"}  # control characters, surrogates, line and paragraph separators

Strokes = list[list[list[float]]]


@dataclass(frozen=True)
class Drawing:
    """A labelled drawing: `strokes` are lists of [x, y] in any unit, y down; `created` is an ISO time in UTC.

    Ids sort by the time of storing.
    """

    id: str
    label: str
    strokes: Strokes
    set: str
    created: str


def digest_of(drawing: Drawing) -> str:
    """The SHA-256 of a drawing's strokes in hex."""
    return hashlib.sha256(json.dumps(drawing.strokes).encode()).hexdigest()


def check_set_name(name: object) -> str:
    """Return `name` if it can be a set's name; else raise ValueError."""
    if not isinstance(name, str) or not SET_NAME.fullmatch(name):
        raise InputError(
            "expected up to 64 characters of a-z, 0-9, '.', '_' and '-', starting with a letter or digit; got {got}",
            field="set",
            got=abbreviate(name),
        )
    return name


def check_label(label: object) -> str:
    """The label in composed form (NFC), stripped. Raises ValueError if it is invalid."""
    if not isinstance(label, str):
        raise InputError(
            "expected a string of 1 to {most} characters; got {value}",
            field="label",
            most=LONGEST_LABEL,
            value=abbreviate(label),
        )
    if len(label) > 10 * LONGEST_LABEL:  # composing takes time
        raise InputError(
            "expected 1 to {most} characters; got {count}",
            field="label",
            most=LONGEST_LABEL,
            count=len(label),
        )
    for character in label:
        if unicodedata.category(character) in _NOT_IN_LABELS or character in _BIDIRECTIONAL:
            raise InputError(
                "expected no control characters; got U+{character}", field="label", character=f"{ord(character):04X}"
            )
    composed = unicodedata.normalize("NFC", label).strip()
    if not 1 <= len(composed) <= LONGEST_LABEL:
        raise InputError(
            "expected 1 to {most} characters; got {count}",
            field="label",
            most=LONGEST_LABEL,
            count=len(composed),
        )
    return composed


def check_strokes(strokes: object) -> Strokes:
    """The strokes that have points. Raises ValueError as `from_strokes` does, and if there are no points."""
    parsed = parse_strokes(strokes)
    assert isinstance(strokes, list | tuple)
    inked = [[list(point) for point in stroke] for stroke, points in zip(strokes, parsed, strict=True) if len(points)]
    if not inked:
        raise InputError("expected at least one point; got none", field="strokes")
    return inked


def new_drawing(label: object, strokes: object, set_name: object = DEFAULT_SET, key: str | None = None) -> Drawing:
    """A new drawing, not yet stored; the end of its id is made from `key`, or random.

    Raises ValueError if it is invalid.
    """
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        raise InputError("expected 1 to {most} characters; got {count}", field="key", most=LONGEST_KEY, count=len(key))
    end = secrets.token_hex(KEY_DIGITS // 2)
    if key is not None:
        end = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:KEY_DIGITS]
    return Drawing(
        id=f"{time.time_ns() // 1000:014x}-{end}",
        label=check_label(label),
        strokes=check_strokes(strokes),
        set=check_set_name(set_name),
        created=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )


def pack_drawing(drawing: Drawing) -> bytes:
    """The content of a drawing's file. Raises ValueError if it is too large."""
    data = json.dumps(asdict(drawing), ensure_ascii=False, separators=(",", ":")).encode()
    if len(data) > LARGEST_FILE:
        raise InputError(
            "expected a drawing of at most {most} kB; got {count} bytes",
            field="strokes",
            most=LARGEST_FILE // 1000,
            count=len(data),
        )
    return data


def read_drawing(path: Path, set_name: str) -> Drawing:
    """Read a drawing from its file. Raises ValueError if it is invalid, OSError."""
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise InputError("expected at most {most} kB; the file is larger", most=LARGEST_FILE // 1000)
    try:
        values: Any = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise InputError(json_message(str(error))) from None
    if not isinstance(values, dict) or not isinstance(values.get("created"), str):
        raise InputError("expected an object with label, strokes and created")
    return Drawing(
        path.stem, check_label(values.get("label")), check_strokes(values.get("strokes")), set_name, values["created"]
    )
