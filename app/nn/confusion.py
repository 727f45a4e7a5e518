"""How a classifier errs: which labels it takes for which, and where it is most wrong."""

from dataclasses import dataclass

import numpy as np

from app.nn.arrays import Array
from app.nn.evaluation import EVALUATION_BATCH, check_samples, divide
from app.nn.network import Network


@dataclass(frozen=True)
class Mistake:
    """A sample that was read wrongly: its place in the set, its label, what was said, and both probabilities."""

    index: int
    label: int
    said: int
    probability: float
    label_probability: float


@dataclass(frozen=True)
class Report:
    """`confusion` (K, K) counts samples, a row for each label and a column for each answer.

    `precision` is the share of a label's answers that are right, `recall` the share of a label's samples that are
    found; None where there were none. `mistakes` are the worst ones, those first whose label seemed least likely.
    """

    confusion: Array
    precision: tuple[float | None, ...]
    recall: tuple[float | None, ...]
    mistakes: tuple[Mistake, ...]


def report(network: Network, x: Array, t: Array, *, input_scale: float = 1.0, mistakes: int = 30) -> Report:
    """How `network` errs on inputs `x` (N, *input_shape) with integer labels `t` (N,).

    Raises ValueError where they do not fit the network, or are values instead of labels.
    """
    x, t = check_samples(network, x, t, "evaluation")
    if t.ndim != 1:
        raise ValueError(f"evaluation targets: expected integer labels (N,); got {t.dtype} {t.shape}")
    labels = int(np.prod(network.output_shape))
    said, sure, likely = np.empty(len(t), np.int64), np.empty(len(t)), np.empty(len(t))
    inputs = np.empty((min(EVALUATION_BATCH, len(x)), *network.input_shape), network.dtype)
    for start in range(0, len(x), EVALUATION_BATCH):
        rows = slice(start, min(start + EVALUATION_BATCH, len(x)))
        raw = x[rows]
        probabilities = network.probabilities(divide(raw, input_scale, inputs[: len(raw)]))
        each = np.arange(len(raw))
        said[rows] = probabilities.argmax(axis=1)
        sure[rows], likely[rows] = probabilities[each, said[rows]], probabilities[each, t[rows]]
    confusion = np.zeros((labels, labels), np.int64)
    np.add.at(confusion, (t, said), 1)
    wrong = np.flatnonzero(said != t)
    worst = wrong[np.argsort(likely[wrong], kind="stable")][:mistakes]
    return Report(
        confusion,
        tuple(_share(confusion[label, label], confusion[:, label].sum()) for label in range(labels)),
        tuple(_share(confusion[label, label], confusion[label].sum()) for label in range(labels)),
        tuple(Mistake(int(i), int(t[i]), int(said[i]), float(sure[i]), float(likely[i])) for i in worst),
    )


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
