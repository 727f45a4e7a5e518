"""The check that a run's data set does not change from its first batch to its last.

The user can add, relabel and remove drawings while a run that learns them is paused or queued. It would then shuffle
other images, and end with other weights than without the pause.
"""

from dataclasses import replace
from typing import Any

from app.data import Dataset
from app.errors import MessageError
from app.runs.log.event_log import EventLog
from app.runs.training.checkpoints import Checkpoint


class DataChangedError(MessageError):
    """The data set has changed since the run began."""

    code = "data_changed"


def check_data(log: EventLog, run: int, dataset: Dataset, checkpoint: Checkpoint | None) -> Checkpoint | None:
    """The checkpoint to resume from with the present data set.

    A run that has begun needs an unchanged data set. One that continues another run may have new drawings with the same
    labels; the other's unfinished epoch is then discarded. Raises DataChangedError.
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
            "{title} no longer has the labels that the run continues from, {labels}",
            title=dataset.title,
            labels=" ".join(checkpoint.labels)[:200],
        )
    snapshot = checkpoint.snapshot
    is_new = (
        checkpoint.run != run and dataset.version is not None and began_with(log, checkpoint.run) != dataset.version
    )
    if began is None and snapshot.batch and is_new:
        snapshot = replace(snapshot, batch=0, loss=0.0, correct=0, seconds=0.0, random=[])
        return replace(checkpoint, snapshot=snapshot)
    return checkpoint


def began_with(log: EventLog, run: int) -> str | None:
    """The version of the data set that a run began with; None if it has not begun, or has no version."""
    version = _started(log, run).get("dataset_version")
    return version if isinstance(version, str) else None


def trained_labels(log: EventLog, run: int) -> list[str] | None:
    """The labels of a run's network, in order, whatever has become of its data set; None if it has not begun."""
    labels = _started(log, run).get("labels")
    return [str(label) for label in labels] if isinstance(labels, list) else None


def _started(log: EventLog, run: int) -> dict[str, Any]:
    """The data of a run's first event of its training; empty before."""
    return next((event["data"] for event in log.events(run, limit=100) if event["type"] == "started"), {})
