"""Requests per second that one idle server process answers at `/predict`, and how long one request takes.

The load comes from `wrk` where it is installed, else from a few Python processes, which are slower than the server.
"""

import json
import multiprocessing
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from tests.data.drawings import recorded
from tests.serving import serve

SECONDS = 5
CONNECTIONS = 8


def main() -> None:
    rng = np.random.default_rng(0)
    pixels = {"pixels": [round(value, 3) for value in (rng.random(784) * (rng.random(784) > 0.8)).tolist()]}
    strokes = {"strokes": recorded()["digit 3"]["strokes"]}
    print("| body | requests/s, 8 connections | p50, one connection | p99, one connection |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server:
        for name, body in (("784 pixels", pixels), ("strokes", strokes)):
            payload = json.dumps(body).encode()
            times = _latencies(server.url, payload, 2000)
            rate = _wrk(server.url, payload) if shutil.which("wrk") else _python_load(server.url, payload)
            p99 = statistics.quantiles(times, n=100)[98]
            print(
                f"| {name} | {rate:,.0f} | {statistics.median(times) * 1e3:.2f} ms | {p99 * 1e3:.2f} ms |", flush=True
            )


def _wrk(url: str, payload: bytes) -> float:
    header = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
    script = f"{header}wrk.body = [==[{payload.decode()}]==]\n"
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", file.name, f"{url}/predict"]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    if "Non-2xx" in printed:
        raise RuntimeError(printed)
    found = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    assert found is not None
    return float(found[1])


def _latencies(url: str, payload: bytes, count: int) -> list[float]:
    """Seconds of each of `count` requests over one connection, after a warm-up."""
    with _Connection(url, payload) as connection:
        times = []
        for _ in range(count + 200):
            started = time.perf_counter()
            connection.ask()
            times.append(time.perf_counter() - started)
    return times[200:]


def _python_load(url: str, payload: bytes) -> float:
    with multiprocessing.get_context("spawn").Pool(CONNECTIONS) as pool:
        return sum(pool.starmap(_count, [(url, payload)] * CONNECTIONS)) / SECONDS


def _count(url: str, payload: bytes) -> int:
    with _Connection(url, payload) as connection:
        count, end = 0, time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            connection.ask()
            count += 1
    return count


class _Connection:
    """One kept-alive connection that asks the same again and again."""

    def __init__(self, url: str, payload: bytes) -> None:
        address = urlsplit(url)
        assert address.hostname is not None
        self._socket = socket.create_connection((address.hostname, address.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = (
            f"POST /predict HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(payload)}\r\n\r\n"
        ).encode() + payload

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self) -> None:
        self._socket.sendall(self._request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._socket.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer.decode())
        found = re.search(rb"content-length: (\d+)", head)
        assert found is not None
        while len(body) < int(found[1]):
            body += self._socket.recv(65536)


if __name__ == "__main__":
    main()
