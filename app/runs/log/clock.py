"""The database's clock, which is the same for all machines that share the log."""

from typing import Any

from sqlalchemy import Float, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class now(FunctionElement[str]):  # noqa: N801  # as SQL's functions are named
    """The time for the log: UTC, ISO 8601, with milliseconds."""

    type = String()
    inherit_cache = True


class seconds(FunctionElement[float]):  # noqa: N801
    """The seconds since 1970."""

    type = Float()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_of_sqlite(element: now, compiler: SQLCompiler, **kw: Any) -> str:
    return "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"


@compiles(now, "postgresql")
def _now_of_postgresql(element: now, compiler: SQLCompiler, **kw: Any) -> str:
    return """to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


@compiles(seconds, "sqlite")
def _seconds_of_sqlite(element: seconds, compiler: SQLCompiler, **kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(seconds, "postgresql")
def _seconds_of_postgresql(element: seconds, compiler: SQLCompiler, **kw: Any) -> str:
    return "extract(epoch FROM clock_timestamp())::float8"
