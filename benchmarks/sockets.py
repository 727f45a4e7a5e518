"""Fan-out of a run's log over web sockets: the delay from the commit of an event to each reader, and the cost.

The events are written under a lease of the benchmark, while a server sends the log to 1, 100 and 1,000 sockets. The
readers share the machine with the server, so that the figures include their work.
"""

import asyncio
import json
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from app.runs.config.run_config import request_config
from app.runs.log.event_log import EventLog
from app.runs.log.state import RunState
from app.runs.log.transitions import Lease
from tests.support.serving import Server, serve

READERS = (1, 100, 1000)
EVENTS = 60
PER_SECOND = 10
BURST = 300
EPOCH = {
    "epoch": 1,
    "epochs": 60,
    "train_loss": 0.123456,
    "train_accuracy": 0.98765,
    "val_loss": 0.234567,
    "val_accuracy": 0.97531,
    "learning_rate": 0.001,
    "seconds": 1.2345,
    "samples_per_second": 150000.0,
}


def main() -> None:
    print(f"{PER_SECOND} events a second, then {BURST} at once.\n")
    print("| readers | p50, ms | p99, ms | events received/s in the burst | server, MiB | all got all |")
    print("|---|---|---|---|---|---|")
    for readers in READERS:
        with tempfile.TemporaryDirectory() as folder:
            print(asyncio.run(_measure(Path(folder), readers)), flush=True)


async def _measure(home: Path, readers: int) -> str:
    log = EventLog(f"sqlite:///{home / 'digitpad.sqlite3'}", lease_seconds=3600)
    run = log.add(request_config({"recipe": "quick"}))
    lease = log.claim("the benchmark")  # before the server starts and claims it
    assert lease is not None
    with serve(home, DIGITPAD_LEASE_SECONDS="3600") as server:
        committed: dict[int, float] = {}
        received: list[dict[int, float]] = [{} for _ in range(readers)]
        ready = asyncio.Event()
        count = 0

        def opened() -> None:
            nonlocal count
            count += 1
            if count == readers:
                ready.set()

        tasks = [asyncio.create_task(_read(server, run, seen, opened)) for seen in received]
        await ready.wait()
        writer = threading.Thread(target=_write, args=(log, lease, committed))
        writer.start()
        await asyncio.gather(*tasks)
        writer.join()
        memory = _peak(server)
    steady = range(2, EVENTS + 2)
    delays = [1000 * (seen[seq] - committed[seq]) for seen in received for seq in steady]
    burst = range(EVENTS + 2, EVENTS + BURST + 2)
    last = max(seen[burst[-1]] for seen in received)
    rate = readers * BURST / (last - committed[burst[0]])
    is_complete = all(sorted(seen) == list(range(1, EVENTS + BURST + 3)) for seen in received)
    log.close()
    p99 = statistics.quantiles(delays, n=100)[98]
    cells = (readers, f"{statistics.median(delays):.0f}", f"{p99:.0f}", f"{rate:,.0f}", f"{memory:.0f}", is_complete)
    return f"| {' | '.join(map(str, cells))} |"


async def _read(server: Server, run: int, seen: dict[int, float], opened: Callable[[], None]) -> None:
    address = server.url.replace("http", "ws") + f"/api/runs/{run}/stream"
    async with connect(address, compression=None, open_timeout=60, ping_interval=None) as socket:
        await _follow(socket, seen, opened)


async def _follow(socket: ClientConnection, seen: dict[int, float], opened: Callable[[], None]) -> None:
    assert json.loads(await socket.recv())["type"] == "hello"
    opened()
    async for text in socket:
        found = re.match(r'\{"run":\d+,"seq":(\d+)', str(text))
        if found:
            seen[int(found[1])] = time.perf_counter()


def _write(log: EventLog, lease: Lease, committed: dict[int, float]) -> None:
    seq = 1
    for _ in range(EVENTS):
        time.sleep(1 / PER_SECOND)
        seq += 1
        log.append(lease, "epoch", EPOCH)
        committed[seq] = time.perf_counter()
    for _ in range(BURST):
        seq += 1
        committed[seq] = time.perf_counter()
        log.append(lease, "epoch", EPOCH)
    log.finish(lease, RunState.SUCCEEDED, {})


def _peak(server: Server) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


if __name__ == "__main__":
    main()
