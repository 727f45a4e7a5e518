"""Calibration and rejection: right on made-up logits, true on digits, and damage is told."""

import json

import numpy as np
import pytest
from safetensors.numpy import load, save

from app.data import DatasetCatalog, DatasetUnavailable, Split, from_pixels, from_strokes, split_validation
from app.data.sources.nondigits import KINDS, load_nondigits, pair_digits
from app.models import Calibration, DamagedModelError, ModelStore, Predictor, Predictors, calibrate, fit_subspaces
from app.models.calibration import fit_common_temperature, fit_temperature
from app.models.ood import detector
from app.models.ood.detector import (
    BASIS,
    MEAN,
    OutOfDistributionDetector,
    fit_rejection,
    halved,
    scales_of,
    scores_of,
    statistics_of,
)
from app.models.ood.outlier_head import NAMES, OutlierHead
from app.nn import Network, Predictions, infer_all, softmax
from app.settings import SHIPPED_MODELS
from tests.support.cards import card
from tests.support.drawings import FIXTURES

DIGITS = list("0123456789")


def test_the_temperature_that_made_the_labels_is_found():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (20_000, 10))
    labels = np.array([rng.choice(10, p=row) for row in softmax(logits / 2.5)])
    assert fit_temperature(logits, labels) == pytest.approx(2.5, rel=0.05)


def test_the_calibration_error_of_a_case_worked_out_by_hand():
    # One bin holds 0.9, right three times of four; another 0.6, right once of two: (4·0.15 + 2·0.1) / 6.
    rows = np.array([[0.9, 0.1]] * 4 + [[0.6, 0.4]] * 2)
    labels = np.array([0, 0, 0, 1, 0, 1])
    found = Predictions.of(rows, labels).reliability(10)
    assert found.error == pytest.approx(0.8 / 6)
    assert found.counts.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 4, 0]
    assert found.correct.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 3, 0]
    assert found.confidence[[5, 8]].tolist() == pytest.approx([1.2, 3.6])
    assert Predictions.of(np.array([[1.0, 0.0]]), np.array([0])).reliability().error == 0


def test_temperature_never_changes_a_label_and_rows_sum_to_one():
    logits = np.random.default_rng(1).normal(0, 200, (500, 10))
    for temperature in (0.05, 1.3, 100):
        rows = softmax(logits / temperature)
        assert np.array_equal(rows.argmax(axis=1), logits.argmax(axis=1))
        assert np.allclose(rows.sum(axis=1), 1, atol=1e-12)


@pytest.fixture(scope="module")
def drawn(cache_dir):
    return DatasetCatalog(cache_dir).load("strokes")


@pytest.fixture(scope="module")
def trained(drawn):
    """A network whose hidden layer is random and whose last is solved for: it reads drawn digits, in no time."""
    network = Network.from_spec(
        {"layers": [{"type": "dense", "units": 200}, {"type": "relu"}, {"type": "dense", "units": 10}]},
        input_shape=(28, 28),
    )
    network.initialize(1)
    images = drawn.train.images[:6000].reshape(-1, 784) / 255
    weights = network.weights()
    hidden = np.maximum(images @ weights["0.weight"], 0)
    targets = 20 * np.eye(10)[drawn.train.labels[:6000]] - 2  # surer than it should be
    weights["2.weight"][:] = np.linalg.solve(hidden.T @ hidden + np.eye(200), hidden.T @ targets)
    return network


def calibrated(network, dataset, *, validation=0.1, labels=DIGITS, known=6000, cache_dir=None, tests=None):
    train, held = split_validation(dataset.train, 0.1)
    return calibrate(
        network,
        labels,
        input_scale=255,
        subspaces=fit_subspaces(train.images, train.labels, len(labels)),
        validation=held if validation else None,
        test=dataset.test,
        test_output=infer_all(network, dataset.test.images, input_scale=255),
        known=train.images[:known],
        cache_dir=cache_dir,
        tests=tests,
    )


@pytest.fixture(scope="module")
def found(trained, drawn, cache_dir):
    return calibrated(trained, drawn, cache_dir=cache_dir)


@pytest.fixture(scope="module")
def plain(trained, drawn, cache_dir):
    """As it is where too few training images were there to learn from."""
    return calibrated(trained, drawn, known=999, cache_dir=cache_dir)


def test_images_of_more_weight_count_more_in_the_share_that_is_refused(trained, drawn):
    subspaces = fit_subspaces(drawn.train.images, drawn.train.labels, 10)
    images = drawn.test.images[:400]
    strange = images[:20].copy()
    strange[:, :, 14:] = 255
    images = np.concatenate([images, strange])
    output = infer_all(trained, images, input_scale=255)
    even, heavy, light = (
        fit_rejection(subspaces, images, output, None, np.repeat([1.0, weight], [400, 20])).threshold
        for weight in (1, 50, 0.001)
    )
    assert even == fit_rejection(subspaces, images, output).threshold
    assert heavy <= even < light


def test_both_are_measured_on_the_test_images_of_each_set(found, trained, drawn, cache_dir):
    sevens = drawn.test[drawn.test.labels == 7]
    calibration = calibrated(
        trained, drawn, cache_dir=cache_dir, tests={"all": drawn.test, "sevens": sevens}
    ).calibration
    whole, part = calibration.sources
    assert (whole.data, whole.count, part.data, part.count) == ("all", 2000, "sevens", 200)
    assert whole.false_rejection == calibration.rejection.false_rejection
    assert whole.ece == pytest.approx(calibration.ece_after)
    assert 0 <= part.accuracy <= 1
    assert found.calibration.sources == [], "a set that is no mixture has none"


def test_the_groups_that_are_furthest_off_to_either_side_are_equally_far_off():
    rng = np.random.default_rng(3)
    groups = np.repeat([0, 1, 2], [2000, 300, 300])
    logits = rng.normal(0, 3, (len(groups), 10))
    hotter = np.array([1.0, 3.0, 2.0])[groups]  # what each group's labels were made with
    labels = np.array([rng.choice(10, p=row) for row in softmax(logits / hotter[:, None])])
    temperature = fit_common_temperature(logits, labels, groups)
    found = softmax(logits / temperature)
    gaps = [
        found[groups == group].max(axis=1).mean()
        - np.mean(found.argmax(axis=1)[groups == group] == labels[groups == group])
        for group in range(3)
    ]
    assert 1 < fit_temperature(logits, labels) < temperature < 3
    assert gaps[0] < gaps[2] < gaps[1]
    assert gaps[1] == pytest.approx(-gaps[0])
    assert fit_common_temperature(logits, labels, np.zeros(len(groups))) == pytest.approx(
        fit_temperature(logits, labels), rel=0.1
    )


def test_where_one_digit_in_a_hundred_is_refused_so_is_most_that_is_none(trained, drawn, cache_dir, monkeypatch):
    monkeypatch.setattr(detector, "FALSE_REJECTION", 0.01)
    calibration = calibrated(trained, drawn, cache_dir=cache_dir).calibration
    rejection = calibration.rejection
    assert rejection.false_rejection < 0.03
    assert set(rejection.rejected) == {*KINDS, "two digits"}
    assert min(rejection.rejected[kind] for kind in ("noise", "scribbles", "dots")) > 0.9
    assert rejection.rejected["two digits"] > 0.8
    assert min(rejection.rejected[kind] for kind in ("letters", "signs")) > 0.15  # none of which it was shown
    assert calibration.nll_after <= calibration.nll_before
    assert (calibration.fitted_on.data, calibration.fitted_on.samples) == ("validation", 2000)
    assert (calibration.measured_on.data, calibration.measured_on.samples) == ("test", 2000)
    assert calibration.note is None


def test_what_it_was_shown_makes_it_refuse_more_of_what_it_was_not(found, plain):
    more, less = found.calibration.rejection, plain.calibration.rejection
    assert less.outliers is None
    assert set(plain.arrays) == {MEAN, BASIS}
    assert less.false_rejection < 0.03
    for kind in ("letters", "signs", "scribbles", "two digits", "shapes"):
        assert more.rejected[kind] > less.rejected[kind], kind


def test_the_same_network_and_images_give_the_same_score(found, trained, drawn, cache_dir):
    again = calibrated(trained, drawn, cache_dir=cache_dir)
    assert again.calibration == found.calibration
    assert all(np.array_equal(again.arrays[name], array) for name, array in found.arrays.items())


@pytest.mark.slow
def test_without_validation_data_one_half_of_the_test_set_is_fitted_on_and_the_other_measured(trained, drawn):
    calibration = calibrated(trained, drawn, validation=None).calibration
    assert calibration.fitted_on.samples == calibration.measured_on.samples == 1000
    assert "one half of the test set" in calibration.note


def test_other_labels_are_not_measured_on_letters(trained, drawn):
    found = calibrated(trained, drawn, labels=list("ABCDEFGHIJ"))
    assert found.calibration.rejection.rejected == {}


def without_subspaces(network, dataset, validation):
    output = infer_all(network, dataset.test.images, input_scale=255)
    fields = {"input_scale": 255, "subspaces": None, "validation": validation}
    return calibrate(network, DIGITS, **fields, test=dataset.test, test_output=output)


def test_too_few_images_are_not_calibrated_on(trained, drawn):
    few = Split(drawn.test.images[:99], drawn.test.labels[:99])
    assert without_subspaces(trained, drawn, few) is None
    assert fit_subspaces(drawn.train.images[:10], drawn.train.labels[:10], 10) is None


def test_without_subspaces_there_is_a_temperature_and_no_score(trained, drawn):
    found = without_subspaces(trained, drawn, None)
    assert found.calibration.rejection is None
    saved = card(network=trained.spec(), labels=DIGITS, calibration=found.calibration)
    said = Predictor(saved, trained).predict([from_pixels(drawn.test.images[0] / 255)])[0]
    assert (said.is_digit, said.score) == (True, None)


@pytest.mark.parametrize("calibration", ["found", "plain"])
def test_one_image_at_a_time_gets_the_score_of_many_at_once(calibration, request, drawn, trained):
    found = request.getfixturevalue(calibration)
    rejection, features = found.calibration.rejection, trained.feature_count
    rejecter = OutOfDistributionDetector(rejection, 10, found.arrays, features=features)
    images = drawn.test.images[:400]
    seen = infer_all(trained, images, input_scale=255)
    scores = [
        rejecter.score(
            image.astype(np.float32) / 255,
            int(seen.logits[i].argmax()),
            seen.logits[i : i + 1],
            seen.features[i : i + 1],
        )
        for i, image in enumerate(images)
    ]
    outliers = None
    if rejection.outliers is not None:
        outliers = OutlierHead.of(found.arrays, 3 + 10 + features + 196)
    statistics = statistics_of(found.arrays, images, seen, outliers)
    assert scores == pytest.approx(scores_of(statistics, scales_of(rejection)), abs=1e-3)


def test_an_image_at_half_its_resolution_keeps_its_ink():
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 8:20, 8:20] = 255
    assert halved(image).sum() == pytest.approx(12 * 12 / 4, rel=0.01)
    assert halved(image).max() == pytest.approx(1)


@pytest.fixture
def store(tmp_path, trained, found):
    store = ModelStore(tmp_path / "home")
    saved = card("digits", network=trained.spec(), labels=DIGITS, calibration=found.calibration)
    store.save(saved, trained, arrays=found.arrays)
    return store


def test_a_calibrated_model_comes_back_whole(store, found, drawn):
    said = (
        Predictors(store)
        .get("digits")
        .predict([from_pixels(image / 255) for image in drawn.test.images[:50]] + [from_pixels([0] * 784)])
    )
    assert sum(one.is_digit for one in said) >= 48
    assert all(0 <= one.score <= 1 for one in said)
    assert (said[-1].is_digit, said[-1].score, said[-1].label) == (False, 0.0, None)
    assert all(sum(one.probabilities.values()) == pytest.approx(1, abs=1e-12) for one in said)
    assert store.get("digits").calibration == found.calibration
    assert store.load("digits")[1].params.size == 159_010


def test_a_model_saved_before_there_was_calibration_still_serves(tmp_path, trained):
    store = ModelStore(tmp_path / "home")
    store.save(card("old", network=trained.spec(), labels=DIGITS), trained)
    said = Predictors(store).get("old").predict([from_pixels([0.5] * 784), from_pixels([0] * 784)])
    assert [(one.is_digit, one.score) for one in said] == [(True, None), (False, None)]


def change_card(folder, change):
    path = folder / "model.json"
    values = json.loads(path.read_text())
    change(values["calibration"])
    path.write_text(json.dumps(values))


def set_(place, value):
    *path, last = place.split(".")

    def change(values):
        for key in path:
            values = values[key]
        values[last] = value

    return change


@pytest.mark.parametrize(
    "damage",
    [
        set_("temperature", 0),
        set_("temperature", -1),
        set_("temperature", None),
        set_("temperature", float("nan")),
        set_("temperature", float("inf")),
        set_("temperature", 1e308),
        set_("bins", 0),
        set_("ece_after", 2),
        set_("extra", 1),
        set_("fitted_on", "validation"),
        set_("rejection.threshold", 1.5),
        set_("rejection.threshold", float("nan")),
        set_("rejection.residual.spread", 0),
        set_("rejection.residual.limit", 1e300),
        set_("rejection.outliers.spread", 0),
        set_("rejection.outliers", 1),
        set_("rejection.components", 10**9),
        set_("rejection.rejected", {"letters": float("nan")}),
        set_("note", "x" * 2000),
        lambda values: values.pop("temperature"),
        lambda values: values["rejection"].pop("logit"),
    ],
)
def test_a_damaged_calibration_is_a_damaged_model_with_a_reason(store, damage):
    change_card(store.home / "digits", damage)
    (listed,) = store.list()
    assert listed.card is None
    assert "calibration" in listed.reason
    with pytest.raises(DamagedModelError, match="calibration"):
        Predictors(store).get("digits")


def rewrite(store, change):
    """Change the arrays and give the card the hash of the new file, as somebody who means harm would."""
    import hashlib

    folder = store.home / "digits"
    arrays = load((folder / "model.safetensors").read_bytes())
    change(arrays)
    data = save(arrays)
    (folder / "model.safetensors").write_bytes(data)
    values = json.loads((folder / "model.json").read_text())
    values["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "model.json").write_text(json.dumps(values))


def filled(name, value):
    return lambda arrays: arrays.update({name: np.full_like(arrays[name], value)})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda arrays: arrays.pop(MEAN), "expected rejection.mean"),
        (lambda arrays: arrays.pop(BASIS), "expected rejection.basis"),
        (lambda arrays: arrays.update({MEAN: arrays[MEAN][:9].copy()}), "expected floats of the shape"),
        (lambda arrays: arrays.update({BASIS: arrays[BASIS][:, :, :3].copy()}), "expected floats of the shape"),
        (lambda arrays: arrays.update({BASIS: arrays[BASIS].astype(np.int32)}), "expected floats of the shape"),
        (filled(MEAN, np.nan), "expected finite numbers"),
        (filled(BASIS, np.inf), "expected finite numbers"),
        (filled(MEAN, 1e30), "expected numbers from −1 to 1"),
        (filled(BASIS, 0), "expected orthonormal bases"),
        (filled(BASIS, 3e38), "expected numbers from −1 to 1"),
        (lambda arrays: arrays.update({BASIS: np.full(arrays[BASIS].shape, 1e300)}), "expected numbers from −1 to 1"),
        *((lambda arrays, name=name: arrays.pop(name), f"expected {name}") for name in NAMES),
        *((filled(name, np.nan), "expected finite numbers") for name in NAMES),
        (filled(NAMES[0], 1e30), "expected finite numbers up to"),
        (filled(NAMES[1], 0), "expected spreads above 0"),
        (lambda arrays: arrays.update({NAMES[2]: arrays[NAMES[2]][1:].copy()}), "expected floats of the shape"),
        (lambda arrays: arrays.update({NAMES[3]: arrays[NAMES[3]].astype(np.int32)}), "expected floats of the shape"),
        (lambda arrays: arrays.update({"rejection.other": np.zeros(3, np.float32)}), "weights: expected"),
        (lambda arrays: arrays.update({BASIS: arrays[BASIS].astype(np.float64)}), None),
    ],
)
def test_damaged_arrays_are_a_damaged_model_with_a_reason(store, change, reason):
    rewrite(store, change)
    if reason is None:
        assert Predictors(store).get("digits").card.name == "digits"
        return
    with pytest.raises(DamagedModelError, match=reason):
        Predictors(store).get("digits")


def test_arrays_without_a_calibration_are_damage(store):
    path = store.home / "digits" / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "calibration": None}))
    with pytest.raises(DamagedModelError, match="weights: expected"):
        Predictors(store).get("digits")


@pytest.fixture(scope="module")
def shipped():
    return Predictors(ModelStore(SHIPPED_MODELS)).get("mnist-mlp")


RECORDED = json.loads((FIXTURES / "drawings.json").read_text())["drawings"]


def test_the_shipped_model_reads_what_hands_draw_and_takes_it_for_digits(shipped):
    digits = [drawing for drawing in RECORDED if drawing["label"] is not None]
    said = shipped.predict([from_strokes(drawing["strokes"]) for drawing in digits])
    assert len(digits) >= 100
    assert [one.label for one in said] == [drawing["label"] for drawing in digits]
    assert sum(one.is_digit for one in said) >= 0.98 * len(digits)


def test_the_shipped_model_takes_no_dot_for_a_digit(shipped):
    dots = [from_strokes(drawing["strokes"]) for drawing in RECORDED if drawing["kind"] == "dot"]
    assert not any(one.is_digit for one in shipped.predict(dots))


def test_the_shipped_card_says_what_it_was_calibrated_on_and_what_it_refuses(shipped, mnist_dir, cache_dir):
    calibration = shipped.card.calibration
    assert isinstance(calibration, Calibration)
    assert (calibration.fitted_on.samples, calibration.measured_on.samples) == (14_907, 10_000)
    assert shipped.card.metrics["test_accuracy"] >= 0.994
    try:
        test = DatasetCatalog(cache_dir, mnist_dir).load("mnist", download=False).test
    except DatasetUnavailable as error:
        pytest.skip(str(error))

    def refused(images):
        said = shipped.predict([from_pixels(image / 255) for image in images])
        return sum(not one.is_digit for one in said) / len(said)

    assert refused(test.images[:2000]) < 0.025
    rates = calibration.rejection.rejected
    assert min(rates[kind] for kind in ("scribbles", "dots", "two digits", "shapes", "noise")) > 0.9
    assert rates["letters"] >= 0.8, "none of which it was shown"
    assert rates["signs"] >= 0.7
    assert rates["scribbles"] >= 0.98
    sources = {source.data: source for source in calibration.sources}
    assert sources["mnist"].accuracy >= 0.9945
    assert sources["pendigits"].accuracy >= 0.98
    assert sources["pendigits"].false_rejection <= 0.01
    assert all(source.ece < 0.015 for source in sources.values())
    strange = {**load_nondigits(cache_dir).measured, "two digits": pair_digits(test.images, 100)}
    for kind, images in strange.items():
        assert refused(images[:100]) == pytest.approx(rates[kind], abs=0.15), kind
