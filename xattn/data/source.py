"""Where a table came from: the name and the places of rows that an error sentence about its content quotes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from xattn.errors import DataError, Quoted, refuse

__all__ = ["Source"]

PLACES = {"line": ("source_line", "first_line"), "row": ("source_row", "first_row")}  # phrases: with the source, alone


class Source(NamedTuple):
    """A table's name in error sentences ("'ratings.csv'", "`frame`"), and where its row i stands.

    `unit` is "line" for a file of text, whose lines count from 1, and "row" for other tables, whose rows count from 0.

    >>> Source("`frame`").refuse("infinite_column", row=3, column="x", got=float("inf"))
    Traceback (most recent call last):
    xattn.errors.DataError: `frame` row 3: column 'x' must hold finite numbers; got inf.
    """

    label: str
    unit: str = "row"
    number: Callable[[int], int] = int

    def refuse(self, code: str, /, row: int | None = None, line: int | None = None, **fields: Any) -> NoReturn:
        """Raise the DataError that names the source, and the place of a `row` or the `line` of a text."""
        place: dict[str, Any] = {"where": "source"}
        if line is not None or row is not None:
            where, first = PLACES["row" if line is None and self.unit == "row" else "line"]
            place = {"where": where, "first": first, "at": self.number(row) if row is not None else line}
        refuse(code, kind=DataError, source=Quoted(self.label), **place, **fields)
