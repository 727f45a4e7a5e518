"""Folders with IDX files: MNIST's names as they are unpacked and spelled, QMNIST's and EMNIST's; and what is wrong."""

import gzip
import struct

import numpy as np
import pytest

from app.data import DatasetUnavailable
from tests.support.idx import write_idx
from tests.support.own_sets import bar_images, info, load

MNIST = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def put(tmp_path, names=MNIST, *, images=bar_images, labels=lambda count: (np.arange(count) % 3).astype(np.uint8)):
    place = tmp_path / "data" / "mine"
    place.mkdir(parents=True)
    for name, count, make in zip(names, (9, 9, 3, 3), (images, labels, images, labels), strict=True):
        write_idx(place / name, make(count), compress=name.endswith(".gz"))
    return place


@pytest.mark.parametrize(
    "names",
    [
        MNIST,
        [f"{name}.gz" for name in MNIST],
        [name.replace("-idx", ".idx") for name in MNIST],
        [name.replace("-", "_") for name in MNIST],
        [name.replace("t10k", "test") for name in MNIST],
        ["Train-Images.idx3-ubyte.gz", "train-labels.idx1-ubyte", "t10k-images-idx3", "test_labels"],
    ],
)
def test_idx_files_are_a_set_however_their_names_are_spelled(names, tmp_path):
    put(tmp_path, names)
    dataset = load("folder:mine", tmp_path)
    assert (dataset.labels, len(dataset.train), len(dataset.test)) == (("0", "1", "2"), 9, 3)
    assert np.array_equal(dataset.train.images, bar_images(9))
    assert dataset.train.labels.tolist() == [0, 1, 2] * 3


def test_what_systems_add_and_unpacked_copies_do_not_matter(tmp_path):
    place = put(tmp_path)
    for name in MNIST:
        (place / f"._{name}").write_bytes(b"\0\5\x16\7")
        (place / f"{name}.gz").write_bytes(b"cut short")
    (place / "train-images.idx3-ubyte").mkdir()
    assert len(load("folder:mine", tmp_path).train) == 9


def test_white_paper_becomes_black(tmp_path):
    put(tmp_path, images=lambda count: 255 - bar_images(count))
    assert np.array_equal(load("folder:mine", tmp_path).test.images, bar_images(3))
    assert "the images are inverted" in info("folder:mine", tmp_path).note


def test_the_labels_of_qmnist_are_the_first_of_eight_columns(tmp_path):
    names = [f"qmnist-{part}-{kind}" for part in ("train", "test") for kind in ("images-idx3-ubyte", "labels-idx2-int")]
    place = put(tmp_path, names)
    for name, count in ((names[1], 9), (names[3], 3)):
        columns = np.arange(count * 8).reshape(count, 8)
        columns[:, 0] = np.arange(count) % 3
        packed = b"\0\0\x0c\x02" + struct.pack(">II", count, 8) + columns.astype(">i4").tobytes()
        (place / name).unlink()
        (place / f"{name}.gz").write_bytes(gzip.compress(packed))
    dataset = load("folder:mine", tmp_path)
    assert dataset.train.labels.tolist() == [0, 1, 2] * 3
    assert dataset.test.labels.tolist() == [0, 1, 2]


def test_the_images_of_emnist_are_transposed_in_its_files(tmp_path):
    names = [f"emnist-letters-{name.replace('t10k', 'test')}.gz" for name in MNIST]
    put(tmp_path, names, images=lambda count: bar_images(count).transpose(0, 2, 1).copy())
    assert np.array_equal(load("folder:mine", tmp_path).train.images, bar_images(9))


def test_without_files_to_test_with_every_sixth_image_of_a_label_is(tmp_path):
    place = put(tmp_path, labels=lambda count: (np.arange(count) > 6).astype(np.uint8))
    for name in MNIST[2:]:
        (place / name).unlink()
    dataset = load("folder:mine", tmp_path)
    assert np.array_equal(dataset.test.images, bar_images(9)[[5]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda place: (place / MNIST[3]).unlink(), f"expected the file {MNIST[3]}, with or without .gz; got t10k-im"),
        (
            lambda place: (place / "digits-train-images.idx").write_bytes(b""),
            "expected one file of each kind; got train-images-idx3-ubyte, digits-train-images.idx",
        ),
        (
            lambda place: write_idx(place / MNIST[0], np.zeros((9, 32, 32), np.uint8)),
            f"{MNIST[0]}: expected 28×28 images; got 9 × 32 × 32",
        ),
        (
            lambda place: write_idx(place / MNIST[1], np.zeros(8, np.uint8)),
            f"expected a label for each image; got {MNIST[0]} of shape 9 × 28 × 28 and {MNIST[1]} of shape 8",
        ),
        (lambda place: (place / MNIST[0]).write_bytes(b"PK\3\4"), f"{MNIST[0]}: expected an IDX file"),
        (
            lambda place: (place / MNIST[0]).write_bytes(b"\0\0\x08\x09" + bytes(99)),
            f"{MNIST[0]}: expected 1–4 dimensions; got 9",
        ),
        (
            lambda place: (place / MNIST[0]).write_bytes(b"\0\0\x0e\x03" + struct.pack(">3I", 2**20, 28, 28)),
            f"{MNIST[0]}: expected 822083584 values; got a file too small",
        ),
    ],
)
def test_what_is_wrong_with_idx_files_is_said_by_name(change, message, tmp_path):
    change(put(tmp_path))
    with pytest.raises(DatasetUnavailable, match=f"^folder:mine: {message}"):
        load("folder:mine", tmp_path)
