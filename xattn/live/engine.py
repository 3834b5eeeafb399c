"""The database under a store: SQLite in a file, or PostgreSQL, both opened so that what is acknowledged is durable.

    SQLite       WAL, synchronous=FULL, deleted rows are overwritten; one connection writes and checkpoints (versions
                 before 3.51.3 can damage a file that two connections checkpoint at once), others only read
    PostgreSQL   synchronous_commit on; one session holds the lock of the store

One process owns a store at a time. It counts the rows, so the order of acknowledgement needs no table of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from xattn.errors import StoreError, refuse

if sys.platform != "win32":
    import fcntl

__all__ = ["Lock", "checked_url", "file_of", "reading", "store_errors", "writing"]

LOCK = 7_302_184_150_331  # of PostgreSQL's advisory locks: the one that whoever writes to a store holds
BUSY = 5_000  # milliseconds that SQLite waits for another process
READERS = 16  # connections that read at the same time


def checked_url(url: str | Path) -> URL:
    """The address of a store: of SQLite in a file, or of PostgreSQL. Raises StoreError for any other."""
    try:
        found = make_url(str(url))
    except ArgumentError:
        refuse("store_url", kind=StoreError, got=str(url).partition("://")[0][:40])
    name = found.get_backend_name()
    if name not in ("sqlite", "postgresql") or (name == "sqlite" and found.database in (None, "", ":memory:")):
        refuse("store_url", kind=StoreError, got=found.drivername)
    if found.drivername == "postgresql":
        found = found.set(drivername="postgresql+psycopg")
    return found


def file_of(url: URL) -> Path | None:
    """The file of a SQLite store; None for PostgreSQL."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def writing(url: URL) -> Engine:
    """An engine with one connection, which writes."""
    with store_errors():
        if url.get_backend_name() == "sqlite":
            engine = _sqlite(url, pool_size=1, max_overflow=0)
            event.listen(engine, "connect", _sqlite_writes)
            event.listen(engine, "begin", _begin_immediate)
        else:
            engine = _postgresql(url, pool_size=1, max_overflow=0)
            event.listen(engine, "connect", _postgresql_writes)
        return engine


def reading(url: URL) -> Engine:
    """An engine whose connections only read."""
    with store_errors():
        if url.get_backend_name() == "sqlite":
            engine = _sqlite(url, pool_size=READERS, max_overflow=2 * READERS)
            event.listen(engine, "connect", _sqlite_reads)
            event.listen(engine, "begin", _begin)
        else:
            engine = _postgresql(url, pool_size=READERS, max_overflow=2 * READERS)
        return engine


def _sqlite(url: URL, **pool: int) -> Engine:
    options = {"check_same_thread": False, "timeout": BUSY / 1000}
    return create_engine(url, poolclass=QueuePool, connect_args=options, hide_parameters=True, **pool)


def _postgresql(url: URL, **pool: int) -> Engine:
    return create_engine(url, poolclass=QueuePool, pool_pre_ping=True, hide_parameters=True, **pool)


def _sqlite_writes(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_reads(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    for pragma in ("query_only=ON", "wal_autocheckpoint=0", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # a transaction that reads first could not write later


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


def _postgresql_writes(connection: Any, _: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))
        (owned,) = cursor.fetchone()
    connection.commit()
    if not owned:
        refuse("store_in_use", kind=StoreError)


class Lock:
    """The lock of a SQLite store, held by the process that owns it; the system takes it from one that is killed."""

    def __init__(self, file: Path) -> None:
        self._handle: int | None = None
        try:
            handle = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as problem:
            refuse_store(problem)
        self._handle = handle
        if sys.platform != "win32":
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.release()
                refuse("store_in_use", kind=StoreError)

    def release(self) -> None:
        """Let another process have the store."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


# --- what goes wrong --------------------------------------------------------------------------------------------------

REASONS = (  # what a database says, and the phrase of the catalogue
    ("disk is full", "store_full"),
    ("no space left", "store_full"),
    ("readonly", "store_read_only"),
    ("read-only", "store_read_only"),
    ("permission denied", "store_read_only"),
    ("unable to open", "store_not_there"),
    ("no such file", "store_not_there"),
    ("is locked", "store_locked"),
    ("malformed", "store_damaged"),
    ("not a database", "store_damaged"),
    ("could not be resolved", "store_gone"),
    ("connect", "store_gone"),
    ("terminating", "store_gone"),
    ("shutting down", "store_gone"),
    ("starting up", "store_gone"),
)


@contextmanager
def store_errors() -> Iterator[None]:
    """What the database says, as one refusal; it quotes nothing of what was asked, so no id gets into a log."""
    try:
        yield
    except (SQLAlchemyError, OSError) as problem:
        refuse_store(problem)
    except ImportError:
        refuse("store_driver", kind=StoreError)


def refuse_store(problem: Exception) -> NoReturn:
    """Raise StoreError for what a database or the system said."""
    if isinstance(problem, NoSuchModuleError):
        refuse("store_driver", kind=StoreError)
    said = str(problem.orig if isinstance(problem, DBAPIError) else problem).casefold()
    why = next((phrase for part, phrase in REASONS if part in said), "store_other")
    refuse("store", kind=StoreError, why=why, got=type(problem).__name__)
