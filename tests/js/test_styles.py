"""Styles have one set of sizes: those of css/base/tokens.css."""

import re

import pytest

from app.resources import bundled

STYLES = sorted(bundled("static").joinpath("css").rglob("*.css"))
SIZE = re.compile(
    r"var\(--(?:text-(?:small|note|body|lead|title|figure)|chart-type)\)"
    r"|(?:calc\()?var\(--glyph\)(?: \* [\d.]+\))?"  # what was read
    r"|[\d.]+em|inherit"
)
LEAST = 12
"""Pixels of the smallest type, but for the labels within a drawing."""


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_type_has_one_of_the_sizes(path):
    text = path.read_text("utf-8")
    rules = re.findall(r"([^{}]*)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    odd = [
        (selector.strip(), size)
        for selector, body in rules
        for size in [
            *re.findall(r"font-size: ([^;}]+)", body),
            *(
                found.split("/")[0].split(" ")[-1]
                for found in re.findall(r"(?<!-)font: ([^;}]*?) ?var\(--(?:font|mono)\)", body)
            ),
        ]
        if not SIZE.fullmatch(size.strip()) and not re.search(r"\btext$", selector.strip())
    ]
    assert not odd


def test_the_sizes_are_six_and_none_is_too_small_to_read():
    tokens = bundled("static").joinpath("css", "base", "tokens.css").read_text("utf-8")
    sizes = [float(size) * 16 for size in re.findall(r"--text-\w+: ([\d.]+)rem", tokens)]
    assert len(sizes) == 6
    assert sizes == sorted(sizes)
    assert sizes[0] >= LEAST
