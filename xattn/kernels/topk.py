"""The k best scores of each row, in an order that is always the same; and the ranks of some of them.

Higher score first; equal scores, lower index first (the rule of ONNX TopK; −0 equals 0). NaN is never chosen, nor is an
item that is not allowed or is excluded; −inf may be. So a row may have fewer than k items: the other places hold −1.

A row is scanned once from the left. A heap holds the k best items so far, the worst of them at its root, and items that
do not beat the root are skipped a few vectors at a time. An item equal to the root does not beat it, because the
earlier one has the lower index.

Ranks are those of evaluation: 1 + the number of other candidates that score at least as high, so ties count against the
item that is asked for. The scores asked for are sorted first, and each candidate is put among them by bisection.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core import cgutils

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.lanes import BYTES, I64, Lanes, emitted

__all__ = ["TopK", "enter", "in_order", "ranks_among", "top_k"]


class TopK(NamedTuple):
    """Chosen items per row, `items` (R, min(k, M)) int64, best first, −1 after the last; `counts` (R,) how many."""

    items: np.ndarray
    counts: np.ndarray


STRIDE = 4  # vectors that are compared at once


def _plain_next_above(score: np.ndarray, i: int, limit: Any) -> int:
    stride = STRIDE * BYTES // score.itemsize
    while i + stride <= len(score):
        above = np.flatnonzero(score[i : i + stride] > limit)
        if len(above):
            return i + int(above[0])
        i += stride
    return i


@emitted(_plain_next_above)
def _next_above(typing_context: Any, score: Any, i: Any, limit: Any) -> Any:
    """The first place from i on whose score is above the limit (NaN is not), or where fewer than a stride are left."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, score.dtype)
        array = context.make_array(score)(context, b, args[0])
        size = cgutils.unpack_tuple(b, array.shape)[0]
        least = x.splat(args[2])
        bits = ir.IntType(STRIDE * x.n)
        place = cgutils.alloca_once_value(b, args[1])
        check, look, on, found, end = (b.append_basic_block(name) for name in ("check", "look", "on", "found", "end"))
        b.branch(check)
        b.position_at_end(check)
        now = b.load(place)
        b.cbranch(b.icmp_signed("<=", b.add(now, I64(STRIDE * x.n)), size), look, end)
        b.position_at_end(look)
        above = bits(0)
        for k in range(STRIDE):
            better = b.fcmp_ordered(">", x.get(array.data, b.add(now, I64(k * x.n))), least)
            mask = b.zext(b.bitcast(better, ir.IntType(x.n)), bits)
            above = b.or_(above, b.shl(mask, bits(k * x.n)))
        b.cbranch(b.icmp_unsigned("==", above, bits(0)), on, found)
        b.position_at_end(on)
        b.store(b.add(now, I64(STRIDE * x.n)), place)
        b.branch(check)
        b.position_at_end(found)
        ahead = b.cttz(above, ir.IntType(1)(1))
        b.store(b.add(now, b.zext(ahead, I64) if bits.width < 64 else ahead), place)
        b.branch(end)
        b.position_at_end(end)
        return b.load(place)

    return types.int64(score, types.int64, score.dtype), write


# --- a heap, whose root is the worst ----------------------------------------------------------------------------------


@compiled
def _before(s, i, t, j):  # type: ignore[no-untyped-def]
    """Whether item i of score s ranks before item j of score t."""
    return s > t or (s == t and i < j)


@compiled
def _sink(item, score, n):  # type: ignore[no-untyped-def]
    """Restores, from the root, that no item of the heap ranks before its children, which sit at 2p + 1 and 2p + 2."""
    p = 0
    while True:
        worst = p
        for child in range(2 * p + 1, min(2 * p + 3, n)):
            if _before(score[worst], item[worst], score[child], item[child]):
                worst = child
        if worst == p:
            return
        item[p], item[worst] = item[worst], item[p]
        score[p], score[worst] = score[worst], score[p]
        p = worst


@compiled
def enter(item, score, n, i, s):  # type: ignore[no-untyped-def]
    """Puts item i into a heap of n; returns how many it holds then. A full one loses its worst, which may be i."""
    k = item.shape[0]
    if n == k:
        if _before(s, i, score[0], item[0]):
            item[0], score[0] = i, s
            _sink(item, score, n)
        return n
    p = n
    while p > 0 and _before(score[(p - 1) // 2], item[(p - 1) // 2], s, i):
        item[p], score[p] = item[(p - 1) // 2], score[(p - 1) // 2]
        p = (p - 1) // 2
    item[p], score[p] = i, s
    return n + 1


@compiled
def in_order(item, score, n):  # type: ignore[no-untyped-def]
    """Turns a heap of n into a list, best first; the places after them get −1 and −inf."""
    for last in range(n - 1, 0, -1):
        item[0], item[last] = item[last], item[0]
        score[0], score[last] = score[last], score[0]
        _sink(item, score, last)
    for i in range(n, item.shape[0]):
        item[i], score[i] = -1, -np.inf


# --- rows of scores ---------------------------------------------------------------------------------------------------


@compiled
def _row(item, best, score, allowed, marked):  # type: ignore[no-untyped-def]
    """Assigns the best items of one row, best first, and their scores; returns how many there are."""
    k = item.shape[0]
    n = 0
    i = -1
    while True:
        i += 1
        if n == k:
            i = _next_above(score, i, best[0])
        if i >= score.shape[0]:
            break
        s = score[i]
        if s != s or (n == k and not s > best[0]):
            continue
        if (marked.size > 0 and marked[i]) or (allowed.size > 0 and not allowed[i]):
            continue
        n = enter(item, best, n, i, s)
    in_order(item, best, n)
    return n


@Kernel
def _top_k(items, counts, scores, allowed, ptr, excluded):  # type: ignore[no-untyped-def]
    """Assigns the best items of each row, and how many there are."""
    R, M = scores.shape
    for r in prange(R):
        marked = np.zeros(M if ptr.size > 0 else 0, np.bool_)
        if ptr.size > 0:
            for x in range(ptr[r], ptr[r + 1]):
                marked[excluded[x]] = True
        best = np.empty(items.shape[1], scores.dtype)
        counts[r] = _row(items[r], best, scores[r], allowed[r % allowed.shape[0]], marked)


def top_k(
    scores: np.ndarray,
    allowed: np.ndarray | None,
    k: int,
    excluded: np.ndarray | None = None,
    indptr: np.ndarray | None = None,
) -> TopK:
    """The `k` best items of each row of scores (R, M); ties, NaN and short rows by the rule at the top of this file.

    `allowed` (M,) for all rows or (R, M), bool; None allows all. `excluded` holds items (int64, any order, repeats are
    fine) that a row may not have: those of row r are excluded[indptr[r] : indptr[r + 1]], such as what a user has seen.

    >>> import numpy as np
    >>> best = top_k(np.array([[1.0, 3.0, np.nan, 3.0]]), None, 2)
    >>> best.items.tolist(), best.counts.tolist()
    ([[1, 3]], [2])
    """
    R, M = scores.shape
    k = min(k, M)
    best = TopK(np.empty((R, k), dtype=np.int64), np.zeros(R, dtype=np.int64))
    if k > 0:
        rows = np.empty((1, 0), dtype=np.bool_) if allowed is None else np.atleast_2d(allowed)
        nothing = np.empty(0, dtype=np.int64)
        ptr, seen = (nothing, nothing) if excluded is None or indptr is None else (indptr, excluded)
        _top_k(*best, scores, rows, ptr, seen, work=2 * scores.size)
    return best


# --- ranks of what is asked for ---------------------------------------------------------------------------------------


@Kernel
def _ranks(rank, own, ptr, target, scores, first, excluded):  # type: ignore[no-untyped-def]
    """Assigns the rank of each row's scores `own`, which fall from ptr[r] to ptr[r + 1], NaN last."""
    R, M = scores.shape
    for r in prange(R):
        low, T = ptr[r], ptr[r + 1] - ptr[r]
        apart = np.zeros(M, np.bool_)  # what is no other candidate
        for x in range(first[r], first[r + 1]):
            apart[excluded[x]] = True
        for t in range(T):
            apart[target[low + t]] = True
        ahead = np.zeros(T + 1, np.int64)  # [t]: how many others come in just before the t-th
        for j in range(M if T > 0 else 0):
            s = scores[r, j]
            if apart[j] or s < own[low + T - 1]:
                continue
            a, b = np.int64(0), T - 1  # the first t that s is not below lies in between; NaN is below nothing
            while a < b:
                half = (a + b) // 2
                if s < own[low + half]:
                    a = half + 1
                else:
                    b = half
            ahead[a] += 1
        total = 0
        for t in range(T):
            total += ahead[t]
            x = own[low + t]
            rank[low + t] = 1.0 + t + total if x == x else np.inf


def ranks_among(
    scores: np.ndarray, target: np.ndarray, ptr: np.ndarray, excluded: np.ndarray, indptr: np.ndarray
) -> np.ndarray:
    """Ranks (T,) float64 of the items `target` (T,) of each row of scores (R, M), ascending in each row; inf for NaN.

    Those of row r are target[ptr[r] : ptr[r + 1]], all different. No candidates beside them are the items
    excluded[indptr[r] : indptr[r + 1]]. Another item's NaN counts as ahead.

    >>> import numpy as np
    >>> s, none = np.array([[3.0, 2.0, 2.0, 1.0]]), np.empty(0, np.int64)
    >>> ranks_among(s, np.array([1]), np.array([0, 1]), none, np.zeros(2, np.int64)).tolist()
    [3.0]
    """
    row = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
    own = scores[row, target]
    own = own[np.lexsort((-own, row))]
    rank = np.empty(len(target))
    _ranks(rank, own, ptr, target, scores, indptr, excluded, work=2.0 * scores.size)
    return rank
