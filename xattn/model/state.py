"""What was fitted as plain arrays, which is all that a model file holds: texts as bytes, sparse matrices by rows."""

from __future__ import annotations

import json
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from xattn.errors import check_array, check_distinct, check_index_array, check_offsets, check_same_length, refuse

__all__ = ["plain_setting", "rows_of_state", "rows_state", "text_array", "text_of", "texts_of"]

LONE = "surrogatepass"  # half of a surrogate pair, as broken text may hold, goes out and comes back as it is


def text_array(value: Any) -> np.ndarray:
    """Texts, or anything else that JSON knows or `plain_setting` makes plain, as bytes.

    Raises TypeError for the rest, ValueError for whole numbers of thousands of digits.
    """
    return np.frombuffer(json.dumps(value, ensure_ascii=False, default=plain_setting).encode(errors=LONE), np.uint8)


def plain_setting(value: Any) -> Any:
    """A number of NumPy or another library, an array, or a mapping, as JSON knows it. Raises TypeError for the rest.

    >>> plain_setting(np.float32(0.5)), plain_setting(np.arange(2))
    (0.5, [0, 1])
    """
    if isinstance(value, (np.bool_, np.ndarray)):
        return value.tolist()
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def text_of(array: np.ndarray) -> Any:
    """What `text_array` was given, with tuples as lists. Raises ValueError for other bytes."""
    if array.dtype != np.uint8 or array.ndim != 1:
        raise ValueError(f"{array.dtype} {array.shape} is no text")
    return json.loads(array.tobytes().decode(errors=LONE))


def texts_of(name: str, array: np.ndarray, size: int | None = None) -> tuple[str, ...]:
    """A list of texts, `size` of them. Raises InputError, which names `name`, for anything else."""
    texts = text_of(array)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        refuse("texts", name=name)
    if size is not None:
        check_same_length(**{"rows": size, name: len(texts)})
    return tuple(texts)


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
    value = check_array(f"{name}_value", state[f"{name}_value"], ndim=1, dtype=np.float64)
    column = check_index_array(f"{name}_column", state[f"{name}_column"], size=columns)
    check_same_length(**{f"{name}_column": len(column), f"{name}_value": len(value)})
    ptr = check_offsets(f"{name}_ptr", state[f"{name}_ptr"], parts=rows, total=len(value))
    check_distinct(f"{name}_column", column + np.repeat(np.arange(rows), np.diff(ptr)) * columns, "feature")
    return sparse.csr_array((value, column, ptr), shape=(rows, columns)).sorted_indices()
