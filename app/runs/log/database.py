"""The tables of the database, and its connection."""

import json
import os
import sqlite3
import uuid
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    create_engine,
    event,
    false,
    func,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import IntegrityError, InterfaceError, InternalError, OperationalError, TimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from app.errors import Message, MessageError
from app.runs.log.migrations import HEAD, VERSION_TABLE, migrate

UNREACHABLE = (OperationalError, InterfaceError, InternalError, TimeoutError)
"""The errors of a database that is locked, full or unreachable; retry them."""

BUSY_SECONDS = 10
"""The time that a writer waits for another before the error "database is locked"."""


POSTGRES = {
    "connect_timeout": BUSY_SECONDS,
    "options": f"-c lock_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout=60s",
}
"""The arguments of connections to PostgreSQL: who waits for a lock, or dies in a transaction, is in nobody's way."""

SCHEMA_LOCK = 7_235_421
"""The number of PostgreSQL's advisory lock of whoever creates the tables, or brings them up to date."""


class DatabaseReplacedError(OperationalError):
    """The database's file, or the file of its last writes, is no longer the one that was opened.

    What is written to a file that was removed is lost with the process, and new processes would open another one.
    """

    def __init__(self) -> None:
        super().__init__(
            None, None, sqlite3.OperationalError("the files of the database were moved, removed or replaced")
        )


class NewerDatabaseError(MessageError):
    """The database is of a newer version of digitpad."""

    code = "newer_database"


metadata = MetaData()


class MessageText(TypeDecorator[str]):
    """A message as JSON; plain texts of older versions stay unchanged."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return json.dumps(value.to_json(), ensure_ascii=False) if isinstance(value, Message) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or not value.startswith('{"message":'):
            return value
        try:
            message: str = Message.from_json(json.loads(value))
            return message
        except ValueError:  # a text of an older version that looks like JSON
            return value


class EventData(TypeDecorator[dict[str, Any]]):
    """An event's data as JSON, with messages."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        return value and {key: item.to_json() if isinstance(item, Message) else item for key, item in value.items()}

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        return value and {key: Message.from_json(item) for key, item in value.items()}


# Tables of older versions may lack a `server_default`, so what an insertion leaves out has a `default` too.
runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("state", String(16), nullable=False, index=True),
    Column("config", JSON, nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("owner", String(36)),
    Column("lease", Float),
    Column("cancel_requested", Boolean, nullable=False, default=False, server_default=false()),
    Column("pause_requested", Boolean, nullable=False, default=False, server_default=false()),
    Column("keep_model", Boolean, nullable=False, default=False, server_default=false()),
    Column("deaths", Integer, nullable=False, default=0, server_default="0"),
    Column("checkpoint", String(64)),
    Column("progress", JSON(none_as_null=True)),
    Column("last_seq", Integer, nullable=False, default=0),
    Column("created", String(32), nullable=False),
    Column("started", String(32)),
    Column("ended", String(32)),
    Column("error", MessageText),
    Column("model", String(64)),
    Column("tags", JSON(none_as_null=True)),
    Column("note", Text),
    Column("race", Integer),  # the first run of its race
    Column("appended", Integer, nullable=False, default=0, server_default="0"),  # events of this attempt
    sqlite_autoincrement=True,
)

events = Table(
    "events",
    metadata,
    Column("run", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("type", String(16), nullable=False),
    Column("time", String(32), nullable=False),
    Column("data", EventData, nullable=False),
)

by_type = Index("ix_events_type", events.c.run, events.c.type, events.c.seq)
"""Finds the last event of a type among the thousands of a long run."""

version = Table(VERSION_TABLE, metadata, Column("version_num", String(32), primary_key=True))
"""As Alembic makes it."""

about = Table(
    "about",
    metadata,
    Column("key", String(16), primary_key=True),
    Column("value", String(64), nullable=False),
)


def open_database(url: str) -> Engine:
    """Open the database at SQLAlchemy's `url`, and create missing tables (and an SQLite file's folder).

    SQLite is used in WAL mode, and a write transaction takes the lock when it begins (`writing`), as upgrading a read
    transaction fails if another one wrote in between.
    """
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(parsed, connect_args=POSTGRES, pool_pre_ping=True)
    else:
        engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS} if sqlite else {})
    if sqlite:
        opened = _OpenedFiles(engine.url.database or "")
        event.listen(engine, "do_connect", opened.before_connect)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "connect", opened.after_connect)
        event.listen(engine, "begin", opened.check)
        event.listen(engine, "begin", _begin_sqlite)
    with writing(engine) as connection:
        _bring_up(connection)
    _name_log(engine)
    checkpoint(engine)
    return engine


def checkpoint(engine: Engine) -> None:
    """Bring what SQLite keeps beside the database into its file, as far as nobody is in the way.

    Until then, a copy of the file alone would lack it.
    """
    if engine.dialect.name == "sqlite":
        with suppress(OperationalError, sqlite3.OperationalError), closing(engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint")


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """A write transaction; commits at the end of its block, or rolls back."""
    return engine.execution_options(writes=True).begin()


def log_id(engine: Engine) -> str:
    """The UUID of this log, by which readers that return with a `seq` recognize the log."""
    with engine.connect() as connection:
        return str(connection.scalar(select(about.c.value).where(about.c.key == "log")))


def _bring_up(connection: Connection) -> None:
    """Create the tables, or bring those of an older version up to date. Raises NewerDatabaseError."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(SCHEMA_LOCK)))
    tables = inspect(connection).get_table_names()
    found = connection.scalar(select(version.c.version_num)) if version.name in tables else None
    if found == HEAD:
        return
    if found is not None and not (found.isdecimal() and int(found) < int(HEAD)):
        raise NewerDatabaseError(
            "it was written by a newer version of digitpad (its tables have version {found}, this one knows {known}): "
            "start that one",
            found=found,
            known=HEAD,
        )
    if runs.name in tables:
        migrate(connection)
    else:
        metadata.create_all(connection)
        connection.execute(insert(version).values(version_num=HEAD))


def _name_log(engine: Engine) -> None:
    with engine.connect() as connection:
        if connection.scalar(select(about.c.value).where(about.c.key == "log")) is not None:
            return
    try:
        with writing(engine) as connection:
            connection.execute(insert(about).values(key="log", value=str(uuid.uuid4())))
    except IntegrityError:
        pass  # another process named it first


class _OpenedFiles:
    """Keeps an SQLite engine to the files that it has opened.

    A removed file stays usable for who has it open, so that nothing else would fail until the next start.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._opened: _Identity | None = None

    def before_connect(self, *_: object) -> None:
        """Refuse to create a second file in place of the first."""
        if self._opened is not None and _identity(self._path) != self._opened:
            raise DatabaseReplacedError

    def after_connect(self, *_: object) -> None:
        opened = _identity(self._path)
        if self._opened not in (None, opened):
            raise DatabaseReplacedError
        self._opened = opened

    def check(self, connection: Connection) -> None:
        """Refuse a transaction in other files than those of the connection."""
        log = _identity(f"{self._path}-wal")
        opened = connection.info["log"] = connection.info.get("log") or log  # the first write makes it
        if _identity(self._path) != self._opened or log != opened:
            raise DatabaseReplacedError


_Identity = tuple[int, int]


def _identity(path: str) -> _Identity | None:
    """The device and the number of a file, or None."""
    try:
        status = os.stat(path)  # noqa: PTH116  # at each transaction, and pathlib is several times slower
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the "begin" event below begins transactions, not the driver
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a checkpoint is removed once the row names its successor
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
