"""Runs told to TensorBoard and MLflow, and read back with the real packages."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import main
from app.runs.config.run_config import parse_config
from app.runs.log.event_log import EventLog
from app.runs.tracking import follower as following
from app.runs.tracking.follower import Follower, Tracking, catch_up, tensorboard_sink
from app.settings import SettingError, Settings
from tests.support.runs import TINY
from tests.support.serving import REPOSITORY, serve
from tests.support.tracking import finish, say_epoch
from tests.support.waiting import until

pytestmark = pytest.mark.slow

CONFIG = parse_config({**TINY, "epochs": 5, "validation": 0.1, "optimizer": {"type": "sgd", "learning_rate": 0.1}})


@pytest.fixture
def log(tmp_path):
    opened = EventLog(f"sqlite:///{tmp_path / 'home' / 'digitpad.sqlite3'}")
    yield opened
    opened.close()


def begin(log):
    """A run that trains, and its claim."""
    log.add(CONFIG)
    return log.claim("test")


def points(folder: Path):
    """What TensorBoard shows of the only run below `folder`: steps and values by tag."""
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    (place,) = folder.iterdir()
    accumulator = accumulators.EventAccumulator(str(place))
    accumulator.Reload()
    tags = accumulator.Tags()
    scalars = {tag: [(one.step, round(one.value, 6)) for one in accumulator.Scalars(tag)] for tag in tags["scalars"]}
    return scalars, tags["tensors"]


WHOLE = {
    "loss/train": [(epoch, round(1 / epoch, 6)) for epoch in range(1, 6)],
    "accuracy/validation": [(epoch, round(0.5 + epoch / 100, 6)) for epoch in range(1, 6)],
    "gradient_norm/0 dense": [(epoch, 2.0 * epoch) for epoch in range(1, 6)],
    "seconds": [(epoch, 1.0) for epoch in range(1, 6)],
    "samples_per_second": [(epoch, 1000.0) for epoch in range(1, 6)],
    "loss/test": [(5, 0.25)],
    "accuracy/test": [(5, 0.75)],
}


def test_tensorboard_has_every_point_once_through_restarts_and_a_torn_file(log, tmp_path):
    folder, claim = tmp_path / "board", begin(log)
    first = Follower(log, tensorboard_sink(folder, log.id))
    first.turn()
    for epoch in (1, 2):
        say_epoch(log, claim, epoch)
        first.turn()
    first.sink.forget()
    (file,) = folder.glob("*/events*")
    file.write_bytes(file.read_bytes()[:-5])  # the process was killed while it wrote epoch 2
    second, third = (Follower(log, tensorboard_sink(folder, log.id)) for _ in range(2))  # two servers of one log
    for epoch in (3, 4):
        say_epoch(log, claim, epoch)
        second.turn()
        third.turn()
    say_epoch(log, claim, 5)
    third.turn()
    finish(log, claim)
    second.turn()
    third.turn()
    for follower in (second, third):
        follower.sink.forget()
    scalars, texts = points(folder)
    assert scalars == WHOLE
    assert texts == ["config"]
    files = sorted(folder.glob("*/*"))
    assert catch_up(log, tensorboard_sink(folder, log.id), 1)[1] == 0
    assert sorted(folder.glob("*/*")) == files


def test_the_command_exports_an_ended_run_to_tensorboard_once(log, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path / "home"))
    folder, claim = tmp_path / "board", begin(log)
    command = ["runs", "export", "1", "--tensorboard", str(folder)]

    def run(arguments):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        return left.value.code, *capsys.readouterr()

    code, _, error = run(command)
    assert (code, "is running: expected one that has ended" in error) == (1, True)
    for epoch in range(1, 6):
        say_epoch(log, claim, epoch)
    finish(log, claim)
    assert run(command) == (0, "TensorBoard: 8 events of run 1\n", "")
    assert run(command) == (0, "TensorBoard: run 1 is all there\n", "")
    assert points(folder)[0] == WHOLE
    assert run(["runs", "export", "1"])[0] == 2
    assert run(["runs", "export", "2", "--tensorboard", str(folder)])[0] == 2
    (tmp_path / "file").touch()
    code, _, error = run(["runs", "export", "1", "--tensorboard", str(tmp_path / "file")])
    assert (code, error.startswith("digitpad: TensorBoard cannot be written: ")) == (1, True)
    monkeypatch.setattr(following, "find_spec", lambda name: None)
    code, _, error = run(command)
    assert (code, error.strip()) == (
        1,
        "digitpad: TensorBoard needs the package tensorboard, which is not installed: "
        "pip install 'digitpad[tensorboard]'",
    )


class Moody:
    """A sink that can be away, and that remembers what it was told."""

    name = "moody"

    def __init__(self):
        self.away, self.told, self.forgot = False, [], 0

    def last_seq(self, run):
        return max((seq for number, seq in self.told if number == run["id"]), default=0)

    def write(self, run, events):
        if self.away:
            raise ConnectionError("http://user:secret@host/ is away")
        self.told += [(run["id"], event["seq"]) for event in events]

    def forget(self):
        self.forgot += 1


def test_a_sink_that_is_away_is_a_visible_state_and_misses_nothing(log, caplog, monkeypatch):
    monkeypatch.setattr(following, "TICK_SECONDS", 0.01)
    claim, sink = begin(log), Moody()
    follower = Follower(log, sink)
    follower.start()
    until(lambda: sink.told == [(1, 1)])
    sink.away = True
    say_epoch(log, claim, 1)
    assert until(lambda: follower.fault) == "the server is away"
    assert "secret" not in caplog.text
    sink.away = False
    say_epoch(log, claim, 2)
    until(lambda: follower.fault is None and sink.told[-1] == (1, 3))
    follower.stop()
    assert sink.told == [(1, 1), (1, 2), (1, 3)]


def test_a_run_that_cannot_be_written_holds_up_no_other(log, monkeypatch):
    first, second, sink = begin(log), begin(log), Moody()
    write, refused = sink.write, {1}

    def picky(run, events):
        if run["id"] in refused:
            raise ValueError(f"a bad parameter in run {run['id']}")
        write(run, events)

    monkeypatch.setattr(sink, "write", picky)
    follower = Follower(log, sink)
    for claim in (first, second):
        say_epoch(log, claim, 1)
    with pytest.raises(ValueError, match="in run 1"):
        follower.turn()
    assert (follower.fault, sink.told) == ("a bad parameter in run 1", [(2, 1), (2, 2)])
    refused.clear()
    follower.turn()
    assert sink.told[2:] == [(1, 1), (1, 2)]


@pytest.mark.parametrize("setting", ["tensorboard_dir", "mlflow_uri"])
def test_a_server_does_not_start_where_the_extra_is_missing(setting, log, tmp_path, monkeypatch):
    monkeypatch.setattr(following, "find_spec", lambda name: None)
    settings = Settings(home=tmp_path, _env_file=None, **{setting: str(tmp_path / "there")})
    with pytest.raises(SettingError, match=rf"DIGITPAD_{setting.upper()}: .*pip install 'digitpad\["):
        Tracking(log, settings)


def test_a_server_tells_tensorboard_and_an_mlflow_that_is_away_harms_nothing(tmp_path, cache_dir):
    pytest.importorskip("tensorboard")
    pytest.importorskip("mlflow.version")
    home, folder = tmp_path / "home", tmp_path / "board"
    told = {"DIGITPAD_TENSORBOARD_DIR": str(folder), "DIGITPAD_MLFLOW_URI": "http://127.0.0.1:1"}
    with serve(home, DIGITPAD_CACHE_DIR=str(cache_dir), **told) as server:
        run = server.post("/api/runs", {"recipe": "quick", "overrides": TINY})["id"]
        until(lambda: server.get(f"/api/runs/{run}")["state"] == "succeeded")
        expected = {"TensorBoard": "ok", "MLflow": "failing"}
        health = until(lambda: (found := server.get("/health"))["tracking"] == expected and found)
        assert health["ok"]
        metrics = server.get(f"/api/runs/{run}")["metrics"]
        until(lambda: list(folder.glob("*")) and "accuracy/test" in points(folder)[0])
    scalars, _ = points(folder)
    assert [step for step, _ in scalars["loss/train"]] == [1, 2]
    assert scalars["accuracy/validation"][-1] == (2, pytest.approx(metrics["val_accuracy"], abs=1e-6))


def test_mlflow_has_every_point_once_through_restarts(log, tmp_path):
    pytest.importorskip("mlflow.version")
    claim = begin(log)
    for epoch in (1, 2, 3):
        say_epoch(log, claim, epoch)
    told = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "tests.runs.tracking.mlflow_story",
            str(tmp_path / "home"),
            str(tmp_path / "mlflow.db"),
        ],
        cwd=REPOSITORY,
        env={**os.environ, "DIGITPAD_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout.splitlines()[-1])
    assert found["runs"] == 1
    assert found["metrics"] == {tag: [list(point) for point in numbers] for tag, numbers in WHOLE.items()}
    assert found["status"] == "FINISHED"
    assert found["params"]["optimizer.learning_rate"] == "0.1"
    assert found["tags"]["digitpad.seq"] == str(found["last_seq"])
    assert found["said"] == ["MLflow: run 1 is all there"]
