"""Lists say at which moment they were asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; older lists hold nothing there: they were asked at the moment of the newest event."""
    op.add_column("lists", sa.Column("asked", sa.Float(53)))
