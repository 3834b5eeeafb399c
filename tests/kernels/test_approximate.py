"""Approximate scores are close to the exact ones, bounds hold, and items that are surely ahead are ahead."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn.kernels.approximate import Attending, add_approximate_without_each, count_ahead, pool_reach


class Pool:
    """A random pool: n events, C columns, H heads; some events without a row, some masked."""

    def __init__(self, seed: int, n: int = 6, C: int = 9, H: int = 2, sharp: bool = False) -> None:
        rng = np.random.default_rng(seed)
        self.row = rng.integers(-1, C, n)
        age = np.arange(n)[::-1]
        self.E = np.exp(-age / rng.uniform(0.05 if sharp else 1.0, 0.2 if sharp else 20.0, (H, 1)))
        self.w = rng.choice([1.0, 1.0, -0.5], n)
        self.live = rng.random(n) < 0.85
        self.V = rng.normal(size=(H, C, C)).astype(np.float32)
        self.beta = float(rng.choice([0.0, 0.35, 1.0]))

    @property
    def attended(self) -> Attending:
        return Attending(self.row, self.E, self.w, self.live, self.beta)

    def scores(self, masked: tuple[int, ...]) -> np.ndarray:
        """The plain version."""
        out = np.zeros(self.V.shape[2])
        for h in range(len(self.E)):
            kept = [i for i in range(len(self.row)) if self.live[i] and i not in masked]
            S = sum(self.E[h, i] for i in kept)
            for i in kept:
                if self.row[i] >= 0:
                    out += self.E[h, i] * self.w[i] * self.V[h, self.row[i]].astype(float) / S**self.beta
        return out


@given(seed=st.integers(0, 10**6), sharp=st.booleans())
def test_approximate_scores_are_those_without_each_event(seed: int, sharp: bool) -> None:
    pool = Pool(seed, sharp=sharp)
    rng = np.random.default_rng(seed)
    column, gate = rng.permutation(12)[:9], rng.random(9)
    approximate = np.ones((len(pool.row), 12), np.float32)
    add_approximate_without_each(approximate, pool.attended, pool.V, column, gate)
    for r in range(len(pool.row)):
        exact = np.ones(12)
        exact[column] += gate * pool.scores((r,))
        np.testing.assert_allclose(approximate[r], exact, atol=1e-5 * max(1.0, np.abs(exact).max()))


@given(seed=st.integers(0, 10**6), m=st.integers(1, 4))
def test_no_set_lifts_a_score_past_its_reach(seed: int, m: int) -> None:
    pool = Pool(seed, n=7)
    reach = pool_reach(pool.attended, pool.V, m)
    most = np.max([pool.scores(s) for size in range(m + 1) for s in combinations(range(7), size)], axis=0)
    assert (most <= reach + 1e-9).all()


def test_reach_is_close_where_nothing_is_shared_out() -> None:
    """β = 0: the bound is met by masking what speaks against."""
    pool = Pool(1)
    pool.beta, pool.live[:] = 0.0, True
    reach = pool_reach(pool.attended, pool.V, len(pool.row) - 1)
    worth = (pool.E * pool.w)[:, :, None] * np.where(pool.row[:, None] >= 0, pool.V[:, pool.row], 0.0)
    np.testing.assert_allclose(reach, np.maximum(worth.sum(axis=0), 0.0).sum(axis=0), rtol=1e-6)


def test_where_all_may_be_masked_there_is_no_limit() -> None:
    pool = Pool(1)
    assert np.isposinf(pool_reach(pool.attended, pool.V, len(pool.row))).all()


@given(seed=st.integers(0, 10**6))
def test_who_is_surely_ahead_is_ahead_and_the_rest_is_flagged(seed: int) -> None:
    rng = np.random.default_rng(seed)
    exact = rng.integers(0, 6, (4, 700)) / 4.0
    slack = rng.choice([0.0, 0.1, 0.4], 700)
    approximate = exact + rng.uniform(-1, 1, exact.shape) * slack
    own, allowed = exact[:, 0].copy(), rng.random(700) < 0.9
    ahead, flagged = count_ahead(approximate, slack, allowed, own)
    assert not (flagged & ~allowed).any()
    sure = allowed & ~flagged
    np.testing.assert_array_equal(ahead, ((exact > own[:, None]) & sure).sum(axis=1))
    assert not ((exact == own[:, None]) & sure).any(), "ties are flagged"


@pytest.mark.parametrize("fault", ["slack", "allowed"])
def test_planted_faults_are_seen(fault: str) -> None:
    approximate, slack, allowed, own = (
        np.array([[1.0, 2.0, 1.5]]),
        np.array([0.0, 0.0, 0.6]),
        np.ones(3, bool),
        np.array([1.0]),
    )
    right = count_ahead(approximate, slack, allowed, own)
    if fault == "slack":
        wrong = count_ahead(approximate, np.zeros(3), allowed, own)
    else:
        wrong = count_ahead(approximate, slack, np.array([True, False, True]), own)
    assert (right[0] != wrong[0]).any() or (right[1] != wrong[1]).any()
