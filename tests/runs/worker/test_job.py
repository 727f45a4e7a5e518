"""What a worker's job does when the disk, the database, the data or the store fail it. In this process."""

import errno
import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save
from sqlalchemy import event

from app.models import ModelStore
from app.runs.config.run_config import request_config
from app.runs.log.transitions import FencedError, Lease
from app.runs.service import NoCheckpointError, RunService
from app.runs.training.checkpoints import Checkpoint, CheckpointError, Checkpoints
from app.runs.worker.job import Job
from app.storage.atomic import write_atomic, write_synced
from tests.support.runs import TINY, AfterEpochs, ControlFlags, types, work

pytestmark = pytest.mark.usefixtures("uncalibrated")

FOUR = {**TINY, "epochs": 4, "validation": 0.1}


@pytest.fixture
def checkpoints(log, settings):
    return Checkpoints(settings.home, log.id)


@pytest.fixture
def commands(log, settings):
    return RunService(log, ModelStore(settings.home), settings, lambda: None)


def add(log, overrides=FOUR, **more):
    return log.add(request_config({"recipe": "quick", "overrides": {**overrides, **more}}))


def files(settings):
    return sorted(path.name for path in (settings.home / "checkpoints").rglob("*") if path.is_file())


def no_right(*_, **__):
    raise OSError(errno.EACCES, os.strerror(errno.EACCES))


class FullDisk:
    """A disk without room for `times` writes; then it does `after`."""

    def __init__(self, monkeypatch, place, write, times, after=lambda: None):
        self.left, self.write, self.after = times, write, after
        monkeypatch.setattr(place, self)
        monkeypatch.setattr("app.runs.worker.job.RETRY_SECONDS", 0.01)

    def __call__(self, *args, **kw):
        if self.left == 0:
            return self.write(*args, **kw)
        self.left -= 1
        if self.left == 0:
            self.after()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("place", "write"),
    [("app.runs.training.checkpoints.write_atomic", write_atomic), ("app.models.store.write_synced", write_synced)],
)
def test_a_training_waits_while_the_disk_is_full_and_ends_as_without(log, settings, monkeypatch, place, write):
    run, alone = add(log), add(log)
    disk = FullDisk(monkeypatch, place, write, 3)
    row = work(log, settings)
    assert (row["state"], row["attempt"], disk.left) == ("succeeded", 1, 0)
    other = work(log, settings)
    store = ModelStore(settings.home)
    assert store.get(row["model"]).sha256 == store.get(other["model"]).sha256
    assert types(log, run) == types(log, alone)


def test_a_training_that_waits_for_the_disk_is_cancelled_or_handed_back(log, settings, monkeypatch):
    run = add(log)
    requests = ControlFlags()
    FullDisk(monkeypatch, "app.runs.training.checkpoints.write_atomic", write_atomic, 10**9)
    asked = iter([None, "leave"])

    def ask(seconds):
        word = next(asked)
        if word:
            setattr(requests, word, True)

    monkeypatch.setattr("app.runs.worker.job.time.sleep", ask)
    job = Job(log, log.claim("me"), settings, requests)
    job.run()
    assert (log.run(run)["state"], log.run(run)["checkpoint"], job.progress.phase) == ("queued", None, "waiting")
    requests, asked = ControlFlags(), iter(["cancel"])
    Job(log, log.claim("me"), settings, requests).run()
    assert log.run(run)["state"] == "cancelled"


def test_a_disk_that_cannot_be_written_to_fails_the_run_and_leaves_its_last_good_checkpoint(
    log, settings, monkeypatch, commands
):
    run = add(log)
    refuse = lambda: monkeypatch.setattr("app.runs.training.checkpoints.write_atomic", no_right)  # noqa: E731
    AfterEpochs(log, monkeypatch, 2, refuse)
    row = work(log, settings)
    assert (row["state"], row["error"]) == ("failed", "a file could not be read or written: Permission denied")
    assert types(log, run) == ["queued", "started", "epoch", "epoch", "failed"]
    assert log.events(run)[-1]["data"]["reason"] == "disk"
    assert row["checkpoint"] == f"{run}.1.2.0.safetensors"
    assert files(settings) == [f"{run}.1.1.0.safetensors", row["checkpoint"]]  # and the one before
    monkeypatch.undo()
    following = commands.continue_run(run, None)
    assert (following["config"]["epochs"], following["config"]["start"]["run"]) == (4, run)
    assert work(log, settings)["state"] == "succeeded"
    assert [e["data"]["epoch"] for e in log.events(following["id"]) if e["type"] == "epoch"] == [3, 4]


def test_a_store_that_cannot_be_written_fails_the_run_and_it_can_be_gone_on_with(log, settings, monkeypatch, commands):
    run = add(log)
    monkeypatch.setattr("app.models.store.write_synced", no_right)
    row = work(log, settings)
    assert row["state"] == "failed"
    assert types(log, run)[-2:] == ["evaluated", "failed"]
    assert ModelStore(settings.home).list() == []
    assert [path for path in settings.home.iterdir() if path.name.endswith(".tmp")] == []
    assert row["checkpoint"] == f"{run}.1.4.0.safetensors"
    monkeypatch.undo()
    following = commands.continue_run(run, None)
    assert following["config"]["epochs"] == 4
    assert work(log, settings)["state"] == "succeeded"
    assert types(log, following["id"]) == ["queued", "started", "evaluated", "model_saved", "succeeded"]


def test_a_folder_in_the_way_of_the_checkpoints_fails_the_run(log, settings):
    settings.home.mkdir(exist_ok=True)
    (settings.home / "checkpoints").write_text("a file")
    run = add(log)
    row = work(log, settings)
    assert row["state"] == "failed"
    assert "a file could not be read or written" in row["error"]
    assert str(settings.home) not in row["error"]
    assert log.events(run)[-1]["data"]["reason"] == "disk"


@pytest.mark.sqlite
def test_a_training_waits_while_the_database_is_locked_or_full(log, settings, monkeypatch):
    monkeypatch.setattr("app.runs.worker.job.RETRY_SECONDS", 0.01)
    full = threading.Event()
    refused = []

    @event.listens_for(log.engine, "before_cursor_execute", retval=True)
    def refuse(connection, cursor, statement, parameters, context, many):
        if full.is_set() and statement.startswith("INSERT"):
            refused.append(statement)
            if len(refused) > 5:
                full.clear()
            return (
                "INSERT INTO no_such_table VALUES (1)",
                (),
            )  # what SQLite refuses raises OperationalError
        return statement, parameters

    AfterEpochs(log, monkeypatch, 2, full.set)
    run = add(log)
    row = work(log, settings)
    assert len(refused) > 5
    assert row["state"] == "succeeded"
    assert [e["seq"] for e in log.events(run)] == list(range(1, 10))
    assert [e["data"]["epoch"] for e in log.events(run) if e["type"] == "epoch"] == [1, 2, 3, 4]


def test_a_data_set_that_vanished_fails_the_run_when_it_is_taken_up(log, settings, monkeypatch, cache_dir, tmp_path):
    wanted = ControlFlags()
    run = add(log)
    AfterEpochs(log, monkeypatch, 2, lambda: setattr(wanted, "leave", True))
    assert work(log, settings, wanted)["state"] == "queued"

    def gone(*_, **__):
        from app.data import DatasetUnavailable

        raise DatasetUnavailable("strokes are gone")

    monkeypatch.setattr("app.runs.worker.job.DatasetCatalog.load", gone)
    row = work(log, settings)
    assert (row["state"], row["error"]) == ("failed", "strokes are gone")
    assert row["checkpoint"] is not None
    assert files(settings) == [row["checkpoint"]]
    assert types(log, run).count("epoch") == 2


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.unlink(), "its checkpoint is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-10]), "its checkpoint is damaged"),
        (lambda path: path.write_bytes(b"\x80\x04pickle"), "its checkpoint is damaged"),
        (lambda path: path.write_bytes(b""), "its checkpoint is damaged"),
        (
            lambda path: path.write_bytes(path.read_bytes().replace(b"best_epoch", b"best_epoc_", 1)),
            "its checkpoint is damaged",
        ),
        (lambda path: flip_byte(path, -5), "its checkpoint is damaged"),
        (lambda path: flip_byte(path, path.read_bytes().index(b"learning_rate") + 20), "its checkpoint is damaged"),
    ],
)
def test_a_damaged_checkpoint_fails_the_run_with_the_reason(log, settings, monkeypatch, commands, damage, reason):
    wanted = ControlFlags()
    run = add(log)
    AfterEpochs(log, monkeypatch, 1, lambda: setattr(wanted, "leave", True))
    row = work(log, settings, wanted)
    damage(settings.home / "checkpoints" / log.id / row["checkpoint"])
    row = work(log, settings)
    assert (row["state"], row["error"]) == ("failed", reason)
    with pytest.raises(NoCheckpointError, match=reason):
        commands.continue_run(run, None)


def test_the_checkpoint_of_another_run_or_epoch_is_not_taken_for_ones_own(log, settings, checkpoints):
    first, second = add(log), add(log)
    names = [work(log, settings)["checkpoint"] for _ in (first, second)]
    folder = settings.home / "checkpoints" / log.id
    mine, other = (folder / name for name in names)
    kept = mine.read_bytes()
    for stranger, name in ((other, names[0]), (mine, f"{first}.1.3.0.safetensors")):
        (folder / name).write_bytes(stranger.read_bytes())
        with pytest.raises(CheckpointError, match="its checkpoint is damaged"):
            checkpoints.read(name)
        mine.write_bytes(kept)
    assert checkpoints.read(checkpoints.copy(names[0], 77)).run == first


def test_a_checkpoint_of_an_older_version_has_no_digest_and_is_read(log, settings, checkpoints):
    add(log)
    row = work(log, settings)
    path = settings.home / "checkpoints" / log.id / row["checkpoint"]
    with safe_open(path, framework="numpy") as file:
        arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # it is no mapping
        metadata = {key: value for key, value in file.metadata().items() if key != "sha256"}
    path.write_bytes(save(arrays, metadata))
    assert checkpoints.read(row["checkpoint"]).snapshot.epoch == 4


def flip_byte(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_a_worker_given_up_for_dead_leaves_no_trace(log, settings, monkeypatch):
    run = add(log)
    claim = log.claim("me")
    AfterEpochs(log, monkeypatch, 2, lambda: log.reclaim_dead(claim, "it was silent"))
    with pytest.raises(FencedError):
        Job(log, claim, settings, ControlFlags()).run()
    assert types(log, run) == ["queued", "started", "epoch", "epoch"]
    assert log.run(run)["checkpoint"] == f"{run}.1.2.0.safetensors"
    monkeypatch.undo()
    assert work(log, settings)["state"] == "succeeded"
    assert [e["data"]["epoch"] for e in log.events(run) if e["type"] == "epoch"] == [1, 2, 3, 4]
    assert files(settings) == [f"{run}.2.3.0.safetensors", f"{run}.2.4.0.safetensors"]


@pytest.mark.parametrize("moment", ["evaluated", "model_saved", "save"])
def test_a_worker_that_dies_at_the_very_end_is_followed_by_one_that_says_nothing_twice(
    log, settings, monkeypatch, moment
):
    run = add(log)
    claim = log.claim("me")
    say, save = log.append, ModelStore.save

    class Died(BaseException):
        pass

    def spoken(claim, kind, data, **columns):
        say(claim, kind, data, **columns)
        if kind == moment:
            raise Died

    def saved(store, *arguments, **options):
        save(store, *arguments, **options)
        raise Died

    monkeypatch.setattr(log, "append", spoken)
    if moment == "save":
        monkeypatch.setattr(ModelStore, "save", saved)
    with pytest.raises(Died):
        Job(log, claim, settings, ControlFlags()).run()
    monkeypatch.undo()
    log.reclaim_dead(claim, "signal SIGKILL")
    row = work(log, settings)
    assert row["state"] == "succeeded"
    assert types(log, run) == ["queued", "started", *["epoch"] * 4, "evaluated", "model_saved", "succeeded"]
    assert [model.name for model in ModelStore(settings.home).list()] == [row["model"]] == [f"quick-{run}"]


def test_pausing_while_the_test_set_is_read_is_possible_and_changes_nothing(log, settings, monkeypatch):
    wanted = ControlFlags()
    run = add(log)
    log_pause = log.request_pause

    def pause():
        log_pause(run)
        wanted.pause = True

    AfterEpochs(log, monkeypatch, 4, pause)
    assert work(log, settings, wanted)["state"] == "paused"
    log.request_resume(run)
    row = work(log, settings)
    assert row["state"] == "succeeded"
    assert types(log, run)[-5:] == ["paused", "resumed", "evaluated", "model_saved", "succeeded"]


def test_a_wish_to_pause_that_was_taken_back_does_not_stop_the_run(log, settings, monkeypatch):
    wanted = ControlFlags()
    run = add(log)
    AfterEpochs(log, monkeypatch, 1, lambda: setattr(wanted, "pause", True))
    assert work(log, settings, wanted)["state"] == "succeeded"
    assert "paused" not in types(log, run)
    assert not wanted.pause


def test_a_run_goes_on_for_more_epochs_as_one_of_that_length_would_have(log, settings, commands):
    constant = {"schedule": {"type": "constant"}}
    add(log, {**FOUR, "epochs": 6}, **constant)
    whole = work(log, settings)
    short = add(log, **constant)
    work(log, settings)
    following = commands.continue_run(short, 2)
    assert following["state"] == "queued"
    row = work(log, settings)
    store = ModelStore(settings.home)
    assert row["state"] == "succeeded", row["error"]
    assert store.get(row["model"]).sha256 == store.get(whole["model"]).sha256
    assert log.run(short)["checkpoint"] in files(settings)


def test_going_on_with_patience_begins_to_be_patient_anew(log, settings, commands):
    add(log, {**FOUR, "epochs": 300, "patience": 1, "optimizer": {"type": "adam", "learning_rate": 0.05}})
    row = work(log, settings)
    done = row["metrics"]["epoch"]
    assert done < 300
    commands.continue_run(row["id"], 5)
    following = work(log, settings)
    assert following["state"] == "succeeded"
    assert following["metrics"]["epoch"] > done


def test_a_run_again_has_the_same_weights(log, settings, commands):
    add(log)
    first = work(log, settings)
    commands.rerun(first["id"])
    second = work(log, settings)
    store = ModelStore(settings.home)
    assert store.get(first["model"]).sha256 == store.get(second["model"]).sha256
    assert first["model"] != second["model"]


def test_a_model_is_fine_tuned_from_its_own_weights_and_network(log, settings, commands):
    add(log)
    first = work(log, settings)
    overrides = {"dataset": "strokes", "epochs": 1, "start": {"model": first["model"]}}
    config = request_config({"recipe": "lenet", "overrides": overrides})
    row = commands.start(config)
    assert [layer.get("units") for layer in row["config"]["network"]["layers"]] == [16, None, 10]
    row = work(log, settings)
    assert row["state"] == "succeeded", row["error"]
    store = ModelStore(settings.home)
    before, after = store.load(first["model"])[1], store.load(row["model"])[1]
    assert before.spec() == after.spec()
    assert 0 < np.abs(before.params - after.params).max() < 1
    assert row["metrics"]["val_accuracy"] >= first["test_accuracy"] - 0.05


def test_a_model_that_was_replaced_or_removed_is_not_started_from(log, settings, commands):
    add(log)
    first = work(log, settings)
    overrides = {"dataset": "strokes", "epochs": 1, "start": {"model": first["model"]}}
    config = request_config({"recipe": "quick", "overrides": overrides})
    removed, replaced = commands.start(config)["id"], commands.start(config)["id"]
    store = ModelStore(settings.home)
    card, network = store.load(first["model"])
    card = card.model_copy(update={"calibration": None})
    store.delete(first["model"])
    assert work(log, settings)["error"].startswith("the model to start from cannot be used: there is no model")
    network.params += 1
    store.save(card, network)
    assert "has changed since the run was queued" in work(log, settings)["error"]
    assert [log.run(run)["state"] for run in (removed, replaced)] == ["failed", "failed"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": {"type": "sgd", "learning_rate": 0.1}}, "start.run: expected the optimizer of run 1"),
        ({"batch_size": 32}, "start.run: expected the batch_size of run 1"),
        ({"validation": 0.2}, "start.run: expected the validation of run 1"),
        ({"epochs": 4}, "epochs: expected at least 5 epochs, as run 1 has already done 4; got 4"),
        ({"start": {}}, "start: expected either run or model"),
        ({"start": {"run": 1, "model": "m"}}, "start: expected either run or model"),
        ({"start": {"run": 0}}, "start.run"),
        ({"start": {"run": True}}, "start.run"),
        ({"start": {"model": "x" * 65}}, "start.model"),
        ({"start": 3}, "start"),
    ],
)
def test_a_run_that_cannot_start_from_what_it_names_is_refused(log, settings, commands, changes, message):
    add(log)
    work(log, settings)
    plain = log.run(1)["config"]
    with pytest.raises(ValueError, match=message):
        commands.start(request_config({**plain, "epochs": 9, "start": {"run": 1}, **changes}))
    assert len(log.list_runs(limit=9)) == 1


def test_labels_must_be_those_of_the_data_set(log, settings, commands):
    add(log)
    first = work(log, settings)
    store = ModelStore(settings.home)
    card, network = store.load(first["model"])
    changes = {"name": "letters", "labels": list("ABCDEFGHIJ"), "calibration": None, "run": None}
    letters = store.save(card.model_copy(update=changes), network)
    overrides = {"dataset": "strokes", "start": {"model": letters.name}}
    with pytest.raises(ValueError, match=r"labels of strokes, 0, 1, .*; got one with A, B"):
        commands.start(request_config({"recipe": "quick", "overrides": overrides}))


def test_weights_that_are_no_longer_finite_do_not_take_the_place_of_a_good_checkpoint(log, settings, monkeypatch):
    from app.runs.training.run_training import Training

    wanted = ControlFlags()
    run = add(log)
    snapshot = Training.snapshot

    def spoiled(training):
        found = snapshot(training)
        found.arrays["network.0.weight"][0, 0] = np.inf
        return replace(found, epoch=2, batch=1)

    def leave():
        monkeypatch.setattr(Training, "snapshot", spoiled)
        wanted.leave = True

    AfterEpochs(log, monkeypatch, 1, leave)
    row = work(log, settings, wanted)
    assert (row["state"], row["checkpoint"]) == ("queued", f"{run}.1.1.0.safetensors")
    assert files(settings) == [row["checkpoint"]]


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_an_epoch_is_said_once_also_where_the_optimizer_has_run_over(log, settings, monkeypatch):
    from app.runs.training.run_training import Training

    wanted = ControlFlags()
    run = add(log, optimizer={"type": "adam"})
    snapshot = Training.snapshot

    def spoiled(training):
        found = snapshot(training)
        slot = next(key for key in found.arrays if key.startswith("optimizer."))
        found.arrays[slot].flat[0] = np.inf
        return found

    monkeypatch.setattr(Training, "snapshot", spoiled)
    AfterEpochs(log, monkeypatch, 2, lambda: setattr(wanted, "leave", True))
    assert work(log, settings, wanted)["state"] == "queued"
    monkeypatch.undo()
    row = work(log, settings)
    assert [e["data"]["epoch"] for e in log.events(run) if e["type"] == "epoch"] == [1, 2]
    assert (row["state"], log.events(run)[-1]["data"]["reason"]) == ("failed", "diverged")


def test_a_crew_whose_process_died_is_for_the_next_attempt(log, settings, monkeypatch):
    from app.nn import WorkerLostError
    from app.runs.training.run_training import Training

    def lost(*_):
        raise WorkerLostError("a training process died")
        yield

    run = add(log)
    monkeypatch.setattr(Training, "run", lost)
    with pytest.raises(WorkerLostError):
        work(log, settings)
    assert log.run(run)["state"] == "running"  # its server sees the process end, and puts the run back


def test_a_run_is_not_started_from_one_that_is_not_over_or_was_deleted(log, settings, commands):
    run = add(log)
    wanted = ControlFlags()
    wanted.leave = True
    work(log, settings, wanted)
    plain = log.run(run)["config"]
    with pytest.raises(NoCheckpointError, match="has not ended"):
        commands.start(request_config({**plain, "epochs": 9, "start": {"run": run}}))
    work(log, settings)
    following = commands.continue_run(run, 1)["id"]
    work(log, settings)
    commands.delete(run)
    with pytest.raises(NoCheckpointError, match="left no checkpoint to resume from: this run no longer exists"):
        commands.rerun(following)


def test_a_fine_tuned_run_is_not_repeated_from_another_model_of_that_name(log, settings, commands):
    add(log)
    first = work(log, settings)
    overrides = {"dataset": "strokes", "epochs": 1, "start": {"model": first["model"], "sha256": "0" * 64}}
    with pytest.raises(ValueError, match="has changed since the config named it"):
        commands.start(request_config({"recipe": "quick", "overrides": overrides}))


def test_only_an_ended_run_with_a_checkpoint_is_gone_on_with(log, settings, commands):
    run = add(log)
    for _ in range(2):
        with pytest.raises(NoCheckpointError, match="has not ended"):
            commands.continue_run(run, 1)
        commands.pause(run)
    commands.resume(run)
    wanted = ControlFlags()
    wanted.leave = True
    work(log, settings, wanted)
    commands.cancel(run)
    with pytest.raises(NoCheckpointError, match="left no checkpoint"):
        commands.continue_run(run, 1)


def test_a_waiting_run_with_a_checkpoint_keeps_its_model_when_cancelled(log, settings, commands, monkeypatch):
    wanted = ControlFlags()
    run = add(log)
    AfterEpochs(log, monkeypatch, 2, lambda: setattr(wanted, "leave", True))
    work(log, settings, wanted)
    commands.pause(run)
    row = commands.cancel(run, keep_model=True)
    assert row["state"] == "cancelled"
    assert types(log, run)[-3:] == ["paused", "model_saved", "cancelled"]
    assert ModelStore(settings.home).get(row["model"]).metrics["val_accuracy"] > 0
    commands.delete(run)
    assert files(settings) == []
    assert ModelStore(settings.home).get(row["model"])


def test_checkpoints_of_runs_that_are_no_more_are_removed(log, settings, checkpoints):
    add(log)
    row = work(log, settings)
    stray = settings.home / "checkpoints" / log.id / "77.1.2.0.safetensors"
    stray.write_bytes(b"left")
    checkpoints.tidy(log.all_ids)
    assert files(settings)[-1] == row["checkpoint"]
    assert stray.name not in files(settings)


def test_an_attempt_that_is_over_removes_nothing_of_a_later_one(checkpoints, log, settings):
    folder: Path = settings.home / "checkpoints" / log.id
    folder.mkdir(parents=True)
    for name in ("3.1.1.0.safetensors", "3.2.1.0.safetensors", ".3.1.abc.tmp", ".3.2.abc.tmp", "33.1.1.0.safetensors"):
        (folder / name).write_bytes(b"")
    checkpoints.keep_only(3, "3.1.1.0.safetensors", "3.0.1.0.safetensors", attempt=1)
    assert files(settings) == [".3.2.abc.tmp", "3.1.1.0.safetensors", "3.2.1.0.safetensors", "33.1.1.0.safetensors"]
    checkpoints.keep_only(3, None, attempt=1)
    assert files(settings) == [".3.2.abc.tmp", "3.2.1.0.safetensors", "33.1.1.0.safetensors"]
    checkpoints.keep_only(3, None)
    assert files(settings) == ["33.1.1.0.safetensors"]


def test_a_checkpoint_comes_back_as_it_was(checkpoints, log, settings):
    from app.nn import Snapshot

    arrays = {"network.0.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "best.0.weight": np.ones((2, 3))}
    snapshot = Snapshot(2, 5, 12, arrays, 0.1 + 0.2, 7, 1.5, [[2**64 - 1, 0, 1, 2, 1, 3]], 1, 0.25)
    written = Checkpoint(snapshot, 9, {"recipe": "quick"}, ["0", "○"], {"val_loss": None})
    found = checkpoints.read(checkpoints.write(Lease(9, 1), written))
    assert found.snapshot.numbers() == snapshot.numbers()
    assert (found.run, found.config, found.labels) == (9, {"recipe": "quick"}, ["0", "○"])
    assert found.metrics == {"val_loss": None}
    for name, array in arrays.items():
        assert np.array_equal(found.snapshot.arrays[name], array)
    with pytest.raises(CheckpointError, match="missing"):
        checkpoints.read("9.9.9.9.safetensors")
