"""Operations on runs: start, pause, resume, cancel, rerun, continue, delete."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.data import DatasetCatalog, DatasetInfo, DatasetUnavailable
from app.data.drawings.store import DrawingStore
from app.errors import InputError, Message, MessageError, message_of
from app.models import DamagedModelError, ModelStore, UnknownModelError
from app.runs.config.run_config import RunConfig, parse_config, request_config
from app.runs.config.sweep import race_configs, race_tag
from app.runs.log.event_log import EventLog, UnknownRunError
from app.runs.log.state import ENDED, RunState
from app.runs.training.checkpoints import CheckpointError, Checkpoints
from app.runs.training.distillation import with_teachers
from app.runs.training.live_weights import LiveWeights
from app.runs.training.personalization import check_personal
from app.runs.training.saved_models import NotSavedError, save_best
from app.runs.trajectory.trajectories import Trajectories
from app.settings import Settings


class NoCheckpointError(MessageError):
    """The run has no checkpoint to continue from."""

    code = "no_checkpoint"


class RunService:
    """The operations; `wake` is called when there is work for the runner."""

    def __init__(self, log: EventLog, store: ModelStore, settings: Settings, wake: Callable[[], None]) -> None:
        self._log, self._store, self._wake = log, store, wake
        self._checkpoints = Checkpoints(settings.home, log.id)
        self._live = LiveWeights(settings.home, log.id)
        self._trajectories = Trajectories(settings.home, log.id)
        self._drawings = DrawingStore(settings.home / "drawings")
        self._catalog = replace(DatasetCatalog.from_settings(settings), drawings=self._drawings)

    def start(self, config: RunConfig, remarks: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Queue a run, with its tags and note, and return it.

        Raises ValueError if the config does not fit the data set or its starting point, and UnknownModelError,
        DamagedModelError or NoCheckpointError if the starting point is not available.
        """
        config = self.check(config)
        source = self._source(config)
        try:
            run = self._log.add(
                config,
                checkpoint=None if source is None else lambda run: self._checkpoints.copy(source, run),
                **(remarks or {}),
            )
        except CheckpointError as error:
            raise _no_checkpoint(config, message_of(error)) from None
        self._wake()
        return self._log.run(run)

    def config_of(self, data: object) -> RunConfig:
        """The config of a request, with its last layer fitted to the data set's labels. Raises ValueError."""

        def labels_of(name: object) -> int | None:
            return len(self._info(name).labels) if isinstance(name, str) else None

        return request_config(data, labels_of)

    def check(self, config: RunConfig) -> RunConfig:
        """The config with the network of its starting model, and its teachers' hashes.

        Raises as `start`, but not for `start.run`.
        """
        config = self._with_model(config)
        config = with_teachers(config, self._store, self._check_dataset(config).labels)
        if config.personal is not None and config.start is not None and config.start.model is not None:
            check_personal(config, self._store.get(config.start.model), self._drawings)
        return config

    def sweep(self, base: RunConfig, vary: object, values: object) -> list[dict[str, Any]]:
        """Queue runs that differ in the field `vary`, all or none, and return them. Raises as `start`."""
        if base.start is not None and base.start.run is not None:
            raise InputError("expected a race to start from scratch, or from a model", field="start.run")
        configs = [self.check(config) for config in race_configs(base, vary, values)]
        ids = self._log.add_race(configs, lambda first: [race_tag(str(vary), first)])
        self._wake()
        return [self._log.run(run) for run in ids]

    def rerun(self, run: int) -> dict[str, Any]:
        """Queue a run with the config of another. Raises as `start`."""
        return self.start(parse_config(self._log.run(run)["config"]))

    def continue_run(self, run: int, epochs: int | None) -> dict[str, Any]:
        """Queue a run that continues an ended one for `epochs` more epochs.

        Without `epochs` it does the remaining ones of the other's config (none if that failed after the last), or as
        many again after a success. Raises UnknownRunError, and NoCheckpointError, also for a run that has not ended.
        """
        row = self._ended(run)
        config = parse_config(row["config"])
        done = self._read(row["checkpoint"], run).snapshot.epoch
        more = epochs
        if more is None:
            remaining = max(config.epochs - done, 0)
            more = remaining if remaining or row["state"] != RunState.SUCCEEDED else config.epochs
        return self.start(parse_config({**row["config"], "epochs": done + more, "start": {"run": run}}))

    def pause(self, run: int) -> dict[str, Any]:
        """Pause a run, unless it has ended. Raises UnknownRunError."""
        self._log.request_pause(run)
        return self._after(run)

    def resume(self, run: int) -> dict[str, Any]:
        """Resume a run if it is paused. Raises UnknownRunError."""
        self._log.request_resume(run)
        return self._after(run)

    def cancel(self, run: int, *, keep_model: bool = False) -> dict[str, Any]:
        """Cancel a run, unless it has ended, and save its best model first if `keep_model`.

        Raises UnknownRunError, and OSError if the model cannot be saved; then the run continues.
        """
        saved = None
        while not self._log.request_cancel(run, keep_model=keep_model, saved=saved):
            try:
                saved = save_best(self._read(self._log.run(run)["checkpoint"], run), self._store, run)
            except NotSavedError as error:
                saved = {"not_kept": message_of(error)}
            keep_model = saved is not None
        return self._after(run)

    def delete(self, run: int) -> None:
        """Delete an ended run, its events, its checkpoint and its trajectory. Raises UnknownRunError, NotEndedError."""
        self._log.delete(run)
        self._checkpoints.keep_only(run, None)
        self._live.forget(run)
        self._trajectories.forget(run)

    def live_weights(self, run: int) -> bytes | None:
        """The weights of a run that is being trained, as from `LiveWeights.ask`. Raises UnknownRunError, OSError."""
        return self._live.ask(run) if self._log.run(run)["state"] == RunState.RUNNING else None

    def _ended(self, run: int) -> dict[str, Any]:
        """A run that has ended with a checkpoint. Raises UnknownRunError, NoCheckpointError."""
        row = self._log.run(run)
        if row["state"] not in ENDED:
            raise NoCheckpointError("run {run} has not ended; resume it, or wait for it to finish", run=run)
        if row["checkpoint"] is None:
            raise NoCheckpointError(
                "run {run} left no checkpoint to resume from: it ended before its first epoch was done", run=run
            )
        return row

    def _after(self, run: int) -> dict[str, Any]:
        self._wake()
        return self._log.run(run)

    def _read(self, name: str, run: int) -> Any:
        try:
            return self._checkpoints.read(name)
        except CheckpointError as error:
            raise NoCheckpointError("run {run} cannot be used: {reason}", run=run, reason=message_of(error)) from None

    def _with_model(self, config: RunConfig) -> RunConfig:
        """The config with the network of its starting model."""
        if config.start is None or config.start.model is None:
            return config
        try:
            card = self._store.get(config.start.model)
        except (UnknownModelError, DamagedModelError) as error:
            raise type(error)(error.message.within("start.model")) from None
        if config.start.sha256 not in (None, card.sha256):
            raise InputError("{name} has changed since the config named it", field="start.model", name=card.name)
        network = {key: value for key, value in card.network.items() if key != "input_shape"}
        return parse_config(
            {
                **config.model_dump(mode="json"),
                "network": network,
                "dtype": card.dtype,
                "input_scale": card.input_scale,
                "start": {"model": card.name, "sha256": card.sha256},
            }
        )

    def _check_dataset(self, config: RunConfig) -> DatasetInfo:
        info = self._info(config.dataset)
        if info.state in ("too-few", "damaged"):
            raise InputError(
                "{title} cannot be trained on yet. {note}", field="dataset", title=info.title, note=info.note
            )
        outputs = config.build_network().output_shape
        if outputs != (len(info.labels),):
            raise InputError(
                "expected {count} outputs, one for each label of {name}; got {names}",
                field="network.layers",
                count=len(info.labels),
                name=info.name,
                names=" × ".join(map(str, outputs)),
            )
        if config.start is not None and config.start.model is not None:
            labels = self._store.get(config.start.model).labels
            if labels != list(info.labels):
                raise InputError(
                    "expected a model with the labels of {name}, {labels}; got one with {others}",
                    field="start.model",
                    name=info.name,
                    labels=_short(info.labels),
                    others=_short(labels),
                )
        return info

    def _info(self, name: str) -> DatasetInfo:
        try:
            return self._catalog.info(name)
        except (ValueError, DatasetUnavailable) as error:
            raise InputError(message_of(error).within("dataset")) from None

    def _source(self, config: RunConfig) -> str | None:
        """The checkpoint to start from, if the run starts from another one."""
        if config.start is None or config.start.run is None:
            return None
        try:
            row = self._ended(config.start.run)
        except UnknownRunError:
            raise _no_checkpoint(config, Message("this run no longer exists")) from None
        checkpoint = self._read(row["checkpoint"], config.start.run)
        before = parse_config(checkpoint.config)
        for field in ("network", "dtype", "optimizer", "dataset", "validation", "batch_size"):
            if field == "optimizer":
                same = before.optimizer.get("type") == config.optimizer.get("type")
            else:
                same = getattr(before, field) == getattr(config, field)
            if not same:
                raise InputError(
                    "expected the {name} of run {run}, to continue where it ended",
                    field="start.run",
                    name=field,
                    run=config.start.run,
                )
        done, run = checkpoint.snapshot.epoch, config.start.run
        least = done + 1 if row["state"] == RunState.SUCCEEDED else done
        if config.epochs < least:
            raise InputError(
                "expected at least {least} epochs, as run {run} has already done {done}; got {got}",
                field="epochs",
                least=least,
                run=run,
                done=done,
                got=config.epochs,
            )
        return str(row["checkpoint"])


def _no_checkpoint(config: RunConfig, why: Message) -> NoCheckpointError:
    run = config.start.run if config.start is not None else None
    return NoCheckpointError("run {run} left no checkpoint to resume from: {why}", field="start.run", run=run, why=why)


def _short(labels: Any) -> str:
    return ", ".join(map(str, list(labels)[:12])) + (", …" if len(labels) > 12 else "")
