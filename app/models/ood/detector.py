"""How much an image looks like those that a network was trained on: a score, and whether it is enough.

Three statistics of an image are looked at, and for digits a fourth, and the strangest counts:

- the residual: how far the image, at half its resolution, is from the subspace of the training images of the label that
  the network says (principal components of each label; an image that a network calls a 9 should be near the nines);
- the same as a share of the image's ink, which is large where there is little ink, or it is in the wrong place;
- the largest logit, which is small where a network has seen nothing like it (Hendrycks et al. 2022, section 3);
- what a small network says that has been shown digits, and drawings that are none (`outliers`).

Chosen by `benchmarks/rejection.py` among others: without the fourth, a letter's hidden features look like a digit's.
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
"""Shares of the validation images that each statistic alone may refuse; together about one in a hundred."""
FALSE_REJECTION = 0.01

STEEPNESS = 4.0
"""A typical image lies about one spread inside the limit: its score is 1 / (1 + e⁻⁴) = 0.98."""
TINY = 1e-6
"""Keeps the logarithm of a residual finite; a blank image's is far above it."""
LEAST_PER_LABEL = 8
MOST_PER_LABEL = 5_000
ORTHONORMAL_TOLERANCE = 1e-3

MEAN, BASIS = "rejection.mean", "rejection.basis"
ARRAYS = (MEAN, BASIS, *NAMES)
"""What may lie with the weights of a model that has a rejection score."""

FloatRows = NDArray[np.float32]


def _halving() -> FloatRows:
    """The matrix (14, 28) that smooths with (1, 2, 1) / 4 and keeps every second pixel."""
    matrix = np.zeros((HALF, IMAGE_SIZE + 2), np.float32)
    for row in range(HALF):
        matrix[row, 2 * row : 2 * row + 3] = (0.25, 0.5, 0.25)
    return np.ascontiguousarray(matrix[:, 1:-1])


class OutOfDistributionDetector:
    """Scores images for one network; safe to share between threads."""

    def __init__(self, card: Rejection, labels: int, arrays: Mapping[str, Array], *, features: int) -> None:
        """`arrays` holds `rejection.mean` (labels, 196) and `rejection.basis` (labels, 196, components), floats, and
        those of the `outliers` where the card has their scale; the network's last layer is given so many `features`.

        Raises ValueError where they are not what `card` says, not finite, or no orthonormal bases.
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
        """The score, 0 to 1, of an image (28, 28), given the index of the label the network says, and what it saw: its
        `logits` (1, K) and `features` (1, F)."""
        small = (self._halving @ pixels @ self._halving.T).ravel()
        amount = float(small @ small)
        offset = small - self._mean[label]
        along = offset @ self._basis[label]
        residual = math.log(max(float(offset @ offset) - float(along @ along), 0.0) + TINY)
        statistics = (residual, residual - math.log(amount + TINY), -float(logits[0, label]))
        card = self.card
        strangest = max(
            _strangeness(value, scale)
            for value, scale in zip(statistics, (card.residual, card.relative, card.logit), strict=True)
        )
        if self._outliers is not None and card.outliers is not None:
            rows = _features(np.array([statistics]), logits, features, small[None].astype(np.float32))
            own = self._outliers.anomaly_score(rows)
            strangest = max(strangest, _strangeness(float(own[0]), card.outliers))
        return score(strangest)

    def is_known(self, score: float) -> bool:
        """Whether an image of that score looks like what the network was trained on."""
        return score >= self.card.threshold


def score(strangeness: float) -> float:
    """The score of a strangeness: 0.5 where that is 0, falling to 0."""
    # Beyond ±50 the exponential says nothing more, and further out it would overflow.
    return 1 / (1 + math.exp(STEEPNESS * min(max(strangeness, -50.0), 50.0)))


def halved(images: NDArray[Any]) -> FloatRows:
    """Images (N, 28, 28), uint8 or 0 to 1, at half their resolution: float32 (N, 196), 0 to 1."""
    half = _halving()
    if images.dtype == np.uint8:
        half = half / np.sqrt(np.float32(255))
    return (half @ images.astype(np.float32) @ half.T).reshape(len(images), HALF * HALF)


def fit_subspaces(images: NDArray[np.uint8], labels: NDArray[Any], count: int) -> dict[str, FloatRows] | None:
    """Fit the arrays of a detector for `count` labels to training images; None where a label has too few of them."""
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
    """Train what tells digits from what is none on images (N, 28, 28) of both, with what the network saw in them.

    `arrays` are those of `fit_subspaces`.
    """
    return fit_outlier_head(*(_inputs(_statistics(arrays, *own), *own) for own in (known, others)))


def fit_rejection(
    arrays: Mapping[str, FloatRows], images: NDArray[np.uint8], seen: NetworkOutput, outliers: OutlierHead | None = None
) -> Rejection:
    """Limits, spreads and the threshold from validation images (N, 28, 28), with what the network saw in them."""
    statistics = statistics_of(arrays, images, seen, outliers)
    shares = SHARES if outliers is None else SHARES_WITH_OUTLIERS
    scales = [_scale(values, share) for values, share in zip(statistics, shares, strict=True)]
    scores = scores_of(statistics, scales)
    # Of equal scores none is refused, so it is never more than the share.
    threshold = float(np.quantile(scores, FALSE_REJECTION, method="lower"))
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
    arrays: Mapping[str, FloatRows], images: NDArray[np.uint8], seen: NetworkOutput, outliers: OutlierHead | None = None
) -> list[NDArray[np.float64]]:
    """The statistics of images (N, 28, 28), each (N,), larger is stranger: three, or four with `outliers`."""
    found = _statistics(arrays, images, seen)
    if outliers is not None:
        found.append(outliers.anomaly_score(_inputs(found, images, seen)))
    return found


def scales_of(card: Rejection) -> list[Scale]:
    """The scales of a card's statistics, in the order of `statistics_of`."""
    scales = [card.residual, card.relative, card.logit]
    return scales if card.outliers is None else [*scales, card.outliers]


def scores_of(statistics: Sequence[NDArray[np.float64]], scales: Sequence[Scale]) -> NDArray[np.float64]:
    """The scores of many images at once, (N,), from their statistics and what scales those."""
    strangeness = np.max(
        [(values - scale.limit) / scale.spread for values, scale in zip(statistics, scales, strict=True)], axis=0
    )
    return np.array([score(value) for value in strangeness.tolist()])


def _statistics(
    arrays: Mapping[str, FloatRows], images: NDArray[np.uint8], seen: NetworkOutput
) -> list[NDArray[np.float64]]:
    said, rows = seen.logits.argmax(axis=1), halved(images)
    residuals = np.zeros(len(rows))
    for label in np.unique(said):
        mine = said == label
        offsets = rows[mine] - arrays[MEAN][label]
        along = offsets @ arrays[BASIS][label]
        residuals[mine] = (offsets * offsets).sum(axis=1) - (along * along).sum(axis=1)
    residuals = np.log(np.maximum(residuals, 0) + TINY)
    return [residuals, residuals - np.log((rows * rows).sum(axis=1) + TINY), -seen.logits.max(axis=1)]


def _inputs(statistics: Sequence[NDArray[np.float64]], images: NDArray[np.uint8], seen: NetworkOutput) -> FloatRows:
    return _features(np.stack(statistics, axis=1), seen.logits, seen.features, halved(images))


def _features(statistics: NDArray[np.float64], logits: Array, features: Array, small: FloatRows) -> FloatRows:
    """What `outliers` is given, float32 (N, F): `statistics` (N, 3), what the network saw, `small` images (N, 196)."""
    parts = (statistics, np.sort(logits, axis=1)[:, ::-1], features, small)
    return np.concatenate([part.astype(np.float32, copy=False) for part in parts], axis=1)


def _strangeness(value: float, scale: Scale) -> float:
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
            "expected floats of the shape {shape}; got {dtype} {shape2}",
            field=f"weights[{name}]",
            shape=shape,
            dtype=array.dtype,
            shape2=array.shape,
        )
    if not np.isfinite(array).all():
        raise InputError("expected finite numbers; got NaN or infinity", field=f"weights[{name}]")
    if np.abs(array).max() > 1 + ORTHONORMAL_TOLERANCE:
        raise InputError("expected numbers from −1 to 1", field=f"weights[{name}]")
    return np.ascontiguousarray(array, np.float32)
