"""A table of events → checked arrays, with every finding about them; nothing here knows the classes of the package.

Rows are left out in one order: those that repeat the header (on reading), those without user or item, returns, those
whose time cannot be read, exact repeats. What is left out is counted, and so is what was only assumed.
"""

from __future__ import annotations

import re
import time as clock
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xattn.data.reading import faults
from xattn.data.reading.cells import Ids, floats_of, ids_of, text_of
from xattn.data.reading.moments import Moments, clock_of, moments_of
from xattn.data.reading.opinions import opinions_of
from xattn.data.reading.report import MOST_ROWS, Action, DataReport, Finding, Told
from xattn.data.reading.roles import Roles, date_parts, event_roles
from xattn.data.reading.table import Table
from xattn.data.reading.titles import titles_of
from xattn.data.reading.words import hints_of
from xattn.data.scale import Scale, guess_scale
from xattn.errors import InputError, check_choice, check_number, check_range, shown

__all__ = ["Events", "Options", "events_of"]

RETURN = "return"
NOT_THERE = frozenset(("na", "n/a", "nan", "null", "none", "-", "\\n", "?", "."))
NORM = 0.3  # share of events that meet an item again from which that is the norm
MISSING = ("refuse", "drop")
REPEATS = ("keep", "drop")


@dataclass(frozen=True)
class Options:
    """What a caller may say about a table of events; the defaults leave everything to the table."""

    columns: Mapping[str, Any] = field(default_factory=dict)
    scale: Any = None
    unrated: Any = None
    amount: str | None = None
    event_weights: Mapping[str, float] | None = None
    time_format: str | None = None
    missing: str = "refuse"
    repeats: str = "keep"

    def __post_init__(self) -> None:
        check_choice("missing", self.missing, MISSING)
        check_choice("repeats", self.repeats, REPEATS)
        if self.columns is not None and not isinstance(self.columns, Mapping):
            raise InputError(f"`columns` must be a mapping of roles to headers; got {shown(self.columns)}.")

    def stated_scale(self) -> Scale | None:
        """The scale that the caller states: a pair of ends, as numbers or as text (1-5)."""
        if self.scale is None or isinstance(self.scale, Scale):
            return self.scale
        if isinstance(self.scale, str):
            if self.scale == "amount":
                return Scale(0.0, 0.0, "amount", "stated")
            low, high = _two(self.scale)
        else:
            low, high = check_range("scale", tuple(self.scale) if isinstance(self.scale, list) else self.scale)
        if not low < high:
            raise InputError(f"`scale` must be a low and a higher end, such as (1, 5); got {shown(str(self.scale))}.")
        return Scale(float(low), float(high), "opinion", "stated")

    def unrated_values(self) -> tuple[list[float] | None, set[str]]:
        """Numbers and texts that mean "not rated"; no numbers at all leaves them to be judged."""
        if self.unrated is None:
            return None, set()
        given = [self.unrated] if isinstance(self.unrated, (str, int, float)) else list(self.unrated)
        numbers: list[float] = []
        texts: set[str] = set()
        for value in given:
            try:
                numbers.append(check_number("unrated", float(value)))
            except ValueError:
                texts.add(str(value).casefold())
        return numbers, texts


def _two(text: str) -> tuple[float, float]:
    match = re.fullmatch(r"\s*([+-]?[\d.]+)\s*(?:\.\.|-|–|to|,|:)\s*([+-]?[\d.]+)\s*", text)
    try:
        if match:
            return float(match[1]), float(match[2])
    except ValueError:
        pass
    raise InputError(f"`scale` must be a low and a higher end, such as 1-5, or amount; got {shown(text)}.")


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


def events_of(table: Table, options: Options = Options(), *, required: Sequence[str] = ("user", "item")) -> Events:
    """The events of a table. Raises DataError for what must be settled first; its `report` holds all of it."""
    columns = {**(options.columns or {}), **({"amount": options.amount} if options.amount else {})}
    roles = event_roles(table, columns, required)
    return _Reader(table, roles, options).events()


class _Reader:
    """One table on its way to events: `kept` are the rows that are left, `findings` what was found so far."""

    def __init__(self, table: Table, roles: Roles, options: Options) -> None:
        self.table, self.roles, self.options = table, roles, options
        self.kept = np.arange(len(table))
        self.findings: list[Finding] = []
        self.sentences: dict[str, tuple[str, str, int]] = {}  # must, got, row of an error
        if not len(table):
            raise table.source.error("it must hold at least one event", "a header and no events")

    # --- saying what was found ---

    def tell(
        self, finding: str, severity: str, rows: Any = (), *, count: int | None = None, cost: bool = False,
        action: Action | None = None, **fields: Any,
    ) -> None:  # fmt: skip
        """Keep a finding about `rows` of the table."""
        rows = np.asarray(rows, np.int64)
        number = len(rows) if count is None else count
        places = tuple(int(place) for place in self.table.lines(rows[:MOST_ROWS])) if rows.size else ()
        share = number / max(len(self.table), 1) if cost else 0.0
        unit = self.table.facts.unit
        self.findings.append(Finding(finding, severity, number, places, share, action, fields, unit))

    def refuse(self, finding: str, must: str, got: str, rows: np.ndarray, action: Action | None, **fields: Any) -> None:
        self.tell(finding, "error", rows, cost=True, action=action, **fields)
        self.sentences[finding] = (must, got, int(rows[0]))

    def column(self, role: str) -> pa.Array | None:
        at = self.roles.place.get(role)
        return None if at is None else self.table.columns[at]

    def name(self, role: str) -> str:
        return self.table.names[self.roles.place[role]]

    def drop(self, rows: np.ndarray) -> None:
        self.kept = np.setdiff1d(self.kept, rows, assume_unique=True)

    # --- the steps ---

    def events(self) -> Events:
        self.about_the_file()
        user, item = self.ids("user"), self.ids("item")
        self.without_missing(user, item)
        amount = self.amounts()
        rating, scale = self.ratings()
        moments = self.times(user)
        kind = self.kinds(amount)
        self.stop_at_errors()
        parts = {"rating": rating, "time": None if moments is None else moments.seconds, "kind": kind}
        self.exact_repeats(user, item, parts)
        titles = self.titles(user, item)
        return self.assembled(user, item, parts, scale, titles)

    def about_the_file(self) -> None:
        facts = self.table.facts
        if facts.repeated_header:
            rows = facts.repeated_header
            lines = tuple(rows[:MOST_ROWS])
            self.findings.append(Finding("header_again", "warning", len(rows), lines, unit=facts.unit))
        if facts.bad_bytes:
            lines = facts.bad_lines[:MOST_ROWS]
            action = Action("encoding")
            self.findings.append(Finding("bad_bytes", "warning", facts.bad_bytes, lines, action=action, unit=facts.unit))
        unsure = [use for use in self.roles.uses if use.role and not use.sure]
        if not facts.header and not self.table.roles:
            self.tell("no_header", "warning", action=Action("columns", _mapping(self.roles, self.table)))
        elif unsure:
            what = ", ".join(f"{use.role} ← {use.column}" for use in unsure)
            action = Action("columns", ",".join(f"{use.role}={use.column}" for use in unsure))
            self.tell("unsure", "warning", count=len(unsure), action=action, what=what)

    def ids(self, role: str) -> Ids:
        column = self.column(role)
        assert column is not None
        found = ids_of(column)
        if found.bad.size:
            what = shown(text_of(column)[int(found.bad[0])].as_py())
            must = f"the {role} id must be text on one line or a whole number"
            self.refuse("ids_broken", must, what, found.bad, Action("missing", "drop"), what=what)
            if self.options.missing == "drop":
                self.findings.pop()
                self.sentences.pop("ids_broken")
        kind = column.type
        if pa.types.is_floating(kind):
            values = floats_of(column)
            broken = np.flatnonzero(~np.isnan(values) & (values != np.floor(values)))
            if broken.size:
                what = shown(str(values[broken[0]]))
                must = f"the {role} id must be text on one line or a whole number"
                self.refuse("ids_broken", must, what.strip("'"), broken, None, what=what)
            else:
                self.tell("ids_floats", "note", role=Told(f"data.role.{role}"))
        elif pa.types.is_string(kind):
            around = pc.not_equal(pc.binary_length(column), pc.binary_length(pc.utf8_trim_whitespace(column)))
            rows = np.flatnonzero(pc.fill_null(around, False).to_numpy(zero_copy_only=False))
            full = int((found.codes >= 0).sum())
            if 0 < rows.size < full or (rows.size and self.table.facts.unit == "row"):
                self.tell("ids_blanks", "note", rows, role=Told(f"data.role.{role}"))
        for pair in faults.alike(found.ids):
            codes = [code for code, one in enumerate(found.ids) if one in pair.ids]
            rows = np.flatnonzero(np.isin(found.codes, codes))
            what = " / ".join(shown(one, limit=24) for one in pair.example)
            self.tell("ids_alike", "warning", rows, count=pair.count, role=Told(f"data.role.{role}"), how=Told(f"data.differ.{pair.how}"), what=what)
        return found

    def without_missing(self, user: Ids, item: Ids) -> None:
        missing = np.flatnonzero((user.codes < 0) | (item.codes < 0))
        if missing.size == len(self.table):
            self.stop_at_errors()
            raise self.table.source.error("some line must name a user and an item", "none")
        broken = np.union1d(user.bad, item.bad)
        left = np.setdiff1d(missing, broken) if self.options.missing == "refuse" else missing
        if left.size and self.options.missing == "refuse":
            first = self.table.source.place(int(left[0]))
            got = f"{left.size:,} line{'s' * (left.size != 1)} without (first: {first}); missing=drop leaves them out"
            self.refuse("missing", "every line must name a user and an item", got, left, Action("missing", "drop"))
        elif left.size:
            self.tell("missing_left_out", "warning", left, cost=True)
        self.drop(missing)

    def amounts(self) -> np.ndarray | None:
        """The amounts; rows of returns are told, and left out unless they have a weight of their own."""
        column = self.column("amount")
        if column is None:
            return None
        values = floats_of(column)
        back = self.kept[values[self.kept] < 0]
        if back.size:
            keep = RETURN in (self.options.event_weights or {})
            action = None if keep else Action("event_weights", f"{RETURN}=-0.5")
            self.tell("returns_kept" if keep else "returns", "warning", back, cost=not keep, action=action, column=self.name("amount"))
            if not keep:
                self.drop(back)
        return values

    def ratings(self) -> tuple[np.ndarray | None, Scale | None]:
        """The opinions (NaN where there is none) and their scale."""
        role = "rating" if "rating" in self.roles.place else "amount"
        column = self.column(role)
        stated = self.options.stated_scale()
        if column is None:
            return None, None
        name = self.name(role)
        if role == "amount":
            values = floats_of(column)
            known = values[self.kept][~np.isnan(values[self.kept])]
            if not self.options.amount or not known.size:
                if known.size:
                    self.tell("amounts", "note", action=Action("scale"), column=name)
                return None, None
            return values, Scale(float(known.min()), float(known.max()), "amount", "stated")
        values = opinions_of(column)
        numbers, texts = self.options.unrated_values()
        self.unread_ratings(column, values, texts, name)
        meant = "opinion" if any(hint.role == "rating" for hint in hints_of(name)) or self.table.roles else ""
        guess = guess_scale(values[self.kept], meant, numbers)
        scale = stated or guess.scale
        self.unrated(values, guess.unrated if stated is None or numbers else _outside(guess.unrated, stated), name)
        if scale.kind == "amount":
            known = values[self.kept][~np.isnan(values[self.kept])]
            if not known.size:
                return None, None
            self.tell("amounts", "note", action=Action("scale"), column=name)
            return None, None
        outside = self.kept[(values[self.kept] < scale.low) | (values[self.kept] > scale.high)]
        if outside.size:
            what = f"{values[outside[0]]:g}"
            self.tell("absurd", "warning", outside, cost=True, action=Action("scale"), column=name, what=what)
            values[outside] = np.nan
        if scale.origin == "guessed":
            action = Action("scale", f"{scale.low:g}-{scale.high:g}")
            low, high = f"{scale.low:g}", f"{scale.high:g}"
            self.tell("scale_guessed", "note", action=action, column=name, low=low, high=high)
        if np.isnan(values[self.kept]).all():
            return None, None
        return values, scale

    def unread_ratings(self, column: pa.Array, values: np.ndarray, texts: set[str], name: str) -> None:
        """Cells of ratings that are neither opinions nor empty."""
        bad = self.kept[np.isnan(values[self.kept])]
        if not bad.size:
            return
        cells = text_of(column).take(pa.array(bad)).to_pylist()
        wrong = np.array([bool(cell) and cell.casefold() not in NOT_THERE | texts for cell in cells], bool)
        if pa.types.is_floating(column.type):
            wrong[:] = False
        if wrong.any():
            rows = bad[wrong]
            what = shown(cells[int(np.flatnonzero(wrong)[0])])
            must = f"column {shown(name)} must be a finite number"
            self.refuse("rating_unread", must, what, rows, Action("unrated", what.strip("'")), column=name, what=what)
        empty = bad[~wrong]
        if empty.size:
            self.tell("unrated", "note", empty, column=name, what="—")

    def unrated(self, values: np.ndarray, marks: tuple[float, ...], name: str) -> None:
        rows = self.kept[np.isin(values[self.kept], marks)]
        if rows.size:
            what = ", ".join(f"{mark:g}" for mark in marks)
            self.tell("unrated", "note", rows, action=Action("unrated", what), column=name, what=what)
            values[rows] = np.nan

    def times(self, user: Ids) -> Moments | None:
        column = self.column("time")
        if column is None:
            if not any(use.role == "time" for use in self.roles.uses):
                self.tell("no_time", "note")
            return None
        name = self.name("time")
        parts = date_parts(self.table.names) if self._use("time").how == "parts" else ()
        if parts:
            moments = Moments(_of_parts([floats_of(self.table.columns[at]) for at in parts]), "parts")
        else:
            moments = moments_of(column, self.options.time_format)
        of_day = self.column("clock")
        if of_day is not None:
            moments = moments._replace(seconds=moments.seconds + np.nan_to_num(clock_of(of_day)))
        self.unread_times(column, moments, name)
        if moments.order == "either":
            moments = self.either(column, moments, user, name)
        if moments.minority.size:
            self.tell("time_units", "warning", np.intersect1d(moments.minority, self.kept), action=Action("time_format", moments.way), column=name)
        odd = np.intersect1d(faults.odd_times(moments.seconds, clock.time()), self.kept)
        if odd.size:
            self.tell("time_odd", "warning", odd, what=shown(text_of(column)[int(odd[0])].as_py()))
        how = moments.order if moments.order in ("day", "month") else moments.way
        self._say("time", how)
        return moments

    def unread_times(self, column: pa.Array, moments: Moments, name: str) -> None:
        bad = self.kept[np.isnan(moments.seconds[self.kept])]
        if not bad.size:
            return
        if self.options.missing == "drop" and bad.size < len(self.kept):
            self.tell("time_left_out", "warning", bad, cost=True)
            self.drop(bad)
            return
        what = shown(text_of(column)[int(bad[0])].as_py())
        must = f"column {shown(name)} must be seconds since 1970 or a date such as 2024-01-31 18:30:00 (or time_format must say how)"
        self.refuse("time_unread", must, what, bad, Action("missing", "drop"), column=name, what=what)

    def either(self, column: pa.Array, moments: Moments, user: Ids, name: str) -> Moments:
        """Dates that may have the day or the month first: taken where the order of events is the same either way."""
        rows = self.kept
        other = moments_of(column, "day-first")
        first = np.lexsort((moments.seconds[rows], user.codes[rows]))
        second = np.lexsort((other.seconds[rows], user.codes[rows]))
        if np.array_equal(first, second):
            self.tell("time_order_lines", "note", action=Action("time_format", "day-first"), column=name)
            return moments
        differ = np.flatnonzero(moments.seconds != other.seconds)
        what = shown(text_of(column)[int(differ[0])].as_py())
        must = f"column {shown(name)} must show whether the day or the month comes first, or time_format must say it (day-first, month-first)"
        self.refuse("time_ambiguous", must, what, differ, Action("time_format", "day-first"), column=name, what=what)
        return moments

    def kinds(self, amount: np.ndarray | None) -> np.ndarray | None:
        """Types of events; returns are one of their own where they are kept. Unknown names of weights are refused."""
        column = self.column("kind")
        kind = None if column is None else np.array(text_of(column).to_pylist(), dtype=object)
        weights = self.options.event_weights
        if weights and RETURN in weights and amount is not None and (amount[self.kept] < 0).any():
            kind = np.full(len(self.table), "purchase", dtype=object) if kind is None else kind
            kind[amount < 0] = RETURN
        if weights:
            known = [] if kind is None else sorted(set(kind[self.kept].tolist()))
            unknown = [name for name in weights if name not in known]
            if unknown:
                among = ", ".join(shown(name, limit=20) for name in known[:8]) or "none"
                raise InputError(f"`event_weights` must name types of events that the data hold ({among}); got {shown(unknown[0])}.")
        return kind

    def exact_repeats(self, user: Ids, item: Ids, parts: dict[str, np.ndarray | None]) -> None:
        """Rows that say again what another says; without time and rating they are events of their own (plays)."""
        if parts["time"] is None and parts["rating"] is None:
            return
        columns = [user.codes[self.kept], item.codes[self.kept]]
        for name, values in parts.items():
            if values is not None:
                own = values[self.kept]
                columns.append(np.unique(own.astype(str), return_inverse=True)[1] if name == "kind" else own)
        amount = self.column("amount")
        if amount is not None:
            columns.append(floats_of(amount)[self.kept])
        again = self.kept[faults.exact_repeats(columns)]
        if not again.size:
            return
        if self.options.repeats == "drop":
            self.tell("repeats_dropped", "warning", again, cost=True)
            self.drop(again)
        else:
            self.tell("repeats_exact", "warning", again, cost=True, action=Action("repeats", "drop"))

    def titles(self, user: Ids, item: Ids) -> dict[str, str]:
        column = self.column("title")
        if column is None:
            return {}
        use = self._use("title")
        name = use.column
        named = use.why in ("given", "layout") or any(hint.role == "title" and hint.strength >= 0.9 for hint in hints_of(name))
        rows = pa.array(self.kept)
        found = titles_of(column.take(rows), item.codes[self.kept], user.codes[self.kept], named)
        if found.why:
            self.tell("title_foreign", "note", action=Action("columns", f"title={name}"), column=name, what=Told(f"data.title.{found.why}"))
            self.roles = self.roles.without("title", "")
            return {}
        if found.varying:
            self.tell("title_varies", "note", self.kept[found.varying_rows], count=found.varying, column=name)
        return {item.ids[code]: text for code, text in found.of_item.items()}

    # --- the end ---

    def stop_at_errors(self) -> None:
        """Raise DataError for the first error, with the others counted."""
        if not self.sentences:
            return
        must, got, row = next(iter(self.sentences.values()))
        others = len(self.sentences) - 1
        if others:
            got += f" (and {others} more kind{'s' * (others > 1)} of error: {', '.join(list(self.sentences)[1:])})"
        error = self.table.source.error(must, got, row)
        error.report = self.report()  # type: ignore[attr-defined]
        raise error

    def report(self, **sizes: Any) -> DataReport:
        how = {key: list(value) if isinstance(value, tuple) else value for key, value in self.table.facts._asdict().items()}
        for key in ("bad_lines", "bad_bytes", "repeated_header"):
            how.pop(key)
        return DataReport(
            self.table.name, how, len(self.table), columns=self.roles.uses, findings=tuple(self.findings), **sizes
        )

    def assembled(
        self, user: Ids, item: Ids, parts: dict[str, np.ndarray | None], scale: Scale | None, titles: dict[str, str]
    ) -> Events:
        rows = self.kept
        if not rows.size:
            raise self.table.source.error("it must hold at least one event", "none after what was left out")
        user_codes, user_ids = _used(user.codes[rows], user.ids)
        item_codes, item_ids = _used(item.codes[rows], item.ids)
        vectors = {name: None if values is None else values[rows] for name, values in parts.items()}
        self.about_events(user_codes, item_codes, vectors["time"], user_ids, item_ids, titles)
        keys = (user_codes,) if vectors["time"] is None else (vectors["time"], user_codes)
        order = np.lexsort(keys)  # by user, then time; lexsort is stable, so equal times keep the order of the rows
        indptr = np.concatenate([[0], np.cumsum(np.bincount(user_codes, minlength=len(user_ids)))])
        ordered = {name: None if values is None else values[order] for name, values in vectors.items()}
        kinds = {} if vectors["kind"] is None else dict(Counter(vectors["kind"].tolist()).most_common())
        report = self.report(
            events=len(rows), users=len(user_ids), n_items=len(item_ids), scale=scale, kinds=kinds
        )
        return Events(
            user_ids, item_ids, indptr, item_codes[order], ordered["rating"], ordered["time"], ordered["kind"], scale,
            titles, report,
        )  # fmt: skip

    def about_events(
        self, user: np.ndarray, item: np.ndarray, time: np.ndarray | None, user_ids: tuple[str, ...],
        item_ids: tuple[str, ...], titles: dict[str, str],
    ) -> None:  # fmt: skip
        rows = self.kept
        if time is not None:
            tied = faults.ties(user, item, time)
            if tied.size:
                self.tell("ties", "note", rows[tied])
        again = faults.repeats(user, item)
        if again > NORM * len(rows):
            self.tell("repeats", "note", count=again, action=Action("seen", "keep"))
        counts = np.bincount(user)
        lone = np.flatnonzero(counts == 1)
        if lone.size:
            self.tell("one_event_users", "note", rows[np.isin(user, lone)], count=lone.size)
        robots = faults.bots(user, time)
        if robots.size:
            first = rows[np.unique(user, return_index=True)[1][robots]]
            self.tell("bots", "warning", first, count=robots.size, what=shown(user_ids[int(robots[0])]))
        texts = pa.array([*item_ids, *titles.values()], pa.string())
        bad = np.flatnonzero(faults.garbled(texts))
        if bad.size:
            ids = list(titles)
            codes = {ids[at - len(item_ids)] if at >= len(item_ids) else item_ids[at] for at in bad.tolist()}
            which = np.array([code for code, one in enumerate(item_ids) if one in codes])
            where = rows[np.isin(item, which)]
            self.tell("mojibake", "warning", where, count=bad.size, action=Action("encoding"), what=shown(texts[int(bad[0])].as_py(), limit=30))

    def _use(self, role: str) -> Any:
        return next(use for use in self.roles.uses if use.role == role)

    def _say(self, role: str, how: str) -> None:
        uses = tuple(use._replace(how=how) if use.role == role else use for use in self.roles.uses)
        self.roles = self.roles._replace(uses=uses)


def _used(codes: np.ndarray, ids: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Codes and ids without ids that no code uses."""
    used, packed = np.unique(codes, return_inverse=True)
    return packed, tuple(ids[code] for code in used.tolist())


def _outside(marks: tuple[float, ...], scale: Scale) -> tuple[float, ...]:
    return tuple(mark for mark in marks if not scale.low <= mark <= scale.high)


def _mapping(roles: Roles, table: Table) -> str:
    return ",".join(f"{role}={table.names[at]}" for role, at in roles.place.items())


def _of_parts(columns: Sequence[np.ndarray]) -> np.ndarray:
    year, month, day = columns
    text = pa.array([f"{y:.0f}-{m:.0f}-{d:.0f}" for y, m, d in zip(year, month, day, strict=True)])
    return moments_of(text).seconds
