"""What is drawn to be refused: the same each time, kept in the cache, and drawn anew where that is damaged."""

import numpy as np
import pytest

from app.data.handwriting.symbols import KANA, LETTERS, SIGNS, SMALL
from app.data.sources.nondigits import INVENTIONS, KINDS, VERSION, load_nondigits, make_nondigits, pair_digits


@pytest.fixture
def few():
    return make_nondigits(shown=12, measured=8, invented=10, digits=20)


def same(one, other):
    return all(
        np.array_equal(images, getattr(other, part)[kind])
        for part in ("shown", "measured")
        for kind, images in getattr(one, part).items()
    ) and np.array_equal(one.digits, other.digits)


def test_there_are_as_many_of_each_kind_as_were_asked_for_and_each_has_ink(few):
    assert set(few.shown) == {*few.measured, INVENTIONS} == {*KINDS, INVENTIONS}
    for part, count in ((few.shown, 12), (few.measured, 8)):
        for kind, images in part.items():
            assert (images.shape, images.dtype) == ((10 if kind == INVENTIONS else count, 28, 28), np.uint8), kind
            assert images.any(axis=(1, 2)).all(), kind
    assert few.digits.shape == (20, 28, 28)


def test_they_are_drawn_alike_each_time(few):
    assert same(few, make_nondigits(shown=12, measured=8, invented=10, digits=20))
    assert not same(few, make_nondigits(shown=12, measured=8, invented=10, digits=20, seed=1))


@pytest.mark.slow
def test_every_letter_and_sign_can_be_written():
    assert len({**LETTERS, **SMALL, **SIGNS, **KANA}) == sum(map(len, (LETTERS, SMALL, SIGNS, KANA)))
    assert not set("bgloqsyzIOSZ") & {*LETTERS, *SMALL}  # what people also write for a digit
    drawn = make_nondigits(shown=600, measured=200, invented=1, digits=1)
    assert len(np.unique(drawn.shown["signs"].reshape(600, -1), axis=0)) == 600


def test_two_digits_side_by_side_fill_the_width():
    digits = np.zeros((2, 28, 28), np.uint8)
    digits[:, 4:24, [10, 17]] = 255
    digits[:, [4, 23], 10:18] = 255
    pairs = pair_digits(digits, 5)
    assert pairs.shape == (5, 28, 28)
    assert (pairs.any(axis=1).sum(axis=1) >= 16).all()
    assert np.array_equal(pairs, pair_digits(digits, 5))


def test_they_are_drawn_once_and_a_damaged_file_is_drawn_anew(cache_dir, tmp_path, monkeypatch):
    kept = load_nondigits(cache_dir)
    (path,) = cache_dir.glob(f"strokes/nondigits-v{VERSION}-1.npz")
    whole = path.read_bytes()
    folder = tmp_path / "strokes"
    folder.mkdir()
    drawn = []

    def draw(**counts):
        drawn.append(1)
        return kept

    monkeypatch.setattr("app.data.sources.nondigits.make_nondigits", draw)
    (folder / path.name).write_bytes(whole)
    assert same(load_nondigits(tmp_path), kept)
    assert drawn == []
    for damaged in (b"", b"PK", whole[:-100], b"\x80\x04pickle"):
        (folder / path.name).write_bytes(damaged)
        assert same(load_nondigits(tmp_path), kept)
        assert (folder / path.name).read_bytes()[:2] == b"PK"
    assert len(drawn) == 4
    assert same(load_nondigits(None), kept)


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch, few):
    monkeypatch.setattr("app.data.sources.nondigits.make_nondigits", lambda **counts: few)
    (tmp_path / "strokes").write_text("a file is in the way")
    assert load_nondigits(tmp_path) is few
