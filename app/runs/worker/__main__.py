"""The entry point of a worker's process, bound to its server's life before large imports."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
"""The option of Linux's prctl for the signal when the parent process ends, even while this one is stopped."""


def tie() -> None:
    """Let the system end this process with its parent, where supported."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    tie()
    from app.runs.worker.process import main

    main()
