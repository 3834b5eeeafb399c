"""Readers: a file of ratings, of items or of one history → the checked records of this package.

What is taken, told by content: CSV, TSV and text with ; or | between cells (a header line names the columns),
Parquet, gzip of any of them, and two layouts of MovieLens without header:

    ratings.dat   user::item::rating::timestamp        movies.dat   item::Title (1995)::Genre|Genre
    u.data        user ⇥ item ⇥ rating ⇥ timestamp     (four columns of numbers)

Ids are the text in the file, exactly: "NA", "007" and "9007199254740993" survive. A file that cannot be read as
what it is meant to be raises DataError in one sentence: file, line, what must hold, what was got.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from xattn.data.columns import SPELLINGS, plain_spelling
from xattn.data.delimited import PAIR, Layout, delimited, first_line, header_layout, text_bytes
from xattn.data.files import MAX_BYTES, PathOrFile, content_of
from xattn.data.history import events_of_frame
from xattn.data.interactions import Interactions
from xattn.data.items import ITEM_SPELLING_LAST, ItemTable
from xattn.data.parquet import MAGIC, parquet_frame
from xattn.data.source import Source

__all__ = ["read_history", "read_interactions", "read_items"]

RATINGS = ("user", "item", "rating", "timestamp")
MOVIES = ("item", "title", "genres")


class _Table(NamedTuple):
    frame: pd.DataFrame
    source: Source
    name: str


def read_interactions(
    path: PathOrFile,
    items: ItemTable | PathOrFile | None = None,
    name: str | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    drop_missing: bool = False,
    max_bytes: int = MAX_BYTES,
) -> Interactions:
    """The events in a file, one per line, with their items from `items` (a table, or the path of a file of items).

    Headers are recognised by their spelling (userId, user_id, movieId, item_id, …), or named by `columns` (role →
    header). `path` may be an open binary file. `name` is what the data is called, else the name of the file. Lines
    without a user or an item are refused, or left out with ``drop_missing=True``. Raises DataError, also beyond
    `max_bytes` (unpacked).

    >>> import io
    >>> read_interactions(io.BytesIO(b"userId,movieId,rating\\n1,31,2.5\\n1,1029,3.0\\n"), name="two")
    Interactions('two': 1 users, 2 items, 2 events, with rating)
    """
    if items is not None and not isinstance(items, ItemTable):
        items = read_items(items, max_bytes=max_bytes)

    def layout(line: str, source: Source) -> Layout:
        cells = line.split("\t")
        if PAIR in line and len(line.split(PAIR)) in (3, 4):
            return Layout(PAIR, RATINGS[: line.count(PAIR) + 1], header=False, quotes=False)
        if len(cells) == 4 and all(_NUMBER.fullmatch(cell.strip()) for cell in cells):
            return Layout("\t", RATINGS, header=False, quotes=False)
        return header_layout(line, _known(("user", "item"), columns), source)

    table = _table(path, layout, max_bytes)
    return Interactions.from_frame(
        table.frame, items, name or table.name, columns=columns, drop_missing=drop_missing, source=table.source
    )


def read_items(path: PathOrFile, *, columns: Mapping[str, str] | None = None, max_bytes: int = MAX_BYTES) -> ItemTable:
    """The items in a file: an item column, perhaps a title column; all others are features. Raises DataError."""

    def layout(line: str, source: Source) -> Layout:
        if len(line.split(PAIR)) == 3:
            return Layout(PAIR, MOVIES, header=False, quotes=False)
        return header_layout(line, _known(("item", "title"), columns, ITEM_SPELLING_LAST), source)

    table = _table(path, layout, max_bytes)
    return ItemTable.from_frame(table.frame, columns=columns, source=table.source)


def read_history(path: PathOrFile, *, max_bytes: int = MAX_BYTES) -> list[tuple[str, float | None]]:
    """One person's events as (item id, rating or None), oldest first; feed it to `History.given`.

    The file has a header with an item column and perhaps a rating and a time column; or one id per line and no
    header. Raises DataError.
    """

    def layout(line: str, source: Source) -> Layout:
        found = header_layout(line, _known(("item",), None), source)
        if len(found.names) == 1 and plain_spelling(found.names[0]) not in SPELLINGS["item"]:
            return Layout(",", ("item",), header=False)
        return found

    table = _table(path, layout, max_bytes)
    return events_of_frame(table.frame, table.source)


def _table(path: PathOrFile, layout: Callable[[str, Source], Layout], max_bytes: int) -> _Table:
    raw, name, source = content_of(path, max_bytes)
    stem = re.sub(r"(\.(csv|tsv|txt|dat|data|parquet))?(\.gz)?$", "", name, flags=re.IGNORECASE) or name
    if raw.startswith(MAGIC):
        return _Table(parquet_frame(raw, source, max_bytes), source, stem)
    raw = text_bytes(raw, source)
    frame, source = delimited(raw, layout(first_line(raw), source), source.label)
    return _Table(frame, source, stem)


def _known(
    roles: Sequence[str], columns: Mapping[str, str] | None, more: Sequence[str] = ()
) -> Callable[[Sequence[str]], int]:
    """How many of `roles` a list of headers serves: what the separator is chosen by."""

    def count(names: Sequence[str]) -> int:
        plain = {plain_spelling(name) for name in names}
        named = {role for role, name in (columns or {}).items() if name in names}
        return sum(role in named or not plain.isdisjoint((*SPELLINGS[role], *more)) for role in roles)

    return count


_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)
