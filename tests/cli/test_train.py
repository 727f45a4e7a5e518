"""Training on the command line: real processes, on a terminal and with pipes."""

import json
import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from app.cli.output import Code, CommandError
from app.cli.progress import LineScreen
from app.cli.train import Interruption, train_here
from app.runs.config.run_config import parse_config
from app.runs.log.event_log import EventLog
from app.settings import Settings
from tests.support.runs import TINY
from tests.support.serving import REPOSITORY, serve
from tests.support.terminal import CTRL_C, START, children, environment, on_terminal
from tests.support.waiting import until

pytestmark = pytest.mark.slow

SMALL = ["quick", "--data", "strokes", "--set", f"network={json.dumps(TINY['network'])}"]
LONG = [*SMALL, "--set", "batch_size=100", "--epochs", "100000"]
BAR = re.compile(r"Epoch \d+/100000 .*?\d+/200 loss \d\.\d{4} acc \d\.\d{4} [\d,]+/s .*? left")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|38;\d[\d;]*)m")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def test_ctrl_c_pauses_says_how_to_go_on_and_a_server_of_the_same_home_shows_it_all(home, cache_dir):
    """One story: trained here, seen on the server; paused, resumed, ended at once; trained there, watched here."""
    env = environment(home, cache_dir)
    with serve(home, DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        with on_terminal(["train", *LONG, "--tag", "by hand"], env, columns=110) as terminal:
            until(lambda: BAR.search(terminal.text) or terminal.process.poll() is not None)
            assert COLOUR.search(terminal.text)
            row = until(lambda: (found := server.get("/api/runs/1"))["metrics"] and found)
            assert (row["state"], row["tags"]) == ("running", ["by hand"])
            terminal.expect("Epoch 1/100000  ", "val_accuracy", "samples/s")
            terminal.press(CTRL_C)
            assert terminal.end() == 130
        assert re.search(r"python\S* -m app runs resume 1", terminal.text)
        row = server.get("/api/runs/1")
        assert (row["state"], row["attempt"]) == ("paused", 1)
        assert row["checkpoint"]

        with on_terminal(["runs", "resume", "1"], {**env, "NO_COLOR": "1"}, columns=40) as terminal:
            until(lambda: server.get("/api/runs/1")["metrics"]["epoch"] > row["metrics"]["epoch"])
            # a worker of whoever was quicker: held, so that it cannot pause, and only the second press ends it
            started = [*children(terminal.process.pid), *children(server.process.pid)]
            (worker,) = [pid for pid in started if _has_database(pid)]  # another one may wait for the next run
            os.kill(worker, signal.SIGSTOP)
            terminal.press(CTRL_C)
            terminal.expect("Ctrl+C again ends at once")
            assert terminal.process.poll() is None
            terminal.press(CTRL_C)
            assert terminal.end() == 130
            with suppress(ProcessLookupError):  # it was ended too
                os.kill(worker, signal.SIGCONT)
        assert not COLOUR.search(terminal.text)
        assert "Traceback" not in terminal.text
        until(lambda: server.get("/api/runs/1")["state"] == "paused")

        there = server.post("/api/runs", {"recipe": "quick", "overrides": TINY})["id"]
        watched = _ended(["runs", "watch", str(there)], env)
        assert watched.returncode == 0, watched.stderr
        assert re.findall(r"^Epoch (\d/\d)  ", watched.stdout, re.MULTILINE) == ["1/2", "2/2"]


def test_without_a_terminal_there_is_a_plain_line_for_each_epoch(tmp_path, cache_dir):
    done = _ended(["train", *SMALL, "--epochs", "2"], environment(tmp_path, cache_dir))
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("Epoch ")]
    assert [line.split("  ")[0] for line in lines] == ["Epoch 1/2", "Epoch 2/2"]
    for word in ("loss", "accuracy", "val_loss", "val_accuracy", "samples/s"):
        assert all(word in line for line in lines)
    assert re.search(r"run 1: the model quick-1, \d\d\.\d\d % of the test images", done.stdout)


@pytest.mark.parametrize(("how", "code"), [("SIGTERM", 143), ("pipe", 141)])
def test_whoever_ends_it_leaves_the_run_paused_with_a_checkpoint(how, code, tmp_path, cache_dir):
    process = subprocess.Popen(
        [*START, "train", *LONG, "--json"],
        env=environment(tmp_path, cache_dir),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),  # as nohup starts it
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        said = [json.loads(process.stdout.readline()) for _ in range(3)]
        assert [event["type"] for event in said] == ["queued", "started", "epoch"]
        process.send_signal(signal.SIGHUP)
        assert {json.loads(process.stdout.readline())["type"] for _ in range(3)} == {"epoch"}
        if how == "pipe":
            process.stdout.close()
        else:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == code
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
    log = EventLog(f"sqlite:///{tmp_path / 'digitpad.sqlite3'}")
    row = log.run(1)
    log.close()
    assert row["state"] == "paused"
    assert row["checkpoint"]


class Away:
    """Commands of a database that is away; that it was asked again is when the second Ctrl+C comes."""

    def __init__(self, interruption):
        self.asked, self._interruption = 0, interruption

    def pause(self, run):
        self.asked += 1
        self._interruption.count = self.asked
        raise OperationalError("UPDATE runs", {}, Exception("the database is away"))


def test_ctrl_c_ends_it_and_its_worker_also_while_the_database_is_away(tmp_path, monkeypatch, capsys):
    stopped = []

    class Idle:
        def __init__(self, *_, **__):
            """Nothing is trained."""

        def start(self):
            """Nothing is trained."""

        def stop(self, grace=None):
            stopped.append(grace)

    monkeypatch.setattr("app.runs.supervisor.Supervisor", Idle)
    settings, interruption = Settings(home=tmp_path, _env_file=None), Interruption()
    interruption.count = 1
    commands = Away(interruption)
    log = EventLog(f"sqlite:///{tmp_path / 'digitpad.sqlite3'}")
    try:
        run = log.add(parse_config({**TINY, "optimizer": {"type": "sgd", "learning_rate": 0.1}}))
        monkeypatch.setattr(log, "run", lambda _: commands.pause(run))
        with pytest.raises(CommandError, match="the database cannot be reached; resume run 1 from") as left:
            train_here(settings, log, commands, run, interruption, as_json=False)
        assert left.value.exit_code == Code.INTERRUPTED
        assert (stopped, commands.asked) == ([0.0, None], 3)
        assert capsys.readouterr().err.count("pausing once the database can be reached") == 1

        stopped.clear()
        interruption.count = 0
        monkeypatch.setattr(LineScreen, "event", lambda *_: 1 / 0)
        with pytest.raises(CommandError, match="the database cannot be reached"):
            train_here(settings, log, commands, run, interruption, as_json=False)
        assert stopped == [None]
    finally:
        log.close()


def test_a_training_that_fails_ends_with_3_and_the_reason(tmp_path, cache_dir):
    wild = ["--set", "optimizer={type='sgd', learning_rate=1e30}", "--epochs", "1"]
    failed = _ended(["train", *SMALL, *wild], environment(tmp_path, cache_dir))
    assert failed.returncode == 3
    assert failed.stderr.startswith("digitpad: run 1 failed: ")
    assert len(failed.stderr.splitlines()) == 1


def _has_database(pid: int) -> bool:
    return any(str(file.readlink()).endswith(".sqlite3") for file in Path(f"/proc/{pid}/fd").iterdir())


def _ended(arguments, env):
    return subprocess.run(
        [*START, *arguments],
        env=env,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
