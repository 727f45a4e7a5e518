"""A whole training in one call."""

from collections.abc import Callable, Iterator

from app.nn.arrays import Array
from app.nn.losses import Loss
from app.nn.network import Network
from app.nn.optimizers import Optimizer
from app.nn.schedules import Schedule
from app.nn.steps import EpochMetrics, Options
from app.nn.training import Trainer


def fit(
    network: Network,
    x: Array,
    t: Array,
    *,
    loss: Loss | None = None,
    optimizer: Optimizer,
    schedule: Schedule | None = None,
    validation: tuple[Array, Array] | None = None,
    options: Options | None = None,
    processes: int = 1,
    epoch_inputs: Callable[[int], Array] | None = None,
    batch_targets: Callable[[int, Array, Array], Array] | None = None,
) -> Iterator[EpochMetrics]:
    """Train `network` and yield the metrics of every epoch; the arguments are `Trainer`'s."""
    trainer = Trainer(
        network,
        x,
        t,
        loss=loss,
        optimizer=optimizer,
        schedule=schedule,
        validation=validation,
        options=options,
        processes=processes,
        epoch_inputs=epoch_inputs,
        batch_targets=batch_targets,
    )
    return (metrics for metrics in trainer.run() if isinstance(metrics, EpochMetrics))
