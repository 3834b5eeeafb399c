"""The store: each event once, in one order; what is acknowledged is durable; what is forgotten is in no file."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import inspect, text

from tests.live.stage import sqlite
from xattn.errors import InputError, StoreError, check_moment
from xattn.live import open_store
from xattn.live.given import Arrival, Event, Refused
from xattn.live.schema import newest
from xattn.live.tables import PERSONAL, feedback, metadata
from xattn.live.writer import Batch


def test_an_event_counts_once_and_its_first_body_wins(url: str) -> None:
    with open_store(url) as store:
        assert store.add_events([Event("a", "u", "x", value=1.0), Event("a", "v", "y")]) == Arrival(1, 1, ())
        assert store.add_events([Event("a", "w", "z"), Event("b", "u", "x")]) == Arrival(1, 1, ())
        (first, _) = store.of("u").events
        assert (first.id, first.item, first.value) == ("a", "x", 1.0)
        assert store.of("v").events == []
    with open_store(url) as store:  # after a restart too
        assert store.add_events([Event("b", "v", "y")]) == Arrival(0, 1, ())
        assert [row.id for row in store.of("u").events] == ["a", "b"]


def test_a_known_id_counts_as_repeated_whatever_it_holds(url: str) -> None:
    fault = Refused(1, InputError("odd"))
    with open_store(url) as store:
        store.add_events([Event("a", "u", "x")])
        assert store.add_events([], [(fault, "a"), (fault, "new"), (fault, None)]) == Arrival(0, 1, (fault, fault))


def test_odd_ids_are_kept_to_the_letter(url: str) -> None:
    ids = ["'; DROP TABLE events;--", "猫", "e\u0301", "\u00e9", "=1+1", "a b", "%s", ":x", "007", "1e3", "x" * 200]
    with open_store(url) as store:
        store.add_events([Event(f"{one}!", one, one) for one in ids if len(one) < 200])
        assert store.users() == {one for one in ids if len(one) < 200}
    with pytest.raises(InputError, match="at most 200"):
        Event("x" * 201, "u", "a")
    for wrong in ("", "a\x00b", "\ud800"):
        with pytest.raises(InputError):
            Event("id", wrong, "a")


def test_rows_are_numbered_in_the_order_of_acknowledgement(url: str) -> None:
    with open_store(url) as store:
        store.add_events([Event("a", "u", "x")])
        store.add(feedback, {"id": "f", "user": "u", "kind": "like", "item": "x"})
        store.add_events([Event("b", "u", "x")])
        kept = store.of("u")
        numbers = [kept.events[0].seq, kept.feedback[0].seq, kept.events[1].seq]
        assert numbers == sorted(set(numbers))
        assert store.of("u", numbers[1])._replace(settings=[]) == ([kept.events[0]], kept.feedback, [])
        assert store.seen() == store.newest() == numbers[-1]


def test_a_clock_that_goes_backwards_changes_no_order(url: str) -> None:
    with open_store(url) as store:
        times = iter([9e9, 5e9, 9.5e9])
        store.writer.clock = lambda: next(times)
        for name in "abc":
            store.add_events([Event(name, "u", "x")])
        assert [row.received for row in store.of("u").events] == [9e9, 9e9, 9.5e9]


def test_the_steps_make_the_tables_that_the_code_uses(url: str) -> None:
    with open_store(url) as store, store._reading.connect() as connection:
        found = inspect(connection)
        for table in metadata.tables.values():
            have = {column["name"]: column for column in found.get_columns(table.name)}
            assert set(have) == set(table.c.keys()), table.name
            assert all(have[c.name]["nullable"] == c.nullable for c in table.c), table.name
            indexes = {tuple(index["column_names"]) for index in found.get_indexes(table.name)}
            assert indexes >= {tuple(column.name for column in index.columns) for index in table.indexes}
        assert connection.execute(text("select version_num from alembic_version")).scalar() == newest()


def test_a_store_of_a_newer_version_is_refused(url: str) -> None:
    with open_store(url) as store:
        store.writer.do(lambda batch: batch.connection.execute(text("update alembic_version set version_num='9999'")))
    with pytest.raises(StoreError, match="must be of step"):
        open_store(url)


def test_one_process_at_a_time_owns_a_store(url: str) -> None:
    with open_store(url), pytest.raises(StoreError, match="one process at a time"):
        open_store(url)
    open_store(url).close()


def test_acknowledged_means_durable(tmp_path: Path) -> None:
    """What kills of a process cannot tell from a weaker setting, and a power cut would."""
    with open_store(sqlite(tmp_path)) as store:
        asked = ("journal_mode", "synchronous", "secure_delete")
        found = store.writer.do(
            lambda batch: [batch.connection.execute(text(f"pragma {name}")).scalar() for name in asked]
        )
        assert found == ["wal", 2, 1]


def test_readers_neither_write_nor_checkpoint(tmp_path: Path) -> None:
    with open_store(sqlite(tmp_path)) as store, store._reading.connect() as connection:
        assert connection.execute(text("pragma query_only")).scalar() == 1
        assert connection.execute(text("pragma wal_autocheckpoint")).scalar() == 0


def test_what_is_forgotten_is_in_no_file(tmp_path: Path) -> None:
    name = "somebody-with-a-long-name"
    with open_store(sqlite(tmp_path)) as store:
        for part in range(20):
            store.add_events([Event(f"{part}-{i}", name if i % 3 else "other", "x") for i in range(60)])
        store.add(feedback, {"id": "f", "user": name, "kind": "like", "item": "x"})
        removed = store.forget(name, marked=True)
        assert (removed.events, removed.feedback) == (800, 1)
        raw = {path.name: path.read_bytes() for path in tmp_path.glob("events.db*")}
        assert len(raw["events.db-wal"]) == 0
        assert all(name.encode() not in content for content in raw.values())
        assert store.mark(name) in store.marks()
        assert len(store.of("other").events) == 400


def test_forgetting_leaves_others_alone(url: str) -> None:
    with open_store(url) as store:
        store.add_events([Event("a", "u", "x"), Event("b", "v", "x")])
        assert store.forget("u", marked=False) == (1, 0, 0, 0, 0)
        assert store.forget("u", marked=False) == (0, 0, 0, 0, 0)
        assert {name: len(rows) for name, rows in store.held("u").items()} == dict.fromkeys(PERSONAL, 0)
        assert len(store.of("v").events) == 1
        assert store.marks() == set()


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_full_queue_is_told_and_nothing_is_lost(url: str) -> None:
    with open_store(url, waiting=2) as store:
        stop, begun = threading.Event(), threading.Event()

        def block(batch: Batch) -> None:
            begun.set()
            stop.wait(20)

        threads = [threading.Thread(target=store.writer.do, args=(block,))]
        threads[0].start()
        begun.wait(20)
        for name in "ab":
            threads.append(threading.Thread(target=store.add_events, args=([Event(name, "u", "x")],)))
            threads[-1].start()
        while store.writer.waiting < 2:
            time.sleep(0.01)
        with pytest.raises(StoreError, match="At most 2 jobs") as caught:
            store.add_events([Event("c", "u", "x")])
        assert caught.value.code == "queue_full"
        stop.set()
        for thread in threads:
            thread.join()
        assert {row.id for row in store.of("u").events} == {"a", "b"}


def test_a_fault_of_one_job_does_not_touch_those_beside_it(url: str) -> None:
    with open_store(url) as store:
        stop = threading.Event()
        results: dict[str, object] = {}

        def wait(batch: Batch) -> None:
            stop.wait(20)

        def wrong(batch: Batch) -> None:
            batch.connection.execute(text("insert into nowhere values (1)"))

        def run(name: str, work: object) -> None:
            try:
                results[name] = store.writer.do(work)  # type: ignore[arg-type]
            except StoreError as problem:
                results[name] = problem

        blocker = threading.Thread(target=run, args=("wait", wait))
        blocker.start()
        time.sleep(0.05)
        others = [
            threading.Thread(target=lambda: results.update(a=store.add_events([Event("a", "u", "x")]))),
            threading.Thread(target=run, args=("wrong", wrong)),
            threading.Thread(target=lambda: results.update(b=store.add_events([Event("b", "u", "x")]))),
        ]
        for thread in others:
            thread.start()
        time.sleep(0.1)
        stop.set()
        for thread in (blocker, *others):
            thread.join()
        assert results["a"] == results["b"] == Arrival(1, 0, ())
        assert isinstance(results["wrong"], StoreError)
        assert len(store.of("u").events) == 2


@pytest.mark.parametrize(
    ("fault", "why"),
    [("database or disk is full", "disk is full"), ("attempt to write a readonly database", "only be read")],
)
def test_disk_full_and_read_only_are_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, why: str
) -> None:
    with open_store(sqlite(tmp_path)) as store:
        store.add_events([Event("a", "u", "x")])
        if "full" in fault:
            store.writer.do(lambda batch: batch.connection.execute(text("pragma max_page_count=1")))
        else:
            store.writer.do(lambda batch: batch.connection.execute(text("pragma query_only=on")))
        many = [Event(f"n{i}", "u", "x" * 100) for i in range(2000)]
        with pytest.raises(StoreError, match=why):
            store.add_events(many)
        assert [row.id for row in store.of("u").events] == ["a"]
        undo = "pragma max_page_count=1000000" if "full" in fault else "pragma query_only=off"
        store.writer.alone([undo])
        assert store.add_events(many).accepted == 2000


def test_a_store_that_another_program_holds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xattn.live.engine.BUSY", 200)
    with open_store(sqlite(tmp_path)) as store:
        other = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
        other.execute("begin immediate")
        with pytest.raises(StoreError, match="another process holds it"):
            store.add_events([Event("a", "u", "x")])
        other.execute("rollback")
        other.close()
        assert store.add_events([Event("a", "u", "x")]).accepted == 1


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"\0" * 5000])
def test_a_file_that_is_no_store_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "events.db").write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        open_store(sqlite(tmp_path))


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:", "mysql://h/d", "nonsense", "redis://x"])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(StoreError, match="must be sqlite:///FILE"):
        open_store(address)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder must be there"):
        open_store(sqlite(tmp_path / "nowhere"))
    assert os.strerror(errno.ENOENT)


def test_errors_quote_nothing_of_what_was_sent(tmp_path: Path) -> None:
    with open_store(sqlite(tmp_path)) as store:
        store.writer.do(lambda batch: batch.connection.execute(text("pragma query_only=on")))
        with pytest.raises(StoreError) as caught:
            store.add_events([Event("secret-event", "secret-user", "x")])
        assert "secret" not in f"{caught.value} {caught.value.fields} {caught.value.__cause__}"


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (0, 0.0),
        (-5.5, -5.5),
        ("1970-01-01", 0.0),
        ("1700000000", 1.7e9),
        (" 1700000000.5 ", 1.7e9 + 0.5),
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T02:00:00+02:00", 0.0),
        ("1969-12-31T23:59:59.5Z", -0.5),
    ],
)
def test_moments(given: object, seconds: float) -> None:
    assert check_moment("time", given) == seconds


@pytest.mark.parametrize(
    "given", ["soon", "", "2026-13-01", 1e300, np.nan, True, "12:00", "2026", "7", "nan", "1e300", "-inf"]
)
def test_what_is_no_moment_is_refused(given: object) -> None:
    with pytest.raises(InputError, match="`time` must be"):
        check_moment("time", given)


@pytest.mark.parametrize("given", ["-5", "2026", "1700000000000"])
def test_a_number_as_text_that_is_refused_is_told_which_are_not(given: str) -> None:
    with pytest.raises(InputError, match="as text from 200,000,000 to 253,402,300,799; got"):
        check_moment("time", given)
