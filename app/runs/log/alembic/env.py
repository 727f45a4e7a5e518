"""Alembic runs this file to take the steps, on the connection that `migrate` has opened."""

from alembic import context

from app.runs.log.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
