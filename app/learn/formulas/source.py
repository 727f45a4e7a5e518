"""The source code of a formula, from the running installation."""

import inspect
import io
import keyword
import textwrap
import tokenize
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.learn.formulas import FORMULAS

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Piece:
    """A part of a line, or of a docstring.

    `kind` is "keyword", "comment", "text" (a string or a docstring), "code" (quoted in a docstring) or "".
    """

    kind: str
    text: str


@dataclass(frozen=True)
class Listing:
    """A class or function: its name, its file relative to the project, and its lines, numbered as in the file."""

    name: str
    file: str
    first: int
    docstring: tuple[Piece, ...]
    lines: tuple[tuple[Piece, ...], ...]


@cache
def listings(name: str) -> tuple[Listing, ...]:
    """The code of the formula `name`. Raises KeyError for an unknown name."""
    return tuple(_listing(item) for item in FORMULAS[name].code)


def _listing(item: Callable[..., Any]) -> Listing:
    lines, first = inspect.getsourcelines(item)
    file = Path(inspect.getfile(item)).resolve().relative_to(ROOT).as_posix()
    source = textwrap.dedent("".join(lines))
    return Listing(item.__qualname__, file, first, _words(inspect.getdoc(item) or ""), _pieces(source))


def _words(docstring: str) -> tuple[Piece, ...]:
    """A docstring, split where it quotes code between backticks."""
    parts = enumerate(docstring.split("`"))
    return tuple(Piece("code" if index % 2 else "", text) for index, text in parts if text)


def _pieces(source: str) -> tuple[tuple[Piece, ...], ...]:
    """The source line by line, split where the kind changes."""
    lines = source.splitlines()
    kinds = [[""] * len(line) for line in lines]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = _kind(token)
        if not kind:
            continue
        for row in range(token.start[0] - 1, token.end[0]):
            start = token.start[1] if row == token.start[0] - 1 else 0
            stop = token.end[1] if row == token.end[0] - 1 else len(lines[row])
            kinds[row][start:stop] = [kind] * (stop - start)
    return tuple(_cut(line, marks) for line, marks in zip(lines, kinds, strict=True))


def _kind(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.NAME and keyword.iskeyword(token.string):
        return "keyword"
    return {tokenize.COMMENT: "comment", tokenize.STRING: "text"}.get(token.type, "")


def _cut(line: str, marks: list[str]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    for letter, kind in zip(line, marks, strict=True):
        if pieces and pieces[-1].kind == kind:
            pieces[-1] = Piece(kind, pieces[-1].text + letter)
        else:
            pieces.append(Piece(kind, letter))
    return tuple(pieces)
