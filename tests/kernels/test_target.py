"""Fused target attention equals the scores of its field, written out; masks, thresholds, types, and its bits."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged
from tests.strategies import betas, thetas
from xattn.kernels.target import target_scores

FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


class Asked(NamedTuple):
    Q: np.ndarray
    U: np.ndarray
    K: np.ndarray
    V: np.ndarray
    r: np.ndarray
    live: np.ndarray

    @classmethod
    def of(cls, J: int, n: int, dk: int, d: int, seed: int, dtype: type = np.float64, live: float = 1.0) -> Asked:
        rng = np.random.default_rng(seed)
        tables = [rng.normal(size=shape).astype(dtype) for shape in ((J, dk), (J, d), (n, dk), (n, d), (n,))]
        return cls(*tables, rng.random(n) < live)

    def scores(self, scale: float = 0.7, **options: float) -> np.ndarray:
        return target_scores(*self, scale=scale, **options)

    def some(self, which: Any) -> Asked:
        """Only some of the candidates."""
        return self._replace(Q=self.Q[which], U=self.U[which])


def field(x: Asked, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """E and X (J, n), in float64."""
    wide = [part.astype(float) for part in x[:5]]
    z = naive.dot(wide[0], wide[2]) * scale + wide[4]
    return np.exp(z - z.max(axis=1, keepdims=True)), naive.dot(wide[1], wide[3])


def size(x: Asked, scale: float, beta: float) -> np.ndarray:
    """Σ a |X| (J,): what rounding is measured by."""
    E, X = field(x, scale)
    return naive.field_scores(E, np.abs(X), x.live, beta, 0.0)


@given(
    J=st.integers(1, 9),
    n=st.integers(1, 40),
    dk=st.integers(1, 9),
    d=st.integers(1, 9),
    live=st.sampled_from((1.0, 0.7, 0.1)),
    beta=betas,
    theta=thetas,
    seed=st.integers(0, 99),
)
@settings(max_examples=100)
def test_it_is_the_scores_of_the_field(
    J: int, n: int, dk: int, d: int, live: float, beta: float, theta: float, seed: int
) -> None:
    x = Asked.of(J, n, dk, d, seed, live=live)
    with unchanged(*x):
        got = x.scores(beta=beta, theta=theta)
    E, X = field(x, 0.7)
    a = naive.field_weights(E, x.live, beta, 0.0)
    clear = (np.abs(a - theta) > 1e-12).all(axis=1) | (theta == 0.0)  # of the threshold
    want = naive.field_scores(E, X, x.live, beta, theta)
    assert_within(got[clear], want[clear], absolute=1e-13 * (1 + n) * size(x, 0.7, beta)[clear])


@given(n=st.integers(1, 60), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_float32_is_near(n: int, seed: int) -> None:
    x = Asked.of(7, n, 16, 64, seed, np.float32)
    got = x.scores(0.25)
    assert got.dtype == np.float32
    E, X = field(x, 0.25)
    assert_within(got, naive.field_scores(E, X, x.live, 1.0, 0.0), absolute=1e-5 * np.abs(X).max(axis=1))


@FLOATS
def test_large_logits_overflow_nothing(dtype: type) -> None:
    K, V = np.array([[1e4, 0.0], [-1e4, 0.0], [9999.0, 0.0]], dtype), np.array([[1.0], [2.0], [4.0]], dtype)
    Q = np.array([[1.0, 0.0], [-1.0, 0.0]], dtype)
    got = Asked(Q, np.ones((2, 1), dtype), K, V, np.zeros(3, dtype), np.ones(3, bool)).scores(1.0)
    e = np.exp(-1.0)
    assert_within(got, np.array([(1 + 4 * e) / (1 + e), 2.0]), relative=1e-6)


@FLOATS
def test_a_masked_event_counts_for_the_maximum_alone(dtype: type) -> None:
    """With β < 1 the score keeps the maximum of all events, as removals need it; far below it nothing is left."""
    one, zero = np.ones((1, 1), dtype), np.zeros(2, dtype)
    x = Asked(one, one, np.array([[3.0], [1.0]], dtype), np.array([[5.0], [7.0]], dtype), zero, np.array([False, True]))
    assert_within(x.scores(1.0, beta=0.5), np.array([7.0 * np.exp(-1.0)]), relative=1e-6)
    assert x._replace(K=np.array([[9e3], [1.0]], dtype)).scores(1.0, beta=0.5).tolist() == [0.0]


def test_no_events_and_no_candidates() -> None:
    assert Asked.of(3, 0, 4, 2, 0).scores().tolist() == [0, 0, 0]
    assert Asked.of(0, 2, 4, 2, 0).scores().shape == (0,)
    assert Asked.of(3, 5, 4, 2, 0, live=0.0).scores().tolist() == [0, 0, 0]


@FLOATS
@pytest.mark.parametrize("theta", [0.0, 0.01])
@pytest.mark.parametrize("place", ["Q", "U", "K", "V", "r"])
def test_nan_is_seen(place: str, theta: float, dtype: type) -> None:
    x = Asked.of(3, 20, 4, 2, 0, dtype)
    table = getattr(x, place).copy()
    table[1] = np.nan
    seen = np.isnan(x._replace(**{place: table}).scores(theta=theta)).tolist()
    assert seen == ([False, True, False] if place in {"Q", "U"} else [True] * 3)


def test_a_candidate_does_not_depend_on_its_company() -> None:
    x = Asked.of(6, 20, 8, 3, 0, np.float32)
    alone = np.concatenate([x.some(slice(j, j + 1)).scores() for j in range(6)])
    assert_bitwise(x.scores(), alone)


@FLOATS
def test_company_with_far_logits_changes_no_bit(dtype: type) -> None:
    """Candidates near 0 need no maximum; one that does is scored apart, and as the same numbers say."""
    x = Asked.of(14, 37, 8, 3, 0, dtype, live=0.8)
    near = x.scores()
    Q = x.Q.copy()
    Q[[2, 7, 13]] *= 1000
    far = x._replace(Q=Q)
    got, kept = far.scores(), np.setdiff1d(np.arange(14), [2, 7, 13])
    assert_bitwise(got[kept], near[kept])
    assert_bitwise(got[[2, 7, 13]], far.some([2, 7, 13]).scores())
    E, X = field(far, 0.7)
    room = 1e-4 if dtype is np.float32 else 1e-9  # logits of thousands, in the arrays' type
    assert_within(got, naive.field_scores(E, X, x.live, 1.0, 0.0), absolute=room * np.abs(X).max())


def test_twins_and_threads_agree_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Asked.of(2000, 30, 16, 16, 1, np.float32)  # enough work for the parallel twin
    monkeypatch.setenv("XATTN_NUM_THREADS", "1")
    one = x.scores()
    monkeypatch.setenv("XATTN_NUM_THREADS", "2")
    assert_bitwise(one, x.scores())
    assert_bitwise(one[:5].copy(), x.some(slice(5)).scores())


@pytest.mark.parametrize("n", [1, 5, 16, 17, 64, 65, 80, 100])
@pytest.mark.parametrize("live", [1.0, 0.6])
@FLOATS
def test_every_cut_into_panels(n: int, live: float, dtype: type) -> None:
    x = Asked.of(13, n, 7, 5, n, dtype, live)
    E, X = field(x, 0.7)
    room = (1e-5 if dtype is np.float32 else 1e-13) * np.abs(X).max(axis=1)
    assert_within(x.scores(), naive.field_scores(E, X, x.live, 1.0, 0.0), absolute=room)


def test_candidates_that_do_not_lie_in_a_row() -> None:
    x = Asked.of(12, 9, 5, 4, 3)
    assert_bitwise(x.some(slice(None, None, 2)).scores(), x.scores()[::2].copy())
    turned = x._replace(Q=np.asfortranarray(x.Q), U=np.asfortranarray(x.U))
    assert_bitwise(turned.scores(), x.scores())
