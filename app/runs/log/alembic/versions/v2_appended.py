"""The number of events that the current attempt has appended."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    op.add_column("runs", sa.Column("appended", sa.Integer, nullable=False, server_default="0"))
