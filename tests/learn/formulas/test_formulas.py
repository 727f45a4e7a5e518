"""Every formula renders, belongs to something that the engine computes, and leads to its code."""

import inspect
import re
from xml.etree import ElementTree

import pytest

from app.learn.formulas import FORMULAS, _from_docstring
from app.learn.formulas.source import ROOT, listings
from app.nn.initializers import INITIALIZERS
from app.nn.layers.activations import ACTIVATIONS, Activation
from app.nn.losses import LOSSES
from app.nn.optimizers import OPTIMIZERS

MATHML = "{http://www.w3.org/1998/Math/MathML}"


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_mathml_that_a_strict_policy_takes(name):
    assert FORMULAS[name].mathml
    for line in FORMULAS[name].mathml:
        root = ElementTree.fromstring(line)
        assert (root.tag, root.get("display")) == (f"{MATHML}math", "block")
        nodes = list(root.iter())
        assert {node.tag.removeprefix(MATHML) for node in nodes} <= {
            *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "msub", "msup", "msubsup", "mfrac", "msqrt"),
            *("munder", "mover", "munderover", "mtable", "mtr", "mtd"),
        }
        assert not any(key in ("style", "href") or key.startswith("on") for node in nodes for key in node.attrib)
        assert not any(text.startswith("\\") for text in root.itertext())


@pytest.mark.parametrize("registry", [ACTIVATIONS, LOSSES, OPTIMIZERS, INITIALIZERS])
def test_every_part_of_the_engine_has_its_formula(registry):
    assert set(registry) <= set(FORMULAS)


def test_an_activation_without_a_formula_has_that_of_its_docstring():
    class Square(Activation):
        """y = x²; dy/dx = 2x."""

        type = "square"

    formula = _from_docstring(Square)
    assert (formula.name, formula.title, formula.code) == ("square", "Square", (Square,))
    assert "y = x²" in formula.mathml[0].replace("&#x000A0;", " ").replace("\u00a0", " ")


@pytest.mark.parametrize("name", FORMULAS)
def test_the_code_of_a_formula_is_what_runs_line_by_line(name):
    for one, listing in zip(FORMULAS[name].code, listings(name), strict=True):
        assert one.__module__.startswith("app.nn.")
        assert listing.name == one.__qualname__
        file = (ROOT / listing.file).read_text("utf-8").splitlines()
        shown = ["".join(piece.text for piece in line) for line in listing.lines]
        there = file[listing.first - 1 : listing.first - 1 + len(shown)]
        assert [line.strip() for line in shown] == [line.strip() for line in there]
        words = "".join(f"`{piece.text}`" if piece.kind == "code" else piece.text for piece in listing.docstring)
        assert words == (inspect.getdoc(one) or "")


def test_the_code_is_marked_by_its_kind():
    (listing,) = listings("sgd")
    kinds = {(piece.kind, piece.text) for line in listing.lines for piece in line}
    assert {("keyword", "class"), ("keyword", "def"), ("text", '"""p ← p − ηg."""')} <= kinds


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_says_in_plain_words_what_it_does(name):
    assert re.fullmatch(r"[^%{}]{20,100}\.", FORMULAS[name].description)
