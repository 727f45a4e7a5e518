import numpy as np
import pytest

from app.data.handwriting.digits import DIGITS
from app.data.handwriting.glyph import Glyph
from app.data.handwriting.spline import make_pen
from app.data.sources import synthetic
from app.data.sources.synthetic import load_strokes, make_strokes


@pytest.fixture(scope="module")
def drawn():
    return make_strokes(train=200, test=50, seed=3)


def test_one_seed_draws_the_same_set_bit_for_bit(drawn):
    again = make_strokes(train=200, test=50, seed=3)
    assert np.array_equal(drawn.train.images, again.train.images)
    assert np.array_equal(drawn.test.images, again.test.images)


def test_a_smaller_set_is_the_beginning_of_a_larger_one(drawn):
    smaller = make_strokes(train=30, test=10, seed=3)
    assert np.array_equal(smaller.train.images, drawn.train.images[:30])


def test_another_seed_draws_other_digits(drawn):
    other = make_strokes(train=20, test=0, seed=4)
    assert all((a != b).any() for a, b in zip(other.train.images, drawn.train.images[:20], strict=True))


def test_training_and_test_images_differ(drawn):
    train = {image.tobytes() for image in drawn.train.images}
    assert len(train) == 200
    assert not train & {image.tobytes() for image in drawn.test.images}


def test_every_digit_is_drawn_as_often_as_the_others(drawn):
    assert np.bincount(drawn.train.labels).tolist() == [20] * 10
    # Also in the part that a validation split takes off the end.
    assert np.bincount(drawn.train.labels[-20:]).tolist() == [2] * 10


def test_images_are_such_as_mnists(drawn):
    images = drawn.train.images
    assert images.shape == (200, 28, 28)
    assert images.dtype == np.uint8
    assert drawn.labels == tuple("0123456789")
    assert (images.max(axis=(1, 2)) > 200).all()
    # MNIST's mean is 0.131.
    assert 0.11 < images.mean() / 255 < 0.16


def test_the_cache_gives_back_what_was_drawn(tmp_path, monkeypatch):
    first = load_strokes(cache_dir=tmp_path, train=20, test=10)
    monkeypatch.setattr(synthetic, "make_strokes", None)
    second = load_strokes(cache_dir=tmp_path, train=20, test=10)
    assert np.array_equal(first.train.images, second.train.images)
    assert np.array_equal(first.test.labels, second.test.labels)
    assert [path.suffix for path in (tmp_path / "strokes").iterdir()] == [".npz"]


@pytest.mark.parametrize("damage", ["empty", "cut short", "garbage", "a changed byte"])
def test_a_damaged_cache_is_drawn_anew(tmp_path, damage):
    first = load_strokes(cache_dir=tmp_path, train=20, test=10)
    (path,) = (tmp_path / "strokes").iterdir()
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 4] ^= 0xFF
    path.write_bytes({"empty": b"", "cut short": whole[:-40], "garbage": b"x" * 99}.get(damage, bytes(changed)))
    again = load_strokes(cache_dir=tmp_path, train=20, test=10)
    assert np.array_equal(first.train.images, again.train.images)
    assert path.read_bytes() != b""
    with np.load(path) as arrays:
        assert np.array_equal(arrays["train_images"], first.train.images)


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert len(load_strokes(cache_dir=tmp_path / "file", train=10, test=10).train) == 10


def test_every_digit_has_several_ways_to_be_written():
    assert all(len(ways) >= 4 for ways in DIGITS.values())


def test_a_path_goes_through_its_control_points_and_keeps_its_corners():
    pen = make_pen(Glyph(1, ((((0.0, 0.0), (0.5, 0.2), (1.0, 0.0)), ((1.0, 1.0),)), (((0.2, 0.2), (0.4, 0.4)),))))
    path = pen.basis @ pen.points
    for point in pen.points:
        assert np.abs(path - point).sum(axis=1).min() < 1e-12
    first = path[: pen.ends[0]]
    assert first[-1].tolist() == [1.0, 1.0]
    assert (first[:, 0] <= 1.0 + 1e-9).all()
    assert len(pen.ends) == 2
