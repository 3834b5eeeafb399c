"""What users call: a file, frame or database of events, of items or of one history → the package's checked records.

Ids are the text in the file, exactly: "NA", "007" and "9007199254740993" survive. What cannot be read as what it is
meant to be raises DataError in one sentence: file, line, what must hold, what was got. Everything that was assumed
stands in the report of the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xattn.data.interactions import Interactions
from xattn.data.items import ItemTable
from xattn.data.reading import faults
from xattn.data.reading.cells import ids_of, text_of
from xattn.data.reading.events import Options, events_of
from xattn.data.reading.features import items_of
from xattn.data.reading.formats.unpack import MAX_BYTES
from xattn.data.reading.moments import moments_of
from xattn.data.reading.opinions import opinions_of
from xattn.data.reading.report import DataReport, Finding, Told
from xattn.data.reading.roles import event_roles
from xattn.data.reading.table import Table
from xattn.data.reading.tables import table_of
from xattn.errors import DataError, shown, takes_old_names

__all__ = ["check_data", "in_order", "read_history", "read_interactions", "read_items", "read_moments"]


@takes_old_names(drop_missing="missing=refuse,drop")
def read_interactions(
    source: Any,
    items: Any = None,
    name: str | None = None,
    *,
    columns: Mapping[str, Any] | None = None,
    scale: Any = None,
    unrated: Any = None,
    amount: str | None = None,
    event_weights: Mapping[str, float] | None = None,
    time_format: str | None = None,
    encoding: str | None = None,
    missing: str = "refuse",
    repeats: str = "keep",
    drop: Any = (),
    query: str | None = None,
    leave_out: Iterable[str] = (),
    max_bytes: int = MAX_BYTES,
) -> Interactions:
    """The events in a file, a frame or a database, with their items from `items` (a table, or a source of one).

    Columns are recognised by name and values, or named by `columns` (role → header, or its number from 1; None leaves
    a role out; roles user, item, rating, amount, time, clock, kind, title, order). `scale` states the ends of the
    ratings ((1, 5)), or what the numbers are: "amount", or how long events lasted: "dwell", "progress" (docs/data.md).
    `unrated` is what means "not rated", `amount` the column that says how much, `time_format` a unit (s, ms, us, ns),
    "day-first", "month-first" or a pattern. ``missing="drop"`` leaves out rows without a user, an item or a readable
    time, ``repeats="drop"`` rows that repeat another, `drop` the rows of the findings that it names (time_odd, bots,
    one_event_users). `event_weights` names types of events, all of which must
    occur. Columns that `leave_out` names are not read, neither of the events nor of the items: it is as if they did not
    stand there. The `report` of the result says what was assumed. Raises DataError, also beyond `max_bytes` (unpacked).

    >>> import io
    >>> data = read_interactions(io.BytesIO(b"userId,movieId,rating\\n1,31,2.5\\n1,1029,5.0\\n"), name="two")
    >>> data
    Interactions('two': 1 users, 2 items, 2 events, with rating)
    >>> data.report.summary()
    'two: 1 users, 2 items, 2 events; user ← userId, item ← movieId, rating ← rating; scale 0.5 to 5 (known); 1 note'
    """
    options = Options(
        {} if columns is None else columns, scale, unrated, amount, event_weights, time_format, missing, repeats, drop
    )
    unread = frozenset(leave_out)
    described = items if items is None or isinstance(items, ItemTable) else read_items(
        items, encoding=encoding, missing=missing, leave_out=unread, max_bytes=max_bytes
    )  # fmt: skip
    table = table_of(source, encoding=encoding, query=query, max_bytes=max_bytes).without(unread)
    events = events_of(table, options)
    own = replace(events.report, name=name or table.name)
    if described is not None:
        own = own.with_findings(*joins(events.item_ids, described.ids), items=described.report)
        own = replace(own, n_items=len(set(described.ids) | set(events.item_ids)))
    return Interactions.of_events(events._replace(report=own), described, name or table.name)


def joins(met: Iterable[str], described: Iterable[str], of: str = "") -> list[Finding]:
    """How the items of the events and those of the table of items meet; `of` users or items, those of two files."""
    met, described = list(met), list(described)
    known = set(described)
    lost = [one for one in met if one not in known]
    found: list[Finding] = []
    if lost:
        near = [pair for pair in faults.alike(lost, described) if pair.n]
        if near:
            pair = max(near, key=lambda one: one.n)
            what = f"{shown(pair.example[0], limit=24)} / {shown(pair.example[1], limit=24)}"
            fields = {
                "all": f"{len(met):,}",
                "met": f"{pair.n:,}",
                "how": Told(f"data.differ.{pair.how}"),
                "what": what,
            }
            if of:
                fields["role"] = Told(f"data.role.{of}")
            found.append(Finding("files_do_not_meet" if of else "ids_do_not_meet", "warning", len(lost), fields=fields))
        else:
            grave = "warning" if len(lost) > len(met) / 2 else "note"
            fields = {"all": f"{len(met):,}", **({"role": Told(f"data.role.{of}")} if of else {})}
            found.append(Finding("strangers" if of else "undescribed", grave, len(lost), fields=fields))
    unsold = len(known - set(met))
    if unsold:
        found.append(Finding("unsold", "note", unsold, fields={"all": f"{len(described):,}"}))
    return found


def read_items(
    source: Any,
    *,
    columns: Mapping[str, Any] | None = None,
    encoding: str | None = None,
    missing: str = "refuse",
    query: str | None = None,
    leave_out: Iterable[str] = (),
    max_bytes: int = MAX_BYTES,
) -> ItemTable:
    """The items in a file, frame or database: an item column, perhaps a title; all others are features.

    ``missing="drop"`` leaves out rows without an id, and rows that describe an item again. Raises DataError.
    """
    if isinstance(source, ItemTable):
        return source
    table = table_of(source, of="items", encoding=encoding, query=query, max_bytes=max_bytes).without(
        frozenset(leave_out)
    )
    return ItemTable.of_items(items_of(table, columns, missing))


def read_history(source: Any, *, max_bytes: int = MAX_BYTES) -> list[tuple[str, float | None]]:
    """One person's events as (item id, rating or None), oldest first; feed it to `History.given`.

    The table has a header with an item column and perhaps a rating and a time column; or one id per line and no
    header. Raises DataError.
    """
    return [event[:2] for event in read_moments(source, max_bytes=max_bytes)]


def read_moments(source: Any, *, max_bytes: int = MAX_BYTES) -> list[tuple[str, float | None, float | None]]:
    """The same with the moment of each event, in seconds, or None: (item id, rating, moment)."""
    events = history_of(_history_table(source, max_bytes))
    return [events[place] for place in in_order([when for *_, when in events])]


def _history_table(source: Any, max_bytes: int) -> Table:
    table = table_of(source, of="history", max_bytes=max_bytes)
    if len(table.names) == 1 and not table.facts.header:
        table = table.but(roles={"item": 0})
    return table


def history_of(table: Table) -> list[tuple[str, float | None, float | None]]:
    """A table of one person's events as (id, rating or None, moment or None); DataError when it is not that."""
    roles = event_roles(table, required=("item",)).place
    source = table.source
    if not len(table):
        source.refuse("no_events", found="none_at_all")
    if "user" in roles:
        users = len(ids_of(table.columns[roles["user"]], table.facts.is_text).ids)
        if users > 1:
            source.refuse("several_people", got=users)
    item = ids_of(table.columns[roles["item"]], table.facts.is_text)
    blank = np.flatnonzero(item.codes < 0)
    if blank.size:
        source.refuse("event_without_item", int(blank[0]))
    if item.bad.size:
        source.refuse("item_id_of_event", int(item.bad[0]))
    ratings: list[float | None] = [None] * len(table)
    if "rating" in roles:
        column = table.columns[roles["rating"]]
        values = opinions_of(column)
        bad = np.flatnonzero(np.isnan(values))
        if bad.size:
            what = text_of(column)[int(bad[0])].as_py()
            source.refuse("rating_unread", int(bad[0]), column=table.names[roles["rating"]], what=what)
        ratings = values.tolist()
    when: list[float | None] = [None] * len(table)
    if "time" in roles:
        seconds = moments_of(table.columns[roles["time"]]).seconds.tolist()
        when = [None if second != second else second for second in seconds]
    return [(item.ids[code], *told) for code, *told in zip(item.codes.tolist(), ratings, when, strict=True)]


def in_order(when: Sequence[float | None]) -> list[int]:
    """The places of events by their moments, oldest first; those without one come before all others, as they came."""
    found = np.array([-np.inf if moment is None else moment for moment in when])
    order: list[int] = np.argsort(found, kind="stable").tolist()
    return order


def check_data(source: Any, items: Any = None, **options: Any) -> DataReport:
    """The report of reading, also where what is found keeps the data from being read (then it holds errors).

    Raises DataError only where not even the table can be taken apart.
    """
    try:
        found: DataReport = read_interactions(source, items, **options).report
        return found
    except DataError as error:
        report = getattr(error, "report", None)
        if not isinstance(report, DataReport):
            raise
        return report
