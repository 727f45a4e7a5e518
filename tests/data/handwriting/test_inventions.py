"""Invented characters: unlike each other, writable, and always the same."""

import numpy as np
import pytest

from app.data.handwriting.inventions import PARTS, invent_glyph
from app.data.handwriting.spline import make_pen
from app.data.handwriting.writer import POINTS, STROKES, draw_variation, write


def test_characters_are_invented_anew_and_fit_a_hand():
    glyphs = [invent_glyph(np.random.default_rng(seed)) for seed in range(200)]
    assert len({glyph.strokes for glyph in glyphs}) == 200
    assert {len(glyph.strokes) for glyph in glyphs} == {1, 2, 3, 4}
    for number, glyph in enumerate(glyphs):
        pen = make_pen(glyph)
        assert len(pen.points) <= POINTS
        assert len(pen.ends) <= STROKES
        ((strokes, _),) = write(pen, draw_variation(np.random.default_rng(number), 1))
        assert np.isfinite(np.concatenate(strokes)).all()


def test_a_seed_invents_the_same():
    assert invent_glyph(np.random.default_rng(3)) == invent_glyph(np.random.default_rng(3))


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_one_stroke_in_its_box(name):
    runs = PARTS[name](0.35, 0.5, 0.25, 0.75, 1)
    points = np.array([point for run in runs for point in run], float)
    assert len(points) >= 2
    assert points.min() >= 0
    assert points.max() <= 1
