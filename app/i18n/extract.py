"""`make messages`: extracts the texts of templates, scripts and tables, and updates the catalogues.

`babel.cfg` names the files. New texts are added without a translation, and old ones removed.
"""

import ast
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import IO, Any, TypeAlias

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from app.errors import InputError
from app.i18n.catalog import KEYS, LANGUAGES, LOCALE
from app.settings import PROJECT

Found: TypeAlias = tuple[int, str | None, str, list[str]]

KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "t": None,
    "tParts": None,
}
PLAIN_ERRORS = frozenset({"KeyError", "OSError", "RuntimeError", "SettingError", "TypeError", "ValueError"})
"""Errors without a message: faults of the program, and settings on the command line."""
RECIPE_TEXTS = ("title", "summary", "source")
_CALL = re.compile(r"""(?<!\w)(?<![^.]\.)(?:t|tParts)\(\s*(?P<key>"(?:[^"\\\n]|\\.)*")\s*(?P<rest>.)""")
HEADER = 'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
MARKED = "fields"
"""The option of an extractor with the names to search."""


def extracted() -> Catalog:
    """All texts, each with its files."""
    with (PROJECT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    catalogue = Catalog(fuzzy=False)
    for path, _, key, comments, context in extract_from_dir(
        PROJECT, methods, options, KEYWORDS, directory_filter=lambda _: True
    ):
        catalogue.add(key, None, [(path, 0)], auto_comments=comments, context=context)
    # a second pass, as Babel uses only the first pattern that matches a file, and a file may have tables and errors
    for path, _, key, comments, context in extract_from_dir(
        PROJECT, [("app/**.py", "app.i18n.extract:message_texts")], directory_filter=lambda _: True
    ):
        catalogue.add(key, None, [(path, 0)], auto_comments=comments, context=context)
    return catalogue


def stored(language: str) -> Catalog:
    """The stored catalogue of a language, or an empty one."""
    path = LOCALE / language / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return Catalog(language, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, language, abort_invalid=True)


def script_texts(file: IO[bytes], keywords: object, comment_tags: object, options: object) -> Iterator[Found]:
    """Extractor for scripts: the keys of `t` and `tParts`, also in template literals, which Babel's extractor misses.

    Raises ValueError for a key that is not a single literal, as no catalogue could have it.
    """
    source = file.read().decode()
    for call in _CALL.finditer(source):
        line = source.count("\n", 0, call.start()) + 1
        if call["rest"] not in (",", ")"):
            raise InputError(
                "{name}:{line}: expected a key in one piece; got {call}", name=file.name, line=line, call=call[0]
            )
        yield line, None, json.loads(call["key"]), []


def recipe_texts(file: IO[bytes], keywords: object, comment_tags: object, options: object) -> Iterator[Found]:
    """Extractor for app/recipes/*.toml: the texts of a recipe's card."""
    recipe = tomllib.loads(file.read().decode())
    for name in RECIPE_TEXTS:
        if recipe.get(name):
            yield 1, None, recipe[name], []


def table_texts(
    file: IO[bytes], keywords: object, comment_tags: object, options: dict[str, Any] | None
) -> Iterator[Found]:
    """Extractor for tables in Python.

    The option `fields` names keyword arguments, keys of dictionaries, constants and functions; it finds all texts in
    their values, and in the functions' first arguments.
    """
    names = set((options or {}).get(MARKED, "").split())
    for node in ast.walk(ast.parse(file.read())):
        for value in _values(node, names):
            for text in _texts(value):
                yield value.lineno, None, text, []


def message_texts(file: IO[bytes], keywords: object, comment_tags: object, options: object) -> Iterator[Found]:
    """Extractor for the program: the template of every message, and of every error with a message.

    Raises ValueError for a template that is not a single literal, as no catalogue could have it.
    """
    for node in ast.walk(ast.parse(file.read())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id == "RequestError":
            template = node.args[1] if len(node.args) > 1 else None
        elif node.func.id == "Message" or node.func.id.endswith("Error") or node.func.id == "DatasetUnavailable":
            template = node.args[0] if node.args else None
        else:
            continue
        match template:
            case ast.Constant(value=str(text)):
                yield node.lineno, None, text, []
            case ast.JoinedStr() | ast.BinOp() if node.func.id not in PLAIN_ERRORS:
                raise ValueError(f"{file.name}:{node.lineno}: expected a template in one piece")


def _values(node: ast.AST, names: set[str]) -> Iterable[ast.expr]:
    match node:
        case ast.keyword(arg=str(name), value=value) if name in names:
            return [value]
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return [value for key, value in pairs if isinstance(key, ast.Constant) and key.value in names]
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names:
            return [value]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name in names:
            return [value]
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in names:
            return [first]
    return []


def _texts(value: ast.expr) -> Iterator[str]:
    """The texts in a literal, or in a table of them; keys are for programs."""
    match value:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.Dict(values=inner) | ast.Tuple(elts=inner) | ast.List(elts=inner):
            for item in inner:
                yield from _texts(item)
        case ast.IfExp(body=first, orelse=second):
            yield from _texts(first)
            yield from _texts(second)


def update() -> None:
    """Update the catalogue of every language, with its existing translations."""
    for language in LANGUAGES:
        if language == KEYS:
            continue
        old, template = stored(language), extracted()
        catalogue = Catalog(language, project="digitpad", charset="utf-8", fuzzy=False)
        for message in template:
            if message.id:
                known = old.get(message.id)
                added = catalogue.add(message.id, known.string if known else "", message.locations)
                added.flags.clear()  # Babel's guesses, which are wrong for braces in scripts
        path = LOCALE / language / "LC_MESSAGES" / "messages.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(HEADER.format(language=language).encode())
            write_po(file, catalogue, width=0, omit_header=True, sort_by_file=True, include_lineno=False)


if __name__ == "__main__":
    update()
