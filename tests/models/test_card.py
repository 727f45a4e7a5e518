"""What stands in a card beside its metrics: robustness, seeds, and what a personal model was made from."""

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from app.models import ModelStore
from app.models.card import MEASUREMENTS, ModelCard, RobustnessResult
from app.settings import SHIPPED_MODELS
from benchmarks import robust


@pytest.fixture
def store(settings):
    store = ModelStore(settings.home, SHIPPED_MODELS)
    card, network = store.load("mnist-mlp")
    store.save(card.model_copy(update={"name": "copy", "shipped": False, "calibration": None}), network)
    return store


def test_a_card_is_amended_and_its_model_still_loads(store):
    before = store.get("copy")
    rows = [{"kind": "turned", "accuracy": 0.5, "count": 10}]
    card = store.update_card("copy", robustness=rows, seeds=[{"seed": 1, "val": 0.9, "test": 0.8}])
    assert store.get("copy") == card
    assert card.robustness == [RobustnessResult(**rows[0])]
    assert (card.seeds[0].test, card.sha256) == (0.8, before.sha256)
    store.load("copy")


@pytest.mark.parametrize(
    "fields",
    [
        {"robustness": [{"kind": "x", "accuracy": 1.1, "count": 1}]},
        {"robustness": [{"kind": "", "accuracy": 1, "count": 1}]},
        {"robustness": [{"kind": "x", "accuracy": 1, "count": 0}]},
        {"robustness": [{"kind": "x", "accuracy": float("nan"), "count": 1}]},
        {"robustness": "good"},
        {"seeds": [{"seed": -1}]},
        {"seeds": [{"seed": 1, "test": 2}]},
        {"mine": {"parent": "p"}},
        {"sha256": "0" * 64},
        {"unheard": 1},
    ],
)
def test_what_can_be_in_no_card_is_not_written(store, fields):
    with pytest.raises((ValueError, ValidationError)):
        store.update_card("copy", **fields)
    assert store.get("copy").robustness == store.get("mnist-mlp").robustness


def test_the_shipped_model_says_how_robust_it_is():
    rows = {row.kind: row for row in ModelStore(SHIPPED_MODELS).get("mnist-mlp").robustness}
    assert rows["styles"].count >= 300
    for kind in ("shifted_2", "turned_20", "blurred", "noise_10", "thick"):
        assert rows[f"mnist_{kind}"].accuracy > 0.5
    assert set(rows) == set(MEASUREMENTS)


def test_a_run_of_the_benchmark_writes_the_table_into_the_card(store, monkeypatch, settings, capsys):
    images = [robust.PreparedImage(robust.np.zeros((28, 28), robust.np.float32), blank=True)] * 2
    monkeypatch.setattr(robust, "Settings", lambda: settings)
    monkeypatch.setattr(robust.DatasetCatalog, "load", lambda *_, **__: SimpleNamespace(test=None))
    monkeypatch.setattr(robust, "drawn", lambda: [("dots", images, ["1", "1"]), ("drawings of 3", images, ["3", "3"])])
    monkeypatch.setattr(robust, "changed", lambda _: [("MNIST, none", images, ["1", "2"])])
    monkeypatch.setattr(robust.sys, "argv", ["robust", "--write", "copy"])
    robust.main()
    assert [(row.kind, row.count) for row in store.get("copy").robustness] == [("dots", 2), ("MNIST, none", 2)]
    assert "written into the card of copy" in capsys.readouterr().out


def test_every_kind_of_the_benchmark_has_an_identifier():
    known = set(MEASUREMENTS.values())
    assert {f"MNIST, {kind}" for kind in robust.AS_THEY_ARE} <= known
    assert {f"MNIST as a picture, {kind}" for kind in robust.AS_PICTURES} <= known
    row = {"kind": "MNIST, turned by 10°", "accuracy": 1, "count": 1}
    assert RobustnessResult(**row).kind == "mnist_turned_10", "as cards of old have it"


def test_old_cards_have_none_of_it():
    card = ModelStore(SHIPPED_MODELS).get("mnist-mlp").model_dump()
    for field in ("robustness", "seeds", "mine", "dataset_version"):
        del card[field]
    old = ModelCard.model_validate(card)
    assert (old.robustness, old.seeds, old.mine, old.dataset_version) == ([], [], None, None)
