"""The store: events and all else that is kept of people, appended, read back, and deleted for good.

    add_events     events, each under its sender's id; the first body of an id wins
    add            a row of any other table; under an id that is there already, nothing
    of             all that is kept of one person up to a moment
    everybody      the events of all people up to a moment
    forget         delete all that is kept of one person, and see to it that the id is in no file

A row counts as written when it is durable. `open_store` opens a store, and makes it where there is none.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Row, Table, bindparam, delete, insert, select
from sqlalchemy.engine import URL

from xattn.live.engine import Lock, checked_url, file_of, reading, store_errors, writing
from xattn.live.given import Arrival, Event, Refused
from xattn.live.schema import upgrade
from xattn.live.tables import PERSONAL, events, feedback, forgotten, lists, meta, models, settings
from xattn.live.writer import WAITING, Batch, Writer

__all__ = ["Kept", "Removed", "Store", "open_store"]

SECRET = "secret"  # the key of the marks of people who were forgotten
MOST_ROWS = 2**62  # more than any number of a row
OF_PERSON = tuple(  # made once: making a question takes longer than its answer
    select(table).where(table.c.user == bindparam("who"), table.c.seq <= bindparam("upto")).order_by(table.c.seq)
    for table in (events, feedback, settings)
)
MANY = 500  # ids that one question names at most


class Kept(NamedTuple):
    """All that is kept of one person, each in the order of acknowledgement."""

    events: Sequence[Row[Any]]
    feedback: Sequence[Row[Any]]
    settings: Sequence[Row[Any]]


class Removed(NamedTuple):
    """How many rows of a person were deleted."""

    events: int
    lists: int
    feedback: int
    answers: int
    settings: int


class Store:
    """An open store; see the module's text. `close` it, or use it in a ``with`` block."""

    def __init__(self, url: URL, *, waiting: int = WAITING, clock: Callable[[], float] = time.time) -> None:
        self.url = url
        file = file_of(url)
        self._lock = None if file is None else Lock(file)
        try:
            self._writing = writing(url)
            with store_errors(), self._writing.begin() as connection:
                upgrade(connection)
            self._reading = reading(url)
            self.writer = Writer(self._writing, waiting, clock)
            self._secret = self.meta(SECRET, secrets.token_hex(32))
        except BaseException:
            self._release()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.url.get_backend_name()})"

    def close(self) -> None:
        """Write what waits, and let another process have the store."""
        self.writer.close()
        self._release()

    def _release(self) -> None:
        for name in ("_writing", "_reading"):
            engine = getattr(self, name, None)
            if engine is not None:
                engine.dispose()
        if self._lock is not None:
            self._lock.release()

    # --- writing ----------------------------------------------------------------------------------------------------

    def add_events(self, given: Sequence[Event], refused: Sequence[tuple[Refused, str | None]] = ()) -> Arrival:
        """Append the events that are new by their id. Raises StoreError, and then none of them was taken.

        `refused` are those that cannot be taken, with their id where one can be read: under an id that is there
        already such a one counts as repeated, whatever it holds.
        """
        return self.writer.do(lambda batch: _append(batch, given, refused))

    def add(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Append a row; False where its id is there already. Raises StoreError."""

        def work(batch: Batch) -> bool:
            own = dict(row)
            if "id" in own and batch.connection.execute(select(table.c.id).where(table.c.id == own["id"])).first():
                return False
            if "seq" in table.c and "seq" not in own:
                own["seq"] = batch.next()
            if "received" in table.c:
                own["received"] = batch.now
            batch.connection.execute(insert(table), own)
            return True

        return self.writer.do(work)

    # --- reading ----------------------------------------------------------------------------------------------------

    def of(self, user: str, upto: int | None = None) -> Kept:
        """What is kept of a person, of the rows up to the number `upto`."""
        asked = {"who": user, "upto": MOST_ROWS if upto is None else upto}
        with store_errors(), self._reading.connect() as connection:
            return Kept(*(connection.execute(wanted, asked).all() for wanted in OF_PERSON))

    def everybody(self, upto: int | None = None) -> Sequence[Row[Any]]:
        """The events and the feedback that stands for events of everybody: user, item, type, value, at, id, seq."""
        wanted = select(events)
        if upto is not None:
            wanted = wanted.where(events.c.seq <= upto)
        return self.ask(wanted)

    def ask(self, wanted: Any) -> Sequence[Row[Any]]:
        """The rows that a question finds. Raises StoreError."""
        with store_errors(), self._reading.connect() as connection:
            return connection.execute(wanted).all()

    def newest(self) -> int:
        """The number of the newest row that is durable."""
        return self.writer.do(lambda batch: batch.seq)

    def ready(self) -> bool:
        """The store answers. Raises StoreError."""
        return bool(self.ask(select(meta.c.key).limit(1)) or True)

    def seen(self) -> int:
        """The number of the newest row that was durable when somebody last wrote; no question to the database."""
        last = self.writer.last
        return self.newest() if last is None else last

    def now(self) -> float:
        """The moment by the clock of the store, in seconds since 1970; never before the newest row was received."""
        return self.writer.now()

    def listed(self, list_id: str) -> Row[Any] | None:
        """A list that was served."""
        return next(iter(self.ask(select(lists).where(lists.c.id == list_id))), None)

    def newest_list(self, user: str) -> Row[Any] | None:
        """The list that was served to a person last."""
        order = (lists.c.seq.desc(), lists.c.made.desc(), lists.c.id)
        return next(iter(self.ask(select(lists).where(lists.c.user == user).order_by(*order).limit(1))), None)

    def held(self, user: str) -> dict[str, list[dict[str, Any]]]:
        """Every row of a person, by table, as the tables hold it."""
        found = {}
        for name, table in PERSONAL.items():
            rows = self.ask(select(table).where(table.c.user == user).order_by(table.c.seq))
            found[name] = [dict(row._mapping) for row in rows]
        return found

    def users(self) -> set[str]:
        """Who has events."""
        return {user for (user,) in self.ask(select(events.c.user).distinct())}

    def models(self) -> Sequence[Row[Any]]:
        """The models that have served, oldest first."""
        return self.ask(select(models).order_by(models.c.seq))

    # --- forgetting -------------------------------------------------------------------------------------------------

    def forget(self, user: str, *, marked: bool) -> Removed:
        """Delete all that is kept of a person; `marked` where the data set holds the person too.

        Afterwards the id stands in no file of a SQLite store: deleted rows are overwritten, the file is packed, and
        the log is cut. PostgreSQL packs its tables; its own log and backups are for whoever runs it.
        """

        def work(batch: Batch) -> Removed:
            gone = {}
            for name, table in PERSONAL.items():
                gone[name] = int(batch.connection.execute(delete(table).where(table.c.user == user)).rowcount)
            mark = self.mark(user)
            if marked and not batch.connection.execute(select(forgotten).where(forgotten.c.mark == mark)).first():
                batch.connection.execute(insert(forgotten), {"mark": mark})
            return Removed(**gone)

        removed = self.writer.do(work)
        self._pack(any(removed))
        return removed

    def _pack(self, changed: bool) -> None:
        if file_of(self.url) is None:
            names = [f'VACUUM FULL "{table.name}"' for table in PERSONAL.values()] if changed else []
            self.writer.alone(names or ["SELECT 1"])
            return
        self._reading.dispose()  # a reader that stands in the log would keep it from being cut
        self.writer.alone(["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"])

    def mark(self, user: str) -> str:
        """The keyed hash by which a person of the data set who was forgotten is known again."""
        return hmac.new(self._secret.encode(), user.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def marks(self) -> set[str]:
        """The marks of people of the data set who were forgotten."""
        return {mark for (mark,) in self.ask(select(forgotten.c.mark))}

    def meta(self, key: str, value: str) -> str:
        """What stands under `key`; `value` where nothing did, and from then on."""

        def work(batch: Batch) -> str:
            row = batch.connection.execute(select(meta.c.value).where(meta.c.key == key)).first()
            if row is None:
                batch.connection.execute(insert(meta), {"key": key, "value": value})
            return value if row is None else str(row[0])

        return self.writer.do(work)


def open_store(url: str | Path, *, waiting: int = WAITING, clock: Callable[[], float] = time.time) -> Store:
    """The store at `url`, "sqlite:///file.db" or "postgresql://…", made where there is none.

    At most `waiting` jobs wait to be written; more are refused with "queue_full". `clock` tells the seconds since 1970
    at which rows arrive and lists are asked. Raises StoreError where the store cannot be used, is in use by another
    process, or was made by a newer version.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/events.db") as store:
    ...     store.add_events([Event("e1", "u", "a"), Event("e2", "u", "b"), Event("e1", "u", "c")])
    Arrival(accepted=2, repeated=1, refused=())
    """
    return Store(checked_url(url), waiting=waiting, clock=clock)


def _append(batch: Batch, given: Sequence[Event], refused: Sequence[tuple[Refused, str | None]]) -> Arrival:
    ids = list(dict.fromkeys([*(event.id for event in given), *(own for _, own in refused if own is not None)]))
    known: set[str] = set()
    for low in range(0, len(ids), MANY):
        some = select(events.c.id).where(events.c.id.in_(ids[low : low + MANY]))
        known |= {own for (own,) in batch.connection.execute(some)}
    rows, repeated = [], 0
    for event in given:
        if event.id in known:
            repeated += 1
            continue
        known.add(event.id)
        rows.append({**event.row(), "seq": batch.next(), "received": batch.now})
    if rows:
        batch.connection.execute(insert(events), rows)
    again = [one for one, own in refused if own in known]
    left = tuple(one for one, own in refused if own not in known)
    return Arrival(len(rows), repeated + len(again), left)
