"""Data sets below DIGITPAD_DATA_DIR: read when they are right, refused in words when not, and never from elsewhere."""

import io
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from app.data import DatasetCatalog, DatasetUnavailable
from app.data.drawings.store import DrawingStore
from app.data.sources import folder as folder_module
from app.data.sources.mnist import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from tests.support.idx import write_idx


def load(name, tmp_path):
    return DatasetCatalog(tmp_path / "cache", tmp_path / "data").load(name)


def picture(path, number, size=40):
    """A bar that stands or lies, dark on white."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size, size), 255, np.uint8)
    place = 8 + number % 10
    if path.parent.name in ("up", "1"):
        pixels[6:34, place + 8 : place + 12] = 0
    else:
        pixels[place + 8 : place + 12, 6:34] = 0
    Image.fromarray(pixels).save(path)


@pytest.fixture
def bars(tmp_path):
    """Two labels, twelve pictures each."""
    for label in ("up", "flat"):
        for number in range(12):
            picture(tmp_path / "data" / "bars" / label / f"{number:02}.png", number)
    return tmp_path / "data" / "bars"


def test_a_folder_for_each_label_is_a_set(bars, tmp_path):
    (bars / "notes.txt").write_text("no picture")
    (bars / ".git").mkdir()
    dataset = load("folder:bars", tmp_path)
    assert dataset.labels == ("flat", "up")
    assert (len(dataset.train), len(dataset.test)) == (20, 4)
    assert dataset.train.labels.tolist() == [0, 1] * 10
    upright = dataset.train.images[1]
    assert (upright > 128).any(axis=1).sum() == 20  # through the one preprocessing: as long as MNIST's
    assert (upright > 128).any(axis=0).sum() < 6
    info = DatasetCatalog(tmp_path / "cache", tmp_path / "data").info("folder:bars")
    assert (info.labels, info.train, info.test, info.state) == (("flat", "up"), 20, 4, "ready")


def test_train_and_test_may_be_folders_of_their_own(tmp_path):
    for part, count in (("train", 4), ("test", 2)):
        for label in ("2", "10", "1"):
            for number in range(count):
                picture(tmp_path / "data" / "a" / "b" / part / label / f"{number}.PNG", number)
    dataset = load("folder:a/b", tmp_path)
    assert dataset.labels == ("1", "2", "10")
    assert (len(dataset.train), len(dataset.test)) == (12, 6)


def test_pictures_are_read_once_until_one_changes(bars, tmp_path, monkeypatch):
    first = load("folder:bars", tmp_path)
    drawings = DrawingStore(tmp_path / "drawings")
    stamp = DatasetCatalog(tmp_path, tmp_path / "data", drawings).stamp("folder:bars")
    assert stamp == DatasetCatalog(tmp_path, tmp_path / "data", drawings).stamp("folder:bars")
    with monkeypatch.context() as patch:
        patch.setattr(folder_module, "from_image", None)
        again = load("folder:bars", tmp_path)
    assert np.array_equal(first.train.images, again.train.images)
    assert first.version == again.version
    (bars / "up" / "00.png").unlink()
    assert stamp != DatasetCatalog(tmp_path, tmp_path / "data", drawings).stamp("folder:bars")
    changed = load("folder:bars", tmp_path)
    assert (len(changed.train), changed.version == first.version) == (20 - 0, False)
    kept = next((tmp_path / "cache" / "folders").iterdir())
    kept.write_bytes(b"damaged")
    assert len(load("folder:bars", tmp_path).test) == 3


def test_the_four_idx_files_in_a_folder_are_a_set(tmp_path):
    place = tmp_path / "data" / "mine"
    place.mkdir(parents=True)
    for count, images, labels in ((9, TRAIN_IMAGES, TRAIN_LABELS), (3, TEST_IMAGES, TEST_LABELS)):
        write_idx(place / images, np.ones((count, 28, 28), np.uint8))
        write_idx(place / labels, (np.arange(count) % 3).astype(np.uint8))
    dataset = load("folder:mine", tmp_path)
    assert (dataset.labels, len(dataset.train), len(dataset.test)) == (("0", "1", "2"), 9, 3)
    (place / TEST_LABELS).unlink()
    with pytest.raises(DatasetUnavailable, match=f"folder:mine: expected the file {TEST_LABELS}"):
        load("folder:mine", tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        *("folder:", "folder:..", "folder:../data", "folder:bars/../../etc", "folder:/etc", "folder:.hidden"),
        *("folder:bars//up", "folder:a\\b", "folder:a b", "folder:~", "npz:/etc/passwd", "npz:../x.npz", "npz:a\0"),
    ],
)
def test_a_path_that_leads_elsewhere_is_no_name(name, bars, tmp_path):
    with pytest.raises(ValueError, match="a path below DIGITPAD_DATA_DIR"):
        load(name, tmp_path)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_no_link_leads_out_of_the_folder(bars, tmp_path):
    outside = tmp_path / "outside"
    for label in ("up", "flat"):
        for number in range(6):
            picture(outside / label / f"{number}.png", number)
    (tmp_path / "data" / "way").symlink_to(outside)
    (bars / "secret").symlink_to(outside / "up")
    (bars / "up" / "99.png").symlink_to(outside / "up" / "1.png")
    with pytest.raises(DatasetUnavailable, match="there is no such folder"):
        load("folder:way", tmp_path)
    dataset = load("folder:bars", tmp_path)
    assert (dataset.labels, len(dataset.train)) == (("flat", "up"), 20)


def test_without_a_data_folder_the_message_says_so(tmp_path):
    with pytest.raises(DatasetUnavailable, match="set DIGITPAD_DATA_DIR"):
        DatasetCatalog(tmp_path).load("folder:bars")


def test_what_is_wrong_in_a_folder_is_said_without_a_path_of_the_machine(bars, tmp_path):
    (bars / "up" / "03.png").write_bytes(b"no picture")
    with pytest.raises(DatasetUnavailable, match=r"folder:bars: up/03\.png: ") as error:
        load("folder:bars", tmp_path)
    assert str(tmp_path) not in str(error.value)
    for path in (bars / "up").iterdir():
        path.unlink()
    with pytest.raises(DatasetUnavailable, match="2 to 256 folders of images, one for each label; got 1"):
        load("folder:bars", tmp_path)
    with pytest.raises(DatasetUnavailable, match="there is no such folder"):
        load("folder:bar", tmp_path)


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"x_test": None},
            "expected the arrays x_train, y_train, x_test, y_test; got \\['x_train', 'y_test', 'y_train'\\]",
        ),
        ({"x_train": np.zeros((8, 32, 32), np.uint8)}, "x_train: expected 28×28 images; got 8 × 32 × 32"),
        ({"x_test": np.full((4, 784), 7.0)}, "x_test: expected bytes, or floats from 0 to 1; got float64"),
        ({"x_test": np.full((4, 784), np.nan)}, "x_test: expected bytes, or floats"),
        ({"y_train": np.zeros(7, int)}, "as many labels as 28×28 images"),
        ({"y_train": np.zeros(8)}, "labels that are whole numbers; got float64"),
        ({"y_train": np.full(8, -1)}, "labels from 0 to 255; got -1 to 1"),
        ({"y_train": np.full(8, 10**9)}, "labels from 0 to 255; got 0 to 1000000000"),
        ({"labels": np.array(["a"])}, "labels from 0 to 0; got 0 to 1"),
        ({"labels": np.array(["a", "a"])}, "at least 2 labels, all different; got 1"),
        ({"labels": np.zeros((2, 2), np.uint8)}, "labels: expected a list of strings"),
        ({"y_train": np.array([{}] * 8, dtype=object)}, ""),
    ],
)
def test_an_npz_that_is_no_set_is_refused_in_words(changes, message, tmp_path):
    save(tmp_path, **changes)
    with pytest.raises(DatasetUnavailable, match=f"^npz:mine.npz: .*{message}"):
        load("npz:mine.npz", tmp_path)


def test_an_npz_that_lies_about_its_size_allocates_nothing(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (2**40, 28, 28)})
    (tmp_path / "data").mkdir()
    with zipfile.ZipFile(tmp_path / "data" / "mine.npz", "w") as archive:
        archive.writestr("x_train.npy", header.getvalue())
    with pytest.raises(DatasetUnavailable, match=r"x_train\.npy: expected at most 1024 MB"):
        load("npz:mine.npz", tmp_path)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 and no more", b"\x80\x04K\x01."])
def test_a_file_that_is_no_npz_is_refused(data, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.npz").write_bytes(data)
    with pytest.raises(DatasetUnavailable, match=r"expected a complete NumPy \.npz file"):
        load("npz:mine.npz", tmp_path)


def test_what_a_folder_holds_is_asked_for_often_and_read_once(bars, tmp_path, monkeypatch):
    loaded = []
    read = folder_module.load_folder
    monkeypatch.setattr(folder_module, "load_folder", lambda name, **more: loaded.append(name) or read(name, **more))

    def info(name):
        return DatasetCatalog(tmp_path / "cache", tmp_path / "data").info(name)

    assert [info("folder:bars").train for _ in range(3)] == [20, 20, 20]
    assert loaded == ["folder:bars"]
    picture(bars / "up" / "90.png", 3)
    os.utime(bars / "up", (1, 1))  # also where the clock of the disk stands still
    assert info("folder:bars").train == 21
    assert len(loaded) == 2


def test_what_was_made_of_folders_is_kept_within_bounds(bars, tmp_path, monkeypatch):
    monkeypatch.setattr(folder_module, "MOST_CACHED", 2)
    kept = tmp_path / "cache" / "folders"
    load("folder:bars", tmp_path)
    (first,) = kept.iterdir()
    for age, number in enumerate((90, 91)):
        for path in kept.iterdir():
            os.utime(path, (path.stat().st_mtime - 100,) * 2)
        picture(bars / "up" / f"{number}.png", number)
        load("folder:bars", tmp_path)
        assert len(list(kept.iterdir())) == 2, age
    assert not first.exists()  # used longest ago
    used, newest = sorted(kept.iterdir(), key=lambda path: path.stat().st_mtime)
    load("folder:bars", tmp_path)
    monkeypatch.setattr(folder_module, "MOST_CACHED_BYTES", 1)
    picture(bars / "up" / "92.png", 2)
    load("folder:bars", tmp_path)
    assert len(list(kept.iterdir())) == 1  # the newest stays, however large it is
    assert not used.exists()
    assert not newest.exists()
