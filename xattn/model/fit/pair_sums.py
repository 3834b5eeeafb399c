"""Sums over users as sparse tables: what the closed forms need of a part of the users, and how two parts add up.

`PairSums` are A, B and z where values are sparse (`local_form`); `BelongingSums` are the products of whole histories
(`belonging`). Both add up over parts of the users; entries of equal places are added, in order of place, so a sum has
the same bits wherever and whenever it is made of the same two parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
from scipy import sparse

from xattn.errors import refuse
from xattn.kernels.gram import occurrences, tails
from xattn.kernels.local import MOST_PAIRS, Pairs, pairs_of_prefixes, pairs_of_targets
from xattn.model.fit.pooling import pooled_by_events
from xattn.model.fit.sums import Histories
from xattn.model.value_table import rows_of

__all__ = ["BelongingSums", "PairSums", "pair_sums_of", "pairs_of_table", "prefix_pairs"]


class PairSums(NamedTuple):
    """A (H·C, H·C) its upper block triangle, B (C, H·C) a row each target, z (H·C,), over the items `warm` (C,)."""

    warm: np.ndarray
    A: sparse.csr_array
    B: sparse.csr_array
    z: np.ndarray

    def __add__(self, other: Self) -> PairSums:  # type: ignore[override]
        """Those of the users of both, who are different ones. Raises InputError where they are too many pairs."""
        return PairSums(self.warm, _added(self.A, other.A), _added(self.B, other.B), self.z + other.z)

    def arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays, for a file."""
        return {"warm": self.warm, "z": self.z, **_table_arrays("A", self.A), **_table_arrays("B", self.B)}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> PairSums:
        """What `arrays` gave."""
        C, n = len(arrays["warm"]), len(arrays["z"])
        return cls(arrays["warm"], _table(arrays, "A", (n, n)), _table(arrays, "B", (C, n)), arrays["z"])


class BelongingSums(NamedTuple):
    """G = Σ n⁻ᵖ xᵀx and Q = Σ n⁻ᵖ xᵀy (C, C) over users with n > 0 items, how many these are, and Σ n: `size` (2,)."""

    warm: np.ndarray
    G: sparse.csr_array
    Q: sparse.csr_array
    size: np.ndarray

    def __add__(self, other: Self) -> BelongingSums:  # type: ignore[override]
        """Those of the users of both, who are different ones. Raises InputError where they are too many pairs."""
        return BelongingSums(self.warm, _added(self.G, other.G), _added(self.Q, other.Q), self.size + other.size)

    def arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays, for a file."""
        return {"warm": self.warm, "size": self.size, **_table_arrays("G", self.G), **_table_arrays("Q", self.Q)}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> BelongingSums:
        """What `arrays` gave."""
        C = len(arrays["warm"])
        return cls(arrays["warm"], _table(arrays, "G", (C, C)), _table(arrays, "Q", (C, C)), arrays["size"])


class PrefixPairs(NamedTuple):
    """A, B and z of `PairSums`, as the kernels leave them: the columns of a row in any order."""

    A: Pairs
    B: Pairs
    z: np.ndarray


def prefix_pairs(
    histories: Histories, warm: np.ndarray, n_items: int, tau: np.ndarray, beta: np.ndarray
) -> PrefixPairs:
    """The sums over all `histories`; `tau`, `beta` (H,). Raises InputError where too many pairs of items occur."""
    C = len(warm)
    indptr, item, w, worth, given = histories
    occ = occurrences(indptr, item, rows_of(warm, n_items), C)
    pooled = given or pooled_by_events(indptr, tau, beta)
    w, S = pooled.strengths(w), len(pooled.head)
    root = np.ones(len(item)) if pooled.root is None else pooled.root
    rho, c = np.vstack([pooled.rho, np.ones(len(item))]), np.vstack([pooled.c, np.ones(len(item))]) * root
    tail = tails(indptr, rho, c)
    A = pairs_of_prefixes(occ, w, pooled.rho, np.ascontiguousarray(tail[:S, :S]))
    B = None if A is None else pairs_of_targets(occ, w, pooled.rho, pooled.targets, worth)
    if A is None or B is None:
        refuse("too_many_pairs", items=C)
    kept = occ.row >= 0
    z = np.concatenate([np.bincount(occ.row[kept], (w[s] * tail[s, S])[kept], C) for s in range(S)])
    if len(tau) < S:
        A = pairs_of_table(pooled.sparse_blocks(_sorted(A, (S * C, S * C))))
        B = pairs_of_table(pooled.sparse_columns(_sorted(B, (C, S * C))))
        z = pooled.heads(z)
    return PrefixPairs(A, B, z)


def pair_sums_of(histories: Histories, warm: np.ndarray, n_items: int, tau: np.ndarray, beta: np.ndarray) -> PairSums:
    """The same, ready to be added up."""
    A, B, z = prefix_pairs(histories, warm, n_items, tau, beta)
    n = len(z)
    return PairSums(warm, _sorted(A, (n, n)), _sorted(B, (len(warm), n)), z)


def pairs_of_table(table: sparse.sparray) -> Pairs:
    """A sparse table as the kernels take it."""
    rows = sparse.csr_array(table)
    return Pairs(
        rows.indptr.astype(np.int64), rows.indices.astype(np.int32, copy=False), rows.data.astype(float, copy=False)
    )


def _sorted(pairs: Pairs, shape: tuple[int, int]) -> sparse.csr_array:
    table = sparse.csr_array((pairs.value, pairs.column, pairs.ptr.astype(np.int32)), shape=shape)
    table.sort_indices()
    return table


def _added(one: sparse.csr_array, other: sparse.csr_array) -> sparse.csr_array:
    found = sparse.csr_array(one + other)
    if found.nnz > MOST_PAIRS:
        refuse("too_many_pairs", items=found.shape[1])
    return found


def _table_arrays(name: str, table: sparse.csr_array) -> dict[str, np.ndarray]:
    return {f"{name}_ptr": table.indptr, f"{name}_column": table.indices, f"{name}_value": table.data}


def _table(arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int, int]) -> sparse.csr_array:
    value, column, ptr = (arrays[f"{name}_{what}"] for what in ("value", "column", "ptr"))
    return sparse.csr_array((value, column, ptr), shape=shape)
