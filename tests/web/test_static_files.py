"""Scripts and styles as browsers get them: packed, kept for good, and without the lines that hold comments alone."""

import gzip
import re

from app.settings import PROJECT
from app.web.templates import _COMMENT_LINES, static_url

SOURCE = (PROJECT / "static/js/drawing/strokes.js").read_text(encoding="utf-8")


def test_a_script_comes_packed_and_without_comments_on_the_lines_of_its_source(client):
    address = static_url("js/drawing/strokes.js")
    with client.stream("GET", address, headers={"accept-encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    served = gzip.decompress(packed).decode()
    plain = client.get(address, headers={"accept-encoding": "identity"})
    assert plain.text == served
    assert "content-encoding" not in plain.headers
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    ours, theirs = SOURCE.split("\n"), served.split("\n")
    assert len(ours) == len(theirs)
    assert all(line in (before, "") for before, line in zip(ours, theirs, strict=True))
    assert not re.search(r"^\s*(//|/\*)", served, re.MULTILINE)
    assert len(packed) < len(gzip.compress(SOURCE.encode()))


def test_code_strings_and_licences_stay():
    kept = 'const url = "https://x"; // why\nconst both = 1; /* why */\n/*! a licence */\nconst half = a / b; // c'
    assert _COMMENT_LINES.sub("", kept) == kept
    assert _COMMENT_LINES.sub("-", "  // one\n/** two\n * lines */\ncode") == "-\n-\ncode"


def test_no_template_literal_has_a_line_that_reads_like_a_comment():
    for path in PROJECT.glob("static/js/**/*.js"):
        for literal in re.findall(r"`[^`]*`", path.read_text(encoding="utf-8")):
            assert not _COMMENT_LINES.search(literal), path


def test_a_file_that_is_not_there_is_not_found(client):
    assert client.get(static_url("js/nothing.js")).status_code == 404
    assert client.get(static_url("js/../../pyproject.toml")).status_code == 404
    assert client.head(static_url("favicon.svg")).headers["content-type"].startswith("image/svg+xml")
