"""Scripts, templates, styles and lessons name no absolute path but through what puts it under the root path."""

import re
from pathlib import Path

import pytest

from app.settings import PROJECT

PATH = r"""(?:"/(?=[a-z?"#])|`/(?=[a-z?$#])|'/(?=[a-z?'#]))"""
"""The beginning of a literal that is an absolute path; a sign that divides or a regular expression begins otherwise."""

FROM_ROOT = re.compile(rf"withRoot\({PATH}")
CALLS = re.compile(rf"""\b(?:get|getBytes|post|remove|task|call\("[A-Z]+",|get\(address\(\w+,) ?\(?{PATH}""")
"""`call` and what is made of it add the root path themselves."""

FOR_CALLS = re.compile(rf"""(?:\b(?:path|address)(?: = |: )|=> ){PATH}(?:api/|predict|health)""")
"""Paths of the interface on their way to `call`."""

OUTSIDE_OF_CALL = re.compile(
    r"""\b(?:fetch|WebSocket|EventSource|Worker|sendBeacon|assign|replace|open)\((?:new URL\()?["'`]/"""
)
SET = re.compile(r"""\b(?:href|src|action)(?:: | = |=)\\?["'`{]?\{?/""")


def sources(folder: str, ending: str) -> list[Path]:
    found = sorted((PROJECT / folder).rglob(f"*{ending}"))
    assert len(found) > 10
    return found


def code(path: Path) -> str:
    """The code of a script, without comments and without the separators of paths of files."""
    text = re.sub(r"^\s*(?://|\*|/\*).*$", "", path.read_text("utf-8"), flags=re.MULTILINE)
    return re.sub(r"""\.(?:split|join|lastIndexOf)\("/"\)""", "", text)


@pytest.mark.parametrize("path", sources("static/js", ".js"), ids=lambda path: path.name)
def test_a_script_has_no_absolute_path_without_the_root_path(path: Path) -> None:
    text = code(path)
    allowed = {found.end() for rule in (FROM_ROOT, CALLS) for found in rule.finditer(text)}
    allowed |= {re.compile(PATH).search(text, found.start()).end() for found in FOR_CALLS.finditer(text)}  # type: ignore[union-attr]
    bare = [text[found.start() : found.start() + 60] for found in re.finditer(PATH, text) if found.end() not in allowed]
    assert not bare
    assert not OUTSIDE_OF_CALL.findall(text)
    assert not SET.findall(text)


@pytest.mark.parametrize("path", sources("templates", ".html"), ids=lambda path: path.name)
def test_a_template_has_no_absolute_address_without_the_root_path(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.findall(r"""\b(?:href|src|action|srcset|poster|content)=["']?(?:\{\{ ?["'])?/[^"]*""", text)
    assert not re.findall(
        r"""(?:href|src|action)="\{\{ (?!with_root\(|static\(|one\.href|theme_links\(|icon|manual)[^}]*\}\}""", text
    )


def test_styles_and_lessons_have_no_absolute_address() -> None:
    for path in sources("static/css", ".css"):
        assert not re.findall(r"""(?:url\(|@import )["']?/""", path.read_text("utf-8")), path
    for path in sources("app/learn/lessons", ".md"):
        assert not re.findall(r"\]\(/", path.read_text("utf-8")), path
