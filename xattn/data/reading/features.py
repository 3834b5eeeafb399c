"""A table of items → ids, titles and feature columns that say what they are: numbers, text, or tokens with | between.

    [{"id": 16, "name": "Animation"}]   ['Animation', 'Comedy']   Animation|Comedy   Animation, Comedy      lists
    Animation,Comedy,Horror as columns of 0 and 1                                                           flags

Columns of yes and no become one column that names what is yes, so that two items are alike by what they are and never
by what they both are not.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from xattn.data.reading import faults
from xattn.data.reading.cells import floats_of, ids_of, text_of
from xattn.data.reading.choice import Use
from xattn.data.reading.report import MOST_ROWS, Action, DataReport, Finding, Told
from xattn.data.reading.roles import item_roles
from xattn.data.reading.table import Table
from xattn.data.reading.words import DESCRIBING, typed, words_of
from xattn.errors import Quoted, check_choice, check_type, shown

__all__ = ["Items", "items_of"]

MARK = "|"  # between the tokens of a cell
YES = frozenset(("1", "1.0", "true", "yes", "t", "y", "是"))
NO = frozenset(("0", "0.0", "false", "no", "f", "n", "否", ""))
LEAST_FLAGS = 3  # columns of yes and no from which they are one block
LONGEST_TOKEN = 40
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)  # "007" is a code
_YEAR = re.compile(r"(.*\S)\s*\((\d{4})\)\s*", re.DOTALL)


class Items(NamedTuple):
    """One row an item: `ids`, `titles` ("" where there is none), `frame` of float64 and text columns; the report."""

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    frame: pd.DataFrame
    report: DataReport


def items_of(table: Table, columns: Mapping[str, Any] | None = None, missing: str = "refuse") -> Items:
    """The items of a table. Raises DataError where one stands twice or has no id, unless those are left out."""
    check_choice("missing", missing, ("refuse", "drop"))
    if columns is not None:
        check_type("columns", columns, Mapping, "roles_to_headers")  # type: ignore[type-abstract]
    roles = item_roles(table, columns)
    if not len(table):
        table.source.refuse("no_items")
    findings: list[Finding] = []
    unit = table.facts.unit

    def tell(finding: str, severity: str, rows: np.ndarray, action: Action | None = None, **fields: Any) -> None:
        places = tuple(int(place) for place in table.lines(rows[:MOST_ROWS]))
        findings.append(Finding(finding, severity, len(rows), places, 0.0, action, fields, unit))

    if not table.facts.header and not table.roles:
        tell("no_header", "warning", np.empty(0, np.int64), Action("columns"))
    column, trimmed = table.columns[roles.place["item"]], table.facts.is_text
    key = ids_of(column, trimmed)
    if key.bad.size:
        what = column[int(key.bad[0])].as_py()
        what = what if isinstance(what, str) else Quoted(what)
        table.source.refuse("ids_broken", int(key.bad[0]), role="data.role.item", what=what)
    blank = np.flatnonzero(key.codes < 0)
    again = _again(key.codes)
    same = again[_same_rows(table, key.codes, again)]
    other = np.setdiff1d(again, same)
    if missing == "refuse":
        if blank.size:
            table.source.refuse("item_without_id", int(blank[0]))
        if other.size:
            row = int(other[0])
            code = "items_twice" if other.size > 1 else "item_twice"
            table.source.refuse(code, row, got=key.ids[key.codes[row]], n=other.size)
    left_out = np.union1d(blank, again)
    if left_out.size:
        tell("item_left_out", "warning", left_out)
        table = table.taken(np.setdiff1d(np.arange(len(table)), left_out))
        key = ids_of(table.columns[roles.place["item"]], trimmed)
        if not len(table):
            table.source.refuse("no_items")
    titles = _titles(table, roles.place.get("title"))
    taken = set(roles.place.values())
    if "title" in roles.place and _describes(table.names[roles.place["title"]]):
        taken.remove(roles.place["title"])  # it is called by it, and is like what is described alike
    frame, uses = _features(
        table, [at for at in range(len(table.names)) if at not in taken and table.names[at].strip()]
    )
    if not any(name.strip().casefold() == "year" for name in frame):
        titles = _split_years(titles, frame)
    garbled = np.flatnonzero(faults.garbled(pa.array(titles, pa.string())))
    if garbled.size:
        tell("mojibake", "warning", garbled, Action("encoding"), what=shown(titles[int(garbled[0])], limit=30))
    for pair in faults.alike(key.ids):
        rows = np.array([row for row, one in enumerate(key.ids) if one in pair.ids])
        what = " / ".join(shown(one, limit=24) for one in pair.example)
        tell("ids_alike", "warning", rows, role=Told("data.role.item"), how=Told(f"data.differ.{pair.how}"), what=what)
    how = {name: list(value) if isinstance(value, tuple) else value for name, value in table.facts._asdict().items()}
    for name in ("bad_lines", "bad_bytes", "repeated_header"):
        how.pop(name)
    columns_said = tuple(use for use in roles.uses if use.role) + tuple(uses)
    report = DataReport(
        table.name, how, len(table), n_items=len(key.ids), columns=columns_said, findings=tuple(findings)
    )
    return Items(key.ids, tuple(titles), pd.DataFrame(frame, index=range(len(table))), report)


def _describes(name: str) -> bool:
    """Whether a column that serves as title says what an item is like, by its name.

    >>> _describes("Description"), _describes("product_name"), _describes("商品描述")
    (True, False, True)
    """
    return any(
        word in DESCRIBING or any(word.endswith(end) for end in ("描述", "简介")) for word in words_of(name)[-1:]
    )


def _again(codes: np.ndarray) -> np.ndarray:
    """Rows whose id stands above already."""
    rows = np.flatnonzero(codes >= 0)
    first = np.unique(codes[rows], return_index=True)[1]
    return np.setdiff1d(rows, rows[first])


def _same_rows(table: Table, codes: np.ndarray, again: np.ndarray) -> np.ndarray:
    """Which of the rows that name an item again say the same of it as the row above."""
    same = np.ones(len(again), bool)
    if not again.size:
        return same
    first_of = np.unique(codes[codes >= 0], return_index=True)[1]
    first = np.flatnonzero(codes >= 0)[first_of][codes[again]]
    for column in table.columns:
        texts = text_of(column)
        mine, theirs = texts.take(pa.array(again)).to_pylist(), texts.take(pa.array(first)).to_pylist()
        same &= np.array([a == b for a, b in zip(mine, theirs, strict=True)])
    return same


def _titles(table: Table, at: int | None) -> list[str]:
    return [""] * len(table) if at is None else list(text_of(table.columns[at]).to_pylist())


def _split_years(titles: list[str], frame: dict[str, Any]) -> list[str]:
    """Move "(1995)" from the end of the titles to a new feature `year` when more than half of the titles have it."""
    found = [_YEAR.fullmatch(title) for title in titles]
    if 2 * sum(match is not None for match in found) <= len(titles):
        return titles
    frame["year"] = np.array([float(match[2]) if match else np.nan for match in found])
    return [match[1] if match else title for title, match in zip(titles, found, strict=True)]


# --- features ---


def _features(table: Table, places: Sequence[int]) -> tuple[dict[str, Any], list[Use]]:
    """The columns at `places` as features, and what is said of each."""
    frame: dict[str, Any] = {}
    uses: list[Use] = []
    blocks = _flag_blocks(table, places)
    flagged = {at for block in blocks.values() for at in block}
    for at in places:
        if at in flagged:
            continue
        name, kind = typed(table.names[at])
        values, how = _feature(table, at, kind)
        label = name if name not in frame else table.names[at]
        frame[label] = values
        uses.append(Use(table.names[at], "feature", "values", how))
    for name, block in blocks.items():
        frame[name if name not in frame else f"{name} (flags)"] = _joined_flags(table, name, block)
        uses.append(Use(name, "feature", "values", "flags"))
    return frame, uses


def _feature(table: Table, at: int, kind: str) -> tuple[Any, str]:
    """One column as float64, as tokens with | between, or as text."""
    column = table.columns[at]
    if pa.types.is_boolean(column.type):
        return pd.array(column.to_pylist(), dtype="boolean"), "text"
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        plain = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        infinite = np.flatnonzero(np.isinf(plain))
        if infinite.size:
            row = int(infinite[0])
            table.source.refuse("infinite_column", row, column=table.names[at], got=plain[row])
        return np.array(plain, np.float64), "numbers"
    texts: list[str] = text_of(column).to_pylist()
    full = [text for text in texts if text]
    if full and all(_NUMBER.fullmatch(text) for text in full):
        values = floats_of(column)
        if np.isnan(values).sum() == len(texts) - len(full):  # "1e999" is no number: such a column stays text
            return values, "numbers"
    mark = " " if kind == "token_seq" else _mark(full)
    if mark:
        return [_joined(_tokens(text, mark)) for text in texts], "list"
    return texts, "text"


def _mark(full: Sequence[str]) -> str:
    """What parts the tokens of the cells; "[" where they are lists written out; "" where they are no lists."""
    if not full:
        return ""
    if sum(text.startswith("[") and text.endswith("]") for text in full) > 0.9 * len(full):
        return "["
    for mark in "|;,":
        if sum(mark in text for text in full) >= max(1, len(full) / 20):
            return mark if mark == "|" or _are_tokens(full, mark) else ""
    return ""


def _are_tokens(full: Sequence[str], mark: str) -> bool:
    """Parts are short and come again: tags, not prose."""
    parts = [part.strip() for text in full for part in text.split(mark) if part.strip()]
    short = all(len(part) <= LONGEST_TOKEN and part.count(" ") <= 4 for part in parts)
    return short and len(set(parts)) <= 0.7 * len(parts)


def _tokens(text: str, mark: str) -> list[str]:
    """The tokens of one cell.

    >>> _tokens("[{'id': 16, 'name': 'Animation'}]", "["), _tokens("['a' 'b']", "["), _tokens("a | b", "|")
    (['Animation'], ['a', 'b'], ['a', 'b'])
    """
    if mark != "[":
        return [part.strip() for part in text.split(mark)]
    if re.fullmatch(r"\[\s*(?:'[^']*'|\"[^\"]*\")(?:\s+(?:'[^']*'|\"[^\"]*\"))+\s*\]", text):  # NumPy writes no commas
        return [a or b for a, b in re.findall(r"'([^']*)'|\"([^\"]*)\"", text)]
    try:
        values = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        try:
            values = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return [part.strip(" '\"") for part in text[1:-1].split(",")]
    return [_token(value) for value in values] if isinstance(values, list) else [text]


def _token(value: Any) -> str:
    """A value of a list as a token: an object by its name."""
    if isinstance(value, dict):
        names = (value.get(key) for key in ("name", "title", "label", "value", "tag"))
        value = next((own for own in names if own is not None), next(iter(value.values()), ""))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


def _joined(tokens: Sequence[str]) -> str:
    plain = (" ".join(token.replace(MARK, "/").split()) for token in tokens)
    return MARK.join(dict.fromkeys(token for token in plain if token))


def _flag_blocks(table: Table, places: Sequence[int]) -> dict[str, list[int]]:
    """Columns of yes and no that belong together, by the name of their block."""
    flags = [at for at in places if _is_flag(table.columns[at])]
    if len(flags) < LEAST_FLAGS:
        return {}
    blocks: dict[str, list[int]] = {}
    for at in flags:
        blocks.setdefault(_stem(table.names[at]), []).append(at)
    alone = [at for block in blocks.values() if len(block) < LEAST_FLAGS for at in block]
    blocks = {name: block for name, block in blocks.items() if len(block) >= LEAST_FLAGS and name}
    rest = [at for at in flags if at in alone or not any(at in block for block in blocks.values())]
    if len(rest) >= LEAST_FLAGS:
        blocks["flags"] = rest
    return blocks


def _is_flag(column: pa.Array) -> bool:
    values = {text.casefold() for text in text_of(column).unique().to_pylist()[:8]}
    return bool(values & YES) and values <= YES | NO and len(values) > 1


def _stem(name: str) -> str:
    """What stands before the last : _ . or blank in a name: genre_Action and genre: Drama belong to genre."""
    match = re.fullmatch(r"(.+?)\s*[:_.\s]\s*\S.*", name)
    return match[1] if match else ""


def _joined_flags(table: Table, block: str, places: Sequence[int]) -> list[str]:
    rows: list[list[str]] = [[] for _ in range(len(table))]
    for at in places:
        own = table.names[at]
        label = own.removeprefix(block).lstrip(":_. ") if block != "flags" else own
        for row, text in enumerate(text_of(table.columns[at]).to_pylist()):
            if text.casefold() in YES:
                rows[row].append(label)
    return [_joined(tokens) for tokens in rows]
