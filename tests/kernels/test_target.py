"""Fused target attention against the naive weights and a dot product."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tests.checks import assert_within, unchanged
from xattn.kernels.target import target_scores, target_weights


def case(J: int, n: int, d: int, seed: int, dtype: type = np.float64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=shape).astype(dtype) for shape in ((J, d), (n, d), (n,)))  # type: ignore[return-value]


def plain(Q: np.ndarray, K: np.ndarray, c: np.ndarray, scale: float) -> np.ndarray:
    return naive.weights(naive.dot(Q, K) * scale) @ c.astype(float)


@given(J=st.integers(1, 9), n=st.integers(1, 40), d=st.integers(1, 9), seed=st.integers(0, 99))
@settings(max_examples=60)
def test_it_is_softmax_attention(J: int, n: int, d: int, seed: int) -> None:
    Q, K, c = case(J, n, d, seed)
    with unchanged(Q, K, c):
        got = target_scores(Q, K, c, 0.7)
    assert_within(got, plain(Q, K, c, 0.7), absolute=1e-13 * (1 + n) * np.abs(c).max())


@given(n=st.integers(1, 60), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_float32_is_near(n: int, seed: int) -> None:
    Q, K, c = case(7, n, 64, seed, np.float32)
    got = target_scores(Q, K, c, 0.125)
    assert got.dtype == np.float32
    assert_within(got, plain(Q, K, c, 0.125), absolute=1e-5 * np.abs(c).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_logits_overflow_nothing(dtype: type) -> None:
    K = np.array([[1e4, 0.0], [-1e4, 0.0], [9999.0, 0.0]], dtype)
    got = target_scores(np.array([[1.0, 0.0], [-1.0, 0.0]], dtype), K, np.array([1.0, 2.0, 4.0], dtype), 1.0)
    e = np.exp(-1.0)
    assert_within(got, np.array([(1 + 4 * e) / (1 + e), 2.0]), relative=1e-6)


def test_no_events_and_no_candidates() -> None:
    assert target_scores(np.ones((3, 4)), np.ones((0, 4)), np.ones(0), 1.0).tolist() == [0, 0, 0]
    assert target_scores(np.ones((0, 4)), np.ones((2, 4)), np.ones(2), 1.0).shape == (0,)


def test_a_candidate_does_not_depend_on_its_company() -> None:
    Q, K, c = case(6, 20, 8, 0, np.float32)
    together = target_scores(Q, K, c, 1.0)
    alone = np.concatenate([target_scores(Q[j : j + 1], K, c, 1.0) for j in range(6)])
    np.testing.assert_array_equal(together, alone)


def test_twins_and_threads_agree_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    Q, K, c = case(2000, 30, 16, 1, np.float32)  # enough work for the parallel twin
    monkeypatch.setenv("XATTN_NUM_THREADS", "1")
    one = target_scores(Q, K, c, 1.0)
    monkeypatch.setenv("XATTN_NUM_THREADS", "2")
    np.testing.assert_array_equal(one, target_scores(Q, K, c, 1.0))
    np.testing.assert_array_equal(one[:5], target_scores(Q[:5], K, c, 1.0))


@pytest.mark.parametrize("n", [1, 5, 16, 17, 64, 65, 80, 100])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_cut_into_panels_and_the_weights_themselves(n: int, dtype: type) -> None:
    Q, K, c = case(13, n, 7, n, dtype)
    s, a = target_weights(Q, K, c, 0.7)
    np.testing.assert_array_equal(s, target_scores(Q, K, c, 0.7))
    want = naive.weights(naive.dot(Q, K) * 0.7)
    near = 1e-5 if dtype is np.float32 else 1e-13
    assert_within(a, want, relative=near)
    assert_within(s, want @ c.astype(float), absolute=near * np.abs(c).max())


def test_candidates_that_do_not_lie_in_a_row() -> None:
    Q, K, c = case(12, 9, 5, 3)
    np.testing.assert_array_equal(target_scores(Q[::2], K, c, 1.0), target_scores(Q, K, c, 1.0)[::2])
    np.testing.assert_array_equal(target_scores(np.asfortranarray(Q), K, c, 1.0), target_scores(Q, K, c, 1.0))
