"""The table of hands: a line for each source and style, written into the card with what was misread."""

import pytest
from pydantic import ValidationError

from app.data import DatasetCatalog, DatasetUnavailable
from app.models import ModelStore
from app.models.card import MisreadDrawing, StyleResult
from app.settings import SHIPPED_MODELS
from benchmarks import hands
from benchmarks.robust_drawings import SHAPES

PIXELS = "A" * 1046 + "=="


@pytest.fixture
def few_hands(monkeypatch, settings):
    monkeypatch.setattr(hands, "HANDS", 2)
    monkeypatch.setattr(hands, "SOURCES", ("strokes",))
    monkeypatch.setattr(hands, "Settings", lambda: settings)


def test_the_table_has_every_source_and_style_and_is_written_into_the_card(few_hands, settings, monkeypatch, capsys):
    store = ModelStore(settings.home, SHIPPED_MODELS)
    card, network = store.load("mnist-mlp")
    store.save(card.model_copy(update={"name": "copy", "shipped": False, "calibration": None}), network)
    monkeypatch.setattr(hands.sys, "argv", ["hands", "--write", "copy"])
    hands.main()
    said = capsys.readouterr().out
    assert "| strokes | 2,000 | " in said
    assert "| all | " in said
    styles = store.get("copy").styles
    assert [result.style for result in styles] == [style for ways in SHAPES.values() for style in ways]
    assert all(result.count == 2 and result.refused == 0 for result in styles), "it has no score, so it refuses nothing"
    assert all(len(result.misread) == round(2 * (1 - result.accuracy)) for result in styles)


def test_a_source_that_cannot_be_had_is_said(few_hands, monkeypatch, tmp_path):
    def unavailable(self, name):
        raise DatasetUnavailable("there is no network")

    monkeypatch.setattr(DatasetCatalog, "load", unavailable)
    assert hands.source_line(None, DatasetCatalog(tmp_path), "mnist") == "| mnist | there is no network | | | |"


@pytest.mark.parametrize(
    "fields",
    [
        {"pixels": "A" * 1047 + "="},
        {"pixels": "é" * 1046 + "=="},
        {"probability": 1.1},
        {"said": "x" * 65},
    ],
)
def test_a_misread_drawing_that_is_none_is_in_no_card(fields):
    valid = {"said": "7", "probability": 0.5, "pixels": PIXELS}
    MisreadDrawing(**valid)
    with pytest.raises(ValidationError):
        MisreadDrawing(**{**valid, **fields})
    with pytest.raises(ValidationError):
        StyleResult(style="", label="1", count=1, accuracy=1, refused=0)
