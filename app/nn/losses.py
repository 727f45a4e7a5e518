"""Loss functions. All are means over the batch of a sum over the outputs."""

from typing import Any, ClassVar

import numpy as np

from app.nn.arrays import Array, Buffers
from app.nn.spec import number


class Loss:
    """Compares the network's outputs (N, K) with targets.

    Targets are labels, integers of shape (N,) from 0 to K − 1, or values, floats of shape (N, K).
    """

    type: ClassVar[str]

    def __init__(self) -> None:
        self._buffers = Buffers()

    def total(self, outputs: Array, targets: Array) -> float:
        """The sum of the samples' losses; thread-safe."""
        return self._evaluate(outputs, targets, np.empty_like(outputs))

    def value_and_gradient(self, outputs: Array, targets: Array, *, samples: int | None = None) -> tuple[float, Array]:
        """The mean loss of the batch, and its gradient (N, K), a buffer that the next call overwrites.

        If the outputs are a part of a batch, `samples` is the size of the batch; the parts' values then sum to its
        loss.
        """
        samples = samples or len(outputs)
        grad = self._buffers.get("grad", outputs.shape, outputs.dtype)
        total = self._evaluate(outputs, targets, grad)
        self._differentiate(targets, grad)
        grad *= 1 / samples
        return total / samples, grad

    def _evaluate(self, outputs: Array, targets: Array, work: Array) -> float:
        """Return the batch's total; write the starting point of `_differentiate` to `work`."""
        raise NotImplementedError

    def _differentiate(self, targets: Array, work: Array) -> None:
        """Turn `work` into the gradient of the batch's total."""
        raise NotImplementedError

    def spec(self) -> dict[str, Any]:
        """The JSON from which an equal loss can be built."""
        return {"type": self.type}


class CrossEntropy(Loss):
    """−Σₖ tₖ log yₖ with y the softmax of the outputs, which are logits.

    Both are one step, as the logarithm of a probability that underflowed would be infinite:
    log yₖ = zₖ − max z − log Σ e^(z − max z), and the gradient is y − t. Deep Learning from Scratch, section 5.6.3.

    With `label_smoothing` ε the targets are (1 − ε)tₖ + ε/K. Szegedy et al. 2016, section 7.
    """

    type = "cross_entropy"

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = number("label_smoothing", label_smoothing, low=0, below=1)

    def _evaluate(self, outputs: Array, targets: Array, work: Array) -> float:
        np.subtract(outputs, outputs.max(axis=1, keepdims=True), out=work)
        smoothing = self.label_smoothing
        if targets.ndim == 1:
            target_logits = work[np.arange(len(work)), targets].sum(dtype=np.float64)
            mass: Any = 1.0
        else:
            target_logits = np.vdot(targets, work)
            mass = self._mass(targets)
        if smoothing:
            uniform = work.sum(dtype=np.float64) / work.shape[1]
            target_logits = (1 - smoothing) * target_logits + smoothing * uniform
        np.exp(work, out=work)
        partition = work.sum(axis=1, keepdims=True)
        work /= partition
        return float((np.log(partition[:, 0]) * mass).sum(dtype=np.float64) - target_logits)

    def _differentiate(self, targets: Array, work: Array) -> None:
        smoothing = self.label_smoothing
        if targets.ndim == 1:
            work[np.arange(len(work)), targets] -= 1 - smoothing
        else:
            work *= self._mass(targets)[:, None]
            work -= (1 - smoothing) * targets if smoothing else targets
        if smoothing:
            work -= smoothing / work.shape[1]

    def _mass(self, targets: Array) -> Array:
        """The sum of each sample's targets, (N,): 1 for distributions."""
        mass: Array = (1 - self.label_smoothing) * targets.sum(axis=1) + self.label_smoothing
        return mass

    def spec(self) -> dict[str, Any]:
        return {"type": self.type, "label_smoothing": self.label_smoothing}


class SquaredError(Loss):
    """½ Σₖ (yₖ − tₖ)². Labels stand for their one-hot vectors. Deep Learning from Scratch, section 4.2.1."""

    type = "squared_error"

    def _evaluate(self, outputs: Array, targets: Array, work: Array) -> float:
        if targets.ndim == 1:
            np.copyto(work, outputs)
            work[np.arange(len(work)), targets] -= 1
        else:
            np.subtract(outputs, targets, out=work)
        return 0.5 * float(np.vdot(work, work))

    def _differentiate(self, targets: Array, work: Array) -> None:
        """Do nothing: the difference y − t is the gradient."""


LOSSES: dict[str, type[Loss]] = {cls.type: cls for cls in (SquaredError, CrossEntropy)}
