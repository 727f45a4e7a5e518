"""How to train, and what a training says of each batch and epoch."""

from dataclasses import dataclass
from typing import NamedTuple

from app.nn.errors import SpecError
from app.nn.spec import integer, number


@dataclass(frozen=True)
class EpochMetrics:
    """What one epoch came to. Epoch 0 is the state before training.

    Unless the training set is evaluated anew, `train_loss` and `train_accuracy` are means over the epoch's batches
    while the network changed, with dropout at work, as Keras prints them. `seconds` and `samples_per_second` are of
    the training steps alone, without any evaluation.
    """

    epoch: int
    epochs: int
    train_loss: float
    train_accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    seconds: float
    samples_per_second: float


class BatchMetrics(NamedTuple):
    """How far an epoch is: `batch` of `batches` done (from 1), and the mean loss of that batch.

    `accuracy` is of all batches of the epoch so far, None where the targets are no labels.
    """

    epoch: int
    batch: int
    batches: int
    loss: float
    accuracy: float | None = None


@dataclass(frozen=True)
class TrainingOptions:
    """How to train. `batch_size` 1 is online learning, the size of the set is full batch.

    `input_scale` divides the inputs (255 for pixels in bytes). `weight_decay` is L2: λ/2 Σw² added to the loss (not
    to the loss that is reported), for weights, not biases. `clip_norm` is the greatest length of a batch's gradient, a
    longer one is shortened to it. After `patience` epochs without a smaller validation loss the training ends, and the
    network gets the best epoch's weights. After the last epoch it gets the mean of the weights after each of the last
    `averaging` epochs, which excludes patience; the metrics of an epoch are of its own weights. With
    `evaluate_training_set` the training set's loss and accuracy are measured after each epoch, and epoch 0 reports them
    before training; of inputs that change, those of that epoch are taken.
    """

    batch_size: int = 32
    epochs: int = 1
    shuffle: bool = True
    seed: int = 0
    input_scale: float = 1.0
    weight_decay: float = 0.0
    clip_norm: float | None = None
    patience: int | None = None
    averaging: int | None = None
    evaluate_training_set: bool = False

    def __post_init__(self) -> None:
        integer("batch_size", self.batch_size, low=1)
        integer("epochs", self.epochs, low=1)
        integer("seed", self.seed, low=0)
        number("input_scale", self.input_scale, above=0)
        number("weight_decay", self.weight_decay, low=0)
        if self.clip_norm is not None:
            number("clip_norm", self.clip_norm, above=0)
        if self.patience is not None:
            integer("patience", self.patience, low=1)
        if self.averaging is not None:
            integer("averaging", self.averaging, low=1)
            if self.patience is not None:
                raise SpecError(
                    "expected null with patience, which already ends with the best epoch's weights", field="averaging"
                )
