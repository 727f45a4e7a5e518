"""How this machine computes: the BLAS kernel, the processes and their threads."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from threadpoolctl import ThreadpoolController

QUOTA = Path("/sys/fs/cgroup/cpu.max")
LARGEST_CREW = 8
"""Processes of one training: each has a gradient of its own, and each more gains less."""

THREAD_SETTINGS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

AVX512 = frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})
"""What OpenBLAS's SkylakeX kernels need."""


def kernel_environment(choice: str = "auto", processor: Path = Path("/proc/cpuinfo")) -> dict[str, str]:
    """What must be set before NumPy is imported so that OpenBLAS takes the kernels of `choice`.

    "auto" takes the fastest that the processor can run. On AMD's processors with AVX-512 OpenBLAS may take its Haswell
    kernels, without AVX-512; with SkylakeX's, a product of 1000×784 and 784×500 in float32 took 0.51 of the time on a
    Zen 5. Elsewhere OpenBLAS chooses well by itself. "environment" changes nothing; any other choice is OpenBLAS's name
    of a kernel.
    """
    if choice == "environment":
        return {}
    if choice != "auto":
        return {"OPENBLAS_CORETYPE": choice}
    if not processor.is_file():
        return {}
    first = processor.read_text(errors="replace").split("\n\n", 1)[0].splitlines()
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first)}
    is_amd = fields.get("vendor_id") == "AuthenticAMD"
    return {"OPENBLAS_CORETYPE": "SkylakeX"} if is_amd and set(fields.get("flags", "").split()) >= AVX512 else {}


def cores() -> int:
    """How many processors this process may use, by its affinity and its container's quota."""
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    if QUOTA.is_file():
        quota, _, period = QUOTA.read_text().strip().partition(" ")
        if quota.isdecimal() and period.isdecimal() and int(period) > 0:
            allowed = min(allowed, max(1, int(quota) // int(period)))
    return allowed


def share(workers: int) -> int:
    """How many processors each of so many trainings at once gets."""
    return max(1, cores() // workers)


def worker_environment(choice: str, workers: int) -> dict[str, str]:
    """What must be set before NumPy is imported in one of `workers` trainings: BLAS's kernels, and its threads."""
    threads = str(share(workers))
    return {**dict.fromkeys(THREAD_SETTINGS, threads), **kernel_environment(choice)}


@contextmanager
def computing(processes: int) -> Iterator[dict[str, Any]]:
    """Compute in so many processes: BLAS's threads are shared out among them. Yields how, for people.

    The keys are `processes`, `blas_threads` (of each), `blas` and `kernel`, the last three where they are known.
    """
    controller = ThreadpoolController().select(user_api="blas")
    threads = max((pool["num_threads"] for pool in controller.info()), default=1)
    with controller.limit(limits=max(1, threads // processes)):
        pools = controller.info()
        found = pools[0] if pools else {}
        yield {
            "processes": processes,
            "blas_threads": found.get("num_threads"),
            "blas": found.get("internal_api"),
            "kernel": found.get("architecture"),
        }
