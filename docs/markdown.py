"""Pieces of Markdown, and the promise that what is told of has a text."""

import re
from collections.abc import Iterable, Sequence


class Undocumented(ValueError):
    """Something of the code has no text that the reference could show; the message names it."""


def described(what: str, text: str | None) -> str:
    """`text` in one line, ending in a full stop. Raises Undocumented where there is none."""
    line = " ".join((text or "").split())
    if not line:
        raise Undocumented(f"{what} has no description")
    return line if line.endswith((".", "?", "!", ":", "]")) else line + "."


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what would break its cells is written otherwise."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(cell(one) for one in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """`text` as it can stand in a cell."""
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def prose(text: str) -> str:
    """The text of a docstring: its paragraphs, with nothing taken for HTML outside of code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(one if one.startswith("`") else one.replace("<", "&lt;").replace("*", r"\*") for one in parts)
