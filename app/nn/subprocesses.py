"""A process beside a training, which shares memory with it and does nothing else."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def start_helper(module: str, file: int, *, answers: bool = False) -> "subprocess.Popen[bytes]":
    """Start `main()` of `module`, which is given the shared memory `file` and reads its orders from its standard input.

    With `answers` its standard output is a pipe too. It has one thread of BLAS, as others compute beside it.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"from {module} import main; main()"],  # -P: not the `app` of where we are
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if answers else None,
        bufsize=0,
        pass_fds=[file],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        },
    )
