"""The server beside senders of pictures that cost more than they weigh: `python -m benchmarks.hostile`.

For each picture `SENDERS` connections send it again and again for `SECONDS`, and as many send it and leave at once;
meanwhile /health and the pad are asked for, each over a connection of its own. The table has the pictures answered, the
times of these in milliseconds, and the most memory that the server has taken so far, in megabytes. The pictures are
those of `tests/hostile/images.py`, and a clean one to compare with.
"""

import http.client
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit

from tests.hostile.images import BAD, LARGE, PNG
from tests.support.serving import Server, serve

SENDERS = 32
SECONDS = 8.0
WATCHED = ("/health", "/")
KINDS = ("JPEG of 3,000 scans", "JPEG of 100,000 comments", "PNG of 100,000 chunks", "text bomb")


def main() -> None:
    """Print the table."""
    pictures: dict[str, Callable[[], bytes]] = {"clean": lambda: PNG, **{kind: BAD[kind] for kind in KINDS}, **LARGE}
    print("| picture | kB | answered | /health median | 99 % | pad median | 99 % | MB |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server:
        for name, make in pictures.items():
            data = make()
            answered, times = _attack(server, data)
            shown = " | ".join(
                f"{statistics.median(times[path]):.0f} | {statistics.quantiles(times[path], n=100)[-1]:.0f}"
                for path in WATCHED
            )
            print(f"| {name} | {len(data) / 1000:,.0f} | {answered} | {shown} | {_peak(server):.0f} |", flush=True)


def _attack(server: Server, data: bytes) -> tuple[str, dict[str, list[float]]]:
    host, end = urlsplit(server.url).netloc, time.monotonic() + SECONDS
    statuses: Counter[int] = Counter()

    def send(leaves: bool) -> None:
        while time.monotonic() < end:
            connection = http.client.HTTPConnection(host, timeout=120)
            connection.request("POST", "/predict", data, {"content-type": "image/png"})
            if leaves:
                time.sleep(0.05)
            else:
                answer = connection.getresponse()
                answer.read()
                statuses[answer.status] += 1
            connection.close()

    with ProcessPoolExecutor(len(WATCHED), get_context("spawn")) as watchers:
        watching = {path: watchers.submit(_watch, host, path) for path in WATCHED}
        threads = [threading.Thread(target=send, args=(index % 2 == 1,)) for index in range(2 * SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        times = {path: watched.result() for path, watched in watching.items()}
    return " ".join(f"{count}×{status}" for status, count in sorted(statuses.items())), times


def _watch(host: str, path: str) -> list[float]:
    """The milliseconds of each answer; in a process of its own, which the senders do not hold up."""
    connection, times, end = http.client.HTTPConnection(host, timeout=120), [], time.monotonic() + SECONDS
    while time.monotonic() < end:
        begun = time.perf_counter()
        connection.request("GET", path)
        connection.getresponse().read()
        times.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.02)
    return times


def _peak(server: Server) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


if __name__ == "__main__":
    main()
