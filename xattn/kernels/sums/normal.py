"""The normal equations of a sparse table P (S rows, d columns), for some of its columns.

    (PᵀP)[f, g] = Σ_s P_sf P_sg

The rows are cut into `PARTS` runs, each with a table of its own that one iteration owns; these are added in their
order, so that no sum depends on the number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from scipy import sparse

from xattn.kernels.compile import Kernel

__all__ = ["normal_table"]

PARTS = 2


@Kernel
def _add_normal_table(A, indptr, indices, data, place):  # type: ignore[no-untyped-def]
    """Adds to A[b] (k, k) what run b of the rows gives to the lower triangle; place (d,) is −1 for a column not asked.

    Places rise with columns, and so do the columns in a row.
    """
    S, B = indptr.shape[0] - 1, A.shape[0]
    for b in prange(B):
        for s in range(S * b // B, S * (b + 1) // B):
            for e in range(indptr[s], indptr[s + 1]):
                p = place[indices[e]]
                if p >= 0:
                    for k in range(indptr[s], e + 1):
                        q = place[indices[k]]
                        if q >= 0:
                            A[b, p, q] += data[e] * data[k]


def normal_table(P: sparse.csr_array, columns: np.ndarray) -> np.ndarray:
    """The rows and columns `columns` (k,), rising, of PᵀP (k, k). The indices in each row of P rise.

    >>> normal_table(sparse.csr_array(np.array([[1.0, 2.0], [0.0, 1.0]])), np.array([0, 1]))
    array([[1., 2.],
           [2., 5.]])
    """
    place = np.full(P.shape[1], -1)
    place[columns] = np.arange(len(columns))
    A = np.zeros((PARTS, len(columns), len(columns)))
    indptr, indices = (np.asarray(of, np.int64) for of in (P.indptr, P.indices))
    _add_normal_table(A, indptr, indices, P.data, place, work=0.5 * P.nnz * P.nnz / max(1, P.shape[0]))
    lower = np.tril(A.sum(axis=0))
    return np.asarray(lower + np.tril(lower, -1).T)
