"""The description of a hyperparameter: its title, its range, and one line of explanation.

The engine's tables define the hyperparameters and their defaults (app.runs.config.schema); tests compare the ranges
with the engine.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["number", "whole", "choice", "flag", "spec", "layers", "shape", "object", "list"]


@dataclass(frozen=True)
class Field:
    """A hyperparameter. `minimum` and `maximum` are within its range, `above` and `below` just outside.

    A "number" or "whole" with `choices` is a number or one of those; "spec" is an object with a type of the table `of`,
    "object" one with the fields of `of`; "shape" is an integer, or [height, width]; the range of "layers" and "list" is
    of their length. `suggested` is a form's initial value if the engine has no default.
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
