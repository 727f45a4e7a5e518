"""Things beside the digit: lines of the paper, frames, underlines, holes and the table's edge are taken out."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from app.data import from_image
from app.data.preprocessing.clutter import remove_clutter
from app.data.preprocessing.ink import find_ink
from app.models import ModelStore, Predictor
from app.settings import SHIPPED_MODELS
from tests.support.drawings import picture, recorded

DIGITS = {name: drawing for name, drawing in recorded().items() if name.startswith("digit")}
WIDTH, HEIGHT = 320, 240
INK, PALE, RED, WOOD = (25, 35, 120), (165, 195, 225), (200, 80, 70), (110, 80, 50)


def page(name, clutter=lambda draw: None, *, lean=0.0, quality=90):
    """A JPEG of a digit on paper, with what `clutter` draws; its lines rise by `lean` of the width."""
    ink = np.asarray(picture(DIGITS[name]["strokes"], 40).convert("L").resize((200, 200))) < 128
    sheet = Image.new("RGB", (WIDTH, HEIGHT), (252, 249, 242))
    clutter(Lines(ImageDraw.Draw(sheet), lean))
    rows = np.asarray(sheet).copy()
    rows[20:220, 60:260][ink] = INK
    file = io.BytesIO()
    Image.fromarray(rows).save(file, "JPEG", quality=quality)
    return file.getvalue()


class Lines:
    def __init__(self, draw, lean):
        self.draw, self.lean = draw, lean

    def level(self, y, color=PALE, left=0, right=WIDTH, width=2):
        rise = self.lean * (right - left)
        self.draw.line([(left, y), (right, y - rise)], fill=color, width=width)

    def upright(self, x, color=PALE, top=0, bottom=HEIGHT, width=2):
        lean = self.lean * (bottom - top)
        self.draw.line([(x, top), (x + lean, bottom)], fill=color, width=width)


def ruled(lines):
    for y in range(25, HEIGHT + 20, 40):
        lines.level(y)


def squared(lines):
    ruled(lines)
    for x in range(15, WIDTH, 40):
        lines.upright(x)


def holes(lines):
    for y in (60, 180):
        lines.draw.ellipse([10, y - 9, 28, y + 9], fill=WOOD)


CLUTTER = {
    "ruled": ruled,
    "squared": squared,
    "a red margin": lambda lines: lines.upright(40, RED),
    "a box": lambda lines: lines.draw.rectangle([62, 6, 258, 234], outline=(15, 15, 15), width=2),
    "a pale box": lambda lines: lines.draw.rectangle([62, 6, 258, 234], outline=PALE, width=3),
    "an underline": lambda lines: lines.level(225, INK, 95, 240, 3),
    "holes": holes,
    "a table on the left": lambda lines: lines.draw.rectangle([0, 0, 38, HEIGHT], fill=WOOD),
    "a table above": lambda lines: lines.draw.polygon([(0, 0), (WIDTH, 0), (WIDTH, 12), (0, 18)], fill=WOOD),
}


@pytest.fixture(scope="module")
def predictor():
    return Predictor(*ModelStore(SHIPPED_MODELS).load_with_detector("mnist-mlp"))


@pytest.mark.parametrize("name", CLUTTER)
def test_a_digit_is_read_whatever_lies_beside_it(predictor, name):
    pages = [page(digit, CLUTTER[name]) for digit in DIGITS]
    found = predictor.predict([from_image(one) for one in pages])
    right = [one.label == drawing["label"] for one, drawing in zip(found, DIGITS.values(), strict=True)]
    assert sum(right) >= len(right) - 1, [one.label for one in found]


@pytest.mark.parametrize("lean", [-0.04, 0.03])
@pytest.mark.parametrize("name", ["ruled", "squared", "an underline"])
def test_lines_may_lean(predictor, name, lean):
    found = predictor.predict([from_image(page(digit, CLUTTER[name], lean=lean)) for digit in DIGITS])
    right = [one.label == drawing["label"] for one, drawing in zip(found, DIGITS.values(), strict=True)]
    assert sum(right) >= len(right) - 1, [one.label for one in found]


@pytest.mark.parametrize("digit", DIGITS)
def test_a_digit_alone_stays_as_it_is(digit):
    grey = np.asarray(Image.open(io.BytesIO(page(digit))).convert("L"))
    found = find_ink(grey)
    assert not found.is_cluttered
    assert remove_clutter(found.ink) is found.ink


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize("side", [40, 90, 300])
def test_a_digit_cut_to_its_ink_stays_whole(digit, side):
    ink = find_ink(np.asarray(Image.open(io.BytesIO(page(digit))).convert("L"))).ink
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    cut = Image.fromarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = side / max(cut.size)
    cut = np.asarray(cut.resize([max(1, round(length * scale)) for length in cut.size], Image.Resampling.BILINEAR))
    assert remove_clutter(cut) is cut


def test_what_is_all_lines_stays():
    """A frame, a cross or a bar alone is what was drawn."""
    for draw in (
        lambda ink: ink.__setitem__((slice(40, 160), [40, 41, 158, 159]), 1),
        lambda ink: ink.__setitem__((slice(98, 102), slice(20, 180)), 1),
        lambda ink: ink.__setitem__((slice(20, 180), slice(98, 102)), 1),
    ):
        ink = np.zeros((200, 200), np.float32)
        draw(ink)
        assert remove_clutter(ink).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (2, 61), (61, 2), (200, 300), (1000, 70)])
def test_ink_of_any_shape_is_looked_at_without_a_failure(shape):
    rng = np.random.default_rng(1)
    for ink in (np.zeros(shape), np.ones(shape), rng.random(shape), (rng.random(shape) < 0.1).astype(float)):
        found = remove_clutter(ink.astype(np.float32))
        assert found.shape == shape
        assert found.dtype == np.float32
        assert found.any() == ink.any()
