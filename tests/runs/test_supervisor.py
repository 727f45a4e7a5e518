"""Runs from the queue to their end, in real processes."""

import errno
import math
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from unittest.mock import Mock

import numpy as np
import pytest

from app.models import ModelStore, Predictor
from app.nn import evaluate
from app.nn.losses import CrossEntropy
from app.runs.config.run_config import request_config
from app.runs.log.database import writing
from app.runs.log.state import ENDED, RunState
from app.runs.log.transitions import Lease
from app.runs.supervisor import SWEEP_SECONDS, Supervisor, _Worker
from app.runs.training.hardware import cores
from app.runs.worker.process import _show_as
from tests.support.home import freeze_between_writes, let_leases_run_out
from tests.support.runs import TINY
from tests.support.waiting import until

LONG = {**TINY, "epochs": 10_000}
RESUMED = {
    **TINY,
    "epochs": 6,
    "network": {
        "layers": [
            *({"type": "dense", "units": 64}, {"type": "relu"}, {"type": "dropout", "rate": 0.2}),
            {"type": "dense", "units": 10},
        ]
    },
    "validation": 0.1,
    "patience": 3,
}
SLOW = {**RESUMED, "epochs": 2, "batch_size": 2}
"""Epochs of a second, so that there is a middle of one."""
TIMES = ("seconds", "samples_per_second")


@pytest.fixture
def runner(log, settings):
    started = Supervisor(log, settings)
    started.start()
    yield started
    started.stop()


def add(log, overrides, recipe="quick"):
    return log.add(request_config({"recipe": recipe, "overrides": overrides}))


def wait_for_end(log, run):
    return until(lambda: (row := log.run(run))["state"] in ENDED and row)


def wait_for_epoch(log, run):
    until(lambda: any(event["type"] == "epoch" for event in log.events(run)))


def worker_pid(runner):
    return until(lambda: runner._workers and runner._workers[0].process.pid)


def test_a_run_trains_evaluates_and_leaves_a_model_that_predicts(log, runner, settings):
    run = add(log, TINY)
    row = wait_for_end(log, run)
    assert (row["state"], row["error"], row["model"]) == ("succeeded", None, f"quick-{run}")
    events = log.events(run)
    assert [event["type"] for event in events] == [
        *("queued", "started", "epoch", "epoch", "evaluated", "model_saved", "succeeded")
    ]
    assert [event["seq"] for event in events] == list(range(1, 8))
    epochs = [event["data"] for event in events if event["type"] == "epoch"]
    assert set(epochs[0]) == {
        *("epoch", "epochs", "train_loss", "train_accuracy", "val_loss", "val_accuracy"),
        *("learning_rate", "seconds", "samples_per_second", "layers", "sheet", "batch_losses"),
    }
    assert epochs[1]["val_accuracy"] > 0.5
    losses = epochs[0]["batch_losses"]
    assert len(losses) == 40  # one for each batch, as there are few
    assert np.mean(losses) == pytest.approx(epochs[0]["train_loss"], rel=1e-3)
    store = ModelStore(settings.home)
    card, network = store.load(row["model"])
    assert card.metrics["test_accuracy"] == row["test_accuracy"] == epochs[1]["val_accuracy"]
    assert (card.recipe, card.dataset, card.run, card.shipped) == ("quick", "strokes", run, False)
    assert Predictor(card, network).card.labels == list("0123456789")


@pytest.mark.slow
@pytest.mark.one_worker
def test_the_stored_network_is_the_one_that_was_evaluated(log, runner, settings, cache_dir):
    from app.data import DatasetCatalog

    row = wait_for_end(log, add(log, {**TINY, "validation": 0.25}))
    card, network = ModelStore(settings.home).load(row["model"])
    test = DatasetCatalog(cache_dir).load("strokes").test
    measured = evaluate(network, test.images, test.labels, loss=CrossEntropy(), input_scale=card.input_scale)
    assert measured.accuracy == row["test_accuracy"]
    started = log.events(row["id"])[1]["data"]
    assert set(started["compute"]) == {"processes", "blas_threads", "blas", "kernel"}
    assert started["compute"]["processes"] == min(2, cores())
    assert (started["train_samples"], started["validation_samples"]) == (15000, 5000)


def test_the_evaluation_tells_how_it_errs(log, runner):
    row = wait_for_end(log, add(log, TINY))
    data = next(event["data"] for event in log.events(row["id"]) if event["type"] == "evaluated")
    confusion = np.array(data["confusion"])
    assert confusion.shape == (10, 10)
    assert confusion.sum() == data["test_samples"] == 2000
    assert confusion.trace() / confusion.sum() == pytest.approx(data["test_accuracy"])
    assert data["recall"]["3"] == pytest.approx(confusion[3, 3] / confusion[3].sum())
    assert data["precision"]["3"] == pytest.approx(confusion[3, 3] / confusion[:, 3].sum())
    worst = data["mistakes"]
    assert len(worst) == 30
    assert all(mistake["said"] != mistake["label"] for mistake in worst)
    assert worst == sorted(worst, key=lambda mistake: mistake["label_probability"])


def test_a_run_with_patience_ends_early_with_its_best_weights(log, runner, settings):
    overrides = {**TINY, "epochs": 200, "patience": 2, "optimizer": {"type": "adam", "learning_rate": 0.05}}
    row = wait_for_end(log, add(log, {**overrides, "schedule": {"type": "constant"}}))
    assert row["state"] == "succeeded"
    events = log.events(row["id"])
    losses = [event["data"]["val_loss"] for event in events if event["type"] == "epoch"]
    evaluated = next(event["data"] for event in events if event["type"] == "evaluated")
    assert evaluated["best_epoch"] == int(np.argmin(losses)) + 1 == len(losses) - 2
    assert evaluated["test_loss"] == pytest.approx(min(losses))


@pytest.mark.slow
def test_a_process_is_kept_ready_replaced_when_it_dies_and_ends_with_the_queue(log, settings, monkeypatch):
    monkeypatch.setattr("app.runs.supervisor.SPARE_AFTER", 0.0)
    monkeypatch.setattr("app.runs.supervisor.SPARE_RETRY", 0.2)
    runner = Supervisor(log, settings)
    runner.start()
    first = until(lambda: runner._spare and runner._spare.pid)
    os.kill(first, signal.SIGKILL)
    second = until(lambda: runner._spare and runner._spare.pid != first and runner._spare.pid)
    run = add(log, LONG)
    runner.wake()
    assert until(lambda: runner._workers and runner._workers[0].process.pid) == second
    wait_for_epoch(log, run)
    assert log.run(run)["attempt"] == 1
    third = until(lambda: runner._spare and runner._spare.pid)
    assert third != second
    os.kill(third, signal.SIGSTOP)  # one that cannot answer ends too
    runner.stop()
    assert runner._spare is None
    for pid in (first, second, third):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_command_that_trains_one_run_keeps_no_process_ready(log, settings, monkeypatch):
    monkeypatch.setattr("app.runs.supervisor.SPARE_AFTER", 0.0)
    runner = Supervisor(log, settings, only=1)
    runner._next_spare = 0.0
    runner._keep_spare()
    assert runner._spare is None


def test_a_process_that_cannot_be_kept_ready_is_no_fault_of_the_queue(log, settings, monkeypatch):
    runner = Supervisor(log, settings)
    monkeypatch.setattr(runner, "_spawn", Mock(side_effect=OSError(errno.EAGAIN, "no more")))
    runner._next_spare = 0.0
    for _ in range(3):
        runner._keep_spare()
    assert runner._spare is None
    assert runner._spawn.call_count == 1


def test_a_run_begins_without_the_process_that_was_kept_ready_and_died(log, settings, monkeypatch):
    runner = Supervisor(log, settings)
    runner._next_spare = 0.0
    runner._keep_spare()
    dead = runner._spare
    dead.kill()
    dead.wait()
    run = add(log, LONG)
    worker = runner._start(log.claim(runner.owner))
    try:
        assert worker.process.pid != dead.pid
        assert dead.stdin.closed
        wait_for_epoch(log, run)
    finally:
        worker.process.kill()
        worker.process.wait()
        worker.stdin.close()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's /proc")
def test_a_process_without_a_name_works(monkeypatch):
    monkeypatch.setattr("app.runs.worker.process.Path", Mock(side_effect=FileNotFoundError("/proc/self/comm")))
    _show_as("digitpad-ready")


def test_a_waiting_process_ends_with_its_input():
    code = "from app.runs.worker.process import main; main()"
    ended = subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.slow
def test_two_runs_of_one_seed_leave_equal_weights(log, runner, settings):
    first, second = (wait_for_end(log, add(log, TINY)) for _ in range(2))
    store = ModelStore(settings.home)
    assert store.get(first["model"]).sha256 == store.get(second["model"]).sha256


def test_a_running_run_is_cancelled_and_leaves_no_model(log, runner, settings):
    run = add(log, LONG)
    wait_for_epoch(log, run)
    log.request_cancel(run)
    assert wait_for_end(log, run)["state"] == "cancelled"
    assert log.events(run)[-1]["type"] == "cancelled"
    assert ModelStore(settings.home).list() == []
    until(lambda: not runner._workers)


def undisturbed(log, run):
    """What must be equal, bit for bit, in two runs of one config: the log without its times."""
    return [
        (event["seq"], event["type"], {key: value for key, value in event["data"].items() if key not in TIMES})
        for event in log.events(run)
    ]


def weights_of(settings, row):
    return ModelStore(settings.home).get(row["model"]).sha256


def checkpoint_files(settings):
    return sorted(path.name for path in (settings.home / "checkpoints").rglob("*") if path.is_file())


@pytest.mark.slow
@pytest.mark.one_worker
def test_a_run_whose_process_is_killed_goes_on_from_its_checkpoint_to_the_same_weights_and_log(log, runner, settings):
    plain = wait_for_end(log, add(log, RESUMED))
    run = add(log, RESUMED)
    wait_for_epoch(log, run)
    os.kill(worker_pid(runner), signal.SIGKILL)
    row = wait_for_end(log, run)
    assert (row["state"], row["attempt"]) == ("succeeded", 2)
    assert weights_of(settings, row) == weights_of(settings, plain)
    expected, found = undisturbed(log, plain["id"]), undisturbed(log, run)
    assert [e[:2] for e in found] == [e[:2] for e in expected]
    assert found[:-2] == expected[:-2]  # the last two name the model
    until(lambda: not runner._workers)
    assert [name.split(".")[:3] for name in checkpoint_files(settings)] == [
        [str(plain["id"]), "1", "6"],
        [str(run), "2", "6"],
    ]


@pytest.mark.one_worker
def test_a_run_whose_process_dies_three_times_fails_with_the_reason_and_the_next_one_runs(log, runner):
    run, following = add(log, LONG), add(log, TINY)
    for attempt in (1, 2, 3):
        until(lambda attempt=attempt: runner._workers and runner._workers[0].lease == Lease(run, attempt))
        os.kill(runner._workers[0].process.pid, signal.SIGKILL)
    row = wait_for_end(log, run)
    assert row["state"] == "failed"
    assert row["error"] == "the training process died 3 times, the last time: signal SIGKILL"
    assert log.events(run)[-1]["data"]["reason"] == "process"
    assert wait_for_end(log, following)["state"] == "succeeded"


@pytest.mark.slow
def test_a_frozen_process_is_given_up_and_its_run_goes_on(log, settings):
    runner = Supervisor(log, settings)
    runner.start()
    run = add(log, RESUMED)
    wait_for_epoch(log, run)
    frozen = worker_pid(runner)
    freeze_between_writes(settings.home, [frozen])
    let_leases_run_out(settings.home)
    row = wait_for_end(log, run)
    runner.stop()
    assert (row["state"], row["attempt"]) == ("succeeded", 2)
    with pytest.raises(ProcessLookupError):
        os.kill(frozen, 0)


@pytest.mark.slow
def test_a_run_is_paused_within_an_epoch_and_resumed_to_the_same_weights(log, runner, settings):
    plain = wait_for_end(log, add(log, SLOW))
    run = add(log, SLOW)
    until(lambda: (log.run(run)["progress"] or {}).get("batch", 0) > 3)
    log.request_pause(run)
    row = until(lambda: (row := log.run(run))["state"] == "paused" and row)
    data = log.events(run)[-1]["data"]
    assert 0 < data["batch"] < 9000
    until(lambda: not runner._workers)
    assert checkpoint_files(settings)[-1] == row["checkpoint"]
    log.request_resume(run)
    row = wait_for_end(log, run)
    assert (row["state"], row["attempt"]) == ("succeeded", 2)
    assert weights_of(settings, row) == weights_of(settings, plain)
    asked = [event for event in undisturbed(log, run) if event[1] in ("paused", "resumed")]
    assert [kind for _, kind, _ in asked] == ["paused", "resumed"]
    assert [data for _, kind, data in undisturbed(log, run) if kind == "epoch"] == [
        data for _, kind, data in undisturbed(log, plain["id"]) if kind == "epoch"
    ]


@pytest.mark.slow
@pytest.mark.one_worker
def test_another_run_goes_on_while_one_is_paused(log, runner):
    first, second = add(log, LONG), add(log, TINY)
    wait_for_epoch(log, first)
    log.request_pause(first)
    assert wait_for_end(log, second)["state"] == "succeeded"
    assert log.run(first)["state"] == "paused"
    log.request_cancel(first)
    assert types(log, first)[-2:] == ["paused", "cancelled"]


def types(log, run):
    return [event["type"] for event in log.events(run)]


def test_a_cancelled_run_keeps_its_best_model_if_asked(log, runner, settings):
    run = add(log, {**LONG, "optimizer": {"type": "sgd", "learning_rate": 0.5}, "validation": 0.25})
    until(lambda: (log.run(run)["metrics"] or {}).get("epoch", 0) > 2)
    log.request_cancel(run, keep_model=True)
    row = wait_for_end(log, run)
    assert row["state"] == "cancelled"
    assert types(log, run)[-2:] == ["model_saved", "cancelled"]
    epochs = [event["data"] for event in log.events(run) if event["type"] == "epoch"]
    best = min(epochs, key=lambda epoch: epoch["val_loss"])
    card, network = ModelStore(settings.home).load(row["model"])
    assert card.metrics == {key: best[key] for key in ("epoch", "val_loss", "val_accuracy")}
    from app.data import DatasetCatalog, split_validation

    _, held = split_validation(DatasetCatalog(settings.cache_dir).load("strokes").train, 0.25)
    measured = evaluate(network, held.images, held.labels, loss=CrossEntropy(), input_scale=card.input_scale)
    assert measured.loss == pytest.approx(best["val_loss"], rel=1e-5)  # the worker may use other kernels


def test_a_run_cancelled_before_its_first_epoch_has_no_model_to_keep(log, runner, settings):
    run = add(log, LONG)
    until(lambda: log.run(run)["state"] == "running")
    log.request_cancel(run, keep_model=True)
    wait_for_end(log, run)
    assert types(log, run)[-1] == "cancelled"


def test_a_frozen_worker_that_is_to_be_cancelled_is_made_to_end(log, runner, settings, monkeypatch):
    monkeypatch.setattr("app.runs.supervisor.TERMINATE_AFTER", 0.1)
    monkeypatch.setattr("app.runs.supervisor.KILL_AFTER", 0.3)
    run = add(log, LONG)
    wait_for_epoch(log, run)
    freeze_between_writes(settings.home, [worker_pid(runner)])
    log.request_cancel(run)
    assert wait_for_end(log, run)["state"] == "cancelled"


def test_a_worker_that_is_slow_to_begin_is_not_ended_before_it_could_heed_the_wish_to_cancel(
    log, settings, monkeypatch
):
    monkeypatch.setattr("app.runs.supervisor.TERMINATE_AFTER", -1.0)
    run = add(log, TINY)
    claim = log.claim("a server")
    process = Mock()
    worker = _Worker(claim, process, Mock())
    log.request_cancel(run, keep_model=True)
    for progress in (None, {"phase": "loading", "attempt": claim.attempt - 1}):
        log.heartbeat(claim, progress)
        Supervisor(log, settings)._enforce_cancel(worker)
    process.terminate.assert_not_called()
    log.heartbeat(claim, {"phase": "loading", "attempt": claim.attempt})
    Supervisor(log, settings)._enforce_cancel(worker)
    process.terminate.assert_called_once()


def test_a_diverging_run_fails_and_says_so_without_nan(log, runner, settings):
    # three layers make it overflow in float32 within an epoch
    overrides = {**TINY, "optimizer": {"type": "sgd", "learning_rate": 1e30}, "schedule": {"type": "constant"}}
    row = wait_for_end(log, add(log, overrides))
    assert row["state"] == "failed"
    last = log.events(row["id"])[-1]["data"]
    assert last["reason"] == "diverged"
    assert "a smaller learning rate may help" in row["error"]
    assert all(not isinstance(value, float) or math.isfinite(value) for value in last.values())
    assert ModelStore(settings.home).list() == []


def test_a_run_on_a_damaged_data_set_fails_and_offers_strokes(log, settings, tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"not MNIST")
    runner = Supervisor(log, settings.model_copy(update={"data_dir": tmp_path}))
    runner.start()
    try:
        row = wait_for_end(log, add(log, {**TINY, "dataset": "mnist"}))
    finally:
        runner.stop()
    assert row["state"] == "failed"
    assert "DIGITPAD_DATA_DIR" in row["error"]
    assert "strokes" in row["error"]
    assert str(tmp_path) not in row["error"]


@pytest.mark.slow
def test_a_run_that_a_killed_server_left_behind_is_taken_up(log, settings):
    run = add(log, TINY)
    log.claim("a server that is no more")
    let_leases_run_out(settings.home)
    runner = Supervisor(log, settings)
    runner.start()
    try:
        row = wait_for_end(log, run)
    finally:
        runner.stop()
    assert (row["state"], row["attempt"]) == ("succeeded", 2)


def test_a_run_of_another_living_server_is_left_alone(log, settings):
    run = add(log, LONG)
    log.lease_seconds = 3600
    log.claim("another server")
    runner = Supervisor(log, settings)
    runner.start()
    done = wait_for_end(log, add(log, TINY))
    runner.stop()
    assert done["state"] == "succeeded"
    assert log.run(run)["state"] == "running"


@pytest.mark.slow
@pytest.mark.one_worker
def test_stopping_ends_workers_and_the_next_server_goes_on_where_they_were(log, settings):
    plain = Supervisor(log, settings)
    plain.start()
    expected = wait_for_end(log, add(log, SLOW))
    run = add(log, SLOW)
    until(lambda: (log.run(run)["progress"] or {}).get("batch", 0) > 3)
    pid = worker_pid(plain)
    plain.stop()
    row = log.run(run)
    assert (row["state"], row["error"]) == ("queued", None)
    assert int(row["checkpoint"].split(".")[3]) > 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    following = Supervisor(log, settings)
    following.start()
    row = wait_for_end(log, run)
    following.stop()
    assert weights_of(settings, row) == weights_of(settings, expected)


def test_a_dead_workers_run_is_taken_though_the_clock_was_set_back(log, settings):
    for _ in range(2):
        log.add(request_config({"recipe": "quick"}))
    log.lease_seconds = 86_400.0  # as of a clock that was a day ahead
    dead, alive = log.claim("another server"), log.claim("another server")
    supervisor = Supervisor(log, settings)
    for check in range(int(settings.lease_seconds / SWEEP_SECONDS) + 2):
        assert log.run(dead.run)["state"] == "running"
        log.heartbeat(alive, {"check": check})
        supervisor._reap_expired()
    assert (log.run(dead.run)["state"], log.run(alive.run)["state"]) == ("queued", "running")


def test_a_living_workers_run_stays_though_its_clock_is_behind(log, settings):
    log.add(request_config({"recipe": "quick"}))
    log.lease_seconds = -3600.0
    lease = log.claim("another machine")
    supervisor = Supervisor(log, settings)
    for check in range(4):
        log.heartbeat(lease, {"check": check})
        supervisor._reap_expired()
    assert log.run(lease.run)["state"] == "running"
    supervisor._reap_expired()
    assert log.run(lease.run)["state"] == "queued"


def test_a_broken_database_is_a_visible_fault_that_ends(log, settings, monkeypatch):
    from sqlalchemy.exc import OperationalError

    runner = Supervisor(log, settings)
    claim = log.claim

    def broken(owner, run=None):
        raise OperationalError("", {}, Exception("locked"))

    monkeypatch.setattr(log, "claim", broken)
    runner.start()
    assert until(lambda: runner.fault) == "locked"
    monkeypatch.setattr(log, "claim", claim)
    until(lambda: runner.fault is None)
    runner.stop()


@pytest.mark.slow
@pytest.mark.one_worker
def test_a_process_that_does_not_end_after_its_last_word_is_ended_and_frees_its_place(log, settings, monkeypatch):
    monkeypatch.setattr("app.runs.supervisor.LINGER_SECONDS", 0.2)
    runner = Supervisor(log, settings)
    run = add(log, TINY)
    claim = log.claim(runner.owner)
    frozen = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], stdin=subprocess.PIPE)
    runner._workers.append(_Worker(claim, frozen, frozen.stdin))
    runner.start()
    following = add(log, TINY)
    until(lambda: runner._workers and runner.fault is None)
    assert frozen.poll() is None
    log.finish(claim, RunState.SUCCEEDED, {})
    assert wait_for_end(log, following)["state"] == "succeeded"
    assert frozen.poll() is not None
    assert types(log, run) == ["queued", "succeeded"]
    runner.stop()


@pytest.mark.slow
@pytest.mark.one_worker
def test_a_passing_shortage_of_processes_fails_no_run(log, settings, monkeypatch):
    runner = Supervisor(log, settings)
    start = runner._start

    def refused(claim):
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(runner, "_start", refused)
    waiting = [add(log, TINY) for _ in range(3)]
    runner.start()
    assert until(lambda: runner.fault) == os.strerror(errno.EAGAIN)
    assert {log.run(run)["state"] for run in waiting} <= {"queued", "running"}
    monkeypatch.setattr(runner, "_start", start)
    assert [wait_for_end(log, run)["state"] for run in waiting] == ["succeeded"] * 3
    runner.stop()


@pytest.mark.slow
def test_a_server_stops_soon_though_the_database_is_locked(log, settings):
    runner = Supervisor(log, settings)
    runner.start()
    run = add(log, LONG)
    wait_for_epoch(log, run)
    worker_pid(runner)
    worker = runner._workers[0].process
    with writing(log.engine):
        runner.stop()
        assert until(lambda: worker.poll() is not None)
    assert log.run(run)["state"] in ("running", "queued")


@pytest.mark.slow
def test_as_many_runs_train_at_once_as_there_are_workers_and_the_rest_waits(log, settings):
    runner = Supervisor(log, settings.model_copy(update={"workers": 2}))
    runner.start()
    held = [add(log, LONG) for _ in range(3)]
    for run in held[:2]:
        wait_for_epoch(log, run)
    assert log.run(held[2])["state"] == "queued"
    assert len({worker.process.pid for worker in runner._workers}) == 2
    log.request_cancel(held[0])
    wait_for_epoch(log, held[2])
    runner.stop()
    assert [log.run(run)["state"] for run in held] == ["cancelled", "queued", "queued"]


def test_a_reason_for_which_the_queue_waits_is_logged_once(log, settings, monkeypatch, caplog):
    """On a full disk a traceback at each look would be the next thing that does not fit."""
    runner, reasons = Supervisor(log, settings), [errno.ENOSPC] * 3 + [errno.EROFS] * 2

    def refused(*_):
        raise OSError(reasons[0], os.strerror(reasons.pop(0)))

    monkeypatch.setattr(log, "claim", refused)
    monkeypatch.setattr(runner._stop, "wait", lambda _: None)
    runner.start()
    until(lambda: not reasons)
    monkeypatch.undo()
    until(lambda: runner.fault is None)
    runner.stop()
    assert [record.exc_info[1].errno for record in caplog.records if record.exc_info][:2] == [
        errno.ENOSPC,
        errno.EROFS,
    ]


@pytest.mark.sqlite
def test_the_end_of_a_run_is_in_the_databases_file_alone(log, runner, settings, tmp_path):
    run = add(log, TINY)
    wait_for_end(log, run)

    def copied():
        (tmp_path / "copy.sqlite3").write_bytes((settings.home / "digitpad.sqlite3").read_bytes())
        with closing(sqlite3.connect(tmp_path / "copy.sqlite3")) as copy:
            return copy.execute("SELECT state FROM runs WHERE id = ?", (run,)).fetchone() == ("succeeded",)

    until(copied)


def test_workers_have_the_lowest_priority(log, runner):
    run = add(log, LONG)
    wait_for_epoch(log, run)
    assert os.getpriority(os.PRIO_PROCESS, worker_pid(runner)) == 19
    log.request_cancel(run)
    wait_for_end(log, run)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_the_rows_of_the_from_scratch_tutorial_come_out_to_the_printed_digit(mnist_dir, settings, processes):
    from app.data import DatasetCatalog
    from app.runs.training.run_training import RunEvent, Training

    dataset = DatasetCatalog(settings.cache_dir, mnist_dir).load("mnist")
    config = request_config({"recipe": "from-scratch", "overrides": {"dtype": "float64", "epochs": 3}})
    epochs = [
        s.data
        for s in Training(config, dataset, processes=processes).run()
        if isinstance(s, RunEvent) and s.type == "epoch"
    ]
    printed = [
        f"{e['train_accuracy'] * 100:.2f}/{e['val_accuracy'] * 100:.2f} {e['train_loss']:.5f}/{e['val_loss']:.5f}"
        for e in epochs
    ]
    assert printed == [
        "11.67/12.18 2.30623/2.30601",
        "92.39/92.38 0.24541/0.24307",
        "96.78/96.34 0.10314/0.11774",
        "97.67/97.02 0.07395/0.10026",
    ]
    assert all(np.isfinite(e["samples_per_second"]) for e in epochs)
