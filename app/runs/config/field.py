"""What people are told of a hyperparameter: its name, its range, one line of what it does.

The engine's tables say which hyperparameters there are, and their defaults (app.runs.config.schema); the tests hold
the ranges to the engine.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["number", "whole", "choice", "flag", "spec", "layers", "shape", "object", "list"]


@dataclass(frozen=True)
class Field:
    """A hyperparameter. `minimum` and `maximum` are within its range, `above` and `below` just outside.

    One of type "number" or "whole" with `choices` is a number or one of those; "spec" is an object with a type of the
    table `of`, "object" one with the fields of `of`; "shape" is a whole number, or [height, width]; the range of
    "layers" and "list" is of their length. `suggested` is what a form begins with where the engine has no default.
    """

    name: str
    type: Kind
    title: str
    explanation: str
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] | None = None
    of: str | None = None
    suggested: Any = None


@dataclass(frozen=True)
class ComponentKind:
    """A kind of layer, optimizer, schedule, loss or initializer."""

    title: str
    explanation: str
    fields: tuple[Field, ...] = ()


EPSILON = Field("epsilon", "number", title="ε", explanation="A small number that prevents division by zero.", above=0)
