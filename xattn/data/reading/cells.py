"""One column of a foreign table as Arrow text, as ids, or as numbers; nothing is changed on the way.

Ids are text to the letter: "007", "1.0", "NA" and 18446744073709551616 survive. Blanks around a cell of a text file
belong to the file, not to the id. A column of floating-point numbers that are all whole writes its ids without ".0":
its digits were never text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xattn.errors import InputError, check_id

__all__ = ["Ids", "column_of", "floats_of", "ids_of", "text_of"]

MISSING = -1


def column_of(values: Any) -> pa.Array:
    """Any sequence of cells as one Arrow array: a typed one where all are of one kind, else their text.

    >>> column_of([1, "a", None, 2.0]).to_pylist()
    ['1', 'a', None, '2']
    """
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        array = pa.array([_cell_text(value) for value in values], pa.string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return _plain_type(array)


def _cell_text(value: Any) -> str | None:
    if value is None or bool(value != value):
        return None
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (float, np.floating)) and float(value).is_integer() and abs(float(value)) < 2**53:
        return str(int(value))
    return str(value).encode("utf-8", "replace").decode()


def _plain_type(array: pa.Array) -> pa.Array:
    """Dictionaries, views and extensions as the plain type that they stand for; text is `string`."""
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        array = array.cast(pa.string())
    if pa.types.is_null(array.type):
        array = array.cast(pa.string())
    return array


def text_of(column: pa.Array) -> pa.Array:
    """The column as text without blanks around it, "" where there is nothing; whole floats lose their ".0"."""
    kind = column.type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column.cast(pa.float64())), None, column.cast(pa.float64()))
        values = pc.drop_null(column)
        if len(values) == 0 or pc.all(pc.equal(values, pc.round(values))).as_py():
            small = len(values) == 0 or pc.max(pc.abs(values)).as_py() < 2**53
            column = column.cast(pa.int64()) if small else column
    if not pa.types.is_string(column.type):
        column = (
            column.cast(pa.string())
            if not pa.types.is_nested(kind)
            else pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
        )
    return pc.utf8_trim_whitespace(pc.fill_null(column, ""))


class Ids(NamedTuple):
    """A column of ids: `codes` (n,) int64 into `ids`, −1 where there is none; `ids` in order of first appearance.

    `bad` are the codes' positions of texts that cannot be ids (they hold line breaks), with code −1 too.
    """

    codes: np.ndarray
    ids: tuple[str, ...]
    bad: np.ndarray


NONE_ROWS = np.empty(0, np.int64)


def ids_of(column: pa.Array, trimmed: bool = True) -> Ids:
    """The column as ids; blank is −1. Blanks around an id are taken off where it stood in a text file (`trimmed`).

    >>> ids_of(pa.array(["007", "7", "", "007"]))[:2]
    (array([ 0,  1, -1,  0]), ('007', '7'))
    """
    keep = not trimmed and pa.types.is_string(column.type)
    coded = (pc.fill_null(column, "") if keep else text_of(column)).dictionary_encode()
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    texts: list[str] = coded.dictionary.to_pylist()
    new = np.full(len(texts), MISSING, np.int64)
    ids: list[str] = []
    wrong: list[int] = []
    for old, text in enumerate(texts):
        if not text.strip():
            continue
        try:
            check_id("id", text)
        except InputError:
            wrong.append(old)
            continue
        new[old] = len(ids)
        ids.append(text)
    bad = np.flatnonzero(np.isin(codes, wrong)) if wrong else _not_ids(column)
    return Ids(new[codes] if texts else codes, tuple(ids), bad)


def _not_ids(column: pa.Array) -> np.ndarray:
    """Rows of values that are no ids: truth values, fractions, and floats whose last digits are lost."""
    if pa.types.is_boolean(column.type):
        return np.arange(len(column))
    if not pa.types.is_floating(column.type):
        return NONE_ROWS
    values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.flatnonzero(~np.isnan(values) & ((values != np.floor(values)) | (np.abs(values) >= 2**53)))


def floats_of(column: pa.Array) -> np.ndarray:
    """The column as (n,) float64, NaN where there is no number (and where a number is past the largest one)."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    else:
        text = text_of(column)
        number = pc.match_substring_regex(text, NUMBER)
        values = pc.if_else(number, text, None).cast(pa.float64()).to_numpy(zero_copy_only=False)
    values = np.array(values, np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
