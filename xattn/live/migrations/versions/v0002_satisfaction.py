"""Lists say which scenario they were served in, and answers which list they are about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the two columns; older rows hold nothing there."""
    op.add_column("lists", sa.Column("scenario", sa.String(64)))
    op.add_column("answers", sa.Column("list_id", sa.String(200)))
