"""Normalisers of heads that are sums of streams, each with its own way to forget (docs/model.md, eq. 39)."""

from __future__ import annotations

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel

__all__ = ["shared_normalisers"]


@Kernel
def _shared_normalisers(c, indptr, rho, lag, head, beta):  # type: ignore[no-untyped-def]
    """Assigns c[s, e] = lag_s,e (Σ_{r of the same head} lag_r,e S_r,e)^(−β), S the running sums of powers of ρ."""
    for u in prange(indptr.shape[0] - 1):
        S, total = np.zeros(rho.shape[0]), np.empty(beta.shape[0])
        for e in range(indptr[u], indptr[u + 1]):
            total[:] = 0.0
            for s in range(rho.shape[0]):
                total[head[s]] += lag[s, e] * S[s]
            for s in range(rho.shape[0]):
                h = head[s]
                c[s, e] = lag[s, e] * total[h] ** (-beta[h]) if total[h] > 0.0 else 0.0
                S[s] = 1.0 + rho[s, e] * S[s]


def shared_normalisers(
    indptr: np.ndarray, rho: np.ndarray, lag: np.ndarray, head: np.ndarray, beta: np.ndarray
) -> np.ndarray:
    """c (S, N) of S streams: `rho`, `lag` (S, N), the stream's `head` (S,), exponents `beta` (H,).

    `lag` is what a stream's weights are multiplied by when the prefix before each event is pooled.
    """
    c = np.empty(rho.shape)
    _shared_normalisers(c, indptr, rho, lag, head, beta, work=6.0 * c.size)
    return c
