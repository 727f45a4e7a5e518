"""What a server holds after 1, 10 and more rounds of everything: `python -m benchmarks.leaks [ROUNDS]`.

A round predicts in every form, opens pages and evaluations, looks at an import and gives it up, sends one that is
refused, starts a run and cancels it, opens a web socket and drops it, exports a model, imports, evaluates and deletes
it. The table has the server's memory in megabytes, its open files, threads and children, and the files that it keeps
beside.
"""

import base64
import io
import json
import os
import socket
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

from tests.hostile.images import PNG
from tests.support.runs import TINY
from tests.support.serving import Server, serve
from tests.support.waiting import until

STROKES = [[[10, 10], [12, 40], [14, 80]], [[20, 10], [60, 20]]]
PAGES = ("/", "/train", "/models", "/data", "/compare", "/learn", "/models/mnist-mlp/judge", "/docs", "/metrics")
ENDED = ("succeeded", "failed", "cancelled")


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 and __name__ == "__main__" else 100
    shown = [count for count in (1, 10, rounds // 2, rounds) if count <= rounds]
    print("| rounds | MB | files | sockets | threads | children | files in home | in cache | in /tmp |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        home, cache, temporary = (Path(folder) / name for name in ("home", "cache", "tmp"))
        temporary.mkdir()
        settings = {"DIGITPAD_CACHE_DIR": str(cache), "DIGITPAD_DATA_DIR": "", "TMPDIR": str(temporary)}
        with serve(home, **settings) as server:
            _train(server)
            for done in range(1, rounds + 1):
                _round(server, done)
                if done in shown:
                    held = " | ".join(map(str, _held(server.process.pid)))
                    files = " | ".join(str(sum(p.is_file() for p in at.rglob("*"))) for at in (home, cache, temporary))
                    print(f"| {done} | {held} | {files} |", flush=True)


def _train(server: Server) -> None:
    """Draw the data set that each round evaluates on."""
    run = server.post("/api/runs", {"recipe": "quick", "overrides": TINY})["id"]
    if (end := until(lambda: (row := server.get(f"/api/runs/{run}"))["state"] in ENDED and row))["error"]:
        raise RuntimeError(end["error"])


def _round(server: Server, count: int) -> None:
    def post(path: str, body: bytes, kind: str = "application/json", status: int = 200) -> bytes:
        return _ask(server, path, body, kind, status=status)

    image = base64.b64encode(PNG).decode()
    for body in ({"strokes": STROKES}, {"image": image}, {"pixels": [0.5] * 784}, [{"strokes": STROKES}] * 8):
        post("/predict?input=true", json.dumps(body).encode())
    post("/predict", PNG, "image/png")
    post("/predict", b"no picture", "image/png", status=422)
    for page in PAGES:
        _ask(server, page)
    preview = json.loads(post("/api/uploads", _images(), "application/zip", status=201))
    _ask(server, f"/api/uploads/{preview['id']}", method="DELETE", status=204)
    post("/api/uploads", b"PK no zip", "application/zip", status=422)
    run = server.post("/api/runs", {"recipe": "quick", "overrides": {**TINY, "epochs": 1000}})["id"]
    _open_and_drop(server, f"/api/runs/{run}/stream?after=0")
    until(lambda: server.get(f"/api/runs/{run}")["state"] != "queued")
    server.post(f"/api/runs/{run}/cancel")
    until(lambda: server.get(f"/api/runs/{run}")["state"] in ENDED)
    _ask(server, f"/api/runs/{run}", method="DELETE", status=204)
    packed = _ask(server, "/api/models/mnist-mlp/download?format=zip")
    name = json.loads(post("/api/models", _warmer(packed, count), "application/zip", status=201))["name"]
    post("/predict?model=" + name, json.dumps({"strokes": STROKES}).encode())
    _ask(server, f"/api/models/{name}/judgement?dataset=strokes")
    _ask(server, f"/api/models/{name}", method="DELETE", status=204)


def _ask(
    server: Server,
    path: str,
    body: bytes | None = None,
    kind: str = "",
    *,
    method: str | None = None,
    status: int = 200,
) -> bytes:
    request = urllib.request.Request(server.url + path, body, {"content-type": kind} if kind else {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            found, data = response.status, response.read()
    except urllib.error.HTTPError as error:
        found, data = error.code, error.read()
    if found != status:
        raise RuntimeError(f"{path}: {found} instead of {status}: {data[:300]!r}")
    return bytes(data)


def _open_and_drop(server: Server, path: str) -> None:
    address, key = urlsplit(server.url), base64.b64encode(os.urandom(16)).decode()
    with socket.create_connection((str(address.hostname), address.port or 80), 60) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        if b"101" not in connection.recv(4096):
            raise RuntimeError("no web socket")


def _images() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for label in "ab":
            for count in range(8):
                archive.writestr(f"{label}/{count}.png", PNG)
    return packed.getvalue()


def _warmer(packed: bytes, count: int) -> bytes:
    """The model at another temperature, so that no evaluation of it is known."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("card.json"):
                card = json.loads(content)
                content = json.dumps({**card, "temperature": 1 + count / 1000}).encode()
            new.writestr(name, content)
    return made.getvalue()


def _held(pid: int) -> tuple[int, int, int, int, int]:
    """The megabytes, files, sockets, threads and children of a process."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    sockets = sum(link.startswith("socket:") for link in links)
    children = Path(f"/proc/{pid}/task").glob("*/children")
    return (
        int(status["VmRSS"].split()[0]) // 1000,
        len(links) - sockets,
        sockets,
        int(status["Threads"]),
        sum(len(file.read_text().split()) for file in children),
    )


if __name__ == "__main__":
    main()
