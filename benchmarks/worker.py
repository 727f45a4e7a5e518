"""Peak memory of a training process, for each recipe on MNIST (one epoch, started as by the server)."""

import resource
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


def main() -> None:
    print("| recipe | peak memory of its process, MiB |\n|---|---|")
    for name in load_recipes():
        # in a separate process, as the system reports only the peak of all children together
        command = [sys.executable, "-m", "benchmarks.worker", name]
        measured = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        print(f"| {name} | {float(measured.stdout):.0f} |", flush=True)


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
