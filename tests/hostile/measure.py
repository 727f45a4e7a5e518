"""The cost of reading one file, in a process of its own: `python -m tests.hostile.measure NAME`."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.hostile.costs import COSTLY
from tests.hostile.parsers import attempt

ROOT = Path(__file__).parents[2]


class Cost(NamedTuple):
    """Bytes, processor seconds, and megabytes beyond those of the process and the file; the refusal, if it is one."""

    size: int
    seconds: float
    megabytes: float
    refusal: str


def measure(name: str, timeout: float = 300) -> Cost:
    """Measure one of `COSTLY`. Raises RuntimeError with what the process said if it did not end well."""
    command = [sys.executable, "-m", "tests.hostile.measure", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.returncode}\n{done.stderr[-2000:]}")
    return Cost(*json.loads(done.stdout))


def _memory(what: str) -> int:
    """A line of the process's status, in kB."""
    text = Path("/proc/self/status").read_text()
    return int(text.split(f"{what}:")[1].split()[0])


def main(name: str) -> None:
    parser, make = COSTLY[name]
    data = make()
    attempt(parser, b"")  # what is imported, and kept, by the first use
    limit = (_memory("VmSize") + 2_000_000) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, begun = _memory("VmRSS"), time.process_time()
    refusal = attempt(parser, data)
    cost = Cost(len(data), time.process_time() - begun, (_memory("VmHWM") - before) / 1000, refusal)
    sys.stdout.write(json.dumps(cost))


if __name__ == "__main__":
    main(sys.argv[1])
