"""A real server in a process of its own, for the browser tests and the benchmarks."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0


@dataclass
class Server:
    """A running server: its address and its process."""

    url: str
    process: "subprocess.Popen[str]"

    def get(self, path: str) -> Any:
        """The JSON at `path`."""
        with urllib.request.urlopen(self.url + path, timeout=60) as response:
            return json.load(response)

    def text(self, path: str, headers: Mapping[str, str] | None = None) -> str:
        """The text at `path`."""
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}))
        with urllib.request.urlopen(request, timeout=60) as response:
            return str(response.read(), "utf-8")

    def post(self, path: str, body: object = None) -> Any:
        """The JSON that a POST of `body` is answered with."""
        data = b"" if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)


@contextmanager
def serve(
    home: Path | None,
    *,
    port: int = 0,
    command: Sequence[str] = (sys.executable, "-m", "app"),
    cwd: Path = REPOSITORY,
    stderr: int | IO[str] | None = None,
    **settings: str,
) -> Iterator[Server]:
    """Start `python -m app serve` on a free loopback port, with `DIGITPAD_*` settings; stop it at the end.

    Without a `home` it keeps what it writes where it does so by itself.
    """
    kept = {} if home is None else {"DIGITPAD_HOME": str(home)}
    process = subprocess.Popen(
        [*command, "serve"],
        cwd=cwd,
        env={**os.environ, **kept, "DIGITPAD_PORT": str(port), **settings},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        if found is None:
            raise RuntimeError(f"the server did not start: {line!r}")
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        server = Server(found[0], process)
        _wait_until_healthy(server)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        process.stdout.close()


def _wait_until_healthy(server: Server) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            server.get("/health")
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if server.process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.05)
