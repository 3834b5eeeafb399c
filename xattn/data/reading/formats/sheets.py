"""An Excel file → the table of one of its sheets: the only one that holds one, or the first that suits."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pyarrow as pa

from xattn.data.reading.cells import column_of
from xattn.data.reading.formats.unpack import DAMAGED
from xattn.data.reading.table import Facts, Table
from xattn.data.reading.words import hints_of
from xattn.data.source import Source

__all__ = ["sheet_table"]

MOST_ROWS = 1_048_576  # of a sheet


def sheet_table(raw: bytes, source: Source, name: str, facts: Facts) -> Table:
    """The sheet whose header suggests most roles; lines are its rows, counted from 1."""
    try:
        import openpyxl
    except ImportError:
        source.refuse("no_openpyxl")
    try:
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        sheets = [(sheet.title, _rows(sheet)) for sheet in book.worksheets]
    except (*DAMAGED, SyntaxError, TypeError, AttributeError) as problem:
        source.refuse("not_whole", form="excel_file", got=str(problem))
    sheets = [(title, rows) for title, rows in sheets if rows]
    if not sheets:
        source.refuse("empty_file")
    title, rows = max(sheets, key=lambda sheet: sum(bool(hints_of(str(cell))) for cell in sheet[1][0][1]))
    width = max(len(cells) for _, cells in rows)
    rows = [(number, [*cells, *[None] * (width - len(cells))]) for number, cells in rows]
    first = ["" if cell is None else str(cell).strip() for cell in rows[0][1]]
    header = any(hints_of(text) for text in first) or all(
        isinstance(cell, str) for cell in rows[0][1] if cell is not None
    )
    names = first if header else [str(number) for number in range(1, width + 1)]
    body = rows[1:] if header else rows
    columns = [(label, _column([cells[place] for _, cells in body])) for place, label in enumerate(names)]
    columns = [(label, column) for label, column in columns if label or column.null_count < len(column)]
    where = [number for number, _ in body]
    several = f"{name}/{title}" if len(sheets) > 1 else name
    facts = facts._replace(kind="Excel", header=header)
    return Table.of_columns(columns, source, several, facts, lines=lambda those: pa.array(where).to_numpy()[those])


def _rows(sheet: Any) -> list[tuple[int, list[Any]]]:
    """Row number and cells of each row that is not empty, without empty cells at its end."""
    found = []
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > MOST_ROWS:
            break
        own = list(cells)
        while own and (own[-1] is None or own[-1] == ""):
            own.pop()
        if own:
            found.append((number, own))
    return found


def _column(values: list[Any]) -> pa.Array:
    times = [value for value in values if isinstance(value, (datetime.datetime, datetime.date, datetime.time))]
    if times and len(times) < sum(value is not None for value in values):  # dates as text among true ones
        values = [value.isoformat(" ") if isinstance(value, datetime.datetime) else value for value in values]
        return column_of([None if value is None else str(value) for value in values])
    return column_of(values)
