"""A base that forgets: its formula, its limits, and what it lets one expect of what has just appeared."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from xattn.model.fit.freshness import DAY, fresh_share, share_of, weights, youth
from xattn.model.fit.inheritance import PENALTY, expected

M = 6


def events(seed: int = 0, N: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Items (all but the last), what they count, seconds over ten days."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, M - 1, N), rng.choice([0.0, 0.5, 1.0], N), rng.uniform(0, 10 * DAY, N)


@pytest.mark.parametrize("half_life", [0.1, 2.0, 30.0])
def test_the_share_is_the_sum_of_what_is_remembered(half_life: float) -> None:
    item, worth, time = events()
    g = np.array([2.0 ** (-(time.max() - t) / (DAY * half_life)) for t in time])
    n = worth.sum()
    want = [(1 + n * sum(g[item == j] * worth[item == j]) / sum(g * worth)) / (n + M) for j in range(M)]
    found = fresh_share(item, worth, time, half_life, M)
    np.testing.assert_allclose(found, want, rtol=1e-12)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(weights(time, half_life), g, rtol=1e-12)


def test_an_endless_memory_is_the_share_of_all() -> None:
    item, worth, time = events()
    met = np.bincount(item, worth, minlength=M)
    np.testing.assert_allclose(fresh_share(item, worth, time, 1e12, M), share_of(met), rtol=1e-9)


def test_only_the_last_remains_where_the_memory_is_short() -> None:
    item, worth, time = np.array([0, 1, 1, 2]), np.ones(4), DAY * np.array([0.0, 1.0, 2.0, 50.0])
    np.testing.assert_allclose(fresh_share(item, worth, time, 1e-3, M), share_of(4.0 * (np.arange(M) == 2)), rtol=1e-12)


def test_where_only_forgotten_events_count_all_are_remembered() -> None:
    item, worth, time = np.array([0, 1]), np.array([1.0, 0.0]), DAY * np.array([0.0, 1e6])
    np.testing.assert_array_equal(fresh_share(item, worth, time, 0.5, M), share_of(np.eye(M)[0]))
    np.testing.assert_array_equal(fresh_share(item[:0], worth[:0], time[:0], 0.5, M), np.full(M, 1 / M))


def test_youth_counts_from_the_first_event() -> None:
    item, time = np.array([0, 1, 0, 2]), DAY * np.array([0.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(youth(item, time, 2.0, M), [0.25, 0.5, 1.0, 0, 0, 0], rtol=1e-12)


def test_what_is_new_is_expected_to_be_as_what_was_new() -> None:
    """Weighted ridge regression, against the obvious one; the level is that of young items, not of old ones."""
    rng = np.random.default_rng(1)
    F = sparse.csr_array((rng.random((12, 3)) < 0.5).astype(float))
    share, young, new = rng.random(12), rng.random(12), np.array([3, 7])
    young[[0, 1]] = 0.0, 1.0  # of old, and what appeared this moment: neither says anything
    met = np.setdiff1d(np.arange(12), new)
    y = young[met]
    w = y * (1 - y)
    rate = share[met] / np.where(y < 1, 1 - y, 1.0)
    dense = F.toarray()
    mean = w @ dense[met] / w.sum()
    level = w @ rate / w.sum()
    centred = dense[met] - mean
    slope = np.linalg.solve(centred.T @ (w[:, None] * centred) + PENALTY * np.eye(3), centred.T @ (w * (rate - level)))
    want = level + (dense[new] - mean) @ slope
    np.testing.assert_allclose(expected(share, F, new, 0.0, young=young), want, rtol=1e-10)
    assert not np.allclose(expected(share, F, new, 0.0), want, rtol=1e-3)
    np.testing.assert_allclose(
        expected(share, F, new, 0.0, young=np.zeros(12)), expected(share, F, new, 0.0), rtol=1e-12
    )
