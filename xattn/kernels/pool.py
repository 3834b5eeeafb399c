"""Scores of a whole catalogue from pooled histories: out[u, j] = Σ_h Σ_i coef[h, i] · V[h, row_i, j].

In heads whose attention does not depend on the target, coef = weight × strength is the same for all targets, and the
score is a sum of rows of the value table V (H, C, C), read in order. An iteration owns a stripe of columns: the sums of
one history over it stay in registers (float64), and the stripe of V stays in the cache for all histories. Each cell is
summed in the order of heads and events, so batch and single agree to the last bit. An event without a row, or with a
coefficient of 0, is skipped.

A table that is too large to be whole is stored by rows: the numbers of row r of head h are `column` and `value` from
ptr[h·R + r] to ptr[h·R + r + 1], the others are 0. Each history is then summed into a vector of its own, in the same
order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core import cgutils

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.lanes import BYTES, I64, Lanes, emitted

__all__ = ["add_pooled", "add_pooled_sparse", "pool_scores", "sparse_values"]

STRIPE = 32  # columns an iteration owns: those of 6,800 rows, .9 MB, stay in the second-level cache


def _plain_pool_stripe(out: Any, row: Any, coef: Any, V: Any, first: Any, last: Any, column: Any) -> None:
    out[:] = 0.0
    for h in range(len(V)):
        for i in range(first, last):
            if row[i] >= 0 and coef[h, i] != 0.0:
                out += coef[h, i] * V[h, row[i], column : column + STRIPE].astype(np.float64)


@emitted(_plain_pool_stripe)
def _pool_stripe(tc: Any, out: Any, row: Any, coef: Any, V: Any, first: Any, last: Any, column: Any) -> Any:
    """Assigns out (STRIPE,): the sums of events first..last−1 over the columns of a stripe."""

    arrays = ((0, out), (1, row), (2, coef), (3, V))

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        sums, rows, coefs, values = (context.make_array(t)(context, b, args[k]) for k, t in arrays)
        n = cgutils.unpack_tuple(b, coefs.shape)[1]
        H, R, C = cgutils.unpack_tuple(b, values.shape)
        first, last, column = args[4:7]
        wide = Lanes(b, types.float64)
        x = Lanes(b, V.dtype, wide.n)
        chains = [wide.variable(wide.const(0)) for _ in range(STRIPE // wide.n)]
        with cgutils.for_range(b, H) as head:
            offset = b.mul(head.index, n)
            table = b.add(b.mul(b.mul(head.index, R), C), column)
            with cgutils.for_range_slice(b, first, last, I64(1)) as (i, _):
                r = b.load(b.gep(rows.data, [i]))
                a = b.load(b.gep(coefs.data, [b.add(offset, i)]))
                said = b.and_(b.icmp_signed(">=", r, r.type(0)), b.fcmp_unordered("!=", a, ir.Constant(a.type, 0.0)))
                with b.if_then(said):
                    a = wide.splat(a)
                    start = b.add(table, b.mul(r, C))
                    for k, chain in enumerate(chains):
                        v = x.get(values.data, b.add(start, I64(k * wide.n)))
                        if x.narrow:
                            v = b.fpext(v, wide.F)
                        b.store(wide.fma(a, v, b.load(chain)), chain)
        for k, chain in enumerate(chains):
            wide.put(b.load(chain), sums.data, I64(k * wide.n))
        return context.get_dummy_value()

    return types.void(out, row, coef, V, first, last, column), write


@compiled
def _stripe_of(V, low):  # type: ignore[no-untyped-def]
    """STRIPE columns of V from `low` on, 0 past the last, in rows that begin where lines of the cache do."""
    H, R, C = V.shape
    room = np.empty(H * R * STRIPE + BYTES, V.dtype)
    first = -np.int64(room.ctypes.data) % BYTES // V.itemsize
    table = room[first : first + H * R * STRIPE].reshape(H, R, STRIPE)
    width = min(STRIPE, C - low)
    for h in range(H):
        for r in range(R):
            for j in range(width):
                table[h, r, j] = V[h, r, low + j]
            for j in range(width, STRIPE):
                table[h, r, j] = 0.0
    return table


@Kernel
def _add_pooled(out, ptr, row, coef, V, column, gate):  # type: ignore[no-untyped-def]
    """Adds gate_j · score_uj to out[u, column_j]."""
    C = V.shape[2]
    often = row.shape[0] > V.shape[1]  # each row of V is read several times: a stripe of its own stays in the cache
    for s in prange((C + STRIPE - 1) // STRIPE):
        low = np.int64(s) * STRIPE
        sums = np.empty(STRIPE)
        start = low if often else min(low, C - STRIPE)  # the last stripe reads from the one before too
        table = _stripe_of(V, low) if often else V
        for u in range(out.shape[0]):
            _pool_stripe(sums, row, coef, table, ptr[u], ptr[u + 1], 0 if often else start)
            for j in range(low, min(start + STRIPE, column.shape[0])):
                out[u, column[j]] += gate[j] * sums[j - start]


def add_pooled(
    out: np.ndarray,
    ptr: np.ndarray,
    row: np.ndarray,
    coef: np.ndarray,
    V: np.ndarray,
    column: np.ndarray,
    gate: np.ndarray,
) -> None:
    """Add gate_j · score_uj to out[u, column_j] in float64: `out` (U, M), `column` (C,) all different, `gate` (C,).

    The rest as in `pool_scores`.
    """
    H, R, C = V.shape
    if C < STRIPE:
        V = np.concatenate([V, np.zeros((H, R, STRIPE - C), V.dtype)], axis=2)
    V, coef = np.ascontiguousarray(V), np.ascontiguousarray(coef)
    _add_pooled(out, ptr, row, coef, V, column, gate, work=coef.size * V.shape[2] / 4.0)


@Kernel
def _add_pooled_sparse(out, first, row, coef, R, ptr, column, value, place, gate):  # type: ignore[no-untyped-def]
    """Adds gate_j · score_uj to out[u, place_j]."""
    for u in prange(first.shape[0] - 1):
        sums = np.zeros(gate.shape[0])
        for h in range(coef.shape[0]):
            for i in range(first[u], first[u + 1]):
                if row[i] >= 0 and coef[h, i] != 0.0:
                    hr = h * R + row[i]
                    for p in range(ptr[hr], ptr[hr + 1]):
                        sums[column[p]] += coef[h, i] * np.float64(value[p])
        for j in range(gate.shape[0]):
            out[u, place[j]] += gate[j] * sums[j]


def add_pooled_sparse(
    out: np.ndarray,
    first: np.ndarray,
    row: np.ndarray,
    coef: np.ndarray,
    ptr: np.ndarray,
    column: np.ndarray,
    value: np.ndarray,
    place: np.ndarray,
    gate: np.ndarray,
) -> None:
    """`add_pooled`, the table stored by rows; histories in `first` (U+1,), column j of the table in out[:, place_j]."""
    H = len(coef)
    R = (len(ptr) - 1) // max(H, 1)
    work = 2.0 * coef.size * len(value) / max(len(ptr) - 1, 1) + out.size
    _add_pooled_sparse(out, first, row, np.ascontiguousarray(coef), R, ptr, column, value, place, gate, work=work)


@Kernel
def _sparse_values(out, row, ptr, column, value, place):  # type: ignore[no-untyped-def]
    """Assigns to out[:, i] what the table has in row row_i: of column c at place_c, where that is not −1; else 0."""
    for i in prange(row.shape[0]):
        out[:, i] = 0.0
        if row[i] >= 0:
            for p in range(ptr[row[i]], ptr[row[i] + 1]):
                if place[column[p]] >= 0:
                    out[place[column[p]], i] = value[p]


def sparse_values(
    row: np.ndarray, ptr: np.ndarray, column: np.ndarray, value: np.ndarray, place: np.ndarray, J: int
) -> np.ndarray:
    """(J, n) of a table stored by rows, the columns c whose `place` (C,) is 0 to J − 1 (−1: not asked for).

    `row` (n,) are the rows, −1 for one of zeros.

    >>> of_rows = np.array([0, 2, 3]), np.array([0, 2, 1]), np.array([0.5, 0.25, 2.0])  # [[.5, 0, .25], [0, 2, 0]]
    >>> sparse_values(np.array([1, 0, -1]), *of_rows, np.array([-1, 0, 1]), 2)
    array([[2.  , 0.  , 0.  ],
           [0.  , 0.25, 0.  ]])
    """
    out = np.empty((J, len(row)), value.dtype)
    work = 2.0 * len(row) * len(value) / max(len(ptr) - 1, 1) + out.size
    _sparse_values(out, row, ptr, column, value, place, work=work)
    return out


def pool_scores(ptr: np.ndarray, row: np.ndarray, coef: np.ndarray, V: np.ndarray) -> np.ndarray:
    """Scores (U, C) summed in float64; `row` (N,) rows of V (−1: none), `coef` (H, N), histories in `ptr` (U+1,)."""
    C = V.shape[2]
    out = np.zeros((len(ptr) - 1, C))
    add_pooled(out, ptr, row, coef, V, np.arange(C), np.ones(C))
    return out
