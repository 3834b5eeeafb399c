"""The k keys of largest product with each query: exact, block by block, without the table of all products.

Keys lie in panels (`xattn.kernels.tiles`), the longest first. Each query has a heap of its k best keys so far, and a
chunk of keys that fits the cache is multiplied with many queries. As q·k ≤ ‖q‖‖k‖, a group of queries is done once the
longest key of those that are left cannot reach the worst key in any of their heaps.

Higher product first; equal ones, lower key first. NaN is never chosen. A product is one chain over the coordinates in
the type of the arrays, so results do not depend on the order of keys, on blocks, or on threads.

Pruning by length: Teflioudi, Gemulla, Mykytiuk, LEMP (SIGMOD 2015).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel
from xattn.kernels.lanes import BYTES
from xattn.kernels.tiles import TOGETHER, Keys, tile
from xattn.kernels.topk import enter, in_order
from xattn.kernels.vectors import peak

__all__ = ["Catalogue", "nearest"]

BLOCK = 6  # groups of queries that share a chunk
CHUNK = 1 << 17  # bytes of keys that stay in the second-level cache while the groups of a block go by
STEP = 8  # panels after which the products of a group are looked through


@Kernel
def _nearest(item, score, Q, data, panels, start, longest, key, reach, least):  # type: ignore[no-untyped-def]
    """Assigns the best keys of each query, `item`, and their products, `score`.

    Panel p holds the keys key[start_p..], none longer than longest_p; `reach` bounds a query's product with a unit key.
    """
    J, d = Q.shape
    P, k = panels.shape[0], item.shape[1]
    together = max(1, CHUNK // max(1, d * 4 * BYTES))
    rows = BLOCK * TOGETHER
    for block in prange((J + rows - 1) // rows):
        first = np.int64(block) * rows
        groups = (min(rows, J - first) + TOGETHER - 1) // TOGETHER
        z = np.empty((TOGETHER, STEP * 4 * BYTES // Q.itemsize), Q.dtype)
        filled, done = np.zeros(rows, np.int64), np.zeros(groups, np.bool_)
        for low in range(0, P, together):
            for group in range(groups):
                j = first + group * TOGETHER
                many = min(TOGETHER, J - j)
                for step in range(low, min(P, low + together), STEP):
                    if done[group]:
                        break
                    done[group] = True
                    for r in range(many):
                        if filled[j + r - first] < k or not reach[j + r] * longest[step] + least < score[j + r, 0]:
                            done[group] = False
                    if done[group]:
                        break
                    last = min(P, step + STEP, low + together)
                    for p in range(step, last):
                        tile(z, start[p] - start[step], panels[p], Q, j, J - 1, data, start[p] * d, d)
                    width = min(start[last], key.shape[0]) - start[step]
                    for r in range(many):
                        n = filled[j + r - first]
                        found = z[r, :width]
                        if n == k and peak(found) < score[j + r, 0]:
                            continue
                        for i in range(width):
                            if found[i] == found[i] and (n < k or found[i] >= score[j + r, 0]):
                                n = enter(item[j + r], score[j + r], n, key[start[step] + i], found[i])
                        filled[j + r - first] = n
        for r in range(min(rows, J - first)):
            in_order(item[first + r], score[first + r], filled[r])


class Catalogue(NamedTuple):
    """Keys (n, d) in panels, the longest first."""

    keys: Keys
    start: np.ndarray  # (panels + 1,) int64: the place of each panel's first key
    key: np.ndarray  # (n,) int64: the row of K at each place
    longest: np.ndarray  # (panels,) float64

    @classmethod
    def of(cls, K: np.ndarray) -> Catalogue:
        with np.errstate(over="ignore", invalid="ignore"):
            length = np.sqrt(np.einsum("nd,nd->n", K, K, dtype=np.float64))
        key = np.argsort(np.where(np.isnan(length), -np.inf, -length), kind="stable")  # no length bounds nothing
        keys = Keys.of(K[key])
        start = np.concatenate([[0], np.cumsum(keys.panels * (BYTES // K.itemsize))])
        return cls(keys, start, key, length[key][start[:-1]])


def nearest(Q: np.ndarray, catalogue: Catalogue, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Keys and products (R, min(k, n)) of the queries Q (R, d) in the catalogue's type; −1 and −inf after the last."""
    (R, d), n = Q.shape, len(catalogue.key)
    k = min(k, n)
    item, score = np.empty((R, k), np.int64), np.empty((R, k), Q.dtype)
    if item.size:
        Q = np.ascontiguousarray(Q)
        with np.errstate(over="ignore", invalid="ignore"):
            length = np.sqrt(np.einsum("nd,nd->n", Q, Q, dtype=np.float64))
        kind = np.finfo(Q.dtype)
        reach = length * (1.0 + 2.0 * (d + 4) * float(kind.eps))
        least = d * float(kind.smallest_normal)  # what products that underflow may be off by
        (data, panels, _), start, key, longest = catalogue
        work = float(R) * n * (d + 4) / BYTES * Q.itemsize
        _nearest(item, score, Q, data, panels, start, longest, key, reach, least, work=work)
    return item, score
