"""A source in pieces: some hundred thousand events at a time, so that memory does not grow with the file.

Delimited text in UTF-8 (also compressed) and Parquet are read so. Columns are judged by the first piece, by the rules
of the reading room, and stay what they were; how times are written stays too. Ids are text to the letter. All other
sources go through the reading room as a whole (`xattn.data.reading`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from xattn.data.reading import shapes
from xattn.data.reading.cells import Ids, floats_of, ids_of, text_of
from xattn.data.reading.choice import Roles
from xattn.data.reading.desk import Desk
from xattn.data.reading.formats.layout import PAIR, Layout, layout_of, sample_lines
from xattn.data.reading.formats.parquet import MAGIC, arrow_table
from xattn.data.reading.formats.trees import is_tree
from xattn.data.reading.keys import ids as checked_ids
from xattn.data.reading.keys import without_missing
from xattn.data.reading.moments import UNITS
from xattn.data.reading.opinions import opinions_of
from xattn.data.reading.options import Options
from xattn.data.reading.ratings import amounts, lasting_column, lasting_values, unread_ratings
from xattn.data.reading.roles import event_roles
from xattn.data.reading.table import Facts, Table
from xattn.data.reading.times import times
from xattn.data.reading.words import hints_of
from xattn.data.source import Source
from xattn.errors import shown

__all__ = ["Chunk", "Stream", "stream_of"]

HEAD = 2**18  # bytes by which a text is judged
BLOCK = 2**25  # bytes of text in a piece
ROWS = 500_000  # of a Parquet file in a piece
PACKED = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}


class Chunk(NamedTuple):
    """Events in the order of the file: ids by code, numbers as they stand (NaN: none), types by code."""

    user: Ids
    item: Ids
    rating: np.ndarray | None
    time: np.ndarray | None
    kind: Ids | None
    rows: np.ndarray  # (n,) which of the rows of this piece
    size: int  # rows of the piece, those that were left out too


class Stream(NamedTuple):
    """A source that can be read in pieces; `pieces` tables of it, and what is said of every one."""

    files: tuple[Path, ...]
    layout: Layout | None  # None: Parquet
    packing: str | None
    options: Options
    bytes: int

    @property
    def name(self) -> str:
        return self.files[0].name.split(".")[0] if len(self.files) == 1 else self.files[0].parent.name

    def tables(self) -> Iterator[Table]:
        """The pieces as foreign tables. Raises DataError where a file is damaged."""
        done = 0
        for path in self.files:
            source = Source(shown(path.name))
            try:
                for names, columns in self._text(path) if self.layout else _parquet(path):
                    place = _placed(done + bool(self.layout and self.layout.header))
                    facts = Facts("CSV", separator=self.layout.separator) if self.layout else Facts("Parquet")
                    facts = facts._replace(unit="line" if self.layout else "row")
                    if self.layout:
                        facts = facts._replace(header=self.layout.header)
                    table = arrow_table(pa.table(columns, names=list(names)), source, self.name, facts)
                    done += len(table)
                    yield table.but(lines=place).placed()
            except (pa.ArrowException, OSError, EOFError) as problem:
                source.refuse("no_table", got=str(problem))

    def _text(self, path: Path) -> Iterator[tuple[tuple[str, ...], list[pa.Array]]]:
        layout = self.layout
        assert layout is not None
        places = [str(place) for place in range(len(layout.names))]
        reader = pa_csv.open_csv(
            pa.input_stream(str(path), compression=self.packing),
            pa_csv.ReadOptions(column_names=places, block_size=BLOCK, skip_rows=int(layout.header)),
            pa_csv.ParseOptions(delimiter=layout.separator, quote_char='"' if layout.quotes else False),
            pa_csv.ConvertOptions(column_types=dict.fromkeys(places, pa.string()), strings_can_be_null=False),
        )
        for batch in reader:
            yield layout.names, batch.columns

    def chunks(self) -> Iterator[Chunk]:
        """The events of each piece. Raises DataError for what must be settled first."""
        roles, options = None, self.options
        for table in self.tables():
            if roles is None:
                roles = self.roles(table)
            if len(table):
                chunk, how = _chunk(Desk(table, roles, options))
                if options.time_format is None and how:
                    options = replace(options, time_format=how)
                yield chunk

    def roles(self, table: Table) -> Roles:
        """Which column is which, by a piece."""
        found = event_roles(table, self.options.given)
        return found.without("title", "")

    def meant(self, roles: Roles, table: Table) -> str:
        """What the header says of the ratings: "opinion", or nothing."""
        at = roles.place.get("rating")
        return "opinion" if at is not None and any(h.role == "rating" for h in hints_of(table.names[at])) else ""


def _placed(before: int) -> Any:
    return lambda rows: np.asarray(rows) + before + 1


def _parquet(path: Path) -> Iterator[tuple[tuple[str, ...], list[pa.Array]]]:
    file = pq.ParquetFile(path)
    names = [name for name in file.schema_arrow.names if not name.startswith("__index_level_")]
    for batch in file.iter_batches(batch_size=ROWS, columns=names):
        yield tuple(batch.schema.names), batch.columns


def _chunk(desk: Desk) -> tuple[Chunk, str]:
    """The events of one piece, and how its times are written where that was found out."""
    user, item = _ids(desk, "user"), _ids(desk, "item")
    without_missing(desk, user, item)
    amount = amounts(desk)
    rating = None
    column = desk.column("rating")
    if desk.options.lasting:
        rating = lasting_values(desk, lasting_column(desk))
    elif column is not None:
        rating = opinions_of(column)
        unread_ratings(desk, column, rating, desk.options.unrated_values()[1], desk.name("rating"))
    elif desk.options.amount and amount is not None:
        rating = floats_of(desk.column("amount"))
    moments = times(desk, user)
    kinds = desk.column("kind")
    kind = None if kinds is None else _texts(kinds)
    desk.stop_at_errors()
    how = ""
    if moments is not None:
        how = (
            moments.way if moments.way in UNITS else {"day": "day-first", "month": "month-first"}.get(moments.order, "")
        )
        if moments.order == "either":
            desk.table.source.refuse("dates_in_pieces", column=desk.name("time"))
    seconds = None if moments is None else moments.seconds
    return Chunk(user, item, rating, seconds, kind, desk.kept, len(desk.table)), how


def _ids(desk: Desk, role: str) -> Ids:
    column = desk.column(role)
    assert column is not None
    found = ids_of(column, desk.table.facts.is_text)
    return checked_ids(desk, role) if found.bad.size else found  # which says what is wrong with them


def _texts(column: pa.Array) -> Ids:
    """Types of events; an empty one is a type too."""
    coded = text_of(column).dictionary_encode()
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return Ids(codes, tuple(coded.dictionary.to_pylist()), np.empty(0, np.int64))


def stream_of(source: Any, options: Options, least: int) -> Stream | None:
    """The source as a stream where it is a file, or a folder of part files, of `least` bytes or more, of a form that
    can be read in pieces; None: the reading room takes it as a whole."""
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = Path(source)
    if path.is_dir():
        files = tuple(sorted(file for file in path.iterdir() if file.name.startswith("part-") and file.is_file()))
    else:
        files = (path,) if path.is_file() else ()
    size = sum(file.stat().st_size for file in files)
    if not files or size < least:
        return None
    with files[0].open("rb") as file:
        if file.read(4) == MAGIC:
            return Stream(files, None, None, options, size)
    packing = PACKED.get(files[0].suffix.lower())
    try:
        with pa.input_stream(str(files[0]), compression=packing) as stream:
            head = stream.read(HEAD)
        head.decode("utf-8") if len(head) < HEAD else head[: head.rfind(b"\n")].decode("utf-8")
    except (pa.ArrowException, OSError, ValueError):
        return None
    lines = sample_lines(head)
    if b"\0" in head or is_tree(head) or shapes.is_blocks(lines) or shapes.is_adjacency(lines):
        return None
    layout = layout_of(lines)
    odd = (
        layout.skipped
        or layout.escape
        or layout.separator in (PAIR, " ")
        or "" in (layout.names[:1] + layout.names[-1:])
    )
    found = None if odd else Stream(files, layout, packing, options, size)
    if found is not None:
        table = next(found.tables(), None)
        if table is None or shapes.is_wide(table):
            return None
    return found
