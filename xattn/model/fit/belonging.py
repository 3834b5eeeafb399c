"""Values for the question which items belong to a person at all: leave-one-out ridge over whole histories, unordered.

    min_V  Σ_u ω_u ‖y_u − x_u V‖² + φ ‖Fᵀ − Fᵀ V‖² + Σ_xj Λ_x V_xj²     with diag V = 0     (docs/model.md, eq. 14–16)

x_u (C,) holds the strengths of the items of user u, y_u how much each counts as a target, F (C, d) the features of the
items. The zero diagonal takes each item out of its own explanation, as if it had been held out. The features are added
as further users, so items that share them get values for each other even where nobody took both. Λ_x = λ + p/(1 − p)
Σ ω x² drops every input with probability p, in expectation.

With R = (√ω X; √φ Fᵀ) and T = (√ω Y; √φ Fᵀ), r rows each, P = (RᵀR + Λ)⁻¹ and d = diag(P RᵀT)/diag(P), the solution is

    V = P (RᵀT − diag d) off the diagonal                                       where C ≤ r
      = Λ⁻¹Rᵀ (I + RΛ⁻¹Rᵀ)⁻¹ (T + RΛ⁻¹ diag d) off the diagonal, the same         where r < C

Sources: EASE is the case Y = X, ω = 1, φ = p = 0 (Steck, WWW 2019); the dropout is Steck's (NeurIPS 2020), features as
rows are those of CEASE (Jeunen, Van Balen, Goethals, RecSys 2020).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import linalg, sparse

from xattn.errors import refuse
from xattn.model.fit.ease import inverse, is_inverse, probes
from xattn.model.fit.local_form import local_values, values_of_products
from xattn.model.fit.pair_sums import BelongingSums
from xattn.model.value_table import ClosedForm, Form, rows_of

__all__ = ["DROPOUT", "belonging_form", "belonging_sums", "belonging_values", "form_of_belonging_sums"]

# Chosen on validation, on films and books (docs/log.md)
DROPOUT = 1 / 3  # p
BUSY = 0.25  # ω = (n̄/n)^¼: a user with 16 times the events has 8 times the influence, not 16 times
FEATURES = 0.1  # φ/λ
ROUNDING = 1e-10  # Λ diag(P) below this is nothing but rounding


class _Stacked(NamedTuple):
    """R and T (r, C), and Λ (C,)."""

    R: sparse.csr_array
    T: sparse.csr_array
    penalty: np.ndarray


def belonging_values(
    X: sparse.csr_array,
    Y: sparse.csr_array,
    F: np.ndarray | sparse.csr_array,
    lam: float,
    dtype: type = np.float32,
    dropout: float | None = None,
) -> np.ndarray:
    """V (C, C) in `dtype` from strengths `X` and targets `Y` (U, C), features `F` (C, d), d may be 0, λ `lam` > 0, and
    p `dropout` (None: ⅓).

    Raises InputError where λ is too small for the values to be found in float64.

    >>> X = sparse.csr_array(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]))
    >>> belonging_values(X, X, np.zeros((3, 0)), 1.0, np.float64).round(3).tolist()
    [[0.0, 0.449, 0.158], [0.449, 0.0, 0.158], [0.216, 0.216, 0.0]]
    """
    C = X.shape[1]
    if not C:
        return np.zeros((0, 0), dtype)
    rows = _stacked(X, Y, F, lam, dropout)
    V = _by_rows(rows, lam, dtype) if rows.R.shape[0] < C else _by_items(rows, lam, dtype)
    np.fill_diagonal(V, 0.0)
    if not np.isfinite(V).all():
        refuse("regularization", got=lam)
    return V


def belonging_form(
    X: sparse.csr_array,
    Y: sparse.csr_array,
    F: np.ndarray | sparse.csr_array,
    lam: float,
    n_neighbors: int | None,
    warm: np.ndarray,
    n_items: int,
    dtype: type = np.float32,
    dropout: float | None = None,
) -> Form:
    """One head of such values over the items `warm` (C,) of `n_items`; with `n_neighbors` at most so many a target."""
    if n_neighbors is None:
        return ClosedForm(warm, rows_of(warm, n_items), belonging_values(X, Y, F, lam, dtype, dropout)[None])
    rows = _stacked(X, Y, F[:, :0], lam, dropout)
    extra = np.sqrt(FEATURES * lam) * F
    return local_values(rows.R, rows.T, extra, rows.penalty, lam, n_neighbors, warm, n_items, dtype)


def belonging_sums(X: sparse.csr_array, Y: sparse.csr_array, warm: np.ndarray) -> BelongingSums:
    """What `belonging_form` needs of some users, ready to be added to that of others: (U, C) strengths and targets."""
    n = np.diff(X.indptr)
    weigh = np.zeros(len(n))
    weigh[n > 0] = n[n > 0] ** (-BUSY / 2)
    known, wanted = (sparse.csr_array(sparse.diags_array(weigh) @ table) for table in (X, Y))
    G, Q = sparse.csr_array(known.T @ known), sparse.csr_array(known.T @ wanted)  # sorted, as they were by columns
    return BelongingSums(warm, G, Q, np.array([(n > 0).sum(), n.sum()], np.float64))


def form_of_belonging_sums(
    sums: BelongingSums,
    F: np.ndarray | sparse.csr_array,
    lam: float,
    n_neighbors: int | None,
    n_items: int,
    dtype: type = np.float32,
    dropout: float | None = None,
) -> Form:
    """`belonging_form` of all users that are in the `sums`; equal to it to rounding."""
    users, events = sums.size
    warm, scale = sums.warm, (events / users) ** BUSY if users else 0.0
    G, Q = sparse.csr_array(scale * sums.G), sparse.csr_array(scale * sums.Q)
    penalty = lam + _dropped(dropout) * G.diagonal()
    extra = sparse.csr_array(np.sqrt(FEATURES * lam) * F)
    if n_neighbors is not None:
        return values_of_products(G, sparse.csr_array(Q.T), extra, penalty, lam, n_neighbors, warm, n_items, dtype)
    shared = sparse.csr_array(extra @ extra.T)
    G, Q = sparse.csr_array(G + shared), sparse.csr_array(Q + shared)
    V = _of_products(G, Q, penalty, lam, dtype) if len(warm) else np.zeros((0, 0), dtype)
    np.fill_diagonal(V, 0.0)
    if not np.isfinite(V).all():
        refuse("regularization", got=lam)
    return ClosedForm(warm, rows_of(warm, n_items), V[None])


def _dropped(dropout: float | None) -> float:
    """p/(1 − p)."""
    p = DROPOUT if dropout is None else dropout
    return p / (1 - p)


def _stacked(
    X: sparse.csr_array,
    Y: sparse.csr_array,
    F: np.ndarray | sparse.csr_array,
    lam: float,
    dropout: float | None = None,
) -> _Stacked:
    n = np.diff(X.indptr)
    scale = np.zeros(len(n))  # √ω
    scale[n > 0] = (n[n > 0].mean() / n[n > 0]) ** (BUSY / 2) if n.any() else 0.0
    weigh, extra = sparse.diags_array(scale), sparse.csr_array(np.sqrt(FEATURES * lam) * F.T)
    known = sparse.csr_array(weigh @ X)
    dropped = _dropped(dropout) * np.asarray(known.multiply(known).sum(axis=0)).ravel()
    R = sparse.csr_array(sparse.vstack([known, extra]))
    return _Stacked(R, sparse.csr_array(sparse.vstack([weigh @ Y, extra])), lam + dropped)


def _by_items(rows: _Stacked, lam: float, dtype: type) -> np.ndarray:
    """The solution by a C × C inverse."""
    R, T = rows.R, rows.T
    return _of_products(sparse.csr_array(R.T @ R), sparse.csr_array(R.T @ T), rows.penalty, lam, dtype)


def _of_products(
    RR: sparse.csr_array, RT: sparse.csr_array, penalty: np.ndarray, lam: float, dtype: type
) -> np.ndarray:
    """The same from RᵀR and RᵀT (C, C)."""
    P = None
    if dtype is np.float32:
        G = _gram(RR, penalty, dtype)
        probe = probes(len(G))
        columns = G[probe].astype(np.float64)  # rows of a symmetric matrix
        P = inverse(G)
        P = P if is_inverse(P, columns, probe) else None
    if P is None:
        P = inverse(_gram(RR, penalty, np.float64))
    if P is None:
        refuse("regularization", got=lam)
    Q = RT.toarray().astype(P.dtype)
    diagonal = np.arange(len(P))
    Q[diagonal, diagonal] -= np.einsum("jk,kj->j", P, Q) / P[diagonal, diagonal]
    V: np.ndarray = (P @ Q).astype(dtype, copy=False)
    return V


def _gram(RR: sparse.csr_array, penalty: np.ndarray, dtype: type) -> np.ndarray:
    """RᵀR + Λ (C, C)."""
    G: np.ndarray = RR.toarray().astype(dtype)
    np.fill_diagonal(G, G.diagonal() + penalty)
    return G


def _by_rows(rows: _Stacked, lam: float, dtype: type) -> np.ndarray:
    """The solution by an r × r system in float64; the last product, the longest, in `dtype`."""
    H = sparse.csr_array(rows.R / rows.penalty).toarray()
    K = np.asarray(rows.R @ H.T)
    np.fill_diagonal(K, K.diagonal() + 1.0)
    try:
        S = linalg.cho_solve(linalg.cho_factor(K, overwrite_a=True, check_finite=False), H, check_finite=False)
    except linalg.LinAlgError:
        refuse("regularization", got=lam)
    T = rows.T.toarray()
    own = 1.0 / rows.penalty - np.einsum("rj,rj->j", S, H)  # diag P
    if not (own * rows.penalty > ROUNDING).all():
        refuse("regularization", got=lam)
    T += H * (np.einsum("rj,rj->j", S, T) / own)
    V: np.ndarray = S.astype(dtype, copy=False).T @ T.astype(dtype, copy=False)
    return V
