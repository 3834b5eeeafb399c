"""The k best scores of each row, under a rule that leaves nothing to chance.

Higher score first; equal scores, lower index first (the rule of ONNX TopK; −0 equals 0). NaN is never chosen, nor is an
item that is not allowed or is excluded; −inf may be. So a row yields min(k, items left), maybe fewer than k: the other
places hold −1, never an item.

A row is scanned once from the left, past a heap of the k best so far whose root is the worst of them: items that do not
beat the root are passed over a few vectors at a time. Equal to the root is not better: what came earlier has the lower
index.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core import cgutils

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.lanes import BYTES, I64, Lanes, emitted

__all__ = ["TopK", "top_k"]


class TopK(NamedTuple):
    """Chosen items per row, `items` (R, min(k, M)) int64, best first, −1 after the last; `counts` (R,) how many."""

    items: np.ndarray
    counts: np.ndarray


STRIDE = 4  # vectors that are compared before it is asked whether any of their items is better


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


@compiled
def _worse(score, i, j):  # type: ignore[no-untyped-def]
    """Item i ranks after item j."""
    return score[i] < score[j] or (score[i] == score[j] and i > j)


@compiled
def _sift_down(heap, score, n):  # type: ignore[no-untyped-def]
    """Restore, from the root, that no item of heap[:n] ranks before its children, which sit at 2p + 1 and 2p + 2."""
    p = 0
    while True:
        worst = p
        for child in range(2 * p + 1, min(2 * p + 3, n)):
            if _worse(score, heap[child], heap[worst]):
                worst = child
        if worst == p:
            return
        heap[p], heap[worst] = heap[worst], heap[p]
        p = worst


@compiled
def _sift_up(heap, score, p):  # type: ignore[no-untyped-def]
    while p > 0 and _worse(score, heap[p], heap[(p - 1) // 2]):
        heap[p], heap[(p - 1) // 2] = heap[(p - 1) // 2], heap[p]
        p = (p - 1) // 2


@compiled
def _row(heap, score, allowed, marked):  # type: ignore[no-untyped-def]
    """Assigns `heap`, the best items of one row, best first; returns how many there are."""
    k = heap.shape[0]
    n = 0
    i = -1
    while True:
        i += 1
        if n == k:
            i = _next_above(score, i, score[heap[0]])
        if i >= score.shape[0]:
            break
        s = score[i]
        if n == k:
            if not s > score[heap[0]]:  # also NaN
                continue
        elif s != s:
            continue
        if (marked.size > 0 and marked[i]) or (allowed.size > 0 and not allowed[i]):
            continue
        if n < k:
            heap[n] = i
            _sift_up(heap, score, n)
            n += 1
        else:
            heap[0] = i
            _sift_down(heap, score, n)
    for last in range(n - 1, 0, -1):  # heap: worst at the root → take it to the end, and so on: best first
        heap[0], heap[last] = heap[last], heap[0]
        _sift_down(heap, score, last)
    for i in range(n, k):
        heap[i] = -1
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
        counts[r] = _row(items[r], scores[r], allowed[r % allowed.shape[0]], marked)


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
