"""Checks of arrays: numbers, positions, offsets, masks. What passes comes back in one layout, C order and aligned."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xattn.errors.tree import refuse
from xattn.i18n.sentence import Quoted

__all__ = [
    "check_array",
    "check_distinct",
    "check_index_array",
    "check_live_finite",
    "check_logits",
    "check_mask",
    "check_mask_table",
    "check_no_overflow",
    "check_offsets",
]


def check_array(
    name: str, value: Any, *, ndim: int | None, finite: bool = True, dtype: Any = None, least: int = 0
) -> np.ndarray:
    """`value` as a C-contiguous float array of `ndim` dimensions; None: of any number from `least` on.

    float32 stays float32; everything else real becomes float64 (or `dtype` when given). Masked arrays, objects, text,
    dates and complex numbers are refused, and so are NaN and infinities unless ``finite=False``.
    """
    form = {None: "array_from" if least else "array", 1: "vector", 2: "table"}.get(ndim, "array_of")
    wanted: dict[str, Any] = {"name": name, "form": form, "wanted": least if ndim is None else ndim}
    if isinstance(value, np.ma.MaskedArray):
        refuse("array_masked", **wanted)
    array = _array("array_ragged", value, wanted)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        refuse("array_real", **wanted, dtype=Quoted(array.dtype))
    if array.ndim < least if ndim is None else array.ndim != ndim:
        refuse("array_dimensions", **wanted, got=array.ndim)
    target = dtype or (np.float32 if array.dtype == np.float32 else np.float64)
    array = np.require(array, target, ("C", "ALIGNED"))
    if finite and not np.isfinite(array).all():
        refuse("finite", name=name, got=_first(array, ~np.isfinite(array)))
    return array


def _array(code: str, value: Any, wanted: dict[str, Any]) -> np.ndarray:
    """`value` as an array of whatever it holds."""
    try:
        return np.asarray(value)
    except (ValueError, TypeError):
        refuse(code, **wanted, found="value", got=value)


def _first(array: np.ndarray, bad: np.ndarray) -> float:
    return float(array[bad].flat[0])


def check_index_array(name: str, value: Any, *, size: int, what: str = "position") -> np.ndarray:
    """`value` as a C-contiguous int64 vector whose entries lie in 0..size-1 (no wrapping from the end).

    `what` the entries are: "position", "offset", "item_row" or "user_row".
    """
    wanted: dict[str, Any] = {"name": name, "what": what}
    if isinstance(value, np.ma.MaskedArray):
        refuse("index", **wanted, found="masked")
    array = _array("index", value, wanted)
    if array.ndim != 1:
        refuse("index", **wanted, found="dimensions", ndim=array.ndim)
    if array.size and array.dtype.kind not in "iu":
        refuse("index", **wanted, found="type", dtype=Quoted(array.dtype))
    if array.size and (int(array.min()) < 0 or int(array.max()) >= size):
        bad = next(int(v) for v in (array.min(), array.max()) if not 0 <= int(v) < size)
        refuse("index_span" if size else "index_empty", **wanted, high=size - 1, got=bad)
    return np.require(array, np.int64, ("C", "ALIGNED"))


def check_distinct(name: str, values: np.ndarray, what: str) -> None:
    """None of `values` (n,) stands twice. `what` they are: the phrase of the catalogue."""
    ordered = np.sort(values)
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if twice.size:
        refuse("twice", name=name, what=what, got=ordered[twice[0]])


def check_offsets(name: str, value: Any, *, parts: int, total: int) -> np.ndarray:
    """`value` as the int64 offsets of `parts` runs in `total` entries: from 0, never falling, to `total`."""
    array = check_index_array(name, value, size=total + 1, what="offset")
    if array.size != parts + 1:
        refuse("offsets_count", name=name, wanted=parts + 1, parts=parts, got=array.size)
    if array[0] != 0 or array[-1] != total:
        refuse("offsets_ends", name=name, total=total, got_first=array[0], got_last=array[-1])
    falls = np.flatnonzero(np.diff(array) < 0)
    if falls.size:
        i = int(falls[0])
        refuse("offsets_fall", name=name, got=array[i], got_next=array[i + 1])
    return array


def check_mask(name: str, value: Any, *, size: int | tuple[int, ...]) -> np.ndarray:
    """`value` as booleans: a vector of length `size`, or an array of that shape; numbers are not taken for truth."""
    shape = (size,) if isinstance(size, int) else size
    form = "mask_vector" if isinstance(size, int) else "mask_array"
    wanted: dict[str, Any] = {"name": name, "form": form, "wanted": size}
    array = _array("mask", value, wanted)
    if isinstance(value, np.ma.MaskedArray):
        refuse("mask", **wanted, found="masked")
    if array.dtype != np.bool_ or array.shape != shape:
        refuse("mask", **wanted, found="type_and_shape", dtype=Quoted(array.dtype), shape=array.shape)
    return np.require(array, requirements="C")


def check_mask_table(name: str, value: Any, *, shape: tuple[int, ...]) -> np.ndarray:
    """`value` as a mask over a table of `shape` (…, rows, columns): booleans, or numbers to add to its entries.

    The last axis fits the columns exactly; each one before it fits or has length 1, and leading ones may be left out,
    but for that of the rows: a vector would as well fit the wrong side of a square table.
    """
    wanted: dict[str, Any] = {"name": name, "wanted": shape}
    if isinstance(value, np.ma.MaskedArray):
        refuse("mask_table", **wanted, found="masked")
    array = _array("mask_table", value, wanted)
    if array.dtype.kind not in "bf" or array.dtype.itemsize > 8:
        refuse("mask_table", **wanted, found="type", dtype=Quoted(array.dtype))
    padded = (1,) * (len(shape) - array.ndim) + array.shape
    fits = len(padded) == len(shape) and all(a in (1, b) for a, b in zip(padded, shape, strict=True))
    if not fits or array.ndim < 2 or padded[-1] != shape[-1]:
        refuse("mask_table", **wanted, found="shape", shape=array.shape)
    if array.dtype.kind == "f":
        check_logits(name, array)
    return array


def check_logits(name: str, array: np.ndarray, live: np.ndarray | None = None) -> None:
    """Where `live`, the array holds finite numbers, or −inf for what is left out."""
    bad = np.isnan(array) | (array == np.inf)
    if live is not None:
        bad &= live
    if bad.any():
        refuse("logits", name=name, got=_first(array, bad))


def check_live_finite(result: np.ndarray, masked: float = -math.inf, **inputs: np.ndarray) -> None:
    """Nothing spoilt `result`, in which `masked` stands for what is masked: neither NaN or infinity in a place of
    `inputs` that the mask leaves, nor numbers so large that they outgrew floating point on the way."""
    if not (np.isfinite(result) | (result == masked)).all():
        for name, array in inputs.items():
            if not np.isfinite(array).all():
                refuse("live_finite", name=name, got=_first(array, ~np.isfinite(array)))
        check_no_overflow(" · ".join(inputs), result)


def check_no_overflow(name: str, array: np.ndarray) -> np.ndarray:
    """A result of finite numbers is finite itself: nothing outgrew the range of floating point on the way."""
    if not np.isfinite(array).all():
        refuse("overflow", name=name, most=float(np.finfo(array.dtype).max))
    return array
