"""Tables of events that are not one event per line: wide ones, lines of items, blocks; each becomes one event per row.

wide        user,1,2,3          a person per line, an item per column, an opinion or nothing in the cell
            u1,5,,3
adjacency   u1 7 12 40          a person, then the items
blocks      7:                  an item, then lines of person, rating, date (Netflix)
            u1,5,2005-09-06
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from xattn.data.reading.cells import floats_of, text_of
from xattn.data.reading.opinions import opinions_in
from xattn.data.reading.profile import NUMBER
from xattn.data.reading.table import Facts, Table
from xattn.data.reading.words import hints_of
from xattn.data.source import Source

__all__ = ["adjacency", "blocks", "is_adjacency", "is_blocks", "is_wide", "unpivoted"]

BLOCK = re.compile(r"(\d+):\s*")
FLAT = 30  # columns of numbers without a header from which a table is a matrix of opinions
NOT_RATED = 99.0  # Jester's


def is_blocks(lines: Sequence[str]) -> bool:
    """The text begins with `item:` and has lines with commas below."""
    full = [line for line in lines if line.strip()][:50]
    return len(full) > 1 and bool(BLOCK.fullmatch(full[0])) and any("," in line for line in full[1:])


def blocks(raw: bytes, source: Source, name: str, facts: Facts) -> Table:
    """Blocks of lines under `item:` as user, item, rating, date."""
    item, rows, places = "", [], []
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        if match := BLOCK.fullmatch(line):
            item = match[1]
        elif line.strip():
            cells = line.split(",")
            if not 1 <= len(cells) <= 3:
                source.refuse("block_line", line=number, got=len(cells))
            rows.append((cells[0], item, *cells[1:], *[""] * (3 - len(cells))))
            places.append(number)
    at_line = np.array(places, np.int64)
    columns = [
        (label, pa.array([row[place] for row in rows], pa.string()))
        for place, label in enumerate(("user", "item", "rating", "date"))
    ]
    facts = facts._replace(kind="Netflix", shape="blocks", header=False)
    roles = {"user": 0, "item": 1, "rating": 2, "time": 3}
    return Table.of_columns(columns, source, name, facts, roles=roles, lines=lambda those: at_line[those])


def is_adjacency(lines: Sequence[str]) -> bool:
    """Lines of ids with blanks (or tabs) between, of different lengths or long; or `user: item, item`."""
    full = [line.strip() for line in lines if line.strip()][:200]
    if not full or any(c in line for line in full for c in '";|'):
        return False
    if all(re.fullmatch(r"[^\s:,]+\s*:\s*[^\s:,]+([ ,]+[^\s:,]+)*", line) for line in full):
        return not all(re.fullmatch(r"\S+::\S+", line) for line in full)
    if any("," in line or ":" in line for line in full):
        return False
    cells = [line.split() for line in full]
    numbers = all(NUMBER.fullmatch(cell) or re.fullmatch(r"[a-z]?\d+", cell) for row in cells for cell in row)
    widths = {len(row) for row in cells}
    if any("\t" in line for line in full):
        return numbers and len(widths) > 2
    return numbers and max(widths) > 2 and (len(widths) > 1 or max(widths) > 4)


def adjacency(raw: bytes, source: Source, name: str, facts: Facts) -> Table:
    """Lines of a user and items, in their order, as one event per row."""
    users: list[str] = []
    items: list[str] = []
    places: list[int] = []
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        cells = re.split(r"[\s,:]+", line.strip().rstrip(","))
        users += cells[:1] * (len(cells) - 1)
        items += cells[1:]
        places += [number] * (len(cells) - 1)
    at_line = np.array(places, np.int64)
    columns = [("user", pa.array(users, pa.string())), ("item", pa.array(items, pa.string()))]
    facts = facts._replace(kind="text", shape="adjacency", header=False)
    return Table.of_columns(
        columns, source, name, facts, roles={"user": 0, "item": 1}, lines=lambda those: at_line[those]
    )


def is_wide(table: Table) -> bool:
    """One column names people, all others are named by items and hold opinions or nothing."""
    if table.roles or table.facts.shape or len(table.columns) < 3 or not len(table):
        return False
    if not table.facts.header:
        return len(table.columns) >= FLAT and all(_opinions_only(column) for column in table.columns[:60])
    first, rest = table.names[0], table.names[1:]
    roles = {hint.role for hint in hints_of(first) if hint.strength > 0.5}
    if first.strip() and "user" not in roles:
        return False
    numbers = sum(bool(NUMBER.fullmatch(name)) for name in rest)
    if numbers < len(rest):
        named = {hint.role for name in rest for hint in hints_of(name) if hint.strength >= 0.9}
        if len(named) > 1 or len(rest) < 3 or (numbers == 0 and _all_filled(table)):
            return False
    return all(_opinions_only(column) for column in table.columns[1:61])


def _all_filled(table: Table) -> bool:
    return all(bool(text) for column in table.columns[1:9] for text in text_of(column.slice(0, 200)).to_pylist())


def _opinions_only(column: pa.Array) -> bool:
    texts = [text for text in text_of(column.slice(0, 200)).to_pylist() if text]
    values = opinions_in(texts)
    return not np.isnan(values).any() and bool((np.abs(values) <= 100).all())


def unpivoted(table: Table) -> Table:
    """A wide table as user, item, rating, one row for each cell that is not empty, in the order of the lines."""
    columns = list(zip(table.names, table.columns, strict=True))
    if table.facts.header:
        people = text_of(columns[0][1])
        columns = columns[1:]
    else:
        values = [floats_of(column) for _, column in columns]
        if np.array_equal(values[0], sum((v != NOT_RATED).astype(float) for v in values[1:])):  # Jester counts first
            columns, values = columns[1:], values[1:]
        people = pa.array([str(number) for number in range(1, len(table) + 1)])
        columns = [(str(number), column) for number, (_, column) in enumerate(columns, 1)]
    users, items, cells = [], [], []
    for place, (_, column) in enumerate(columns):
        texts = text_of(column)
        full = np.flatnonzero(texts.to_numpy(zero_copy_only=False) != "")
        users.append(full)
        items.append(np.full(len(full), place))
        cells.append(texts.take(pa.array(full)))
    user, item = np.concatenate(users), np.concatenate(items)
    order = np.lexsort((item, user))
    row, before = user[order], table.lines
    names = pa.array([name for name, _ in columns])
    made = [
        ("user", people.take(pa.array(row))),
        ("item", names.take(pa.array(item[order]))),
        ("rating", pa.concat_arrays(cells).take(pa.array(order))),
    ]
    facts = table.facts._replace(shape="wide")
    roles = {"user": 0, "item": 1, "rating": 2}
    return Table.of_columns(made, table.source, table.name, facts, roles=roles, lines=lambda those: before(row[those]))
