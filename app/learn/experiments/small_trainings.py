"""Small real trainings, of a second, on some images of a data set: overfitting, and the batch size."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from app.data.dataset import Dataset
from app.nn.errors import Diverged
from app.nn.network import Network
from app.nn.optimizers import SGD
from app.nn.training.options import BatchMetrics, EpochMetrics, TrainingOptions
from app.nn.training.trainer import Trainer

FEW = 300
"""Training images for overfitting, as in Deep Learning from Scratch, section 6.4.1."""
UNSEEN = 1000
"""Test images."""
OVERFITTING_EPOCHS = 60
BATCH_IMAGES = 1000
BATCH_EPOCHS = 5
BATCH_RATE = 0.05
POINTS = 250
"""The most losses of batches."""
MOST_KEPT = 64


class SmallTrainingCache:
    """A least-recently-used cache of results. Thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> dict[str, Any] | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, result: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._kept[key] = result
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return result

    def of(self, key: Hashable, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The cached result of `key`, or that of `work`, which is then cached."""
        return self.get(key) or self.put(key, work())


def overfitting(dataset: Dataset, dropout: float, weight_decay: float) -> dict[str, Any]:
    """A network with far more parameters than training images: accuracy and loss after each epoch, on the training
    images and on test images."""
    hidden: list[dict[str, Any]] = [
        {"type": "dense", "units": 100, "initializer": "he"},
        {"type": "relu"},
        *([{"type": "dropout", "rate": dropout}] if dropout else []),
    ]
    network = _network(dataset, [*hidden, *hidden])
    options = TrainingOptions(
        batch_size=50,
        epochs=OVERFITTING_EPOCHS,
        seed=1,
        input_scale=255,
        weight_decay=weight_decay,
        evaluate_training_set=True,
    )
    trainer = Trainer(
        network,
        dataset.train.images[:FEW],
        dataset.train.labels[:FEW],
        optimizer=SGD(0.1),
        validation=(dataset.test.images[:UNSEEN], dataset.test.labels[:UNSEEN]),
        options=options,
    )
    epochs = []
    diverged = False
    try:
        for done in trainer.run():
            if isinstance(done, EpochMetrics):
                epochs.append(
                    {
                        "epoch": done.epoch,
                        "train_accuracy": done.train_accuracy,
                        "test_accuracy": done.val_accuracy,
                        "train_loss": done.train_loss,
                        "test_loss": done.val_loss,
                    }
                )
    except Diverged:
        diverged = True
    return {
        "dataset": dataset.title,
        "images": FEW,
        "unseen": min(UNSEEN, len(dataset.test)),
        "parameters": len(network.params),
        "epochs": epochs,
        "diverged": diverged,
    }


def batches(dataset: Dataset, batch_size: int) -> dict[str, Any]:
    """A few epochs with one batch size: mean losses over batches, with the steps and images so far, the seconds of
    training, and the accuracy on the test set after each epoch."""
    network = _network(dataset, [{"type": "dense", "units": 50, "initializer": "he"}, {"type": "relu"}])
    options = TrainingOptions(batch_size=batch_size, epochs=BATCH_EPOCHS, seed=1, input_scale=255)
    trainer = Trainer(
        network,
        dataset.train.images[:BATCH_IMAGES],
        dataset.train.labels[:BATCH_IMAGES],
        optimizer=SGD(BATCH_RATE),
        validation=(dataset.test.images[:UNSEEN], dataset.test.labels[:UNSEEN]),
        options=options,
    )
    every = max(1, trainer.batches * BATCH_EPOCHS // POINTS)
    losses, epochs, since = list[dict[str, float]](), list[dict[str, Any]](), list[float]()
    images, count, seconds = 0, 0, 0.0
    diverged = False
    try:
        for done in trainer.run():
            if isinstance(done, BatchMetrics):
                images = (done.epoch - 1) * trainer.samples + min(done.batch * trainer.batch_size, trainer.samples)
                count += 1
                since.append(done.loss)
                if len(since) == every or done.batch == done.batches:
                    losses.append({"step": count, "images": images, "loss": sum(since) / len(since)})
                    since.clear()
            else:
                seconds += done.seconds
                epochs.append({"epoch": done.epoch, "test_accuracy": done.val_accuracy, "test_loss": done.val_loss})
    except Diverged:
        diverged = True
    return {
        "dataset": dataset.title,
        "images": trainer.samples,
        "batch_size": trainer.batch_size,
        "steps": count,
        "seconds": seconds,
        "losses": losses,
        "epochs": epochs,
        "diverged": diverged,
    }


def _network(dataset: Dataset, hidden: list[dict[str, Any]]) -> Network:
    outputs = {"type": "dense", "units": len(dataset.labels)}
    shape = (1, *dataset.train.images.shape[1:])
    network = Network.from_spec({"layers": [*hidden, outputs]}, input_shape=shape)
    network.initialize(1)
    return network
