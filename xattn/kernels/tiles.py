"""Products of many rows with many keys, in tiles that stay in registers.

Six rows are multiplied in each pass over the keys. The keys lie in panels of up to four vectors, coordinate by
coordinate:

    panel   k_0f k_1f … k_31f   for f = 0, 1, …        tile[r, i] += q_rf · k_if

so that a tile (6 rows × a panel) is up to 24 vectors of sums. A product is one chain over f: its bits do not depend on
how tiles are cut, on its neighbours, or on the number of threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.core import cgutils

from xattn.kernels.compile import compiled
from xattn.kernels.lanes import BYTES, Lanes, emitted

__all__ = ["TOGETHER", "Keys", "tile", "weighed_tile"]

TOGETHER = 6  # rows that share a pass over the keys
MOST = 4  # vectors in a panel: with six rows, 24 sums stay in registers


def aligned(size: int, dtype: np.dtype) -> np.ndarray:
    """Room for `size` numbers that begins where a vector in the cache does: others would lie in two lines each."""
    room = np.empty(size * dtype.itemsize + BYTES, np.uint8)
    first = -room.ctypes.data % BYTES
    return room[first : first + size * dtype.itemsize].view(dtype)


class Keys(NamedTuple):
    """Keys (n, d) in panels: `data` flat, `panels` (P,) how many vectors each has, `wide` the keys with padding."""

    data: np.ndarray
    panels: np.ndarray
    wide: int

    @classmethod
    def of(cls, K: np.ndarray) -> Keys:
        """Panels as equal as can be: 5 vectors are 3 + 2, not 4 + 1. Rows past the last are 0."""
        n, d = K.shape
        lane = BYTES // K.itemsize
        vectors = -(-n // lane)
        count = -(-vectors // MOST)
        least, wider = divmod(vectors, count) if count else (0, 0)
        panels = np.full(count, least)
        panels[:wider] += 1
        rows = np.zeros((vectors * lane, d), K.dtype)
        rows[:n] = K
        border = wider * (least + 1) * lane
        wide, narrow = (
            rows[:border].reshape(wider, (least + 1) * lane, d),
            rows[border:].reshape(count - wider, least * lane, d),
        )
        data = aligned(vectors * lane * d, K.dtype)
        np.concatenate([part.transpose(0, 2, 1).ravel() for part in (wide, narrow)], out=data)
        return cls(data, panels, vectors * lane)


def _products(b: Any, x: Lanes, V: int, queries: Any, j: Any, last: Any, panel: Any, d: Any) -> list[list[Any]]:
    """Writes the products of TOGETHER rows with a panel of V vectors: where they are kept, row by row."""
    number = j.type
    width = cgutils.unpack_tuple(b, queries.shape)[1]
    rows = []
    for r in range(TOGETHER):
        row = b.add(j, number(r))
        row = b.select(b.icmp_signed("<", row, last), row, last)
        rows.append(b.gep(queries.data, [b.mul(row, width)]))
    sums = [[x.variable(x.const(0)) for _ in range(V)] for _ in range(TOGETHER)]
    with cgutils.for_range(b, d) as loop:
        start = b.mul(loop.index, number(V * x.n))
        k = [x.get(panel, b.add(start, number(v * x.n))) for v in range(V)]
        for row, own in zip(rows, sums, strict=True):
            q = x.splat(b.load(b.gep(row, [loop.index])))
            for v, s in enumerate(own):
                b.store(x.fma(q, k[v], b.load(s)), s)
    return sums


def _plain_products(Q: Any, j: Any, last: Any, KT: Any, at: Any, d: Any, width: int) -> Any:
    x = np.zeros((TOGETHER, width), Q.dtype)
    for r in range(TOGETHER):
        for f in range(d):
            x[r] += Q[min(j + r, last), f] * KT[at + f * width : at + (f + 1) * width]
    return x


def _tile(V: int) -> Any:
    """A function of compiled code that assigns z[r, column + i] = ⟨q_{j + r}, k_i⟩ for a panel of V vectors.

    The panel starts at `at` of KT. Rows of Q past the `last` one are read as the last one.
    """

    def plain(z: Any, column: Any, Q: Any, j: Any, last: Any, KT: Any, at: Any, d: Any) -> None:
        width = V * (BYTES // Q.itemsize)
        z[:, column : column + width] = _plain_products(Q, j, last, KT, at, d, width)

    @emitted(plain)
    def tile(tc: Any, z: Any, column: Any, Q: Any, j: Any, last: Any, KT: Any, at: Any, d: Any) -> Any:
        def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
            x = Lanes(b, Q.dtype)
            logits, queries, keys = (context.make_array(t)(context, b, args[k]) for t, k in ((z, 0), (Q, 2), (KT, 5)))
            column, number = args[1], args[3].type
            wide = cgutils.unpack_tuple(b, logits.shape)[1]
            panel = b.gep(keys.data, [args[6]])
            for r, own in enumerate(_products(b, x, V, queries, args[3], args[4], panel, args[7])):
                at = b.add(b.mul(number(r), wide), column)
                for v, s in enumerate(own):
                    x.put(b.load(s), logits.data, b.add(at, number(v * x.n)))
            return context.get_dummy_value()

        return types.void(z, column, Q, j, last, KT, at, d), write

    return tile


def _weighed(V: int) -> Any:
    """A function of compiled code that adds z[r, column + i] ⟨q_{j + r}, k_i⟩ to the lanes of s[r], i in each lane."""

    def plain(s: Any, z: Any, column: Any, Q: Any, j: Any, last: Any, KT: Any, at: Any, d: Any) -> None:
        width = V * (BYTES // Q.itemsize)
        x = z[:, column : column + width] * _plain_products(Q, j, last, KT, at, d, width)
        s += x.reshape(TOGETHER, V, -1).sum(axis=1)

    @emitted(plain)
    def weighed(tc: Any, s: Any, z: Any, column: Any, Q: Any, j: Any, last: Any, KT: Any, at: Any, d: Any) -> Any:
        def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
            x = Lanes(b, Q.dtype)
            pairs = ((s, 0), (z, 1), (Q, 3), (KT, 6))
            total, weight, queries, keys = (context.make_array(t)(context, b, args[k]) for t, k in pairs)
            column, number = args[2], args[4].type
            wide = cgutils.unpack_tuple(b, weight.shape)[1]
            panel = b.gep(keys.data, [args[7]])
            for r, own in enumerate(_products(b, x, V, queries, args[4], args[5], panel, args[8])):
                at = b.add(b.mul(number(r), wide), column)
                y = x.get(total.data, number(r * x.n))
                for v, product in enumerate(own):
                    y = x.fma(x.get(weight.data, b.add(at, number(v * x.n))), b.load(product), y)
                x.put(y, total.data, number(r * x.n))
            return context.get_dummy_value()

        return types.void(s, z, column, Q, j, last, KT, at, d), write

    return weighed


_tile_1, _tile_2, _tile_3, _tile_4 = (_tile(V) for V in range(1, MOST + 1))
_weighed_1, _weighed_2, _weighed_3, _weighed_4 = (_weighed(V) for V in range(1, MOST + 1))


@compiled
def tile(z, column, V, Q, j, last, KT, at, d):  # type: ignore[no-untyped-def]
    """Assigns z[r, column + i] = ⟨q_{j + r}, k_i⟩ for the TOGETHER rows from j on and the panel of V vectors at `at`.

    Rows past the `last` one are that one again.
    """
    if V == 4:
        _tile_4(z, column, Q, j, last, KT, at, d)
    elif V == 3:
        _tile_3(z, column, Q, j, last, KT, at, d)
    elif V == 2:
        _tile_2(z, column, Q, j, last, KT, at, d)
    else:
        _tile_1(z, column, Q, j, last, KT, at, d)


@compiled
def weighed_tile(s, z, column, V, Q, j, last, KT, at, d):  # type: ignore[no-untyped-def]
    """Adds Σ z[r, column + i] ⟨q_{j + r}, k_i⟩ to s (TOGETHER, lanes): `tile` whose products are used at once."""
    if V == 4:
        _weighed_4(s, z, column, Q, j, last, KT, at, d)
    elif V == 3:
        _weighed_3(s, z, column, Q, j, last, KT, at, d)
    elif V == 2:
        _weighed_2(s, z, column, Q, j, last, KT, at, d)
    else:
        _weighed_1(s, z, column, Q, j, last, KT, at, d)
