"""Editable tables of numbers. Each starts from a fixed frame under a versioned key: edits are never fed back into it.

What comes back is what stands in the cells now: NaN where a cell is empty or holds no number. Whether that will do, the
library says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

__all__ = ["Names", "Table", "feature_row", "named_table", "number_table", "numbered"]

Names = tuple[str, ...]
Table = tuple[tuple[float, ...], ...]  # rows of numbers; NaN where a cell is empty

NAME = "name"  # the column of names; features are f1, f2, … beneath their labels


def numbered(letter: str, n: int) -> list[str]:
    """k1, k2, …"""
    return [f"{letter}{i + 1}" for i in range(n)]


def number_table(
    key: str, table: Sequence[Sequence[float]], rows: Sequence[str], label: str, columns: Sequence[str] | None = None
) -> Table:
    """A table of fixed size, its columns numbered or called `columns`, its rows called `rows`."""
    numbers = numbered("", len(table[0]))
    frame = pd.DataFrame(table, index=list(rows), columns=numbers, dtype=float)
    config = {
        number: st.column_config.NumberColumn(name, required=True)
        for number, name in zip(numbers, columns or numbers, strict=True)
    }
    st.markdown(f"**{label}**")
    return _numbers(st.data_editor(frame, key=key, disabled=["_index"], column_config=config, alt=label))


def named_table(
    key: str, names: Names, table: Table, columns: Names, label: str, *, name: str, new: str
) -> tuple[Names, Table]:
    """A table to which rows can be added: a column `name` of names (at first `new`), and one column a feature."""
    letters = numbered("f", len(columns))
    frame = pd.DataFrame(np.reshape(table, (len(names), len(columns))), columns=letters, dtype=float)
    frame.insert(0, NAME, pd.Series(names, dtype="str"))
    config = _feature_columns(letters, columns)
    config[NAME] = st.column_config.TextColumn(name, default=new, max_chars=60, width=205, pinned=True)
    st.markdown(f"**{label}**")
    edited = st.data_editor(frame, key=key, num_rows="dynamic", hide_index=True, column_config=config, alt=label)
    called = tuple(str(text)[:60] if pd.notna(text) else new for text in edited[NAME])
    return called, _numbers(edited[letters])


def feature_row(key: str, row: Sequence[float], columns: Names, label: str) -> tuple[float, ...]:
    """One row of numbers, one column a feature."""
    letters = numbered("f", len(columns))
    frame = pd.DataFrame([row], columns=letters, dtype=float)
    st.markdown(f"**{label}**")
    config = _feature_columns(letters, columns)
    return _numbers(st.data_editor(frame, key=key, hide_index=True, column_config=config, alt=label))[0]


def _feature_columns(letters: list[str], labels: Names) -> dict[str, Any]:
    return {
        letter: st.column_config.NumberColumn(label, default=0.0, required=True)
        for letter, label in zip(letters, labels, strict=True)
    }


def _numbers(frame: pd.DataFrame) -> Table:
    numbers = frame.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return tuple(map(tuple, numbers.tolist()))
