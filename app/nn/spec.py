"""Building of objects from plain JSON, with errors that name the field, the expected and the given value.

A spec is a mapping with a `type` and that type's fields, e.g. `{"type": "dense", "units": 128}`.
The fields of a type are the parameters of its constructor.
"""

import inspect
import math
import reprlib
import sys
from collections.abc import Mapping
from typing import TypeVar

from app.nn.errors import SpecError

T = TypeVar("T")


def build(kind: str, registry: Mapping[str, type[T]], spec: object) -> T:
    """Build the object that `spec` describes.

    `kind` names it in errors ("optimizer", "layers[2]"). A bare string is short for a spec with no fields.
    Raises ValueError if the type is unknown, a field is unknown or missing, or a value is invalid.
    """
    if isinstance(spec, str):
        spec = {"type": spec}
    if not isinstance(spec, Mapping):
        raise SpecError("expected an object with a type; got {value}", field=kind, value=abbreviate(spec))
    name = spec.get("type")
    if not isinstance(name, str) or name not in registry:
        raise SpecError(
            "expected a type of {names}; got {value}",
            field=kind,
            names=", ".join(sorted(registry)),
            value=abbreviate(name),
        )
    cls = registry[name]
    fields = {key: value for key, value in spec.items() if key != "type"}
    known = inspect.signature(cls).parameters
    for key in fields:
        if key not in known:
            place = f"{kind}.{key[:80]}"
            if not known:
                raise SpecError("unknown field of {name}; it takes none", field=place, name=name)
            raise SpecError(
                "unknown field of {name}; it takes {allowed}", field=place, name=name, allowed=", ".join(known)
            )
    for key, parameter in known.items():
        if parameter.default is inspect.Parameter.empty and key not in fields:
            raise SpecError("missing; {name} needs it", field=f"{kind}.{key}", name=name)
    try:
        return cls(**fields)
    except SpecError as error:
        raise error.within(kind) from None


def number(
    field: str,
    value: object,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> float:
    """Return `value` as a float if `low ≤ value ≤ high` and `above < value < below`; else raise ValueError."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if good and low <= value <= high and above < value < below:  # type: ignore[operator]
        return float(value)  # type: ignore[arg-type]
    bounds = [
        f"{sign} {bound:g}"
        for sign, bound in (("≥", low), (">", above), ("≤", high), ("<", below))
        if math.isfinite(bound)
    ]
    got = abbreviate(value)
    if not bounds:
        raise SpecError("expected a finite number; got {got}", field=field, got=got)
    if len(bounds) == 1:
        raise SpecError("expected a number {bound}; got {got}", field=field, bound=bounds[0], got=got)
    raise SpecError(
        "expected a number {low} and {high}; got {got}", field=field, low=bounds[0], high=bounds[1], got=got
    )


def integer(field: str, value: object, *, low: int, high: int | None = None) -> int:
    """Return `value` if it is a whole number with `low ≤ value ≤ high`; else raise ValueError."""
    good = isinstance(value, int) and not isinstance(value, bool) and value >= low
    if good and (high is None or value <= high):  # type: ignore[operator]
        return value  # type: ignore[return-value]
    got = abbreviate(value)
    if high is None:
        raise SpecError("expected a whole number ≥ {low}; got {got}", field=field, low=low, got=got)
    raise SpecError("expected a whole number from {low} to {high}; got {got}", field=field, low=low, high=high, got=got)


def choice(field: str, value: object, allowed: tuple[str, ...]) -> str:
    """Return `value` if it is one of `allowed`; else raise ValueError."""
    if isinstance(value, str) and value in allowed:
        return value
    raise SpecError(
        "expected one of {names}; got {value}", field=field, names=", ".join(allowed), value=abbreviate(value)
    )


class _JsonRepr(reprlib.Repr):
    """Short texts of values, with the words that JSON has for None, True and False."""

    def repr_NoneType(self, value: None, level: int) -> str:  # noqa: N802  # the name that reprlib calls
        return "null"

    def repr_bool(self, value: bool, level: int) -> str:
        return "true" if value else "false"


_JSON = _JsonRepr()
_JSON.maxlevel = 3


def abbreviate(value: object) -> str:
    """The text of `value` for an error, shortened if it is long."""
    return _JSON.repr(value)
