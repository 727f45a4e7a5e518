"""The rooms behind the commands: settings, log, store, data sets; each is opened where it is needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.output import Code, CommandError

if TYPE_CHECKING:  # what a command does not need is not loaded: a shell that completes a name waits for it
    from app.data import Dataset
    from app.data.drawings.store import DrawingStore
    from app.models import ModelStore
    from app.runs.log.event_log import EventLog
    from app.runs.service import RunService
    from app.settings import Settings


def read_settings() -> "Settings":
    """The settings. Raises CommandError that names each that is wrong."""
    from pydantic import ValidationError

    from app.settings import Settings

    try:
        return Settings()
    except UnicodeDecodeError:
        raise CommandError(".env: expected UTF-8; got other bytes", Code.USAGE) from None
    except OSError as error:
        raise CommandError(f".env cannot be read: {error.strerror}", Code.USAGE) from None
    except ValidationError as error:
        lines = []
        for entry in error.errors():
            name = str(entry["loc"][0])
            came = "" if "token" in name else f"; got {entry['input']!r}"  # a secret stays one
            lines.append(f"DIGITPAD_{name.upper()}: {entry['msg']}{came}")
        raise CommandError("; ".join(lines), Code.USAGE) from None


@contextmanager
def reporting_errors() -> Iterator[None]:
    """Turn refusals into a CommandError: USAGE for names and values that are wrong, FAILED for what cannot be."""
    from app.data import DatasetUnavailable
    from app.models import DamagedModelError, MissingExtraError, ProtectedModelError, UnknownModelError
    from app.models.evaluation import LabelMismatchError
    from app.models.store import NameTakenError
    from app.runs.log.event_log import NotEndedError, UnknownRunError
    from app.runs.service import NoCheckpointError

    try:
        yield
    except (UnknownRunError, UnknownModelError, LabelMismatchError, ValueError) as error:
        raise CommandError(str(error), Code.USAGE) from None
    except (
        DatasetUnavailable,
        DamagedModelError,
        MissingExtraError,
        ProtectedModelError,
        NameTakenError,
        NoCheckpointError,
        NotEndedError,
    ) as error:
        raise CommandError(str(error)) from None


def write_file(path: Path, data: bytes) -> None:
    """Write `data` to a file that the user named. Raises CommandError."""
    from app.storage.atomic import write_named

    try:
        write_named(path, data)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None


@contextmanager
def open_log(settings: "Settings") -> Iterator["EventLog"]:
    """The log that the server of the same settings keeps too. Raises CommandError."""
    from sqlalchemy.exc import SQLAlchemyError

    from app.runs.log.event_log import EventLog

    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"DIGITPAD_HOME, {settings.home}, cannot be made: {error.strerror}") from None
    try:
        log = EventLog(settings.log_url, lease_seconds=settings.lease_seconds)
    except (SQLAlchemyError, ImportError, OSError) as error:
        why = str(error).splitlines()[0]
        raise CommandError(f"the database of DIGITPAD_DATABASE_URL cannot be opened: {why}") from None
    try:
        yield log
    finally:
        log.close()


def open_store(settings: "Settings") -> "ModelStore":
    """The models of the server of the same settings, and those that ship."""
    from app.models import ModelStore
    from app.settings import SHIPPED_MODELS

    return ModelStore(settings.home, SHIPPED_MODELS)


def open_drawings(settings: "Settings") -> "DrawingStore":
    """The user's own drawings."""
    from app.data.drawings.store import DrawingStore

    return DrawingStore(settings.home / "drawings")


def open_commands(log: "EventLog", settings: "Settings") -> "RunService":
    """What people ask of runs; whoever runs the queue finds by itself what there is to do."""
    from app.runs.service import RunService

    return RunService(log, open_store(settings), settings, lambda: None)


def load_data(settings: "Settings", name: str, *, download: bool = True) -> "Dataset":
    """A data set by its name. Raises ValueError, DatasetUnavailable."""
    from app.data import load_dataset

    return load_dataset(
        name,
        data_dir=settings.data_dir,
        cache_dir=settings.cache_dir,
        download=download,
        drawings=open_drawings(settings),
    )
