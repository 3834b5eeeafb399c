"""Sparse normal equations hold the numbers of the whole ones; each target is solved over what the data say most of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.checks import assert_bitwise, assert_within, unchanged
from tests.strategies import Prefixed, prefixed
from xattn.kernels import gram, local
from xattn.kernels.local import Pairs, Problem


def dense(pairs: Pairs, columns: int) -> np.ndarray:
    """The table whole; a pair that comes twice would show as a sum."""
    out = np.zeros((len(pairs.ptr) - 1, columns))
    np.add.at(out, (np.repeat(np.arange(len(out)), np.diff(pairs.ptr)), pairs.column), pairs.value)
    return out


def sums(h: Prefixed, worth: np.ndarray) -> tuple[Pairs, Pairs, np.ndarray, np.ndarray, np.ndarray]:
    """Sparse A and B, and the A, B and z of `gram`."""
    occ = gram.occurrences(h.indptr, h.item, h.row_of_item, h.C)
    c = gram.normalisers(h.indptr, h.rho, h.beta)
    tail = gram.tails(h.indptr, h.rho, c)
    with unchanged(*occ, h.w, tail, c, worth):
        A = local.pairs_of_prefixes(occ, h.w, h.rho, tail)
        B = local.pairs_of_targets(occ, h.w, h.rho, c, worth)
    assert A is not None
    assert B is not None
    whole = gram.accumulate_gram(occ, h.w, h.rho, tail, np.float64)
    return A, B, whole, *gram.accumulate_targets(occ, occ.row, h.C, h.w, h.rho, c, np.float64, worth)


@given(prefixed(), st.sampled_from((1.0, 0.25)))
def test_what_occurs_is_there_and_equals_the_whole_sums(h: Prefixed, most: float) -> None:
    worth = np.linspace(0.0, most, len(h.item))
    A, B, whole, right, _ = sums(h, worth)
    H = len(h.tau)
    blocks = np.triu(np.ones((H, H))).repeat(h.C, axis=0).repeat(h.C, axis=1)
    assert_within(dense(A, H * h.C), whole * blocks, absolute=1e-12 * max(1.0, np.abs(whole).max(initial=0.0)))
    assert_within(dense(B, H * h.C).T, right, absolute=1e-12 * max(1.0, np.abs(right).max(initial=0.0)))
    for pairs in (A, B):
        for low, high in zip(pairs.ptr[:-1], pairs.ptr[1:], strict=True):
            assert len(set(pairs.column[low:high].tolist())) == high - low


def test_more_pairs_than_there_is_room_for_are_not_made() -> None:
    indptr, item = np.array([0, 3]), np.array([0, 1, 2])
    occ = gram.occurrences(indptr, item, np.arange(3), 3)
    rho, beta, w = np.array([0.5]), np.array([0.5]), np.ones((1, 3))
    c = gram.normalisers(indptr, rho, beta)
    tail = gram.tails(indptr, rho, c)
    pairs = local.pairs_of_prefixes(occ, w, rho, tail)
    assert pairs is not None
    assert local.pairs_of_prefixes(occ, w, rho, tail, most=len(pairs.column) - 1) is None
    assert local.pairs_of_targets(occ, w, rho, c, np.ones(3), most=2) is None


def naive(
    A: np.ndarray, B: np.ndarray, z: np.ndarray, b: np.ndarray, F: np.ndarray, penalty: np.ndarray, K: int, others: bool
) -> np.ndarray:
    """(unknowns, C) every target solved over its K unknowns of largest |B − z b|, sizes all different."""
    n, C = B.shape
    chances = np.abs(z) if z.any() else np.count_nonzero(B, axis=0)
    rank = np.argsort(np.argsort(-chances, kind="stable"))
    A = np.triu(A) + np.triu(A, 1).T + np.kron(np.eye(n // C), F @ F.T) + np.diag(penalty)
    V = np.zeros((n, C))
    for j in range(C):
        size = B[:, j] - z * b[j]
        allowed = [s for s in range(n) if not (others and s % C == j)]
        S = sorted(allowed, key=lambda s: (-abs(size[s]), rank[s]))[:K]
        shared = [0.0 if s % C == j else float(F[s % C] @ F[j]) for s in S]
        V[S, j] = np.linalg.solve(A[np.ix_(S, S)], size[S] + shared)
    return V


@given(seed=st.integers(0, 10**6), K=st.integers(1, 9), others=st.booleans(), d=st.sampled_from((0, 2)))
def test_each_target_is_solved_over_the_largest_right_sides(seed: int, K: int, others: bool, d: int) -> None:
    """Random sparse tables of two heads over four items; sums of blocks g ≥ h, the diagonal blocks whole."""
    rng = np.random.default_rng(seed)
    C, H = 4, 1 if others else 2
    Z = rng.normal(size=(20, H * C)) * (rng.random((20, H * C)) < 0.4)
    A = Z.T @ Z
    B = rng.normal(size=(H * C, C)) * (rng.random((H * C, C)) < 0.6)
    z, b = (np.zeros(H * C) if others else rng.normal(size=H * C)), rng.random(C)
    F, penalty = rng.normal(size=(C, d)), rng.random(H * C) + 0.5
    upper = A * np.triu(np.ones((H, H))).repeat(C, axis=0).repeat(C, axis=1)
    problem = Problem(sparse(upper), sparse(B.T), z, b, sparse(F), d, penalty, others)
    with unchanged(*problem.A, *problem.B, z, b, *problem.F, penalty):
        chosen, values, sound = local.local_solutions(problem, K, slice(0, C))
    assert sound
    assert chosen.shape == values.shape == (C, min(K, H * C))
    V = np.zeros((H * C, C))
    for j in range(C):
        own = chosen[j] >= 0
        assert not values[j, ~own].any()
        V[chosen[j, own], j] = values[j, own]
    assert_within(V, naive(A, B, z, b, F, penalty, K, others), absolute=1e-9)
    part = local.local_solutions(problem, K, slice(1, 3))
    assert_bitwise(part[1], values[1:3])


def sparse(table: np.ndarray) -> Pairs:
    rows, columns = np.nonzero(table)
    ptr = np.searchsorted(rows, np.arange(len(table) + 1)).astype(np.int64)
    return Pairs(ptr, columns.astype(np.int32), table[rows, columns])


def test_a_problem_without_a_solution_is_said_to_be_unsound() -> None:
    A = sparse(np.array([[1.0, 2.0], [2.0, 1.0]]))  # not positive definite, as rounding may leave it
    none, b, F = np.zeros(2), np.ones(2), sparse(np.zeros((2, 0)))
    *_, sound = local.local_solutions(Problem(A, A, none, b, F, 0, np.zeros(2), others=False), 2, slice(0, 2))
    assert not sound


@pytest.mark.parametrize("threads", ["1", "2"])
def test_many_targets_in_two_threads_give_the_bits_of_one(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    C = 3 * local.CHUNK + 5
    Z = sparse_rows(rng, 400, C)
    A = sparse(Z.T @ Z)
    z, b, F, penalty = rng.normal(size=C), rng.random(C), sparse(np.zeros((C, 0))), np.ones(C)
    monkeypatch.setenv("XATTN_NUM_THREADS", threads)
    problem = Problem(A, A, z, b, F, 0, penalty, others=False)
    together = local.local_solutions(problem, 20, slice(0, C))
    one = local.local_solutions(problem, 20, slice(C - 1, C))
    assert_bitwise(together[1][-1:], one[1])


def sparse_rows(rng: np.random.Generator, n: int, C: int) -> np.ndarray:
    return np.asarray(rng.normal(size=(n, C)) * (rng.random((n, C)) < 0.05))
