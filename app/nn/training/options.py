"""Training options, and the metrics of batches and epochs."""

from dataclasses import dataclass
from typing import NamedTuple

from app.nn.errors import SpecError
from app.nn.spec import integer, number


@dataclass(frozen=True)
class EpochMetrics:
    """The metrics of one epoch. Epoch 0 is the state before training.

    Unless the training set is evaluated, `train_loss` and `train_accuracy` are means over the epoch's batches while
    the network changed, with dropout active, as in Keras. `seconds` and `samples_per_second` cover the training steps
    alone, without any evaluation.
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
    """The progress of an epoch: `batch` of `batches` done (from 1), and the mean loss of that batch.

    `accuracy` covers all batches of the epoch so far; None if the targets are not labels.
    """

    epoch: int
    batch: int
    batches: int
    loss: float
    accuracy: float | None = None


@dataclass(frozen=True)
class TrainingOptions:
    """The options of a training. `batch_size` 1 is online learning, the size of the set is full batch.

    `input_scale` divides the inputs (255 for pixels in bytes). `weight_decay` is L2: λ/2 Σw² added to the loss (but
    not to the reported loss), for weights, not biases. `clip_norm` is the maximal norm of a batch's gradient. After
    `patience` epochs without a smaller validation loss the training ends, and the network gets the best epoch's
    weights. With `averaging`, which excludes patience, the network ends with the mean of the weights after each of the
    last `averaging` epochs; an epoch's metrics are those of its own weights. With `evaluate_training_set` the training
    set (if inputs change, that epoch's) is evaluated after each epoch, and before training as epoch 0.
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
