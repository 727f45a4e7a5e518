"""Brings the tables of an older version up to date, with Alembic: the steps are the files of `alembic/versions`."""

from pathlib import Path

from sqlalchemy import Connection

VERSION_TABLE = "digitpad_schema"
"""The table with the version of the others."""
HEAD = "2"
"""The newest version."""


def migrate(connection: Connection) -> None:
    """Take all steps that the database has not seen, within the connection's transaction."""
    from alembic import command  # only here, as it takes long to import
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).resolve().parent / "alembic").replace("%", "%%"))
    command.upgrade(config, HEAD)
