"""`npz:PATH`: arrays are read as people have them, or refused in words."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from app.data import DatasetUnavailable
from app.data.sources import arrays, npz
from tests.support.own_sets import bar_images, info, load

ARRAYS = {
    "x_train": np.zeros((8, 28, 28), np.uint8),
    "y_train": np.arange(8) % 2,
    "x_test": np.ones((4, 784), np.float32),
    "y_test": np.arange(4) % 2,
}


def save(tmp_path, **changes):
    place = tmp_path / "data"
    place.mkdir(exist_ok=True)
    arrays = {key: value for key, value in {**ARRAYS, **changes}.items() if value is not None}
    np.savez(place / "mine.npz", **arrays)
    return place / "mine.npz"


def test_an_npz_of_arrays_is_a_set(tmp_path):
    save(tmp_path, labels=np.array(["ア", "イ"]))
    dataset = load("npz:mine.npz", tmp_path)
    assert dataset.labels == ("ア", "イ")
    assert dataset.test.images.shape == (4, 28, 28)
    assert (dataset.test.images == 255).all()
    assert dataset.train.labels.tolist() == [0, 1] * 4


LABELS = np.arange(8) % 2


@pytest.mark.parametrize(
    "changes",
    [
        {"x_train": bar_images(8).reshape(8, 784)},
        {"x_train": bar_images(8)[..., None]},
        {"x_train": bar_images(8).astype(np.float64)},
        {"x_train": bar_images(8).astype(np.float32) / 255},
        {"x_train": bar_images(8).astype(np.int64)},
        {"y_train": LABELS[:, None]},
        {"y_train": np.eye(2)[LABELS]},
        {"y_train": np.eye(2, dtype=bool)[LABELS]},
        {"y_train": LABELS.astype(np.float32)},
        {"y_train": LABELS.astype(str), "y_test": np.array(["0", "1"] * 2)},
    ],
)
def test_images_and_labels_are_read_as_people_have_them(changes, tmp_path):
    save(tmp_path, **{"x_train": bar_images(8), **changes})
    dataset = load("npz:mine.npz", tmp_path)
    assert np.array_equal(dataset.train.images, bar_images(8))
    assert dataset.train.labels.tolist() == LABELS.tolist()
    assert (dataset.labels, dataset.notes) == (("0", "1"), ())


@pytest.mark.parametrize("ones", [np.uint8, np.bool_])
def test_images_of_zeros_and_ones_are_black_and_white(ones, tmp_path):
    save(tmp_path, x_train=(bar_images(8) > 0).astype(ones))
    assert np.array_equal(load("npz:mine.npz", tmp_path).train.images, (bar_images(8) > 0) * 255)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_white_paper_becomes_black_and_the_line_of_the_set_says_so(kind, tmp_path):
    white = {"x_train": 255 - bar_images(8), "x_test": 255 - bar_images(4)}
    save(tmp_path, **white if kind is np.uint8 else {key: array / kind(255) for key, array in white.items()})
    dataset, line = load("npz:mine.npz", tmp_path), info("npz:mine.npz", tmp_path)
    assert np.array_equal(dataset.train.images, bar_images(8))
    assert np.array_equal(dataset.test.images, bar_images(4))
    assert line.note == "Ready to use. The paper was white and the ink dark: the images are inverted."
    save(tmp_path, x_train=bar_images(8), x_test=bar_images(4))
    assert info("npz:mine.npz", tmp_path).note == "Ready to use."
    assert load("npz:mine.npz", tmp_path).version != dataset.version


def test_strings_are_labels_in_the_order_of_numbers_and_letters(tmp_path):
    save(tmp_path, y_train=np.array([b"10", b"b", b"9", b"a"] * 2), y_test=np.array(["9", "a", "b", "10"]))
    dataset = load("npz:mine.npz", tmp_path)
    assert dataset.labels == ("9", "10", "a", "b")
    assert dataset.train.labels.tolist() == [1, 3, 0, 2] * 2
    assert dataset.test.labels.tolist() == [0, 2, 3, 1]


def test_without_images_to_test_with_every_sixth_of_a_label_is_held_out(tmp_path):
    save(tmp_path, x_train=bar_images(24), y_train=np.arange(24) % 2, x_test=None, y_test=None)
    dataset = load("npz:mine.npz", tmp_path)
    assert dataset.test.labels.tolist() == [0, 1, 0, 1]
    assert np.array_equal(dataset.test.images, bar_images(24)[[10, 11, 22, 23]])
    assert len(dataset.train) == 20


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_test": None}, "expected the arrays x_train, y_train, x_test, y_test; got x_train, y_test, y_train"),
        ({"x_train": np.zeros((8, 32, 32), np.uint8)}, "x_train: expected 28×28 images; got 8 × 32 × 32"),
        ({"x_train": np.zeros((0, 28, 28), np.uint8)}, "x_train: expected 28×28 images; got 0 × 28 × 28"),
        ({"x_train": np.zeros((8, 28, 28), complex)}, "x_train: expected numbers; got complex128"),
        ({"x_train": np.full((8, 784), -1.0)}, "x_train: expected numbers from 0 to 1, or from 0 to 255; got float64"),
        ({"x_test": np.full((4, 784), 256)}, "x_test: expected numbers from 0 .*; got int64 from 256 to 256"),
        ({"x_test": np.full((4, 784), np.nan)}, "x_test: expected numbers from 0 .*; got float64 from nan to nan"),
        ({"y_train": np.zeros(7, int)}, "got x_train of shape 8 × 28 × 28 and y_train of shape 7"),
        ({"y_train": np.ones((8, 3), int)}, "a label for each image; got x_train of .* and y_train of shape 8 × 3"),
        ({"y_train": np.full(8, 0.5)}, "y_train: expected whole numbers or strings; got others in float64"),
        ({"y_train": np.full(8, np.nan)}, "y_train: expected whole numbers or strings; got others in float64"),
        ({"y_train": np.zeros(8, complex)}, "y_train: expected whole numbers or strings; got complex128"),
        ({"y_train": np.full(8, -1)}, "labels from 0 to 255; got -1 to 1"),
        ({"y_train": np.full(8, 10**9)}, "labels from 0 to 255; got 0 to 1000000000"),
        ({"y_train": np.array(["a\0b"] * 8)}, "label: expected no control characters; got U\\+0000"),
        ({"y_train": np.array(["c"] * 8), "labels": np.array(["0", "1"])}, "labels among 0, 1; got c"),
        ({"labels": np.array(["a"])}, "labels from 0 to 0; got 0 to 1"),
        ({"labels": np.array(["a", "a"])}, "2 to 256 labels, all different; got 1"),
        ({"labels": np.zeros((2, 2), np.uint8)}, "labels: expected a list of strings"),
        ({"y_train": np.array([{}] * 8, dtype=object)}, "y_train: expected numbers or strings; got Python objects"),
        ({"y_train": np.full(8, "a" * 129)}, "y_train: expected labels of at most 64 characters; got <U129"),
        ({"x_train": np.zeros(8, [("a", int)])}, "x_train: expected 28×28 images"),
    ],
)
def test_an_npz_that_is_no_set_is_refused_in_words(changes, message, tmp_path):
    save(tmp_path, **changes)
    with pytest.raises(DatasetUnavailable, match=f"^npz:mine.npz: .*{message}"):
        load("npz:mine.npz", tmp_path)


def npy(shape, *, version=(1, 0), data=b""):
    header = io.BytesIO()
    write = np.lib.format.write_array_header_1_0 if version == (1, 0) else np.lib.format.write_array_header_2_0
    write(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return header.getvalue() + data


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (npy((2**40, 28, 28)), "x_train: expected at most 1024 MB"),
        (npy((2**19, 28, 28)), "x_train: expected 411041792 bytes; got a file too small"),
        (npy((10**5, 28, 28), data=bytes(10**6)), "x_train: expected 78400000 bytes; got a file too small"),
        (npy((8, 28, 28), version=(2, 0)), "x_train: expected an array of numbers or strings; got another"),
        (npy((8, 28, 28))[:7], "x_train: expected an array of NumPy; got one whose header"),
        (b"\x80\4K\1.", "x_train: expected an array of NumPy; got one whose header"),
    ],
)
def test_an_npz_that_lies_about_its_size_allocates_nothing(array, message, tmp_path):
    (tmp_path / "data").mkdir()
    with zipfile.ZipFile(tmp_path / "data" / "mine.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", array)
        archive.writestr("y_train.npy", npy((8,), data=bytes(8)))
    tracemalloc.start()
    try:
        with pytest.raises(DatasetUnavailable, match=message):
            load("npz:mine.npz", tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 2**21
    finally:
        tracemalloc.stop()


def test_names_may_be_capital_and_other_arrays_are_named(tmp_path):
    save(tmp_path, x_train=None, X_train=bar_images(8), x_val=bar_images(2), y_val=np.zeros(2, int))
    assert np.array_equal(load("npz:mine.npz", tmp_path).train.images, bar_images(8))
    assert info("npz:mine.npz", tmp_path).note == "Ready to use. Not read (2): x_val, y_val."


def test_what_is_not_asked_for_is_not_unpacked_and_all_arrays_share_one_limit(tmp_path, monkeypatch):
    save(tmp_path, weights=np.zeros(2**20))
    monkeypatch.setattr("app.data.sources.npz.MOST_BYTES", 8 * 784 + 64 + 16 * 784)
    tracemalloc.start()
    try:
        with pytest.raises(DatasetUnavailable, match="y_test: expected at most 0 MB in all arrays"):
            load("npz:mine.npz", tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 and no more", b"\x80\x04K\x01."])
def test_a_file_that_is_no_npz_is_refused(data, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.npz").write_bytes(data)
    with pytest.raises(DatasetUnavailable, match=r"expected a complete NumPy \.npz file"):
        load("npz:mine.npz", tmp_path)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64, np.int32, ">f4"])
def test_arrays_of_any_order_and_type_are_read_in_pieces(order, dtype, tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "BLOCK_NUMBERS", 2000)
    images = bar_images(8).reshape(8, 784)
    save(tmp_path, x_train=np.array(images, dtype, order=order), y_train=LABELS)
    assert np.array_equal(load("npz:mine.npz", tmp_path).train.images.reshape(8, 784), images)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_range_that_shows_only_in_the_last_piece_holds_for_all(order, tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "BLOCK_NUMBERS", 784)
    images = np.zeros((8, 784))
    images[0, 5], images[7, 700] = 1, 200
    save(tmp_path, x_train=np.array(images, order=order), y_train=LABELS)
    found = load("npz:mine.npz", tmp_path).train.images.reshape(8, 784)
    assert (found[0, 5], found[7, 700]) == (1, 200)


def test_more_images_than_the_size_of_a_packed_file_can_hold_are_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "FREE_IMAGES", 100)
    monkeypatch.setattr(arrays, "FEWEST_BYTES", 1000)
    save(tmp_path, x_train=np.zeros((90, 784)), y_train=np.arange(90) % 2, x_test=None, y_test=None)
    assert len(load("npz:mine.npz", tmp_path).train) == 76
    (tmp_path / "data").joinpath("mine.npz").unlink()
    packed = {"x_train": np.zeros((200, 784)), "y_train": np.arange(200) % 2}
    np.savez_compressed(tmp_path / "data" / "mine.npz", **packed)
    with pytest.raises(DatasetUnavailable, match=r"expected at most 10. images in a file of its size; got 200"):
        load("npz:mine.npz", tmp_path)


@pytest.mark.parametrize("name", ["y_train", "labels"])
def test_labels_that_would_fill_the_memory_are_refused_unread(name, tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "LARGEST_LABELS", 1 << 20)
    save(tmp_path, **{name: np.full(8, "a", "<U40000")})
    with pytest.raises(DatasetUnavailable, match=f"{name}: expected labels of at most 1 MB; got 1.2"):
        load("npz:mine.npz", tmp_path)


@pytest.mark.filterwarnings("ignore:Reading `.npy`")
@pytest.mark.parametrize(
    "header",
    [
        *("{'descr': '|u1'", "(" * 20_000, "-" * 20_000 + "1", "{\n  1\n 2", "1L", "'\\x", "\0", "[]", "{}"),
        "{'descr': 'nothing', 'fortran_order': False, 'shape': (8, 784)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-8, 784)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (" + "9" * 5000 + ",)}",
        "{'descr': [('a', '|u1', (2**31,))], 'fortran_order': False, 'shape': (8,)}",
    ],
    ids=lambda header: header[:20],
)
def test_headers_that_are_none_are_refused_by_the_array(header, tmp_path):
    with zipfile.ZipFile(save(tmp_path), "w") as archive:
        text = header.encode()
        archive.writestr("x_train.npy", b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text)
        archive.writestr("y_train.npy", npy((8,), data=bytes(8)))
    with pytest.raises(DatasetUnavailable, match=r"^npz:mine\.npz: "):
        load("npz:mine.npz", tmp_path)
