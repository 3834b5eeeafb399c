"""Target attention: every candidate attends to one history in its own way, and adds up values of its own.

    z_ji = ⟨q_j, k_i⟩ · scale + r_i        E_ji = exp(z_ji − max_l z_jl)        S_j = Σ_{live i} E_ji
    s_j = Σ_{live i} a_ji ⟨u_j, v_i⟩       a_ji = E_ji / S_j^β, or 0 where that is under θ

These are the scores of a field (`fields.py`) whose tables E and X of J × n numbers are never written: six candidates
share each pass over keys and values (`tiles.py`), their products stay in the first-level cache, and maximum,
exponentials and sums follow there.

Where β = 1, θ = 0 and a candidate's logits are near 0, as they nearly always are, no maximum is needed: exponentials
follow the products at once, and the products with the values are weighed while they are in registers. A candidate with
other logits is scored again in the general way. Which way it takes depends on its own logits alone.

A product is one chain over the coordinates, a sum one chain a lane, folded in a fixed tree: bits do not depend on the
candidates beside one, or on the number of threads. NaN in a candidate or an event makes the score NaN.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core import cgutils

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.lanes import BYTES, I64, Lanes, emitted
from xattn.kernels.tiles import TOGETHER, Keys, tile, weighed_tile

__all__ = ["exponentials", "near_exponentials", "target_scores", "tile_rows"]

NEAR = {4: 20.0, 8: 200.0}  # by bytes: exponentials of ± so much leave room for values, large ones and small
BLOCK = 96  # candidates of one iteration of the parallel loop
EXP_WORK = 12  # scalar operations that one exponential counts for


# --- one candidate ----------------------------------------------------------------------------------------------------


def _row(context: Any, b: Any, kind: Any, table: Any, k: Any) -> Any:
    """Where row k of a table starts; counting the references to a slice would cost more than a short row."""
    array = context.make_array(kind)(context, b, table)
    return b.gep(array.data, [b.mul(k, cgutils.unpack_tuple(b, array.shape)[1])])


def _plain_exponentials(z: Any, k: Any, r: Any, live: Any, n: Any, scale: Any) -> Any:
    e = z[k, :n] * scale + r[:n]
    z[k] = 0.0
    z[k, :n] = np.exp(e - e.max()) * (live[:n] if len(live) else 1.0)
    return z[k].sum()


@emitted(_plain_exponentials)
def exponentials(typing_context: Any, z: Any, k: Any, r: Any, live: Any, n: Any, scale: Any) -> Any:
    """Turns the products in row k of z into E in place, 0 from n on; returns S. `r` and `live`, 1 or 0, fill whole
    vectors; `live` is empty where every event is live."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, z.dtype)
        row, count, scale = _row(context, b, z, args[0], args[1]), args[4], x.splat(args[5])
        bias, mask = (context.make_array(t)(context, b, args[place]) for t, place in ((r, 2), (live, 3)))
        top, total = x.variable(x.const(-math.inf)), x.variable(x.const(0))

        def largest(i: Any, inside: Any) -> None:
            y = x.fma(x.get(row, i), scale, x.get(bias.data, i))
            x.put(y, row, i)
            if inside is not None:
                y = b.select(inside, y, x.const(-math.inf))
            b.store(x.larger(b.load(top), y), top)

        x.over(count, largest)
        m = x.splat(x.fold(b.load(top), x.larger))

        def keep(i: Any, inside: Any, y: Any) -> None:
            if inside is not None:
                y = b.select(inside, y, x.const(0))
            x.put(y, row, i)
            b.store(b.fadd(b.load(total), y), total)

        def of_all(i: Any, inside: Any) -> None:
            """S is 1 at least: what would sink below normal numbers may be 10^-38 (float32) just as well."""
            y, least = b.fsub(x.get(row, i), m), x.const(-87.0 if x.narrow else -700.0)
            keep(i, inside, x.exp(b.select(b.fcmp_ordered("<", y, least), least, y), sinks=False))

        def of_live(i: Any, inside: Any) -> None:
            keep(i, inside, b.fmul(x.exp(b.fsub(x.get(row, i), m)), x.get(mask.data, i)))

        with b.if_else(b.icmp_signed("==", cgutils.unpack_tuple(b, mask.shape)[0], count.type(0))) as (every, some):
            with every:
                x.over(count, of_all)
            with some:
                x.over(count, of_live)
        return x.fold(b.load(total), b.fadd)

    return z.dtype(z, k, r, live, n, scale), write


def _plain_weighed(z: Any, x: Any, k: Any, n: Any, norm: Any, theta: Any) -> Any:
    return (np.where(z[k] / norm < theta, 0.0, z[k]) @ x[k]).astype(z.dtype)


@emitted(_plain_weighed)
def _weighed(typing_context: Any, z: Any, x: Any, k: Any, n: Any, norm: Any, theta: Any) -> Any:
    """Σ z_i x_i over the n places of row k where z_i/norm is not under θ."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(b, z.dtype)
        weight, value = (_row(context, b, t, args[place], args[2]) for t, place in ((z, 0), (x, 1)))
        norm, least, s = lanes.splat(args[4]), lanes.splat(args[5]), lanes.variable(lanes.const(0))

        def add(i: Any, inside: Any, passed: Any = None) -> None:
            y = lanes.get(weight, i)
            if passed is not None:
                y = b.select(b.fcmp_ordered("<", b.fdiv(y, norm), least), lanes.const(0), y)  # NaN passes: it is seen
            b.store(lanes.fma(y, lanes.get(value, i), b.load(s)), s)

        with b.if_else(b.fcmp_ordered(">", args[5], args[5].type(0.0))) as (some, every):
            with some:
                lanes.over(args[3], lambda i, inside: add(i, inside, True))
            with every:
                lanes.over(args[3], add)
        return lanes.fold(b.load(s), b.fadd)

    return z.dtype(z, x, k, n, norm, theta), write


# --- candidates whose logits are near 0 -------------------------------------------------------------------------------


def _plain_near(z: Any, S: Any, far: Any, r: Any, live: Any, n: Any, scale: Any) -> bool:
    y = z * scale + r
    far[:] = ~(np.abs(y[:, :n]).max(axis=1) <= NEAR[z.itemsize])
    z[:] = 0.0
    with np.errstate(over="ignore"):
        z[:, :n] = np.exp(y[:, :n]) * (live[:n] if len(live) else 1.0)
    S[:] = z.reshape(TOGETHER, -1, S.shape[1]).sum(axis=1)
    return bool(far.any())


@emitted(_plain_near)
def near_exponentials(typing_context: Any, z: Any, S: Any, far: Any, r: Any, live: Any, n: Any, scale: Any) -> Any:
    """Turns the products in z (TOGETHER, wide) into exp(logit) in place, 0 from n on, with their sums S in lanes.

    far[k]: a logit of row k is too far from 0 for that, and the row holds anything. Returns whether any is.
    """

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, z.dtype)
        pairs = ((z, 0), (S, 1), (far, 2), (r, 3), (live, 4))
        rows, sums, distant, bias, mask = (context.make_array(t)(context, b, args[place]) for t, place in pairs)
        wide, count, scale = cgutils.unpack_tuple(b, rows.shape)[1], args[5], x.splat(args[6])
        sign = x.whole((1 << (8 * x.bytes - 1)) - 1)
        limit = x.i(
            struct.unpack("<i" if x.narrow else "<q", struct.pack("<f" if x.narrow else "<d", NEAR[x.bytes]))[0]
        )

        def steps(row: Any, total: Any, largest: Any, some: bool) -> Any:
            def step(i: Any, inside: Any) -> None:
                y = x.fma(x.get(row, i), scale, x.get(bias.data, i))
                size, before = b.and_(b.bitcast(y, x.I), sign), b.load(largest)
                b.store(b.select(b.icmp_signed(">", size, before), size, before), largest)
                y = x.exp(y, sinks=False)
                if some:
                    y = b.fmul(y, x.get(mask.data, i))
                elif inside is not None:
                    y = b.select(inside, y, x.const(0))
                x.put(y, row, i)
                b.store(b.fadd(b.load(total), y), total)

            return step

        some = cgutils.alloca_once_value(b, ir.IntType(1)(0))
        every = b.icmp_signed("==", cgutils.unpack_tuple(b, mask.shape)[0], count.type(0))
        with cgutils.for_range(b, count.type(TOGETHER)) as loop:
            row = b.gep(rows.data, [b.mul(loop.index, wide)])
            total, largest = x.variable(x.const(0)), x.variable(x.whole(0))
            b.store(x.const(0), total)
            b.store(x.whole(0), largest)
            with b.if_else(every) as (whole, masked):
                with whole:
                    x.over(count, steps(row, total, largest, False))
                with masked:
                    x.over(count, steps(row, total, largest, True))
            x.put(b.load(total), sums.data, b.mul(loop.index, count.type(x.n)))
            most = x.fold(b.load(largest), lambda p, q: b.select(b.icmp_signed(">", p, q), p, q))
            beyond = b.icmp_signed(">", most, limit)
            b.store(b.zext(beyond, distant.data.type.pointee), b.gep(distant.data, [loop.index]))
            b.store(b.or_(b.load(some), beyond), some)
        return b.load(some)

    return types.boolean(z, S, far, r, live, n, scale), write


def _plain_shares(share: Any, s: Any, S: Any) -> None:
    with np.errstate(invalid="ignore", divide="ignore"):
        share[:TOGETHER] = s.sum(axis=1) / S.sum(axis=1)


@emitted(_plain_shares)
def _shares(typing_context: Any, share: Any, s: Any, S: Any) -> Any:
    """Assigns share[k] = Σ s[k] / Σ S[k] for TOGETHER rows of lanes."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, s.dtype)
        found, above, below = (context.make_array(t)(context, b, args[k]) for t, k in ((share, 0), (s, 1), (S, 2)))
        sums = [x.fold_many([x.get(a.data, I64(k * x.n)) for k in range(TOGETHER)]) for a in (above, below)]
        x.put(b.fdiv(*sums), found.data, I64(0))
        return context.get_dummy_value()

    return types.void(share, s, S), write


# --- all candidates ---------------------------------------------------------------------------------------------------


@compiled
def tile_rows(room, at, width):  # type: ignore[no-untyped-def]
    """TOGETHER rows of numbers from `at` on, and where the room after them begins."""
    after = at + TOGETHER * width
    return room[at:after].reshape(TOGETHER, width), after


@Kernel
def _target_scores(out, Q, U, keys, values, panels, r, live, n, scale, beta, theta):  # type: ignore[no-untyped-def]
    """Assigns the score of each candidate; `r` and `live` fill whole vectors."""
    J, wide = Q.shape[0], r.shape[0]
    dk, d = Q.shape[1], U.shape[1]
    lane = np.int64(BYTES // Q.itemsize)
    plain = beta == 1.0 and theta == 0.0
    for block in prange((J + BLOCK - 1) // BLOCK):
        room = np.empty(TOGETHER * 2 * (wide + lane) + 2 * lane, Q.dtype)
        at = -np.int64(room.ctypes.data) % BYTES // Q.itemsize  # vectors that lie in two lines of the cache are slower
        z, at = tile_rows(room, at, wide)
        x, at = tile_rows(room, at, wide)
        s, at = tile_rows(room, at, lane)
        S, at = tile_rows(room, at, lane)
        share = room[at : at + lane]
        far = np.ones(TOGETHER, np.bool_)
        first = np.int64(block) * BLOCK
        for j in range(first, min(J, first + BLOCK), TOGETHER):
            rows = min(TOGETHER, J - j)
            general = True
            if plain:
                # 1 near 0: exponentials, then products with the values, weighed at once
                column = np.int64(0)
                for p in range(panels.shape[0]):
                    tile(z, column, panels[p], Q, j, J - 1, keys, column * dk, dk)
                    column += panels[p] * lane
                general = near_exponentials(z, S, far, r, live, n, scale)
                s[:] = 0.0
                column = np.int64(0)
                for p in range(panels.shape[0]):
                    weighed_tile(s, z, column, panels[p], U, j, J - 1, values, column * d, d)
                    column += panels[p] * lane
                _shares(share, s, S)
                for k in range(rows):
                    out[j + k] = share[k]
            if general:
                # 2 in general
                column = np.int64(0)
                for p in range(panels.shape[0]):
                    tile(z, column, panels[p], Q, j, J - 1, keys, column * dk, dk)
                    tile(x, column, panels[p], U, j, J - 1, values, column * d, d)
                    column += panels[p] * lane
                for k in range(rows):
                    if far[k]:
                        T = exponentials(z, k, r, live, n, scale)
                        norm = T if beta == 1.0 else Q.dtype.type(T**beta)
                        out[j + k] = _weighed(z, x, k, wide, norm, theta) / norm if T != 0.0 else 0.0


def target_scores(
    Q: np.ndarray,
    U: np.ndarray,
    K: np.ndarray,
    V: np.ndarray,
    r: np.ndarray,
    live: np.ndarray,
    *,
    scale: float,
    beta: float = 1.0,
    theta: float = 0.0,
) -> np.ndarray:
    """s (J,), of Q's type, for candidates `Q` (J, dk), `U` (J, d) over the events `K` (n, dk), `V` (n, d), `r` (n,).

    `live` (n,) bool: a masked event is in no sum, but its logit counts for the maximum. Without live events every score
    is 0.

    >>> import numpy as np
    >>> one, V = np.ones((1, 1)), np.array([[1.0], [3.0]])
    >>> target_scores(one, one, np.zeros((2, 1)), V, np.zeros(2), np.ones(2, bool), scale=1.0)
    array([2.])
    """
    out = np.zeros(len(Q), Q.dtype)
    if out.size and live.any():
        keys, values, number, n = Keys.of(K), Keys.of(V), Q.dtype.type, len(K)
        bias, mask = np.zeros((2, keys.wide), Q.dtype)
        bias[:n], mask[:n] = r, live
        numbers = (number(scale), float(beta), number(theta))
        work = float(len(Q)) * n * (Q.shape[1] + U.shape[1] + EXP_WORK) / BYTES * Q.itemsize
        Q, U, mask = np.ascontiguousarray(Q), np.ascontiguousarray(U), mask[:0] if live.all() else mask
        _target_scores(out, Q, U, keys.data, values.data, keys.panels, bias, mask, n, *numbers, work=work)
    return out
