"""A worker's job: train one run to its end from its current state, with events in the log."""

import errno
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np

from app.data import Dataset, DatasetCatalog, DatasetUnavailable
from app.data.drawings.rendered import DrawingRenderer, RenderedDrawings
from app.data.drawings.store import DrawingStore
from app.errors import Message, message_of
from app.models import ModelCard, ModelStore
from app.models.evaluation_cache import EvaluationCache
from app.nn import Diverged, Network
from app.nn.arrays import Array
from app.runs.config.run_config import RunConfig, parse_config
from app.runs.log.database import UNREACHABLE
from app.runs.log.event_log import EventLog
from app.runs.log.state import RunState
from app.runs.log.transitions import Lease
from app.runs.training.checkpoints import Checkpoint, CheckpointError, Checkpoints
from app.runs.training.data_version import DataChangedError, check_data
from app.runs.training.distillation import load_teachers
from app.runs.training.hardware import MAX_PROCESSES, cores_per_worker
from app.runs.training.live_weights import LiveWeights
from app.runs.training.personalization import (
    compare,
    may_have_trained_on_drawings,
    other_tests,
    personal_data,
    personal_name,
    threads_for,
)
from app.runs.training.run_training import Progress, RunEvent, Training
from app.runs.training.saved_models import model_name, save_best, saved_event
from app.runs.training.source_models import UnusableModelError, load_pinned
from app.runs.trajectory.trajectories import Trajectories
from app.settings import SHIPPED_MODELS, Settings

RETRY_SECONDS = 0.5
AWAY = frozenset(
    getattr(errno, name, None)
    for name in ("EDQUOT", "EHOSTDOWN", "EHOSTUNREACH", "EIO", "ENOSPC", "ENOTCONN", "EROFS", "ESTALE", "ETIMEDOUT")
)
"""The errors of a disk that is full, or of a folder whose server is away; wait for its return."""
LEAST_TURN_SECONDS, LEAST_TURN_LOADINGS = 2.0, 1.0
"""The least time of a turn in a race, after the loading of images and checkpoint: seconds, and a share of that."""

T = TypeVar("T")


class ControlRequests(Protocol):
    """The requests to a running job."""

    cancel: bool
    pause: bool
    keep_model: bool
    leave: bool


class _CancelledError(Exception):
    """The run is to be cancelled."""


class _StoppedError(Exception):
    """The run is paused or queued again."""


class Job:
    """Trains the run of a lease. `progress` is its progress; `end` is called before the last write to the log."""

    def __init__(
        self,
        log: EventLog,
        lease: Lease,
        settings: Settings,
        requests: ControlRequests,
        end: Callable[[], None] = lambda: None,
    ) -> None:
        self.progress: Progress | None = None
        self._log, self._lease, self._settings, self._requests, self._end = log, lease, settings, requests, end
        self._store = ModelStore(settings.home, SHIPPED_MODELS)
        self._checkpoints = Checkpoints(settings.home, log.id)
        self._live = LiveWeights(settings.home, log.id)
        self._trajectories = Trajectories(settings.home, log.id)
        self._checkpoint: str | None = None
        self._appended = 0
        """The number of events appended by this attempt."""
        self._started = time.perf_counter()
        self._loading_seconds = 0.0

    def run(self) -> None:
        """Train until the run ends, is paused, or is queued again. Raises FencedError, WorkerLostError."""
        try:
            state, data, error = self._work()
        except _StoppedError:
            return
        finally:
            with suppress(OSError):  # the run's end counts more than a file that is left
                self._live.forget(self._lease.run)
        self._end()
        retry_database(lambda: self._log.finish(self._lease, state, data, error=error))

    def _work(self) -> tuple[RunState, dict[str, Any], Message | None]:
        """The run's final state, the event's data and the error."""
        try:
            try:
                model = self._train()
            except _CancelledError:
                return RunState.CANCELLED, self._save_best(), None
        except Diverged as diverged:
            return _failed("diverged", message_of(diverged), epoch=diverged.epoch, batch=diverged.batch)
        except DatasetUnavailable as unavailable:
            return _failed("dataset", message_of(unavailable))
        except (CheckpointError, UnusableModelError) as unusable:
            return _failed("checkpoint", message_of(unusable))
        except DataChangedError as changed:
            return _failed("data", message_of(changed))
        except ValueError as refused:
            return _failed("config", message_of(refused))
        except MemoryError:
            return _failed("memory", Message("there was not enough memory; a smaller network or batch size may help"))
        except OSError as broken:
            return _failed(
                "disk",
                Message("a file could not be read or written: {why}", why=broken.strerror or type(broken).__name__),
            )
        return RunState.SUCCEEDED, {"model": model, "seconds": time.perf_counter() - self._started}, None

    def _train(self) -> str:
        row = retry_database(lambda: self._log.run(self._lease.run))
        config = parse_config(row["config"])
        with threads_for(config):
            return self._trained(row, config)

    def _trained(self, row: dict[str, Any], config: RunConfig) -> str:
        logged = retry_database(lambda: self._log.event_types(self._lease.run))
        self._checkpoint = row["checkpoint"]
        checkpoint = None if self._checkpoint is None else self._checkpoints.read(self._checkpoint)
        self.progress = Progress("loading", epochs=config.epochs)
        dataset = DatasetCatalog.from_settings(self._settings).load(config.dataset)
        personal = None
        if config.personal is not None:
            parent = self._parent(config)
            personal = personal_data(config, dataset, DrawingStore(self._settings.home / "drawings"), parent[0])
            dataset = personal.dataset
        checkpoint = self._checked(dataset, checkpoint)
        training = self._training(config, dataset, checkpoint, None if personal is None else personal.held_out)
        del dataset  # a pool of processes has a copy
        resume = None if checkpoint is None else checkpoint.snapshot
        if checkpoint is not None:
            training.kept_metrics = checkpoint.metrics
            training.losses.restore(checkpoint.losses, checkpoint.snapshot.batch)
            if checkpoint.run != self._lease.run and checkpoint.snapshot.epoch < config.epochs:
                resume = checkpoint.snapshot.without_best()  # patience begins anew after another run
        self._check_requests(training)
        self._loading_seconds = time.perf_counter() - self._started
        live = self._live.writer(self._lease.run)
        trajectory = self._trajectories.writer(self._lease.run, training.trainer)
        if resume is None:
            trajectory.offer(0, 0)
        for step in training.run(resume):
            if isinstance(step, Progress):
                self.progress = step
                live.offer(training.network, epoch=step.epoch, batch=step.batch)
                if step.phase == "training":
                    trajectory.offer(step.epoch - 1, step.batch)
            elif step.type == "epoch" or step.type not in logged:
                self._write_event(step, training)
            if isinstance(step, RunEvent) and step.type == "epoch":
                trajectory.offer(step.data["epoch"], 0)
            self._check_requests(training)
            if isinstance(step, RunEvent) and step.type == "epoch" and row["race"] is not None:
                self._end_turn(step.data["epoch"], config.epochs)
        self.progress = Progress("saving", config.epochs, config.epochs)
        if row["model"] is not None:  # saved by an attempt that died afterwards
            return str(row["model"])
        name = model_name(config.recipe, self._lease.run)
        card = training.card(name if personal is None else personal_name(parent[0].name), run=self._lease.run)
        if personal is not None:
            others = other_tests(card, config, self._settings)
            seen = may_have_trained_on_drawings(
                parent[0], [model.card for model in self._store.list() if model.card is not None]
            )
            personalization = compare(
                parent,
                (card, training.network),
                personal,
                others,
                seen=seen,
                accuracy=training.metrics["test_accuracy"],
            )
            card = card.model_copy(update={"mine": personalization})
        arrays = training.arrays()
        card = self._wait_for_disk(lambda: self._store.save(card, training.network, arrays=arrays, once=True))
        training.keep_evaluation(EvaluationCache(self._settings.cache_dir), card)
        data = saved_event(self._store, card)
        self._append("model_saved", data, model=card.name)
        return card.name

    def _checked(self, dataset: Dataset, checkpoint: Checkpoint | None) -> Checkpoint | None:
        return retry_database(lambda: check_data(self._log, self._lease.run, dataset, checkpoint))

    def _training(
        self, config: RunConfig, dataset: Dataset, checkpoint: Checkpoint | None, held_out: RenderedDrawings | None
    ) -> Training:
        processes = min(MAX_PROCESSES, cores_per_worker(self._settings.workers))
        weights = self._first_weights(config) if checkpoint is None else None
        yours = held_out
        if yours is None:
            yours = DrawingRenderer(DrawingStore(self._settings.home / "drawings")).get(dataset.labels)
        return Training(
            config,
            dataset,
            processes=processes,
            weights=weights,
            yours=yours,
            teachers=load_teachers(config, self._store),
            cache_dir=self._settings.cache_dir,
        )

    def _first_weights(self, config: RunConfig) -> Mapping[str, Array] | None:
        """The weights of the starting model, if there is one."""
        if config.start is None or config.start.model is None:
            return None
        return self._parent(config)[1].weights()

    def _parent(self, config: RunConfig) -> tuple[ModelCard, Network]:
        """The starting model. Raises UnusableModelError."""
        assert config.start is not None
        assert config.start.model is not None
        return load_pinned(self._store, config.start.model, config.start.sha256, Message("the model to start from"))

    def _write_event(self, step: RunEvent, training: Training) -> None:
        """Log an event; an epoch's together with a new checkpoint."""
        columns: dict[str, Any] = {}
        if step.type == "epoch":
            columns = {"checkpoint": self._write(training), "deaths": 0}  # deaths count between epochs
        self._append(step.type, json_safe(step.data), **columns)
        if columns:
            before, self._checkpoint = self._checkpoint, columns["checkpoint"]
            self._checkpoints.keep_only(self._lease.run, self._checkpoint, before, attempt=self._lease.attempt)

    def _append(self, kind: str, data: Mapping[str, Any], **columns: Any) -> None:
        """Append an event to the log, once, and set columns of the run. Raises FencedError."""
        self._appended += 1
        number = self._appended
        retry_database(lambda: self._log.append(self._lease, kind, data, number=number, **columns))

    def _write(self, training: Training) -> str | None:
        """Write a checkpoint and return its name.

        Keep the existing one before the training begins, after it ends, and in an epoch with weights that are not
        finite: it resumes from before, and diverges again.
        """
        snapshot = training.snapshot()
        if snapshot is None:
            return self._checkpoint
        if snapshot.batch and not all(np.isfinite(array).all() for array in snapshot.part("network").values()):
            return self._checkpoint
        checkpoint = Checkpoint(
            snapshot=snapshot,
            run=self._lease.run,
            config=training.config.model_dump(mode="json"),
            labels=list(training.labels),
            metrics=json_safe(training.kept_metrics),
            losses=training.losses.state() if snapshot.batch else {},
        )
        return self._wait_for_disk(lambda: self._checkpoints.write(self._lease, checkpoint))

    def _wait_for_disk(self, write: Callable[[], T]) -> T:
        """Write, again and again while the disk is full or away.

        Meanwhile a run can be cancelled, and handed back with its last checkpoint: raises _CancelledError,
        _StoppedError.
        """
        before = self.progress
        while True:
            try:
                written = write()
            except OSError as error:
                if error.errno not in AWAY:
                    raise
                if self.progress is not None:
                    self.progress = replace(self.progress, phase="waiting")
                if self._requests.cancel:
                    raise _CancelledError from None
                if self._requests.leave:
                    self._end()
                    retry_database(lambda: self._log.hand_back(self._lease))
                    raise _StoppedError from None
                time.sleep(RETRY_SECONDS)
            else:
                self.progress = before
                return written

    def _check_requests(self, training: Training) -> None:
        """Handle requests: raise _CancelledError or _StoppedError."""
        if self._requests.cancel:
            raise _CancelledError
        if not (self._requests.leave or self._requests.pause):
            return
        name = self._write(training)
        snapshot = training.snapshot()
        data = {} if snapshot is None else {"epoch": snapshot.epoch, "batch": snapshot.batch}
        if self._requests.leave:
            self._end()
            retry_database(lambda: self._log.hand_back(self._lease, checkpoint=name))
        elif not retry_database(lambda: self._log.pause(self._lease, data, checkpoint=name)):
            self._requests.pause = False  # withdrawn in the meantime
            self._checkpoint = name
            return
        self._checkpoints.keep_only(self._lease.run, name, attempt=self._lease.attempt)
        raise _StoppedError

    def _end_turn(self, epoch: int, epochs: int) -> None:
        """Let another run go on after an epoch of a race, as from `EventLog.gives_way`: raise _StoppedError."""
        least = max(LEAST_TURN_SECONDS, LEAST_TURN_LOADINGS * self._loading_seconds)
        if epoch == epochs or time.perf_counter() - self._started - self._loading_seconds < least:
            return
        if retry_database(lambda: self._log.gives_way(self._lease.run, epoch)):
            self._end()
            retry_database(lambda: self._log.hand_back(self._lease))
            raise _StoppedError

    def _save_best(self) -> dict[str, Any]:
        """Save the best model so far, if requested and available; return the data of the last event."""
        if not self._requests.keep_model or self._checkpoint is None:
            return {}
        try:
            data = save_best(self._checkpoints.read(self._checkpoint), self._store, self._lease.run)
        except (CheckpointError, ValueError) as error:
            return {"not_kept": message_of(error)}
        except OSError as error:
            why = error.strerror or type(error).__name__
            return {"not_kept": Message("the model could not be written: {why}", why=why)}
        if data is not None:
            self._append("model_saved", data, model=data["model"])
        return {}


def retry_database(action: Callable[[], T]) -> T:
    """Run an action on the database, and retry while the database is locked or its disk is full."""
    while True:
        try:
            return action()
        except UNREACHABLE:
            time.sleep(RETRY_SECONDS)


def json_safe(data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` with None for every number that JSON does not support."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in data.items()}


def _failed(reason: str, error: Message, **more: Any) -> tuple[RunState, dict[str, Any], Message]:
    return RunState.FAILED, {"reason": reason, **more}, error
