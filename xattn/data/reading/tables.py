"""Anything that holds a table → the table: files of every kind, frames, databases. Kinds are told by content."""

from __future__ import annotations

import os
import re
from typing import Any

import pyarrow as pa

from xattn.data.reading import shapes
from xattn.data.reading.formats.delimited import delimited
from xattn.data.reading.formats.encoding import decoded
from xattn.data.reading.formats.frames import frame_table, is_frame, is_url, query_table
from xattn.data.reading.formats.layout import PAIR, layout_of, sample_lines
from xattn.data.reading.formats.parquet import MAGIC, parquet_table
from xattn.data.reading.formats.sheets import sheet_table
from xattn.data.reading.formats.trees import is_tree, tree_table
from xattn.data.reading.formats.unpack import MAX_BYTES, content_of
from xattn.data.reading.table import Facts, Table
from xattn.data.source import Source
from xattn.errors import check_type, shown

__all__ = ["WANTED", "table_of"]

ENDINGS = r"\.(csv|tsv|txt|dat|data|parquet|json|jsonl|ndjson|xlsx|inter|item|user|base|test)$"
PACKED = r"\.(gz|zst|xz|bz2|zip)$"
WANTED = {  # which table of several in a zip file
    "friends": r"friend|edge|follow|social|trust|contact",
    "history": r"rating|history",
    "events": r"rating|inter|review|event|transaction|purchase|log|plays|u\.data|behavio|click|train",
    "items": r"movie|item|book|product|article|song|track|meta|u\.item",
}
FOREIGN = {
    b"\xd0\xcf\x11\xe0": ("old_excel", "save_as_xlsx"),
    b"SQLite format 3\0": ("sqlite", "name_as_sqlite"),
    b"<!DOCTYPE": ("web_page", "save_the_table"),
    b"<html": ("web_page", "save_the_table"),
    b"%PDF": ("pdf", "save_the_table"),
    b"ARROW1": ("feather", "save_as_parquet"),
    b"\x93NUMPY": ("numpy_array", "save_as_csv"),
    b"RDX": ("r_file", "save_as_csv"),
    b"\x80\x04\x95": ("pickle", "save_as_csv_or_parquet"),
}


def table_of(
    source: Any,
    *,
    of: str = "events",
    encoding: str | None = None,
    query: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> Table:
    """The table in a file (path or open file), a folder of part files, a frame, or a database; `of` events or items.

    Raises DataError when it is none of these, damaged, or larger than `max_bytes` unpacked.
    """
    for name, text in (("encoding", encoding), ("query", query)):
        if text is not None:
            check_type(name, text, str, "text")
    if is_frame(source):
        table = frame_table(source)
    elif is_url(source):
        table = query_table(source, query)
    elif isinstance(source, (str, os.PathLike)) and os.path.isdir(source):
        table = _parts(os.fspath(source), of, encoding, max_bytes)
    else:
        table = _of_file(source, of, encoding, max_bytes)
    if of == "events" and shapes.is_wide(table):
        table = shapes.unpivoted(table)
    return table


def _parts(folder: str, of: str, encoding: str | None, max_bytes: int) -> Table:
    """A folder of part files, as Spark writes one table, as one table."""
    names = sorted(name for name in os.listdir(folder) if name.startswith("part-"))
    source = Source(shown(os.path.basename(folder.rstrip("/\\")) or folder))
    if not names:
        source.refuse("no_readable_file", why="a_folder")
    tables = [_of_file(os.path.join(folder, name), of, encoding, max_bytes) for name in names]
    tables = [table for table in tables if len(table)]
    if not tables or any(table.names != tables[0].names for table in tables):
        source.refuse("part_files")
    first = tables[0]
    columns = [
        (name, pa.concat_arrays([_alike(t.columns[place], first.columns[place]) for t in tables]))
        for place, name in enumerate(first.names)
    ]
    stem = re.sub(ENDINGS, "", os.path.basename(folder.rstrip("/\\")), flags=re.IGNORECASE)
    return Table.of_columns(columns, source, stem, first.facts._replace(unit="row"))


def _alike(column: pa.Array, model: pa.Array) -> pa.Array:
    return column if column.type == model.type else column.cast(model.type)


def _of_file(path: Any, of: str, encoding: str | None, max_bytes: int) -> Table:
    raw, full_name, source, packing = content_of(path, max_bytes, WANTED[of])
    base = re.sub(PACKED, "", os.path.basename(full_name), flags=re.IGNORECASE)
    name = re.sub(ENDINGS, "", base, flags=re.IGNORECASE) or full_name
    facts = Facts("text", packing)
    if raw.startswith(MAGIC):
        return parquet_table(raw, source, name, facts, max_bytes)
    if raw.startswith(b"PK\x03\x04"):
        return sheet_table(raw, source, name, facts)
    for start, (kind, way) in FOREIGN.items():
        if raw[: len(start) + 64].lstrip().startswith(start):
            source.refuse("foreign_file", found=kind, way=way)
    if raw[257:262] == b"ustar":
        source.refuse("foreign_file", found="tar_archive", way="unpack_it")
    text = decoded(raw, source, encoding)
    del raw
    facts = facts._replace(encoding=text.encoding, bad_lines=text.bad_lines, bad_bytes=text.bad_bytes)
    if not text.raw.strip():
        source.refuse("empty_file")
    if is_tree(text.raw):
        return tree_table(text.raw, source, name, facts)
    lines = sample_lines(text.raw)
    if shapes.is_blocks(lines):
        return shapes.blocks(text.raw, source, name, facts)
    if of == "events" and shapes.is_adjacency(lines):
        return shapes.adjacency(text.raw, source, name, facts)
    return _known(delimited(text.raw, layout_of(lines), source, name, facts))


# Layouts of MovieLens that have no header: names by the number of columns and the separator.
EVENTS = ("user", "item", "rating", "timestamp")
MOVIES = ("item", "title", "genres")
FILM = ("item", "title", "release date", "video release date", "IMDb URL")
GENRES = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]


def _known(table: Table) -> Table:
    """A table without header whose layout is known, with the names that its makers give."""
    if table.facts.header:
        return table
    width, separator = len(table.names), table.facts.separator
    if separator == PAIR and width == 3 and not _numbers(table, 2):
        return _named(table, MOVIES)
    if separator == PAIR and width in (3, 4):
        return _named(table, EVENTS[:width])
    if separator == "|" and width == len(FILM) + len(GENRES) and _numbers(table, width - 1):
        return _named(table, (*FILM, *(f"genre: {genre}" for genre in GENRES)))
    return table


def _named(table: Table, names: tuple[str, ...]) -> Table:
    roles = {role: names.index(name) for role, name in _ROLES.items() if name in names}
    return table.but(names=names, roles=roles)


_ROLES = {"user": "user", "item": "item", "rating": "rating", "time": "timestamp", "title": "title"}


def _numbers(table: Table, place: int) -> bool:
    texts = table.columns[place].slice(0, 100).to_pylist()
    return all(re.fullmatch(r"\s*\d+(\.\d+)?\s*", text or "") for text in texts)
