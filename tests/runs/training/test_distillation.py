"""Distillation: what is learned from teachers, what is refused, and what becomes of a teacher that goes."""

import numpy as np
import pytest

from app.data import make_strokes
from app.models import ModelStore
from app.nn import Network, infer_all, softmax
from app.runs.config.run_config import request_config
from app.runs.estimate.benchmark import TRIED, with_teachers_time
from app.runs.service import RunService
from app.runs.training.distillation import Teachers, load_teachers, with_teachers
from app.runs.training.run_training import Training, card_of
from app.runs.training.source_models import UnusableModelError
from app.runs.worker.job import Job
from tests.support.runs import TINY, ControlFlags, types, work

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (40, 28, 28), dtype=np.uint8)
LABELS = RNG.integers(0, 10, 40)
ROWS = np.arange(40)
DIGITS = [str(digit) for digit in range(10)]
LAYERS = [{"type": "dense", "units": 16}, {"type": "relu"}, {"type": "dense", "units": 10}]


def config_with(**changes):
    return request_config({"recipe": "quick", "overrides": {**TINY, **changes}})


def model(name, seed=1, labels=DIGITS, layers=LAYERS):
    network = Network.from_spec({"layers": [*layers[:-1], {**layers[-1], "units": len(labels)}]}, input_shape=(28, 28))
    network.initialize(seed)
    return card_of(name, network, config=config_with(), labels=labels, metrics={}), network


@pytest.fixture
def store(settings):
    kept = ModelStore(settings.home)
    for seed, name in enumerate(["one", "two"]):
        kept.save(*model(name, seed))
    kept.save(*model("letters", labels=["a", "b", "c"]))
    return kept


@pytest.fixture
def commands(log, settings, store):
    return RunService(log, store, settings, lambda: None)


def test_targets_lie_between_the_labels_and_the_mean_of_what_the_teachers_say():
    teachers = [model("one", 1), model("two", 2)]
    said = [softmax(infer_all(network, IMAGES, input_scale=card.input_scale).logits) for card, network in teachers]
    targets = Teachers(teachers, LABELS, 0.6, changing=True)(1, ROWS, IMAGES)
    np.testing.assert_allclose(targets, 0.6 * (said[0] + said[1]) / 2 + 0.4 * np.eye(10)[LABELS], atol=1e-12)
    np.testing.assert_allclose(targets.sum(axis=1), 1)


def test_a_teacher_is_asked_anew_only_of_images_that_change(monkeypatch):
    asked = []
    infer = Network.infer
    monkeypatch.setattr(Network, "infer", lambda *given: asked.append(1) or infer(*given))
    order = RNG.permutation(40)
    for changing, times in ((False, 2), (True, 6)):
        teachers = Teachers([model("one")], LABELS, 1.0, changing=changing)
        whole = Teachers([model("one")], LABELS, 1.0, changing=True)(1, ROWS, IMAGES)
        asked.clear()
        for epoch in (1, 2, 3):
            for rows in (order[:25], order[25:]):
                np.testing.assert_allclose(teachers(epoch, rows, IMAGES[rows]), whole[rows], atol=1e-6)
        assert len(asked) == times


def test_a_teacher_may_have_images_of_another_shape_and_probabilities_as_outputs():
    layers = [{"type": "flatten"}, *LAYERS, {"type": "softmax"}]
    network = Network.from_spec({"layers": layers}, input_shape=(1, 28, 28))
    network.initialize(1)
    card = card_of("one", network, config=config_with(), labels=DIGITS, metrics={})
    said = network.forward(IMAGES[:, None].astype(np.float32) / 255, training=False)
    np.testing.assert_allclose(
        Teachers([(card, network)], LABELS, 1.0, changing=True)(1, ROWS, IMAGES), said, atol=1e-5
    )


def test_a_teacher_that_says_no_numbers_ends_the_run():
    card, network = model("one")
    network.params[:] = np.inf
    with np.errstate(all="ignore"), pytest.raises(UnusableModelError, match="one, gives numbers that are not finite"):
        Teachers([(card, network)], LABELS, 1.0, changing=True)(1, ROWS, IMAGES)


def test_a_student_comes_to_say_what_its_teacher_says_and_not_what_the_labels_say(store):
    changes = {"epochs": 30, "batch_size": 50, "optimizer": {"type": "adam", "learning_rate": 0.003}}
    config = with_teachers(config_with(**changes, distillation={"model": "one", "weight": 1.0}), store, DIGITS)
    drawn = make_strokes(train=1500, test=10)
    ((card, teacher),) = load_teachers(config, store)
    teacher.params[:] *= 5  # weights that nobody has trained, but it is sure of what it says
    training = Training(config, drawn, teachers=[(card, teacher)])
    x = drawn.train.images.astype(np.float32) / 255
    for _ in training.trainer.run():
        pass
    said, wanted = (network.forward(x, training=False).argmax(axis=1) for network in (training.network, teacher))
    assert np.mean(said == wanted) > 0.75
    assert np.mean(said == drawn.train.labels) < 0.3


@pytest.mark.slow
def test_a_run_learns_from_stored_models_and_its_card_names_them_with_their_hashes(log, settings, store, commands):
    hashes = [store.get(name).sha256 for name in ("one", "two")]
    asked = {"model": "one + two", "weight": 0.5}
    run = commands.start(config_with(distillation=asked, augmentation={"rotation": 5}))["id"]
    row = work(log, settings)
    assert row["state"] == "succeeded", row["error"]
    kept = store.get(row["model"]).config["distillation"]
    assert kept == {"model": "one + two", "weight": 0.5, "sha256": hashes}
    assert types(log, run)[:4] == ["queued", "started", "epoch", "epoch"]
    again = commands.rerun(run)
    assert again["config"]["distillation"] == kept


@pytest.mark.slow
def test_a_paused_student_goes_on_to_the_very_weights_of_one_that_was_not(log, settings, store, commands, monkeypatch):
    config = config_with(distillation={"model": "one"}, augmentation={"rotation": 5}, epochs=3)
    whole = commands.start(config)["id"]
    work(log, settings)
    broken = commands.start(config)["id"]
    wanted, say = ControlFlags(), log.append

    def pausing(claim, kind, data, **columns):
        say(claim, kind, data, **columns)
        wanted.pause = wanted.pause or kind == "epoch"

    monkeypatch.setattr(log, "append", pausing)
    claim = log.claim("me")
    log.request_pause(broken)
    Job(log, claim, settings, wanted, lambda: None).run()
    assert log.run(broken)["state"] == "paused"
    monkeypatch.undo()
    log.request_resume(broken)
    assert work(log, settings)["state"] == "succeeded"
    first, second = (store.load(log.run(run)["model"])[1].params for run in (whole, broken))
    np.testing.assert_array_equal(first, second)


def test_a_teacher_that_was_renamed_teaches_on(log, settings, store, commands):
    commands.start(config_with(distillation={"model": "one + two"}))
    store.rename("one", "uno")
    row = work(log, settings)
    assert row["state"] == "succeeded", row["error"]


def test_models_are_kept_in_one_form_however_they_were_written():
    for written in ("one+two", " one  +two\n", "one + two"):
        assert config_with(distillation={"model": written}).distillation.model == "one + two"


def test_a_race_among_teachers_starts_from_a_config_that_has_one(commands):
    first = commands.check(config_with(distillation={"model": "one"}))
    raced = commands.sweep(first, "distillation.model", ["one", "two", "one + two"])
    assert [row["config"]["distillation"]["model"] for row in raced] == ["one", "two", "one + two"]
    assert [len(row["config"]["distillation"]["sha256"]) for row in raced] == [1, 1, 2]


def test_a_teacher_that_was_replaced_or_removed_fails_the_run_and_says_so(log, settings, store, commands):
    for _ in range(2):
        commands.start(config_with(distillation={"model": "one"}))
    store.delete("one")
    row = work(log, settings)
    assert row["state"] == "failed"
    assert row["error"].startswith("the teacher model cannot be used: there is no model one")
    store.save(*model("one", seed=9))
    assert work(log, settings)["error"] == "the teacher model, one, has changed since the run was queued"


BAD = [
    ({}, "distillation.model: missing"),
    ({"model": ""}, "distillation.model: expected a model's name"),
    ({"model": "one +"}, "distillation.model: expected a model's name"),
    ({"model": "../one"}, "distillation.model: expected a model's name"),
    ({"model": "One"}, "distillation.model: expected a model's name"),
    ({"model": "one + one"}, "distillation.model: expected each model once"),
    ({"model": " + ".join(f"m{i}" for i in range(9))}, "or up to 8 names joined by +"),
    ({"model": 7}, "distillation.model"),
    ({"model": ["one"]}, "distillation.model"),
    ({"model": "x" * 401}, "distillation.model"),
    ({"model": "one", "weight": 0}, "distillation.weight"),
    ({"model": "one", "weight": 1.01}, "distillation.weight"),
    ({"model": "one", "weight": "half"}, "distillation.weight"),
    ({"model": "one", "weight": True}, "distillation.weight"),
    ({"model": "one", "weight": float("nan")}, "distillation.weight"),
    ({"model": "one", "sha256": []}, "sha256: expected one for each of 1 models"),
    ({"model": "one", "sha256": ["x" * 100_000]}, "distillation.sha256"),
    ({"model": "one", "sha256": ["0" * 64] * 9}, "distillation.sha256"),
    ({"model": "one", "temperature": 2}, "distillation.temperature"),
    ("one", "distillation"),
]


@pytest.mark.parametrize(("asked", "message"), BAD)
def test_what_cannot_be_a_distillation_is_refused(asked, message):
    with pytest.raises(ValueError, match="distillation") as refused:
        config_with(distillation=asked)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"model": "nobody"}, "distillation.model: there is no model nobody"),
        ({"model": "one + letters"}, "distillation.model: expected a model with the data set's 10 labels; letters has"),
        (
            {"model": "one", "sha256": ["0" * 64]},
            "distillation.sha256: expected the teacher models that the config names",
        ),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused_before_the_run_is_queued(log, commands, asked, message):
    with pytest.raises(ValueError, match="distillation") as refused:
        commands.start(config_with(distillation=asked))
    assert str(refused.value).startswith(message)
    assert log.list_runs(limit=1) == []


def test_a_training_is_expected_to_be_slower_by_what_its_teachers_read(store):
    plain = config_with(augmentation={"rotation": 5})
    taught = config_with(augmentation={"rotation": 5}, distillation={"model": "one + two"})
    taught = with_teachers(taught, store, DIGITS)
    still = config_with(distillation={"model": "one + two"})
    gone = config_with(augmentation={"rotation": 5}, distillation={"model": "nobody"})
    ticks = iter(range(100))

    def clock():
        return float(next(ticks))

    for one in (plain, still, gone):
        assert with_teachers_time(900.0, one, store, clock) == 900.0
    assert next(ticks) == 0
    assert with_teachers_time(900.0, taught, store, clock) == pytest.approx(1 / (1 / 900 + 2 * 1 / TRIED))
    assert with_teachers_time(None, taught, store, clock) is None
