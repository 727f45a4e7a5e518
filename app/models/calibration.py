"""Calibration of probabilities, and of the score that detects outliers, on images held out from training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.data import Split
from app.data.sources.nondigits import MEASURED, SHOWN, load_nondigits, pair_digits
from app.data.sources.synthetic import LABELS as DIGITS
from app.models.card import Calibration, Samples, SourceResult
from app.models.ood.detector import fit_outliers, fit_rejection, scales_of, scores_of, statistics_of
from app.nn import Network, NetworkOutput, Predictions, infer_all, softmax
from app.nn.arrays import Array
from app.nn.evaluation import CALIBRATION_BINS

LEAST_SAMPLES = 100
"""A threshold at one in a hundred needs a hundred samples."""
DIGITS_SHOWN = 6_000
"""The most training images for the outlier head, for each unit of effort."""
LEAST_DIGITS_SHOWN = 1_000
"""The fewest training images for an outlier head."""

COLDEST, HOTTEST = 0.05, 100.0
GOLDEN = (5**0.5 - 1) / 2
SEARCH_STEPS = 60

FloatRows = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Calibrated:
    """The calibration for the card, and the arrays to store with the weights."""

    calibration: Calibration
    arrays: Mapping[str, Array]


def calibrate(
    network: Network,
    labels: Sequence[str],
    *,
    input_scale: float,
    subspaces: Mapping[str, Array] | None,
    validation: Split | None,
    test: Split,
    test_output: NetworkOutput,
    tests: Mapping[str, Split] | None = None,
    known: NDArray[np.uint8] | None = None,
    cache_dir: Path | None = None,
    effort: int = 1,
) -> Calibrated | None:
    """Fit the temperature and the rejection score, and measure both on other images.

    `subspaces` are those of the training images, from `fit_subspaces`; without them there is no rejection score. With
    `validation`, images held out from training, both are fitted on those and measured on `test`; without, fitted on
    every second image of `test` and measured on the others. `test_output` is the output of `network` for `test`.
    `tests` are those of each data set of a mixture, by name; both are fitted to all of these sets alike, and
    measured on each of them too. For a network that reads digits an outlier head learns from `known`, some of the
    training images (N, 28, 28), and from drawings that are not digits, cached in `cache_dir`: with more `effort` from
    so many times as many. Returns None if there are too few images.
    """
    if validation is not None:
        fitted, measured, note = validation, test, None
        names = "validation", "test"
    else:
        fitted, measured = (Split(test.images[i::2], test.labels[i::2]) for i in (0, 1))
        names = "every second test image", "the other test images"
        note = (
            "Training set no images aside, so the temperature, the limits and the threshold are fitted on one half of "
            "the test set and measured on the other. The accuracy is of the whole test set: no label changes by this."
        )
    if min(len(fitted), len(measured)) < LEAST_SAMPLES:
        return None
    infer = partial(infer_all, network, input_scale=input_scale)
    first, second = (
        (test_output[::2], test_output[1::2]) if validation is None else (infer(validation.images), test_output)
    )
    logits = second.logits
    weights = _weights_of(fitted) if tests else None
    if tests and fitted.groups is not None:
        temperature = fit_common_temperature(first.logits, fitted.labels, fitted.groups)
    else:
        temperature = fit_temperature(first.logits, fitted.labels)
    before, after = (Predictions.of(softmax(logits / divisor), measured.labels) for divisor in (1, temperature))
    rejection, outliers = None, None
    if subspaces is not None:
        # Another network may have been trained on letters.
        nondigits = load_nondigits(cache_dir, effort) if tuple(labels) == DIGITS else None
        if nondigits is not None and known is not None and len(known) >= LEAST_DIGITS_SHOWN:
            digits = np.concatenate([known, nondigits.digits])
            others = np.concatenate([*nondigits.shown.values(), pair_digits(known, 2 * SHOWN * effort)])
            outliers = fit_outliers(subspaces, (digits, infer(digits)), (others, infer(others)))
        fit = fit_rejection(subspaces, fitted.images, first, outliers, weights)

        def refused(images: NDArray[np.uint8], output: NetworkOutput) -> float:
            scores = scores_of(statistics_of(subspaces, images, output, outliers), scales_of(fit))
            return float(np.mean(scores < fit.threshold))

        rates = {}
        if nondigits is not None:
            kinds = {**nondigits.measured, "two digits": pair_digits(measured.images, MEASURED)}
            rates = {kind: refused(images, infer(images)) for kind, images in kinds.items()}
        update = {"false_rejection": refused(measured.images, second), "rejected": rates}
        rejection = fit.model_copy(update=update)
    sources = []
    for name, split in (tests or {}).items():
        output = test_output if split is test else infer(split.images)
        predictions = Predictions.of(softmax(output.logits / temperature), split.labels)
        sources.append(
            SourceResult(
                data=name,
                count=len(split),
                accuracy=predictions.accuracy,
                ece=predictions.reliability().error,
                false_rejection=None if rejection is None else refused(split.images, output),
            )
        )
    calibration = Calibration(
        temperature=temperature,
        fitted_on=Samples(data=names[0], samples=len(fitted)),
        measured_on=Samples(data=names[1], samples=len(measured)),
        bins=CALIBRATION_BINS,
        ece_before=before.reliability().error,
        ece_after=after.reliability().error,
        nll_before=_nll(logits, measured.labels, 1.0),
        nll_after=_nll(logits, measured.labels, temperature),
        rejection=rejection,
        note=note,
        sources=sources,
    )
    return Calibrated(calibration, {**(subspaces or {}), **({} if outliers is None else outliers.arrays())})


def _weights_of(split: Split) -> FloatRows | None:
    """The weights (N,) with which each group of images counts as much as the others."""
    if split.groups is None:
        return None
    _, numbers, counts = np.unique(split.groups, return_inverse=True, return_counts=True)
    return 1 / counts[numbers]


def fit_temperature(logits: FloatRows, labels: NDArray[Any]) -> float:
    """The temperature with the least negative log-likelihood of `labels` (N,), between 0.05 and 100.

    Guo et al. 2017, section 4.2. The likelihood has one optimum, which a golden-section search finds.
    """
    low, high = np.log(COLDEST), np.log(HOTTEST)
    for _ in range(SEARCH_STEPS):
        first, second = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        losses = [_nll(logits, labels, float(np.exp(value))) for value in (first, second)]
        if losses[0] <= losses[1]:
            high = second
        else:
            low = first
    return float(np.exp((low + high) / 2))


def fit_common_temperature(logits: FloatRows, labels: NDArray[Any], groups: NDArray[Any]) -> float:
    """The temperature at which the group that is most overconfident and the one that is most underconfident are equally
    far off, so that none is further; `groups` (N,) are their numbers.

    A group's confidence is that of its predictions on average, which a higher temperature lowers in each of them.
    """
    correct = logits.argmax(axis=1) == labels
    members = [groups == group for group in np.unique(groups)]

    def gaps(temperature: float) -> list[float]:
        confidence = softmax(logits / temperature).max(axis=1)
        return [float((confidence[rows] - correct[rows]).mean()) for rows in members]

    low, high = np.log(COLDEST), np.log(HOTTEST)
    for _ in range(SEARCH_STEPS):
        middle = (low + high) / 2
        found = gaps(float(np.exp(middle)))
        if max(found) + min(found) > 0:
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2))


def _nll(logits: FloatRows, labels: NDArray[Any], temperature: float) -> float:
    rows = logits / temperature
    rows -= rows.max(axis=1, keepdims=True)
    losses = np.log(np.exp(rows).sum(axis=1)) - rows[np.arange(len(rows)), labels]
    return max(float(losses.mean()), 0.0)
