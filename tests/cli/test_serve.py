"""`digitpad serve`: a real server."""

import errno
import os
import signal
import socket
import stat
import subprocess
import sys
from contextlib import suppress

import pytest

from app.cli import main
from app.cli.serve import SWITCH_SECONDS, _announce
from app.runs.training.hardware import THREAD_SETTINGS, cores
from app.settings import Settings
from app.web.local_address import local_address
from tests.support.home import let_leases_run_out
from tests.support.runs import TINY
from tests.support.serving import REPOSITORY, serve
from tests.support.terminal import children
from tests.support.waiting import until


def test_a_port_in_use_gets_a_plain_message(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "app", "serve"],
            env={**os.environ, "DIGITPAD_PORT": str(port), "DIGITPAD_HOME": str(tmp_path)},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 1
    assert f"port {port} is in use on 127.0.0.1" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PORT", "many"),
        ("PORT", "70000"),
        ("WORKERS", "0"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "nosuch://x"),
        ("ALLOWED_HOSTS", "http://x"),
        ("ALLOWED_ORIGINS", "x"),
        ("TOKEN", "two words"),
    ],
)
def test_a_bad_setting_is_named(setting, value, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path))
    monkeypatch.setenv(f"DIGITPAD_{setting}", value)
    monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: pytest.fail("it serves all the same"))
    for name in THREAD_SETTINGS:
        monkeypatch.setenv(name, os.environ.get(name, "1"))  # serve sets them, for good
    with pytest.raises(SystemExit) as ended:
        main(["serve"])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert f"DIGITPAD_{setting}" in error
    assert "Input should" not in error
    assert "Value error" not in error
    assert "two words" not in error


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, "is full: make room on it, and start again"),
        (errno.EDQUOT, "is full: make room on it, and start again"),
        (errno.EROFS, "cannot be written to: Read-only file system; name a folder that can be"),
        (errno.EACCES, "cannot be written to: Permission denied; name a folder that can be"),
    ],
)
def test_a_home_that_takes_nothing_is_said_in_a_line_before_anything_is_served(
    number, expected, tmp_path, monkeypatch, capsys
):
    def refuse(**_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path))
    monkeypatch.setattr("app.cli.context.TemporaryFile", refuse)
    monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: pytest.fail("it serves all the same"))
    for name in THREAD_SETTINGS:
        monkeypatch.setenv(name, os.environ.get(name, "1"))  # serve sets them, for good
    with pytest.raises(SystemExit) as ended:
        main(["serve"])
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"DIGITPAD_HOME, {tmp_path}, " in line
    assert expected in line


def test_threads_that_compute_let_the_event_loop_go_on_soon(tmp_path, monkeypatch):
    """`benchmarks.hostile` shows what for."""
    found, before = [], sys.getswitchinterval()

    def run(_, sockets):
        found.append(sys.getswitchinterval())
        sockets[0].close()

    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path))
    monkeypatch.setenv("DIGITPAD_PORT", "0")
    monkeypatch.setattr("uvicorn.Server.run", run)
    for name in THREAD_SETTINGS:
        monkeypatch.setenv(name, os.environ.get(name, "1"))  # serve sets them, for good
    try:
        with suppress(SystemExit):
            main(["serve"])
    finally:
        sys.setswitchinterval(before)
    assert found == [pytest.approx(SWITCH_SECONDS)]


def test_a_relative_database_is_the_same_for_every_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for url, expected in (
        ("sqlite:///x.sqlite3", f"sqlite:///{tmp_path}/x.sqlite3"),
        (f"sqlite:///{tmp_path}/y.sqlite3?timeout=3", f"sqlite:///{tmp_path}/y.sqlite3?timeout=3"),
        ("postgresql://host/digitpad", "postgresql://host/digitpad"),
    ):
        assert Settings(database_url=url, _env_file=None).log_url == expected


@pytest.mark.slow
def test_a_worker_ends_with_its_server_and_the_next_server_goes_on(tmp_path, cache_dir):
    """When the server is killed, and when it is asked to stop."""
    settings = {"DIGITPAD_CACHE_DIR": str(cache_dir)}
    with serve(tmp_path, **settings) as server:
        body = {"recipe": "quick", "overrides": {**TINY, "epochs": 100_000}}
        run = server.post("/api/runs", body)["id"]
        until(lambda: server.get(f"/api/runs/{run}")["metrics"])
        workers = children(server.process.pid)
        assert len(workers) in (1, 2)  # one may wait for the next run
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        until(lambda: not any(_alive(child) for child in workers))
    let_leases_run_out(tmp_path)
    with serve(tmp_path, **settings) as server:
        before = server.get(f"/api/runs/{run}")["metrics"]["epoch"]
        row = until(lambda: (found := server.get(f"/api/runs/{run}"))["metrics"]["epoch"] > before and found)
        assert (row["state"], row["attempt"], row["error"]) == ("running", 2, None)
        workers = children(server.process.pid)
        assert len(workers) in (1, 2)  # one may wait for the next run
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(30)
        assert not any(_alive(child) for child in workers)


def _alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


THREADS = """
from app.cli.serve import _compute_with_one_thread
_compute_with_one_thread()
import numpy
from threadpoolctl import threadpool_info
print({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
"""


@pytest.mark.parametrize(("asked", "threads"), [({}, "{1}"), ({"OPENBLAS_NUM_THREADS": "2"}, "{2}")])
def test_the_server_computes_with_one_thread_unless_the_environment_says_otherwise(asked, threads):
    """Beside a training, two threads took 8 ms for a drawing where one takes 0.6."""
    if cores() < 2:
        pytest.skip("on one processor there is one thread anyhow")
    rest = {name: value for name, value in os.environ.items() if name not in THREAD_SETTINGS}
    command = [sys.executable, "-c", THREADS]
    said = subprocess.check_output(command, env={**rest, **asked}, cwd=REPOSITORY, text=True)
    assert said.strip() == threads


@pytest.mark.skipif(os.name != "posix", reason="needs modes of files")
def test_what_the_server_writes_is_the_users_alone(tmp_path):
    home, cache = tmp_path / "home", tmp_path / "cache"
    with serve(home, DIGITPAD_CACHE_DIR=str(cache), DIGITPAD_DATA_DIR="") as server:
        server.post("/api/drawings", {"label": "1", "strokes": [[[0, 0], [0, 9]]], "set": "mine"})
        run = server.post("/api/runs", {"recipe": "quick", "overrides": TINY})["id"]
        until(lambda: server.get(f"/api/runs/{run}")["state"] == "succeeded")
        server.get(f"/api/runs/{run}/judgement")
        modes = {path: stat.S_IMODE(path.stat().st_mode) for folder in (home, cache) for path in folder.rglob("*")}
    assert len(modes) > 12
    assert {path.name: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


def announced(monkeypatch, capsys, *, local, tty, host="0.0.0.0", made="t0ken"):
    """What a server prints of its addresses."""
    monkeypatch.setattr("app.web.local_address.local_address", lambda: local)
    monkeypatch.setattr("sys.stdout.isatty", lambda: tty)
    _announce(Settings(host=host, _env_file=None), 8000, made)
    return capsys.readouterr().out


def test_the_address_in_the_network_is_printed_and_a_terminal_shows_its_code(monkeypatch, capsys):
    text = announced(monkeypatch, capsys, local="192.168.1.5", tty=True)
    assert text.startswith("digitpad: http://127.0.0.1:8000/?token=t0ken\n")
    assert "digitpad: in this network: http://192.168.1.5:8000/?token=t0ken\n" in text
    assert "▀" in text
    assert "in place of" not in text
    assert "▀" not in announced(monkeypatch, capsys, local="192.168.1.5", tty=False)
    monkeypatch.setattr("app.web.qr_code.segno", None)  # without the extra
    assert "▀" not in announced(monkeypatch, capsys, local="192.168.1.5", tty=True)


def test_a_token_of_ones_own_is_not_printed_and_no_code_leads_to_loopback(monkeypatch, capsys):
    text = announced(monkeypatch, capsys, local="192.168.1.5", tty=False, made=None)
    assert "http://192.168.1.5:8000\n" in text
    assert "token" not in text
    assert "put this machine's name" in announced(monkeypatch, capsys, local=None, tty=True)
    text = announced(monkeypatch, capsys, local="192.168.1.5", tty=True, host="127.0.0.1")
    assert "192.168" not in text
    assert "▀" not in text


def test_the_address_in_the_network_is_never_loopback(monkeypatch):
    assert local_address() is None or not local_address().startswith("127.")
    monkeypatch.setattr("socket.socket.connect", lambda *_: (_ for _ in ()).throw(OSError()))
    monkeypatch.setattr("socket.gethostbyname_ex", lambda name: (name, [], ["127.0.1.1", "10.0.0.7"]))
    assert local_address() == "10.0.0.7"
    monkeypatch.setattr("socket.gethostbyname_ex", lambda name: (_ for _ in ()).throw(OSError()))
    assert local_address() is None
