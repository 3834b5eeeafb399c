"""Tables cut, or grown with zeros, to another size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xattn.app.learn.sheet import Sheet
from xattn.app.ui.editors import Names, Table

__all__ = ["resized", "with_columns"]


def _row(row: Sequence[float], d: int) -> tuple[float, ...]:
    """A row with d numbers.

    >>> _row((1.0, 2.0), 3), _row((1.0, 2.0), 1)
    ((1.0, 2.0, 0.0), (1.0,))
    """
    return (*row[:d], *(0.0,) * (d - len(row)))


def _table(table: Sequence[Sequence[float]], n: int, d: int) -> Table:
    """A table with n rows of d numbers."""
    rows = [*table[:n], *[()] * (n - len(table))]
    return tuple(_row(row, d) for row in rows)


def _names(names: Names, n: int) -> Names:
    """Names cut, or grown with dashes, to n; none where there are none."""
    return tuple([*names, *"–" * n][:n]) if names else ()


def resized(sheet: Sheet, n: int, d: int, m: int) -> Sheet:
    """A sheet of the lesson with n events of d coordinates, and an item of m coordinates for each."""
    return replace(
        sheet,
        features=_names(sheet.features, d),
        events=_names(sheet.events, n),
        titles=_names(sheet.titles, n),
        query=_row(sheet.query, d),
        keys=_table(sheet.keys, n, d),
        items=_table(sheet.items, n, m),
        W=_table(sheet.W, d, d) if sheet.W else (),
        Wq=_table(sheet.Wq, len(sheet.v), d) if sheet.v else (),
        Wk=_table(sheet.Wk, len(sheet.v), d) if sheet.v else (),
    )


def with_columns(sheet: Sheet, d: int) -> Sheet:
    """The sheet with all its vectors in d coordinates; as many rows as before."""
    keys, items = (_table(table, len(table), d) for table in (sheet.keys, sheet.items))
    return replace(sheet, query=_row(sheet.query, d), keys=keys, items=items)
