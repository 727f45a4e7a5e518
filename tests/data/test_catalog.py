import re

import numpy as np
import pytest

from app.data import DatasetCatalog, DatasetUnavailable, catalog
from app.data.sources import mnist, synthetic
from app.errors import Message
from app.i18n.catalog import catalog as translations
from tests.support.idx import write_idx


def test_the_catalogue_says_what_each_set_needs(tmp_path):
    infos = {info.name: info for info in DatasetCatalog(tmp_path).list()}
    assert infos["mnist"].state == "download"
    assert infos["strokes"].state == "generate"
    assert (infos["mnist"].train, infos["mnist"].test) == (60_000, 10_000)
    assert all(info.note and info.description and info.title for info in infos.values())
    assert list(tmp_path.iterdir()) == []


def test_a_set_whose_files_are_there_is_ready(tmp_path):
    for name in mnist.HASHES:
        write_idx(tmp_path / name, np.zeros(1, np.uint8))
    infos = {info.name: info for info in DatasetCatalog(tmp_path / "cache", tmp_path).list()}
    assert infos["mnist"].state == "ready"
    (tmp_path / mnist.TEST_LABELS).unlink()
    infos = {info.name: info for info in DatasetCatalog(tmp_path / "cache", tmp_path).list()}
    assert infos["mnist"].state == "download"


def test_a_loaded_set_is_the_one_that_the_catalogue_announced(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, "make_strokes", lambda **kwargs: full_strokes())
    before = {info.name: info for info in DatasetCatalog(tmp_path).list()}["strokes"]
    dataset = DatasetCatalog(tmp_path).load("strokes", download=False)
    after = {info.name: info for info in DatasetCatalog(tmp_path).list()}["strokes"]
    assert (dataset.name, dataset.title, dataset.labels) == (before.name, before.title, before.labels)
    assert (len(dataset.train), len(dataset.test)) == (before.train, before.test)
    assert after.state == "ready"


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path):
    with pytest.raises(
        ValueError, match="mnist, strokes, pendigits, fashion-mnist, kmnist, emnist-digits, emnist-letters; got 'mnits'"
    ):
        DatasetCatalog(tmp_path).load("mnits")


def test_mnist_that_cannot_be_had_offers_strokes(tmp_path):
    with pytest.raises(DatasetUnavailable, match="train on `strokes`"):
        DatasetCatalog(tmp_path).load("mnist", download=False)


def test_every_entry_has_a_note_for_each_state_it_can_be_in():
    for definition in catalog._DEFINITIONS.values():
        assert set(definition.notes) == {"ready", definition.missing}


def full_strokes():
    from app.data.dataset import Dataset, Split

    parts = [
        Split(np.zeros((count, 28, 28), np.uint8), np.zeros(count, np.uint8))
        for count in (synthetic.TRAIN_SIZE, synthetic.TEST_SIZE)
    ]
    return Dataset("strokes", synthetic.TITLE, synthetic.LABELS, *parts)


def test_every_line_of_the_catalogue_is_in_japanese(tmp_path, pendigits_dir):
    gettext = translations("ja").gettext
    for name in ("mnist", "strokes", "pendigits", "mnist + 0.5*pendigits", "strokes + 0.5*pendigits"):
        info = DatasetCatalog(tmp_path, pendigits_dir).info(name)
        for text in (info.description, info.note):
            told = text.localized(gettext) if isinstance(text, Message) else gettext(text)
            assert re.search("[ぁ-ん]", told), told
            assert not re.search("[a-z] (?:of|when|with|at) ", told), told
