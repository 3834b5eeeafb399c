"""JSON and JSON lines → a table. Numbers keep the digits that stand in the file, so that ids survive.

{"user": 1, "item": 2} per line, or [ … ] of them         a row each; what lies deeper gets a name with dots
{"session": 12, "events": [{"aid": 1}, …]}                a row for each of the events
{"user": [1, 2], "item": [7, 8]}                          columns
{"1": ["a", "b"]} or {"1": {"a": 4}}                      a person and the items, with ratings
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from xattn.data.reading.cells import column_of
from xattn.data.reading.table import MAX_COLUMNS, Facts, Table, rows_as_lines
from xattn.data.reading.words import hints_of
from xattn.data.source import Source

__all__ = ["is_tree", "tree_table"]

MOST_DEEP = 4


def is_tree(raw: bytes) -> bool:
    """The text begins as JSON does. A CSV line may begin with a bracket too, but not with {"…": or [{ or [[."""
    head = raw[:4096].lstrip()
    if head.startswith(b"{"):
        return head[1:].lstrip()[:1] in (b'"', b"'", b"}", b"")
    return head.startswith(b"[") and head[1:].lstrip()[:1] in (b"{", b"[", b"]", b'"')


def tree_table(raw: bytes, source: Source, name: str, facts: Facts) -> Table:
    """The table that a JSON text holds; DataError where it is damaged or holds none."""
    lines = raw.decode("utf-8", "replace").splitlines()
    full = [number for number, line in enumerate(lines, 1) if line.strip()]
    document = _loaded("\n".join(lines)) if len(full) == 1 or not lines[full[0] - 1].strip().endswith("}") else None
    if document is None or (len(full) == 1 and isinstance(document, dict) and _is_record(document)):
        return _of_lines(lines, full, source, name, facts)
    if isinstance(document, ValueError):
        source.refuse("not_whole", form="json_file", got=str(document))
    facts = facts._replace(kind="JSON", unit="row")
    return _of_document(document, source, name, facts)


def _loaded(text: str) -> Any:
    """The value of a JSON text (or of a Python one, as old dumps write them); a ValueError where it is neither."""
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=lambda _: None)
    except RecursionError:
        return ValueError("brackets within brackets, too deep")
    except ValueError as problem:
        if not text.lstrip().startswith(("{'", "{u'")):
            return problem
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return problem


def _is_record(document: dict[str, Any]) -> bool:
    """One row rather than a table of people: its keys are names of columns."""
    if set(document) == {"schema", "data"} or _by_number(document):  # as pandas writes a table
        return False
    if any(hints_of(key) for key in document):
        return not all(isinstance(value, list) for value in document.values())
    return not all(isinstance(value, (list, dict)) for value in document.values())


def _by_number(document: dict[str, Any]) -> bool:
    """Columns whose cells go by the numbers of their rows: {"user": {"0": "a", "1": "b"}, …}."""
    columns = document.values()
    return bool(document) and all(
        isinstance(column, dict) and column and all(key.isdecimal() for key in column) for column in columns
    )


def _by_row(document: dict[str, Any]) -> bool:
    """Rows by their numbers or names, all of the same columns: {"0": {"user": "a", "item": "x"}, …}."""
    rows = list(document.values())
    return (
        bool(rows)
        and all(isinstance(row, dict) and row.keys() == rows[0].keys() for row in rows)
        and any(hint.role == "item" and hint.strength >= 0.9 for key in rows[0] for hint in hints_of(key))
    )


def _of_lines(lines: Sequence[str], full: Sequence[int], source: Source, name: str, facts: Facts) -> Table:
    records = []
    for number in full:
        record = _loaded(lines[number - 1])
        if not isinstance(record, dict):
            found = "value" if isinstance(record, ValueError) else "another_value"
            source.refuse("json_line", line=number, found=found, got=str(record))
        records.append(record)
    places = np.array(full, np.int64)
    return _of_records(records, source, name, facts._replace(kind="JSON lines"), places)


def _of_document(document: Any, source: Source, name: str, facts: Facts) -> Table:
    if isinstance(document, dict):
        inner = [value for value in document.values() if isinstance(value, list)]
        if set(document) >= {"columns", "data"} and isinstance(document["data"], list):  # pandas, orient="split"
            columns = document["columns"]
            return _of_records([dict(zip(columns, row, strict=False)) for row in document["data"]], source, name, facts)
        if len(inner) == 1 and inner[0] and isinstance(inner[0][0], dict):  # {"data": [{…}, …]}
            return _of_document(inner[0], source, name, facts)
        if any(hints_of(key) for key in document) and all(isinstance(v, (list, dict)) for v in document.values()):
            return _of_columns(document, source, name, facts)
        if _by_row(document):
            return _of_records(list(document.values()), source, name, facts)
        return _of_people(document, source, name, facts)
    if isinstance(document, list) and document and all(isinstance(record, dict) for record in document):
        return _of_records(document, source, name, facts)
    if isinstance(document, list) and document and all(isinstance(row, list) for row in document):
        width = max(map(len, document))
        names = [str(number) for number in range(1, width + 1)]
        rows = document
        if all(isinstance(cell, str) and hints_of(cell) for cell in document[0][:2]):
            names, rows = [str(cell) for cell in document[0]], document[1:]
        return _of_records([dict(zip(names, row, strict=False)) for row in rows], source, name, facts)
    source.refuse("json_structure")


def _of_columns(document: dict[str, Any], source: Source, name: str, facts: Facts) -> Table:
    columns = {key: list(v.values()) if isinstance(v, dict) else v for key, v in document.items()}
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        source.refuse("columns_of_lengths", got=tuple(sorted(lengths)[:4]))
    count = lengths.pop()
    return _of_records([{k: v[row] for k, v in columns.items()} for row in range(count)], source, name, facts)


def _of_people(document: dict[str, Any], source: Source, name: str, facts: Facts) -> Table:
    users: list[str] = []
    items: list[Any] = []
    ratings: list[Any] = []
    for user, own in document.items():
        if not isinstance(own, (list, dict)):
            source.refuse("json_structure")
        for item in own:
            users.append(user)
            items.append(item)
            ratings.append(own[item] if isinstance(own, dict) else None)
    columns = [("user", column_of(users)), ("item", column_of(items))]
    if any(rating is not None for rating in ratings):
        columns.append(("rating", column_of(ratings)))
    roles = {"user": 0, "item": 1} | ({"rating": 2} if len(columns) > 2 else {})
    return Table.of_columns(columns, source, name, facts._replace(shape="adjacency"), roles=roles)


def _of_records(
    records: Sequence[dict[str, Any]], source: Source, name: str, facts: Facts, places: np.ndarray | None = None
) -> Table:
    """Rows as a table; a list of objects in a row becomes rows of their own, beside what else the row says."""
    flat: list[dict[str, Any]] = []
    origin: list[int] = []
    for number, record in enumerate(records):
        for row in _rows(record):
            flat.append(row)
            origin.append(number)
    names: dict[str, None] = {}
    for row in flat:
        names.update(dict.fromkeys(row))
        if len(names) > MAX_COLUMNS:
            source.refuse("many_columns", most=MAX_COLUMNS, got=len(names))
    at = np.array(origin, np.int64)
    at = at if places is None else places[at]
    columns = [(key, _column([row.get(key) for row in flat])) for key in names]
    lines = rows_as_lines if places is None and len(flat) == len(records) else lambda rows: at[rows]
    return Table.of_columns(columns, source, name, facts, lines=lines)


def _column(values: list[Any]) -> pa.Array:
    return column_of([_cell(value) for value in values])


def _cell(value: Any) -> Any:
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _rows(record: dict[str, Any]) -> Iterable[dict[str, Any]]:
    flat = _flat(record)
    lists = [key for key, value in flat.items() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if len(lists) != 1 or any(hint.role == "title" for hint in hints_of(lists[0])) or not _are_events(flat, lists[0]):
        plain_lists = [
            key
            for key, value in flat.items()
            if isinstance(value, list) and any(hint.role == "item" for hint in hints_of(key.rstrip("s")))
        ]
        if len(plain_lists) == 1 and any(
            h.role == "user" for key in flat for h in hints_of(key) if key != plain_lists[0]
        ):
            key = plain_lists[0]
            return [{**flat, key: value} for value in flat[key]]
        return [flat]
    key = lists[0]
    outer = {name: value for name, value in flat.items() if name != key}
    return [{**outer, **_flat(inner)} for inner in flat[key] if isinstance(inner, dict)]


def _are_events(flat: dict[str, Any], key: str) -> bool:
    """The objects of a list name items, and what is around them names a person: not an item with its categories."""
    inside = {hint.role for name in flat[key][0] for hint in hints_of(name)}
    outside = {hint.role for name in flat if name != key for hint in hints_of(name)}
    return "item" in inside and ("user" in outside or "user" in inside) and "item" not in outside


def _flat(record: dict[str, Any], before: str = "", deep: int = 0) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict) and deep < MOST_DEEP and value:
            out |= _flat(value, f"{before}{key}.", deep + 1)
        else:
            out[f"{before}{key}"] = value
    return out
