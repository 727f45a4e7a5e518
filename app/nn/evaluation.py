"""Evaluation of a network on a set: loss, accuracy, confusion, calibration and regression errors."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from app.nn.arrays import Array
from app.nn.errors import SpecError
from app.nn.layers.activations import Softmax
from app.nn.losses import CrossEntropy, Loss
from app.nn.network import Network, NetworkOutput

EVALUATION_BATCH = 1000
CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Evaluation:
    """Mean loss, and the share of samples whose largest output is the label (None where targets are values)."""

    loss: float
    accuracy: float | None


def evaluate(network: Network, x: Array, t: Array, *, loss: Loss, input_scale: float = 1.0) -> Evaluation:
    """Mean loss and accuracy of `network` on `x` (N, *input_shape) and `t`, as `Trainer` takes them."""
    x, t = check_samples(network, x, t, "evaluation")
    return evaluate_outputs(
        (output.outputs for _, output in infer_batches(network, x, input_scale=input_scale)), t, loss=loss
    )


def evaluate_outputs(outputs: Iterable[Array], t: Array, *, loss: Loss) -> Evaluation:
    """Mean loss and accuracy of outputs that come in batches, for the targets `t` of all of them."""
    total, correct, start = 0.0, 0, 0
    for batch in outputs:
        targets = t[start : start + len(batch)]
        total += loss.total(batch, targets)
        if t.ndim == 1:
            correct += int(np.count_nonzero(batch.argmax(axis=1) == targets))
        start += len(batch)
    return Evaluation(total / start, correct / start if t.ndim == 1 else None)


def check_loss(network: Network, loss: Loss) -> None:
    """Raise ValueError if `loss` does not fit the outputs of `network`."""
    if isinstance(loss, CrossEntropy) and isinstance(network.layers[-1], Softmax):
        raise SpecError(
            "cross_entropy takes logits and contains the softmax; leave out the last layer, softmax", field="loss"
        )


def check_samples(network: Network, x: Array, t: Array, name: str) -> tuple[Array, Array]:
    """Return x with the shape (N, *input_shape) and t, values (N,) of one output as (N, 1).

    Raises ValueError where they do not fit the network.
    """
    if not isinstance(x, np.ndarray) or not isinstance(t, np.ndarray) or x.ndim == 0 or t.ndim == 0:
        raise SpecError(
            "expected arrays of inputs and targets; got {inputs}, {targets}",
            field=name,
            inputs=type(x).__name__,
            targets=type(t).__name__,
        )
    if len(network.output_shape) != 1:
        shape = " × ".join(map(str, network.output_shape))
        raise SpecError(
            "expected outputs along one axis; got {shape}; add a flatten or dense layer",
            field="network.layers",
            shape=shape,
        )
    if len(x) == 0:
        raise SpecError("{name} inputs: expected at least one sample; got none", name=name)
    if x.dtype.kind not in "fiu":
        raise SpecError("{name} inputs: expected real numbers; got {dtype}", name=name, dtype=x.dtype)
    if int(np.prod(x.shape[1:])) != int(np.prod(network.input_shape)):
        raise SpecError(
            "{name} inputs: expected the shape (N, {input_shape}); got {shape}",
            name=name,
            input_shape=network.input_shape,
            shape=x.shape,
        )
    if len(t) != len(x):
        raise SpecError(
            "{name} targets: expected {count}, one per sample; got {got}", name=name, count=len(x), got=len(t)
        )
    outputs = int(np.prod(network.output_shape))
    if t.ndim == 1 and t.dtype.kind in "iu":
        if int(t.min()) < 0 or int(t.max()) >= outputs:
            raise SpecError(
                "{name} targets: expected labels from 0 to {last}, one for each of the network's {outputs} "
                "outputs; got {low} to {high}",
                name=name,
                last=outputs - 1,
                outputs=outputs,
                low=int(t.min()),
                high=int(t.max()),
            )
        return x.reshape(len(x), *network.input_shape), t
    if t.dtype.kind == "f" and (t.shape == (len(x), outputs) or (t.ndim == 1 and outputs == 1)):
        return x.reshape(len(x), *network.input_shape), t.reshape(len(x), outputs).astype(network.dtype, copy=False)
    raise SpecError(
        "{name} targets: expected integer labels (N,) or values (N, {outputs}); got {dtype} {shape}",
        name=name,
        outputs=outputs,
        dtype=t.dtype,
        shape=t.shape,
    )


def divide(raw: Array, scale: float, out: Array) -> Array:
    """Write raw / scale into `out`, which has raw's number of elements, and return it."""
    np.copyto(out, raw.reshape(out.shape))
    if scale != 1:
        out /= out.dtype.type(scale)
    return out


def batches(count: int, size: int | None = None) -> Iterator[slice]:
    """The rows of each batch of a set of `count` samples."""
    size = size or EVALUATION_BATCH
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def infer_batches(
    network: Network, x: Array, *, input_scale: float = 1.0, batch_size: int | None = None
) -> Iterator[tuple[slice, NetworkOutput]]:
    """Yield the rows of each batch of `x` (N, *input_shape), of any real dtype, and the network's output for them.

    `input_scale` divides the inputs, as in training. An output may be overwritten when the next one is computed.
    """
    size = batch_size or EVALUATION_BATCH
    inputs = np.empty((min(size, len(x)), *network.input_shape), network.dtype)
    for rows in batches(len(x), size):
        raw = x[rows]
        yield rows, network.infer(divide(raw, input_scale, inputs[: len(raw)]))


def infer_all(network: Network, x: Array, *, input_scale: float = 1.0) -> NetworkOutput:
    """The network's outputs and features for all of `x`, computed batch by batch.

    `input_scale` divides the inputs, as in training. `predict` needs less memory: it keeps no features.
    """
    features = np.empty((len(x), network.feature_count), network.dtype)
    outputs = np.empty((len(x), *network.output_shape), network.dtype)
    for rows, output in infer_batches(network, x, input_scale=input_scale):
        features[rows], outputs[rows] = output.features, output.outputs
    return NetworkOutput(outputs, features, isinstance(network.layers[-1], Softmax))


@dataclass(frozen=True)
class Mistake:
    """A misclassified sample: its index in the set, the true and the predicted label, and the probability of each."""

    index: int
    label: int
    said: int
    probability: float
    label_probability: float


@dataclass(frozen=True)
class ClassificationReport:
    """`confusion` (K, K) counts samples, a row for each label and a column for each answer.

    `precision` is the share of a label's predictions that are right, `recall` the share of its samples that are found;
    None where there were none. `mistakes` are the worst ones, those with the least likely true label first.
    """

    confusion: Array
    precision: tuple[float | None, ...]
    recall: tuple[float | None, ...]
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence and accuracy in bins of equal width, open below: arrays (bins,) of counts and of sums.

    `error` is the expected calibration error. Guo et al. 2017, section 2 and equation 3.
    """

    counts: Array
    confidence: Array
    correct: Array
    error: float


@dataclass(frozen=True, eq=False)
class Predictions:
    """A classifier's predictions for N samples, as arrays (N,).

    `truth` and `predicted` are indices of labels, `confidence` the probability of the predicted label and `likelihood`
    that of the true one.
    """

    truth: Array
    predicted: Array
    confidence: Array
    likelihood: Array

    @classmethod
    def of(cls, probabilities: Array, truth: Array) -> "Predictions":
        """The predictions from probabilities (N, K) and true labels (N,)."""
        rows, predicted = np.arange(len(probabilities)), probabilities.argmax(axis=1)
        return cls(truth.astype(np.int64), predicted, probabilities[rows, predicted], probabilities[rows, truth])

    @classmethod
    def join(cls, parts: Iterable["Predictions"]) -> "Predictions":
        """The predictions of all batches of a set."""
        columns = zip(*((part.truth, part.predicted, part.confidence, part.likelihood) for part in parts), strict=True)
        return cls(*map(np.concatenate, columns))

    @property
    def accuracy(self) -> float:
        """The share of samples whose label was predicted."""
        return float(np.mean(self.predicted == self.truth))

    def confusion(self, labels: int) -> Array:
        """Counts (labels, labels): a row for each true label, a column for each predicted one."""
        counts = np.bincount(self.truth * labels + self.predicted, minlength=labels * labels)
        return counts.reshape(labels, labels)

    def worst(self, count: int) -> Array:
        """The indices of at most `count` mistakes, those with the least likely true label first."""
        wrong = np.flatnonzero(self.predicted != self.truth)
        return wrong[np.argsort(self.likelihood[wrong], kind="stable")][:count]

    def report(self, labels: int, *, mistakes: int = 30) -> ClassificationReport:
        """Confusion, precision, recall and the worst mistakes."""
        confusion = self.confusion(labels)
        right = confusion.diagonal()
        columns = self.truth, self.predicted, self.confidence, self.likelihood
        return ClassificationReport(
            confusion,
            _shares(right, confusion.sum(axis=0)),
            _shares(right, confusion.sum(axis=1)),
            tuple(Mistake(i, *(column[i].item() for column in columns)) for i in self.worst(mistakes).tolist()),
        )

    def reliability(self, bins: int = CALIBRATION_BINS) -> Reliability:
        """The calibration of the confidence."""
        confidence, right = self.confidence.astype(np.float64), self.predicted == self.truth
        indices = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
        gaps = np.bincount(indices, weights=right - confidence, minlength=bins)
        return Reliability(
            np.bincount(indices, minlength=bins),
            np.bincount(indices, weights=confidence, minlength=bins),
            np.bincount(indices, weights=right, minlength=bins),
            float(np.abs(gaps).sum() / len(right)),
        )


def classification_report(
    network: Network, x: Array, t: Array, *, input_scale: float = 1.0, mistakes: int = 30
) -> ClassificationReport:
    """The errors of `network` on inputs `x` (N, *input_shape) with integer labels `t` (N,).

    Raises ValueError if they do not fit the network, or if `t` holds values instead of labels.
    """
    x, t = check_samples(network, x, t, "evaluation")
    if t.ndim != 1:
        raise SpecError(
            "evaluation targets: expected integer labels (N,); got {dtype} {shape}", dtype=t.dtype, shape=t.shape
        )
    predictions = Predictions.join(
        Predictions.of(output.probabilities, t[rows])
        for rows, output in infer_batches(network, x, input_scale=input_scale)
    )
    return predictions.report(int(np.prod(network.output_shape)), mistakes=mistakes)


def _shares(parts: Array, totals: Array) -> tuple[float | None, ...]:
    return tuple(part / total if total else None for part, total in zip(parts.tolist(), totals.tolist(), strict=True))


@dataclass(frozen=True)
class RegressionReport:
    """`r2`, the coefficient of determination: 1 is perfect, 0 as good as the targets' mean; the mean over the outputs.

    `mean_absolute_error` and `root_mean_squared_error` are over all values, in the targets' unit.
    """

    r2: float
    mean_absolute_error: float
    root_mean_squared_error: float


def predict(network: Network, x: Array, *, input_scale: float = 1.0) -> Array:
    """The network's outputs (N, *output_shape) for `x` (N, *input_shape) of any real dtype, batch by batch.

    `input_scale` divides the inputs, as in training. Raises ValueError where `x` does not fit the network.
    """
    if not isinstance(x, np.ndarray) or x.ndim == 0 or x.dtype.kind not in "fiu":
        got = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise SpecError("expected an array of real numbers; got {got}", field="inputs", got=got)
    if int(np.prod(x.shape[1:])) != int(np.prod(network.input_shape)):
        raise SpecError(
            "expected the shape (N, {input_shape}); got {shape}",
            field="inputs",
            input_shape=network.input_shape,
            shape=x.shape,
        )
    outputs = np.empty((len(x), *network.output_shape), network.dtype)
    for rows, output in infer_batches(network, x, input_scale=input_scale):
        outputs[rows] = output.outputs
    return outputs


def regression_report(network: Network, x: Array, t: Array, *, input_scale: float = 1.0) -> RegressionReport:
    """The errors of the outputs for `x` (N, *input_shape), compared with values `t` (N, K), or (N,) for one output.

    If all targets are equal, R² is 1 where the outputs match them exactly, else 0. Raises ValueError if `x` and `t`
    do not fit the network, or if `t` holds labels.
    """
    x, t = check_samples(network, x, t, "evaluation")
    if t.ndim == 1:
        raise SpecError("evaluation targets: expected values, floats; got labels")
    targets = t.astype(np.float64)
    errors = targets - predict(network, x, input_scale=input_scale)
    residual = (errors**2).sum(axis=0)
    total = ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    shares = np.divide(residual, total, out=(residual > 0).astype(np.float64), where=total > 0)
    return RegressionReport(float(1 - shares.mean()), float(np.abs(errors).mean()), float(np.sqrt((errors**2).mean())))
