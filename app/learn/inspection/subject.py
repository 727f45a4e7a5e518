"""What the pages look into: a copy of a stored network, with one drawing before it."""

import math
from dataclasses import dataclass

import numpy as np

from app.errors import InputError, MessageError
from app.models import DamagedModelError, ModelCard, ModelStore, UnknownModelError
from app.nn import LOSSES, CrossEntropy, Loss, Network, build
from app.nn.arrays import Array
from app.nn.evaluation import check_loss
from app.nn.layers.activations import Softmax, softmax
from app.nn.layers.convolution import Conv2D
from app.nn.layers.core import Dense, Dropout, Layer
from app.nn.layers.normalization import BatchNorm
from app.nn.network import LAYERS

BYTE_MAX = 255
MOST_PARAMETERS = 5_000_000
"""Of a network that is looked into: one answer keeps up to five vectors of that length, in float64."""
MOST_WORK = 20_000_000_000
"""Multiplications of one answer: some seconds of one processor."""
COPY = 20
"""Multiplications, many of them in one product of matrices, in the time that it takes to write one number elsewhere."""


class TooLargeError(MessageError):
    """The network is too large for what was asked; the message says what is possible."""

    code = "too_large"


class FixedBatchNorm(BatchNorm):
    """Batch normalization that keeps to its running mean and variance, forward and backward, as when it reads.

    A batch of one drawing has no variance of its own.
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
    """A model's card, a network of its own for this question, and a drawing as it takes it, `x` (1, *input_shape)."""

    card: ModelCard
    network: Network
    x: Array
    pixels: Array
    """The drawing, (28, 28), 0 is paper and 1 is ink."""

    @property
    def scale(self) -> float:
        """By what pixels from 0 to 1 are multiplied before they reach the network."""
        return BYTE_MAX / self.card.input_scale

    @property
    def body(self) -> int:
        """How many layers come before the probabilities: all, or all but the softmax at the end."""
        layers = self.network.layers
        return len(layers) - isinstance(layers[-1], Softmax)

    def label(self, text: str | None) -> int:
        """The index of a label; of what the network says where it is None. Raises ValueError."""
        if text is None:
            return int(self.network.forward(self.x, training=False)[0].argmax())
        if text not in self.card.labels:
            raise InputError(
                "expected one of {value}; got {given}",
                field="label",
                value=", ".join(self.card.labels)[:200],
                given=repr(text[:40]),
            )
        return self.card.labels.index(text)

    def probabilities(self, x: Array) -> Array:
        """Float64 (N, K), each row summing to 1, of inputs (N, *input_shape); as the loss sees them, not calibrated."""
        return softmax(self.scores(x))

    def scores(self, x: Array) -> Array:
        """The logits, float64 (N, K): what the softmax is given."""
        for layer in self.network.layers[: self.body]:
            x = layer.forward(x, training=False)
        return finite(self.card, x).astype(np.float64).reshape(len(x), -1)

    @property
    def names_loss(self) -> bool:
        """Whether the card says which loss the network was trained with."""
        return _loss_of(self.card, self.network) is not None

    def loss(self) -> Loss:
        """The loss that the network was trained with; cross-entropy where its card does not say so."""
        return _loss_of(self.card, self.network) or CrossEntropy()

    def affordable(self) -> int:
        """How many passes through the network one answer may take."""
        return MOST_WORK // max(1, forward_cost(self.network))

    def afford(self, what: str, times: int) -> None:
        """Raise TooLargeError where so many passes through the network are too many."""
        if times > self.affordable():
            possible = f"at most {self.affordable():,} passes through a network as large as {self.card.name}"
            raise TooLargeError(
                "{what}: expected {possible}; got {times}", what=what, possible=possible, times=f"{times:,}"
            )


def open_subject(store: ModelStore, name: str | None, pixels: Array, *, dtype: str | None = None) -> InspectedNetwork:
    """Read a model, or the default one, from the store, and put a drawing (28, 28) before it.

    The network is nobody else's: Dropout lets everything pass, and batch normalization keeps to its running values, so
    that the network learns as the one that reads. Where the card names no loss that fits, it is taken to be
    cross-entropy, which contains the softmax: a softmax at the end is then left out. `dtype` is the network's own
    unless one is given. Raises UnknownModelError, DamagedModelError and TooLargeError.
    """
    name = name or store.default()
    if name is None:
        raise UnknownModelError("there is no model yet: train one, or restore the one that ships with digitpad")
    card, stored = store.load(name)
    if stored.params.size > MOST_PARAMETERS:
        raise TooLargeError(
            "expected a network of at most {most_parameters} parameters to look into; {name} has {size}",
            most_parameters=f"{MOST_PARAMETERS:,}",
            name=card.name,
            size=f"{stored.params.size:,}",
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
    """The loss that a card names; None where it names none, or none that fits the network's outputs."""
    if "loss" not in card.config:
        return None
    try:
        found = build("loss", LOSSES, card.config["loss"])
        check_loss(network, found)
    except ValueError:
        return None
    return found


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
    """The array itself. Raises DamagedModelError where it has NaN or infinity."""
    if not np.isfinite(array).all():
        raise DamagedModelError("the model {name} cannot be used: its outputs are not finite numbers", name=card.name)
    return array


def forward_cost(network: Network) -> int:
    """About how many it takes to read one image; a number that is written somewhere counts as COPY of them.

    A convolution writes each window that its filters are laid on, and what they give there.
    """
    total = 0
    for layer in network.layers:
        if isinstance(layer, Dense):
            total += layer.inputs * layer.units
        elif isinstance(layer, Conv2D):
            window = math.prod(layer.parameter_shapes()["weight"]) // layer.filters
            total += (layer.filters * window + COPY * (window + layer.filters)) * layer.out_height * layer.out_width
        else:
            total += COPY * math.prod(layer.input_shape)
    return total


def activations(network: Network) -> int:
    """How many numbers all layers together give for one image."""
    shapes = [*(layer.input_shape for layer in network.layers[1:]), network.output_shape]
    return sum(math.prod(shape) for shape in shapes)
