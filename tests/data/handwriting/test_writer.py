import numpy as np
import pytest

from app.data.handwriting.digits import DIGITS, Glyph
from app.data.handwriting.spline import make_pen
from app.data.handwriting.symbols import LETTERS
from app.data.handwriting.writer import POINTS, STROKES, draw_variation, write
from app.data.preprocessing.rasterize_batch import rasterize_batch

GLYPHS = [glyph for ways in (*DIGITS.values(), LETTERS.values()) for glyph in ways]


@pytest.mark.parametrize("digit", DIGITS)
def test_every_digit_has_many_ways_to_be_written(digit):
    assert len(DIGITS[digit]) >= 9
    assert all(glyph.weight > 0 for glyph in DIGITS[digit])


def test_every_glyph_fits_a_hand():
    for glyph in GLYPHS:
        pen = make_pen(glyph)
        assert len(pen.points) <= POINTS
        assert len(pen.ends) <= STROKES
        assert np.allclose(pen.basis.sum(axis=1), 1)
        assert np.allclose(pen.rounding.sum(axis=1), 1)


def test_rounding_leaves_the_ends_of_strokes_and_straight_lines_in_place():
    pen = make_pen(Glyph(1, ((((0.0, 0.0), (0.0, 1.0)),), (((0.0, 0.0), (0.5, 0.0)), ((0.5, 0.5),)))))
    path = pen.basis @ pen.points
    rounded = pen.rounding @ path
    begins = (0, *pen.ends[:-1])
    for begin, end in zip(begins, pen.ends, strict=True):
        assert np.allclose(rounded[[begin, end - 1]], path[[begin, end - 1]], atol=1e-6)
    assert np.allclose(rounded[: pen.ends[0], 0], 0)
    corner = np.flatnonzero((path == (0.5, 0.0)).all(axis=1))[0]
    assert rounded[corner, 0] < 0.49
    assert rounded[corner, 1] > 0.01


def test_the_same_whims_write_the_same_and_others_do_not():
    pen = make_pen(DIGITS["4"][0])
    whims = draw_variation(np.random.default_rng(5), 30)
    first, again = write(pen, whims), write(pen, whims)
    assert np.array_equal(rasterize_batch(first), rasterize_batch(again))
    part = np.array([7, 3])
    assert np.array_equal(rasterize_batch(write(pen, whims[part])), rasterize_batch(first)[part])
    assert len({image.tobytes() for image in rasterize_batch(first)}) == 30


def test_pens_differ_in_width_and_some_press_unevenly():
    pen = make_pen(DIGITS["1"][0])
    drawings = write(pen, draw_variation(np.random.default_rng(6), 300))
    widths = np.array([width for _, width in drawings])
    assert widths.min() < 1.8
    assert widths.max() > 3.5
    pressed = np.mean([len(strokes) > 1 for strokes, _ in drawings])
    assert 0.3 < pressed < 0.5


@pytest.mark.parametrize("number", range(len(GLYPHS)))
def test_a_digit_stays_itself_at_its_most_ordinary(number):
    """With whims of nought a hand writes the glyph: nothing in it is far from where it was meant to be."""
    pen = make_pen(GLYPHS[number])
    whims = draw_variation(np.random.default_rng(0), 1)
    for array in (whims.points, whims.globals, whims.strokes, whims.ends, whims.tremor):
        array[:] = 0
    whims.share[:] = 0.999
    whims.share[:, 0] = 0
    whims.end_share[:] = 0.999
    ((strokes, _),) = write(pen, whims)
    path = np.add(np.concatenate(strokes), (0.35, 0.5))
    path[:, 0] += 0.12 * (path[:, 1] - 0.5)
    assert np.abs(path - pen.basis @ pen.points).max() < 0.02
