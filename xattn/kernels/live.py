"""Sums over the live events of a row, along vector lanes: what a score is divided by, and what it adds up.

A masked event is never read. A lane is one chain, and the lanes are folded in a tree, so bits depend on the numbers and
on the places that are live alone. Whoever serves a score and whoever foretells it call these functions.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils

from xattn.kernels.lanes import Lanes, emitted

__all__ = ["live_dot", "live_total"]


def _live_sum(context: Any, b: Any, kinds: Any, args: Any, rows: Any, live: Any) -> Any:
    """Writes the sum over live places of the product of a row of each table; no other place is read."""
    x = Lanes(b, types.float64)
    flags = context.make_array(kinds[-1])(context, b, args[live])
    mask, n = flags.data, cgutils.unpack_tuple(b, flags.shape)[0]
    tables = []
    for kind, (table, row) in zip(kinds, rows, strict=False):
        data = context.make_array(kind)(context, b, args[table])
        width = cgutils.unpack_tuple(b, data.shape)[1]
        tables.append(b.gep(data.data, [b.mul(args[row], width)]))
    total = x.variable(x.const(0))

    def step(i: Any, inside: Any) -> None:
        there = x.flags(mask, i, inside)
        y = x.get(tables[0], i, there)
        if len(tables) == 1:
            b.store(b.fadd(b.load(total), y), total)
        else:
            b.store(x.fma(y, x.get(tables[1], i, there), b.load(total)), total)

    x.over(n, step)
    return x.fold(b.load(total), b.fadd)


def _plain_live_total(E: Any, k: Any, live: Any) -> Any:
    return E[k][live].sum()


@emitted(_plain_live_total)
def live_total(typing_context: Any, E: Any, k: Any, live: Any) -> Any:
    """Σ E[k, i] over the live i, float64, a chain for each lane."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        return _live_sum(context, b, (E, live), args, [(0, 1)], 2)

    return types.float64(E, types.int64, live), write


def _plain_live_dot(E: Any, k: Any, X: Any, j: Any, live: Any) -> Any:
    return (E[k][live] * X[j][live]).sum()


@emitted(_plain_live_dot)
def live_dot(typing_context: Any, E: Any, k: Any, X: Any, j: Any, live: Any) -> Any:
    """Σ E[k, i] X[j, i] over the live i, float64, a chain for each lane."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        return _live_sum(context, b, (E, X, live), args, [(0, 1), (2, 3)], 4)

    return types.float64(E, types.int64, X, types.int64, live), write
