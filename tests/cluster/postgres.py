"""A PostgreSQL server of the tests' own, from Debian's package, under its own user."""

import getpass
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

USER = "postgres"
INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def missing() -> str | None:
    """The reason why no server can be started, or None."""
    if not INSTALLED:
        return "needs PostgreSQL (Debian: apt install postgresql)"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "needs psycopg: pip install 'digitpad[postgres]'"
    return None


@dataclass(frozen=True)
class Postgres:
    """A running server, by the folder of its socket."""

    folder: Path

    def url(self, name: str = "postgres") -> str:
        """The address of a database, as DIGITPAD_DATABASE_URL takes it."""
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def new_database(self) -> str:
        """Create an empty database, and return its address."""
        name = f"test_{uuid.uuid4().hex}"
        engine = sa.create_engine(
            self.url().replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        engine.dispose()
        return self.url(name)

    def start(self) -> None:
        """Start the server, without a port."""
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c max_connections=300"
        self._control("start", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """Stop the server as if it were killed."""
        self._control("stop", "-m", "immediate")

    def _control(self, *arguments: str) -> None:
        _run("pg_ctl", "-D", str(self.folder / "data"), "-w", *arguments)


@contextmanager
def start_postgres() -> Iterator[Postgres]:
    """Start a server in a temporary folder, without a port; stop it and remove the folder at the end."""
    folder = Path(tempfile.mkdtemp(prefix="digitpad-postgres-"))
    if getpass.getuser() == "root":
        shutil.chown(folder, USER, USER)
    server = Postgres(folder)
    try:
        _run("initdb", "-D", str(folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        server.start()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: str, *arguments: str) -> None:
    command = [str(INSTALLED[-1] / program), *arguments]
    if getpass.getuser() == "root":  # which PostgreSQL refuses to run as
        command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", *command]
    subprocess.run(
        command, check=True, capture_output=True, cwd="/", env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout=60
    )
