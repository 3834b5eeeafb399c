"""The tables of a store brought up to date: each step that it lacks is run, all in one transaction."""

from __future__ import annotations

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from xattn.errors import StoreError, refuse

__all__ = ["newest", "upgrade"]

STEPS = Path(__file__).parent / "migrations"


def newest() -> str:
    """The step that ends at the tables of this version."""
    return str(_steps().get_current_head())


def upgrade(connection: Connection) -> None:
    """Run the steps that the store lacks. Raises StoreError for a store of a newer version."""
    steps = _steps()
    known = {script.revision for script in steps.walk_revisions()}
    context = MigrationContext.configure(
        connection,
        opts={"fn": lambda at, _: steps._upgrade_revs("head", at), "script": steps, "transactional_ddl": True},
    )
    at = context.get_current_revision()
    if at is not None and at not in known:
        refuse("newer_store", kind=StoreError, wanted=newest(), got=at)
    if at != newest():
        with Operations.context(context):
            context.run_migrations()


def _steps() -> ScriptDirectory:
    return ScriptDirectory(str(STEPS))
