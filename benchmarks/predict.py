"""Requests per second of one server process, beside LitServe, BentoML and Gradio; and the latency of one request.

The load comes from `wrk` if it is installed, else from a few Python processes, which are slower than the server. The
others serve the same network from `.venv-bench-serve` (`make bench-serve`), alternating with digitpad. The latency is
measured idle, and while a training runs on all cores.
"""

import json
import multiprocessing
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from app.data import from_strokes
from app.settings import SHIPPED_MODELS
from tests.support.drawings import recorded
from tests.support.serving import REPOSITORY, Server, serve
from tests.support.waiting import until

SECONDS = 5
CONNECTIONS = 8
ROUNDS = 3
REQUESTS = 5000
START_SECONDS = 60
PEERS = {"LitServe": 2.0, "BentoML": 4.0, "Gradio": 15.0}
"""The other servers, and the intended speed-up of digitpad over each."""

DIRECT = "Gradio, without its queue"

PEERS_PYTHON = REPOSITORY / ".venv-bench-serve" / "bin" / "python"


def main() -> None:
    rng = np.random.default_rng(0)
    drawing = recorded()["digit 3"]["strokes"]
    image = from_strokes(drawing).pixels.ravel()
    drawn = [round(value, 3) for value in image.tolist()]
    noise = [round(value, 3) for value in np.clip(image + rng.normal(0, 0.2, image.shape), 0, 1).tolist()]
    pixels, noisy = (json.dumps({"pixels": values}).encode() for values in (drawn, noise))
    strokes = json.dumps({"strokes": drawing}).encode()
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server:
        print("| body | requests/s, 8 connections | p50, one connection | p99, one connection |\n|---|---|---|---|")
        for name, payload in (("784 pixels", pixels), ("784 noisy pixels", noisy), ("strokes", strokes)):
            rate = _load(f"{server.url}/predict", payload)
            p50, p99 = _percentiles(server.url, payload)
            print(f"| {name} | {rate:,.0f} | {p50:.2f} ms | {p99:.2f} ms |", flush=True)
        _beside_training(server, pixels)
    _beside_peers(pixels, json.dumps({"data": [drawn]}).encode())


def _beside_training(server: Server, payload: bytes) -> None:
    """Latencies, idle and while a training takes all cores, alternating."""
    overrides = {"dataset": "strokes", "epochs": 100_000}
    print("\n| one connection, 784 pixels | p50 | p99 |\n|---|---|---|", flush=True)
    times: dict[str, list[tuple[float, float]]] = {"idle": [], "beside a training": []}
    for _ in range(ROUNDS):
        times["idle"].append(_percentiles(server.url, payload))
        run = server.post("/api/runs", {"recipe": "quick", "overrides": overrides})["id"]
        until(lambda run=run: server.get(f"/api/runs/{run}")["metrics"])
        times["beside a training"].append(_percentiles(server.url, payload))
        server.post(f"/api/runs/{run}/cancel")
        until(lambda run=run: server.get(f"/api/runs/{run}")["state"] == "cancelled")
    median = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in times.items()}
    for name, (p50, p99) in median.items():
        print(f"| {name} | {p50:.2f} ms | {p99:.2f} ms |")
    ratio = median["beside a training"][1] / median["idle"][1]
    print(f"\np99 beside a training is {ratio:.2f} times the idle one (median of {ROUNDS} turns)", flush=True)


def _beside_peers(pixels: bytes, gradio: bytes) -> None:
    if not PEERS_PYTHON.exists():
        print("\nLitServe, BentoML and Gradio are not installed: make bench-serve")
        return
    rates: dict[str, list[float]] = {"digitpad": []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server:
            rates["digitpad"].append(_load(f"{server.url}/predict", pixels))
        for peer in ("LitServe", "BentoML"):
            with _serving(peer, "/predict", pixels) as url:
                rates.setdefault(peer, []).append(_load(url, pixels))
        with _serving("Gradio", "/gradio_api/run/direct", gradio) as url:
            rates.setdefault(DIRECT, []).append(_load(url, gradio))
            if shutil.which("wrk"):
                rates.setdefault("Gradio", []).append(_queued(url.replace("/run/direct", "/call/predict"), gradio))
    own = statistics.median(rates["digitpad"])
    print("\n| server | requests/s, 8 connections, 784 pixels as JSON | digitpad is | meant |\n|---|---|---|---|")
    print(f"| digitpad | {own:,.0f} | | |")
    for peer, measured in rates.items():
        if peer != "digitpad":
            rate = statistics.median(measured)
            meant = f"{PEERS[peer]:g} ×" if peer in PEERS else ""
            print(f"| {peer} | {rate:,.0f} | {own / rate:.1f} × | {meant} |", flush=True)


@contextmanager
def _serving(peer: str, path: str, payload: bytes) -> Iterator[str]:
    """The address of the shipped network behind another server, once it answers correctly."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    weights = str(SHIPPED_MODELS / "mnist-mlp" / "model.safetensors")
    command = [str(PEERS_PYTHON), "-m", "benchmarks.serve_peers", peer.lower(), str(port), weights]
    quiet = {"GRADIO_ANALYTICS_ENABLED": "False", "BENTOML_DO_NOT_TRACK": "True", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env={**os.environ, **quiet},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}{path}"
    try:
        until(lambda: _answers(url, payload), limit=START_SECONDS)
        yield url
    finally:
        process.terminate()  # BentoML's workers are in separate sessions, and end only with it
        with suppress(subprocess.TimeoutExpired):
            process.wait(START_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # LitServe's outlive it
        process.wait()


def _answers(url: str, payload: bytes) -> bool:
    try:
        request = urllib.request.Request(url, payload, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return b"probabilities" in answer.read()
    except OSError:
        return False


def _load(url: str, payload: bytes) -> float:
    """Requests per second over 8 connections."""
    return _wrk(url, payload) if shutil.which("wrk") else _python_load(url, payload)


def _percentiles(url: str, payload: bytes) -> tuple[float, float]:
    """The median and the 99th percentile of the latency in milliseconds."""
    times = _latencies(f"{url}/predict", payload, REQUESTS)
    return statistics.median(times) * 1e3, statistics.quantiles(times, n=100)[98] * 1e3


def _wrk(url: str, payload: bytes) -> float:
    header = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
    return _run_wrk(f"{header}wrk.body = [==[{payload.decode()}]==]\n", url, threads=1)


def _queued(url: str, payload: bytes) -> float:
    """Answers per second of Gradio by its client's protocol: a POST for an event id, then a GET that awaits it.

    Each thread of wrk has one connection, to alternate between the two.
    """
    script = f"""
local body, event = [==[{payload.decode()}]==], nil
function request()
  if event then
    local path = wrk.path .. "/" .. event
    event = nil
    return wrk.format("GET", path)
  end
  return wrk.format("POST", nil, {{["Content-Type"] = "application/json"}}, body)
end
function response(status, headers, text)
  event = string.match(text, '"event_id"%s*:%s*"(%w+)"')
end
"""
    return _run_wrk(script, url, threads=CONNECTIONS) / 2


def _run_wrk(script: str, url: str, *, threads: int) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", f"-t{threads}", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", file.name, url]
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
    """Send the same request repeatedly over one kept-alive connection."""

    def __init__(self, url: str, payload: bytes) -> None:
        address = urlsplit(url)
        assert address.hostname is not None
        self._socket = socket.create_connection((address.hostname, address.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = (
            f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
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
