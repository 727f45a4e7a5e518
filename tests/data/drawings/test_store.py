"""The store of the user's own labelled drawings."""

import json
import os
import threading

import pytest

from app.data.drawings.drawing import SET_NAME, check_label
from app.data.drawings.store import DrawingStore, FullError, SetExistsError, UnknownDrawingError
from app.models.card import NAME
from app.storage.lock import FILE as LOCK
from tests.support.drawings import recorded

THREE = recorded()["digit 3"]["strokes"]
HOSTILE = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "a\\b",
    "/etc",
    "%2e%2e",
    "UPPER",
    ".hidden",
    "a" * 65,
    "x\0",
    "ｘ",
    "a\n",
    3,
    None,
]


@pytest.fixture
def store(tmp_path):
    return DrawingStore(tmp_path / "home" / "drawings")


def files(store):
    return sorted(path.name for path in store.folder.rglob("*") if path.is_file() and path.name != LOCK)


def test_a_drawing_is_kept_in_one_file_and_comes_back_as_it_was(store):
    kept = store.add("3", THREE)
    assert (kept.label, kept.strokes, kept.set) == ("3", THREE, "mine")
    assert files(store) == [f"{kept.id}.json"]
    assert DrawingStore(store.folder).page().drawings == [kept]
    assert store.load("mine") == [kept]


def test_a_store_whose_folder_is_not_there_is_empty(store):
    assert (store.page().drawings, store.sets(), store.load("mine")) == ([], [], [])
    assert not store.folder.exists()


def test_pages_go_from_the_newest_to_the_oldest_and_name_where_to_go_on(store):
    kept = [store.add(str(i % 2), THREE, f"set-{i % 3}") for i in range(7)]
    newest_first = [drawing.id for drawing in reversed(kept)]
    seen, before = [], None
    for _ in range(3):
        page = store.page(limit=3, before=before)
        seen += [drawing.id for drawing in page.drawings]
        before = page.next
    assert (seen, before) == (newest_first, None)
    assert [d.id for d in store.page("set-1").drawings] == [kept[4].id, kept[1].id]
    assert {d.label for d in store.page(label="1").drawings} == {"1"}
    assert store.page("set-1", "1").drawings == [kept[1]]
    assert store.page(limit=7).next is None


def test_sets_say_how_many_of_each_label_they_hold(store):
    for label, name in (("3", "mine"), ("3", "mine"), ("5", "mine"), ("猫", "symbols")):
        store.add(label, THREE, name)
    mine, symbols = store.sets()
    assert (mine.name, mine.count, mine.labels) == ("mine", 3, {"3": 2, "5": 1})
    assert (symbols.name, symbols.labels) == ("symbols", {"猫": 1})


def test_a_drawing_is_removed_and_at_last_its_empty_set(store):
    first, second = store.add("3", THREE), store.add("5", THREE)
    store.delete(first.id)
    assert store.load("mine") == [second]
    with pytest.raises(UnknownDrawingError):
        store.delete(first.id)
    store.delete(second.id)
    assert store.sets() == []
    store.tidy()
    assert not (store.folder / "mine").exists()


def test_what_another_process_adds_and_removes_is_seen(store):
    other = DrawingStore(store.folder)
    first = store.add("3", THREE)
    assert [one.count for one in other.sets()] == [1]
    second = store.add("5", THREE)
    assert other.sets()[0].labels == {"3": 1, "5": 1}
    other.delete(first.id)
    assert [drawing.id for drawing in store.page().drawings] == [second.id]
    assert store.sets()[0].labels == {"5": 1}


def test_a_folder_that_has_not_changed_is_not_read_again(store, monkeypatch):
    store.add("3", THREE)
    os.utime(store.folder / "mine", (1, 1))
    assert store.sets()[0].count == 1
    monkeypatch.setattr("app.data.drawings.store.read_drawing", None)
    assert store.sets()[0].labels == {"3": 1}


DAMAGE = {
    "cut short": b'{"label": "3", "strokes": [[[1',
    "nothing": b"",
    "no JSON": b"\xff\xfe",
    "no object": b"[]",
    "no label": b'{"strokes": [[[1, 2]]], "created": "2026"}',
    "a bad label": b'{"label": "\\u0007", "strokes": [[[1, 2]]], "created": "2026"}',
    "no points": b'{"label": "3", "strokes": [], "created": "2026"}',
    "infinity": b'{"label": "3", "strokes": [[[1, Infinity]]], "created": "2026"}',
    "deep": b"[" * 100_000,
    "too large": b" " * 1_000_001,
}


@pytest.mark.parametrize("data", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_named_with_the_reason_and_the_others_are_there(store, data):
    bad, good = store.add("5", THREE), store.add("3", THREE)
    store.sets()
    (store.folder / "mine" / f"{bad.id}.json").write_bytes(data)
    fresh = DrawingStore(store.folder)
    assert fresh.page().drawings == fresh.load("mine") == [good]
    (mine,) = fresh.sets()
    assert (mine.count, mine.labels) == (1, {"3": 1})
    (damaged,) = mine.damaged
    assert (damaged.id, damaged.set) == (bad.id, "mine")
    assert damaged.reason
    assert str(store.folder) not in damaged.reason
    assert store.page().drawings == [good]  # also by one that knew the file while it was whole
    assert [file.id for file in store.sets()[0].damaged] == [bad.id]
    fresh.delete(bad.id)
    assert fresh.sets()[0].damaged == []


def test_files_that_are_no_drawings_are_passed_over(store):
    kept = store.add("3", THREE)
    folder = store.folder / "mine"
    (folder / "notes.json").write_text("{}")
    (folder / ".x.tmp").write_text("{}")
    (store.folder / "NOT-A-SET").mkdir()
    (store.folder / "file").write_text("")
    (store.folder / "linked").symlink_to(folder)
    assert store.page().drawings == [kept]
    assert [one.name for one in store.sets()] == ["mine"]


def test_a_file_cut_off_while_it_was_written_is_never_seen(store, monkeypatch):
    def fail(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.storage.atomic.os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        store.add("3", THREE)
    assert files(store) == []


def test_what_a_killed_process_left_is_removed_once_it_is_old(store):
    kept = store.add("3", THREE)
    old, new = (store.folder / "mine" / f".{name}.tmp" for name in ("old", "new"))
    for path in (old, new):
        path.write_text("{")
    os.utime(old, (1, 1))
    store.tidy()
    assert files(store) == sorted([new.name, f"{kept.id}.json"])


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_are_no_set_s_lead_nowhere(store, tmp_path, name):
    with pytest.raises(ValueError, match="set: expected"):
        store.add("3", THREE, name)
    with pytest.raises(ValueError, match="set: expected"):
        store.load(name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("drawing_id", ["", "x", "../mine/x", "0" * 14 + "-" + "g" * 8, "%2e%2e", "a" * 300])
def test_ids_that_are_none_lead_nowhere(store, drawing_id):
    kept = store.add("3", THREE)
    with pytest.raises(UnknownDrawingError):
        store.delete(drawing_id)
    with pytest.raises(ValueError, match="before: expected"):
        store.page(before=drawing_id)
    assert store.load("mine") == [kept]


@pytest.mark.parametrize(
    "label", ["", "  ", "x" * 65, "a\0b", "a\nb", "a\u2028b", "\ud800", "a\u202eb", "e\u0301" * 400, 3, None]
)
def test_what_can_be_no_label_is_refused(label):
    with pytest.raises(ValueError, match="label: expected"):
        check_label(label)


def test_a_label_is_composed_and_freed_of_blanks_around_it():
    assert check_label(" e\u0301 ") == "é"
    assert check_label("か\u3099" * 64) == "が" * 64
    assert check_label("two words") == "two words"


@pytest.mark.parametrize(
    "strokes",
    [
        None,
        [],
        [[]],
        "x",
        [[[1]]],
        [[[1, 2, 3]]],
        [[["1", 2]]],
        [[[True, 2]]],
        [[[float("nan"), 1]]],
        [[[1, 1]] * 10_001],
        {},
    ],
    ids=lambda strokes: str(strokes)[:20],
)
def test_what_is_no_drawing_is_refused_and_nothing_is_kept(store, strokes):
    with pytest.raises(ValueError, match="strokes"):
        store.add("3", strokes)
    assert not store.folder.exists()


def test_the_largest_drawing_fits_and_one_of_endless_integers_does_not(store):
    kept = store.add("3", [[[0.1 + i / 3, -1e-300 / 3] for i in range(10_000)]])
    assert store.load("mine") == [kept]
    with pytest.raises(ValueError, match="at most 1000 kB"):
        store.add("3", [[[10**300, 1]] * 9_000])


def test_a_full_set_and_a_full_store_take_no_more(store, monkeypatch):
    monkeypatch.setattr("app.data.drawings.store.LARGEST_SET", 2)
    monkeypatch.setattr("app.data.drawings.store.MOST_SETS", 2)
    store.add("3", THREE), store.add("3", THREE)
    with pytest.raises(FullError, match="at most 2 drawings"):
        store.add("3", THREE)
    store.add("3", THREE, "other")
    with pytest.raises(FullError, match="at most 2 sets"):
        store.add("3", THREE, "third")


def test_many_threads_keep_and_remove_at_once(store):
    errors = []

    def work():
        try:
            for _ in range(20):
                store.delete(store.add("3", [[[1, 2]]]).id)
                store.sets()
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.sets() == []


def test_a_file_says_all_that_there_is_to_know(store):
    kept = store.add("3", THREE)
    values = json.loads((store.folder / "mine" / f"{kept.id}.json").read_text())
    assert set(values) == {"id", "label", "strokes", "set", "created"}


def test_sets_are_named_as_models_are():
    assert SET_NAME.pattern == NAME.pattern


def test_a_set_is_deleted_with_its_drawings_only_where_that_is_asked_for(store):
    for label in "aab":
        store.add(label, [[[0, 0], [5, 5]]], "shapes")
    kept = store.add("a", [[[0, 0], [5, 5]]], "other")
    (store.folder / "shapes" / "00000000000001-00000000.json").write_bytes(b"cut")
    with pytest.raises(SetExistsError):
        store.undeclare("shapes")
    assert store.find_set("shapes").count == 3
    store.undeclare("shapes", with_drawings=True)
    assert [one.name for one in store.sets()] == ["other"]
    assert store.labels("shapes") == {}
    assert [drawing.id for drawing in store.page().drawings] == [kept.id]
    with pytest.raises(UnknownDrawingError):
        store.undeclare("shapes", with_drawings=True)
