import numpy as np
import pytest

from app.data.preprocessing.rasterize import SUPERSAMPLING, draw_strokes, pen_width, sweep


def test_a_swept_point_is_a_disc():
    mask = np.zeros((61, 61), np.bool_)
    mask[30, 30] = True
    disc = sweep(mask, 12.0)
    assert disc.sum() == pytest.approx(np.pi * 12**2, rel=0.01)
    rows, columns = np.indices(mask.shape)
    away = np.hypot(rows - 30, columns - 30)
    assert (disc[away <= 11.5] == 1).all()
    assert (disc[away >= 12.5] == 0).all()


def test_a_swept_mask_covers_what_lies_near_any_of_its_pixels():
    mask = np.random.default_rng(0).random((40, 50)) < 0.01
    points = np.argwhere(mask)
    indices = np.stack(np.indices(mask.shape), axis=-1)
    away = np.sqrt(((indices[:, :, None] - points) ** 2).sum(-1)).min(-1)
    assert np.allclose(sweep(mask, 4.3), np.clip(4.3 + 0.5 - away, 0, 1), atol=1e-5)


def test_an_empty_mask_stays_empty():
    assert not sweep(np.zeros((5, 200), np.bool_), 9.0).any()


def test_the_box_bounds_the_ink():
    strokes = [np.array([[0.0, 0.0], [30.0, 100.0]])]
    ink, (top, left, bottom, right) = draw_strokes(strokes, 3.0)
    rows, columns = np.nonzero(ink > 0.5)
    assert abs(rows.min() - top) <= 1
    assert abs(rows.max() + 1 - bottom) <= 1
    assert abs(columns.min() - left) <= 1
    assert abs(columns.max() + 1 - right) <= 1
    assert bottom - top == pytest.approx(20 * SUPERSAMPLING)


@pytest.mark.parametrize("width", [1.5, 2.6, 4.0])
def test_the_pens_width_can_be_measured_from_its_ink(width):
    turn = np.linspace(0, 4, 40)
    ink, _ = draw_strokes([np.stack([np.cos(turn), np.sin(turn)], axis=1)], width)
    assert pen_width(ink) / SUPERSAMPLING == pytest.approx(width, rel=0.07)


def test_no_points_draw_nothing():
    assert draw_strokes([]) is None
    assert draw_strokes([np.empty((0, 2))]) is None
