"""One writer at a time in a folder, of all threads and processes that share it."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class FolderLock:
    """Held while files of `folder` are looked at and written, so that none comes or goes between the two.

    Among processes it is the system's own lock on the folder, which ends with whoever holds it; where there is no such
    lock, it holds among the threads of this process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = threading.Lock()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Wait for the lock, and hold it. The folder is made if it is not there. Raises OSError."""
        with self._threads:
            self._folder.mkdir(parents=True, exist_ok=True)
            if sys.platform == "win32":
                yield
                return
            handle = os.open(self._folder, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)
