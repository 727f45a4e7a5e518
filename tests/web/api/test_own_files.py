"""The user's files as data sets over HTTP: listed unread, and read when asked for by name."""

import re
from dataclasses import replace

import pytest

from tests.support.errors import is_an_error
from tests.support.own_sets import picture


@pytest.fixture
def bars(client, tmp_path, monkeypatch):
    """A set `folder:bars` of two labels, and its folder."""
    for label in ("up", "flat"):
        for number in range(6):
            picture(tmp_path / "data" / "bars" / label / f"{number}.png", number)
    services = client.app.state.services
    catalog = replace(services.catalog, data_dir=tmp_path / "data")
    monkeypatch.setattr(client.app.state, "services", replace(services, catalog=catalog))
    return tmp_path / "data" / "bars"


def test_a_set_is_listed_unread_and_known_once_it_is_asked_for(client, bars):
    def listed():
        return {one["name"]: one for one in client.get("/api/datasets").json()["datasets"]}["folder:bars"]

    assert (listed()["state"], listed()["labels"]) == ("unread", [])
    (bars / "up" / "notes.txt").write_text("no picture")
    (line,) = client.get("/api/datasets?name=folder:bars").json()["datasets"]
    assert (line["state"], line["labels"], line["train"], line["test"]) == ("ready", ["flat", "up"], 10, 2)
    assert line["note"] == "Ready to use. Not read (1): up/notes.txt."
    assert listed() == line
    (japanese,) = client.get("/api/datasets?name=folder:bars", headers={"accept-language": "ja"}).json()["datasets"]
    assert "up/notes.txt" in japanese["note"]
    assert "Not read" not in japanese["note"]


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("nowhere", 404, "expected a data set: mnist, .*folder:bars; got 'nowhere'"),
        ("folder:../etc", 404, "a path below DIGITPAD_DATA_DIR"),
        ("folder:none", 409, "there is no such folder"),
        ("folder:bars/up", 409, "expected a folder of images for each label; got 6 images"),
        ("x" * 201, 422, "name"),
    ],
)
def test_a_set_that_is_none_is_refused_in_words(client, bars, name, status, words):
    assert re.search(words, is_an_error(client.get("/api/datasets", params={"name": name}), status))


def test_mixtures_have_a_line_too(client):
    (line,) = client.get("/api/datasets", params={"name": "0.5*strokes"}).json()["datasets"]
    assert line["train"] == 10_000
