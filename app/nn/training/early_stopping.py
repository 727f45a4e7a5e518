"""Ending a training when it no longer gets better, and keeping the best weights that it had."""

import math
from collections.abc import Mapping

from app.nn.arrays import Array
from app.nn.network import Network


class EarlyStopping:
    """Watches the validation loss; Prechelt 1998, criterion UP in its simplest form.

    After `patience` epochs in a row without a smaller validation loss than the best, the training is to end; without
    patience never. `best_epoch` is 0 until an epoch was seen, `weights` are then empty.
    """

    def __init__(self, patience: int | None) -> None:
        self.best_epoch, self.best_loss = 0, math.inf
        self.weights: dict[str, Array] = {}
        self._patience, self._epoch, self._since = patience, 0, 0

    def see(self, epoch: int, val_loss: float, network: Network) -> None:
        """Take note of an epoch, and keep the weights if they are the best so far."""
        self._epoch = epoch
        if val_loss < self.best_loss:
            self.best_epoch, self.best_loss = epoch, val_loss
            self.weights = {name: array.copy() for name, array in network.weights().items()}

    @property
    def is_over(self) -> bool:
        """Whether the training is to end."""
        return self._patience is not None and self._epoch - max(self.best_epoch, self._since) >= self._patience

    def resume(self, epoch: int, best_epoch: int, best_loss: float, weights: Mapping[str, Array]) -> None:
        """Go on after `epoch` with what was the best then; where nothing was, `best_epoch` is 0, begin there."""
        self._epoch, self.best_epoch, self.best_loss = epoch, best_epoch, best_loss
        self._since = 0 if best_epoch else epoch
        self.weights = {name: array.copy() for name, array in weights.items()}

    def restore(self, network: Network) -> None:
        """Put the best weights back where the training has patience; nothing where no epoch was seen."""
        if self._patience is not None and self.weights:
            network.load_weights(self.weights)
