"""The store of imported image sets: saved whole under a free name or not at all, deleted at once."""

import os
import threading
import time
from contextlib import suppress

import pytest

from app.data import DatasetCatalog, DatasetUnavailable
from app.data.drawings.store import FullError, SetExistsError
from app.data.images import store as store_module
from app.data.images.store import ImageSetStore, UnknownUploadError
from app.errors import InputError
from tests.support.zips import bar_files, zip_of


@pytest.fixture
def store(tmp_path):
    return ImageSetStore(tmp_path / "home" / "images")


def draft_of(store, data=None):
    draft = store.create_draft()
    draft.body.write_bytes(zip_of(bar_files()) if data is None else data)
    store.prepare(draft)
    return draft


def catalog(store, tmp_path):
    return DatasetCatalog(tmp_path / "cache", images=store)


def test_a_set_is_saved_listed_loaded_and_deleted(store, tmp_path):
    assert (store.names(), catalog(store, tmp_path).list()[-1].name) == ([], "emnist-letters")
    assert store.save(draft_of(store).id, "bars") == "images:bars"
    (line,) = (info for info in catalog(store, tmp_path).list() if info.name == "images:bars")
    assert (line.title, line.state, line.labels) == ("Your images: bars", "unread", ())
    line = catalog(store, tmp_path).info("images:bars")
    assert (line.state, line.labels, line.train, line.test) == ("ready", ("flat", "up"), 12, 2)
    assert catalog(store, tmp_path).list()[-1] == line
    dataset = catalog(store, tmp_path).load("images:bars")
    assert (dataset.name, len(dataset.train), dataset.version is None) == ("images:bars", 12, False)
    assert catalog(store, tmp_path).info("2*images:bars").train == 24
    assert not list((tmp_path / "home" / "images" / ".drafts").iterdir())
    store.delete("bars")
    assert store.names() == []
    assert not list((tmp_path / "home" / "images" / ".drafts").iterdir())
    with pytest.raises(DatasetUnavailable, match="there is no data set images:bars"):
        catalog(store, tmp_path).load("images:bars")


def test_a_name_that_is_taken_is_refused_and_the_upload_stays(store):
    store.save(draft_of(store).id, "bars")
    other = draft_of(store)
    with pytest.raises(SetExistsError, match="there is already a data set images:bars"):
        store.save(other.id, "bars")
    with pytest.raises(SetExistsError):
        store.check_free("bars")
    assert store.save(other.id, "bars-2") == "images:bars-2"


@pytest.mark.parametrize("name", ["", ".", "..", ".drafts", "../x", "A", "a/b", "a\\b", "文字", "x" * 65, "a b", "-a"])
def test_a_name_that_cannot_be_one_is_refused(name, store):
    draft = draft_of(store)
    for use in (lambda: store.save(draft.id, name), lambda: store.find(name), lambda: store.delete(name)):
        with pytest.raises(InputError, match="name: expected up to 64 characters"):
            use()


@pytest.mark.parametrize("name", ["con", "nul", "drafts", "default", "a."])
def test_a_name_that_only_looks_odd_is_a_name(name, store):
    assert store.save(draft_of(store).id, name) == f"images:{name}"
    assert store.names() == [name]


@pytest.mark.parametrize("draft_id", ["", "..", "0" * 32, "../bars", "0" * 31, "Z" * 32])
def test_an_upload_that_is_not_there_is_named(draft_id, store):
    for use in (lambda: store.save(draft_id, "bars"), lambda: store.discard(draft_id)):
        with pytest.raises(UnknownUploadError, match="no longer there"):
            use()


def test_an_upload_is_saved_once_and_not_before_it_was_looked_through(store):
    draft = store.create_draft()
    draft.body.write_bytes(b"half")
    with pytest.raises(UnknownUploadError):
        store.save(draft.id, "bars")
    whole = draft_of(store)
    store.save(whole.id, "bars")
    with pytest.raises(UnknownUploadError):
        store.save(whole.id, "more")
    with pytest.raises(UnknownUploadError):
        store.prepare(whole)


def test_of_two_that_save_one_name_at_once_one_wins(store):
    drafts = [draft_of(store) for _ in range(8)]
    won = []
    barrier = threading.Barrier(8)

    def save(draft):
        barrier.wait()
        with suppress(SetExistsError):
            won.append(store.save(draft.id, "bars"))

    threads = [threading.Thread(target=save, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == ["images:bars"]


def test_uploads_are_removed_when_they_are_old_or_too_many(store, monkeypatch):
    monkeypatch.setattr(store_module, "MOST_DRAFTS", 3)
    old, *drafts = [draft_of(store) for _ in range(2)]
    past = time.time() - store_module.DRAFT_SECONDS - 1
    os.utime(old.folder, (past, past))
    drafts += [draft_of(store)]
    assert not old.folder.exists()
    for index, draft in enumerate(drafts):
        os.utime(draft.folder, (time.time() - 60 + index,) * 2)
    drafts += [draft_of(store), draft_of(store)]
    assert [draft.folder.exists() for draft in drafts] == [False, True, True, True]
    os.utime(drafts[1].folder, (time.time() - 7200,) * 2)
    store.tidy()
    assert [draft.folder.exists() for draft in drafts] == [False, False, True, True]


def test_a_full_store_says_so(store, monkeypatch):
    monkeypatch.setattr(store_module, "MOST_SETS", 1)
    store.save(draft_of(store).id, "bars")
    with pytest.raises(FullError, match="at most 1 data sets"):
        store.save(draft_of(store).id, "more")


def test_a_home_that_cannot_be_written_to_raises_and_lists(tmp_path):
    (tmp_path / "file").write_text("")
    store = ImageSetStore(tmp_path / "file" / "images")
    assert store.names() == []
    with pytest.raises(OSError, match="Not a directory"):
        store.create_draft()


def test_a_set_of_the_catalogue_needs_a_store(tmp_path):
    with pytest.raises(InputError, match="expected a data set"):
        DatasetCatalog(tmp_path).load("images:bars")
