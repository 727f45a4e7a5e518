from dataclasses import replace

import numpy as np
import pytest

from app.data.handwriting.digits import DIGITS, STYLES
from app.data.handwriting.glyph import Glyph
from app.data.handwriting.spline import make_pen
from app.data.handwriting.symbols import LETTERS
from app.data.handwriting.writer import POINTS, STROKES, draw_variation, write
from app.data.preprocessing.rasterize_batch import rasterize_batch

GLYPHS = {name: glyph for glyphs in (*DIGITS.values(), LETTERS) for name, glyph in glyphs.items()}


@pytest.mark.parametrize("digit", DIGITS)
def test_every_digit_has_many_ways_to_be_written(digit):
    assert len(DIGITS[digit]) >= 15
    assert all(glyph.weight > 0 for glyph in DIGITS[digit].values())


def test_every_style_has_a_name_of_its_digit():
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    assert all(name.startswith(f"{words[int(digit)]}-") for digit, styles in DIGITS.items() for name in styles)
    assert len(set(STYLES)) == len(STYLES) < 256  # numbers of styles are bytes


def variation_at(share, count=1):
    """Variations that change nothing, but that they are at this share of the way to a glyph's `towards`."""
    variation = draw_variation(np.random.default_rng(0), count)
    for array in (variation.points, variation.globals, variation.strokes, variation.ends, variation.tremor):
        array[:] = 0
    variation.share[:] = 0.999
    variation.share[:, 0], variation.share[:, 8] = 0, share
    variation.end_share[:] = 0.999
    return variation


def test_a_style_lies_between_its_two_shapes():
    glyph = DIGITS["9"]["nine-small-loop-hook"]
    pen, other = make_pen(glyph), make_pen(replace(glyph, strokes=glyph.towards))
    near, half, far = (np.concatenate(write(pen, variation_at(share))[0][0]) for share in (0, 0.5, 1))
    assert np.allclose(far, np.concatenate(write(other, variation_at(0))[0][0]))
    assert np.allclose(half, (near + far) / 2)
    assert far[:, 0].min() < near[:, 0].min() - 0.1, "the tail is longer"


def test_a_style_has_its_own_proportions_slant_and_haste():
    bar = Glyph(1, ((((0.3, 0.0), (0.3, 1.0)), ((0.6, 1.0),)),))
    rng = np.random.default_rng(1)
    variation = draw_variation(rng, 400)

    def widths_and_slants(glyph):
        paths = [np.concatenate(strokes) for strokes, _ in write(make_pen(glyph), variation)]
        top, corner, end = (np.array([path[i] for path in paths]) for i in (0, 6, -1))
        return np.abs(end - corner)[:, 0].mean(), (top - corner)[:, 0].mean()

    width, slant = widths_and_slants(bar)
    assert widths_and_slants(replace(bar, width=(0.5, 1.0)))[0] > 1.3 * width
    assert widths_and_slants(replace(bar, slant=(0.5, 1.0)))[1] > slant + 0.3
    slow, hasty = (
        np.concatenate(write(make_pen(replace(bar, haste=haste)), variation_at(0))[0][0]) for haste in (1, 3)
    )
    assert np.allclose(slow, hasty), "with no haste at all it does not matter"
    spread = variation_at(0, 9)
    spread.share[:, 0] = 0.5
    for share, are_equal in ((0.0, True), (0.5, False)):  # of the most haste
        hand = variation_at(0)
        hand.share[:, 0] = share
        slow, hasty = (write(make_pen(replace(bar, haste=haste)), hand)[0][0][0] for haste in (1, 3))
        assert np.allclose(slow, hasty) is are_equal


def test_every_glyph_fits_a_hand():
    for glyph in GLYPHS.values():
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
    pen = make_pen(DIGITS["4"]["four-open"])
    whims = draw_variation(np.random.default_rng(5), 30)
    first, again = write(pen, whims), write(pen, whims)
    assert np.array_equal(rasterize_batch(first), rasterize_batch(again))
    part = np.array([7, 3])
    assert np.array_equal(rasterize_batch(write(pen, whims[part])), rasterize_batch(first)[part])
    assert len({image.tobytes() for image in rasterize_batch(first)}) == 30


def test_pens_differ_in_width_and_some_press_unevenly():
    pen = make_pen(DIGITS["1"]["one-bar"])
    drawings = write(pen, draw_variation(np.random.default_rng(6), 300))
    widths = np.array([width for _, width in drawings])
    assert widths.min() < 1.8
    assert widths.max() > 3.5
    pressed = np.mean([len(strokes) > 1 for strokes, _ in drawings])
    assert 0.3 < pressed < 0.5


@pytest.mark.parametrize("name", GLYPHS)
def test_a_digit_stays_itself_at_its_most_ordinary(name):
    """With whims of nought a hand writes the glyph: nothing in it is far from where it was meant to be."""
    glyph = replace(GLYPHS[name], width=(0.0, 1.0), slant=(0.0, 1.0))
    pen = make_pen(glyph)
    ((strokes, _),) = write(pen, variation_at(0))
    path = np.add(np.concatenate(strokes), (0.35, 0.5))
    path[:, 0] += 0.12 * (path[:, 1] - 0.5)
    assert np.abs(path - pen.basis @ pen.points).max() < 0.02
