"""Checks of names among known ones, of truth values, of ids, and of what must be given or left out."""

from __future__ import annotations

import numbers
import os
import re
from collections.abc import Collection, Iterable, Sequence, Sized
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from xattn.errors.arrays import check_index_array
from xattn.errors.tree import NotFittedError, refuse

__all__ = [
    "check_choice",
    "check_fitted",
    "check_flag",
    "check_given",
    "check_id",
    "check_ids",
    "check_named",
    "check_pair",
    "check_path",
    "check_positions",
    "check_some",
    "check_type",
    "some_of",
]

T = TypeVar("T")


FEW = 6  # names that a sentence quotes at most
MOST_COMPARED = 10_000  # names that a wrong one is compared with, for a sentence in well under a second
_NOT_IN_AN_ID = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def check_choice(name: str, value: Any, choices: Collection[str]) -> str:
    """`value` if it is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        refuse("choice", name=name, choices=tuple(choices), got=value)
    return value


def check_named(name: str, value: Any, known: Collection[str], what: str, **fields: Any) -> str:
    """`value` if it is among `known`. The sentence quotes some of them; of many, those that are spelled most like it.

    `what` the names are: the phrase of the catalogue, filled with `fields`.

    >>> check_named("where", "drama", ["Drama", *"ABCDEFG"], "value_of", column="genres")
    Traceback (most recent call last):
    xattn.errors.InputError: `where` must name a value of 'genres' ('Drama' and 7 more); got 'drama'.
    """
    if isinstance(value, str) and value in known:
        return value
    names = list(known)
    near: list[str] = []
    if isinstance(value, str) and FEW < len(names) <= MOST_COMPARED:
        folded = {known_name.casefold()[:60]: known_name for known_name in reversed(names)}
        near = [folded[match] for match in get_close_matches(value.casefold()[:60], folded, n=3, cutoff=0.6)]
    some = some_of([*near, *(known_name for known_name in names if known_name not in near)], len(near) or FEW)
    refuse("named", name=name, what=what, got=value, **some, **fields)


def some_of(names: Sequence[str], most: int = FEW) -> dict[str, Any]:
    """The fields of `names` for the phrase ``{some:phrase}``: the first `most` of them, and how many more there are."""
    rest = max(len(names) - most, 0)
    some = "names_and_more" if rest else "names" if names else "no_names"
    return {"some": some, "known": tuple(names[:most]), "rest": rest}


def check_flag(name: str, value: Any) -> bool:
    """`value` as a bool; numbers and text are not taken for truth values."""
    if not isinstance(value, (bool, np.bool_)):
        refuse("flag", name=name, got=value)
    return bool(value)


def check_type(name: str, value: Any, kind: type[T], what: str) -> T:
    """`value` if it is a `kind`. `what` that is: the phrase of the catalogue."""
    if not isinstance(value, kind):
        refuse("type", name=name, what=what, got=value)
    return value


def check_some(name: str, values: Sized, what: str) -> None:
    """There is at least one of `values`. `what` they are: the phrase of the catalogue."""
    if not len(values):
        refuse("some", name=name, what=what)


def check_pair(name: str, value: Any) -> tuple[Any, Any]:
    """`value`, a tuple of two."""
    if not isinstance(value, tuple) or len(value) != 2:
        refuse("pair", name=name, got=value)
    return value


def check_ids(name: str, value: Any, what: str = "item") -> list[Any]:
    """`value`, several ids, as a list; not one text, and no table. The ids themselves are checked where they are used.

    >>> check_ids("exclude", "i1")
    Traceback (most recent call last):
    xattn.errors.InputError: `exclude` must be a list of item ids; got 'i1'.
    """
    if not is_listing(value):
        refuse("list_of_ids", name=name, what=what, got=value)
    return list(value)


def check_listing(name: str, value: Any) -> Iterable[Any]:
    """`value`, several things in a row; see `is_listing`."""
    if not is_listing(value):
        refuse("type", name=name, what="a_list", got=value)
    return value  # type: ignore[no-any-return]


def is_listing(value: Any) -> bool:
    """`value` holds several things in a row: no text, no number in the shape of an array, no table.

    >>> is_listing(["i1"]), is_listing("i1"), is_listing(np.array("i1")), is_listing(np.zeros((2, 2)))
    (True, False, False, False)
    """
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes)) and getattr(value, "ndim", 1) == 1


def check_positions(name: str, value: Any, *, size: int) -> list[int]:
    """`value`, some positions of 0..size-1, or one of them, as a sorted list without repeats."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))
    one = [value] if whole else value
    given = list(one) if isinstance(one, Iterable) and not isinstance(one, (np.ndarray, str, bytes)) else one
    return sorted(set(check_index_array(name, given, size=size).tolist()))


def check_path(name: str, value: Any) -> Path:
    """`value`, a text or an object that stands for a path (`pathlib.Path`), as a Path."""
    if not isinstance(value, (str, os.PathLike)) or not isinstance(os.fspath(value), str):
        refuse("type", name=name, what="a_path", got=value)
    return Path(value)


def check_id(name: str, value: Any) -> str:
    """A user or item id as text: text as it is, a whole number in decimal digits.

    Refused: other types, fractions, floats of 2**53 and more (their digits are lost already), whole numbers of over 60
    digits, blank text, and text with control characters or lone surrogates (it can be neither shown on one line nor
    written to a file).

    >>> check_id("item", 7), check_id("item", "007")
    ('7', '007')
    """
    if isinstance(value, str):
        if not value.strip() or _NOT_IN_AN_ID.search(value):
            refuse("id_text", name=name, got=value)
        return str(value)
    if isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_)) and abs(int(value)) < 10**60:
        return str(int(value))
    if isinstance(value, (float, np.floating)) and abs(float(value)) < 2**53 and float(value).is_integer():
        return str(int(value))
    refuse("id", name=name, got=value)


def check_given(name: str, value: Any, *, wanted: bool, when: str, choice: str) -> None:
    """A parameter that only some choices have is there with those and absent with the others.

    `when` and `choice` say with what: ("protocol", "given"), ("scorer", "additive").
    """
    if (value is None) == wanted:
        found = "amount" if isinstance(value, (bool, int, float)) else "one"
        refuse("given" if wanted else "left_out", name=name, when=when, choice=choice, found=found, got=value)


def check_fitted(estimator: Any, attribute: str, error: type[NotFittedError] = NotFittedError) -> None:
    """The estimator has been fitted (holds `attribute`); else `error` is raised."""
    if not hasattr(estimator, attribute):
        refuse("not_fitted", kind=error, name=type(estimator).__name__)
