"""The size of the page `/`, and the first byte of each page and call in a large home.

The size is of the page, its style sheets, its scripts and their static imports. The large home has 5,000 runs, one of
them of 10,000 epochs, 500 models, 50,000 drawings in one set, and a folder of 20,000 images; it takes 3 GB in the
folder for temporary files. "first" is the first answer since the server's start, of a server of its own; the models'
files may be in the system's cache. "then" is the median of the next answers, and "after a drawing" the median of those
that follow a new drawing each.
"""

import http.client
import io
import json
import re
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import numpy as np
from PIL import Image

from app.data.drawings.drawing import new_drawing, pack_drawing
from app.recipes import get_recipe
from app.runs.config.run_config import parse_config
from app.runs.log.database import writing
from app.runs.log.event_log import EventLog
from app.runs.log.state import RunState
from app.runs.log.transitions import append
from app.settings import SHIPPED_MODELS, Settings
from benchmarks.compare import write_epochs
from tests.support.serving import Server, serve

RUNS, EPOCHS, MODELS, DRAWINGS, IMAGES = 5_000, 10_000, 500, 50_000, 20_000
REPEATS = 5
LEASE_SECONDS = 3600.0
SETTLE_SECONDS = 5.0
"""Until the models are checked, as far as they are in memory."""
SET = "folder%3Abig"
PAGES = (
    *(
        "/",
        "/challenge",
        "/train",
        f"/runs/{RUNS}",
        f"/train?run={RUNS}",
        f"/compare?runs={RUNS},{RUNS - 1}",
        "/augmentation",
    ),
    *("/data", f"/data?set={SET}", "/data?set=drawings%3Amany", "/mine", "/models", "/learn", "/learn/inside"),
)
CALLS = (
    *("/api/runs", f"/api/runs/{RUNS}", f"/api/runs/{RUNS}/events?short=true", "/api/models", "/api/schema"),
    *("/api/recipes", "/api/datasets", f"/api/datasets?name={SET}", f"/api/datasets/{SET}/digits"),
    *("/api/drawings?set=many", "/api/drawings/sets/many", "/api/models/mnist-mlp/personalize"),
)


def main() -> None:
    """Print both tables."""
    _print_sizes()
    with tempfile.TemporaryDirectory() as folder:
        home, data = Path(folder) / "home", Path(folder) / "data"
        fill(home, data)
        print("\n| | first, ms | then, ms | after a drawing, ms |\n|---|---|---|---|")
        for path in (*PAGES, *CALLS):
            print(_timed(home, data, path), flush=True)


def fill(home: Path, data: Path) -> None:
    """Make the large home, and its DIGITPAD_DATA_DIR."""
    _add_runs(home)
    for number in range(MODELS):
        place = home / f"m{number:03}"
        shutil.copytree(SHIPPED_MODELS / "mnist-mlp", place, ignore=shutil.ignore_patterns("*.jsonl"))
        card = json.loads((place / "model.json").read_text())
        del card["styles"]  # which only the shipped model has
        (place / "model.json").write_text(json.dumps({**card, "name": place.name, "shipped": False}))
    drawings = home / "drawings" / "many"
    drawings.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for number in range(DRAWINGS):
        strokes = np.cumsum(rng.normal(0, 5, (2, 20, 2)), axis=1).round(1).tolist()
        drawing = replace(new_drawing(str(number % 10), strokes, "many"), id=f"{number:014x}-00000000")
        (drawings / f"{drawing.id}.json").write_bytes(pack_drawing(drawing))
    for label in range(10):
        (data / "big" / str(label)).mkdir(parents=True)
    for number in range(IMAGES):
        file = io.BytesIO()
        shade = rng.integers(0, 255, (28, 28), np.uint8) // 8
        shade[6:22, 10 + number % 7 : 14 + number % 7] = 255
        Image.fromarray(shade).save(file, "PNG")
        (data / "big" / str(number % 10) / f"{number:05}.png").write_bytes(file.getvalue())


def _add_runs(home: Path) -> None:
    home.mkdir(parents=True)
    log = EventLog(Settings(home=home, _env_file=None).log_url, lease_seconds=LEASE_SECONDS)
    config = parse_config({**get_recipe("quick").config, "recipe": "quick", "epochs": EPOCHS})
    for number in range(RUNS):
        log.add(config)
        lease = log.claim("benchmark")
        assert lease is not None
        if number < RUNS - 1:
            with writing(log.engine) as connection:
                append(connection, lease.run, "epoch", {"epoch": 1, "epochs": EPOCHS, "val_accuracy": 0.9})
        else:
            write_epochs(log, lease, number, EPOCHS)
        log.finish(lease, RunState.SUCCEEDED, {})
    log.close()


def _timed(home: Path, data: Path, path: str) -> str:
    settings = {"DIGITPAD_DATA_DIR": str(data), "DIGITPAD_LEASE_SECONDS": str(LEASE_SECONDS)}
    with serve(home, **settings) as server:
        first = _first_byte(server, path)
        time.sleep(SETTLE_SECONDS)
        then = statistics.median(_first_byte(server, path) for _ in range(REPEATS))
        drawn = []
        for _ in range(REPEATS):
            server.post("/api/drawings", {"label": "1", "strokes": [[[0, 0], [5, 9]]], "set": "many"})
            drawn.append(_first_byte(server, path))
        return f"| `{path}` | {first:.0f} | {then:.0f} | {statistics.median(drawn):.0f} |"


def _first_byte(server: Server, path: str) -> float:
    """Milliseconds until the first byte of an answer."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=300)
    begun = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read(1)
    taken = (time.perf_counter() - begun) * 1000
    if answer.status != 200:
        print(f"{path}: {answer.status} {answer.read()[:200]!r}", file=sys.stderr)
    connection.close()
    return taken


def _print_sizes() -> None:
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server:
        print("| file | bytes, unpacked |\n|---|---|")
        total, seen, waiting = 0, set(), [f"{server.url}/"]
        while waiting:
            url = waiting.pop(0)
            if url in seen:
                continue
            seen.add(url)
            with urllib.request.urlopen(url) as response:
                content = response.read().decode()
            size = len(content.encode())
            total += size
            print(f"| {re.sub(r'/static/[^/]*', '', url.removeprefix(server.url))} | {size:,} |")
            links = re.findall(r'(?:<script[^>]*src|<link[^>]*href)="([^"]+)"', content)
            links += re.findall(r'(?:import|from)\s*["\'](\./[^"\']+)["\']', content)
            links += re.findall(r'@import\s+(?:url\()?["\']([^"\']+)', content)
            waiting += [urljoin(url, link) for link in links]
        print(f"| **all** | **{total:,}** |")


if __name__ == "__main__":
    main()
