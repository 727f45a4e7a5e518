"""Pydantic's errors as translatable messages, by their `type` and `ctx`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import Message, message_of
from app.nn import abbreviate

_BY_TYPE: Mapping[str, str] = {
    "missing": "missing",
    "extra_forbidden": "unknown field",
    "greater_than": "expected a number > {gt}; got {got}",
    "greater_than_equal": "expected a number ≥ {ge}; got {got}",
    "less_than": "expected a number < {lt}; got {got}",
    "less_than_equal": "expected a number ≤ {le}; got {got}",
    "int_type": "expected a whole number; got {got}",
    "int_parsing": "expected a whole number; got {got}",
    "int_from_float": "expected a whole number; got {got}",
    "int_parsing_size": "expected a whole number; got {got}",
    "float_type": "expected a number; got {got}",
    "float_parsing": "expected a number; got {got}",
    "finite_number": "expected a finite number; got {got}",
    "bool_type": "expected true or false; got {got}",
    "bool_parsing": "expected true or false; got {got}",
    "string_type": "expected a string; got {got}",
    "string_too_short": "expected at least {min_length} characters; got {got}",
    "string_too_long": "expected at most {max_length} characters; got {got}",
    "string_pattern_mismatch": "expected a string that matches {pattern}; got {got}",
    "literal_error": "expected one of {expected}; got {got}",
    "enum": "expected one of {expected}; got {got}",
    "list_type": "expected a list; got {got}",
    "too_short": "expected at least {min_length} values; got {actual_length}",
    "too_long": "expected at most {max_length} values; got {actual_length}",
    "dict_type": "expected an object; got {got}",
    "model_type": "expected an object; got {got}",
    "model_attributes_type": "expected an object; got {got}",
}
_JSON_PLACE = re.compile(r"line (\d+) column (\d+)$")
_OR = re.compile(r"(?<=') or (?=')")


def json_message(error: str) -> Message:
    """The message of an error of pydantic_core's `from_json`, which ends with its place."""
    place = _JSON_PLACE.search(error)
    if place is None:
        return Message("not valid JSON")
    return Message("not valid JSON: line {line}, column {column}", line=int(place[1]), column=int(place[2]))


def pydantic_message(entry: Mapping[str, Any]) -> Message:
    """The message of an entry of `ValidationError.errors()`."""
    place = _path(entry["loc"])[:80] or None
    context = dict(entry.get("ctx") or {})
    raised = context.get("error")
    got = abbreviate(entry.get("input"))
    if entry["type"] == "json_invalid":
        return json_message(str(raised))
    if entry["type"] == "value_error" and isinstance(raised, ValueError):
        message = message_of(raised)
        if message.template == "{text}":
            message = Message("{text}; got {got}", text=str(raised), got=got)
        return message if place is None else message.within(place)
    template = _BY_TYPE.get(entry["type"])
    if template == "missing" and place is None:
        return Message("expected JSON in the body; got nothing")
    if template is None:
        return Message("{text}; got {got}", field=place, text=entry["msg"], got=got)
    values = {name: _shown(value) for name, value in context.items() if isinstance(value, str | int | float)}
    return Message(template, field=place, got=got, **values)


def _path(place: Sequence[str | int]) -> str:
    """A location as `layers[2].units`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def _shown(value: str | float) -> str | float:
    """A value of an error's context; Pydantic joins choices with "or"."""
    if isinstance(value, float):
        return f"{value:g}"
    return _OR.sub(", ", value) if isinstance(value, str) else value
