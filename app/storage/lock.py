"""A lock for a folder, across threads and processes."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl


FILE = ".lock"
"""The name of the file, which is empty."""


class FolderLock:
    """An exclusive lock for reading and changing the files of `folder`.

    Between processes it is the system's lock on a file in it, which ends with its process (on a file, as NFS locks only
    what is open for writing); without such a lock, it works only between the threads of this process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = threading.Lock()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Acquire the lock; create the folder if necessary. Raises OSError."""
        with self._threads:
            self._folder.mkdir(parents=True, exist_ok=True)
            if sys.platform == "win32":
                yield
                return
            handle = os.open(self._folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)
