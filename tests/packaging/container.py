"""`make container-check`: every line of the Dockerfile run in a clean folder, and the server from what that leaves.

No container engine is needed. Each stage is a folder; `python` is a throwaway environment that stands for the image's
own; absolute paths are put below the folders, and a RUN line that names any other is refused. The server then runs as
in the container, its whole root read-only but for the volume and /tmp, as nobody's root, where this machine lets us
(Linux, as root); else without that, which is said.
"""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.packaging.dockerfile import Context, Instruction, read_dockerfile
from tests.support.runs import TINY
from tests.support.serving import REPOSITORY
from tests.support.waiting import until

IMAGE_PYTHON = "/usr/local"
"""Where Docker's own Python images have theirs."""

OWN = ("/data", "/opt/digitpad")
"""The folders of the image that are digitpad's."""

SLOW_SECONDS = 300.0
"""For the data set to be drawn and the first epoch to be done, at the lowest priority on a busy machine."""

TOKEN = "a-token-for-the-check"
_ABSOLUTE = re.compile(r"(?<![\w./-])/[\w.*/-]*")
_READ_ONLY = """
mount --bind "$VOLUME" "$VOLUME"
mount -t tmpfs tmpfs /tmp
if [ -n "$HIDDEN" ]; then
    mkdir /tmp/python
    mount --bind "$PYTHON" /tmp/python
    mount -t tmpfs -o mode=755 tmpfs "$HIDDEN"
    mkdir -p "$PYTHON"
    mount --move /tmp/python "$PYTHON"
    rmdir /tmp/python
    mount -o remount,ro "$HIDDEN"
fi
mount -o remount,bind,ro /
exec "$@"
"""


@dataclass
class Stage:
    """A stage of the build: the folder that stands for its root, and what its instructions have set."""

    root: Path
    workdir: str = "/"
    env: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    volumes: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def path(self, inside: str) -> Path:
        """Where a path of the image lies."""
        return Path(os.path.normpath(f"{self.root}/{os.path.join(self.workdir, inside)}"))  # noqa: PTH118


def mapped(line: str, stage: Stage, python: Path) -> str:
    """A RUN line with its absolute paths below the folders that stand for them.

    Raises ValueError for a path that is not of digitpad's own: it might be this machine's.
    """

    def place(found: re.Match[str]) -> str:
        path = os.path.normpath(found[0])
        if path.startswith(f"{IMAGE_PYTHON}/"):
            return str(python / path.removeprefix(f"{IMAGE_PYTHON}/"))
        if path in OWN or path.startswith(tuple(f"{own}/" for own in OWN)):
            return str(stage.path(path))
        raise ValueError(f"a RUN line names {found[0]}, which is not of digitpad's own folders")

    return _ABSOLUTE.sub(place, line)


class Build:
    """A build without an engine. `python` is the folder of the environment that stands for the image's Python."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._python = folder, folder / "python"
        self._context = Context(REPOSITORY)
        self.stages: dict[str, Stage] = {}
        subprocess.run([sys.executable, "-m", "venv", str(self._python)], check=True)

    def run(self, instructions: list[Instruction]) -> Stage:
        """Follow the instructions; returns the last stage."""
        stage = Stage(self._folder)
        for one in instructions:
            if one.name == "FROM":
                words = one.words
                name = words[2] if len(words) > 2 else str(len(self.stages))
                stage = self.stages[name] = Stage(self._folder / name)
                stage.root.mkdir()
            else:
                getattr(self, f"_{one.name.lower()}")(stage, one)
        return stage

    def _workdir(self, stage: Stage, one: Instruction) -> None:
        stage.workdir = one.rest
        stage.path("").mkdir(parents=True, exist_ok=True)

    def _copy(self, stage: Stage, one: Instruction) -> None:
        *sources, target = one.words
        for source in sources:
            if "from" in one.flags:
                shutil.copytree(self.stages[one.flags["from"]].path(source), stage.path(target), symlinks=True)
                continue
            files = list(self._context.files(source))
            if not files:
                raise FileNotFoundError(f"COPY {source}: there is nothing of it in the context")
            for file in files:
                is_folder = (REPOSITORY / source).is_dir()
                inside = file.relative_to(source) if is_folder else Path(file.name) if target.endswith("/") else Path()
                to = stage.path(target) / inside
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / file, to)

    def _run(self, stage: Stage, one: Instruction) -> None:
        line = mapped(one.rest, stage, self._python)
        if os.geteuid() != 0:  # who is not root may give nothing away
            line = re.sub(r"--owner=\d+", f"--owner={os.getuid()}", line)
            line = re.sub(r"--group=\d+", f"--group={os.getgid()}", line)
        print(f"RUN {one.rest}", flush=True)
        path = f"{self._python}/bin:/usr/local/bin:/usr/bin:/bin"
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("DIGITPAD_", "MAKE", "MFLAGS"))}
        for key in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHON", "HOST", "PORT"):
            kept.pop(key, None)
        subprocess.run(["sh", "-euc", line], cwd=stage.path(""), env={**kept, **stage.env, "PATH": path}, check=True)

    def _env(self, stage: Stage, one: Instruction) -> None:
        stage.env |= dict(word.split("=", 1) for word in one.words)

    def _user(self, stage: Stage, one: Instruction) -> None:
        stage.user = one.rest

    def _volume(self, stage: Stage, one: Instruction) -> None:
        stage.volumes += one.words

    def _cmd(self, stage: Stage, one: Instruction) -> None:
        stage.command = one.words

    def _healthcheck(self, stage: Stage, one: Instruction) -> None:
        stage.health = Instruction("CMD", {}, one.rest.removeprefix("CMD").strip()).words

    def _label(self, stage: Stage, one: Instruction) -> None:
        """Says something to people alone."""

    _expose = _label


class Container:
    """The server, run from the last stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (volume,) = stage.volumes
        self.volume = stage.path(volume)
        inside = {
            key: str(stage.path(value)) if value.startswith(volume) else value for key, value in stage.env.items()
        }
        self._env = {
            **inside,
            "PATH": "/usr/bin:/bin",
            "DIGITPAD_PORT": str(self.port),
            "DIGITPAD_TOKEN": TOKEN,
            "DIGITPAD_ALLOWED_HOSTS": "digits.example",
        }
        self._machine = {"VOLUME": str(self.volume), "PYTHON": sys.base_prefix, "HIDDEN": _hidden(sys.base_prefix)}
        self._prefix = self._as_in_a_container()
        self.lines: list[dict[str, Any]] = []

    def _as_in_a_container(self) -> list[str]:
        """The command in front of the server's: a read-only root, and nobody's root."""
        unshare = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", _READ_ONLY, "sh"]
        caps = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
        uid, gid = self._stage.user.split(":")
        somebody = [*caps, f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
        if os.geteuid() != 0 or not self._works([*unshare, "true"]):
            print("NOTE: the root stays writable, and the user the same: that takes root and Linux's namespaces")
            return []
        print("the root is read-only but for the volume and /tmp")
        print(f"the user is {uid}, without capabilities")
        return [*unshare, *somebody]

    def _works(self, command: list[str]) -> bool:
        done = subprocess.run(
            command, cwd=self._stage.path(""), env={**self._env, **self._machine}, capture_output=True
        )
        return done.returncode == 0

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[str]"]:
        """Start it, wait until it is healthy, and end it as engines do: with SIGTERM."""
        process = subprocess.Popen(
            [*self._prefix, *self._stage.command],
            cwd=self._stage.path(""),
            env={**self._env, **self._machine},
            stderr=subprocess.PIPE,
            text=True,
        )
        reader = threading.Thread(target=self._read, args=(process,))
        reader.start()
        try:
            until(lambda: process.poll() is not None or self.is_healthy())
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode}")
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)
            reader.join()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        """Every line that it writes is an object of JSON."""
        assert process.stderr is not None
        for line in process.stderr:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.lines.append({"broken": line})

    def is_healthy(self) -> bool:
        """Whether the Dockerfile's health check says so."""
        return self._works(self._stage.health)

    def ask(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        given = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json", **(headers or {})}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, given)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


def check(container: Container) -> None:
    """Ask the server for what a container is for; raises AssertionError where it does not do it."""
    strokes = {"strokes": [[[10, 10], [60, 10], [30, 90]]]}
    overrides = {**TINY, "epochs": 100_000}
    with container.running():
        assert container.ask("/health", headers={"authorization": ""})[0] == 200
        assert container.ask("/", headers={"authorization": "", "accept": "text/html"})[0] == 401
        for path in ("/", "/train", "/models", "/metrics"):
            assert container.ask(path)[0] == 200, path
        status, answer = container.ask("/predict", strokes, {"x-request-id": "check-1", "host": "digits.example"})
        assert (status, json.loads(answer)["label"]) == (200, "7")
        part = (
            b'--x\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n'
            + bytes(3 * 2**20)
            + b"\r\n--x--"
        )
        status, _ = container.ask("/predict", part, {"content-type": "multipart/form-data; boundary=x"})
        assert status == 422  # it lay in /tmp, and is no picture
        status, answer = container.ask("/api/runs", {"recipe": "quick", "overrides": overrides})
        run = json.loads(answer)["id"]
        until(lambda: _row(container, run)["metrics"], limit=SLOW_SECONDS)
        print("it serves, reads and trains")
        stopped = time.monotonic()
    print(f"SIGTERM ended it within {time.monotonic() - stopped:.1f} s")
    assert list((container.volume / "checkpoints").glob(f"*/{run}.*.safetensors")), "no checkpoint was left"
    with container.running():
        row = until(lambda: (row := _row(container, run))["attempt"] == 2 and row)
        epoch = row["metrics"]["epoch"]
        until(lambda: _row(container, run)["metrics"]["epoch"] > epoch, limit=SLOW_SECONDS)
        assert container.ask(f"/api/runs/{run}/cancel", b"")[0] == 200
        until(lambda: _row(container, run)["state"] == "cancelled")
        print("the training went on from its checkpoint")
    assert not [line for line in container.lines if "broken" in line], container.lines
    assert [line for line in container.lines if line.get("request") == "check-1" and line["status"] == 200]
    assert [line for line in container.lines if line.get("run") == run and line.get("attempt") == 2]
    assert TOKEN not in json.dumps(container.lines)
    print(f"{len(container.lines)} lines of its log are JSON, with the names of requests and runs")


def _hidden(path: str) -> str:
    """The topmost folder above `path` that others may not enter; empty where there is none."""
    above = reversed(Path(path).parents)
    return next((str(folder) for folder in above if not folder.stat().st_mode & stat.S_IXOTH), "")


def _row(container: Container, run: int) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(container.ask(f"/api/runs/{run}")[1])
    assert row["state"] != "failed", row["error"]
    return row


def main() -> None:
    """Build and check; the folder is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="digitpad-container-", dir="/var/tmp"))  # not /tmp, which is put over
    folder.chmod(0o755)
    try:
        build = Build(folder)
        last = build.run(read_dockerfile((REPOSITORY / "Dockerfile").read_text(encoding="utf-8")))
        tools = [path for name in ("pip*", "gcc*", "cc", "make") for path in last.path(".venv/bin").glob(name)]
        assert not tools, f"build tools are left: {tools}"
        check(Container(last))
        print("the Dockerfile does what it says")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
