"""Distillation: a network learns the outputs of stored models in addition to the labels.

Hinton, Vinyals and Dean 2015, at a temperature of 1 (Buciluă, Caruana and Niculescu-Mizil 2006 use an ensemble's mean).
The teachers get the same images as the network, augmented in each epoch: Beyer et al. 2022, "a good teacher is patient
and consistent".
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError, Message, message_of
from app.models import ModelCard, ModelStore
from app.models.store import DamagedModelError, UnknownModelError
from app.nn import Network, infer_all, softmax
from app.nn.arrays import Array
from app.runs.config.run_config import RunConfig, parse_config
from app.runs.training.source_models import UnusableModelError, load_pinned


class Teachers:
    """The targets in each epoch: weight · the teachers' mean probabilities + (1 − weight) · the labels, one-hot."""

    def __init__(
        self, models: Sequence[tuple[ModelCard, Network]], labels: NDArray[np.integer], weight: float, *, changing: bool
    ) -> None:
        """`labels` (N,) are the training images'; without `changing` the images are the same in all epochs."""
        self._models, self._labels, self._weight = models, labels, weight
        self._cached: Array | None = None if changing else np.zeros((len(labels), len(models[0][0].labels)))
        self._known = np.zeros(len(labels), bool)

    def __call__(self, epoch: int, rows: Array, images: Array) -> Array:
        """The targets (B, K), float64, of the images (B, H, W) with the indices `rows` in an epoch."""
        if self._cached is None:
            return self._targets(rows, images)
        if not self._known[rows].all():
            self._cached[rows] = self._targets(rows, images)
            self._known[rows] = True
        targets: Array = self._cached[rows]
        return targets

    def _targets(self, rows: Array, images: Array) -> Array:
        mean = self._probabilities(*self._models[0], images)
        for card, network in self._models[1:]:
            mean += self._probabilities(card, network, images)
        mean *= self._weight / len(self._models)
        mean[np.arange(len(rows)), self._labels[rows]] += 1 - self._weight
        return mean

    @staticmethod
    def _probabilities(card: ModelCard, network: Network, images: Array) -> Array:
        probabilities: Array = softmax(infer_all(network, images, input_scale=card.input_scale).logits)
        if not np.isfinite(probabilities).all():
            raise UnusableModelError("the teacher model, {name}, gives numbers that are not finite", name=card.name)
        return probabilities


def with_teachers(config: RunConfig, store: ModelStore, labels: Sequence[str]) -> RunConfig:
    """The config with the hashes of its teachers' weights.

    Raises ValueError if a teacher is not available, or has other labels than `labels`, or other weights than in the
    config.
    """
    distillation = config.distillation
    if distillation is None:
        return config
    try:
        cards = [store.get(name) for name in distillation.names]
    except (UnknownModelError, DamagedModelError) as error:
        raise InputError(message_of(error).within("distillation.model")) from None
    for card in cards:
        if card.labels != list(labels):
            raise InputError(
                "expected a model with the data set's {count} labels; {name} has others, {others} of them",
                field="distillation.model",
                count=len(labels),
                name=card.name,
                others=len(card.labels),
            )
    hashes = [card.sha256 for card in cards]
    if distillation.sha256 not in (None, hashes):
        raise InputError(
            "expected the teacher models that the config names; they have changed", field="distillation.sha256"
        )
    pinned = {**distillation.model_dump(), "sha256": hashes}
    return parse_config({**config.model_dump(mode="json"), "distillation": pinned})


def load_teachers(config: RunConfig, store: ModelStore) -> list[tuple[ModelCard, Network]]:
    """The teachers of a config from `with_teachers`; empty if it has none. Raises UnusableModelError."""
    if config.distillation is None:
        return []
    names = config.distillation.names
    hashes: Sequence[str | None] = config.distillation.sha256 or [None] * len(names)
    return [
        load_pinned(store, name, sha256, Message("the teacher model"))
        for name, sha256 in zip(names, hashes, strict=True)
    ]
