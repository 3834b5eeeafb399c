"""What the tests of stores stand on."""

from __future__ import annotations

import psycopg
import pytest


def test_another_session_of_pytest_does_not_end_the_server(
    postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A new session shuts the folder of all sessions to others, who run the server; it then ends at a checkpoint."""
    for folder in (tmp_path_factory.getbasetemp(), *tmp_path_factory.getbasetemp().parents[:2]):
        if folder.name.startswith(("pytest-", "popen-")):
            folder.chmod(0o700)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("create table before_the_checkpoint (n integer)")
        connection.execute("checkpoint")
        assert connection.execute("select count(*) from before_the_checkpoint").fetchone() == (0,)
    psycopg.connect(postgres).close()
