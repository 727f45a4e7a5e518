"""Names are words of the field: those that name nothing in it stay away. Docstrings open as the field's do."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.settings import PROJECT

STRANGE = {
    *("asked", "census", "constancy", "crew", "desk", "forgetful", "guard", "heed", "held", "judge", "kept"),
    *("likeness", "mine", "misfit", "oddness", "own", "paper", "patiently", "rejecter", "remark", "room", "rooms"),
    *("said", "seen", "sheet", "sheets", "told", "took", "whims", "wishes", "yours"),
}
TERMS = frozenset({"contact_sheet"})
"""Terms of the field that have such a word."""
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def words(name: str) -> set[str]:
    """The words of a name in snake_case, CamelCase or kebab-case."""
    return {word.lower() for word in WORD.findall(name)}


def names(path: Path) -> Iterator[str]:
    """The names of a module, and of its classes and public functions."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            isinstance(node, ast.ClassDef) or not node.name.startswith("_")
        ):
            yield node.name


def strange(found: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{place}: {name}" for place, name in found if name not in TERMS and words(name) & STRANGE]


def test_a_name_falls_into_its_words() -> None:
    assert words("OwnHTTPImages_of-desk2") == {"own", "http", "images", "of", "desk"}


def test_modules_classes_and_functions_are_named_with_words_of_the_field() -> None:
    found = [(str(path.relative_to(PROJECT)), name) for path in (PROJECT / "app").rglob("*.py") for name in names(path)]
    assert len(found) > 1000
    assert not strange(found)


def test_no_two_classes_have_one_name() -> None:
    counts = Counter(
        node.name
        for path in (PROJECT / "app").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in counts.items() if count > 1] == []


OPENINGS = re.compile(r'^\s*"""(?:What|Which|Who|Whether|How|Of)\b', re.MULTILINE)


def test_docstrings_open_with_an_imperative_or_a_noun() -> None:
    found = [
        f"{path.relative_to(PROJECT)}: {match[0].strip()}"
        for path in (PROJECT / "app").rglob("*.py")
        for match in OPENINGS.finditer(path.read_text("utf-8"))
    ]
    assert not found


def test_scripts_are_named_with_words_of_the_field() -> None:
    scripts = PROJECT / "static" / "js"
    found = [(str(path.relative_to(scripts)), path.stem) for path in scripts.rglob("*.js")]
    assert len(found) > 100
    assert not strange(found)
