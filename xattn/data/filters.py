"""Filters: conditions on item columns → the items that meet them all.

    where = {"genres": {"Comedy", "Drama"}, "year": (1990, 1999)}

    column of    a condition is                                       a cell meets it that
    numbers      a number, a range (low, high), a list or set of      is one of them, or lies in the range, whose ends
                 numbers                                              count in and may be None: open
    text         a text, a list or set of texts                       is one of them, or has one of them among its
                 categories, which | (else ; else ,) parts

A cell in which nothing is known meets no condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xattn.data.items import ItemTable
from xattn.data.values import plain_texts
from xattn.errors import check_named, check_number, check_range, check_some, check_type, is_listing, shown

__all__ = ["matching"]

MARKS = "|;,"  # what may part the categories of a cell; the first that occurs in a column does
NO_ROWS = np.empty(0, np.int64)


def matching(items: ItemTable, where: Mapping[str, Any]) -> np.ndarray:
    """The items that meet every condition of `where`, as (M,) bool.

    Raises InputError for a column that is not there, a text that no item has, and a condition that does not suit its
    column. A number or a range that no item meets is no error: nothing is met.

    >>> frame = pd.DataFrame({"genres": ["War|Drama", "Drama"], "year": [1979.0, 1985.0]})
    >>> table = ItemTable(("a", "b"), ("A", "B"), frame)
    >>> matching(table, {"genres": "Drama", "year": (1980, None)})
    array([False,  True])
    """
    check_type("where", where, Mapping, "conditions")  # type: ignore[type-abstract]
    columns = {str(name): name for name in items.frame.columns}
    met = np.ones(len(items), bool)
    for name, condition in where.items():
        column = items.frame[columns[check_named("where", name, columns, "item_column")]]
        what = f"where[{shown(name, limit=30)}]"
        if pd.api.types.is_numeric_dtype(column.dtype):
            met &= _numbers_met(what, column, condition)
        else:
            met &= _texts_met(items, str(name), column, condition, what)
    return met


def _numbers_met(what: str, column: pd.Series[Any], condition: Any) -> np.ndarray:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if isinstance(condition, tuple):
        low, high = check_range(what, condition)
        return (low <= values) & (values <= high)
    truth = pd.api.types.is_bool_dtype(column.dtype)
    wanted = [
        float(value) if truth and isinstance(value, (bool, np.bool_)) else check_number(what, value)
        for value in _alternatives(what, condition)
    ]
    return np.isin(values, wanted)


def _texts_met(items: ItemTable, name: str, column: pd.Series[Any], condition: Any, what: str) -> np.ndarray:
    cells = items.kept.get(("cells", name))
    if cells is None:
        cells = items.kept["cells", name] = _Cells.of(column)
    met = np.zeros(len(items), bool)
    for text in _alternatives(what, condition):
        text = text.strip() if isinstance(text, str) else text
        if not isinstance(text, str) or text not in cells.by_text:
            text = check_named("where", text, cells.by_category, "value_of", column=name)
        met[cells.by_text.get(text, NO_ROWS)] = True
        met[cells.by_category.get(text, NO_ROWS)] = True
    return met


def _alternatives(what: str, condition: Any) -> list[Any]:
    """The values of which any will do."""
    if isinstance(condition, Mapping) or not is_listing(condition):
        return [condition]
    values = list(condition)
    check_some(what, values, "value_held")
    return values


class _Cells(NamedTuple):
    """A text column taken apart: the rows of each whole text, and of each category, alphabetically."""

    by_text: dict[str, np.ndarray]
    by_category: dict[str, np.ndarray]

    @classmethod
    def of(cls, column: pd.Series[Any]) -> _Cells:
        texts = [text.strip() for text in plain_texts(column)]
        found = set().union(*map(set, texts))
        mark = next((mark for mark in MARKS if mark in found), MARKS[0])
        parts = [{part.strip() for part in text.split(mark)} for text in texts]
        return cls(_rows_of([{text} for text in texts]), _rows_of(parts))


def _rows_of(texts: list[set[str]]) -> dict[str, np.ndarray]:
    rows: dict[str, list[int]] = {}
    for row, own in enumerate(texts):
        for text in own - {""}:
            rows.setdefault(text, []).append(row)
    return {text: np.array(rows[text], np.int64) for text in sorted(rows)}
