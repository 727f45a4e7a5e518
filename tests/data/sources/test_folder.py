"""Data sets below DIGITPAD_DATA_DIR: read when they are right, refused in words when not, and never from elsewhere."""

import os

import numpy as np
import pytest
from PIL import Image

from app.data import DatasetCatalog, DatasetUnavailable
from app.data.drawings.store import DrawingStore
from app.data.sources import folder as folder_module
from app.data.sources import picture_folder
from tests.support.own_sets import catalog, info, load, picture


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


def test_a_label_with_images_to_test_with_alone_is_named(tmp_path):
    for place in ("train/a", "train/b", "test/a", "test/c"):
        for number in range(3):
            picture(tmp_path / "data" / "own" / place / f"{number}.png", number)
    with pytest.raises(DatasetUnavailable, match="train on for each label; got only images to test with for c"):
        load("folder:own", tmp_path)


def test_pictures_are_read_once_until_one_changes(bars, tmp_path, monkeypatch):
    first = load("folder:bars", tmp_path)
    drawings = DrawingStore(tmp_path / "drawings")
    stamp = DatasetCatalog(tmp_path, tmp_path / "data", drawings).stamp("folder:bars")
    assert stamp == DatasetCatalog(tmp_path, tmp_path / "data", drawings).stamp("folder:bars")
    with monkeypatch.context() as patch:
        patch.setattr(picture_folder, "from_image", None)
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


def test_what_a_folder_holds_is_asked_for_often_and_read_once(bars, tmp_path, monkeypatch):
    loaded = []
    read = folder_module.load_place
    monkeypatch.setattr(folder_module, "load_place", lambda name, *more: loaded.append(name) or read(name, *more))

    def info(name):
        return DatasetCatalog(tmp_path / "cache", tmp_path / "data").info(name)

    assert [info("folder:bars").train for _ in range(3)] == [20, 20, 20]
    assert loaded == ["folder:bars"]
    picture(bars / "up" / "90.png", 3)
    os.utime(bars / "up", (1, 1))  # also where the clock of the disk stands still
    assert info("folder:bars").train == 21
    assert len(loaded) == 2


def test_what_was_made_of_folders_is_kept_within_bounds(bars, tmp_path, monkeypatch):
    monkeypatch.setattr(picture_folder, "MOST_CACHED", 2)
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
    monkeypatch.setattr(picture_folder, "MOST_CACHED_BYTES", 1)
    picture(bars / "up" / "92.png", 2)
    load("folder:bars", tmp_path)
    assert len(list(kept.iterdir())) == 1  # the newest stays, however large it is
    assert not used.exists()
    assert not newest.exists()


def test_system_files_are_passed_over(bars, tmp_path):
    for place in (bars, bars / "up"):
        for name in ("._00.png", ".DS_Store", "Thumbs.db", "desktop.ini", ".hidden.png"):
            (place / name).write_bytes(b"\0\5\x16\7")
    picture(bars / "__MACOSX" / "00.png", 1)
    picture(bars / "@eaDir" / "00.png", 1)
    line = info("folder:bars", tmp_path)
    assert (line.labels, line.train, line.test, line.note) == (("flat", "up"), 20, 4, "Ready to use.")


@pytest.mark.parametrize("suffix", ["bmp", "gif", "webp", "tif", "TIFF", "jfif", "JPEG"])
def test_pictures_of_every_usual_kind_are_read(suffix, bars, tmp_path):
    for number in range(6):
        picture(bars / "1" / f"{number}.png", number)
        with Image.open(bars / "1" / f"{number}.png") as image:
            image.save(bars / "1" / f"{number}.{suffix}", "JPEG" if suffix == "jfif" else None)
        (bars / "1" / f"{number}.png").unlink()
    dataset = load("folder:bars", tmp_path)
    assert dataset.labels == ("1", "flat", "up")
    assert np.bincount(dataset.train.labels).tolist() == [5, 10, 10]
    apart = dataset.train.images[dataset.train.labels == 0][0].astype(int) - dataset.train.images[2]
    assert np.abs(apart).mean() < 12


def test_what_is_not_read_is_counted_and_named(bars, tmp_path):
    for number in range(8):
        (bars / "up" / f"{number}.heic").write_bytes(b"\0")
    (bars / "7").mkdir()
    (bars / "7" / "1.svg").write_text("<svg/>")
    (bars / "labels.txt").write_text("no picture")
    (bars / "up" / "more").mkdir()
    note = info("folder:bars", tmp_path).note
    assert note == (
        "Ready to use. Not read (11): 7/, labels.txt, up/0.heic, up/1.heic, up/2.heic, up/3.heic, up/4.heic, "
        "up/5.heic and 3 more."
    )


def test_two_folders_of_one_label_are_joined(tmp_path):
    for folder in ("か\u3099", "が", "き", "き "):  # composed or not, and with a blank
        for number in range(6):
            picture(tmp_path / "data" / "kana" / folder / f"{number}.png", number)
    dataset = load("folder:kana", tmp_path)
    assert dataset.labels == ("が", "き")
    assert np.bincount(dataset.train.labels).tolist() == [10, 10]
    assert np.bincount(dataset.test.labels).tolist() == [2, 2]


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("Train", "val"),
        ("training", "testing"),
        ("train", "validation"),
        ("in/a/training", "in/a/valid"),
    ],
)
def test_the_usual_names_of_parts_are_read(train, test, tmp_path):
    for part, count in ((train, 4), (test, 2)):
        for label in ("0", "1"):
            for number in range(count):
                picture(tmp_path / "data" / "parts" / part / label / f"{number}.png", number)
    dataset = load("folder:parts", tmp_path)
    assert (dataset.labels, len(dataset.train), len(dataset.test)) == (("0", "1"), 8, 4)
    stamp = catalog(tmp_path).stamp("folder:parts")
    picture(tmp_path / "data" / "parts" / test / "0" / "9.png", 9)
    os.utime(tmp_path / "data" / "parts" / test / "0", (1, 1))
    assert catalog(tmp_path).stamp("folder:parts") != stamp
    assert len(load("folder:parts", tmp_path).test) == 5


def test_beside_train_and_test_a_third_part_is_named_and_not_read(tmp_path):
    for part in ("train", "test", "val"):
        for label in ("0", "1"):
            picture(tmp_path / "data" / "parts" / part / label / "1.png", 1)
    line = info("folder:parts", tmp_path)
    assert (line.train, line.test, line.note) == (2, 2, "Ready to use. Not read (1): val/.")


def test_images_without_labels_to_test_with_are_named_and_not_read(tmp_path):
    for label in ("0", "1"):
        for number in range(6):
            picture(tmp_path / "data" / "parts" / "train" / label / f"{number}.png", number)
    picture(tmp_path / "data" / "parts" / "test" / "1.png", 1)
    line = info("folder:parts", tmp_path)
    assert (line.train, line.test, line.note) == (10, 2, "Ready to use. Not read (1): test/.")


def test_a_set_in_a_folder_of_its_own_is_found(bars, tmp_path):
    (tmp_path / "data" / "unpacked").mkdir()
    (tmp_path / "data" / "unpacked" / "README.txt").write_text("bars")
    bars.rename(tmp_path / "data" / "unpacked" / "bars")
    (tmp_path / "data" / "unpacked" / "__MACOSX").mkdir()
    assert load("folder:unpacked", tmp_path).labels == ("flat", "up")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            ["1.png", "2.png", "3.png"],
            r"expected a folder of images for each label; got 3 images in no such folder, 1\.png",
        ),
        (["mine.npz"], "expected a complete NumPy .npz file"),
        (["mine.npz", "other.npz"], r"expected one table or file of arrays to train on; got mine\.npz, other\.npz"),
        (["train.csv", "test.csv"], r"train\.csv: expected a label and 784 pixels in each line; got no line"),
        (
            ["train/0/1.png", "train/1/1.png", "holdout/0/1.png"],
            "expected the folder `test` beside `train`; got holdout: rename the one with the images to test with",
        ),
        (["a/1.png", "b/1.txt", "c.doc"], "one for each label; got 1 in a folder with a/, b/, c.doc"),
        (["a/x/1.png", "b/x/1.png"], "one for each label; got 0 in a folder with a/, b/"),
        ([".DS_Store"], "one for each label; got 0 in a folder with –"),
        ([f"{'a' * 65}/1.png", "b/1.png"], f"{'a' * 65}.label: expected 1 to 64 characters; got 65"),
    ],
)
def test_an_unknown_layout_is_refused_with_what_lies_there(files, message, tmp_path):
    for file in files:
        path = tmp_path / "data" / "odd" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(path, 1) if path.suffix == ".png" else path.write_bytes(b"")
    with pytest.raises(DatasetUnavailable, match=f"^folder:odd: .*{message}"):
        load("folder:odd", tmp_path)


def test_sets_of_the_first_two_levels_are_listed_unread_and_once_read_as_they_are(bars, tmp_path):
    data = tmp_path / "data"
    for path in (
        "more/arrays.npz",
        "more/deeper/x/arrays.npz",
        "mnist/a/1.png",
        "mnist/b/1.png",
        "a b.npz",
        "notes.csv",
    ):
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_bytes(b"")
    for name in ("mnist_train.csv", "mnist_test.csv"):
        (data / name).write_text(",".join(["0"] * 785))
    for label in ("0", "1"):
        picture(data / "more" / "parts" / "train" / label / "1.png", 1)
    (data / "idx").mkdir()
    (data / "idx" / "train-images.idx3-ubyte.gz").write_bytes(b"")

    def listed():
        return {line.name: line for line in catalog(tmp_path).list() if ":" in line.name}

    names = ["folder:bars", "folder:idx", "csv:mnist_train.csv", "npz:more/arrays.npz", "folder:more/parts"]
    assert list(listed()) == names
    line = listed()["folder:bars"]
    assert (line.state, line.labels, line.train, line.note) == ("unread", (), 0, "Read when it is chosen.")
    read = info("folder:bars", tmp_path)
    assert (listed()["folder:bars"], read.state) == (read, "ready")
    os.utime(bars / "up", (1, 1))
    assert listed()["folder:bars"].state == "unread"
    with pytest.raises(ValueError, match=r"expected a data set: mnist, .*folder:bars.*; got 'nothing'"):
        info("nothing", tmp_path)


def test_the_search_for_sets_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_module, "MOST_LISTED", 4)
    monkeypatch.setattr(folder_module, "MOST_ENTRIES", 3)
    for number in range(30):
        path = tmp_path / "data" / f"many{number}"
        path.mkdir(parents=True)
        for inner in range(9):
            (path / f"{inner}.npz").write_bytes(b"")
    assert len(folder_module.find_sets(tmp_path / "data", ())) == 4
    monkeypatch.setattr(folder_module, "MOST_LISTED", 100)
    assert len(folder_module.find_sets(tmp_path / "data", ())) == 9
    assert folder_module.find_sets(tmp_path / "none", ()) == []
