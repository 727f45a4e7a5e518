"""The drawings and changes that robustness is measured with: enough, unlike, readable, and always the same."""

import io

import numpy as np
import pytest
from PIL import Image

from app.data import from_strokes
from app.data.handwriting.digits import DIGITS
from benchmarks import papers
from benchmarks.robust import AS_PICTURES, AS_THEY_ARE
from benchmarks.robust_drawings import CANVAS, SHAPES, drawings


@pytest.fixture(scope="module")
def found():
    return list(drawings())


def test_there_are_hundreds_of_drawings_in_unlike_styles(found):
    assert len(found) >= 300
    assert all(sum(one["label"] == label for one in found) >= 30 for label in "0123456789")
    assert all(len(styles) >= 5 for styles in SHAPES.values())
    images = {from_strokes(one["strokes"]).pixels.tobytes() for one in found}
    assert len(images) == len(found)
    for one in found:
        points = np.concatenate([np.array(stroke) for stroke in one["strokes"]])
        assert points.min() >= 0
        assert points.max() <= CANVAS


def test_the_drawings_are_always_the_same(found):
    assert list(drawings()) == found


def test_nothing_of_them_is_in_the_generator_of_strokes():
    shapes = {path for styles in SHAPES.values() for path in styles.values()}
    assert len(shapes) == sum(map(len, SHAPES.values()))
    # the generator's control points are in a box of 1, these in one of 140
    assert all(
        abs(x) <= 1.3
        for ways in DIGITS.values()
        for w in ways.values()
        for s in w.strokes
        for r in s
        for p in r
        for x in p
    )


def test_every_change_leaves_a_picture_of_the_digit():
    rng = np.random.default_rng(0)
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 12:16] = 255
    for kind, change in AS_THEY_ARE.items():
        changed = np.asarray(change(Image.fromarray(digit), rng))
        assert changed.shape == (28, 28), kind
        assert changed.max() > 90, kind
    for kind, change in AS_PICTURES.items():
        changed = np.asarray(change(Image.fromarray(digit).resize((224, 224)), rng))
        assert np.ptp(changed) > 90, kind


def test_every_paper_is_a_jpeg_with_the_digit_and_always_the_same():
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 12:16] = 255
    sheets = {kind: papers.sheet(digit, draw, np.random.default_rng(7)) for kind, draw in papers.CLUTTER.items()}
    assert len(set(sheets.values())) == len(sheets)
    for kind, file in sheets.items():
        assert file == papers.sheet(digit, papers.CLUTTER[kind], np.random.default_rng(7))
        assert np.asarray(Image.open(io.BytesIO(file)).convert("L")).min() < 110, kind
    for factor in papers.ENLARGED:
        assert papers.cropped(digit, factor).max() > 200
        assert papers.cropped(digit, factor).shape[0] == pytest.approx(20 * factor, abs=factor)  # soft edges
