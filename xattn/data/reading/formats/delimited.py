"""A table in text (CSV and its kin) → its cells, exactly the text that they are, or the line that is wrong.

Arrow parses: it is fast, and strict about the number of cells. But it takes a quote that is opened in one line and
closed in another for one cell, and two lines become one unnoticed. So a file with quotes is scanned first by
Python's strict reader, which also names the line where anything is wrong.

Lines of separators or of blanks alone are empty lines. A line equal to the header is left out, and told.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from xattn.data.reading.formats.layout import PAIR, Layout
from xattn.data.reading.table import MAX_COLUMNS, Facts, Table
from xattn.data.source import Source
from xattn.errors import DataError

__all__ = ["MAX_CELL", "delimited"]

MAX_CELL = 131_072  # characters; Python's reader stops there too. A longer cell is an open quote, or no table
UNIT = "\x1f"  # the ASCII unit separator, which stands in for a pair: Arrow splits at one character only
KINDS = {",": "CSV", "\t": "TSV", ";": "CSV", "|": "CSV", PAIR: "MovieLens"}
MOST_TOLD = 5  # lines that one sentence names
BLANK_LINE = re.compile(rb"(?m)^[ \t]+\r?$")


def delimited(raw: bytes, layout: Layout, source: Source, name: str, facts: Facts) -> Table:
    """All cells of `raw` as text under the names of `layout`."""
    if len(layout.names) > MAX_COLUMNS:
        source.refuse("many_columns", most=MAX_COLUMNS, got=len(layout.names))
    given = layout.separator
    if given == PAIR:
        layout, raw = layout._replace(separator=UNIT), raw.replace(PAIR.encode(), UNIT.encode())
    elif given == " ":
        layout = layout._replace(separator=UNIT)
        raw = b"\n".join(UNIT.encode().join(line.split()) for line in raw.splitlines())
    text = _Text(raw, layout._replace(quotes=layout.quotes and b'"' in raw), source.label)
    try:
        columns = text.cells()
    except DataError:
        whole = text.without_blank_lines()
        if whole is text:
            raise
        text, columns = whole, whole.cells()
    facts = facts._replace(kind=KINDS.get(given, "text"), separator=given, header=layout.header)
    table = Table(layout.names, tuple(columns), source, name, facts, text.lines_of).placed()
    return _without_empty_lines(_without_headers(table, layout))


def _without_headers(table: Table, layout: Layout) -> Table:
    """Without the header, and without lines that repeat it."""
    if not layout.header or not table.columns:
        return table
    same = np.ones(len(table), bool)
    for name, column in zip(layout.names, table.columns, strict=True):
        rows = np.flatnonzero(same)
        cells = pc.utf8_trim_whitespace(column.take(pa.array(rows)) if rows.size < len(column) else column)
        same[rows] &= pc.equal(cells, name).to_numpy(zero_copy_only=False)
        if same[1:].sum() == 0:
            break
    same[0] = True
    again = np.flatnonzero(same)[1:]
    told = table.lines(again) if again.size else again
    return table.taken(np.flatnonzero(~same)).with_facts(repeated_header=tuple(told.tolist()))


def _without_empty_lines(table: Table) -> Table:
    empty = np.ones(len(table), bool)
    for column in table.columns:
        rows = np.flatnonzero(empty)
        if not rows.size:
            return table
        cells = column.take(pa.array(rows)) if rows.size < len(column) else column
        empty[rows] = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(cells)), 0).to_numpy(zero_copy_only=False)
    return table.taken(np.flatnonzero(~empty)).with_facts(empty=int(empty.sum()))


class _Text(NamedTuple):
    raw: bytes
    layout: Layout
    label: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line number (of its end) and cells of each line that is not blank; csv.Error at the first malformed one."""
        text = io.TextIOWrapper(io.BytesIO(self.raw), encoding="utf-8", errors="replace", newline="")
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self.layout.quotes else csv.QUOTE_NONE
        for _ in range(self.layout.skipped):
            text.readline()
        dialect = partial(csv.reader, delimiter=self.layout.separator, quoting=quoting, strict=True)
        reader = dialect(text, escapechar=self.layout.escape or None)
        for cells in reader:
            if cells:
                yield reader.line_num + self.layout.skipped, cells

    def lines_of(self, rows: np.ndarray) -> np.ndarray:
        """The lines of rows; row 0 is the first line that is not blank, a header too."""
        if not self.layout.quotes and b"\r" not in self.raw.replace(b"\r\n", b"\n"):
            ends = np.flatnonzero(np.frombuffer(self.raw + b"\n", np.uint8) == 10)
            starts = np.concatenate([[0], ends[:-1] + 1])
            ends = ends - (np.frombuffer(self.raw + b"\n", np.uint8)[np.maximum(ends - 1, 0)] == 13)
            full = np.flatnonzero(ends > starts)
            full = full[full >= self.layout.skipped]
            return np.asarray(full[rows] + 1)
        wanted, last = set(rows.tolist()), int(rows.max(initial=-1))
        found: dict[int, int] = {}
        try:
            for count, (line, _) in enumerate(self.rows()):
                if count in wanted:
                    found[count] = line
                if count >= last:
                    break
        except csv.Error:
            pass  # a cell beyond the reader's limit stands before these rows: their numbers are all that can be said
        return np.array([found.get(row, row) for row in rows.tolist()], np.int64)

    def without_blank_lines(self) -> _Text:
        """The same with nothing on lines of blanks, whose numbers stay; itself where it has none."""
        if len(self.layout.names) < 2 or not BLANK_LINE.search(self.raw):
            return self
        lines = self.raw.split(b"\n")
        try:
            blank = [line for line, cells in self.rows() if len(cells) == 1 and not cells[0].strip()]
        except csv.Error:
            return self
        for line in blank:
            lines[line - 1] = b"\r" if lines[line - 1].endswith(b"\r") else b""
        return self._replace(raw=b"\n".join(lines)) if blank else self

    def cells(self) -> list[pa.Array]:
        """The columns. Raises DataError where a line is malformed."""
        if self.layout.quotes:
            self.scan()
        return self.parse()

    def scan(self) -> None:
        """Raise DataError at the first line that is malformed, or for all that have a wrong number of cells."""
        width, line = len(self.layout.names), self.layout.skipped
        wrong: list[tuple[int, int]] = []
        count = 0
        try:
            for line, cells in self.rows():
                if len(cells) != width and not (count == 0 and len(wrong) == 0 and line == self._first()):
                    count += 1
                    if len(wrong) < MOST_TOLD:
                        wrong.append((line, len(cells)))
        except csv.Error as error:
            unclosed = "field larger" in str(error) or "unexpected end" in str(error)
            Source(self.label).refuse("open_quote" if unclosed else "text_after_quote", line=line + 1)
        if wrong:
            (line, got), *others = wrong
            lines = tuple(number for number, _ in others)
            code = "ragged_lines" if others else "ragged_line"
            Source(self.label).refuse(code, line=line, wanted=width, got=got, more=count - 1, lines=lines)

    def _first(self) -> int:
        """The line of a header that is one cell short of the others, as R writes it; 0 where there is none."""
        if not self.layout.header or "" not in (self.layout.names[:1] + self.layout.names[-1:]):
            return 0
        return next((line for line, cells in self.rows() if len(cells) == len(self.layout.names) - 1), 0)

    def parse(self) -> list[pa.Array]:
        names = [str(position) for position in range(len(self.layout.names))]  # foreign names stay out of Arrow
        raw, skipped = self.raw, self.layout.skipped
        if self._first():  # the short header is no row of Arrow's
            raw = self._with_whole_header()
        try:
            table = pa_csv.read_csv(
                pa.BufferReader(raw),
                pa_csv.ReadOptions(column_names=names, block_size=2**24, skip_rows=skipped),
                pa_csv.ParseOptions(
                    delimiter=self.layout.separator,
                    quote_char='"' if self.layout.quotes else False,
                    escape_char=self.layout.escape or False,
                    newlines_in_values=self.layout.quotes,
                ),
                pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
            )
        except (pa.ArrowException, OSError) as error:
            self.scan()
            Source(self.label).refuse("no_table", got=str(error))
        pieces = table.columns
        del table  # so that each column's pieces go when it is whole
        for column in pieces:
            longest = pc.max(pc.binary_length(column)).as_py() or 0
            if longest > MAX_CELL and (pc.max(pc.utf8_length(column)).as_py() or 0) > MAX_CELL:
                longest = pc.max(pc.utf8_length(column)).as_py()
                Source(self.label).refuse("long_cell", most=MAX_CELL, got=longest)
        whole = []
        while pieces:
            column = pieces.pop(0)
            whole.append(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
        return whole

    def _with_whole_header(self) -> bytes:
        lines = self.raw.split(b"\n", self.layout.skipped + 1)
        ends = lines[self.layout.skipped]
        mark = self.layout.separator.encode()
        whole = ends.rstrip(b"\r") + mark if self.layout.names[-1] == "" else mark + ends
        return b"\n".join([*lines[: self.layout.skipped], whole, *lines[self.layout.skipped + 1 :]])
