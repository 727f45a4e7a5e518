"""Optimizers, in order of increasing complexity.

An optimizer works on the network's two flat vectors. The base class goes through them in pieces that fit the
processor's cache, as most rules read and write several vectors of the same length; a subclass defines its rule for
one piece. g is the gradient, p the parameters, η the learning rate.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from app.nn.arrays import Array
from app.nn.errors import SpecError
from app.nn.spec import abbreviate, number

PIECE = 65_536
"""Parameters updated at a time.

In float32 a piece of four vectors and the scratch space take 1.3 MB, about a second-level cache. With smaller pieces
NumPy's overhead per call shows: Adam takes 0.98 ns a parameter, but 1.4 in pieces a quarter as long.
"""


class Optimizer:
    """Updates parameters so that the loss falls."""

    type: ClassVar[str]
    slots: ClassVar[tuple[str, ...]] = ()
    """Names of the state vectors, as long as the parameters, that the rule keeps from step to step."""
    decayed: int | None = None
    """The number of leading parameters that a rule with its own weight decay decays; None for all."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = number("learning_rate", learning_rate, above=0)
        self.steps = 0
        self.state: dict[str, Array] = {}
        self._work: dict[int, Array] = {}

    def step(self, params: Array, grads: Array, *, scale: float = 1.0) -> None:
        """Update `params` in place. Both are one-dimensional, of one dtype and one length, the same in every call.

        `scale` is the schedule's factor of the learning rate in this step.
        """
        self.begin_step(params)
        self.apply(params, grads, slice(0, len(params)), scale=scale)

    def begin_step(self, params: Array) -> None:
        """Count a step; then call `apply` once for every part of the vectors."""
        if not self.state and self.slots:
            self.state = {slot: np.zeros_like(params) for slot in self.slots}
        self.steps += 1

    def apply(self, params: Array, grads: Array, part: slice, *, scale: float = 1.0) -> None:
        """Do the current step for one part; threads may do disjoint parts at the same time."""
        rate = self.learning_rate * scale
        work = self._work.get(part.start)
        length = min(PIECE, part.stop - part.start)
        if work is None or len(work) < length or work.dtype != params.dtype:
            work = self._work[part.start] = np.empty(length, params.dtype)
        for start in range(part.start, part.stop, PIECE):
            piece = slice(start, min(start + PIECE, part.stop))
            p = params[piece]
            self.update(p, grads[piece], rate, work[: len(p)], *(self.state[slot][piece] for slot in self.slots))

    def update(self, p: Array, g: Array, rate: float, work: Array, *slots: Array) -> None:
        """Apply the rule to one piece, in place; `work` is scratch space, `slots` come in the order of the class."""
        raise NotImplementedError

    def spec(self) -> dict[str, Any]:
        """The JSON from which an equal optimizer can be built, without its state."""
        settings = {
            key: value for key, value in vars(self).items() if key not in ("steps", "state", "_work", "decayed")
        }
        return {"type": self.type, **settings}

    def restore(self, steps: int, state: Mapping[str, Array]) -> None:
        """Continue from the `steps` and `state` of an optimizer of this type."""
        if state and set(state) != set(self.slots):
            raise SpecError(
                "expected the arrays {names}; got {got}",
                field="state",
                names=abbreviate(list(self.slots)),
                got=abbreviate(list(state)),
            )
        self.steps = steps
        self.state = {slot: np.array(vector) for slot, vector in state.items()}


class SGD(Optimizer):
    """p ← p − ηg."""

    type = "sgd"

    def __init__(self, learning_rate: float = 0.01) -> None:
        super().__init__(learning_rate)

    def update(self, p: Array, g: Array, rate: float, work: Array, *slots: Array) -> None:
        np.multiply(g, rate, out=work)
        p -= work


class Momentum(Optimizer):
    """v ← μv − ηg; p ← p + v. Polyak 1964."""

    type = "momentum"
    slots = ("velocity",)

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.9) -> None:
        super().__init__(learning_rate)
        self.momentum = number("momentum", momentum, low=0, below=1)

    def update(self, p: Array, g: Array, rate: float, work: Array, *slots: Array) -> None:
        (v,) = slots
        np.multiply(g, rate, out=work)
        v *= self.momentum
        v -= work
        p += v


class Nesterov(Momentum):
    """v ← μv − ηg; p ← p + μv − ηg: the gradient at the look-ahead point. Nesterov 1983; Sutskever et al. 2013,
    section 2, in the form of Bengio, Boulanger-Lewandowski and Pascanu 2013, equation 7.

    v contains the learning rate, as in `Momentum`. PyTorch keeps v/η instead: the steps are the same for a constant η;
    when a schedule lowers it, these keep the old speed for a while.
    """

    type = "nesterov"

    def update(self, p: Array, g: Array, rate: float, work: Array, *slots: Array) -> None:
        (v,) = slots
        np.multiply(g, rate, out=work)
        v *= self.momentum
        v -= work
        p -= work
        np.multiply(v, self.momentum, out=work)
        p += work


class AdaGrad(Optimizer):
    """h ← h + g²; p ← p − ηg/(√h + ε). Duchi, Hazan and Singer 2011."""

    type = "adagrad"
    slots = ("squares",)

    def __init__(self, learning_rate: float = 0.01, epsilon: float = 1e-10) -> None:
        super().__init__(learning_rate)
        self.epsilon = number("epsilon", epsilon, above=0)

    def update(self, p: Array, g: Array, rate: float, work: Array, *slots: Array) -> None:
        (h,) = slots
        np.multiply(g, g, out=work)
        h += work
        _descend_scaled(p, g, h, rate, self.epsilon, work)


class RMSProp(Optimizer):
    """h ← ρh + (1 − ρ)g²; p ← p − ηg/(√h + ε). Tieleman and Hinton 2012, lecture 6.5."""

    type = "rmsprop"
    slots = ("mean_square",)

    def __init__(self, learning_rate: float = 0.001, rho: float = 0.9, epsilon: float = 1e-8) -> None:
        super().__init__(learning_rate)
        self.rho = number("rho", rho, low=0, below=1)
        self.epsilon = number("epsilon", epsilon, above=0)

    def update(self, p: Array, g: Array, rate: float, work: Array, *slots: Array) -> None:
        (h,) = slots
        np.multiply(g, g, out=work)
        work *= 1 - self.rho
        h *= self.rho
        h += work
        _descend_scaled(p, g, h, rate, self.epsilon, work)


class Adam(Optimizer):
    """m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; p ← p − η m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

    Kingma and Ba 2015, algorithm 1.
    """

    type = "adam"
    slots = ("mean", "mean_square")

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate)
        self.beta1 = number("beta1", beta1, low=0, below=1)
        self.beta2 = number("beta2", beta2, low=0, below=1)
        self.epsilon = number("epsilon", epsilon, above=0)

    def update(self, p: Array, g: Array, rate: float, work: Array, *slots: Array) -> None:
        m, v = slots
        # The slots hold m/(1 − β₁) and v/(1 − β₂), which saves two passes over the vectors, and with
        # k = √((1 − β₂)/(1 − β₂ᵗ)) the fraction m̂/(√v̂ + ε) is that of the slots, m/(√v + ε/k), but for a factor.
        k = math.sqrt((1 - self.beta2) / (1 - self.beta2**self.steps))
        m *= self.beta1
        m += g
        np.multiply(g, g, out=work)
        v *= self.beta2
        v += work
        np.sqrt(v, out=work)
        work += self.epsilon / k
        np.divide(m, work, out=work)
        work *= rate * (1 - self.beta1) / (1 - self.beta1**self.steps) / k
        p -= work


class AdamW(Adam):
    """p ← p − ηλp for the weights, then Adam's step: decay is decoupled from the gradient, whose mean square would
    otherwise make it small where gradients are large. Loshchilov and Hutter 2019, algorithm 2.

    The first `decayed` parameters are weights; biases do not decay.
    """

    type = "adamw"

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon)
        self.weight_decay = number("weight_decay", weight_decay, low=0)

    def apply(self, params: Array, grads: Array, part: slice, *, scale: float = 1.0) -> None:
        stop = part.stop if self.decayed is None else min(part.stop, self.decayed)
        params[part.start : max(part.start, stop)] *= 1 - self.learning_rate * scale * self.weight_decay
        super().apply(params, grads, part, scale=scale)


def _descend_scaled(p: Array, g: Array, h: Array, rate: float, epsilon: float, work: Array) -> None:
    """p ← p − ηg/(√h + ε)."""
    np.sqrt(h, out=work)
    work += epsilon
    np.divide(g, work, out=work)
    work *= rate
    p -= work


OPTIMIZERS: dict[str, type[Optimizer]] = {
    cls.type: cls for cls in (SGD, Momentum, Nesterov, AdaGrad, RMSProp, Adam, AdamW)
}
