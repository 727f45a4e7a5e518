"""Averaging of the weights over a training's last epochs."""

from collections.abc import Mapping

import numpy as np

from app.nn.arrays import Array
from app.nn.network import Network


class WeightAverage:
    """Stochastic weight averaging (Izmailov et al. 2018), over the last `count` of `epochs`.

    A layer's state, such as running means, is averaged like its weights: at a low learning rate it changes little from
    epoch to epoch. Without `count` nothing is averaged. `weights` is the mean of `epochs_in` epochs so far, in float64.
    """

    def __init__(self, count: int | None, epochs: int) -> None:
        self.epochs_in = 0
        self.weights: dict[str, Array] = {}
        self._first = epochs + 1 if count is None else max(1, epochs - count + 1)

    def update(self, epoch: int, network: Network) -> None:
        """Add the weights after `epoch` to the mean, if it is one of the last epochs."""
        if epoch < self._first:
            return
        self.epochs_in += 1
        for name, array in network.weights().items():
            if self.epochs_in == 1:
                self.weights[name] = array.astype(np.float64)
            else:
                self.weights[name] += (array - self.weights[name]) / self.epochs_in

    def resume(self, epoch: int, epochs_in: int, weights: Mapping[str, Array]) -> None:
        """Continue after `epoch` with the saved mean; ignore one that covers other epochs."""
        if epochs_in == max(0, epoch - self._first + 1):
            self.epochs_in, self.weights = epochs_in, {name: array.copy() for name, array in weights.items()}

    def apply_to(self, network: Network) -> None:
        """Load the mean into the network; do nothing before the first update."""
        if self.epochs_in:
            network.load_weights(self.weights)
