"""Sums in float32 stay within their stated bounds of the exact results, and everything else stays as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn import InputError, attention, attention_with_weights
from xattn.kernels.attention import attend_narrow
from xattn.kernels.scorers import cosine, dot, scaled_dot

F4, U = np.dtype(np.float32), 2.0**-24
SIZES = st.tuples(st.integers(1, 15), st.integers(1, 70), st.integers(1, 40), st.integers(1, 40))


def tables(sizes: tuple[int, int, int, int], seed: int, spread: float) -> list[np.ndarray]:
    """q (L, d), k (n, d), v (n, w), float32, rows of very different lengths where `spread` is large."""
    L, n, d, w = sizes
    rng = np.random.default_rng(seed)
    found = []
    for rows, columns in ((L, d), (n, d), (n, w)):
        lengths = np.exp(spread * rng.normal(size=(rows, 1)))
        found.append((rng.normal(size=(rows, columns)) * lengths).astype(F4))
    return found


@given(SIZES, st.integers(0, 999), st.sampled_from((0.0, 1.0, 3.0)))
def test_dots_are_within_their_bound(sizes: tuple[int, int, int, int], seed: int, spread: float) -> None:
    q, k, _ = tables(sizes, seed, spread)
    d = q.shape[1]
    exact, size = q.astype(float) @ k.astype(float).T, np.abs(q).astype(float) @ np.abs(k).astype(float).T
    for score, scale in ((dot, 1.0), (scaled_dot, d**-0.5)):
        got = score(q, k, F4)
        assert got.dtype == F4
        assert (np.abs(got - scale * exact) <= (d + 2) * U * scale * size).all()


@given(SIZES, st.integers(0, 999), st.sampled_from((0.0, 3.0, 20.0)))
def test_cosines_are_within_their_bound(sizes: tuple[int, int, int, int], seed: int, spread: float) -> None:
    q, k, _ = tables(sizes, seed, spread)
    q[0] = 0.0
    got, exact = cosine(q, k, F4), cosine(q.astype(float), k.astype(float))
    assert (np.abs(got - exact) <= (q.shape[1] + 4) * U).all()
    assert (got[0] == 0).all()
    assert np.abs(got).max() <= 1.0


@given(SIZES, st.integers(0, 999), st.sampled_from((0.0, 1.0, 2.0)))
def test_attention_is_within_its_bound(sizes: tuple[int, int, int, int], seed: int, spread: float) -> None:
    q, k, v = tables(sizes, seed, spread)
    n, d, scale = len(k), q.shape[1], q.shape[1] ** -0.5
    largest = scale * (np.abs(q).astype(float) @ np.abs(k).astype(float).T).max(axis=1, keepdims=True)
    share = (2 * (d + 6) * largest + 1.1 * n + 16) * U
    got, a = attention_with_weights(q, k, v, sums="float32")
    exact = attention(*(x.astype(float) for x in (q, k, v)))
    assert got.dtype == a.dtype == F4
    assert (np.abs(got - exact) <= np.where(share < 0.1, share, np.inf) * np.abs(v).max(axis=0)).all()
    np.testing.assert_allclose(a.sum(axis=1), 1.0, atol=n * 4 * U)
    np.testing.assert_array_equal(attention(q, k, v, sums="float32"), got)


@pytest.mark.parametrize(
    "options",
    [{"causal": True}, {"mask": np.tri(9, 9, dtype=bool)}, {"lengths": 7}, {"window": (2, 1)}, {"softcap": 2.0}],
)
def test_where_a_key_is_kept_from_a_query_sums_are_exact(options: dict[str, object]) -> None:
    q, k, v = tables((9, 9, 4, 3), 0, 0.0)
    np.testing.assert_array_equal(attention(q, k, v, sums="float32", **options), attention(q, k, v, **options))


def test_heads_and_windows_that_see_everything_are_narrow() -> None:
    rng = np.random.default_rng(0)
    q, k, v = (rng.normal(size=shape).astype(F4) for shape in ((2, 4, 5, 3), (2, 2, 6, 3), (2, 2, 6, 7)))
    got = attention(q, k, v, sums="float32", window=(9, 9))
    np.testing.assert_allclose(got, attention(q, k, v), atol=1e-5)
    own = attend_narrow(q[1, 3], k[1, 1], v[1, 1], scale=3**-0.5).y
    np.testing.assert_array_equal(got[1, 3], own)


def test_a_query_does_not_depend_on_its_company() -> None:
    """One whose logits are far from 0 needs a maximum of its own; the others do not change."""
    q, k, v = tables((13, 40, 8, 5), 0, 0.0)
    q[4] *= 100
    together = attend_narrow(q, k, v, scale=1.0)
    for i in range(13):
        np.testing.assert_array_equal(attend_narrow(q[i : i + 1], k, v, scale=1.0).y[0], together.y[i])
        np.testing.assert_allclose(
            together.lse[i], np.logaddexp.reduce(q[i].astype(float) @ k.T.astype(float)), rtol=1e-5
        )


def test_what_float32_cannot_hold_is_exact_and_what_nothing_holds_is_refused() -> None:
    q, k = np.full((1, 2), 1e20, F4), np.array([[1e20, -1e20], [0.0, 0.0]], F4)
    v = np.array([[1.0], [3.0]], F4)
    np.testing.assert_array_equal(attention(q, k, v, sums="float32"), attention(q, k, v))
    with pytest.raises(InputError):
        attention(np.full((1, 2), np.nan, F4), k, v, sums="float32")
    with pytest.raises(InputError, match="`sums` must be one of float64, float32; got 'half'."):
        attention(q, k, v, sums="half")
    assert attention(q.astype(float), k, v, sums="float32").dtype == np.float64
    assert attention(q, k[:0], v[:0], sums="float32").tolist() == [[0.0]]
