"""The resources of commands: settings, log, store and data sets, each opened when needed."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from app.cli.output import Code, CommandError
from app.errors import OUTCOMES, MessageError, joined, message_of

if TYPE_CHECKING:  # imports are lazy, as shell completion must be fast
    from app.data import Dataset
    from app.data.drawings.store import DrawingStore
    from app.models import ModelStore
    from app.runs.log.event_log import EventLog
    from app.runs.service import RunService
    from app.settings import Settings

DATABASE_BYTES = 128 * 1024
"""The size of SQLite's files when they are made."""


def read_settings() -> "Settings":
    """The settings. Raises CommandError with each invalid one."""
    from pydantic import ValidationError

    from app.settings import Settings

    try:
        return Settings()
    except UnicodeDecodeError:
        raise CommandError(".env: expected UTF-8; got other bytes", exit_code=Code.USAGE) from None
    except OSError as error:
        raise CommandError(".env cannot be read: {reason}", reason=error.strerror, exit_code=Code.USAGE) from None
    except ValidationError as error:
        from app.i18n.pydantic_errors import pydantic_message

        found = []
        for entry in error.errors():
            name = f"DIGITPAD_{str(entry['loc'][0]).upper()}"
            secret = {"input": "***"} if "TOKEN" in name else {}
            found.append(pydantic_message({**entry, "loc": (name,), **secret}))
        raise CommandError(joined(found), exit_code=Code.USAGE) from None


@contextmanager
def reporting_errors() -> Iterator[None]:
    """Convert errors into a CommandError, with the exit code from `OUTCOMES`."""
    try:
        yield
    except CommandError:
        raise
    except (MessageError, ValueError) as error:
        outcome = OUTCOMES[getattr(error, "code", "invalid")]
        raise CommandError(message_of(error), exit_code=outcome.exit_code) from None


def named_file(name: str) -> Path:
    """The path of a file that the user named; an empty name would be the working folder. Raises CommandError."""
    if not name:
        raise CommandError("expected the name of a file; got an empty one", exit_code=Code.USAGE)
    return Path(name)


def write_file(path: Path, data: bytes) -> None:
    """Write `data` to a file that the user named. Raises CommandError."""
    from app.storage.atomic import write_named

    try:
        write_named(path, data)
    except OSError as error:
        raise CommandError("{path} cannot be written: {reason}", path=path, reason=error.strerror) from None


def check_home(home: Path) -> None:
    """Make the folder of models and the database, and try whether it can be written to. Raises CommandError."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=home) as file:
            file.write(bytes(DATABASE_BYTES))
            file.flush()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CommandError(
                "the disk of DIGITPAD_HOME, {home}, is full: make room on it, and start again", home=home
            ) from None
        raise CommandError(
            "DIGITPAD_HOME, {home}, cannot be written to: {reason}; name a folder that can be, or serve it as it is "
            "with a database elsewhere, which DIGITPAD_DATABASE_URL names",
            home=home,
            reason=error.strerror,
        ) from None


@contextmanager
def open_log(settings: "Settings") -> Iterator["EventLog"]:
    """The log, shared with a server with the same settings. Raises CommandError."""
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    from app.runs.log.database import NewerDatabaseError
    from app.runs.log.event_log import EventLog

    try:
        log = EventLog(settings.log_url, lease_seconds=settings.lease_seconds)
    except NewerDatabaseError as error:
        raise CommandError("the database cannot be used: {why}", why=message_of(error)) from None
    except ImportError as error:
        raise CommandError(
            "the database of DIGITPAD_DATABASE_URL needs {module}; for PostgreSQL: pip install 'digitpad[postgres]'",
            module=error.name,
        ) from None
    except (SQLAlchemyError, OSError) as error:
        if not settings.database_url:
            check_home(settings.home)
        why = str(error).splitlines()[0]
        code = Code.USAGE if isinstance(error, ArgumentError) else Code.FAILED  # no such address, or no such database
        if not settings.database_url:
            raise CommandError(
                "the database in DIGITPAD_HOME, {home}, cannot be opened: {why}; put a copy in place of a damaged one, "
                "or move it away",
                home=settings.home,
                why=why,
            ) from None
        raise CommandError(
            "the database of DIGITPAD_DATABASE_URL cannot be opened: {why}", why=why, exit_code=code
        ) from None
    try:
        yield log
    finally:
        log.close()


def open_store(settings: "Settings") -> "ModelStore":
    """The store of the user's and the shipped models."""
    from app.models import ModelStore
    from app.settings import SHIPPED_MODELS

    return ModelStore(settings.home, SHIPPED_MODELS)


def open_drawings(settings: "Settings") -> "DrawingStore":
    """The user's drawings."""
    from app.data.drawings.store import DrawingStore

    return DrawingStore(settings.home / "drawings")


def open_commands(log: "EventLog", settings: "Settings") -> "RunService":
    """The operations on runs; a supervisor polls the queue."""
    from app.runs.service import RunService

    return RunService(log, open_store(settings), settings, lambda: None)


def load_data(settings: "Settings", name: str, *, download: bool = True) -> "Dataset":
    """A data set by name. Raises ValueError, DatasetUnavailable."""
    from app.data import DatasetCatalog

    return DatasetCatalog.from_settings(settings).load(name, download=download)
