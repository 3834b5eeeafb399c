"""Cells copied from a spreadsheet: lines of text → names, features, numbers.

        time (min)   visits        the first line may name the features,
jazz    12           3             the first column the rows
hiking  40           1
"""

from __future__ import annotations

import csv
import io
import math
from typing import NamedTuple

from xattn.app.learn.sheet import MOST_COLUMNS, MOST_NAME, MOST_ROWS
from xattn.app.ui.editors import Names, Table
from xattn.errors import refuse

__all__ = ["Pasted", "read"]

MOST_CHARACTERS = 100_000


class Pasted(NamedTuple):
    """What was in the cells; `names` and `features` are empty where there were none."""

    names: Names
    features: Names
    table: Table


def read(text: str) -> Pasted:
    """The cells of `text`, parted by tabs, semicolons or commas.

    Raises InputError where there is nothing, too much, rows of several lengths, or a cell that is no finite number.

    >>> read("\\ttime\\tvisits\\njazz\\t12\\t3\\n")
    Pasted(names=('jazz',), features=('time', 'visits'), table=((12.0, 3.0),))
    >>> read("1,5;2\\n3;4").table
    ((1.5, 2.0), (3.0, 4.0))
    """
    if len(text) > MOST_CHARACTERS:
        refuse("text_long", subject="pasted_text", most=MOST_CHARACTERS, got=len(text))
    mark = next((mark for mark in "\t;" if mark in text), ",")
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=mark) if any(row)]
    if not rows:
        refuse("pasted_empty")
    features: Names = ()
    if all(_number(cell, mark) is None for cell in rows[0][1:] or rows[0]):
        features, rows = _names(rows[0]), rows[1:]
        if not rows:
            refuse("pasted_names")
    named = any(_number(row[0], mark) is None for row in rows)
    names = _names([row[0] or "–" for row in rows]) if named else ()
    cells = [row[1:] if named else row for row in rows]
    wide = len(cells[0])
    if named and len(features) == wide + 1:
        features = features[1:]
    if not wide or any(len(row) != wide for row in cells) or len(features) not in (0, wide):
        refuse("text_ragged", subject="pasted_text")
    if len(cells) > MOST_ROWS or wide > MOST_COLUMNS:
        refuse("pasted_size", rows=MOST_ROWS, columns=MOST_COLUMNS, got_rows=len(cells), got_columns=wide)
    return Pasted(names, features, tuple(tuple(_checked(cell, mark) for cell in row) for row in cells))


def _names(cells: list[str]) -> Names:
    return tuple("".join(c if c.isprintable() else " " for c in cell)[:MOST_NAME].strip() for cell in cells)


def _number(cell: str, mark: str) -> float | None:
    """A cell as a number; a comma is a decimal point where it does not part cells."""
    try:
        return float(cell.replace(",", ".") if mark != "," else cell)
    except ValueError:
        return None


def _checked(cell: str, mark: str) -> float:
    number = _number(cell, mark)
    if number is None or not math.isfinite(number):
        refuse("pasted_number", got=cell)
    return number
