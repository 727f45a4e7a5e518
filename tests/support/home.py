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
    """Freeze them where none is within a write: SQLite would keep everybody else from writing until it is thawed."""

    def send(number: int) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def freeze() -> bool:
        send(signal.SIGSTOP)
        if _can_be_written(home):
            return True
        send(signal.SIGCONT)
        return False

    until(freeze)


def _can_be_written(home: Path) -> bool:
    """Whether nobody is writing to the database at this moment."""
    with closing(sqlite3.connect(home / DATABASE, timeout=0.5, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True
