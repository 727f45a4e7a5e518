"""The evaluation of a stored model: each set is read once, and what was said is kept by what it depends on."""

import inspect
import signal
import subprocess
import sys

import numpy as np
import pytest

from app.data import Dataset, Split
from app.data.drawings.rendered import DrawingRenderer
from app.data.drawings.store import DrawingStore
from app.models import ModelStore
from app.models.cost import TooLargeError, prediction_cost
from app.models.evaluation import BATCH, Evaluator, StoppedError, evaluate_split
from app.models.evaluation_cache import KEPT, EvaluationCache
from app.models.evaluation_process import evaluate_apart
from app.nn import Network
from tests.models.test_store import LABELS, card, network

popen = subprocess.Popen
RNG = np.random.default_rng(4)


def split(count):
    return Split(RNG.integers(0, 256, (count, 28, 28), dtype=np.uint8), RNG.integers(0, 3, count))


DATA = Dataset("shapes", "Shapes", tuple(LABELS), split(60), split(BATCH + 50))


@pytest.fixture
def store(tmp_path):
    kept = ModelStore(tmp_path / "home")
    kept.save(card(), network())
    return kept


@pytest.fixture
def asked(monkeypatch):
    """The number of images of each pass through a network."""
    counts, infer = [], Network.infer
    monkeypatch.setattr(Network, "infer", lambda self, x: counts.append(len(x)) or infer(self, x))
    return counts


@pytest.fixture
def judge(store, tmp_path):
    """The evaluation as a process that has just started gives it."""

    def judged(data=DATA, part="test", name="shapes", **options):
        cache = EvaluationCache(tmp_path / "cache")
        evaluator = Evaluator(store, DrawingRenderer(DrawingStore(tmp_path / "drawings")), cache)
        return evaluator.evaluate(name, data, part, **options)[0]

    return judged


def test_a_process_of_its_own_comes_to_the_same(store):
    card, network = store.load("shapes")
    here, there = evaluate_split(network, card, DATA.test), evaluate_apart(network, card, DATA.test)
    assert here.loss == there.loss
    for name, array in here.arrays().items():
        np.testing.assert_array_equal(array, there.arrays()[name])


def test_an_evaluation_that_nobody_waits_for_is_ended_at_once(store, monkeypatch):
    card, network = store.load("shapes")
    begun = []
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **options: begun.append(popen(*args, **options)) or begun[0])
    with pytest.raises(StoppedError, match="the evaluation was stopped"):
        evaluate_apart(network, card, DATA.test, lambda: True)
    assert begun[0].returncode == -signal.SIGKILL


def test_a_process_that_ends_by_itself_is_said(store, monkeypatch):
    card, network = store.load("shapes")
    monkeypatch.setattr("app.models.evaluation_process.command", lambda module: [sys.executable, "-c", "exit(3)"])
    with pytest.raises(StoppedError, match=r"ended by itself \(exit code 3\)"):
        evaluate_apart(network, card, DATA.test)


def test_what_takes_too_long_is_refused_before_it_begins(judge, asked, monkeypatch, store):
    cost = prediction_cost(store.load("shapes")[1])
    most = inspect.signature(Evaluator.evaluate).parameters["most"].default
    assert judge(most=cost * (BATCH + 50))["count"] == BATCH + 50 <= most // cost
    del asked[:]
    with pytest.raises(TooLargeError, match="expected at most 59 passes through a network as large as shapes; got 60"):
        judge(part="train", most=cost * 59)
    assert asked == []


def files(tmp_path):
    return sorted((tmp_path / "cache" / "evaluations").glob("*"))


def test_a_model_from_before_evaluations_were_kept_reads_each_set_once(judge, asked):
    first = judge()
    assert asked == [BATCH, 50]
    assert first["count"] == sum(map(sum, first["confusion"])) == BATCH + 50
    assert judge() == first
    assert sum(asked) == BATCH + 50
    assert judge(part="train")["count"] == 60
    assert sum(asked) == BATCH + 50 + 60


def test_what_was_said_counts_for_the_same_weights_the_same_card_and_the_same_images_alone(judge, asked, store):
    judge()
    store.save(card("copy"), network())
    judge(name="copy")
    assert sum(asked) == BATCH + 50
    pixel, label = DATA.test.images.copy(), DATA.test.labels.copy()
    pixel[7, 3, 3] ^= 1
    label[7] = (label[7] + 1) % 3
    for changed in (Split(pixel, DATA.test.labels), Split(DATA.test.images, label)):
        judge(Dataset(DATA.name, DATA.title, DATA.labels, DATA.train, changed))
    store.save(card("other"), network(2))
    judge(name="other")
    store.save(card("scaled", input_scale=1), network())
    judge(name="scaled")
    assert sum(asked) == 5 * (BATCH + 50)


def test_a_set_with_the_labels_in_another_order_is_another_set(judge):
    order = [2, 0, 1]
    places = np.argsort(order)
    turned = Dataset(
        "turned",
        "Turned",
        tuple(LABELS[i] for i in order),
        DATA.train,
        Split(DATA.test.images, places[DATA.test.labels]),
    )
    assert judge(turned)["confusion"] == judge()["confusion"]
    assert judge(Dataset("wrong", "Wrong", turned.labels, DATA.train, DATA.test))["accuracy"] != judge()["accuracy"]


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"x" * 200])
def test_a_damaged_file_is_made_again(judge, asked, tmp_path, damage):
    first = judge()
    (path,) = files(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert judge() == first
    assert judge() == first
    assert sum(asked) == 2 * (BATCH + 50)


def test_a_file_of_another_form_is_made_again(judge, asked, tmp_path):
    from safetensors.numpy import load, save

    first = judge()
    (path,) = files(tmp_path)
    whole = load(path.read_bytes())
    changes = (
        {"predicted": whole["predicted"] + 3},
        {"confidence": whole["confidence"] * np.float32(np.nan)},
        {"likelihood": whole["likelihood"][1:]},
        {"loss": np.zeros(2)},
        {"more": np.zeros(1)},
    )
    for number, change in enumerate(changes, 1):
        path.write_bytes(save({**whole, **change}))
        assert judge() == first
        assert sum(asked) == (1 + number) * (BATCH + 50)


def test_without_a_folder_to_write_to_it_is_read_each_time(judge, asked, tmp_path):
    (tmp_path / "cache").write_text("no folder")
    assert judge() == judge()
    assert sum(asked) == 2 * (BATCH + 50)


def test_the_newest_are_kept(judge, tmp_path):
    judge()
    folder = files(tmp_path)[0].parent
    for number in range(KEPT + 5):
        (folder / f"{number}.safetensors").write_bytes(b"")
    judge(part="train")
    assert len(files(tmp_path)) == KEPT
    judge()
    assert len(files(tmp_path)) == KEPT
