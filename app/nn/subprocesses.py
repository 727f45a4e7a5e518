"""Helper processes of a training that share memory with it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def spawn(module: str, file: int, *, answers: bool = False) -> "subprocess.Popen[bytes]":
    """Start `main()` of `module`; it inherits the shared memory `file` and reads commands from its standard input.

    With `answers` its standard output is a pipe too. BLAS gets one thread, as other processes compute at the same time.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"from {module} import main; main()"],  # -P: not an `app` in the current folder
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
