"""Fused target attention over dense vectors: many candidates attend to one history.

    s_j = Σ_i a_ji c_i,    a_j = softmax_i(⟨q_j, k_i⟩ · scale)        c_i = strength × value of event i

Six candidates share each pass over the keys (`tiles.py`). A row of logits then stays in the first-level cache, where
maximum, exponential and both sums follow at once. Cost: d·n multiply-adds and n exponentials a candidate; memory: the
candidates once, and the weights if they are asked for.

A logit is one chain over the coordinates, a sum one chain a lane, folded in a fixed tree: bits do not depend on a
candidate's company or on the number of threads. float32 scores are within about 1e-5 of the float64 ones (relative
to max |c|).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import prange
from numba.core import cgutils

from xattn.kernels.compile import Kernel
from xattn.kernels.lanes import BYTES, Lanes, emitted
from xattn.kernels.tiles import TOGETHER, Keys, tile

__all__ = ["target_scores", "target_weights"]

BLOCK = 96  # candidates of one iteration of the parallel loop
SMALL, LARGE = 1 << 20, 1 << 22  # bytes of a table


# --- one candidate ----------------------------------------------------------------------------------------------------


def _plain_attend(a: Any, z: Any, c: Any, n: Any, scale: Any) -> Any:
    weight = np.exp((z[:n] - z[:n].max()) * scale)
    a[:] = (weight / weight.sum())[: len(a)]
    return z.dtype.type((weight @ c[:n]) / weight.sum())


@emitted(_plain_attend)
def _attend(typing_context: Any, a: Any, z: Any, c: Any, n: Any, scale: Any) -> Any:
    """Σ softmax(z · scale)_i c_i over the first n of z; the weights go to `a`, unless it is empty.

    z and c are whole vectors long.
    """

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, z.dtype)
        logits, value, weight = (context.make_array(t)(context, b, args[k]) for t, k in ((z, 1), (c, 2), (a, 0)))
        kept = b.icmp_signed(">", cgutils.unpack_tuple(b, weight.shape)[0], args[3].type(0))
        top, total, said = x.variable(x.const(-math.inf)), x.variable(x.const(0)), x.variable(x.const(0))

        def largest(i: Any, mask: Any) -> None:
            y = x.get(logits.data, i)
            if mask is not None:
                y = b.select(mask, y, x.const(-math.inf))
            b.store(x.larger(b.load(top), y), top)

        x.over(args[3], largest)
        m, scale = x.splat(x.fold(b.load(top), x.larger)), x.splat(args[4])

        def add(i: Any, mask: Any, y: Any) -> None:
            if mask is not None:
                y = b.select(mask, y, x.const(0))
            b.store(b.fadd(b.load(total), y), total)
            b.store(x.fma(y, x.get(value.data, i), b.load(said)), said)

        def near(i: Any) -> Any:
            return b.fmul(b.fsub(x.get(logits.data, i), m), scale)

        def keep(i: Any, mask: Any) -> None:
            y = x.exp(near(i))
            x.put(y, weight.data, i, mask)
            add(i, mask, y)

        def forget(i: Any, mask: Any) -> None:
            """Weights that nobody sees: where they would sink below normal numbers, 10^-38 of the largest will do."""
            y, least = near(i), x.const(-87.0 if x.narrow else -700.0)
            add(i, mask, x.exp(b.select(b.fcmp_ordered("<", y, least), least, y), sinks=False))

        with b.if_else(kept) as (seen, unseen):
            with seen:
                x.over(args[3], keep)
            with unseen:
                x.over(args[3], forget)
        s = x.fold(b.load(total), b.fadd)
        with b.if_then(kept):
            inverse = x.splat(b.fdiv(ir.Constant(x.f, 1.0), s))

            def divide(i: Any, mask: Any) -> None:
                x.put(b.fmul(x.get(weight.data, i, mask), inverse), weight.data, i, mask)

            x.over(args[3], divide)
        return b.fdiv(x.fold(b.load(said), b.fadd), s)

    return z.dtype(a, z, c, n, scale), write


# --- all candidates ---------------------------------------------------------------------------------------------------


@Kernel
def _target_scores(out, A, Q, KT, panels, c, n, scale):  # type: ignore[no-untyped-def]
    """Assigns the scores, and the weights unless A has no columns."""
    J, d = Q.shape
    lane = np.int64(BYTES // Q.itemsize)
    for block in prange((J + BLOCK - 1) // BLOCK):
        z = np.empty((TOGETHER, c.shape[0]), Q.dtype)
        first = np.int64(block) * BLOCK
        for j in range(first, min(J, first + BLOCK), TOGETHER):
            column = np.int64(0)
            for p in range(panels.shape[0]):
                V = panels[p]
                tile(z, column, V, Q, j, J - 1, KT, column * d, d)
                column += V * lane
            for r in range(min(TOGETHER, J - j)):
                out[j + r] = _attend(A[j + r if A.shape[1] else 0], z[r], c, n, scale)


def _run(Q: np.ndarray, K: np.ndarray, c: np.ndarray, scale: float, A: np.ndarray) -> np.ndarray:
    n, d = K.shape
    out = np.zeros(len(Q), Q.dtype)
    if n and len(Q):
        keys = Keys.of(K)
        padded = np.zeros(keys.wide, Q.dtype)
        padded[:n] = c
        work = float(len(Q)) * n * (d + 12) / BYTES * Q.itemsize
        _target_scores(
            out, A, np.ascontiguousarray(Q), keys.data, keys.panels, padded, n, Q.dtype.type(scale), work=work
        )
    return out


def target_scores(Q: np.ndarray, K: np.ndarray, c: np.ndarray, scale: float) -> np.ndarray:
    """s (J,), of Q's type, for candidates `Q` (J, d), keys `K` (n, d) and contributions `c` (n,); `scale` > 0 is
    1/(√d T).

    Without events every score is 0.

    >>> import numpy as np
    >>> target_scores(np.ones((1, 2)), np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([1.0, 3.0]), 1.0)
    array([2.])
    """
    return _run(Q, K, c, scale, np.empty((1, 0), Q.dtype))


def target_weights(Q: np.ndarray, K: np.ndarray, c: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The scores (J,) of `target_scores` and the weights a (J, n) behind them.

    >>> import numpy as np
    >>> s, a = target_weights(np.ones((1, 2)), np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([1.0, 3.0]), 1.0)
    >>> a.tolist()
    [[0.5, 0.5]]
    """
    A = _room(len(Q), len(K), Q.dtype)
    return _run(Q, K, c, scale, A), A


def _room(rows: int, columns: int, dtype: np.dtype) -> np.ndarray:
    """An empty table. NumPy asks for large pages from 4 MB on; below, a thousand small ones would each be fetched by
    a fault of their own, which takes longer than the weights do. So a table of a megabyte or more is cut from 4 MB."""
    size = rows * columns
    spare = LARGE // dtype.itemsize if SMALL <= size * dtype.itemsize < LARGE else size
    return np.empty(spare, dtype)[:size].reshape(rows, columns)
