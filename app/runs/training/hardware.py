"""Use of the hardware: the BLAS kernel, the processes and their threads."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from threadpoolctl import ThreadpoolController

QUOTA = Path("/sys/fs/cgroup/cpu.max")
MAX_PROCESSES = 8
"""The most processes of a training: each needs a gradient, and each more gains less."""

THREAD_SETTINGS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

AVX512 = frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})
"""The features required by OpenBLAS's SkylakeX kernels."""


def kernel_environment(choice: str = "auto", processor: Path = Path("/proc/cpuinfo")) -> dict[str, str]:
    """The environment variables that select OpenBLAS's kernels, to set before NumPy is imported.

    "auto" selects the fastest that the processor supports. On AMD's processors with AVX-512 OpenBLAS may select its
    Haswell kernels, without AVX-512; with SkylakeX's, a product of 1000×784 and 784×500 in float32 took 0.51 of the
    time on a Zen 5. Elsewhere OpenBLAS selects well. "environment" changes nothing; any other choice is OpenBLAS's
    name of a kernel.
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
    """The number of processors for this process, by its affinity and its container's quota."""
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    if QUOTA.is_file():
        quota, _, period = QUOTA.read_text().strip().partition(" ")
        if quota.isdecimal() and period.isdecimal() and int(period) > 0:
            allowed = min(allowed, max(1, int(quota) // int(period)))
    return allowed


def cores_per_worker(workers: int) -> int:
    """The number of processors for each of `workers` concurrent trainings."""
    return max(1, cores() // workers)


def worker_environment(choice: str, workers: int) -> dict[str, str]:
    """The environment variables of one of `workers` trainings, for BLAS's kernels and threads."""
    threads = str(cores_per_worker(workers))
    return {**dict.fromkeys(THREAD_SETTINGS, threads), **kernel_environment(choice)}


@contextmanager
def computing(processes: int) -> Iterator[dict[str, Any]]:
    """Divide BLAS's threads among `processes`, and yield a description.

    Its keys are `processes`, `blas_threads` (of each), `blas` and `kernel`; the last three may be None.
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
