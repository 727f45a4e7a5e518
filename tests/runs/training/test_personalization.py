"""Making a model one's own: what is learned and what is held out, and that it helps a hand that is unlike others."""

import hashlib

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from app.data import DatasetCatalog, DatasetUnavailable
from app.data.drawings.store import DrawingStore
from app.data.personalization import hold_out, load_personal, readiness
from app.models import ModelStore
from app.models.store import AccuracyDroppedError
from app.runs.config.run_config import parse_config
from app.runs.service import RunService
from app.runs.training.personalization import (
    UnpreparedError,
    may_have_trained_on_drawings,
    personal_config,
    personal_name,
    rehearsed,
)
from app.runs.worker.job import Job
from app.settings import SHIPPED_MODELS
from tests.support.personalization import mine, odd_hand, smaller
from tests.support.runs import ControlFlags, work


@pytest.fixture
def own(settings):
    return DrawingStore(settings.home / "drawings")


@pytest.fixture
def odd(own):
    """Four drawings of each digit by the odd hand, in the set "mine"."""
    for label, strokes in odd_hand(4):
        own.add(label, strokes, "mine")
    return own


@pytest.fixture
def store(settings):
    return ModelStore(settings.home, SHIPPED_MODELS)


@pytest.mark.slow
def test_it_learns_an_odd_hand_and_forgets_little(odd, log, settings, store):
    parent = store.get("mnist-mlp")
    whole = personal_config(parent, DatasetCatalog.from_settings(settings), odd)
    assert (whole.personal.images, whole.personal.rehearsal) == (2000, 6000)
    run = RunService(log, store, settings, lambda: None).start(smaller(whole, 600, 1200))  # enough for this hand
    assert (run["config"]["dataset"], run["config"]["start"]["model"]) == ("strokes", "mnist-mlp")
    row = work(log, settings)
    assert (row["state"], row["model"]) == ("succeeded", "mnist-mlp-mine")
    card = store.get("mnist-mlp-mine")
    assert (card.mine.parent, card.mine.parent_sha256, card.mine.set) == ("mnist-mlp", parent.sha256, "mine")
    assert (card.mine.drawings, card.mine.learned + card.mine.held_out, card.mine.seen) == (40, 40, False)
    hand, known = card.mine.compared
    assert (hand.of, hand.count, known.of, known.count) == ("drawings", card.mine.held_out, "parent", 2000)
    assert hand.count >= 4
    assert hand.before <= 0.7
    assert hand.after >= hand.before + 0.2
    assert known.after >= known.before - 0.005
    assert known.after == card.metrics["test_accuracy"]
    # the pad works with it: calibrated on images that nothing was learned from, with limits of its own
    assert card.calibration.fitted_on.data == "validation"
    assert card.calibration.rejection.outliers is not None
    assert store.load_with_detector("mnist-mlp-mine")[2] is not None
    store.set_default("mnist-mlp-mine")
    assert store.default() == "mnist-mlp-mine"


@pytest.mark.slow
def test_a_run_that_was_stopped_comes_to_the_same_model(odd, log, settings, store, monkeypatch):
    catalog = DatasetCatalog.from_settings(settings)
    small = smaller(personal_config(store.get("mnist-mlp"), catalog, odd), 100, 200, epochs=2)
    monkeypatch.setattr("app.runs.training.run_training.calibrate", lambda *_, **__: None)
    commands = RunService(log, store, settings, lambda: None)
    first = commands.start(small)["id"]
    with threadpool_limits(2, "blas"):
        whole = store.get(work(log, settings)["model"])
    started = next(event for event in log.events(first) if event["type"] == "started")
    assert started["data"]["compute"]["blas_threads"] == 1  # two would wait for one another, and take all the time
    run = commands.start(small)["id"]
    stop = ControlFlags()
    say = log.append

    def spoken(claim, kind, data, **columns):
        say(claim, kind, data, **columns)
        stop.leave = kind == "epoch"

    monkeypatch.setattr(log, "append", spoken)
    claim = log.claim("me")
    Job(log, claim, settings, stop).run()
    assert log.run(run)["state"] == "queued"
    monkeypatch.undo()
    monkeypatch.setattr("app.runs.training.run_training.calibrate", lambda *_, **__: None)
    again = store.get(work(log, settings)["model"])
    assert (again.sha256, again.mine, again.name) == (whole.sha256, whole.mine, "mnist-mlp-mine-2")
    # one that waits is cancelled without a model: what nobody has compared with its parent is not kept
    models = len(store.list())
    stop.leave = False
    monkeypatch.setattr(log, "append", spoken)
    waiting = commands.start(small)["id"]
    Job(log, log.claim("me"), settings, stop).run()
    commands.pause(waiting)
    row = commands.cancel(waiting, keep_model=True)
    assert (row["state"], row["model"]) == ("cancelled", None)
    assert "compared with its parent only at the end" in log.events(waiting)[-1]["data"]["not_kept"]
    # neither is one at work, and drawings that have changed since are another data set to go on with
    for wish in ("keep_model", "changed"):
        run = commands.start(small)["id"]
        stop.leave = False
        Job(log, log.claim("me"), settings, stop).run()
        if wish == "changed":
            label, strokes = next(odd_hand(1))
            odd.add(label, [[[x + 40 * (i % 3), y] for i, (x, y) in enumerate(stroke)] for stroke in strokes], "mine")
            assert "changed since the run began" in work(log, settings)["error"]
            continue
        wanted = ControlFlags()
        wanted.cancel = wanted.keep_model = True
        Job(log, log.claim("me"), settings, wanted).run()
        assert (log.run(run)["state"], log.run(run)["model"]) == ("cancelled", None)
        assert "compared with its parent only at the end" in log.events(run)[-1]["data"]["not_kept"]
    assert len(store.list()) == models


def test_a_share_of_each_label_is_held_out_and_never_learned_from(odd, settings):
    strokes = DatasetCatalog(settings.cache_dir).load("strokes")
    found = load_personal(odd, "mine", strokes, images=100, rehearsal=300, set_aside=0.1)
    assert 4 <= len(found.held_out) == 40 - found.learned
    held = {image.tobytes() for image in found.held_out.images}
    learned = {image.tobytes() for image in found.dataset.train.images}
    assert not held & learned
    train, known = found.dataset.train, strokes.train
    assert len(train) == 100 + 300 + 134  # and a quarter of it all, which is calibrated on
    assert np.array_equal(train.images[-134:], known.images[-134:])
    assert found.dataset.test is strokes.test
    again = load_personal(odd, "mine", strokes, images=100, rehearsal=300, set_aside=0.1)
    assert np.array_equal(again.dataset.train.images, train.images)
    assert again.dataset.version == found.dataset.version


@pytest.mark.parametrize("labels", [1, 3, 10])
def test_what_was_learned_once_is_never_held_out_however_many_drawings_come(labels):
    """Nor where the set had one drawing of a label, or none that the digests would hold out."""
    drawn = [(hashlib.sha256(f"{labels} {i}".encode()).hexdigest(), str(i % labels)) for i in range(300)]
    learned = set()
    for count in range(1, len(drawn) + 1):
        held = hold_out(drawn[:count])
        assert not held & learned, count
        learned |= {key for key, _ in drawn[:count]} - held
        assert len(held) >= (count > labels), count
        for label in {label for _, label in drawn[:count]}:
            assert any(of == label and key not in held for key, of in drawn[:count])
    assert 0.2 * len(drawn) < len(held) < 0.3 * len(drawn)


def test_a_drawing_that_came_in_twice_stays_where_it_was(odd, settings):
    strokes = DatasetCatalog(settings.cache_dir).load("strokes")
    first = load_personal(odd, "mine", strokes, images=100, rehearsal=0, set_aside=0)
    for drawing in list(odd.load("mine"))[::-1]:  # as an export does that is imported again, in another order
        odd.add(drawing.label, drawing.strokes, "mine")
    again = load_personal(odd, "mine", strokes, images=100, rehearsal=0, set_aside=0)
    assert np.array_equal(again.held_out.images, first.held_out.images)


def test_a_parent_that_learned_drawings_is_said_to_have_seen_what_is_held_out(store):
    plain = store.get("mnist-mlp")

    def made(dataset="mnist", start=None, sha256="1" * 64, run=None, seen=None):
        told = None if seen is None else mine(0.9, 0.9).model_copy(update={"seen": seen})
        return plain.model_copy(
            update={"dataset": dataset, "config": {"start": start}, "sha256": sha256, "run": run, "mine": told}
        )

    assert not may_have_trained_on_drawings(plain, [])
    assert not may_have_trained_on_drawings(made(seen=False), [made("drawings:mine", sha256="2" * 64)])
    assert not may_have_trained_on_drawings(made("mnist + nonsense of another program"), [])
    assert may_have_trained_on_drawings(made("drawings:mine"), [])
    assert may_have_trained_on_drawings(made("mnist + drawings:mine"), [])
    assert may_have_trained_on_drawings(made(seen=True), [])
    first = made("drawings:mine", sha256="2" * 64, run=7)
    second = made(start={"model": "renamed", "sha256": "2" * 64}, sha256="3" * 64)
    third = made(start={"model": "x", "sha256": "3" * 64})
    assert may_have_trained_on_drawings(third, [plain, second, first])
    assert not may_have_trained_on_drawings(third, [plain, first])
    assert may_have_trained_on_drawings(made(start={"run": 7}), [plain, first])
    round_about = made(start={"model": "x", "sha256": "1" * 64})
    assert not may_have_trained_on_drawings(round_about, [round_about])


def test_too_few_drawings_and_labels_that_the_model_lacks_are_refused_in_words(own, settings, store):
    parent = store.get("mnist-mlp")
    with pytest.raises(ValueError, match="at least 20 drawings in “mine”; it has 0"):
        personal_config(parent, DatasetCatalog.from_settings(settings), own)
    for label, strokes in odd_hand(2):
        own.add(label, strokes, "mine")
    assert readiness(own, "mine", parent.labels).needed == 0
    own.add("○", [[[0, 0], [5, 5]]], "mine")
    with pytest.raises(ValueError, match="also has ○: train a network on drawings:mine instead"):
        personal_config(parent, DatasetCatalog.from_settings(settings), own)
    strokes = DatasetCatalog(settings.cache_dir).load("strokes")
    with pytest.raises(DatasetUnavailable, match="also has ○"):
        load_personal(own, "mine", strokes, images=100, rehearsal=10, set_aside=0)


def test_without_any_data_set_of_its_labels_a_model_is_not_made_to_forget(odd, settings, store):
    card = store.get("mnist-mlp").model_copy(update={"labels": list("abcdefghij"), "dataset": "folder:gone"})
    with pytest.raises(UnpreparedError, match="folder:gone, is not on this machine"):
        rehearsed(card, DatasetCatalog.from_settings(settings))


@pytest.mark.parametrize(
    ("before", "after", "forgot"),
    [(0.995, 0.99, False), (0.995, 0.9899, True), (0.9, 0.95, False), (1.0, 0.995, False), (0.5, 0.0, True)],
)
def test_half_a_point_may_be_forgotten_and_no_more(before, after, forgot):
    assert (mine(before, after).forgot() is not None) == forgot
    assert (mine(before, after, of="other").forgot() is not None) == forgot  # MNIST, for a model of drawn digits
    assert mine(before, after, of="drawings").forgot() is None


def test_a_model_that_forgot_is_no_default_unless_forced(settings, store):
    card, network = store.load("mnist-mlp")
    other = card.model_copy(update={"name": "worse", "shipped": False, "mine": mine(0.995, 0.98), "calibration": None})
    store.save(other, network)
    with pytest.raises(AccuracyDroppedError, match=r"1\.50 points worse than p: 98\.00 % after 99\.50 %"):
        store.set_default("worse")
    assert store.default() == "mnist-mlp"
    store.set_default("worse", force=True)
    assert store.default() == "worse"


def test_the_new_name_is_the_parents_with_mine_behind_it():
    assert personal_name("mnist-mlp") == "mnist-mlp-mine"
    assert personal_name("mnist-mlp-mine") == personal_name("mnist-mlp-mine-3") == "mnist-mlp-mine"
    assert len(personal_name("x" * 64)) == 64


@pytest.mark.parametrize(
    "personal",
    [
        {"set": "Bad Name"},
        {"set": 3},
        {},
        {"set": "mine", "images": 0},
        {"set": "mine", "images": 1.5},
        {"set": "mine", "rehearsal": -1},
        {"set": "mine", "other": 1},
        [],
        "mine",
    ],
)
def test_a_config_with_a_bad_set_is_refused(odd, settings, store, personal):
    base = personal_config(store.get("mnist-mlp"), DatasetCatalog.from_settings(settings), odd).model_dump(mode="json")
    with pytest.raises(ValueError, match="personal"):
        parse_config({**base, "personal": personal})
    for missing in ({"start": None}, {"validation": None}):
        with pytest.raises(ValueError, match="personal: expected"):
            parse_config({**base, **missing})
