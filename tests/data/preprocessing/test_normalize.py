import numpy as np
import pytest

from app.data.preprocessing.normalize import TIE_MARGIN, normalize
from app.data.sources.mnist import load_mnist

MNIST_SAMPLE = 2_000
MEAN_TOLERANCE = 1e-4
"""Mean absolute difference, over all of them, of MNIST's images before and after the rule."""


def test_mnists_own_images_come_back_unchanged(mnist_dir, tmp_path):
    test = load_mnist(data_dir=mnist_dir, cache_dir=tmp_path, download=False).test
    images = test.images[:MNIST_SAMPLE].astype(np.float32) / 255
    differences = np.array([np.abs(normalize(image) - image).mean() for image in images])
    assert differences.mean() < MEAN_TOLERANCE
    assert (differences == 0).mean() > 0.995


def test_ink_is_fitted_into_20_pixels_with_its_aspect_ratio():
    ink = np.zeros((300, 300), np.float32)
    ink[40:240, 100:150] = 1
    rows, columns = np.nonzero(normalize(ink))
    assert np.ptp(rows) + 1 == 20
    assert np.ptp(columns) + 1 == 5


def test_the_centre_of_mass_is_within_half_a_pixel_and_the_margin_of_pixel_14():
    rng = np.random.default_rng(0)
    for _ in range(50):
        ink = np.zeros((90, 90), np.float32)
        top, left = rng.integers(0, 60, 2)
        ink[top : top + 30, left : left + 4] = 1
        ink[top, left : left + int(rng.integers(5, 15))] = 1
        field = normalize(ink)
        indices = np.arange(28)
        assert abs(field.sum(axis=1) @ indices / field.sum() - 14) <= 0.5 + TIE_MARGIN + 1e-4
        assert abs(field.sum(axis=0) @ indices / field.sum() - 14) <= 0.5 + TIE_MARGIN + 1e-4


def test_averaging_keeps_the_amount_of_ink():
    ink = np.zeros((333, 211), np.float32)
    ink[11:300, 17:40] = 1
    ink[270:300, 17:190] = 1
    field = normalize(ink)
    assert field.sum() == pytest.approx(ink.sum() * (20 / 289) ** 2, rel=1e-3)


def test_ink_whose_mass_lies_far_to_one_side_is_not_cut_off():
    ink = np.zeros((200, 200), np.float32)
    ink[0:40, 0:40] = 1
    ink[0:200, 0:2] = 1
    ink[0:2, 0:200] = 1
    field = normalize(ink)
    assert field.sum() == pytest.approx(ink.sum() / 100, rel=1e-3)


def test_no_ink_gives_zeros():
    assert not normalize(np.zeros((50, 50), np.float32)).any()


def test_small_ink_is_enlarged_to_the_box():
    ink = np.zeros((28, 28), np.float32)
    ink[3:8, 3] = 1
    rows, _ = np.nonzero(normalize(ink))
    assert np.ptp(rows) + 1 == 20


def test_the_rule_applied_twice_changes_nothing_more():
    rng = np.random.default_rng(1)
    for _ in range(50):
        ink = (rng.random((8, 6)) < 0.4).astype(np.float32).repeat(20, 0).repeat(20, 1)
        once = normalize(ink)
        assert np.array_equal(normalize(once), once)


def test_a_hairs_breadth_does_not_move_a_symmetric_digit():
    ink = np.zeros((400, 60), np.float32)
    ink[:, :60] = 1
    for change in (0.99, 1.0):
        ink[:200] = change
        assert np.flatnonzero(normalize(ink).any(axis=1))[0] == np.flatnonzero(normalize(ink[::-1]).any(axis=1))[0]
