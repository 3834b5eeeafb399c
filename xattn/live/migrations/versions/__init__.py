"""One file a step, in the form of Alembic."""
