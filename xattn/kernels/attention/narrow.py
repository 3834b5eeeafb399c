"""Attention with sums in float32, nothing masked: both products run in tiles, and exponentials stand between them.

    E_bj = exp(scale · q_b·k_j)      y_b = Σ_j E_bj v_j / Σ_j E_bj      ln Σ_j E_bj

Six queries share a pass over keys and values (`tiles.py`). As in target attention (`target.py`), logits near 0 need no
maximum; a query with others is shifted by its own. Bits depend on a query, the keys and the values alone.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from xattn.kernels.attention.exact import Attention
from xattn.kernels.compile import Kernel
from xattn.kernels.lanes import BYTES
from xattn.kernels.target import exponentials, near_exponentials, tile_rows
from xattn.kernels.tiles import TOGETHER, Keys, tile

__all__ = ["attend_narrow"]

BLOCK = 48  # queries of one iteration
EXP_WORK = 12  # scalar operations that one exponential counts for


@Kernel
def _narrow(Y, lse, A, Q, keys, kpanels, kat, values, vpanels, vat, n, scale):  # type: ignore[no-untyped-def]
    """Assigns the outputs of one head, the log-sum-exps, and the weights unless A is empty."""
    L, w = Y.shape
    d, lane = Q.shape[1], np.int64(BYTES // Q.itemsize)
    wide, out = np.sum(kpanels) * lane, np.sum(vpanels) * lane
    for block in prange((L + BLOCK - 1) // BLOCK):
        room = np.empty(TOGETHER * (2 * wide + out + lane) + lane, Q.dtype)
        at = -np.int64(room.ctypes.data) % BYTES // Q.itemsize
        z, at = tile_rows(room, at, wide)
        e, at = tile_rows(room, at, wide)
        y, at = tile_rows(room, at, out)
        S, at = tile_rows(room, at, lane)
        far, none, bias = np.ones(TOGETHER, np.bool_), np.empty(0, Q.dtype), np.zeros(wide, Q.dtype)
        total, m = np.empty(TOGETHER), np.empty(TOGETHER)
        first = np.int64(block) * BLOCK
        for i in range(first, min(L, first + BLOCK), TOGETHER):
            # 1 logits
            for p in range(kpanels.shape[0]):
                tile(z, kat[p], kpanels[p], Q, i, L - 1, keys, kat[p] * d, d)
            # 2 exponentials, and their sums
            again = near_exponentials(z, S, far, bias, none, n, scale)
            for c in range(TOGETHER):
                total[c], m[c] = 0.0, 0.0
                for l in range(lane):
                    total[c] += S[c, l]
            if again:
                for p in range(kpanels.shape[0]):
                    tile(e, kat[p], kpanels[p], Q, i, L - 1, keys, kat[p] * d, d)
                for c in range(TOGETHER):
                    if far[c]:
                        m[c] = -np.inf
                        for j in range(n):
                            m[c] = max(m[c], np.float64(e[c, j] * scale))
                        total[c] = exponentials(e, c, bias, none, n, scale)
                        z[c] = e[c]
            # 3 outputs
            for p in range(vpanels.shape[0]):
                tile(y, vat[p], vpanels[p], z, 0, TOGETHER - 1, values, vat[p] * n, n)
            for c in range(min(TOGETHER, L - i)):
                share = Q.dtype.type(1.0 / total[c])
                for x in range(w):
                    Y[i + c, x] = y[c, x] * share
                lse[i + c] = m[c] + np.log(total[c])
                if A.size != 0:
                    for j in range(n):
                        A[i + c, j] = z[c, j] * share


def attend_narrow(
    Q: np.ndarray, K: np.ndarray, V: np.ndarray, *, scale: float, want_weights: bool = False
) -> Attention:
    """One head: Q (L, d), K (n, d), V (n, w), all float32; nothing is masked, and n is 1 at least.

    >>> Q, K, V = np.ones((1, 1), "f4"), np.zeros((2, 1), "f4"), np.array([[1.0], [3.0]], "f4")
    >>> attend_narrow(Q, K, V, scale=1.0).y.tolist()
    [[2.0]]
    """
    (L, d), (n, w) = Q.shape, V.shape
    out = Attention(
        np.empty((L, w), Q.dtype), np.empty((L, n) if want_weights else (0, 0), Q.dtype), np.empty(L, Q.dtype)
    )
    keys, values, lane = Keys.of(K), Keys.of(np.ascontiguousarray(V.T)), BYTES // Q.itemsize
    starts = [(np.cumsum(panels) - panels) * lane for panels in (keys.panels, values.panels)]
    tables = (keys.data, keys.panels, starts[0], values.data, values.panels, starts[1])
    work = float(L) * n * (d + w + EXP_WORK) / BYTES * Q.itemsize
    _narrow(out.y, out.lse, out.a, np.ascontiguousarray(Q), *tables, n, Q.dtype.type(scale), work=work)
    return out
