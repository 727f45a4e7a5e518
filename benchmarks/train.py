"""Samples per second of whole epochs (shuffle, batch, forward, backward, update), beside other libraries.

Every measurement is a process of its own; libraries take turns, and the median over the rounds stands in the table.
`python -m benchmarks.train [RECIPE ...]`. The peers' Python is `.venv-bench/bin/python` (`make bench-peers` makes it).
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from app.runs.training.hardware import kernel_environment

ROUNDS = 3
MLPS = ("keras-mlp", "tf-tutorial", "sigmoid-sgd", "from-scratch")
PEERS = ("torch", "keras", "jax", "sklearn")
CONVOLUTIONAL_PEERS = ("torch", "keras")
PYTHON = Path(__file__).parent.parent / ".venv-bench" / "bin" / "python"


def main() -> None:
    recipes = sys.argv[1:] if __name__ == "__main__" and len(sys.argv) > 1 else MLPS
    print("| recipe | library | samples/s | digitpad is so many times as fast |\n|---|---|---|---|")
    for recipe in recipes:
        _compare(recipe)


def _compare(recipe: str) -> None:
    convolutional = recipe == "lenet"
    peers = CONVOLUTIONAL_PEERS if convolutional else PEERS
    libraries = ("digitpad", *peers) if convolutional else ("digitpad", *peers, "products")
    speeds: dict[str, list[float]] = {library: [] for library in libraries}
    failures: dict[str, str] = {}
    for _ in range(ROUNDS):
        for library in libraries:
            if library not in failures:
                try:
                    speeds[library].append(_measure(library, recipe))
                except RuntimeError as error:
                    failures[library] = str(error)
    if "digitpad" in failures:
        raise RuntimeError(f"digitpad itself could not be measured: {failures['digitpad']}")
    own = statistics.median(speeds["digitpad"])
    for library in libraries:
        if library in failures:
            print(f"| {recipe} | {library} | could not be measured: {failures[library]} | |", flush=True)
        else:
            speed = statistics.median(speeds[library])
            ratio = "" if library == "digitpad" else f"{own / speed:.2f}"
            name = "matrix products alone, of all inputs" if library == "products" else library
            print(f"| {recipe} | {name} | {speed:,.0f} | {ratio} |", flush=True)


def _measure(library: str, recipe: str) -> float:
    """The median samples/s of the epochs of one process; of PyTorch the better of one and two threads."""
    own = library in ("digitpad", "products")
    python = sys.executable if own or not PYTHON.exists() else str(PYTHON)
    environment = {**os.environ, **(kernel_environment() if own else {})}
    threads = ("1", "2") if library == "torch" else ("",)
    best = 0.0
    for count in threads:
        ended = subprocess.run(
            [python, "-m", "benchmarks.peers", library, recipe],
            env={**environment, "THREADS": count or "2"},
            capture_output=True,
            text=True,
        )
        if ended.returncode != 0:
            raise RuntimeError((ended.stderr.strip().splitlines() or ["no message"])[-1][:120])
        best = max(best, statistics.median(json.loads(ended.stdout.strip().splitlines()[-1])))
    return best


if __name__ == "__main__":
    main()
