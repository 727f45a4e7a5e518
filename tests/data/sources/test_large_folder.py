"""Folders of many images: their names tell how many there are, and each image is read when it is asked for."""

from dataclasses import replace

import numpy as np
import pytest

from app.data import DatasetUnavailable
from app.data.cache import DatasetCache
from app.data.sources import picture_folder
from tests.support.errors import is_an_error
from tests.support.own_sets import catalog, info, load, picture

NAME = "folder:bars"


@pytest.fixture
def bars(tmp_path, monkeypatch):
    """A set `folder:bars` that counts as large, and its folder."""
    monkeypatch.setattr(picture_folder, "READ_AT_ONCE", 11)
    for label in ("up", "flat"):
        for number in range(6):
            picture(tmp_path / "data" / "bars" / label / f"{number}.png", number)
    return tmp_path / "data" / "bars"


@pytest.fixture
def read(monkeypatch):
    """The files that are read and prepared, in order."""
    names = []
    original = picture_folder._read_picture

    def reading(path, place):
        names.append(str(path.relative_to(place)))
        return original(path, place)

    monkeypatch.setattr(picture_folder, "_read_picture", reading)
    return names


def test_its_line_is_known_by_its_names_alone(bars, tmp_path, read):
    (bars / "up" / "notes.txt").write_text("no picture")
    found = info(NAME, tmp_path)
    assert (found.state, found.labels, found.train, found.test) == ("ready", ("flat", "up"), 10, 2)
    assert str(found.note) == "Ready to use. Not read (1): up/notes.txt. Its images are read when they are needed."
    assert read == []


def test_a_folder_of_few_is_read_so_that_what_is_damaged_is_named(bars, tmp_path, monkeypatch):
    monkeypatch.setattr(picture_folder, "READ_AT_ONCE", 12)
    (bars / "up" / "3.png").write_bytes(b"x")
    with pytest.raises(DatasetUnavailable, match=r"up/3\.png"):
        info(NAME, tmp_path)


def test_the_images_looked_at_are_those_of_a_training_and_no_other_is_read(bars, tmp_path, read):
    datasets = DatasetCache(catalog(tmp_path))
    looked = datasets.look(NAME)
    rows = np.array([0, 3])
    images = looked.train.images[rows]
    assert len(read) == 2
    assert np.array_equal(looked.train.images[3], images[1])
    assert datasets.look(NAME).train is looked.train
    assert len(read) == 2
    whole = load(NAME, tmp_path)
    assert np.array_equal(images, whole.train.images[rows])
    assert np.array_equal(looked.train.labels, whole.train.labels)
    assert np.array_equal(looked.test.images[np.arange(2)], whole.test.images)


def test_a_picture_that_has_changed_is_read_again(bars, tmp_path, read):
    looked = DatasetCache(catalog(tmp_path)).look(NAME)
    before = looked.train.images[0].copy()
    (path,) = [bars / name for name in read]
    path.write_bytes((bars / "up" / "5.png").read_bytes())
    assert not np.array_equal(looked.train.images[0], before)
    with pytest.raises(IndexError):
        looked.train.images[10]


def test_the_pictures_that_are_remembered_are_bounded(bars, tmp_path, monkeypatch):
    monkeypatch.setattr(picture_folder, "REMEMBERED", 3)
    images = DatasetCache(catalog(tmp_path)).look(NAME).train.images
    assert images[np.arange(10)].shape == (10, 28, 28)
    assert len(images._prepared) <= 3


def test_pages_read_their_own_images_and_name_a_damaged_one(client, bars, tmp_path, read, monkeypatch):
    services = client.app.state.services
    with_data = replace(services.catalog, data_dir=tmp_path / "data")
    monkeypatch.setattr(
        client.app.state, "services", replace(services, catalog=with_data, datasets=DatasetCache(with_data))
    )
    page = client.get(f"/api/datasets/{NAME}/digits?limit=3&offset=2").json()
    assert (page["total"], page["counts"], [digit["index"] for digit in page["digits"]]) == (
        10,
        {"flat": 5, "up": 5},
        [2, 3, 4],
    )
    assert len(read) == 3
    assert client.get(f"/api/augmentation?dataset={NAME}&recipe=best-cnn&count=4").status_code == 200
    assert len(read) < 8
    (bars / "flat" / "0.png").write_bytes(b"x")
    assert "flat/0.png" in is_an_error(client.get(f"/api/datasets/{NAME}/digits?limit=1"), 409)
    assert client.get(f"/api/datasets/{NAME}/digits?limit=1&offset=1").status_code == 200
    (bars / "flat" / "0.png").unlink()
    assert client.get(f"/api/datasets/{NAME}/digits?limit=1").status_code == 200
