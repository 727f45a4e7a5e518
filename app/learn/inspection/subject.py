"""The subject of an inspection: a copy of a stored network, and a drawing."""

import math
from dataclasses import dataclass

import numpy as np

from app.errors import InputError
from app.models import DamagedModelError, ModelCard, ModelStore, UnknownModelError
from app.models.cost import MOST_WORK, TooLargeError, check_affordable, prediction_cost
from app.nn import LOSSES, CrossEntropy, Loss, Network, build
from app.nn.arrays import Array
from app.nn.evaluation import check_loss
from app.nn.layers.activations import Softmax, softmax
from app.nn.layers.core import Dropout, Layer
from app.nn.layers.normalization import BatchNorm
from app.nn.network import LAYERS

BYTE_MAX = 255
TEACHING_MODEL = "teaching-mlp"
"""The shipped model that was made for the lessons; `python -m app teaching-model` trains it."""
MOST_PARAMETERS = 5_000_000
"""The most parameters of an inspected network; an answer needs up to five vectors of that length, in float64."""


class FixedBatchNorm(BatchNorm):
    """Batch normalization with its running mean and variance, forward and backward, as at inference.

    A batch of one drawing has no variance.
    """

    def forward(self, x: Array, *, training: bool) -> Array:
        if training:
            self._x = x.reshape(len(x), *self._full_shape)
        return super().forward(x, training=False)

    def backward(self, grad: Array) -> Array:
        """With the fixed μ and σ²: dβ = Σg, dγ = Σg·x̂, dx = γ/√(σ² + ε) · g."""
        g = grad.reshape(len(grad), *self._full_shape)
        inverse = 1 / np.sqrt(self.state["running_variance"] + self.epsilon)
        normalized = (self._x - self._along(self.state["running_mean"])) * self._along(inverse)
        np.sum(g * normalized, axis=self._axes, out=self.grads["gamma"])
        np.sum(g, axis=self._axes, out=self.grads["beta"])
        dx: Array = (g * self._along(self.params["gamma"] * inverse)).reshape(grad.shape)
        return dx


@dataclass(frozen=True, eq=False)
class InspectedNetwork:
    """A model's card, a copy of its network, and a drawing as its input `x` (1, *input_shape)."""

    card: ModelCard
    network: Network
    x: Array
    pixels: Array
    """The drawing, (28, 28), 0 is paper and 1 is ink."""

    @property
    def scale(self) -> float:
        """The factor from pixels in 0 to 1 to the network's inputs."""
        return BYTE_MAX / self.card.input_scale

    @property
    def body(self) -> int:
        """The number of layers before the probabilities: all, or all but the softmax at the end."""
        layers = self.network.layers
        return len(layers) - isinstance(layers[-1], Softmax)

    def label(self, text: str | None) -> int:
        """The index of a label; None is the predicted label. Raises ValueError."""
        if text is None:
            return int(self.network.forward(self.x, training=False)[0].argmax())
        if text not in self.card.labels:
            raise InputError(
                "expected one of {names}; got {value}",
                field="label",
                names=", ".join(self.card.labels)[:200],
                value=repr(text[:40]),
            )
        return self.card.labels.index(text)

    def probabilities(self, x: Array) -> Array:
        """The probabilities, float64 (N, K), of inputs (N, *input_shape), as in the loss, without calibration."""
        return softmax(self.scores(x))

    def scores(self, x: Array) -> Array:
        """The logits, float64 (N, K): the inputs of the softmax."""
        for layer in self.network.layers[: self.body]:
            x = layer.forward(x, training=False)
        return finite(self.card, x).astype(np.float64).reshape(len(x), -1)

    @property
    def names_loss(self) -> bool:
        """True if the card names the loss of the training."""
        return _loss_of(self.card, self.network) is not None

    def loss(self) -> Loss:
        """The loss of the training, without its label smoothing; cross-entropy if the card does not name it.

        Smoothed, the gradient would make a network that is surer than the smoothed target less sure of the true label.
        """
        loss = _loss_of(self.card, self.network)
        return CrossEntropy() if loss is None or isinstance(loss, CrossEntropy) else loss

    @property
    def label_smoothing(self) -> float:
        """The label smoothing of the training, which `loss` leaves out."""
        loss = _loss_of(self.card, self.network)
        return loss.label_smoothing if isinstance(loss, CrossEntropy) else 0.0

    def affordable(self) -> int:
        """The most passes through the network for an answer."""
        return MOST_WORK // max(1, prediction_cost(self.network))

    def afford(self, field: str, times: int) -> None:
        """Raise TooLargeError if `times` passes through the network are too many."""
        check_affordable(self.card.name, prediction_cost(self.network), times, most=MOST_WORK, field=field)


def open_subject(store: ModelStore, name: str | None, pixels: Array, *, dtype: str | None = None) -> InspectedNetwork:
    """Load a model, by default the default model, to inspect it with a drawing (28, 28).

    The network is a copy without dropout, and with batch normalization by its running values, so that it learns in
    inference mode. If the card names no suitable loss, cross-entropy is assumed, which contains the softmax: a softmax
    at the end is then left out. `dtype` is by default the network's. Raises UnknownModelError, DamagedModelError and
    TooLargeError.
    """
    name = name or store.default()
    if name is None:
        raise UnknownModelError("there is no model yet: train one, or restore the one that ships with digitpad")
    card, stored = store.load(name)
    if stored.params.size > MOST_PARAMETERS:
        raise TooLargeError(
            "expected a network of at most {most} parameters to look into; {name} has {count}",
            most=f"{MOST_PARAMETERS:,}",
            name=card.name,
            count=f"{stored.params.size:,}",
        )
    if math.prod(stored.input_shape) != pixels.size or stored.output_shape != (len(card.labels),):
        raise DamagedModelError("the model {name} cannot be used: it does not take 28×28 pixels", name=card.name)
    network = _twin(stored, dtype or str(stored.dtype), without_softmax=_loss_of(card, stored) is None)
    x = (pixels.astype(network.dtype) * network.dtype.type(BYTE_MAX / card.input_scale)).reshape(
        1, *network.input_shape
    )
    finite(card, stored.forward(x.astype(stored.dtype), training=False))
    return InspectedNetwork(card, network, x, pixels)


def _loss_of(card: ModelCard, network: Network) -> Loss | None:
    """The loss in a card; None if there is none, or if it does not fit the network's outputs."""
    if "loss" not in card.config:
        return None
    try:
        loss = build("loss", LOSSES, card.config["loss"])
        check_loss(network, loss)
    except ValueError:
        return None
    return loss


def _twin(stored: Network, dtype: str, *, without_softmax: bool) -> Network:
    kinds: dict[str, type[Layer]] = {**LAYERS, BatchNorm.type: FixedBatchNorm}
    taken = list(stored.layers)
    if without_softmax and isinstance(taken[-1], Softmax):
        taken.pop()
    layers = []
    for index, layer in enumerate(taken):
        made = build(f"layers[{index}]", kinds, layer.spec())
        if isinstance(made, Dropout):
            made.rate = 0.0
        layers.append(made)
    network = Network(layers, stored.input_shape, dtype=dtype, generator=stored.generator)
    network.load_weights(stored.weights())
    for layer in network.layers:
        layer.needs_input_gradient = True
    return network


def finite(card: ModelCard, array: Array) -> Array:
    """Return the array; raise DamagedModelError if it has NaN or infinity."""
    if not np.isfinite(array).all():
        raise DamagedModelError("the model {name} cannot be used: its outputs are not finite numbers", name=card.name)
    return array


def activations(network: Network) -> int:
    """The number of outputs of all layers for one image."""
    shapes = [*(layer.input_shape for layer in network.layers[1:]), network.output_shape]
    return sum(math.prod(shape) for shape in shapes)
