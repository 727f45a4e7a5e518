"""The columns that were added before the database had a version, and an index."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None

COLUMNS = (
    sa.Column("pause_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("keep_model", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("deaths", sa.Integer, nullable=False, server_default="0"),
    sa.Column("checkpoint", sa.String(64)),
    sa.Column("tags", sa.JSON),
    sa.Column("note", sa.Text),
    sa.Column("race", sa.Integer),
)


def upgrade() -> None:
    """Add what is missing: each of the versions before had some of them."""
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("runs")}
    for column in COLUMNS:
        if column.name not in known:
            op.add_column("runs", column)
    op.create_index("ix_events_type", "events", ["run", "type", "seq"], if_not_exists=True)
