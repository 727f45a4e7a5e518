"""A home with servers that can be killed, and a look at everything that they leave behind."""

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

from app.models import ModelStore
from tests.support.serving import Server, serve
from tests.support.waiting import until

LEASE_SECONDS = 5.0
TIMES = ("seconds", "samples_per_second")
ENDS = ("succeeded", "failed", "cancelled")

CONFIG = {
    "recipe": "quick",
    "overrides": {
        "dataset": "strokes",
        "network": {
            "layers": [
                *({"type": "dense", "units": 64}, {"type": "relu"}, {"type": "dropout", "rate": 0.2}),
                {"type": "dense", "units": 10},
            ]
        },
        "batch_size": 100,
        "epochs": 8,
        "validation": 0.1,
        "patience": 20,
    },
}
"""A training of two seconds with everything in it that a checkpoint must hold; where it can be, shared by processes."""


class House:
    """A home, and the servers in it."""

    def __init__(self, home: Path, cache: Path) -> None:
        self.home, self._cache = home, cache
        self._servers = ExitStack()
        self.servers: list[Server] = []

    def __enter__(self) -> "House":
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.processes():
            os.kill(pid, signal.SIGCONT)
        self._servers.close()

    @property
    def server(self) -> Server:
        return self.servers[-1]

    def open(self) -> Server:
        """Start a server, beside those that run."""
        settings = {
            "DIGITPAD_CACHE_DIR": str(self._cache),
            "DIGITPAD_LEASE_SECONDS": str(LEASE_SECONDS),
            "DIGITPAD_DATA_DIR": "",
        }
        self.servers.append(self._servers.enter_context(serve(self.home, **settings)))
        return self.server

    def start_run(self, config: dict = CONFIG) -> int:
        return int(self.server.post("/api/runs", config)["id"])

    def start_race(self, config: dict) -> list[dict]:
        return list(self.server.post("/api/races", config)["runs"])

    def wait_for_end(self, run: int) -> dict:
        return until(lambda: (row := self.server.get(f"/api/runs/{run}"))["state"] in ENDS and row)

    def processes(self, name: str = "") -> list[int]:
        """The live processes of this home whose command line has `name` in it."""
        mark, found = f"DIGITPAD_HOME={self.home}".encode(), []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                environment = (folder / "environ").read_bytes().split(b"\0")
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:  # it ended while it was looked at
                continue
            if mark in environment and name.encode() in command and state != "Z":
                found.append(int(folder.name))
        return found

    def workers(self) -> list[int]:
        return self.processes("-m app.runs.worker")

    def busy_workers(self) -> list[int]:
        """The workers but for the one that the server keeps ready."""

        def name(pid: int) -> str:
            try:
                return Path(f"/proc/{pid}/comm").read_text().strip()
            except OSError:  # it ended while it was looked at
                return ""

        return [pid for pid in self.workers() if name(pid) != "digitpad-ready"]

    def grown_workers(self) -> list[int]:
        """Those that are old enough to have tied themselves to their server."""

        def age(pid: int) -> float:
            try:
                started = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
            except OSError:
                return 1.0
            return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")

        until(lambda: all(age(pid) > 0.5 for pid in self.workers()))
        return self.workers()

    def said(self, run: int) -> list[tuple[int, str, dict]]:
        """The log of a run without its times and the name of its model, which may differ."""
        events = self.server.get(f"/api/runs/{run}/events")["events"]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        return [
            (event["seq"], event["type"], {k: v for k, v in event["data"].items() if k not in (*TIMES, "model")})
            for event in events
        ]

    def weights(self, row: dict) -> str:
        return ModelStore(self.home).get(row["model"]).sha256

    def left_behind(self, run: int) -> list[str]:
        """Files that should not be there once `run` has ended: half-written ones, and its checkpoints but the last."""
        row = self.server.get(f"/api/runs/{run}")
        files = [path for path in self.home.rglob("*") if path.is_file()]
        mine = [path for path in files if path.parent.parent.name == "checkpoints" and path.name.startswith(f"{run}.")]
        return [
            *(str(path) for path in files if ".tmp" in str(path.relative_to(self.home))),
            *(path.name for path in mine if path.name != row["checkpoint"]),
        ]
