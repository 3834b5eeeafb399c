"""Checks of single numbers, and of a range or a few counts."""

from __future__ import annotations

import math
import numbers
from datetime import UTC, datetime
from typing import Any, NoReturn

import numpy as np

from xattn.errors.tree import refuse
from xattn.i18n.sentence import Quoted

__all__ = ["check_counts", "check_moment", "check_number", "check_probability", "check_range", "check_whole"]

SECONDS = 2e8  # from here on a number as text is one of seconds, as in files
FIRST, LAST = -62_135_596_800.0, 253_402_300_799.0  # seconds of the years 1 and 9999


def check_number(
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = False,
    finite: bool = True,
) -> float:
    """`value` as a float within [low, high], without an end that is open; +inf passes only with ``finite=False``."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        number, fits = math.nan, False
    else:
        try:
            number = float(value)
        except OverflowError:  # a whole number or a fraction of over 300 digits
            number = math.inf if value > 0 else -math.inf  # type: ignore[operator]
        fits = (low < number if open_low else low <= number) and (number < high if open_high else number <= high)
        value = number
    if not fits or (finite and math.isinf(number)):
        ends = []
        if low > -math.inf:
            ends.append("over" if open_low else "from")
        if high < math.inf:
            ends.append("under" if open_high else "to")
        refuse(
            "number",
            name=name,
            got=value,
            span="_".join(["number", *(ends or ["any"])]),
            sort="finite_number" if finite else "number",
            low=low if low > -math.inf else None,
            high=high if high < math.inf else None,
        )
    return number


def check_moment(name: str, value: Any) -> float:
    """Seconds since 1970: a number as it is or as text, ISO 8601 as text, a datetime; without a zone both are UTC.

    >>> check_moment("at", "1970-01-02T00:00:00"), check_moment("at", "1970-01-01T01:00+01:00"), check_moment("at", 7)
    (86400.0, 0.0, 7.0)
    """
    if not isinstance(value, (str, datetime)):
        return check_number(name, value, low=FIRST, high=LAST)
    try:
        seconds = _seconds(value)
    except (ValueError, OverflowError):
        seconds = math.nan
    if not FIRST <= seconds <= LAST:  # pandas' datetime that is none, too
        refuse("moment", name=name, got=str(value), low=SECONDS, high=LAST)
    return seconds


def _seconds(value: str | datetime) -> float:
    try:
        found = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        number = float(str(value))
        return number if number >= SECONDS else math.nan  # a year, or a running number
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def check_probability(name: str, value: Any) -> float:
    """`value` as a float from 0 to 1."""
    return check_number(name, value, low=0.0, high=1.0)


def check_whole(name: str, value: Any, *, low: int = 0, high: int | None = None) -> int:
    """`value` as an int from `low` to `high` (both included)."""
    if (
        isinstance(value, (bool, np.bool_))
        or not isinstance(value, numbers.Integral)
        or int(value) < low
        or (high is not None and int(value) > high)
    ):
        refuse("whole", name=name, got=value, low=low, high=high, span=f"whole_from{'_to' * (high is not None)}")
    return int(value)


def check_range(name: str, value: Any) -> tuple[float, float]:
    """`value`, a pair (low, high), as floats with low <= high; None leaves an end open.

    >>> check_range("year", (1990, None))
    (1990.0, inf)
    """
    if not isinstance(value, tuple) or len(value) != 2:
        refuse("range", name=name, got=value)
    open_ends = (-math.inf, math.inf)
    low, high = (
        end if given is None else check_number(name, given, finite=False)
        for given, end in zip(value, open_ends, strict=True)
    )
    if low > high:
        refuse("range_falls", name=name, low=low, high=high)
    return low, high


def check_counts(name: str, value: Any, *, parts: int, low: int, high: int) -> np.ndarray:
    """`value`, a whole number from `low` to `high` for each of `parts` parts (or one for all), as int64 (parts,)."""

    def no(**found: Any) -> NoReturn:
        refuse("counts", name=name, parts=parts, low=low, high=high, **found)

    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        no(found="value", got=value)
    if array.ndim == 0:
        return np.full(parts, check_whole(name, value, low=low, high=high), dtype=np.int64)
    if isinstance(value, np.ma.MaskedArray) or array.dtype.kind not in "iu" or array.shape != (parts,):
        no(found="type_and_shape", dtype=Quoted(array.dtype), shape=array.shape)
    bad = [end for end in map(int, (array.min(), array.max())) if not low <= end <= high] if array.size else []
    if bad:
        no(found="value", got=bad[0])
    return np.require(array, np.int64, ("C", "ALIGNED"))
