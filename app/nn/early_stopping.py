"""Ending a training when it no longer gets better, with the best weights that it had."""

import math

from app.nn.arrays import Array
from app.nn.network import Network


class EarlyStopping:
    """Watches the validation loss; Prechelt 1998, criterion UP in its simplest form.

    After `patience` epochs in a row without a smaller validation loss than the best, the training is to end.
    `best_epoch` is 0 until an epoch was seen.
    """

    def __init__(self, patience: int) -> None:
        self.best_epoch, self.best_loss = 0, math.inf
        self._patience = patience
        self._weights: dict[str, Array] = {}

    def is_over(self, epoch: int, val_loss: float, network: Network) -> bool:
        """Take note of an epoch, keep the weights if they are the best so far, and tell whether to end."""
        if val_loss < self.best_loss:
            self.best_epoch, self.best_loss = epoch, val_loss
            self._weights = {name: array.copy() for name, array in network.weights().items()}
        return epoch - self.best_epoch >= self._patience

    def restore(self, network: Network) -> None:
        """Put the best weights back; nothing where no epoch was seen."""
        if self._weights:
            network.load_weights(self._weights)
