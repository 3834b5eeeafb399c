"""The step that reads times: how they are written, which cannot be read, whether the day or the month comes first."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from xattn.data.reading import faults
from xattn.data.reading.cells import Ids, floats_of, text_of
from xattn.data.reading.desk import Desk
from xattn.data.reading.moments import Moments, clock_of, moments_of
from xattn.data.reading.report import Action
from xattn.data.reading.roles import date_parts
from xattn.errors import shown

__all__ = ["times"]


def times(desk: Desk, user: Ids) -> Moments | None:
    column = desk.column("time")
    if column is None:
        if not any(use.role == "time" for use in desk.roles.uses):
            desk.tell("no_time", "note")
        return None
    name = desk.name("time")
    parts = date_parts(desk.table.names) if desk.use("time").how == "parts" else ()
    if parts:
        moments = Moments(_of_parts([floats_of(desk.table.columns[at]) for at in parts]), "parts")
    else:
        moments = moments_of(column, desk.options.time_format)
    of_day = desk.column("clock")
    if of_day is not None:
        moments = moments._replace(seconds=moments.seconds + np.nan_to_num(clock_of(of_day)))
    unread_times(desk, column, moments, name)
    if moments.order == "either":
        moments = either(desk, column, moments, user, name)
    if moments.minority.size:
        desk.tell(
            "time_units",
            "warning",
            np.intersect1d(moments.minority, desk.kept),
            action=Action("time_format", moments.way),
            column=name,
        )
    odd = np.intersect1d(faults.odd_times(moments.seconds, clock.time()), desk.kept)
    if odd.size and not desk.left_out("time_odd", odd):
        what = shown(text_of(column)[int(odd[0])].as_py())
        desk.tell("time_odd", "warning", odd, action=Action("drop", "time_odd"), what=what)
    how = moments.order if moments.order in ("day", "month") else moments.way
    desk.say("time", how)
    return moments


def unread_times(desk: Desk, column: pa.Array, moments: Moments, name: str) -> None:
    bad = desk.kept[np.isnan(moments.seconds[desk.kept])]
    if not bad.size:
        return
    if desk.options.missing == "drop" and bad.size < len(desk.kept):
        desk.tell("time_left_out", "warning", bad, cost=True)
        desk.drop(bad)
        return
    what = shown(text_of(column)[int(bad[0])].as_py())
    desk.refuse("time_unread", bad, Action("missing", "drop"), column=name, what=what)


def either(desk: Desk, column: pa.Array, moments: Moments, user: Ids, name: str) -> Moments:
    """Dates that may have the day or the month first: taken where the order of events is the same either way."""
    rows = desk.kept
    other = moments_of(column, "day-first")
    first = np.lexsort((moments.seconds[rows], user.codes[rows]))
    second = np.lexsort((other.seconds[rows], user.codes[rows]))
    if np.array_equal(first, second):
        desk.tell("time_order_lines", "note", action=Action("time_format", "day-first"), column=name)
        return moments
    differ = np.flatnonzero(moments.seconds != other.seconds)
    what = shown(text_of(column)[int(differ[0])].as_py())
    desk.refuse("time_ambiguous", differ, Action("time_format", "day-first"), column=name, what=what)
    return moments


def _of_parts(columns: Sequence[np.ndarray]) -> np.ndarray:
    year, month, day = columns
    text = pa.array([f"{y:.0f}-{m:.0f}-{d:.0f}" for y, m, d in zip(year, month, day, strict=True)])
    return moments_of(text).seconds
