"""What must hold, as functions that fail: closeness with stated bounds, equality to the last bit, inputs left alone.

The bounds are those of floating-point error analysis, in units of u, the rounding of the type that holds the numbers.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numba import njit

Array = np.ndarray


def unit(dtype: Any) -> float:
    """u: half the distance from 1 to the next number."""
    return float(np.finfo(dtype).eps) / 2


def least(dtype: Any) -> float:
    """η: the smallest subnormal number."""
    return float(np.finfo(dtype).smallest_subnormal)


def weight_bound(e: Array, mask: Array | None = None, T: float = 1.0) -> Array:
    """(Δ/T + log n + n + 6)u per weight: relative error of a shifted softmax that divides (after Blanchard, Higham &
    Higham 2021, theorem 4.3, taken componentwise). Masked places are 0."""
    bound = np.zeros(e.shape)
    for r in range(e.shape[0]):
        live = np.isfinite(e[r]) if mask is None else mask[r] & np.isfinite(e[r])
        x = e[r][live].astype(float)
        if x.size:
            bound[r][live] = ((x.max() - x) / T + np.log(x.size) + x.size + 6) * unit(e.dtype)
    return bound


def assert_within(got: Array, want: Array, relative: Any = 0.0, absolute: Any = 0.0) -> None:
    """|got − want| ≤ relative · |want| + absolute, each entry; NaN only where NaN is wanted, infinities alike."""
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want, dtype=np.float64)
    assert got.shape == want.shape, f"shape {got.shape}, wanted {want.shape}"
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    same = (got == want) | np.isnan(want)
    finite = np.isfinite(got) & np.isfinite(want)
    room = np.broadcast_to(relative * np.abs(np.where(finite, want, 0.0)) + absolute, got.shape)
    apart = np.abs(np.where(finite, got, 0.0) - np.where(finite, want, 0.0))
    wrong = ~same & ~(finite & (apart <= room))
    assert not wrong.any(), f"got {got[wrong][:5]}, wanted {want[wrong][:5]}, room {room[wrong][:5]}"


def assert_bitwise(got: Array, want: Array) -> None:
    """Same shape, type and bytes."""
    assert got.dtype == want.dtype, f"type {got.dtype}, wanted {want.dtype}"
    assert got.shape == want.shape, f"shape {got.shape}, wanted {want.shape}"
    assert got.tobytes() == want.tobytes(), f"bits differ: got {got}, wanted {want}"


@contextmanager
def unchanged(*inputs: Array) -> Iterator[None]:
    """Inside, none of the inputs is written."""
    before = [x.tobytes() for x in inputs]
    yield
    for i, (x, old) in enumerate(zip(inputs, before, strict=True)):
        assert x.tobytes() == old, f"input {i} was written"


def bounds_checked(func: Any) -> Callable[..., Any]:
    """The serial twin of a kernel, compiled anew with every index checked, also in the helpers that it calls."""
    source = getattr(func, "py_func", func)
    names = dict(source.__globals__)
    for name in source.__code__.co_names:
        if hasattr(names.get(name), "py_func"):
            names[name] = bounds_checked(names[name])
    copy = types.FunctionType(source.__code__, names, source.__name__, source.__defaults__)
    return njit(boundscheck=True, error_model="numpy")(copy)  # type: ignore[no-any-return]
