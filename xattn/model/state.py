"""What was fitted as plain arrays, which is all that a model file holds: texts as bytes, sparse matrices by rows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from scipy import sparse

from xattn.errors import check_array, check_index_array, check_offsets, check_same_length

__all__ = ["rows_of_state", "rows_state", "text_array", "text_of"]


def text_array(value: Any) -> np.ndarray:
    """Texts, or anything else that JSON knows, and single numbers of NumPy, as bytes. Raises TypeError for the rest."""
    return np.frombuffer(json.dumps(value, ensure_ascii=False, default=_number).encode(), np.uint8)


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def text_of(array: np.ndarray) -> Any:
    """What `text_array` was given, with tuples as lists. Raises ValueError for other bytes."""
    return json.loads(array.astype(np.uint8).tobytes().decode())


def rows_state(name: str, F: sparse.csr_array) -> dict[str, np.ndarray]:
    """A sparse matrix as three arrays; its indices are int64 whatever type SciPy chose."""
    ptr, column = F.indptr.astype(np.int64), F.indices.astype(np.int64)
    return {f"{name}_ptr": ptr, f"{name}_column": column, f"{name}_value": F.data}


def rows_of_state(state: dict[str, np.ndarray], name: str, rows: int, columns: int) -> sparse.csr_array:
    """The matrix of `rows_state`, or a dense one under its name as older files hold it. Raises InputError."""
    if name in state:
        F = sparse.csr_array(check_array(name, state[name], ndim=2))
        check_same_length(**{"items": rows, f"rows_of_{name}": F.shape[0]})
        check_same_length(**{"features": columns, f"columns_of_{name}": F.shape[1]})
        return F
    value = check_array(f"{name}_value", state[f"{name}_value"], ndim=1)
    column = check_index_array(f"{name}_column", state[f"{name}_column"], size=columns)
    check_same_length(**{f"{name}_column": len(column), f"{name}_value": len(value)})
    ptr = check_offsets(f"{name}_ptr", state[f"{name}_ptr"], parts=rows, total=len(value))
    F = sparse.csr_array((value, column, ptr), shape=(rows, columns))
    F.sum_duplicates()
    return F
