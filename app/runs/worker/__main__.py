"""A worker's process. It ties itself to its server before anything large is imported, then does its work."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: the signal that a process gets when the one that started it ends, even while it is stopped."""


def tie() -> None:
    """End with the process that started this one, where the system can see to that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    tie()
    from app.runs.worker.process import main

    main()
