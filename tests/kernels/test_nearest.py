"""The largest products equal all products sorted, whatever the lengths of the keys, with ties and odd numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.checks import assert_bitwise, unchanged
from xattn.kernels.neighbours.nearest import BLOCK, Catalogue
from xattn.kernels.neighbours.nearest import nearest as kernel
from xattn.kernels.tiles import TOGETHER


def products(Q: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Each product as the kernel adds it: one chain over the coordinates, fused, in the arrays' type."""
    items, scores = kernel(Q, Catalogue.of(K), len(K))
    out = np.full((len(Q), len(K)), np.nan, Q.dtype)
    for r, (item, score) in enumerate(zip(items, scores, strict=True)):
        out[r, item[item >= 0]] = score[item >= 0]
    return out


small = st.sampled_from((0.0, 1.0, -1.0, 2.0, 0.5, -3.0, 0.25, 40.0))  # whose products often tie


@st.composite
def asked(draw: st.DrawFn, dtype: type) -> tuple[np.ndarray, np.ndarray, int]:
    R, n, d = draw(st.integers(0, 8)), draw(st.integers(0, 80)), draw(st.integers(0, 3))
    elements = small.map(lambda x: float(dtype(x)))
    Q, K = (draw(hnp.arrays(dtype, (rows, d), elements=elements)) for rows in (R, n))
    return Q, K, draw(st.integers(1, 12))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_the_best_of_all_products(dtype: type, data: st.DataObject) -> None:
    """All numbers here have exact products and sums, so the order of ties is known as well."""
    Q, K, k = data.draw(asked(dtype))
    with unchanged(Q, K):
        items, scores = kernel(Q, Catalogue.of(K), k)
    all_of_them = np.einsum("rd,nd->rn", Q.astype(np.longdouble), K.astype(np.longdouble)).astype(dtype)
    order = np.argsort(-all_of_them, axis=1, kind="stable")[:, :k]
    assert items.dtype == np.int64
    assert_bitwise(scores + 0, np.take_along_axis(all_of_them, order, 1) + 0)  # + 0: −0 is 0
    assert items.tolist() == order.tolist()


@pytest.mark.parametrize("spread", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 300])
def test_keys_of_all_lengths(spread: float, dtype: type, k: int) -> None:
    """More queries than a block, more keys than a chunk: as all products of the same kernel, sorted."""
    rng = np.random.default_rng(0)
    Q = rng.normal(size=(BLOCK * TOGETHER + 5, 32)).astype(dtype)
    K = (rng.normal(size=(1_300, 32)) * np.exp(spread * rng.normal(size=(1_300, 1)))).astype(dtype)
    items, scores = kernel(Q, Catalogue.of(K), k)
    own = products(Q, K)
    order = np.argsort(-own, axis=1, kind="stable")[:, :k]
    assert items.tolist() == order.tolist()
    assert_bitwise(scores, np.take_along_axis(own, order, 1))
    np.testing.assert_allclose(own, Q @ K.T, rtol=0, atol=1e-4 * np.abs(K).max())


def test_one_query_alone_and_both_thread_counts_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    Q, K = rng.normal(size=(90, 8)).astype(np.float32), rng.normal(size=(3_000, 8)).astype(np.float32)
    catalogue = Catalogue.of(K)
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("XATTN_NUM_THREADS", threads)
        found.append(kernel(Q, catalogue, 7))
    for got, want in zip(*found, strict=True):
        assert_bitwise(got, want)
    for got, want in zip(kernel(Q[41:42], catalogue, 7), found[0], strict=True):
        assert_bitwise(got, want[41:42])


def test_what_is_not_finite_is_last_or_out() -> None:
    """A product of NaN is never chosen; one of inf is the best there is; the finite ones are found beside them."""
    K = np.array([[np.nan], [1.0], [np.inf], [-np.inf], [3.0], [0.0]])
    items, scores = kernel(np.array([[1.0], [0.0], [np.nan]]), Catalogue.of(K), 4)
    assert items.tolist() == [[2, 4, 1, 5], [1, 4, 5, -1], [-1, -1, -1, -1]]
    assert scores[0].tolist() == [np.inf, 3.0, 1.0, 0.0]
    assert scores[1].tolist() == [0.0, 0.0, 0.0, -np.inf]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_short_key_that_points_the_way_is_found(dtype: type) -> None:
    """1,024 long keys come first, then as many short ones: one of them just beats all, as far as its length allows."""
    long = np.tile(np.array([0.9999, 10.0]), (1024, 1))
    short = np.tile(np.array([-0.5, 0.0]), (1024, 1))
    short[700] = (1.0, 0.0)
    items, scores = kernel(np.array([[1.0, 0.0]], dtype), Catalogue.of(np.concatenate([long, short]).astype(dtype)), 1)
    assert (items.tolist(), scores.tolist()) == ([[1724]], [[1.0]])


def test_products_that_underflow_are_not_passed_over() -> None:
    """From .75e-45 to 1.3e-45, each is the least float32 over 0, more than lengths say: the first are best."""
    K = (1e-23 * np.linspace(0.75, 1.3, 5_000)).astype(np.float32)[:, None]
    items, scores = kernel(np.full((1, 1), 1e-22, np.float32), Catalogue.of(K), 3)
    assert items.tolist() == [[0, 1, 2]]
    assert (scores == np.finfo(np.float32).smallest_subnormal).all()
