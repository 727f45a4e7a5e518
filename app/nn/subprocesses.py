"""Helper processes: they have one thread of BLAS, as others compute at the same time, and end with their parent."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_PR_SET_PDEATHSIG = 1
"""prctl(2)."""
_POLL_SECONDS = 0.5


def command(module: str) -> list[str]:
    """The command line of `main()` of `module`, in a process that ends with this one, whatever happens to either."""
    code = f"from {__name__} import end_with; end_with({os.getpid()}); from {module} import main; main()"
    return [sys.executable, "-P", "-c", code]  # -P: not an `app` in the current folder


def environment() -> dict[str, str]:
    """The environment of a helper process."""
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    return {**os.environ, "PYTHONPATH": str(ROOT), **threads}


def spawn(module: str, file: int, *, answers: bool = False) -> "subprocess.Popen[bytes]":
    """Start `main()` of `module`; it inherits the shared memory `file` and reads commands from its standard input.

    With `answers` its standard output is a pipe too.
    """
    return subprocess.Popen(
        command(module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if answers else None,
        bufsize=0,
        pass_fds=[file],
        env=environment(),
    )


def end_with(parent: int) -> None:
    """End this process within a second of the end of its parent, the process `parent`; on Linux also while stopped."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_POLL_SECONDS)
        os._exit(1)

    # the signal is for the end of the thread that started this process, and does not come where that was before
    threading.Thread(target=watch, daemon=True).start()
