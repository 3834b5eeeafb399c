"""Where a table came from: the name and line numbers that an error sentence about its content quotes.

A `Source` knows what to call the table ("'ratings.csv'", "`frame`") and what to call the place of its row i ("line 7").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from xattn.errors import DataError

__all__ = ["Source"]


def _row(row: int) -> str:
    return f"row {row}"


class Source(NamedTuple):
    """A table's name in error sentences, and the place of its row i (rows count from 0, lines of a file from 1).

    >>> Source("`frame`").error("`rating` must be a finite number", "'x'", row=3)
    DataError("`frame` row 3: `rating` must be a finite number; got 'x'.")
    """

    label: str
    place: Callable[[int], str] = _row

    def error(self, must: str, got: str, row: int | None = None) -> DataError:
        """The refusal to raise: the source, the place when `row` is given, what must hold, what was got."""
        where = self.label if row is None else f"{self.label} {self.place(row)}".rstrip()
        return DataError(f"{where}: {must}; got {got}.")
