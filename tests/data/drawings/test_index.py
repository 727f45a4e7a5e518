"""An index that costs a new drawing the same however many there are, and sees what other programs change."""

import json
import os

import pytest

from app.data.drawings import index as indexes
from app.data.drawings import store as stores
from app.data.drawings.drawing import read_drawing
from app.data.drawings.store import DrawingStore
from tests.support.waiting import until

LINE = [[[0, 0], [5, 5]]]


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A store of a set that counts as large, and another one of the same folder, as of another server."""
    monkeypatch.setattr(stores, "SMALL_SET", 2)
    first, second = DrawingStore(tmp_path / "drawings"), DrawingStore(tmp_path / "drawings")
    for number in range(6):
        first.add(str(number % 2), LINE, "many")
    _age(first)
    first.find_set("many")
    return first, second


@pytest.fixture
def looks(monkeypatch):
    """The files that are read, and "all" for each look at all files."""
    seen = []
    stamped = indexes.stamped
    monkeypatch.setattr(indexes, "stamped", lambda folder: seen.append("all") or stamped(folder))
    monkeypatch.setattr(indexes, "read_drawing", lambda path, name: seen.append(path.stem) or read_drawing(path, name))
    return seen


def _age(store, name="many"):
    """Make the last change of the folder an old one."""
    os.utime(store.folder / name, (1, 1))


def test_a_change_of_the_store_itself_reads_no_files(large, looks):
    store, _ = large
    new = store.add("2", LINE, "many")
    assert store.find_set("many").labels == {"0": 3, "1": 3, "2": 1}
    store.relabel(new.id, "0")
    assert store.find_set("many").labels == {"0": 4, "1": 3}
    assert [drawing.id for drawing in store.page("many", limit=1).drawings] == [new.id]
    store.delete(new.id)
    assert store.find_set("many").labels == {"0": 3, "1": 3}
    assert looks == []


def test_a_full_set_is_noticed_without_counting_files(large, monkeypatch):
    store, _ = large
    monkeypatch.setattr(stores, "LARGEST_SET", 7)
    monkeypatch.setattr(stores, "ids_in", None)
    store.add("1", LINE, "many")
    with pytest.raises(stores.FullError, match="already has 7"):
        store.add("1", LINE, "many")


def test_what_another_server_changes_is_seen_and_only_that_is_read(large, looks):
    store, other = large
    added = other.add("9", LINE, "many")
    assert store.find_set("many").labels == {"0": 3, "1": 3, "9": 1}
    assert looks == ["all", added.id]
    other.relabel(added.id, "8")
    assert store.find_set("many").labels == {"0": 3, "1": 3, "8": 1}
    other.delete(added.id)
    assert store.find_set("many").labels == {"0": 3, "1": 3}


def test_a_change_hidden_in_the_tick_of_one_s_own_is_found_by_a_thread(large, monkeypatch):
    store, _ = large
    new = store.add("2", LINE, "many")
    place = store.folder / "many"
    changed = place.stat().st_mtime_ns
    (place / f"{new.id}.json").unlink()
    os.utime(place, ns=(changed, changed))  # as by a program that is as quick
    assert store.find_set("many").count == 7
    monkeypatch.setattr(stores, "SETTLED_NS", 0)
    monkeypatch.setattr(stores, "LOOK_SECONDS", 0)
    until(lambda: store.find_set("many").count == 6)


def test_a_new_process_reads_the_copy_and_what_is_new(large, looks, monkeypatch):
    store, _ = large
    monkeypatch.setattr(stores, "UNSAVED", 3)
    assert len(DrawingStore(store.folder).labels("many")) == 6
    assert len(looks) == 7
    looks.clear()
    _age(store)
    new = store.add("7", LINE, "many")
    assert DrawingStore(store.folder).find_set("many").labels == {"0": 3, "1": 3, "7": 1}
    assert looks == ["all", new.id]
    assert [one.name for one in store.sets()] == ["many"]


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"[]", b"null", b'{"version":2,"drawings":{}}', b'{"version":1,"drawings":[]}', b"\xff"),
        *(b'{"version":1,"drawings":{"../../x":["1",1,1]}}', b'{"version":1,"drawings":{"a":1}}', b"[" * 100_000),
        *(json.dumps({"version": 1, "drawings": {f"{1:014x}-00000000": bad}}).encode() for bad in ([1, 1, 1], ["1"])),
    ],
)
def test_a_damaged_copy_is_passed_over(large, data):
    store, _ = large
    (store.folder / ".index").mkdir()
    (store.folder / ".index" / "many.json").write_bytes(data)
    assert DrawingStore(store.folder).find_set("many").labels == {"0": 3, "1": 3}


def test_a_copy_of_other_files_counts_for_nothing(large, monkeypatch):
    store, _ = large
    monkeypatch.setattr(stores, "UNSAVED", 1)
    DrawingStore(store.folder).sets()
    (path, *_) = sorted((store.folder / "many").glob("*.json"))
    path.write_text(path.read_text().replace('"label":"0"', '"label":"5"'))
    os.utime(path, ns=(5, 5))
    assert DrawingStore(store.folder).find_set("many").labels == {"0": 2, "1": 3, "5": 1}


def test_a_folder_that_cannot_be_written_gets_no_copy(large, monkeypatch):
    store, _ = large

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stores, "UNSAVED", 1)
    monkeypatch.setattr(indexes, "write_atomic", full)
    assert len(DrawingStore(store.folder).labels("many")) == 6


def test_a_drawing_of_a_slow_clock_takes_its_place_by_its_id():
    index = indexes.Index()
    for drawing_id in ("b", "c", "a"):
        index.put(drawing_id, "1", (0, 0))
    assert list(index.labels) == ["a", "b", "c"]


def test_drawings_with_distinct_strokes_are_counted_by_reading_the_new_ones(large, monkeypatch):
    store, _ = large
    assert store.count_distinct("many") == 1
    read = []
    monkeypatch.setattr(stores, "read_drawing", lambda path, name: read.append(path.stem) or read_drawing(path, name))
    new = store.add("1", [[[0, 0], [9, 1]]], "many")
    assert store.count_distinct("many") == 2
    assert read == [new.id]
