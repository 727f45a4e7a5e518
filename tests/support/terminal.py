"""The command line as a process: on a terminal of its own, or with pipes."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.serving import REPOSITORY
from tests.support.waiting import until

CTRL_C = b"\x03"
START = [sys.executable, "-m", "app"]


def environment(home: Path, cache_dir: Path, **more: str) -> dict[str, str]:
    """That of a command which keeps everything in `home`."""
    kept = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "NO_COLOR")}
    own = {"DIGITPAD_HOME": str(home), "DIGITPAD_CACHE_DIR": str(cache_dir), "TERM": "xterm-256color"}
    return {**kept, **own, **more}


def children(pid: int) -> list[int]:
    """The processes that a process has started and that are there."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = (map(int, line.split()) for line in listed.splitlines())
    return [child for child, parent in pairs if parent == pid]


class Terminal:
    """A process on a terminal: what it has written, and its keyboard."""

    def __init__(self, process: "subprocess.Popen[bytes]", keyboard: int) -> None:
        self.process = process
        self._keyboard, self._written = keyboard, bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """All that was written so far, with what steers the terminal."""
        return self._written.decode(errors="replace")

    def expect(self, *parts: str) -> str:
        """Wait until all of `parts` were written; return the text."""
        until(lambda: all(part in self.text for part in parts) or self.process.poll() is not None)
        assert all(part in self.text for part in parts), self.text
        return self.text

    def press(self, key: bytes) -> None:
        os.write(self._keyboard, key)

    def end(self) -> int:
        """Wait for the process to end, and for the rest of what it wrote; return its exit code."""
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it goes on; so far it has written {self.text[-2000:]!r}") from None
        self._reader.join(10)
        return code

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._keyboard, 4096)
            except OSError:  # the process has ended
                return
            if not data:
                return
            self._written += data


def _own_terminal() -> None:
    """Make standard input the terminal; and heed its signals, also where the tests themselves ignore them (`… &`)."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def on_terminal(arguments: Sequence[str], env: dict[str, str], *, columns: int = 100) -> Iterator[Terminal]:
    """Run a command on a terminal of so many columns, which Ctrl+C reaches it through."""
    keyboard, screen = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    process = subprocess.Popen(
        [*START, *arguments],
        stdin=screen,
        stdout=screen,
        stderr=screen,
        env=env,
        cwd=REPOSITORY,
        start_new_session=True,
        preexec_fn=_own_terminal,
    )
    os.close(screen)
    try:
        yield Terminal(process, keyboard)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(keyboard)
