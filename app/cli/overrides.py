"""Overrides of a recipe's config, such as `--set optimizer.learning_rate=0.01`."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import InputError

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9 +*:/._-]*")
"""A word that needs no quotes: `adam`, `mnist + 0.5*strokes`."""


def parse_overrides(settings: Sequence[str], config: Mapping[str, Any]) -> dict[str, Any]:
    """The changes of `settings`, each "path=value", to `config`, for a deep merge; later ones win.

    A path's parts are separated by dots; a number is an index into a list ("network.layers.0.units"). A value is JSON,
    TOML, or a word. Raises ValueError.
    """
    changes: dict[str, Any] = {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        parts = path.strip().split(".")
        if not equals or not all(parts):
            raise InputError(
                "--set: expected PATH=VALUE, such as optimizer.learning_rate=0.01; got {setting}",
                setting=repr(setting),
            )
        _put(changes, parts, parse_value(path.strip(), text.strip()), config)
    return changes


def parse_value(path: str, text: str) -> Any:
    """A value as JSON, as TOML, or as a word without quotes. Raises ValueError."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        pass
    try:
        found = tomllib.loads(f"value = {text}")
        if set(found) == {"value"}:
            return found["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        pass
    if _BARE.fullmatch(text):
        return text
    raise InputError(
        "--set {path}: expected a value as JSON, TOML or a word; got {given}", path=path, given=repr(text[:80])
    )


def _put(changes: dict[str, Any], parts: Sequence[str], value: Any, config: Any) -> None:
    """Set `value` at a path of `changes`. A list is copied from `config`, as a merge replaces complete lists."""
    first, rest = parts[0], parts[1:]
    if not rest:
        changes[first] = value
        return
    known = config.get(first) if isinstance(config, Mapping) else None
    inner = changes.get(first)
    items = known if inner is None else inner
    if isinstance(items, list):
        changes[first] = _changed(items, rest, value, first)
        return
    if not isinstance(inner, dict):
        inner = changes[first] = {}
    _put(inner, rest, value, known)


def _changed(items: Sequence[Any], parts: Sequence[str], value: Any, path: str) -> list[Any]:
    """A copy of the list with the value at a path that begins with an index."""
    place = int(parts[0]) if parts[0].isascii() and parts[0].isdecimal() and len(parts[0]) < 7 else len(items)
    if place >= len(items):
        raise InputError(
            "--set {path}: expected a number from 0 to {last}; got {got}",
            path=path,
            last=len(items) - 1,
            got=repr(parts[0][:40]),
        )
    copied = list(items)
    if parts[1:]:
        inner = dict(copied[place]) if isinstance(copied[place], Mapping) else {}
        _put(inner, parts[1:], value, copied[place])
        copied[place] = inner
    else:
        copied[place] = value
    return copied


def _no_constant(name: str) -> Any:
    raise InputError("{name} is not a valid number", name=name)
