"""What a run learns from stays the same from its first batch to its last, or it does not go on.

The user can draw, relabel and remove drawings while a run that learns from them is paused, or waits for a worker. Its
shuffles would then meet other images, and it would not come to the weights that it would have had.
"""

from dataclasses import replace

from app.data import Dataset
from app.errors import MessageError
from app.runs.log.event_log import EventLog
from app.runs.training.checkpoints import Checkpoint


class DataChangedError(MessageError):
    """The data set is not what the run began with."""

    code = "data_changed"


def check_data(log: EventLog, run: int, dataset: Dataset, checkpoint: Checkpoint | None) -> Checkpoint | None:
    """What a run goes on from, given its data set as it is now.

    A run that has begun goes on with what it began with, or not at all. One that goes on after another may have
    drawings that are new, of the same labels; what the other did of an epoch of the old ones then counts for none.
    Raises DataChangedError.
    """
    began = began_with(log, run)
    if began is not None and began != dataset.version:
        raise DataChangedError(
            "{title} has changed since the run began, so the run cannot continue as before", title=dataset.title
        )
    if checkpoint is None:
        return None
    if checkpoint.labels != list(dataset.labels):
        raise DataChangedError(
            "{title} no longer has the labels that the run continues from, {value}",
            title=dataset.title,
            value=" ".join(checkpoint.labels)[:200],
        )
    snapshot = checkpoint.snapshot
    is_new = (
        checkpoint.run != run and dataset.version is not None and began_with(log, checkpoint.run) != dataset.version
    )
    if began is None and snapshot.batch and is_new:
        whole = replace(snapshot, batch=0, loss=0.0, correct=0, seconds=0.0, random=[])
        return replace(checkpoint, snapshot=whole)
    return checkpoint


def began_with(log: EventLog, run: int) -> str | None:
    """The version of the data set that a run began with, as it said; None where it has not begun, or said none."""
    started = next((event for event in log.events(run, limit=100) if event["type"] == "started"), None)
    found = None if started is None else started["data"].get("dataset_version")
    return found if isinstance(found, str) else None
