"""The end of a training: the network reads the test set once, and all that is said of it follows from that."""

from collections import Counter

import numpy as np
import pytest

from app.data import Dataset, Split, make_strokes
from app.data.drawings.rendered import DrawingRenderer
from app.data.drawings.store import DrawingStore
from app.data.sources.mixture import mix, parse_mixture
from app.models import ModelStore
from app.models.calibration import fit_common_temperature, fit_temperature
from app.models.evaluation import Evaluator, evaluate_split
from app.models.evaluation_cache import EvaluationCache
from app.nn import CrossEntropy, Network, classification_report, evaluate, infer_all
from app.runs.config.run_config import request_config
from app.runs.training.run_training import Progress, RunEvent, Training, _some_of_each_group
from tests.support.runs import TINY


@pytest.fixture(scope="module")
def drawn():
    return make_strokes(train=1500, test=1200)


@pytest.fixture
def asked(monkeypatch):
    """How often a network was given each input, by its bytes."""
    counts: Counter[bytes] = Counter()
    infer, forward = Network.infer, Network.forward

    def counted(pass_through):
        def through(self, x, **more):
            counts.update(row.tobytes() for row in x)
            return pass_through(self, x, **more)

        return through

    monkeypatch.setattr(Network, "infer", counted(infer))
    monkeypatch.setattr(Network, "forward", counted(forward))
    return counts


@pytest.mark.parametrize("validation", [0.2, None])
def test_the_test_set_is_read_once_at_a_runs_end_and_never_after(drawn, asked, validation, tmp_path, cache_dir):
    config = request_config({"recipe": "quick", "overrides": {**TINY, "validation": validation}})
    training, evaluated = Training(config, drawn, cache_dir=cache_dir), None
    for step in training.run():
        if isinstance(step, Progress) and step.phase == "evaluating":
            asked.clear()
        if isinstance(step, RunEvent) and step.type == "evaluated":
            evaluated = step.data
    tests = drawn.test.images.astype(np.float32) / np.float32(config.input_scale)
    assert [asked[image.tobytes()] for image in tests] == [1] * 1200
    assert training.calibrated.calibration.measured_on.samples == (1200 if validation else 600)

    store, cache = ModelStore(tmp_path / "home"), EvaluationCache(tmp_path / "cache")
    card = store.save(training.card("made"), training.network, arrays=training.arrays())
    training.keep_evaluation(cache, card)
    asked.clear()
    evaluator = Evaluator(store, DrawingRenderer(DrawingStore(tmp_path / "drawings")), cache)
    judged, _ = evaluator.evaluate("made", drawn, "test")
    assert not asked
    assert judged["confusion"] == evaluated["confusion"]
    assert (judged["accuracy"], judged["loss"]) == (evaluated["test_accuracy"], evaluated["test_loss"])

    # and it is what each of them would have said alone
    whole = {"input_scale": config.input_scale}
    measured = evaluate(training.network, drawn.test.images, drawn.test.labels, loss=CrossEntropy(), **whole)
    assert (measured.loss, measured.accuracy) == (evaluated["test_loss"], evaluated["test_accuracy"])
    report = classification_report(training.network, drawn.test.images, drawn.test.labels, **whole)
    assert report.confusion.tolist() == evaluated["confusion"]
    assert [one.index for one in report.mistakes] == [one["index"] for one in evaluated["mistakes"]]
    alone, kept = evaluate_split(training.network, card, drawn.test), training.evaluation
    assert np.array_equal(alone.predictions.predicted, kept.predictions.predicted)
    np.testing.assert_allclose(kept.predictions.confidence, alone.predictions.confidence, atol=1e-6)
    np.testing.assert_allclose(kept.predictions.likelihood, alone.predictions.likelihood, atol=1e-6)
    assert kept.loss == pytest.approx(alone.loss, rel=1e-6)


def test_a_mixture_is_held_out_calibrated_and_measured_by_set(drawn, cache_dir):
    few = Dataset("few", "few", drawn.labels, drawn.test[:200], drawn.test[200:400])
    sets = {"strokes": drawn, "few": few}
    mixed = mix(parse_mixture("strokes + few"), lambda term: (sets[term.name], term.weight))
    config = request_config({"recipe": "quick", "overrides": {**TINY, "validation": 0.3}})
    training = Training(config, mixed, cache_dir=cache_dir)
    for _ in training.run():
        pass
    calibration = training.calibrated.calibration
    assert [(source.data, source.count) for source in calibration.sources] == [("strokes", 1200), ("few", 200)]
    assert calibration.sources[0].accuracy == training.metrics["test_accuracy"]
    assert calibration.sources[0].false_rejection == calibration.rejection.false_rejection
    # the last three tenths of each set, which are equally far off
    held = [drawn.train[1050:], few.train[140:]]
    images, labels = (np.concatenate([getattr(split, part) for split in held]) for part in ("images", "labels"))
    logits = infer_all(training.network, images, input_scale=config.input_scale).logits
    assert calibration.temperature == pytest.approx(
        fit_common_temperature(logits, labels, np.repeat([0, 1], [450, 60]))
    )
    assert calibration.temperature != pytest.approx(fit_temperature(logits, labels))


def test_digits_of_every_set_of_a_mixture_are_known_to_be_digits():
    images = np.repeat(np.arange(3, dtype=np.uint8), [900, 60, 40])[:, None, None] * np.ones((28, 28), np.uint8)
    split = Split(images, np.zeros(1000, np.uint8), images[:, 0, 0])
    chosen = _some_of_each_group(split, 150)[:, 0, 0]
    assert np.bincount(chosen).tolist() == [50, 50, 40], "as many of each, or all"
    assert len(_some_of_each_group(Split(split.images, split.labels), 150)) == 150
