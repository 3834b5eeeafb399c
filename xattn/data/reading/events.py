"""A table of events → checked arrays, with every finding about them; nothing here knows the classes of the package.

Rows are left out in one order: those that repeat the header (on reading), those without user or item, returns, those
whose time cannot be read, exact repeats. What is left out is counted, and so is what was only assumed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from xattn.data.reading import faults
from xattn.data.reading.cells import Ids, floats_of, text_of
from xattn.data.reading.choice import Roles
from xattn.data.reading.desk import Desk
from xattn.data.reading.keys import ids, without_missing
from xattn.data.reading.options import Options
from xattn.data.reading.ratings import RETURN, amounts, ratings
from xattn.data.reading.report import MOST_ROWS, Action, DataReport, Finding, Taken, Told
from xattn.data.reading.roles import event_roles
from xattn.data.reading.table import Table
from xattn.data.reading.times import times
from xattn.data.reading.titles import titles_of
from xattn.data.reading.words import REVIEW_WORDS, hints_of, words_of
from xattn.data.scale import Scale
from xattn.errors import refuse, shown, some_of

__all__ = ["Events", "Options", "events_of"]

NORM = 0.3  # share of events that meet an item again from which that is the norm


class Events(NamedTuple):
    """Events by user, oldest first: users own `indptr[u]` to `indptr[u + 1]` of the vectors; and the report."""

    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    indptr: np.ndarray
    item: np.ndarray
    rating: np.ndarray | None
    time: np.ndarray | None
    kind: np.ndarray | None
    scale: Scale | None
    titles: dict[str, str]
    report: DataReport


def events_of(table: Table, options: Options | None = None, *, required: Sequence[str] = ("user", "item")) -> Events:
    """The events of a table. Raises DataError for what must be settled first; its `report` holds all of it."""
    options = options or Options()
    roles = event_roles(table, options.given, required)
    desk = Desk(table, roles, options)
    _about_the_file(desk)
    user, item = ids(desk, "user"), ids(desk, "item")
    without_missing(desk, user, item)
    amount = amounts(desk)
    rating, scale = ratings(desk)
    moments = times(desk, user)
    kind = _kinds(desk, amount)
    desk.stop_at_errors()
    vectors = {"rating": rating, "time": None if moments is None else moments.seconds, "kind": kind}
    _exact_repeats(desk, user, item, vectors)
    _users_left_out(desk, user, vectors["time"])
    titles = _titles(desk, user, item)
    return _assembled(desk, user, item, vectors, scale, titles)


def _about_the_file(desk: Desk) -> None:
    facts = desk.table.facts
    if facts.repeated_header:
        rows = facts.repeated_header
        lines = tuple(rows[:MOST_ROWS])
        desk.findings.append(Finding("header_again", "warning", len(rows), lines, unit=facts.unit))
    if facts.bad_bytes:
        lines = facts.bad_lines[:MOST_ROWS]
        action = Action("encoding")
        desk.findings.append(Finding("bad_bytes", "warning", facts.bad_bytes, lines, action=action, unit=facts.unit))
    unsure = [use for use in desk.roles.uses if use.role and not use.sure and use.role != "title"]
    if not facts.header and not desk.table.roles:
        desk.tell("no_header", "warning", action=Action("columns", _mapping(desk.roles, desk.table)))
    elif unsure:
        what = tuple(Taken(use.role, use.column) for use in unsure)
        action = Action("columns", ",".join(f"{use.role}={use.column}" for use in unsure))
        desk.tell("unsure", "warning", count=len(unsure), action=action, what=what)


def _kinds(desk: Desk, amount: np.ndarray | None) -> np.ndarray | None:
    """Types of events; returns are one of their own where they are kept. Unknown names of weights are refused."""
    column = desk.column("kind")
    kind = None if column is None else np.array(text_of(column).to_pylist(), dtype=object)
    weights = desk.options.event_weights
    if weights and RETURN in weights and amount is not None and (amount[desk.kept] < 0).any():
        kind = np.full(len(desk.table), "purchase", dtype=object) if kind is None else kind
        kind[amount < 0] = RETURN
    if weights:
        known = [] if kind is None else sorted(set(kind[desk.kept].tolist()))
        unknown = [name for name in weights if name not in known]
        if unknown:
            refuse("named", name="event_weights", what="types_held", got=unknown[0], **some_of(known, 8))
    return kind


def _exact_repeats(desk: Desk, user: Ids, item: Ids, parts: dict[str, np.ndarray | None]) -> None:
    """Rows that say again what another says; without time and rating they are events of their own (plays)."""
    if parts["time"] is None and parts["rating"] is None:
        return
    columns = [user.codes[desk.kept], item.codes[desk.kept]]
    for name, values in parts.items():
        if values is not None:
            own = values[desk.kept]
            columns.append(np.unique(own.astype(str), return_inverse=True)[1] if name == "kind" else own)
    amount = desk.column("amount")
    if amount is not None:
        columns.append(floats_of(amount)[desk.kept])
    again = desk.kept[faults.exact_repeats(columns)]
    if not again.size:
        return
    if desk.options.repeats == "drop":
        desk.tell("repeats_dropped", "warning", again, cost=True)
        desk.drop(again)
    else:
        desk.tell("repeats_exact", "warning", again, cost=True, action=Action("repeats", "drop"))
        desk.repeated = len(again)


def _users_left_out(desk: Desk, user: Ids, time: np.ndarray | None) -> None:
    """The users whom the caller wants left out: those who act more often than people do, those with one event."""
    for finding in ("bots", "one_event_users"):
        if finding in desk.options.drop:
            codes = user.codes[desk.kept]
            moments = None if time is None else time[desk.kept]
            few = np.flatnonzero(np.bincount(codes) == 1)
            which = faults.bots(codes, moments) if finding == "bots" else few
            rows = desk.kept[np.isin(codes, which)]
            if rows.size:
                desk.left_out(finding, rows)


def _titles(desk: Desk, user: Ids, item: Ids) -> dict[str, str]:
    column = desk.column("title")
    if column is None:
        return {}
    use = desk.use("title")
    name = use.column
    reviewed = any(word in REVIEW_WORDS for other in desk.table.names for word in words_of(other))
    named = use.why in ("given", "layout") or any(
        hint.role == "title" and hint.strength >= 0.9 for hint in hints_of(name)
    )
    rows = pa.array(desk.kept)
    plain_title = words_of(name) in (("title",), ("标题",)) and not reviewed
    found = titles_of(column.take(rows), item.codes[desk.kept], user.codes[desk.kept], named, plain_title)
    if found.why:
        desk.tell(
            "title_foreign",
            "note",
            action=Action("columns", f"title={name}"),
            column=name,
            what=Told(f"data.title.{found.why}"),
        )
        desk.roles = desk.roles.without("title", "")
        return {}
    if found.varying:
        desk.tell("title_varies", "note", desk.kept[found.varying_rows], count=found.varying, column=name)
    return {item.ids[code]: text for code, text in found.of_item.items()}


def _assembled(
    desk: Desk, user: Ids, item: Ids, parts: dict[str, np.ndarray | None], scale: Scale | None, titles: dict[str, str]
) -> Events:
    rows = desk.kept
    if not rows.size:
        desk.table.source.refuse("no_events", found="none_left")
    user_codes, user_ids = _used(user.codes[rows], user.ids)
    item_codes, item_ids = _used(item.codes[rows], item.ids)
    vectors = {name: None if values is None else values[rows] for name, values in parts.items()}
    _about_events(desk, user_codes, item_codes, vectors["time"], user_ids, item_ids, titles)
    keys = (user_codes,) if vectors["time"] is None else (vectors["time"], user_codes)
    order = np.lexsort(keys)  # by user, then time; lexsort is stable, so equal times keep the order of the rows
    indptr = np.concatenate([[0], np.cumsum(np.bincount(user_codes, minlength=len(user_ids)))])
    ordered = {name: None if values is None else values[order] for name, values in vectors.items()}
    kinds = {} if vectors["kind"] is None else dict(Counter(vectors["kind"].tolist()).most_common())
    report = desk.report(events=len(rows), users=len(user_ids), n_items=len(item_ids), scale=scale, kinds=kinds)
    return Events(
        user_ids, item_ids, indptr, item_codes[order], ordered["rating"], ordered["time"], ordered["kind"], scale,
        titles, report,
    )  # fmt: skip


def _about_events(desk: Desk, user: np.ndarray, item: np.ndarray, time: np.ndarray | None, user_ids: tuple[str, ...],
    item_ids: tuple[str, ...], titles: dict[str, str],
) -> None:  # fmt: skip
    rows = desk.kept
    if time is not None:
        tied = faults.ties(user, item, time)
        if tied.size:
            desk.tell("ties", "note", rows[tied])
    again = faults.repeats(user, item) - desk.repeated
    if again > NORM * (len(rows) - desk.repeated):
        desk.tell("repeats", "note", count=again, action=Action("seen", "keep"))
    counts = np.bincount(user)
    lone = np.flatnonzero(counts == 1)
    if lone.size:
        desk.tell(
            "one_event_users", "note", rows[np.isin(user, lone)], count=lone.size, action=_drop("one_event_users")
        )
    robots = faults.bots(user, time)
    if robots.size:
        first = rows[np.unique(user, return_index=True)[1][robots]]
        what = shown(user_ids[int(robots[0])])
        desk.tell("bots", "warning", first, count=robots.size, action=_drop("bots"), what=what)
    texts = pa.array([*item_ids, *titles.values()], pa.string())
    bad = np.flatnonzero(faults.garbled(texts))
    if bad.size:
        ids = list(titles)
        codes = {ids[at - len(item_ids)] if at >= len(item_ids) else item_ids[at] for at in bad.tolist()}
        which = np.array([code for code, one in enumerate(item_ids) if one in codes])
        where = rows[np.isin(item, which)]
        desk.tell(
            "mojibake",
            "warning",
            where,
            count=bad.size,
            action=Action("encoding"),
            what=shown(texts[int(bad[0])].as_py(), limit=30),
        )


def _drop(finding: str) -> Action:
    return Action("drop", finding)


def _used(codes: np.ndarray, ids: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Codes and ids without ids that no code uses."""
    used, packed = np.unique(codes, return_inverse=True)
    return packed, tuple(ids[code] for code in used.tolist())


def _mapping(roles: Roles, table: Table) -> str:
    return ",".join(f"{role}={table.names[at]}" for role, at in roles.place.items())
