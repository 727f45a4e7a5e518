"""The model store: whole or not at all, under good names only, and one damaged model harms no other."""

import errno
import hashlib
import json
import os
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from app.data import from_pixels
from app.models import (
    DamagedModelError,
    ModelStore,
    Predictor,
    Predictors,
    ProtectedModelError,
    UnknownModelError,
)
from app.models.store import NameTakenError
from app.nn import Network
from tests.support.cards import LABELS, card, network
from tests.support.waiting import until


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "home")


def test_what_is_saved_comes_back(store):
    saved = store.save(card(metrics={"test_accuracy": 0.5}), network())
    found, loaded = store.load("shapes")
    assert found == saved
    assert found.metrics == {"test_accuracy": 0.5}
    assert np.array_equal(loaded.params, network().params)
    assert [entry.name for entry in store.list()] == ["shapes"]
    assert sorted(path.name for path in (store.home / "shapes").iterdir()) == ["model.json", "model.safetensors"]


def test_a_taken_name_gets_a_number_and_loses_nothing(store):
    names = [store.save(card("a" * 64), network(seed)).name for seed in (1, 2, 3)]
    assert names == ["a" * 64, "a" * 62 + "-2", "a" * 62 + "-3"]
    assert [np.array_equal(store.load(name)[1].params, network(seed).params) for seed, name in enumerate(names, 1)] == [
        *(True, True, True)
    ]


def test_a_model_is_replaced_when_asked(store):
    store.save(card(), network(1))
    store.save(card(), network(2), replace=True)
    assert np.array_equal(store.load("shapes")[1].params, network(2).params)
    assert len(store.list()) == 1


def test_a_save_that_breaks_leaves_nothing_behind(store, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.models.store.write_synced", full)
    with pytest.raises(OSError, match="No space left"):
        store.save(card(), network())
    assert list(store.home.iterdir()) == []


def test_what_a_killed_run_left_half_saved_is_removed_and_what_another_saves_is_not(store, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("app.models.store.write_synced", killed)
    for run, name in ((7, "other-mine"), (77, "other-mine"), (7, "a" * 64), (None, "x.7")):
        with pytest.raises(KeyboardInterrupt):
            store.save(card(name, run=run), network())
    assert len(list(store.home.iterdir())) == 4
    store.remove_unfinished(7)
    first, second = sorted(path.name for path in store.home.iterdir())
    assert (first[:15], second[:5]) == (".other-mine+77.", ".x.7.")
    store.remove_unfinished(77)
    assert [path.name for path in store.home.iterdir()] == [second]


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "A", "-a", ".a", "a" * 65, "a\0b", "a b", "数"])
def test_bad_names_are_refused_everywhere(store, name):
    with pytest.raises(ValueError, match="name"):
        card(name)
    for call in (store.get, store.load, store.delete, store.set_default):
        with pytest.raises(UnknownModelError):
            call(name)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x"), "SHA-256 differs"),
        (lambda folder: (folder / "model.json").write_text(""), "not a model card"),
        (lambda folder: (folder / "model.json").write_text("[]"), "not a model card"),
        (lambda folder: _change(folder, name="other"), "belongs to another model, other"),
        (lambda folder: _change(folder, labels=[]), "labels"),
        (lambda folder: _change(folder, input_scale=0), "input_scale"),
        (lambda folder: _change(folder, sha256="abc"), "sha256"),
    ],
)
def test_a_damaged_model_is_listed_with_the_reason_and_the_others_serve(store, damage, reason):
    store.save(card("good"), network())
    store.save(card("bad"), network())
    store.set_default("bad")
    damage(store.home / "bad")
    bad, good = store.list()
    assert good.card is not None
    assert bad.card is None
    assert reason in bad.reason
    with pytest.raises(DamagedModelError, match="the model bad cannot be used"):
        store.load("bad")
    assert store.default() == "good"
    assert Predictors(store).get().card.name == "good"
    store.delete("bad")
    assert [entry.name for entry in store.list()] == ["good"]


def test_a_model_is_read_once_and_again_when_a_file_has_changed(store, monkeypatch):
    store.save(card("kept"), network())
    store.save(card("changed"), network())
    store.list()
    read = []
    original = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.parent.name) or original(path))
    _change(store.home / "changed", recipe="another")
    assert [model.card.recipe for model in store.list()] == ["another", card().recipe]
    assert read == ["changed"]
    store.delete("changed")
    assert [model.name for model in store.list()] == ["kept"]


def test_a_model_that_could_not_be_read_for_a_moment_is_read_again(store, monkeypatch):
    def too_many(*_):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    store.save(card("shapes"), network())
    with monkeypatch.context() as moment:
        moment.setattr("app.models.store.damage", too_many)
        assert "Too many open files" in store.list()[0].reason
    assert store.list()[0].card is not None


def test_a_card_that_lies_about_its_network_is_damage(store):
    store.save(card(), network())
    spec = card().network
    spec["input_shape"] = [28, 27]
    _change(store.home / "shapes", network=spec)
    with pytest.raises(DamagedModelError, match=r"expected the shape \(756, 3\); got \(784, 3\)"):
        store.load("shapes")


def _change(folder, **fields):
    path = folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_shipped_models_are_seen_beside_one_s_own_and_stay(store, tmp_path):
    shipped = ModelStore(tmp_path / "shipped")
    shipped.save(card("base", shipped=True), network())
    shipped.set_default("base")
    both = ModelStore(store.home, shipped.home)
    both.save(card("mine"), network())
    assert [entry.name for entry in both.list()] == ["base", "mine"]
    assert both.default() == "base"
    both.set_default("mine")
    assert (both.default(), shipped.default()) == ("mine", "base")
    with pytest.raises(ProtectedModelError):
        both.delete("base")
    with pytest.raises(ProtectedModelError):
        shipped.delete("base")
    both.delete("mine")
    assert both.default() == "base"


def test_a_choice_in_a_checkout_leaves_what_ships_as_it_is(store):
    store.save(card("base", shipped=True), network())
    store.set_default("base")  # as whoever trains the shipped model does
    checkout = ModelStore(store.home, store.home)
    checkout.save(card("mine"), network())
    assert checkout.default() == "base"
    checkout.set_default("mine")
    assert checkout.default() == "mine"
    checkout.rename("mine", "better")
    assert checkout.default() == "better"
    assert (store.home / "default").read_text() == "base\n"
    checkout.set_default("base")
    assert checkout.default() == "base"


def test_an_empty_store_says_what_to_do(store):
    assert store.list() == []
    assert store.default() is None
    with pytest.raises(UnknownModelError, match="train one"):
        Predictors(store).get()


def test_a_predictor_takes_up_a_model_that_was_replaced(store):
    predictors = Predictors(store)
    store.save(card(), network(1))
    first = predictors.get("shapes")
    assert predictors.get("shapes") is first
    store.save(card(), network(2), replace=True)
    assert predictors.get("shapes") is not first


def test_any_labels_and_any_number_of_them_are_read():
    predictor = Predictor(card(), network())
    said = predictor.predict([from_pixels([0.5] * 784), from_pixels([0] * 784)])
    assert list(said[0].probabilities) == LABELS
    assert said[0].label in LABELS
    assert sum(said[0].probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert said[1].label is None


def test_a_predictor_scales_pixels_as_training_did():
    spec = card().network
    scaled = Predictor(card(input_scale=255), network())
    raw_network = Network.from_spec(spec)
    raw_network.load_weights({"0.weight": network().weights()["0.weight"] / 255, "0.bias": np.zeros(3)})
    raw = Predictor(card(input_scale=1), raw_network)
    image = from_pixels(np.linspace(0, 1, 784))
    assert raw.predict([image])[0].probabilities == pytest.approx(scaled.predict([image])[0].probabilities, rel=1e-4)


def test_labels_that_do_not_match_the_outputs_are_refused():
    with pytest.raises(ValueError, match="labels: expected one for each"):
        Predictor(card(labels=["a"]), network())


def test_a_renamed_model_keeps_its_weights_and_its_place_as_the_default(tmp_path):
    store = ModelStore(tmp_path)
    first = store.save(card("first"), network())
    store.save(card("second"), network(2))
    store.set_default("first")
    renamed = store.rename("first", "better")
    assert (renamed.name, renamed.sha256) == ("better", first.sha256)
    assert [model.name for model in store.list()] == ["better", "second"]
    assert all(model.reason is None for model in store.list())
    assert store.default() == "better"
    assert ModelStore(tmp_path).load("better")[0] == renamed
    assert store.rename("second", "second").name == "second"
    with pytest.raises(NameTakenError):
        store.rename("second", "better")
    with pytest.raises(ValueError, match="name: expected"):
        store.rename("second", "../x")
    with pytest.raises(UnknownModelError):
        store.rename("first", "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["better", "default", "second"]


def test_a_rename_that_the_disk_refuses_changes_nothing(tmp_path, monkeypatch):
    store = ModelStore(tmp_path)
    store.save(card("first"), network())
    store.set_default("first")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.models.store.write_synced", fail)
    with pytest.raises(OSError, match="No space"):
        store.rename("first", "second")
    assert [model.name for model in store.list()] == ["first"]
    assert store.default() == "first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["default", "first"]


@pytest.fixture
def hashed(monkeypatch):
    """The names of the models whose weights were read to be checked, in order."""
    names = []
    original = hashlib.file_digest
    monkeypatch.setattr(
        hashlib, "file_digest", lambda file, kind: names.append(Path(file.name).parent.name) or original(file, kind)
    )
    return names


def _large_store(store, monkeypatch, *names):
    """A store just opened, of whose models a list checks the first alone; the others when `check_waiting` is called."""
    for name in names:
        store.save(card(name), network())
    waiting = []
    monkeypatch.setattr("app.models.store.CHECKED_AT_ONCE", 1)
    monkeypatch.setattr(ModelStore, "_check_later", lambda store, names: waiting.extend(names))
    opened = ModelStore(store.home)

    def check_waiting():
        for name in waiting:
            opened._read(name)

    return opened, check_waiting


def test_a_list_of_many_models_checks_the_default_and_leaves_the_others_to_a_thread(store, monkeypatch, hashed):
    store.save(card("z"), network())
    store.set_default("z")
    hashed.clear()
    opened, check_waiting = _large_store(store, monkeypatch, "a", "b", "c")
    (store.home / "b" / "model.safetensors").write_bytes(b"x")
    assert [(model.name, model.checked, model.card is None) for model in opened.list()] == [
        *(("a", False, False), ("b", False, False), ("c", False, False), ("z", True, False)),
    ]
    assert hashed == ["z"]
    check_waiting()
    assert sorted(hashed) == ["a", "b", "c", "z"]
    assert [(model.name, model.checked, model.card is None) for model in opened.list()] == [
        *(("a", True, False), ("b", True, True), ("c", True, False), ("z", True, False)),
    ]
    assert len(hashed) == 4


def test_a_model_is_checked_before_it_is_used_whatever_the_list_says(store, monkeypatch, hashed):
    opened, _ = _large_store(store, monkeypatch, "a", "b")
    (store.home / "b" / "model.safetensors").write_bytes(b"x")
    assert opened.list()[1].card is not None
    with pytest.raises(DamagedModelError, match="SHA-256 differs"):
        Predictors(opened).get("b")
    assert "SHA-256 differs" in opened.list()[1].reason


def test_a_default_that_turns_out_to_be_damaged_gives_way_to_another(store, monkeypatch):
    opened, _ = _large_store(store, monkeypatch, "a", "b", "c")
    opened.list()
    for name in "ab":
        (store.home / name / "model.safetensors").write_bytes(b"x")
    assert Predictors(opened).get().card.name == "c"


def test_an_equal_model_whose_file_is_damaged_is_saved_again(store, monkeypatch):
    store.save(card("a"), network(2))
    opened, _ = _large_store(store, monkeypatch, "same")
    (store.home / "same" / "model.safetensors").write_bytes(b"x")
    assert opened.save(card("same"), network(), once=True).name == "same-2"


def test_all_models_are_checked_for_whoever_waits(store, monkeypatch, hashed):
    opened, _ = _large_store(store, monkeypatch, "a", "b")
    assert all(model.checked for model in opened.list(check_all=True))
    assert hashed == ["a", "b"]


def test_the_thread_checks_what_a_list_left_and_ends(store, monkeypatch):
    for name in "abc":
        store.save(card(name), network())
    (store.home / "c" / "model.safetensors").write_bytes(b"x")
    monkeypatch.setattr("app.models.store.CHECKED_AT_ONCE", 1)
    opened = ModelStore(store.home)
    opened.list()
    until(lambda: opened._checker is None)
    assert [model.card is None for model in opened.list()] == [False, False, True]


def test_weights_that_cannot_be_read_for_a_moment_are_listed_so_and_checked_again(store, monkeypatch):
    opened, check_waiting = _large_store(store, monkeypatch, "a", "b")
    opened.list()
    monkeypatch.setattr("app.models.store.CHECKED_AT_ONCE", 0)
    with monkeypatch.context() as moment:
        moment.setattr("app.models.store.damage", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        check_waiting()
        assert "Input/output error" in opened.list()[1].reason
    assert opened.list()[1].card is not None


def test_while_the_thread_works_a_list_checks_nothing_but_the_default(store, monkeypatch, hashed):
    opened, _ = _large_store(store, monkeypatch, "a", "b", "c")
    opened.set_default("b")
    hashed.clear()
    opened._checker = Thread()
    opened._known.clear()
    assert [model.checked for model in opened.list()] == [False, True, False]
    assert hashed == ["b"]
