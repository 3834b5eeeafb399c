"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER = sa.Float(53)


def _personal(name: str, *columns: sa.Column[object]) -> None:
    """A table of rows that are a person's, found by person and in the order of acknowledgement."""
    op.create_table(
        name,
        sa.Column("seq", Seq, primary_key=True, autoincrement=False),
        *columns,
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("received", NUMBER, nullable=False),
    )
    op.create_index(f"{name}_of_user", name, ["user", "seq"])


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.String(200), nullable=False, unique=True)


def upgrade() -> None:
    """Make them."""
    _personal(
        "events",
        _id(),
        sa.Column("item", sa.String(200), nullable=False),
        sa.Column("type", sa.String(200)),
        sa.Column("value", NUMBER),
        sa.Column("time", NUMBER),
        sa.Column("list_id", sa.String(200)),
        sa.Column("position", sa.Integer),
    )
    op.create_table(
        "lists",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("seq", Seq, nullable=False),
        sa.Column("user", sa.String(200), nullable=False),
        sa.Column("made", NUMBER, nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("personal", sa.Boolean, nullable=False),
        sa.Column("items", sa.Text, nullable=False),
        sa.Column("numbers", sa.LargeBinary, nullable=False),
        sa.Column("conditions", sa.Text, nullable=False),
    )
    op.create_index("lists_of_user", "lists", ["user", "seq"])
    op.create_index("lists_of_model", "lists", ["model"])
    _personal(
        "feedback",
        _id(),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("item", sa.String(200)),
        sa.Column("event", sa.String(200)),
        sa.Column("tag", sa.Text),
        sa.Column("undoes", sa.String(200)),
        sa.Column("list_id", sa.String(200)),
        sa.Column("time", NUMBER),
    )
    _personal(
        "answers",
        _id(),
        sa.Column("form", sa.String(64), nullable=False),
        sa.Column("answers", sa.Text, nullable=False),
        sa.Column("lang", sa.String(8), nullable=False),
    )
    _personal("settings", sa.Column("settings", sa.Text, nullable=False))
    op.create_table(
        "models",
        sa.Column("seq", Seq, primary_key=True, autoincrement=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("made", NUMBER, nullable=False),
        sa.Column("base", sa.String(64), nullable=False),
        sa.Column("knows", Seq, nullable=False),
    )
    op.create_table("forgotten", sa.Column("mark", sa.String(64), primary_key=True))
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(200), nullable=False),
        sa.Column("made", NUMBER, nullable=False),
    )
    op.create_table(
        "meta", sa.Column("key", sa.String(64), primary_key=True), sa.Column("value", sa.Text, nullable=False)
    )
