"""Runs on drawings of the user's own, which may change while a run is away."""

import numpy as np
import pytest

from app.data.drawings.store import DrawingStore
from app.data.sources import drawings as drawing_sets
from app.models import ModelStore
from app.runs.service import RunService
from tests.support.runs import AfterEpochs, ControlFlags, types, work
from tests.support.symbols import draw_symbol

LABELS = ("×", "△", "○")
OVERRIDES = {"dataset": "drawings:shapes", "epochs": 4, "batch_size": 20}


@pytest.fixture
def drawings(settings, monkeypatch):
    for name, count in (("TRAIN_IMAGES", 90), ("TEST_IMAGES", 30)):
        monkeypatch.setattr(drawing_sets, name, count)
    monkeypatch.setattr(drawing_sets, "LEAST_IMAGES", {90: 1, 30: 1})
    store, rng = DrawingStore(settings.home / "drawings"), np.random.default_rng(4)
    for label in LABELS:
        for _ in range(6):
            store.add(label, draw_symbol(label, rng), "shapes")
    return store


@pytest.fixture
def commands(log, settings):
    return RunService(log, ModelStore(settings.home), settings, lambda: None)


def start(commands):
    return commands.start(commands.config_of({"recipe": "quick", "overrides": OVERRIDES}))["id"]


def leave_after(epochs, log, settings, monkeypatch):
    wanted = ControlFlags()
    with monkeypatch.context() as patched:
        AfterEpochs(log, patched, epochs, lambda: setattr(wanted, "leave", True))
        return work(log, settings, wanted)


def weights(settings, name):
    return ModelStore(settings.home).get(name).sha256


def test_a_run_on_drawings_resumes_with_the_same_weights(log, settings, monkeypatch, drawings, commands):
    start(commands)
    straight = work(log, settings)
    start(commands)
    assert leave_after(2, log, settings, monkeypatch)["state"] == "queued"
    resumed = work(log, settings)
    assert (straight["state"], resumed["state"]) == ("succeeded", "succeeded")
    assert weights(settings, resumed["model"]) == weights(settings, straight["model"])


def test_a_run_whose_drawings_changed_says_so_and_another_goes_on_from_it(
    log, settings, monkeypatch, drawings, commands
):
    run = start(commands)
    leave_after(2, log, settings, monkeypatch)
    drawings.add("○", draw_symbol("○", np.random.default_rng(8)), "shapes")
    row = work(log, settings)
    assert (row["state"], row["error"]) == (
        "failed",
        "Your drawings: shapes has changed since the run began, so the run cannot continue as before",
    )
    assert log.events(run)[-1]["data"]["reason"] == "data"
    further = commands.continue_run(run, None)["id"]
    row = work(log, settings)
    assert (row["id"], row["state"]) == (further, "succeeded")
    assert types(log, further).count("epoch") == 2  # those that were left
    versions = [
        next(event["data"]["dataset_version"] for event in log.events(one) if event["type"] == "started")
        for one in (run, further)
    ]
    assert versions[0] != versions[1]


def test_nothing_goes_on_under_other_labels(log, settings, monkeypatch, drawings, commands):
    run = start(commands)
    work(log, settings)
    commands.continue_run(run, 1)
    for one in drawings.load("shapes"):
        if one.label == "○":
            drawings.relabel(one.id, "a")
    row = work(log, settings)
    assert row["state"] == "failed"
    assert "no longer has the labels" in row["error"]
