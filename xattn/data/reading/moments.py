"""Moments in the ways that people write them → seconds since 1970-01-01 UTC, decided on the whole column.

Numbers are seconds, milli-, micro- or nanoseconds by their size, days (20240131) or running numbers. Texts are taken
apart by a few patterns; their parts (year, month, …) become days by the civil calendar. Whether 3/4/2024 is in March or
in April is decided by all values together: one 13 in a place shows that it is no month.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xattn.data.reading.cells import floats_of, text_of

__all__ = ["UNITS", "Moments", "clock_of", "looks_like_time", "moments_of"]

UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
FIRST, LAST = 2e8, 4.2e9  # moments from 1976 to 2103: a number of seconds outside is none
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

_DAY_TIME = (
    r"(?:[T ,:]*(?:at )?(?P<H>\d{1,2})[:时点h](?P<M>\d{1,2})分?(?::?(?P<S>\d{1,2})秒?)?(?:[.,](?P<f>\d+))?"
    r" *(?P<p>[AaPp]\.?[Mm]\.?|上午|下午)? *(?P<z>Z|UTC|GMT|[+-]\d{2}:?\d{2})?(?: \(?[A-Z]{3,4}\)?)?)?"
)
_WEEKDAY = r"(?:[A-Za-z]{3,9},? )?"
PATTERNS = {
    "ymd": r"^(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?" + _DAY_TIME + "$",
    "compact": r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})T?(?:(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})?)?(?P<z>Z)?$",
    "abc": r"^(?P<a>\d{1,2})[-/. ](?P<b>\d{1,2}),?[-/. ](?P<y>\d{4}|\d{2})" + _DAY_TIME + "$",
    "d mon y": "^"
    + _WEEKDAY
    + r"(?P<d>\d{1,2})[-/ ](?P<n>[A-Za-z]{3,9})\.?,?[-/ ](?P<y>\d{4}|\d{2})"
    + _DAY_TIME
    + "$",
    "mon d y": "^"
    + _WEEKDAY
    + r"(?P<n>[A-Za-z]{3,9})\.? (?P<d>\d{1,2})(?:st|nd|rd|th)?,? (?P<y>\d{4})"
    + _DAY_TIME
    + "$",
    "mon d H y": r"^[A-Za-z]{3} (?P<n>[A-Za-z]{3}) +(?P<d>\d{1,2}) (?P<H>\d{2}):(?P<M>\d{2}):(?P<S>\d{2})"
    r"(?: (?P<z>[+-]\d{4}|UTC|GMT))?(?: [A-Z]{3,4})? (?P<y>\d{4})$",
}
CLOCK = r"^(?P<H>\d{1,2})[:时点](?P<M>\d{2})分?(?::?(?P<S>\d{2})秒?)?(?:\.(?P<f>\d+))? *(?P<p>[AaPp]\.?[Mm]\.?)?$"
_ANY_DATE = re.compile("|".join(f"(?:{re.sub(r'[?]P<.>', '?:', pattern)})" for pattern in PATTERNS.values()))
_ANY_CLOCK = re.compile(re.sub(r"[?]P<.>", "?:", CLOCK))


class Moments(NamedTuple):
    """`seconds` (n,), NaN where nothing could be read; `way` says how the column writes moments.

    `order` is "day" or "month" where the whole column shows which comes first, "either" where it does not.
    `minority` are rows of another unit than most.
    """

    seconds: np.ndarray
    way: str
    order: str = ""
    minority: np.ndarray = np.empty(0, np.int64)


def looks_like_time(texts: list[str]) -> str:
    """How a sample of texts writes moments: a unit, "date", "clock", or "" for none.

    >>> looks_like_time(["1260759144"]), looks_like_time(["2024-01-31", "31/01/2024 18:30"]), looks_like_time(["7"])
    ('s', 'date', '')
    """
    if not texts:
        return ""
    if all(re.fullmatch(r"-?\d+\.?\d*", text, re.ASCII) for text in texts):
        size = np.abs(np.array([float(text) for text in texts]))
        for unit, per in UNITS.items():
            if np.mean((size >= FIRST * per) & (size <= LAST * per)) > 0.9:
                return unit
        dated = [
            text for text in texts if re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])(\d{4}|\d{6})?", text)
        ]
        return "date" if len(dated) > 0.9 * len(texts) else ""
    if sum(bool(_ANY_DATE.match(text)) for text in texts) > 0.9 * len(texts):
        return "date"
    return "clock" if sum(bool(_ANY_CLOCK.match(text)) for text in texts) > 0.9 * len(texts) else ""


def moments_of(column: pa.Array, time_format: str | None = None) -> Moments:
    """The column as moments; `time_format` is a unit, "day-first", "month-first" or a pattern such as %d/%m/%Y.

    >>> moments_of(pa.array(["31/01/2024", "01/02/2024"])).order
    'day'
    """
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        whole = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        seconds = whole.cast(pa.float64()).to_numpy(zero_copy_only=False) / 1e6
        return Moments(np.array(seconds), "typed")
    if time_format and "%" in time_format:
        read = pd.to_datetime(
            pd.Series(text_of(column).to_pylist(), dtype=object), format=time_format, utc=True, errors="coerce"
        )
        return Moments(_seconds_of(read), "pattern")
    values = floats_of(column)
    if time_format in UNITS:
        return Moments(values / UNITS[str(time_format)], str(time_format))
    text = text_of(column)
    there = pc.not_equal(text, "").to_numpy(zero_copy_only=False)
    if np.isnan(values[there]).sum() <= there.sum() / 2:  # a cell that is no number stays unread
        return _of_numbers(values, text)
    return _of_texts(text, there, time_format)


def _seconds_of(moments: pd.Series) -> np.ndarray:
    whole = moments.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    return np.where(np.isnat(whole), np.nan, whole.astype(np.int64) / 1e6)


def _of_numbers(values: np.ndarray, text: pa.Array) -> Moments:
    known = values[~np.isnan(values)]
    if not known.size:
        return Moments(values, "number")
    if (known >= 19000101).all() and (known == np.floor(known)).all():
        long = known > 1.9e11
        if ((known <= 21001231) | (long & (known <= 21001231235959))).all():
            parts = _parts(text, PATTERNS["compact"])
            seconds = _civil(parts, parts["m"], parts["d"])
            if len(seconds) and not np.isnan(seconds[~np.isnan(values)]).any():
                return Moments(seconds, "date")
    size = np.abs(values)
    per_unit = {unit: (size >= FIRST * per) & (size <= LAST * per) for unit, per in UNITS.items()}
    most = max(per_unit, key=lambda unit: int(per_unit[unit].sum()))
    if per_unit[most].sum() <= known.size / 2:
        return (
            Moments(values, "number")
            if known.max() < 1e11
            else Moments(values / _unit_of(float(known.max())), "number")
        )
    seconds = values / UNITS[most]
    others = np.zeros(len(values), bool)
    for unit, those in per_unit.items():
        if unit != most:
            seconds[those] = values[those] / UNITS[unit]
            others |= those
    return Moments(seconds, most, minority=np.flatnonzero(others))


def _unit_of(largest: float) -> float:
    """Beyond 1e11 seconds (the year 5138) numbers are milli-, beyond 1e14 micro-, beyond 1e17 nanoseconds."""
    return next((unit for limit, unit in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)) if largest > limit), 1.0)


def _of_texts(text: pa.Array, there: np.ndarray, time_format: str | None) -> Moments:
    seconds = np.full(len(text), np.nan)
    order = ""
    for name, pattern in PATTERNS.items():
        left = there & np.isnan(seconds)
        if not left.any():
            break
        rows = np.flatnonzero(left)
        parts = _parts(text.take(pa.array(rows)), pattern)
        if name == "abc":
            order, month, day = _order(parts["a"], parts["b"], parts["p"], time_format)
        elif "n" in parts:
            month, day = parts["n"], parts["d"]
        else:
            month, day = parts["m"], parts["d"]
        seconds[rows] = _civil(parts, month, day)
    return Moments(seconds, "date", order)


def _order(
    a: np.ndarray, b: np.ndarray, half: np.ndarray, time_format: str | None
) -> tuple[str, np.ndarray, np.ndarray]:
    """Which of the two first numbers is the month: the order, month, day."""
    day_first, month_first = bool((a > 12).any()), bool((b > 12).any())
    if time_format in ("day-first", "month-first"):
        order = time_format.removesuffix("-first")
    elif day_first != month_first:
        order = "day" if day_first else "month"
    elif day_first:  # both: the rows of the rarer order cannot be read
        order = "day" if (a > 12).sum() >= (b > 12).sum() else "month"
    else:
        order = "either" if not np.isnan(a).all() and bool(((a != b) & ~np.isnan(a)).any()) else ""
    return (order, b, a) if order == "day" else (order, a, b)


def _parts(text: pa.Array, pattern: str) -> dict[str, np.ndarray]:
    """The named parts of a pattern as floats, NaN where the text does not match; marks of zone and half of day too."""
    found = pc.extract_regex(text, pattern)
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    names = [field.name for field in found.type]
    out: dict[str, np.ndarray] = {}
    for name in names:
        part = pc.struct_field(found, name)
        if name == "n":
            start = pc.utf8_lower(pc.utf8_slice_codeunits(part, 0, 3))
            out[name] = _numbers(pc.index_in(start, pa.array(MONTHS))) + 1
        elif name == "p":
            out[name] = _numbers(pc.match_substring_regex(part, "^([Pp]|下)").cast(pa.int8()))
            out[name][_empty(part)] = np.nan
        elif name == "z":
            out[name] = _zone(part)
        elif name == "y":
            out[name] = _year(part)
        elif name == "f":
            out[name] = _numbers(
                pc.if_else(_is_empty(part), None, pc.binary_join_element_wise("0", part, ".")).cast(pa.float64())
            )
        else:
            out[name] = _numbers(pc.if_else(_is_empty(part), None, part).cast(pa.float64()))
    for name in "HMSfpz":
        out.setdefault(name, np.full(len(text), np.nan))
    return out


def _is_empty(part: pa.Array) -> pa.Array:
    return pc.fill_null(pc.equal(part, ""), True)


def _empty(part: pa.Array) -> np.ndarray:
    return np.asarray(_is_empty(part).to_numpy(zero_copy_only=False), bool)


def _numbers(values: pa.Array) -> np.ndarray:
    return np.array(values.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _year(part: pa.Array) -> np.ndarray:
    """Years; of two digits those from 1970 to 2069."""
    year = _numbers(pc.if_else(_is_empty(part), None, part).cast(pa.float64()))
    short = np.asarray(pc.fill_null(pc.equal(pc.utf8_length(part), 2), False).to_numpy(zero_copy_only=False), bool)
    return np.asarray(year + np.where(short, np.where(year < 70, 2000, 1900), 0))


def _zone(part: pa.Array) -> np.ndarray:
    """Offsets from UTC in seconds."""
    distinct = part.dictionary_encode()
    seconds = []
    for zone in distinct.dictionary.to_pylist():
        match = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", zone or "")
        seconds.append((1 if match[1] == "+" else -1) * (int(match[2]) * 3600 + int(match[3]) * 60) if match else 0)
    codes = _numbers(distinct.indices)
    known = ~np.isnan(codes)
    out = np.zeros(len(part))
    out[known] = np.array([*seconds, 0], np.float64)[codes[known].astype(int)]
    return out


def _civil(parts: dict[str, np.ndarray], month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Seconds since 1970 of dates of the Gregorian calendar; NaN for days that it does not have."""
    year = parts["y"]
    valid = (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1) & (year <= 9999)
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0).astype(np.int64).astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    length = (months + 1).astype("datetime64[D]").astype(np.int64) - first
    valid &= day <= length
    with np.errstate(invalid="ignore"):
        seconds = (first + day - 1) * 86_400.0 + _of_day(parts) - parts["z"]
    return np.where(valid, seconds, np.nan)


def _of_day(parts: dict[str, np.ndarray]) -> np.ndarray:
    """Seconds since midnight; NaN for times that no clock shows."""
    hour, minute, second = (np.nan_to_num(parts[name]) for name in "HMS")
    half = parts["p"]
    hour = np.where(np.isnan(half), hour, hour % 12 + 12 * np.nan_to_num(half))
    fraction = np.nan_to_num(parts["f"])
    seconds = hour * 3600 + minute * 60 + second + fraction
    return np.where((hour < 24) & (minute < 60) & (second < 61), seconds, np.nan)


def clock_of(column: pa.Array) -> np.ndarray:
    """A column of times of day as seconds since midnight, NaN where there is none.

    >>> clock_of(pa.array(["18:30", "6:05:01 pm", ""]))
    array([66600., 65101.,    nan])
    """
    if pa.types.is_time(column.type):
        return np.array(
            [np.nan if v is None else v.hour * 3600.0 + v.minute * 60 + v.second for v in column.to_pylist()]
        )
    parts = _parts(text_of(column), CLOCK)
    return np.where(np.isnan(parts["H"]), np.nan, _of_day(parts))
