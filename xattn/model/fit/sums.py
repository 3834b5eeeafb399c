"""The sums A, B and z of a closed form, kept in float64, so that new events cost work only for the users they concern.

A user's part of each sum depends on that user's history alone (docs/model.md, eq. 10–11). When a history has grown, its
old part is subtracted and the new one added, in one pass: the old history goes through the same kernels with its
normalisers negated. The base is not part of the sums; it is subtracted when they are solved.

An item that becomes warm gets rows and columns. All users who acted on it count as changed, and in their old part the
item has no row. Rounding adds up over many exchanges, some 10⁻¹⁶ of the largest entry each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from xattn.kernels.gram import add_gram, add_targets, occurrences
from xattn.model.fit.pooling import Pooled, pooled_by_events

__all__ = ["Histories", "Sums", "exchanged", "lessened", "sums_of"]

SPARSE = 2.5  # a place and a value take twice the bytes of a value, and some time


class Histories(NamedTuple):
    """The events of some users: `indptr` (U+1,), `item` (N,), strengths `w` (H, N), `worth` (N,) as the next item; and
    how they are `pooled`, where heads do not forget by events alone."""

    indptr: np.ndarray
    item: np.ndarray
    w: np.ndarray
    worth: np.ndarray
    pooled: Pooled | None = None

    def of(self, users: np.ndarray) -> Histories:
        """Those of the user rows `users`, in this order."""
        length = np.diff(self.indptr)[users]
        indptr = np.concatenate([[0], np.cumsum(length)])
        event = np.arange(indptr[-1]) + np.repeat(self.indptr[:-1][users] - indptr[:-1], length)
        pooled = None if self.pooled is None else self.pooled.of(event)
        return Histories(indptr, self.item[event], np.ascontiguousarray(self.w[:, event]), self.worth[event], pooled)

    def followed_by(self, other: Histories) -> Histories:
        """Those of both, one after another."""
        pooled = self.pooled
        if pooled is not None and other.pooled is not None:
            pooled = pooled.followed_by(other.pooled)
        return Histories(
            np.concatenate([self.indptr, self.indptr[-1] + other.indptr[1:]]),
            np.concatenate([self.item, other.item]),
            np.concatenate([self.w, other.w], axis=1),
            np.concatenate([self.worth, other.worth]),
            pooled,
        )


class Sums(NamedTuple):
    """A (H·C, H·C), its upper block triangle; B (H·C, C); z (H·C,): float64, over the items `warm` (C,)."""

    warm: np.ndarray
    A: np.ndarray
    B: np.ndarray
    z: np.ndarray

    def __add__(self, other: Sums) -> Sums:  # type: ignore[override]
        """Those of the users of both, who are different ones; `warm` is the same. The arrays of `self` are changed."""
        for mine, theirs in zip(self[1:], other[1:], strict=True):
            mine += theirs
        return self

    def arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays, for a file; a table that is mostly zeros as the places and values of the others."""
        found = {"warm": self.warm, "z": self.z}
        for name, table in (("A", self.A), ("B", self.B)):
            if np.count_nonzero(table) * SPARSE < table.size:
                place = np.flatnonzero(table)
                found |= {f"{name}_place": place, f"{name}_value": table.ravel()[place]}
            else:
                found[name] = table
        return found

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Sums:
        """What `arrays` gave."""
        warm, z = arrays["warm"], arrays["z"]
        return cls(warm, _dense(arrays, "A", len(z), len(z)), _dense(arrays, "B", len(z), len(warm)), z)


def _dense(arrays: Mapping[str, np.ndarray], name: str, rows: int, columns: int) -> np.ndarray:
    if name in arrays:
        return arrays[name]
    found = np.zeros((rows, columns))
    found.ravel()[arrays[f"{name}_place"]] = arrays[f"{name}_value"]
    return found


def sums_of(histories: Histories, warm: np.ndarray, n_items: int, tau: np.ndarray, beta: np.ndarray) -> Sums:
    """The sums over all `histories`, with values for the items `warm` of `n_items`; `tau`, `beta` (H,)."""
    n = len(tau) * len(warm)
    sums = Sums(warm, np.zeros((n, n)), np.zeros((n, len(warm))), np.zeros(n))
    _add(sums, histories, np.ones(len(histories.indptr) - 1), n_items, tau, beta)
    return sums


def exchanged(
    sums: Sums,
    old: Histories,
    new: Histories,
    warm: np.ndarray,
    n_items: int,
    tau: np.ndarray,
    beta: np.ndarray,
) -> Sums:
    """The sums with `new` in place of `old`; item rows mean the same in both. The arrays of `sums` are changed.

    Users of `old` keep their rows in `new`, and their events are there too. `warm` are the warm items now.
    """
    known = np.flatnonzero(np.isin(warm, sums.warm))
    fresh = np.zeros(n_items, bool)
    fresh[np.setdiff1d(warm, sums.warm)] = True
    before, after = np.diff(old.indptr), np.diff(new.indptr)
    has_fresh = np.zeros(len(before), bool)
    has_fresh[np.repeat(np.arange(len(before)), before)[fresh[old.item]]] = True
    was = np.flatnonzero((before != after[: len(before)]) | has_fresh)
    now = np.concatenate([was, np.arange(len(before), len(after))])
    sums = _moved(sums, warm, known, len(tau))
    gone = old.of(was)
    gone = gone._replace(item=np.where(fresh[gone.item], n_items, gone.item))
    both = gone.followed_by(new.of(now))
    _add(sums, both, np.repeat([-1.0, 1.0], [len(was), len(now)]), n_items, tau, beta)
    return sums


def lessened(sums: Sums, gone: Histories, warm: np.ndarray, n_items: int, tau: np.ndarray, beta: np.ndarray) -> Sums:
    """The sums without the histories `gone`; `warm` are the items that stay warm. The arrays of `sums` are changed.

    What a user adds to the row of one item does not depend on which other items have rows. So the rows of an item that
    is warm no more are left out, and the others stay as they are.
    """
    _add(sums, gone, -np.ones(len(gone.indptr) - 1), n_items, tau, beta)
    if np.array_equal(warm, sums.warm):
        return sums
    before, own = len(sums.warm), np.searchsorted(sums.warm, warm)
    kept = (np.arange(len(tau))[:, None] * before + own).ravel()
    return Sums(warm, sums.A[np.ix_(kept, kept)], sums.B[np.ix_(kept, own)], sums.z[kept])


def _moved(sums: Sums, warm: np.ndarray, known: np.ndarray, H: int) -> Sums:
    """The sums with rows for the items `warm`, of which those at `known` have some already."""
    if np.array_equal(warm, sums.warm):
        return sums
    C, before = len(warm), len(sums.warm)
    own = np.searchsorted(sums.warm, warm[known])
    there = (np.arange(H)[:, None] * C + known).ravel()
    here = (np.arange(H)[:, None] * before + own).ravel()
    A, B, z = np.zeros((H * C, H * C)), np.zeros((H * C, C)), np.zeros(H * C)
    A[np.ix_(there, there)] = sums.A[np.ix_(here, here)]
    B[np.ix_(there, known)] = sums.B[np.ix_(here, own)]
    z[there] = sums.z[here]
    return Sums(warm, A, B, z)


def _add(sums: Sums, histories: Histories, sign: np.ndarray, n_items: int, tau: np.ndarray, beta: np.ndarray) -> None:
    """Add each user's part, times the user's `sign` (U,), to the arrays of `sums`."""
    C = len(sums.warm)
    row_of_item = np.full(n_items + 1, -1, np.int64)  # the last: an event whose item has no row
    row_of_item[sums.warm] = np.arange(C)
    occ = occurrences(histories.indptr, histories.item, row_of_item, C)
    pooled = histories.pooled or pooled_by_events(histories.indptr, tau, beta)
    w, tail = pooled.strengths(histories.w), pooled.tails(histories.indptr)
    each = np.repeat(sign, np.diff(histories.indptr))
    A, B, z = sums.A, sums.B, sums.z
    streams = len(pooled.head) > len(tau)
    if streams:
        n = len(pooled.head) * C
        A, B, z = np.zeros((n, n)), np.zeros((n, C)), np.zeros(n)
    add_gram(A, occ, w, pooled.rho, tail * each)
    add_targets(B, z, occ, occ.row, w, pooled.rho, pooled.targets * each, histories.worth)
    if streams:
        sums.A[:] += pooled.blocks(A)
        sums.B[:] += pooled.heads(B)
        sums.z[:] += pooled.heads(z)
