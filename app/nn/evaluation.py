"""How good a network is on a set, and whether arrays are fit for it."""

from dataclasses import dataclass

import numpy as np

from app.nn.arrays import Array
from app.nn.errors import SpecError
from app.nn.layers.activations import Softmax
from app.nn.losses import CrossEntropy, Loss
from app.nn.network import Network

EVALUATION_BATCH = 1000


@dataclass(frozen=True)
class Evaluation:
    """Mean loss, and the share of samples whose largest output is the label (None where targets are values)."""

    loss: float
    accuracy: float | None


def evaluate(network: Network, x: Array, t: Array, *, loss: Loss, input_scale: float = 1.0) -> Evaluation:
    """Mean loss and accuracy of `network` on `x` (N, *input_shape) and `t`, as `Trainer` takes them."""
    x, t = check_samples(network, x, t, "evaluation")
    total, correct = 0.0, 0
    inputs = np.empty((min(EVALUATION_BATCH, len(x)), *network.input_shape), network.dtype)
    for start in range(0, len(x), EVALUATION_BATCH):
        raw, targets = x[start : start + EVALUATION_BATCH], t[start : start + EVALUATION_BATCH]
        outputs = network.forward(divide(raw, input_scale, inputs[: len(raw)]), training=False)
        total += loss.total(outputs, targets)
        if t.ndim == 1:
            correct += int(np.count_nonzero(outputs.argmax(axis=1) == targets))
    return Evaluation(total / len(x), correct / len(x) if t.ndim == 1 else None)


def check_loss(network: Network, loss: Loss) -> None:
    """Raise ValueError where `loss` is not one for the outputs of `network`."""
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
            "expected arrays of inputs and targets; got {type}, {type2}",
            field=name,
            type=type(x).__name__,
            type2=type(t).__name__,
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
            "{name} targets: expected {count}, one a sample; got {got}", name=name, count=len(x), got=len(t)
        )
    outputs = int(np.prod(network.output_shape))
    if t.ndim == 1 and t.dtype.kind in "iu":
        if int(t.min()) < 0 or int(t.max()) >= outputs:
            raise SpecError(
                "{name} targets: expected labels from 0 to {value}, one for each of the network's {outputs} "
                "outputs; got {got} to {value2}",
                name=name,
                value=outputs - 1,
                outputs=outputs,
                got=int(t.min()),
                value2=int(t.max()),
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


@dataclass(frozen=True)
class Mistake:
    """A sample that was read wrongly: its place in the set, its label, what was said, and both probabilities."""

    index: int
    label: int
    said: int
    probability: float
    label_probability: float


@dataclass(frozen=True)
class ClassificationReport:
    """`confusion` (K, K) counts samples, a row for each label and a column for each answer.

    `precision` is the share of a label's answers that are right, `recall` the share of a label's samples that are
    found; None where there were none. `mistakes` are the worst ones, those first whose label seemed least likely.
    """

    confusion: Array
    precision: tuple[float | None, ...]
    recall: tuple[float | None, ...]
    mistakes: tuple[Mistake, ...]


def classification_report(
    network: Network, x: Array, t: Array, *, input_scale: float = 1.0, mistakes: int = 30
) -> ClassificationReport:
    """How `network` errs on inputs `x` (N, *input_shape) with integer labels `t` (N,).

    Raises ValueError where they do not fit the network, or are values instead of labels.
    """
    x, t = check_samples(network, x, t, "evaluation")
    if t.ndim != 1:
        raise SpecError(
            "evaluation targets: expected integer labels (N,); got {dtype} {shape}", dtype=t.dtype, shape=t.shape
        )
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
    return ClassificationReport(
        confusion,
        tuple(_share(confusion[label, label], confusion[:, label].sum()) for label in range(labels)),
        tuple(_share(confusion[label, label], confusion[label].sum()) for label in range(labels)),
        tuple(Mistake(int(i), int(t[i]), int(said[i]), float(sure[i]), float(likely[i])) for i in worst),
    )


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


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
        came = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise SpecError("expected an array of real numbers; got {got}", field="inputs", got=came)
    if int(np.prod(x.shape[1:])) != int(np.prod(network.input_shape)):
        raise SpecError(
            "expected the shape (N, {input_shape}); got {shape}",
            field="inputs",
            input_shape=network.input_shape,
            shape=x.shape,
        )
    outputs = np.empty((len(x), *network.output_shape), network.dtype)
    inputs = np.empty((min(EVALUATION_BATCH, len(x)), *network.input_shape), network.dtype)
    for start in range(0, len(x), EVALUATION_BATCH):
        raw = x[start : start + EVALUATION_BATCH]
        outputs[start : start + len(raw)] = network.forward(
            divide(raw, input_scale, inputs[: len(raw)]), training=False
        )
    return outputs


def regression_report(network: Network, x: Array, t: Array, *, input_scale: float = 1.0) -> RegressionReport:
    """How near the outputs for `x` (N, *input_shape) are to the values `t` (N, K), or (N,) of a single output.

    Of targets that are all the same R² is 1 where each is met, else 0. Raises ValueError where `x` and `t` do not fit
    the network, or `t` are labels.
    """
    x, t = check_samples(network, x, t, "evaluation")
    if t.ndim == 1:
        raise SpecError("evaluation targets: expected values, floats; got labels")
    targets = t.astype(np.float64)
    misses = targets - predict(network, x, input_scale=input_scale)
    left = (misses**2).sum(axis=0)
    all_of_it = ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    shares = np.divide(left, all_of_it, out=(left > 0).astype(np.float64), where=all_of_it > 0)
    return RegressionReport(float(1 - shares.mean()), float(np.abs(misses).mean()), float(np.sqrt((misses**2).mean())))
