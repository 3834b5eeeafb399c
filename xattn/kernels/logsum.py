"""Logarithms of attention weights, with the log-sum-exp that normalises them: they live on where a weight underflows.

    log a_i = (e_i − m)/T − β log Σ_l exp((e_l − m)/T)     lse = m/T + log Σ_l exp((e_l − m)/T)     m = max e

Rows (R, n), masks and special values as in softmax.py: masked events are skipped, their logarithm is −inf, as is the
lse of an empty row. The difference e − m comes first: e − (m + log Σ) would round the logarithm away for 1e16.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel

__all__ = ["log_weights", "logsumexp"]

EXP_WORK = 24  # scalar operations that one exponential, passed twice, counts for


@Kernel
def _log_weights(g, lse, e, mask, T, beta):  # type: ignore[no-untyped-def]
    """Assigns the logarithms g of the weights, and the log-sum-exp of each row."""
    R, n = e.shape
    for r in prange(R):
        m = -np.inf
        empty = True
        for i in range(n):
            if (mask.size == 0 or mask[r, i]) and e[r, i] != -np.inf:
                empty = False
                m = e[r, i] if e[r, i] > m else m
        rest = 0.0  # Σ exp less one of the largest, which is exp(0) = 1: log1p keeps the digits of a certain row
        passed = False
        for i in range(n):
            if (mask.size == 0 or mask[r, i]) and e[r, i] != -np.inf:
                if e[r, i] == m and not passed:
                    passed = True
                    rest += np.float64(e[r, i]) - m  # 0, or NaN for +inf
                else:
                    rest += math.exp((np.float64(e[r, i]) - m) / T)
        log_s = math.log1p(rest)
        lse[r] = -np.inf if empty else m / T + log_s
        for i in range(n):
            if (mask.size == 0 or mask[r, i]) and e[r, i] != -np.inf:
                g[r, i] = (np.float64(e[r, i]) - m) / T - beta * log_s
            else:
                g[r, i] = -np.inf


def _run(e: np.ndarray, mask: np.ndarray | None, temperature: float, beta: float) -> tuple[np.ndarray, np.ndarray]:
    g, lse = np.empty_like(e), np.empty(e.shape[0], dtype=e.dtype)
    live = np.empty((0, 0), dtype=np.bool_) if mask is None else mask
    _log_weights(g, lse, e, live, float(temperature), float(beta), work=EXP_WORK * e.size)
    return g, lse


def log_weights(
    e: np.ndarray, mask: np.ndarray | None = None, temperature: float = 1.0, beta: float = 1.0
) -> np.ndarray:
    """Logarithms (R, n) of the weights for the logits e (R, n); −inf at masked events.

    >>> import numpy as np
    >>> log_weights(np.array([[0.0, -1000.0]])).tolist()
    [[0.0, -1000.0]]
    """
    return _run(e, mask, temperature, beta)[0]


def logsumexp(e: np.ndarray, mask: np.ndarray | None = None, temperature: float = 1.0) -> np.ndarray:
    """log Σ_i exp(e_i / T) over the live events of each row of e (R, n), as (R,); −inf for an empty row.

    >>> import numpy as np
    >>> logsumexp(np.array([[1000.0, 1000.0]])).round(5).tolist()
    [1000.69315]
    """
    return _run(e, mask, temperature, 1.0)[1]
