"""One column of a foreign table → one checked array: ids as codes and texts, numbers as float64, times as seconds.

Columns come as pandas Series of any type (text from a CSV file, Arrow types from Parquet, anything from a frame).
Each function raises DataError with the row of the first bad value; none guesses.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xattn.data.source import Source
from xattn.errors import InputError, check_id, shown

__all__ = ["Coded", "coded_ids", "numbers", "plain_texts", "seconds"]

MISSING = -1


class Coded(NamedTuple):
    """A column of ids: `codes` (n,) int64 into `ids`, −1 where there is none; `ids` in order of first appearance."""

    codes: np.ndarray
    ids: tuple[str, ...]


def _is_blank(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    nan = isinstance(value, (float, np.floating)) and value != value
    return nan or value is None or value is pd.NA or value is pd.NaT


def coded_ids(column: pd.Series[Any], source: Source, what: str) -> Coded:
    """The column as ids; text survives exactly ("NA", "007"), whole numbers become their digits, blank is −1.

    >>> coded_ids(pd.Series(["007", "7", "", "007"]), Source("`frame`"), "item")
    Coded(codes=array([ 0,  1, -1,  0]), ids=('007', '7'))
    """
    if column.dtype == object:  # any mixture: value by value, so that 1 and "1" are one id and True is none
        raw = list(column)
        codes = np.arange(len(raw), dtype=np.int64)
    else:
        coded, uniques = pd.factorize(column)
        codes, raw = np.asarray(coded, dtype=np.int64), list(uniques)
    code_of: dict[str, int] = {}
    final = np.full(len(raw) + 1, MISSING, dtype=np.int64)  # the last entry serves the code −1
    for old, value in enumerate(raw):
        if _is_blank(value):
            continue
        try:
            text = check_id(what, value)
        except InputError:
            must = f"the {what} id must be text on one line or a whole number"
            raise source.error(must, shown(value), int(np.flatnonzero(codes == old)[0])) from None
        final[old] = code_of.setdefault(text, len(code_of))
    return Coded(final[codes], tuple(code_of))


def _as_text(column: pd.Series[Any]) -> pa.Array:
    """The column as Arrow text without blanks around it."""
    if isinstance(column.dtype, (pd.StringDtype, pd.ArrowDtype)):
        text = pa.array(column, from_pandas=True).cast(pa.string())
    else:
        text = pa.array([str(value).encode("utf-8", "replace").decode() for value in column], pa.string())
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    return pc.utf8_trim_whitespace(pc.fill_null(text, ""))


def _text_as_floats(text: pa.Array) -> np.ndarray | int:
    """All texts as floats (correctly rounded), or the row of the first that is no number."""
    try:
        return np.asarray(pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        return bisect_left(range(1, len(text)), True, key=lambda n: not _are_numbers(text[:n]))


def _are_numbers(text: pa.Array) -> bool:
    try:
        pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def numbers(column: pd.Series[Any], source: Source, what: str, *, finite: bool = True) -> np.ndarray:
    """The column as (n,) float64; NaN, infinities and overflowing digits ("1e999") are refused when `finite`."""
    must = f"{what} must be a finite number"
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_complex_dtype(column.dtype):
        raise source.error(must, f"values of type {column.dtype}")
    text: pa.Array | None = None
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        text = _as_text(column)
        parsed = _text_as_floats(text)
        if isinstance(parsed, int):
            raise source.error(must, shown(text[parsed].as_py()), parsed)
        values = parsed
    bad_rows = np.flatnonzero(~np.isfinite(values))
    if finite and bad_rows.size:
        row = int(bad_rows[0])
        raise source.error(must, shown(float(values[row]) if text is None else text[row].as_py()), row)
    return np.array(values, dtype=np.float64)


def seconds(column: pd.Series[Any], source: Source, what: str) -> np.ndarray:
    """The column as (n,) float64 seconds since 1970-01-01 UTC.

    Taken: numbers (seconds; or milli-, micro-, nanoseconds where the largest is too large for the unit before),
    eight-digit dates (20240131), ISO 8601 dates and times (without an offset they are UTC), datetime columns.

    >>> seconds(pd.Series(["2024-01-31T00:00:01"]), Source("`frame`"), "time") - seconds(pd.Series([1706659200]),
    ...         Source("`frame`"), "time")
    array([1.])
    """
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _epoch(numbers(column, source, what))
    must = f"{what} must be seconds since 1970 or an ISO date such as 2024-01-31 18:30:00"
    if isinstance(column.dtype, (np.dtype, pd.DatetimeTZDtype)) and pd.api.types.is_datetime64_any_dtype(column.dtype):
        moments = pd.to_datetime(column, utc=True)
        text = None
    else:
        text = _as_text(column)
        values = _text_as_floats(text)
        if not isinstance(values, int):
            return _epoch(numbers(pd.Series(values), source, what))
        if values > 0:  # the lines before this one hold numbers
            raise source.error(must, shown(text[values].as_py()), values)
        dated = pc.match_substring_regex(text, r"^\d{4}")  # keeps out "now", "today", which pandas would take
        clean = pd.Series(pc.if_else(dated, text, "").to_pylist(), dtype=object)
        moments = pd.to_datetime(clean, format="ISO8601", utc=True, errors="coerce")
    missing = np.flatnonzero(moments.isna().to_numpy())
    if missing.size:
        row = int(missing[0])
        raise source.error(must, shown("" if text is None else text[row].as_py()), row)
    whole = moments.dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
    return whole / 1e6


def _epoch(values: np.ndarray) -> np.ndarray:
    """Numbers as seconds: beyond 1e11 (the year 5138) they are milli-, beyond 1e14 micro-, beyond 1e17 nanoseconds."""
    largest = float(np.abs(values).max(initial=0.0))
    if values.size and np.all((values >= 19000101) & (values <= 21001231) & (values == np.floor(values))):
        days = pd.to_datetime(pd.Series(values.astype(np.int64).astype(str)), format="%Y%m%d", errors="coerce")
        if not days.isna().any():
            return days.to_numpy().astype("datetime64[s]").astype(np.int64).astype(np.float64)
    unit = next((unit for limit, unit in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)) if largest > limit), 1.0)
    return values / unit


def plain_texts(column: pd.Series[Any]) -> list[str]:
    """The column as Python text, missing values as ""; nothing is refused."""
    return ["" if _is_blank(value) else str(value) for value in column]
