"""What was said names the other items of the list that had the same reason."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; older rows hold nothing there."""
    op.add_column("feedback", sa.Column("alike", sa.Text()))
