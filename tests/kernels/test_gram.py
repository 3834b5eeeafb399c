"""Normal equations: the O(n²) sums equal those over the stacked prefixes, each pooled anew."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged, unit
from tests.strategies import Prefixed, prefixed
from xattn.kernels import compile as pool
from xattn.kernels import gram

U = unit(np.float64)


def left_side(h: Prefixed, dtype: type = np.float64) -> np.ndarray:
    """A, whole: the kernel fills the blocks on and above the diagonal."""
    occ = gram.occurrences(h.indptr, h.item, h.row_of_item, h.C)
    c = gram.normalisers(h.indptr, h.rho, h.beta)
    return gram.accumulate_gram(occ, h.w, h.rho, gram.tails(h.indptr, h.rho, c), dtype)


def right_side(h: Prefixed, dtype: type = np.float64, worth: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """B and z, for the items with rows as targets."""
    occ = gram.occurrences(h.indptr, h.item, h.row_of_item, h.C)
    c = gram.normalisers(h.indptr, h.rho, h.beta)
    return gram.accumulate_targets(occ, occ.row, h.C, h.w, h.rho, c, dtype, worth)


def stacked(h: Prefixed) -> naive.Prefixes:
    return naive.prefixes(h.indptr, h.row, h.C, h.w, h.tau, h.beta)


def on_or_above(H: int, C: int) -> np.ndarray:
    block = np.arange(H * C) // max(C, 1)
    return block[:, None] <= block


def room(sizes: np.ndarray, h: Prefixed) -> np.ndarray:
    """16 n u Σ|terms|, n the events: powers, sums and roots of up to n roundings on both sides."""
    return 16 * (h.item.size + 1) * U * sizes


# --- the obvious version ----------------------------------------------------------------------------------------------


@given(prefixed())
def test_left_side_is_that_of_the_stacked_prefixes(h: Prefixed) -> None:
    """A = ZᵀZ, with several heads, weighted events, items that come back and events without a row."""
    with unchanged(h.indptr, h.item, h.row_of_item, h.w, h.tau, h.beta):
        A = left_side(h)
    p = stacked(h)
    filled = on_or_above(h.tau.size, h.C)
    assert_within(A[filled], (p.Z.T @ p.Z)[filled], absolute=room(uncancelled(h).T @ uncancelled(h), h)[filled])
    assert not A[~filled].any()


def uncancelled(h: Prefixed) -> np.ndarray:
    """|Z| before any of its terms cancelled."""
    return stacked(h._replace(w=np.abs(h.w))).Z


@given(prefixed())
def test_right_side_is_that_of_the_stacked_prefixes(h: Prefixed) -> None:
    """B = ZᵀY and z = ΣZ; a prefix before an event without a row counts in z and in no column."""
    with unchanged(h.indptr, h.item, h.row_of_item, h.w, h.tau, h.beta):
        B, z = right_side(h)
    p = stacked(h)
    Y = p.targets(h.C)
    assert_within(B, p.Z.T @ Y, absolute=room(uncancelled(h).T @ Y, h))
    assert_within(z, p.Z.sum(axis=0), absolute=room(uncancelled(h).sum(axis=0), h))


@given(prefixed(), st.data())
def test_worth_is_how_much_of_the_next_item_is_wanted(h: Prefixed, data: st.DataObject) -> None:
    """B = ZᵀY with `worth` in place of each 1 of Y; z as it was."""
    worth = data.draw(hnp.arrays(float, h.item.size, elements=st.sampled_from((0.0, 0.2, 1.0))))
    B, z = right_side(h, worth=worth)
    p = stacked(h)
    later = [t for start, stop in pairwise(h.indptr) for t in range(start + 1, stop)]
    Y = p.targets(h.C) * worth[later][:, None]
    assert_within(B, p.Z.T @ Y, absolute=room(uncancelled(h).T @ Y, h))
    assert_bitwise(z, right_side(h)[1])


@given(prefixed())
def test_normalisers_and_tails_are_what_they_say(h: Prefixed) -> None:
    c = gram.normalisers(h.indptr, h.rho, h.beta)
    tail = gram.tails(h.indptr, h.rho, c)
    for start, stop in pairwise(h.indptr):
        for e in range(start, stop):
            sums = np.array([sum(r ** (e - 1 - i) for i in range(start, e)) for r in h.rho])
            want = np.where(sums > 0, np.where(sums > 0, sums, 1.0) ** -h.beta, 0.0)
            assert_within(c[:, e], want, 32 * U)
            rr = np.outer(h.rho, h.rho)
            later = [np.outer(c[:, t], c[:, t]) * rr ** (t - 1 - e) for t in range(e + 1, stop)]
            assert_within(tail[:, :, e], np.sum(later, axis=0) if later else np.zeros(rr.shape), 64 * U)


@given(prefixed())
def test_occurrences_turn_the_histories_round(h: Prefixed) -> None:
    occ = gram.occurrences(h.indptr, h.item, h.row_of_item, h.C)
    for r in range(h.C):
        assert occ.event[occ.ptr[r] : occ.ptr[r + 1]].tolist() == np.flatnonzero(h.row == r).tolist()
    assert occ.ptr[-1] == (h.row >= 0).sum()
    for start, stop in pairwise(h.indptr):
        assert (occ.start[start:stop] == start).all()
        assert (occ.stop[start:stop] == stop).all()


# --- what must always hold --------------------------------------------------------------------------------------------


@given(prefixed())
def test_float32_is_the_float64_sum_rounded(h: Prefixed) -> None:
    """To the bit: each row is summed in a float64 buffer and stored once."""
    assert_bitwise(left_side(h, np.float32), left_side(h).astype(np.float32))
    (B, z), (narrow, same) = right_side(h), right_side(h, np.float32)
    assert_bitwise(narrow, B.astype(np.float32))
    assert_bitwise(same, z)


@given(prefixed())
def test_users_add_up(h: Prefixed) -> None:
    """A sum over users: theirs alone add up to that of all, so the work could be shared out by user."""
    A, (B, z) = left_side(h), right_side(h)
    parts = []
    for start, stop in pairwise(h.indptr):
        own = h._replace(indptr=np.array([0, stop - start]), item=h.item[start:stop], w=h.w[:, start:stop].copy())
        parts.append((left_side(own), *right_side(own)))
    unsigned = h._replace(w=np.abs(h.w))
    sizes = (left_side(unsigned), *right_side(unsigned))
    for place, whole in enumerate((A, B, z)):
        total = sum((part[place] for part in parts), np.zeros(whole.shape))
        assert_within(whole, total, absolute=room(sizes[place], h))


@given(prefixed())
def test_strengths_multiply_in(h: Prefixed) -> None:
    """Twice the strength of one head: its rows of B and z double, its block of A is four times as large; exactly."""
    twice = h._replace(w=np.concatenate([2 * h.w[:1], h.w[1:]]))
    factor = np.repeat(np.r_[2.0, np.ones(h.tau.size - 1)], h.C)
    assert_bitwise(left_side(twice), left_side(h) * np.outer(factor, factor))
    for got, want in zip(right_side(twice), right_side(h), strict=True):
        assert_bitwise(got, (want.T * factor).T)


# --- answers known by hand, edges -------------------------------------------------------------------------------------


def of(*users: list[int], items: int, tau: float, beta: float) -> Prefixed:
    """One head of strength 1 in which every item has its own row."""
    item = np.array([i for user in users for i in user], dtype=np.int64)
    ends = np.cumsum([0, *map(len, users)])
    rows = np.arange(items)
    return Prefixed(ends, item, rows, items, np.ones((1, item.size)), np.array([tau]), np.array([beta]))


def test_endless_memory_without_normaliser_counts() -> None:
    """τ = ∞, β = 0: z_t counts the events before t. History 0 1 0 2: prefixes (0), (0 1), (0 1 0)."""
    h = of([0, 1, 0, 2], items=3, tau=np.inf, beta=0.0)
    assert left_side(h).tolist() == [[6.0, 3.0, 0.0], [3.0, 2.0, 0.0], [0.0, 0.0, 0.0]]
    B, z = right_side(h)
    assert B.tolist() == [[1.0, 1.0, 2.0], [1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    assert z.tolist() == [4.0, 2.0, 0.0]


def test_no_memory_is_a_table_of_transitions() -> None:
    """τ → 0: only the newest event is seen, so A counts the items that something follows, B what follows what."""
    h = of([0, 1, 0, 1, 1], [1, 0], items=2, tau=1e-3, beta=0.5)
    assert left_side(h).tolist() == [[2.0, 0.0], [0.0, 3.0]]
    assert right_side(h)[0].tolist() == [[0.0, 2.0], [2.0, 1.0]]


def test_powers_that_change_nothing_are_left_out() -> None:
    """τ = 0.3: ρ^8 is under 1e-12, where the loops stop; all that is left out stays under that a term."""
    rng = np.random.default_rng(0)
    h = of(rng.integers(0, 4, 60).tolist(), items=4, tau=0.3, beta=0.5)
    p = stacked(h)
    assert_within(left_side(h), p.Z.T @ p.Z, 64 * U, 60 * gram.NEGLIGIBLE)
    assert_within(right_side(h)[0], p.Z.T @ p.targets(4), 64 * U, 60 * gram.NEGLIGIBLE)


def test_nobody_and_short_histories() -> None:
    """A single event has no past; without users or rows the tables are empty or 0."""
    for h in (of(items=2, tau=3.0, beta=0.5), of([0], [1], [], items=2, tau=3.0, beta=0.5)):
        assert not left_side(h).any()
        assert not any(x.any() for x in right_side(h))
    none = of([0, 1], items=2, tau=3.0, beta=0.5)._replace(row_of_item=np.full(2, -1), C=0)
    assert left_side(none).shape == (0, 0)
    assert right_side(none)[0].shape == (0, 0)


def test_threads_and_twins_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """P20, at a size that the parallel twins take on their own: 1 thread, 2 threads, and the serial twins."""
    rng = np.random.default_rng(3)
    indptr = np.arange(0, 6001, 60)
    h = Prefixed(
        indptr,
        rng.integers(0, 90, 6000),
        np.where(np.arange(90) % 9 == 0, -1, np.cumsum(np.arange(90) % 9 != 0) - 1),
        80,
        rng.normal(size=(2, 6000)),
        np.array([3.0, 20.0]),
        np.array([0.35, 1.0]),
    )
    results = []
    for threads, small in (("1", 0), ("2", 0), ("2", np.inf)):
        monkeypatch.setenv("XATTN_NUM_THREADS", threads)
        monkeypatch.setattr(pool, "SMALL_WORK", small)
        results.append((left_side(h), *right_side(h)))
    for other in results[1:]:
        for got, want in zip(other, results[0], strict=True):
            assert_bitwise(got, want)
