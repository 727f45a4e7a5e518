"""A formula: its title, its notation, and the code of the engine that computes it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from latex2mathml.converter import convert


@dataclass(frozen=True)
class Formula:
    """A formula: its lines in LaTeX, and the classes and functions of `app.nn` that compute it, the main one first."""

    name: str
    title: str
    latex: tuple[str, ...]
    code: tuple[Callable[..., Any], ...]
    description: str

    @property
    def mathml(self) -> tuple[str, ...]:
        """Each line as a block of MathML, safe for pages."""
        return tuple(to_mathml(line) for line in self.latex)


@cache
def to_mathml(latex: str, *, display: str = "block") -> str:
    """LaTeX as MathML; `display` is "block" or "inline"."""
    return convert(latex, display=display)
