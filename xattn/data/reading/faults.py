"""What is likely wrong with ids, titles, times and rows, found in arrays that are read; nothing is changed here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["DIFFER", "Alike", "alike", "bots", "calendar", "exact_repeats", "garbled", "odd_times", "repeats", "ties"]

OLD, NEW = 1e8, 4.1e9  # 1973 and 2099: what a clock that was never set, or a slip, gives
START = 5e8  # November 1985: what lies before it, at the median, are running numbers
DAY = 86_400.0
BOT_GAP = 1.0  # seconds between two events, at the median, that no person keeps up
BOT_EVENTS = 200
CROWD = 50  # times the median user's number of events


class Alike(NamedTuple):
    """`n` ids that differ from another one by `how` alone, and an example of such a pair."""

    how: str
    n: int
    example: tuple[str, str]
    ids: frozenset[str]


DIFFER: dict[str, Callable[[str], str]] = {
    "blanks": lambda text: re.sub(r"\s+", "", text),
    "zeros": lambda text: text.lstrip("0") or "0",
    "floats": lambda text: re.sub(r"(?<=\d)\.0+$", "", text),
    "case": str.casefold,
    "forms": lambda text: unicodedata.normalize("NFKC", text),
}


def alike(ids: Sequence[str], others: Sequence[str] | None = None) -> list[Alike]:
    """Ids that would be the same as another (or as one of `others`) but for one way of writing.

    >>> alike(["7", "007", "8"])[0][:3]
    ('zeros', 1, ('007', '7'))
    """
    found = []
    known = set(ids) if others is None else set(others)
    missing = ids if others is None else [one for one in ids if one not in known]
    for how, plain in DIFFER.items():
        if how == "forms" and all(one.isascii() for one in ids):
            continue
        by_plain: dict[str, str] = {}
        for one in ids if others is None else others:
            by_plain.setdefault(plain(one), one)
        hits = [(one, twin) for one in missing if (twin := by_plain.get(plain(one))) is not None and twin != one]
        if others is None:
            hits = [(one, twin) for one, twin in hits if not _both_given(one, twin, how)]
        if hits:
            found.append(Alike(how, len(hits), hits[0], frozenset(one for one, _ in hits)))
    return found


def _both_given(one: str, twin: str, how: str) -> bool:
    """Two ids that are no slip: hashes and codes of one length differ by capital letters on purpose."""
    return how == "case" and len(one) >= 8 and one.isalnum() and not one.isalpha()


def garbled(texts: pa.Array) -> np.ndarray:
    """Rows (n,) bool of texts that look as if UTF-8 had been read as something else.

    >>> garbled(pa.array(["AmÃ©lie", "Amélie"]))
    array([ True, False])
    """
    found = pc.match_substring_regex(texts, GARBLED)
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), bool)


GARBLED = (
    "Ã[\u0080-\u00bf¡-¿ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|Â[\u00a0-¿]|â€|ï»¿|ï¿½|锟斤拷|烫烫烫|\ufffd"
    "|[åäæçèé][\u0080-\u00bf¡-¿…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œžŸ]{2}"
)


def calendar(seconds: np.ndarray) -> bool:
    """Whether times are moments of the calendar, which a clock can be set beside: no running numbers, no seconds since
    a start of their own, no milliseconds.

    >>> calendar(np.array([1.0, 2.0, 3.0])), calendar(np.array([8.5e8, 1.7e9])), calendar(np.array([1.7e12]))
    (False, True, False)
    """
    return bool(seconds.size and START <= np.median(seconds) <= NEW)


def odd_times(seconds: np.ndarray, now: float) -> np.ndarray:
    """Rows whose time is far from all others or after tomorrow."""
    known = seconds[~np.isnan(seconds)]
    if not known.size or np.median(known) < START:  # running numbers, days since a start
        return np.empty(0, np.int64)
    return np.flatnonzero((seconds < OLD) | (seconds > min(now + DAY, NEW)))


def ties(user: np.ndarray, item: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Rows that have the time of another row of the same user, with another item."""
    order = np.lexsort((time, user))
    same = (np.diff(user[order]) == 0) & (np.diff(time[order]) == 0) & (np.diff(item[order]) != 0)
    tied = np.zeros(len(user), bool)
    tied[order[1:][same]] = True
    tied[order[:-1][same]] = True
    return np.flatnonzero(tied)


def repeats(user: np.ndarray, item: np.ndarray) -> int:
    """How many events meet an item that their user had met before."""
    if not len(user):
        return 0
    return len(user) - len(np.unique(user * (int(item.max()) + 1) + item))


def exact_repeats(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Rows that are equal, in all columns, to one above."""
    order = np.lexsort(tuple(columns[::-1]))
    same = np.ones(max(len(order) - 1, 0), bool)
    for column in columns:
        own = column[order]
        equal = own[1:] == own[:-1]
        if own.dtype.kind == "f":
            equal |= np.isnan(own[1:]) & np.isnan(own[:-1])
        same &= equal
    return np.sort(order[1:][same])


def bots(user: np.ndarray, time: np.ndarray | None) -> np.ndarray:
    """User codes that act more often than people do: many events, a second or less between most of them; or a crowd."""
    counts = np.bincount(user)
    many = np.flatnonzero(counts >= BOT_EVENTS)
    if not many.size:
        return many
    usual = float(np.median(counts[counts > 0]))
    crowd = many[(counts[many] > CROWD * max(usual, 20.0))]
    if time is None:
        return crowd
    order = np.lexsort((time, user))
    start = np.concatenate([[0], np.cumsum(counts)])
    quick = []
    for code in many.tolist():
        own = time[order[start[code] : start[code + 1]]]
        gaps = np.diff(own)
        moved = own[-1] - own[0] > 60  # times by the day or by running number say nothing
        if moved and (gaps > 0).mean() > 0.5 and np.median(gaps) <= BOT_GAP and np.median(own) > 5e8:
            quick.append(code)
    return np.union1d(crowd, np.array(quick, np.int64))
