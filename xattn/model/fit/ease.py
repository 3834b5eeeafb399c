"""EASE: values between items in closed form, from which items the same people took (Steck, WWW 2019).

    min_B ‖X − X B‖² + λ‖B‖²  with  diag B = 0      ⇒      B = I − P diag(P)⁻¹,   P = (XᵀX + λI)⁻¹

X (U × C) is 1 where a user took an item, however often. B[x, j] is what having taken x says about j; the order of the
events plays no part. The zero diagonal keeps an item from explaining itself.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from xattn.errors import refuse

__all__ = ["ease_values", "inverse", "is_inverse", "probes"]

RESIDUAL = 1e-3  # of the probed columns of the float32 inverse, above which float64 is used instead
PROBES = 8
MIRRORED = 512  # rows copied across the diagonal at a time


def ease_values(X: sparse.csr_array, lam: float, dtype: type = np.float32) -> np.ndarray:
    """B (C, C) in `dtype` for `X` (U, C) of zeros and ones, λ `lam` > 0.

    Where float32 has too few digits for the data and λ, the inverse is found in float64. Raises InputError when that
    fails too.

    >>> X = sparse.csr_array(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]))
    >>> ease_values(X, 1.0, np.float64).round(9).tolist()
    [[0.0, 0.6, 0.2], [0.6, 0.0, 0.2], [0.2, 0.2, 0.0]]
    """
    G = _gram(X, lam, dtype)
    C = len(G)
    if not C:
        return G
    probe = probes(C)
    columns = G[probe].astype(np.float64)  # rows of a symmetric matrix
    P = inverse(G)
    if dtype is np.float32 and not is_inverse(P, columns, probe):
        P = inverse(_gram(X, lam, np.float64))
    if P is None:
        refuse("regularization", got=lam)
    P /= -P.diagonal()
    np.fill_diagonal(P, 0.0)
    return P.astype(dtype, copy=False)


def _gram(X: sparse.csr_array, lam: float, dtype: type) -> np.ndarray:
    """XᵀX + λI (C, C)."""
    G: np.ndarray = sparse.csr_array(X.T @ X).toarray().astype(dtype)
    np.fill_diagonal(G, G.diagonal() + lam)
    return G


def probes(C: int) -> np.ndarray:
    """A few rows, spread over C, by which an inverse is judged."""
    return np.linspace(0, C - 1, min(PROBES, C)).astype(int)


def is_inverse(P: np.ndarray | None, columns: np.ndarray, probe: np.ndarray) -> bool:
    """Whether P times the `columns` (p, C) of its matrix gives the unit vectors `probe` (p,)."""
    if P is None:
        return False
    unit = np.zeros_like(columns)
    unit[np.arange(len(probe)), probe] = 1.0
    return bool(np.abs(columns @ P - unit).max() <= RESIDUAL)  # false for nan


def inverse(G: np.ndarray) -> np.ndarray | None:
    """G⁻¹ of a symmetric G by Cholesky, in the memory of `G`; None where G is not positive definite."""
    factorise, invert = (lapack.spotrf, lapack.spotri) if G.dtype == np.float32 else (lapack.dpotrf, lapack.dpotri)
    factor, failed = factorise(G.T, lower=1, overwrite_a=1)  # G.T: the same memory in LAPACK's order
    if failed:
        return None
    inverse, failed = invert(factor, lower=1, overwrite_c=1)
    if failed:
        return None
    P: np.ndarray = inverse.T  # its upper triangle holds the inverse
    for low in range(0, len(P), MIRRORED):
        high = min(low + MIRRORED, len(P))
        P[high:, low:high] = P[low:high, high:].T
        block = np.triu(P[low:high, low:high])
        P[low:high, low:high] = block + np.triu(block, 1).T
    return P
