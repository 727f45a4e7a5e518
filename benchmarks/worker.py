"""Peak memory of a training process, for each recipe on MNIST (one epoch, started as by the server).

Before that, the time from the start of a `quick` run to its first loss, without a process kept ready and with one.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from app.recipes import load_recipes
from app.runs.config.run_config import request_config
from app.runs.log.event_log import EventLog
from app.runs.log.state import ENDED, RunState
from app.runs.supervisor import Supervisor
from app.settings import Settings

MEBIBYTE = 2**20
UNIT = 1 if sys.platform == "darwin" else 1024
"""The unit of memory in getrusage: bytes on macOS, KiB on Linux."""


READY_SECONDS = 5.0
"""The time for a process to get ready."""
STARTS = 5
"""The number of measured starts of each kind."""


def main() -> None:
    print("| start of `quick` | median seconds to its first loss | least |\n|---|---|---|")
    for name, ready in (("without a process kept ready", False), ("with one", True)):
        seconds = first_losses(ready=ready)
        print(f"| {name} | {statistics.median(seconds):.2f} | {min(seconds):.2f} |", flush=True)
    print("\n| recipe | peak memory of its process, MiB |\n|---|---|")
    for name in load_recipes():
        # in a separate process, as the system reports only the peak of all children together
        command = [sys.executable, "-m", "benchmarks.worker", name]
        measured = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        print(f"| {name} | {float(measured.stdout):.0f} |", flush=True)


def first_losses(*, ready: bool) -> list[float]:
    """Seconds from queueing a run to the first loss of a batch in its progress, several times."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        log = EventLog(settings.log_url)
        config = request_config({"recipe": "quick"})
        runner = Supervisor(log, settings, keeps_spare=ready)
        runner.start()
        for _ in range(STARTS):
            time.sleep(READY_SECONDS if ready else 0.0)
            began = time.perf_counter()
            run = log.add(config)
            runner.wake()
            while not (log.run(run)["progress"] or {}).get("batch_losses"):
                time.sleep(0.005)
            found.append(time.perf_counter() - began)
            log.request_cancel(run)
            while log.run(run)["state"] not in ENDED:
                time.sleep(0.05)
        runner.stop()
        log.close()
    return found


def peak(recipe: str) -> float:
    """Peak memory in MiB of a run of one epoch of `recipe`."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        log = EventLog(settings.log_url)
        run = log.add(request_config({"recipe": recipe, "overrides": {"epochs": 1}}))
        runner = Supervisor(log, settings)
        runner.start()
        while log.run(run)["state"] not in ENDED:
            time.sleep(0.1)
        runner.stop()
        ended = log.run(run)
        log.close()
    if ended["state"] != RunState.SUCCEEDED:
        raise RuntimeError(f"the run {ended['state']}: {ended['error']}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * UNIT / MEBIBYTE


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(peak(sys.argv[1]))
    else:
        main()
