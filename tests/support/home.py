"""What tests do to the database and the processes of a home, without a wait and without a lease too short for a slow
machine.
"""

import os
import signal
import sqlite3
from collections.abc import Collection
from contextlib import closing, suppress
from pathlib import Path

from tests.support.waiting import until

DATABASE = "digitpad.sqlite3"


def let_leases_run_out(home: Path) -> None:
    """As if the workers of the home's runs had been silent for as long as a lease is."""
    with closing(sqlite3.connect(home / DATABASE, timeout=60)) as connection, connection:
        connection.execute("UPDATE runs SET lease = 0 WHERE lease IS NOT NULL")


def freeze_between_writes(home: Path, pids: Collection[int]) -> None:
    """Freeze them where none is within a write: SQLite would keep everybody else from writing until it is thawed.

    Linux only, where `/proc` says when a thread has stopped.
    """

    def send(number: int) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def freeze() -> bool:
        send(signal.SIGSTOP)
        until(lambda: all(_is_frozen(pid) for pid in pids))
        if _can_be_written(home):
            return True
        send(signal.SIGCONT)
        return False

    until(freeze)


def _is_frozen(pid: int) -> bool:
    """Whether every thread has stopped, or is gone: one may get the lock that it asks for before it stops."""
    with suppress(OSError):
        states = [stat.read_text().rpartition(")")[2].split()[0] for stat in Path(f"/proc/{pid}/task").glob("*/stat")]
        return set(states) <= set("TtZX")
    return False  # a thread ended while it was looked at


def _can_be_written(home: Path) -> bool:
    """Whether nobody is writing to the database at this moment."""
    with closing(sqlite3.connect(home / DATABASE, timeout=0.5, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True
