"""The database: its tables, and how it is opened."""

import json
import uuid
from contextlib import AbstractContextManager
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
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    create_engine,
    event,
    false,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateColumn

from app.errors import Message

UNREACHABLE = (DBAPIError, TimeoutError)
"""What is raised while the database is locked, full or away; whoever can wait tries again."""

BUSY_SECONDS = 10
"""How long a writer waits for another before it gives up with "database is locked"."""

metadata = MetaData()


class MessageText(TypeDecorator[str]):
    """A message as JSON; the finished English of older versions comes back as it is."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return json.dumps(value.to_json(), ensure_ascii=False) if isinstance(value, Message) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or not value.startswith('{"message":'):
            return value
        try:
            found: str = Message.from_json(json.loads(value))
            return found
        except ValueError:  # an error that looked like JSON, from an older version
            return value


class EventData(TypeDecorator[dict[str, Any]]):
    """An event's data as JSON, the messages in it as such."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        return value and {key: one.to_json() if isinstance(one, Message) else one for key, one in value.items()}

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        return value and {key: Message.from_json(one) for key, one in value.items()}


runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("state", String(16), nullable=False, index=True),
    Column("config", JSON, nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("owner", String(36)),
    Column("lease", Float),
    Column("cancel_requested", Boolean, nullable=False, server_default=false()),
    Column("pause_requested", Boolean, nullable=False, server_default=false()),
    Column("keep_model", Boolean, nullable=False, server_default=false()),
    Column("deaths", Integer, nullable=False, server_default="0"),
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

about = Table(
    "about",
    metadata,
    Column("key", String(16), primary_key=True),
    Column("value", String(64), nullable=False),
)


def open_database(url: str) -> Engine:
    """Open the database at SQLAlchemy's `url`, making its tables (and an SQLite file's folder) where they are missing.

    SQLite is used in WAL mode, and a transaction that will write takes the write lock when it begins (`writing`), as
    one that has read and then wants to write would fail where another wrote in between.
    """
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS} if sqlite else {})
    if sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    with writing(engine) as connection:
        metadata.create_all(connection)
        _add_missing_columns(connection)
    _name_log(engine)
    return engine


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """A transaction that will write; commits at the end of its block, or rolls back."""
    return engine.execution_options(writes=True).begin()


def log_id(engine: Engine) -> str:
    """The UUID of this log: readers that come back with a `seq` see by it whether it is still the same log."""
    with engine.connect() as connection:
        return str(connection.scalar(select(about.c.value).where(about.c.key == "log")))


def _add_missing_columns(connection: Connection) -> None:
    """Bring the tables of an older version up to date."""
    known = {column["name"] for column in inspect(connection).get_columns(runs.name)}
    for column in runs.columns:
        if column.name not in known:
            definition = CreateColumn(column).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {runs.name} ADD COLUMN {definition}")


def _name_log(engine: Engine) -> None:
    with engine.connect() as connection:
        if connection.scalar(select(about.c.value).where(about.c.key == "log")) is not None:
            return
    try:
        with writing(engine) as connection:
            connection.execute(insert(about).values(key="log", value=str(uuid.uuid4())))
    except IntegrityError:
        """Another process named it first; that name is as good."""


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event begins, not the driver
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a row names the checkpoint whose predecessor is then removed
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
