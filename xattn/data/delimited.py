"""A table in text (CSV and its kin) → a frame of its cells, exactly the text that they are, or the line that is wrong.

Arrow parses: it is fast, and strict about the number of cells. But it takes a quote that is opened in one line and
closed in another for one cell, and two lines become one unnoticed. So a file with quotes is scanned first by
Python's strict reader, which also names the line where anything is wrong.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from xattn.data.columns import MAX_COLUMNS
from xattn.data.source import Source
from xattn.errors import shown

__all__ = ["MAX_CELL", "PAIR", "Layout", "delimited", "first_line", "header_layout", "text_bytes"]

MAX_CELL = 131_072  # characters; Python's reader stops there too. A longer cell is an open quote, or no table
PAIR = "::"  # MovieLens' separator
UNIT = "\x1f"  # the ASCII unit separator, which stands in for the pair: Arrow splits at one character only


class Layout(NamedTuple):
    """How a text is cut: separator, names of the columns, is the first line a header, do quotes enclose cells."""

    separator: str
    names: tuple[str, ...]
    header: bool = True
    quotes: bool = True


def text_bytes(raw: bytes, source: Source) -> bytes:
    """The text of a file without a byte order mark; binary, UTF-16 and empty files are refused."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise source.error("it must be text in UTF-8", "UTF-16 (save it again as UTF-8)")
    zero = raw.find(b"\0")
    if zero >= 0:
        line = raw.count(b"\n", 0, zero) + 1
        raise source.error("it must be a CSV, TSV or Parquet file", f"binary data (a zero byte in line {line})")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if not raw.strip():
        raise source.error("it must hold a header line and at least one line of data", "an empty file")
    return raw


def first_line(raw: bytes) -> str:
    """The first line that is not empty, of which at most 16 MiB are looked at."""
    match = re.compile(rb"[\r\n]*([^\r\n]*)").match(raw, 0, 2**24)
    return match[1].decode("utf-8", "replace") if match else ""


def header_layout(line: str, known: Callable[[Sequence[str]], int], source: Source) -> Layout:
    """The layout of the header `line`, cut at the one of , tab ; | that gives most `known` names, then most names."""
    best, best_rank = Layout(",", ()), (-1, -1)
    for separator in (",", "\t", ";", "|"):
        try:
            names = next(csv.reader([line], delimiter=separator, strict=True), [])
        except csv.Error:  # the scan will say what is wrong with its quotes
            names = line.split(separator)
        if len(names) > MAX_COLUMNS:
            raise source.error(f"a table must have at most {MAX_COLUMNS:,} columns", f"{len(names):,}")
        rank = (known(names), len(names))
        if rank > best_rank:
            best, best_rank = Layout(separator, tuple(name.strip() for name in names)), rank
    return best


def delimited(raw: bytes, layout: Layout, label: str) -> tuple[pd.DataFrame, Source]:
    """All cells of `raw` as text under the names of `layout`, and a source that turns rows into lines of the file."""
    if layout.separator == PAIR:
        layout = layout._replace(separator=UNIT)
        raw = _utf8_or_latin(raw).replace(PAIR.encode(), UNIT.encode())
    text = _Text(raw, layout, label)
    if layout.quotes and b'"' in raw:
        text.scan()
    return text.parse(), Source(label, text.place)


def _utf8_or_latin(raw: bytes) -> bytes:
    """MovieLens files with `::` are in UTF-8, or in Latin-1 in the older releases (their README says so)."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1").encode()
    return raw


class _Text(NamedTuple):
    raw: bytes
    layout: Layout
    label: str

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """Line number (of its end) and cells of each line that is not empty; csv.Error at the first malformed one."""
        text = io.TextIOWrapper(io.BytesIO(self.raw), encoding="utf-8", errors="replace", newline="")
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self.layout.quotes else csv.QUOTE_NONE
        reader = csv.reader(text, delimiter=self.layout.separator, quoting=quoting, strict=True)
        for cells in reader:
            if cells:
                yield reader.line_num, cells

    def place(self, row: int) -> str:
        """The line of row i."""
        try:
            for count, (line, _) in enumerate(self.lines(), start=-int(self.layout.header)):
                if count == row:
                    return f"line {line}"
        except csv.Error:
            pass  # a cell beyond the reader's limit stands before row i: the row is all that can be said
        return f"row {row}"

    def scan(self) -> None:
        """Raise DataError at the first line that is malformed or has a wrong number of cells."""
        width, line = len(self.layout.names), 0
        try:
            for line, cells in self.lines():
                if len(cells) != width:
                    must = f"every line must have {width} cell{'s' * (width != 1)}, as the first has"
                    raise Source(f"{self.label} line {line}").error(must, f"{len(cells)}")
        except csv.Error as error:
            at = Source(f"{self.label} line {line + 1}")
            if "field larger" in str(error) or "unexpected end" in str(error):
                raise at.error("a quote that opens a cell must be closed", "none that closes it") from None
            raise at.error("a cell in quotes must end with its closing quote", "text after that quote") from None

    def parse(self) -> pd.DataFrame:
        names = [str(position) for position in range(len(self.layout.names))]  # foreign names stay out of Arrow
        try:
            table = pa_csv.read_csv(
                pa.BufferReader(self.raw),
                pa_csv.ReadOptions(column_names=names, block_size=2**24),
                pa_csv.ParseOptions(
                    delimiter=self.layout.separator,
                    quote_char='"' if self.layout.quotes else False,
                    newlines_in_values=self.layout.quotes,
                ),
                pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
            ).slice(int(self.layout.header))
        except (pa.ArrowException, OSError) as error:
            self.refuse_encoding()
            self.scan()
            raise Source(self.label).error("it must be a table in text", shown(str(error))) from None
        for column in table.columns:
            longest = pc.max(pc.utf8_length(column)).as_py() or 0
            if longest > MAX_CELL:
                raise Source(self.label).error(f"a cell must hold at most {MAX_CELL:,} characters", f"{longest:,}")
        frame: pd.DataFrame = table.to_pandas()
        frame.columns = pd.Index(self.layout.names, dtype=object)
        return frame

    def refuse_encoding(self) -> None:
        try:
            self.raw.decode()
        except UnicodeDecodeError as error:
            line = self.raw.count(b"\n", 0, error.start) + 1
            got = f"the byte {self.raw[error.start]:02x} (hexadecimal; save the file again as UTF-8)"
            raise Source(f"{self.label} line {line}").error("it must be text in UTF-8", got) from None
