"""The mean of the weights after each of a training's last epochs, in the place of the last weights."""

from collections.abc import Mapping

import numpy as np

from app.nn.arrays import Array
from app.nn.network import Network


class WeightAverage:
    """Stochastic weight averaging (Izmailov et al. 2018), over the last `count` of `epochs`.

    A layer's state, such as running means, is averaged as its weights are: with a learning rate that has fallen, the
    last epochs' are near each other. Without `count` nothing is averaged. `epochs_in` is how many epochs there are in
    `weights` so far; these are in float64, so that nothing is lost in a sum.
    """

    def __init__(self, count: int | None, epochs: int) -> None:
        self.epochs_in = 0
        self.weights: dict[str, Array] = {}
        self._first = epochs + 1 if count is None else max(1, epochs - count + 1)

    def see(self, epoch: int, network: Network) -> None:
        """Take the weights after `epoch` into the mean, if it is one of the last."""
        if epoch < self._first:
            return
        self.epochs_in += 1
        for name, array in network.weights().items():
            if self.epochs_in == 1:
                self.weights[name] = array.astype(np.float64)
            else:
                self.weights[name] += (array - self.weights[name]) / self.epochs_in

    def resume(self, epoch: int, epochs_in: int, weights: Mapping[str, Array]) -> None:
        """Go on after `epoch` with the mean that there was then; of a training with other last epochs it is let go."""
        if epochs_in == max(0, epoch - self._first + 1):
            self.epochs_in, self.weights = epochs_in, {name: array.copy() for name, array in weights.items()}

    def put_into(self, network: Network) -> None:
        """Give the network the mean; nothing where no epoch was seen."""
        if self.epochs_in:
            network.load_weights(self.weights)
