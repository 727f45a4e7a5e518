import numpy as np
import pytest

from app.data import MAX_POINTS, from_pixels, from_strokes
from app.data.preprocessing.rasterize import STROKE_WIDTH, pen_width
from tests.support.drawings import recorded

DRAWINGS = recorded()
INKED = [name for name, drawing in DRAWINGS.items() if any(drawing["strokes"])]
DIGITS = [name for name in DRAWINGS if name.startswith("digit")]

MOVED_TOLERANCE = 0.002
"""Mean absolute difference that rounding coordinates at another scale may make."""


def moved(strokes, scale, x0, y0):
    return [[[x * scale + x0, y * scale + y0] for x, y in stroke] for stroke in strokes]


@pytest.mark.parametrize("name", INKED)
def test_a_recorded_drawing_becomes_28_by_28_with_ink_inside_the_field(name):
    prepared = from_strokes(DRAWINGS[name]["strokes"])
    assert prepared.pixels.shape == (28, 28)
    assert prepared.pixels.dtype == np.float32
    assert not prepared.blank
    assert prepared.pixels.min() == 0
    assert 0.9 < prepared.pixels.max() <= 1
    assert not prepared.pixels[0].any()
    assert not prepared.pixels[:, 0].any()


@pytest.mark.parametrize("name", INKED)
@pytest.mark.parametrize("change", [(1, 4096, -512), (0.125, 0, 0), (1024, 8192, 8192)])
def test_neither_place_nor_size_of_a_drawing_matters(name, change):
    strokes = DRAWINGS[name]["strokes"]
    before, after = from_strokes(strokes).pixels, from_strokes(moved(strokes, *change)).pixels
    # Tiny drawings drown in a large offset: that is arithmetic, not preprocessing.
    if name != "tiny" or change[1] == 0:
        assert np.abs(before - after).mean() < MOVED_TOLERANCE


@pytest.mark.parametrize("other", ["tiny", "huge", "off-centre"])
def test_the_same_drawing_at_any_scale_is_the_same_image(other):
    two = from_strokes(DRAWINGS["digit 2"]["strokes"]).pixels
    assert np.abs(from_strokes(DRAWINGS[other]["strokes"]).pixels - two).mean() < MOVED_TOLERANCE


@pytest.mark.parametrize("name", DIGITS)
def test_strokes_are_as_thick_as_mnists(name):
    assert pen_width(from_strokes(DRAWINGS[name]["strokes"]).pixels) == pytest.approx(STROKE_WIDTH, rel=0.15)


def test_a_dot_is_a_dot_and_not_a_disc_20_pixels_wide():
    for name in ("dot", "one point"):
        pixels = from_strokes(DRAWINGS[name]["strokes"]).pixels
        assert np.pi * (STROKE_WIDTH / 2) ** 2 == pytest.approx(pixels.sum(), rel=0.05)
        assert pixels[12:17, 12:17].sum() == pixels.sum()


def test_a_long_thin_stroke_is_a_one_of_mnists():
    rows, columns = np.nonzero(from_strokes(DRAWINGS["long thin"]["strokes"]).pixels > 0.1)
    assert np.ptp(rows) + 1 == 20
    assert 3 <= np.ptp(columns) + 1 <= 4


@pytest.mark.parametrize("name", ["empty", "empty strokes"])
def test_no_points_are_blank(name):
    prepared = from_strokes(DRAWINGS[name]["strokes"])
    assert prepared.blank
    assert not prepared.pixels.any()


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1e12, 1e300, 1.7e308])
def test_coordinates_of_any_size_are_taken(scale):
    pixels = from_strokes([[[-scale, -scale], [scale, scale]], [[-scale, scale]]]).pixels
    assert np.isfinite(pixels).all()
    assert pixels.sum() > 20


def test_integers_and_tuples_are_taken():
    assert not from_strokes((((0, 0), (5, 9)),)).blank


def test_as_many_points_as_allowed_are_taken_and_one_more_is_not():
    points = np.random.default_rng(0).random((MAX_POINTS, 2)).tolist()
    assert not from_strokes([points[:5000], points[5000:]]).blank
    with pytest.raises(ValueError, match=f"at most {MAX_POINTS} points; got {MAX_POINTS + 1}"):
        from_strokes([points, [[0, 0]]])


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        (None, r"^strokes: expected a list of strokes; got null"),
        ("1,2", r"^strokes: expected a list of strokes; got '1,2'"),
        ({"x": 1}, r"^strokes: expected a list of strokes; got \{'x': 1\}"),
        ([[[0, 0]], 7], r"^strokes\[1\]: expected a list of \[x, y\] points; got 7"),
        ([{"x": 1, "y": 2}], r"^strokes\[0\]: .*got \{'x': 1, 'y': 2\}"),
        ([[0, 1]], r"^strokes\[0\]\[0\]: expected \[x, y\], two finite numbers; got 0"),
        ([[[0, 0]], [[1, 2], [3]]], r"^strokes\[1\]\[1\]: expected \[x, y\], two finite numbers; got \[3\]"),
        ([[[1, 2, 3]]], r"^strokes\[0\]\[0\]: .*got \[1, 2, 3\]"),
        ([[[1, "2"]]], r"^strokes\[0\]\[0\]: .*got \[1, '2'\]"),
        ([[[1, True]]], r"^strokes\[0\]\[0\]: .*got \[1, true\]"),
        ([[[1, None]]], r"^strokes\[0\]\[0\]: .*got \[1, null\]"),
        ([[[1, 2], [1, float("nan")]]], r"^strokes\[0\]\[1\]: .*got \[1, nan\]"),
        ([[[float("inf"), 0]]], r"^strokes\[0\]\[0\]: .*got \[inf, 0\]"),
        ([[[10**400, 0]]], r"^strokes\[0\]\[0\]: .*got \[10+\.\.\.0+, 0\]"),
        ([["ab"]], r"^strokes\[0\]\[0\]: .*got 'ab'"),
        ([[[[1], 2]]], r"^strokes\[0\]\[0\]: "),
    ],
)
def test_bad_strokes_are_refused_with_the_place(strokes, message):
    with pytest.raises(ValueError, match=message):
        from_strokes(strokes)


def test_pixels_are_used_as_they_are():
    values = np.random.default_rng(0).random((28, 28)).astype(np.float32)
    for given in (values, values.ravel(), values.tolist(), values.ravel().tolist(), tuple(values.ravel().tolist())):
        prepared = from_pixels(given)
        assert prepared.pixels.dtype == np.float32
        assert np.array_equal(prepared.pixels, values)
        assert not prepared.blank


def test_integers_0_and_1_are_pixels():
    assert from_pixels([[0] * 27 + [1]] * 28).pixels.sum() == 28


def test_zero_pixels_are_blank():
    assert from_pixels([0] * 784).blank
    assert from_pixels([[0.0] * 28] * 28).blank


def test_the_pixels_belong_to_the_caller_alone():
    values = np.zeros((28, 28), np.float32)
    prepared = from_pixels(values)
    values[0, 0] = 1
    assert not prepared.pixels.any()


def flat_with(value):
    return [0.5] * 3 + [value] + [0.5] * 780


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.0] * 783, r"expected 28×28 or 784 numbers; got 783$"),
        ([], r"expected 28×28 or 784 numbers; got 0$"),
        ([[]], r"got 1 rows of 0 numbers"),
        ([[0.0] * 28] * 27, r"got 27 rows of 28 numbers"),
        ([[0.0] * 27] * 28, r"row 0 has 27"),
        ([[0.0] * 28] * 5 + [[0.0] * 29] + [[0.0] * 28] * 22, r"row 5 has 29"),
        ([[0.0] * 28] * 5 + [0.0] + [[0.0] * 28] * 22, r"row 5 is 0.0"),
        ([[[0.0]] * 28] * 28, r"expected numbers; got \[0.0\] at position 0"),
        (flat_with("0.5"), r"expected numbers; got '0.5' at position 3"),
        (flat_with(True), r"expected numbers; got true at position 3"),
        (flat_with(None), r"expected numbers; got null at position 3"),
        ([[False] * 28] * 28, r"expected numbers; got false at position 0"),
        (flat_with(float("nan")), r"from 0 to 1; got nan at position 3"),
        (flat_with(float("inf")), r"from 0 to 1; got inf at position 3"),
        (flat_with(-0.01), r"from 0 to 1; got -0.01 at position 3"),
        (flat_with(1.01), r"from 0 to 1; got 1.01 at position 3"),
        (flat_with(255), r"from 0 to 1; got 255 at position 3"),
        (flat_with(10**400), r"too large for a float"),
        ("0" * 784, r"got '0+\.\.\.0+'$"),
        ({"0": 1}, r"got \{'0': 1\}"),
        (None, r"got null"),
        (0.5, r"got 0.5"),
        (np.zeros((28, 27)), r"got an array of the shape \(28, 27\)"),
        (np.zeros(784, np.bool_), r"got an array of bool"),
    ],
)
def test_bad_pixels_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        from_pixels(values)
