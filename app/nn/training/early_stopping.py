"""Early stopping, which keeps the best weights."""

import math
from collections.abc import Mapping

from app.nn.arrays import Array
from app.nn.network import Network


class EarlyStopping:
    """Watches the validation loss; Prechelt 1998, criterion UP in its simplest form.

    The training should stop after `patience` epochs in a row without a new smallest validation loss; without patience
    never. Before the first epoch `best_epoch` is 0 and `weights` is empty.
    """

    def __init__(self, patience: int | None) -> None:
        self.best_epoch, self.best_loss = 0, math.inf
        self.weights: dict[str, Array] = {}
        self._patience, self._epoch, self._since = patience, 0, 0

    def update(self, epoch: int, val_loss: float, network: Network) -> None:
        """Record an epoch; keep the weights if they are the best so far."""
        self._epoch = epoch
        if val_loss < self.best_loss:
            self.best_epoch, self.best_loss = epoch, val_loss
            self.weights = {name: array.copy() for name, array in network.weights().items()}

    @property
    def should_stop(self) -> bool:
        """True if the training should end."""
        return self._patience is not None and self._epoch - max(self.best_epoch, self._since) >= self._patience

    def resume(self, epoch: int, best_epoch: int, best_loss: float, weights: Mapping[str, Array]) -> None:
        """Continue after `epoch` with the best weights so far; a `best_epoch` of 0 means none yet."""
        self._epoch, self.best_epoch, self.best_loss = epoch, best_epoch, best_loss
        self._since = 0 if best_epoch else epoch
        self.weights = {name: array.copy() for name, array in weights.items()}

    def restore(self, network: Network) -> None:
        """Load the best weights into the network if the training has patience."""
        if self._patience is not None and self.weights:
            network.load_weights(self.weights)
