"""Out-of-distribution detection: a score for the similarity of an image to the training images.

Of three statistics of an image, and for digits a fourth, the most anomalous counts:

- the residual: the distance of the image, at half its resolution, from the subspace of the training images of the
  predicted label (principal components of each label; an image predicted as 9 should be near the nines);
- the same relative to the image's ink, which is large if there is little ink, or if it is in the wrong place;
- the largest logit, which is small for unfamiliar images (Hendrycks et al. 2022, section 3);
- the output of a small network trained on digits, and on drawings that are not (`outliers`).

They were chosen with `benchmarks/rejection.py`: without the fourth, a letter's features look like a digit's.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.data.preprocessing.normalize import IMAGE_SIZE
from app.errors import InputError
from app.models.card import Rejection, Scale
from app.models.ood.outlier_head import NAMES, OutlierHead, fit_outlier_head
from app.nn import NetworkOutput
from app.nn.arrays import Array

COMPONENTS = 24
HALF = IMAGE_SIZE // 2
SHARES = (0.007, 0.002, 0.002)
SHARES_WITH_OUTLIERS = (0.0005, 0.0005, 0.0005, 0.009)
"""The share of validation images that each statistic alone may refuse; together about one in a hundred."""
FALSE_REJECTION = 0.008

STEEPNESS = 4.0
"""A typical image is about one spread inside the limit, with a score of 1 / (1 + e⁻⁴) = 0.98."""
TINY = 1e-6
"""Keeps the logarithm of a residual finite; a blank image's residual is far above it."""
LEAST_PER_LABEL = 8
MOST_PER_LABEL = 5_000
ORTHONORMAL_TOLERANCE = 1e-3

MEAN, BASIS = "rejection.mean", "rejection.basis"
ARRAYS = (MEAN, BASIS, *NAMES)
"""The arrays of the rejection score among a model's weights."""

FloatRows = NDArray[np.float32]


def _halving() -> FloatRows:
    """The matrix (14, 28) that smooths with (1, 2, 1) / 4 and keeps every second pixel."""
    matrix = np.zeros((HALF, IMAGE_SIZE + 2), np.float32)
    for row in range(HALF):
        matrix[row, 2 * row : 2 * row + 3] = (0.25, 0.5, 0.25)
    return np.ascontiguousarray(matrix[:, 1:-1])


class OutOfDistributionDetector:
    """Scores images for one network. Thread-safe."""

    def __init__(self, card: Rejection, labels: int, arrays: Mapping[str, Array], *, features: int) -> None:
        """`arrays` has the floats `rejection.mean` (labels, 196) and `rejection.basis` (labels, 196, components), and
        those of the outlier head if the card has its scale; `features` is the size of the last layer's input.

        Raises ValueError if they do not fit `card`, are not finite, or if the bases are not orthonormal.
        """
        self.card = card
        size = HALF * HALF
        self._mean = _checked(arrays, MEAN, (labels, size))
        self._basis = _checked(arrays, BASIS, (labels, size, card.components))
        grams = self._basis.transpose(0, 2, 1) @ self._basis
        if np.abs(grams - np.eye(card.components)).max() > ORTHONORMAL_TOLERANCE:
            raise InputError("expected orthonormal bases", field=f"weights[{BASIS}]")
        self._halving = _halving()
        inputs = len(SHARES) + labels + features + size
        self._outliers = None if card.outliers is None else OutlierHead.of(arrays, inputs)

    def score(self, pixels: FloatRows, label: int, logits: Array, features: Array) -> float:
        """The score, 0 to 1, of an image (28, 28), from the index of the predicted label, the network's `logits` (1, K)
        and its `features` (1, F)."""
        small = (self._halving @ pixels @ self._halving.T).ravel()
        amount = float(small @ small)
        offset = small - self._mean[label]
        along = offset @ self._basis[label]
        residual = math.log(max(float(offset @ offset) - float(along @ along), 0.0) + TINY)
        statistics = (residual, residual - math.log(amount + TINY), -float(logits[0, label]))
        card = self.card
        anomaly = max(
            _scaled(value, scale)
            for value, scale in zip(statistics, (card.residual, card.relative, card.logit), strict=True)
        )
        if self._outliers is not None and card.outliers is not None:
            rows = _features(np.array([statistics]), logits, features, small[None].astype(np.float32))
            anomaly = max(anomaly, _scaled(float(self._outliers.anomaly_score(rows)[0]), card.outliers))
        return score(anomaly)

    def is_known(self, score: float) -> bool:
        """True if an image with this score is similar to the training images."""
        return score >= self.card.threshold


def score(anomaly: float) -> float:
    """The score for a scaled statistic: 0.5 at the limit 0, falling to 0."""
    # Clipped at ±50, where the result is 0 or 1, to avoid an overflow.
    return 1 / (1 + math.exp(STEEPNESS * min(max(anomaly, -50.0), 50.0)))


def halved(images: NDArray[Any]) -> FloatRows:
    """Images (N, 28, 28), uint8 or 0 to 1, at half their resolution: float32 (N, 196), 0 to 1."""
    half = _halving()
    if images.dtype == np.uint8:
        half = half / np.sqrt(np.float32(255))
    return (half @ images.astype(np.float32) @ half.T).reshape(len(images), HALF * HALF)


def fit_subspaces(images: NDArray[np.uint8], labels: NDArray[Any], count: int) -> dict[str, FloatRows] | None:
    """Fit the arrays of a detector for `count` labels to training images; None if a label has too few images."""
    groups = [np.flatnonzero(labels == label)[:MOST_PER_LABEL] for label in range(count)]
    components = min(COMPONENTS, min(map(len, groups)) // 4)
    if components < LEAST_PER_LABEL // 4:
        return None
    means, bases = [], []
    for group in groups:
        rows = halved(images[group])
        mean = rows.mean(axis=0)
        rows -= mean
        vectors = np.linalg.eigh((rows.T @ rows).astype(np.float64))[1]
        means.append(mean)
        bases.append(vectors[:, ::-1][:, :components].astype(np.float32))
    return {MEAN: np.stack(means), BASIS: np.stack(bases)}


def fit_outliers(
    arrays: Mapping[str, FloatRows],
    known: tuple[NDArray[np.uint8], NetworkOutput],
    others: tuple[NDArray[np.uint8], NetworkOutput],
) -> OutlierHead:
    """Train the outlier head on images (N, 28, 28) of digits and of other drawings, with the network's outputs.

    `arrays` are those of `fit_subspaces`.
    """
    return fit_outlier_head(*(_inputs(_statistics(arrays, *group), *group) for group in (known, others)))


def fit_rejection(
    arrays: Mapping[str, FloatRows],
    images: NDArray[np.uint8],
    output: NetworkOutput,
    outliers: OutlierHead | None = None,
    weights: NDArray[np.float64] | None = None,
) -> Rejection:
    """The limits, spreads and threshold for validation images (N, 28, 28) with the network's outputs.

    The images may have `weights` (N,) in the share that is refused.
    """
    statistics = statistics_of(arrays, images, output, outliers)
    shares = SHARES if outliers is None else SHARES_WITH_OUTLIERS
    scales = [_scale(values, share) for values, share in zip(statistics, shares, strict=True)]
    scores = scores_of(statistics, scales)
    # Scores equal to the threshold pass, so the refused share is never larger.
    threshold = float(np.quantile(scores, FALSE_REJECTION, method="inverted_cdf", weights=weights))
    return Rejection(
        components=arrays[BASIS].shape[2],
        residual=scales[0],
        relative=scales[1],
        logit=scales[2],
        outliers=None if outliers is None else scales[3],
        threshold=threshold,
        false_rejection=float(np.mean(scores < threshold)),
    )


def statistics_of(
    arrays: Mapping[str, FloatRows],
    images: NDArray[np.uint8],
    output: NetworkOutput,
    outliers: OutlierHead | None = None,
) -> list[NDArray[np.float64]]:
    """The statistics of images (N, 28, 28), each (N,), larger is more anomalous: three, or four with `outliers`."""
    found = _statistics(arrays, images, output)
    if outliers is not None:
        found.append(outliers.anomaly_score(_inputs(found, images, output)))
    return found


def scales_of(card: Rejection) -> list[Scale]:
    """The scales of a card's statistics, in the order of `statistics_of`."""
    scales = [card.residual, card.relative, card.logit]
    return scales if card.outliers is None else [*scales, card.outliers]


def scores_of(statistics: Sequence[NDArray[np.float64]], scales: Sequence[Scale]) -> NDArray[np.float64]:
    """The scores (N,) of many images from their statistics and the scales of those."""
    anomalies = np.max(
        [(values - scale.limit) / scale.spread for values, scale in zip(statistics, scales, strict=True)], axis=0
    )
    return np.array([score(value) for value in anomalies.tolist()])


def _statistics(
    arrays: Mapping[str, FloatRows], images: NDArray[np.uint8], output: NetworkOutput
) -> list[NDArray[np.float64]]:
    labels, rows = output.logits.argmax(axis=1), halved(images)
    residuals = np.zeros(len(rows))
    for label in np.unique(labels):
        group = labels == label
        offsets = rows[group] - arrays[MEAN][label]
        along = offsets @ arrays[BASIS][label]
        residuals[group] = (offsets * offsets).sum(axis=1) - (along * along).sum(axis=1)
    residuals = np.log(np.maximum(residuals, 0) + TINY)
    return [residuals, residuals - np.log((rows * rows).sum(axis=1) + TINY), -output.logits.max(axis=1)]


def _inputs(statistics: Sequence[NDArray[np.float64]], images: NDArray[np.uint8], output: NetworkOutput) -> FloatRows:
    return _features(np.stack(statistics, axis=1), output.logits, output.features, halved(images))


def _features(statistics: NDArray[np.float64], logits: Array, features: Array, small: FloatRows) -> FloatRows:
    """The inputs of the outlier head, float32 (N, F), from `statistics` (N, 3), outputs and `small` images (N, 196)."""
    parts = (statistics, np.sort(logits, axis=1)[:, ::-1], features, small)
    return np.concatenate([part.astype(np.float32, copy=False) for part in parts], axis=1)


def _scaled(value: float, scale: Scale) -> float:
    return (value - scale.limit) / scale.spread


def _scale(values: NDArray[np.float64], share: float) -> Scale:
    middle, limit = np.quantile(values, [0.5, 1 - share])
    return Scale(limit=float(limit), spread=max(float(limit - middle), 1e-3))


def _checked(arrays: Mapping[str, Array], name: str, shape: tuple[int, ...]) -> FloatRows:
    array = arrays.get(name)
    if array is None:
        raise InputError("expected {name}, which the card's calibration needs; got none", field="weights", name=name)
    if array.shape != shape or array.dtype.kind != "f":
        raise InputError(
            "expected floats of the shape {shape}; got {dtype} {got}",
            field=f"weights[{name}]",
            shape=shape,
            dtype=array.dtype,
            got=array.shape,
        )
    if not np.isfinite(array).all():
        raise InputError("expected finite numbers; got NaN or infinity", field=f"weights[{name}]")
    if np.abs(array).max() > 1 + ORTHONORMAL_TOLERANCE:
        raise InputError("expected numbers from −1 to 1", field=f"weights[{name}]")
    return np.ascontiguousarray(array, np.float32)
