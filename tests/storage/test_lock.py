"""Who writes in the folder of the drawings holds its lock: what is looked at does not change before it is written."""

import fcntl
import os
import threading
import time
from pathlib import Path

import pytest

from app.data.drawings import store as module
from app.data.drawings.store import DrawingStore, FullError, SetExistsError, UnknownDrawingError
from app.storage.lock import FILE, FolderLock

LINE = [[[0, 0], [5, 5]]]


def is_held(folder):
    """Whether somebody has the folder's lock, which is asked without waiting for it."""
    handle = os.open(folder / FILE, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


@pytest.fixture
def store(tmp_path):
    return DrawingStore(tmp_path / "drawings")


def test_a_drawing_that_is_deleted_while_it_is_labelled_anew_does_not_come_back(store, monkeypatch):
    kept = store.add("3", LINE)
    other = DrawingStore(store.folder)  # as another process has it
    read, found = module.read_drawing, []

    def meanwhile(*args):
        found.append(read(*args))
        if not is_held(store.folder):  # without the lock the other would be done before the label is written
            other.delete(kept.id)
        return found[-1]

    monkeypatch.setattr(module, "read_drawing", meanwhile)
    assert store.relabel(kept.id, "4").label == "4"
    assert len(found) == 1
    monkeypatch.undo()
    assert [drawing.label for drawing in store.page().drawings] == ["4"]
    unlink = Path.unlink

    def removing(path, **more):
        found.append(is_held(store.folder))
        unlink(path, **more)

    monkeypatch.setattr(Path, "unlink", removing)
    other.delete(kept.id)
    assert found[1:] == [True]
    with pytest.raises(UnknownDrawingError):
        store.relabel(kept.id, "5")
    assert store.page().drawings == []


def test_two_who_add_at_once_do_not_fill_a_set_beyond_its_limit(store, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_SET", 1)
    count, others = module.ids_in, [DrawingStore(store.folder)]

    def counted(folder):
        found = count(folder)
        if others and not is_held(store.folder):  # without the lock another would count now, and find room as well
            others.pop().add("3", LINE)
        return found

    monkeypatch.setattr(module, "ids_in", counted)
    store.add("3", LINE)
    assert len(store.page().drawings) == 1
    with pytest.raises(FullError):
        others.pop().add("3", LINE)


def test_a_lock_is_given_back_also_after_an_error(tmp_path):
    first, second = FolderLock(tmp_path / "new"), FolderLock(tmp_path / "new")
    with pytest.raises(ValueError, match="no"), first.hold():
        raise ValueError("no")
    with second.hold():
        assert is_held(tmp_path / "new")
        inside = []

        def wait():
            with first.hold():
                inside.append(True)

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert inside == []
    waiting.join()
    assert inside == [True]
    assert not is_held(tmp_path / "new")


def test_the_labels_of_a_set_are_kept_before_anything_is_drawn(store, caplog):
    assert store.find_set("shapes").declared == ()
    assert store.create_set("shapes", ["○", " △ ", "○"]).declared == ("○", "△")
    assert store.create_set("shapes", ["□", "×"]).declared == ("□", "×")  # nothing is drawn: it may still change
    assert [(one.name, one.count) for one in store.sets()] == [("shapes", 0)]  # listed before the first drawing
    store.tidy()
    assert DrawingStore(store.folder).find_set("shapes").declared == ("□", "×")
    store.add("□", LINE, "shapes")
    with pytest.raises(SetExistsError, match="named shapes already exists, with 1 drawings"):
        store.create_set("shapes", ["a", "b"])
    assert store.create_set("shapes", ["a", "×"], add=True).declared == ("□", "×", "a")
    (found,) = store.sets()
    assert (found.labels, found.declared) == ({"□": 1}, ("□", "×", "a"))
    (store.folder / "shapes" / "labels.json").write_text("[")
    assert store.find_set("shapes").declared == ()
    assert "declared for the set shapes cannot be used" in caplog.text


def test_labels_that_are_added_to_others_are_no_more_than_a_set_may_have(store):
    first, second = ([f"{name}{number}" for number in range(600)] for name in "ab")
    store.create_set("many", first)
    with pytest.raises(ValueError, match="at most 1000 labels; got 1200"):
        store.create_set("many", second, add=True)
    assert store.find_set("many").declared == tuple(first)
    assert len(store.create_set("many", [*first, *second[:400]], add=True).declared) == 1000


def test_a_set_that_was_never_drawn_can_be_removed_and_does_not_stay_for_ever(store, monkeypatch):
    monkeypatch.setattr(module, "MOST_SETS", 3)
    for name in "abc":
        store.create_set(name, ["○", "△"])
    with pytest.raises(FullError):
        store.create_set("d", ["○", "△"])
    store.undeclare("a")
    assert not (store.folder / "a").exists()
    with pytest.raises(UnknownDrawingError, match="no set named a"):
        store.undeclare("a")
    kept = store.add("○", LINE, "b")
    with pytest.raises(SetExistsError, match="there are 1 drawings in b: delete them first"):
        store.undeclare("b")
    long_ago = time.time() - module.ABANDONED_SECONDS - 60
    store.create_set("d", ["○", "△"])
    for name in "bc":
        os.utime(store.folder / name / "labels.json", (long_ago, long_ago))
    store.tidy()
    assert sorted(path.name for path in store.folder.iterdir()) == [FILE, "b", "d"]
    assert store.find_set("b").declared == ("○", "△")
    store.delete(kept.id)
    store.tidy()
    assert not (store.folder / "b").exists()


def test_drawings_are_read_once_to_tell_how_many_differ(store, monkeypatch):
    kept = [store.add("3", [[[0, 0], [i % 3 + 1, 5]]]) for i in range(5)]
    changed = time.time_ns() - 5 * 10**9  # the folder has been left alone since
    os.utime(store.folder / "mine", ns=(changed, changed))
    assert store.count_distinct("mine") == 3
    monkeypatch.setattr(DrawingStore, "each", lambda *_: pytest.fail("read again"))
    assert store.count_distinct("mine") == 3
    monkeypatch.undo()
    for drawing in kept[3:0:-1]:
        store.delete(drawing.id)
    assert store.count_distinct("mine") == 2
