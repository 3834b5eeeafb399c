"""Cells of columns, however pandas holds them, as Python text; and the row of what is not there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["MISSING", "plain_texts"]

MISSING = -1  # the row of an id that a table does not hold


def plain_texts(column: pd.Series[Any]) -> list[str]:
    """The column as Python text, missing values as ""; nothing is refused."""
    return ["" if _is_blank(value) else str(value) for value in column]


def _is_blank(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    nan = isinstance(value, (float, np.floating)) and value != value
    return nan or value is None or value is pd.NA or value is pd.NaT
