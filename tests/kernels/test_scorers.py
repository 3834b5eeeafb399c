"""Scorers: equal to the obvious versions, their laws, their gradients against central differences, the edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged, unit
from tests.strategies import COORDINATES, pairs, tables
from xattn.kernels import scorers

U = unit(np.float64)
Pair = tuple[np.ndarray, np.ndarray]


class Scorer(NamedTuple):
    forward: Callable[..., np.ndarray]
    backward: Callable[..., Any]
    naive: Callable[..., np.ndarray]
    parameters: Callable[[int], list[np.ndarray]]  # by the width of queries and keys


def _none(d: int) -> list[np.ndarray]:
    return []


def _table(rows: int, d: int) -> np.ndarray:
    return np.cos(np.arange(rows * d, dtype=float) + rows).reshape(rows, d)


SCORERS = {
    "dot": Scorer(scorers.dot, scorers.dot_backward, naive.dot, _none),
    "scaled_dot": Scorer(scorers.scaled_dot, scorers.scaled_dot_backward, naive.scaled_dot, _none),
    "cosine": Scorer(scorers.cosine, scorers.cosine_backward, naive.cosine, _none),
    "additive": Scorer(
        scorers.additive,
        scorers.additive_backward,
        naive.additive,
        lambda d: [_table(4, d), _table(4, d)[::-1].copy(), np.array([1.0, -2.0, 0.5, 0.25])],
    ),
    "bilinear": Scorer(scorers.bilinear, scorers.bilinear_backward, naive.bilinear, lambda d: [_table(d, d)]),
}
EVERY = pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS)


def sizes(q: np.ndarray, k: np.ndarray) -> float:
    """Σ|q||k| at most (times the parameters, of size ≤ 2): what rounding errors of sums of products are measured by."""
    return float(np.abs(q).max(initial=0) * np.abs(k).max(initial=0) * q.shape[1] ** 2 * 4 + 8)


def off_zero(x: np.ndarray) -> np.ndarray:
    """Numbers so small that the obvious formulas underflow, set to 0."""
    return np.where(np.abs(x) < 1e-100, 0.0, x)


@EVERY
@given(pair=pairs())
def test_equals_the_obvious_version(scorer: Scorer, pair: Pair) -> None:
    q, k = (off_zero(x) for x in pair)
    p = scorer.parameters(q.shape[1])
    with unchanged(q, k, *p):
        got = scorer.forward(q, k, *p)
    assert_within(got, scorer.naive(q, k, *p).reshape(got.shape), absolute=16 * U * sizes(q, k))


@EVERY
@given(pair=pairs())
def test_float32_is_the_float64_answer_rounded(scorer: Scorer, pair: Pair) -> None:
    """Sums in float64: one rounding to float32 is all that is lost."""
    q, k, *p = (np.ascontiguousarray(x, np.float32) for x in (*pair, *scorer.parameters(pair[0].shape[1])))
    got = scorer.forward(q, k, *p)
    assert got.dtype == np.float32
    want = scorer.forward(*(x.astype(np.float64) for x in (q, k, *p)))
    assert_within(got, want, 2 * unit(np.float32), 1e-45 + 16 * U * sizes(q, k))


@EVERY
@given(pair=pairs())
def test_batch_is_a_loop(scorer: Scorer, pair: Pair) -> None:
    """P21: a score depends on its query and its key alone."""
    q, k = pair
    p = scorer.parameters(q.shape[1])
    e = scorer.forward(q, k, *p)
    for r in range(q.shape[0]):
        for i in range(k.shape[0]):
            assert_bitwise(e[r : r + 1, i : i + 1], scorer.forward(q[r : r + 1], k[i : i + 1], *p))


@EVERY
@given(pair=pairs(size=2.0))
def test_gradients(scorer: Scorer, pair: Pair) -> None:
    """P15, for queries, keys and every parameter. Vectors are kept off 0, where the cosine has no gradient."""
    q, k = (np.round(x, 1) + np.linspace(0.5, 1.5, x.shape[1]) for x in pair)
    q[:, 0] += 2 * (np.abs(q).max(axis=1) < 0.2)
    k[:, 0] += 2 * (np.abs(k).max(axis=1) < 0.2)
    arrays = [q, k, *scorer.parameters(q.shape[1])]
    de = np.sin(np.arange(q.shape[0] * k.shape[0], dtype=float)).reshape(q.shape[0], k.shape[0])
    with unchanged(de, *arrays):
        gradients = scorer.backward(de, *arrays)
    assert len(gradients) == len(arrays)
    for place, got in enumerate(gradients):

        def loss(x: np.ndarray, place: int = place) -> float:
            return float((de * scorer.forward(*arrays[:place], x, *arrays[place + 1 :])).sum())

        assert_within(got, naive.gradient(loss, arrays[place]), 1e-7, 1e-7)


@EVERY
def test_no_queries_no_keys_no_coordinates(scorer: Scorer) -> None:
    for R, n, d in ((0, 2, 3), (2, 0, 3), (2, 2, 0), (0, 0, 0)):
        arrays = [np.ones((R, d)), np.ones((n, d)), *scorer.parameters(d)]
        e = scorer.forward(*arrays)
        assert e.shape == (R, n)
        assert np.isfinite(e).all()
        assert [g.shape for g in scorer.backward(e, *arrays)] == [x.shape for x in arrays]


# --- laws -------------------------------------------------------------------------------------------------------------


@given(pairs())
def test_the_scorers_meet(pair: Pair) -> None:
    """P19: bilinear with W = I is dot, to the bit; so is scaled dot of one coordinate; additive with v = 0 is level."""
    q, k = pair
    d = q.shape[1]
    assert_bitwise(scorers.bilinear(q, k, np.eye(d)) + 0.0, scorers.dot(q, k) + 0.0)  # + 0: −0 is 0
    assert_bitwise(scorers.scaled_dot(q[:, :1].copy(), k[:, :1].copy()), scorers.dot(q[:, :1].copy(), k[:, :1].copy()))
    assert not scorers.additive(q, k, _table(4, d), _table(4, d), np.zeros(4)).any()


@given(pairs(size=1e6), st.integers(-200, 200), st.integers(-200, 200))
def test_cosine_is_an_angle(pair: Pair, i: int, j: int) -> None:
    """P18: within [−1, 1], symmetric to the bit, blind to powers of two, 1 with itself, 0 for a zero vector."""
    q, k = (off_zero(x) for x in pair)
    c = scorers.cosine(q, k)
    assert (np.abs(c) <= 1).all()
    assert_bitwise(scorers.cosine(k, q), np.ascontiguousarray(c.T))
    assert_bitwise(scorers.cosine(q * 2.0**i, k * 2.0**j), c)
    itself = np.diag(scorers.cosine(q, q))
    assert_within(itself, q.any(axis=1).astype(float), (COORDINATES + 4) * U)


@pytest.mark.parametrize(
    ("size", "dtype"), [(1e200, "f8"), (1e-200, "f8"), (5e-324, "f8"), (1e30, "f4"), (1e-30, "f4")]
)
def test_cosine_of_very_long_and_very_short_vectors(size: float, dtype: str) -> None:
    x = np.full((1, 3), size, dtype)
    assert scorers.cosine(x, x).tolist() == [[1.0]]
    assert scorers.cosine(x, -x).tolist() == [[-1.0]]


@pytest.mark.parametrize("bad", [[np.nan, 0.0], [0.0, np.nan], [np.inf, 1.0]])
def test_cosine_never_hides_nan(bad: list[float]) -> None:
    assert np.isnan(scorers.cosine(np.array([bad]), np.ones((1, 2)))).all()


def test_cosine_gradient_at_zero() -> None:
    """P16: a zero vector has no direction to turn."""
    dq, dk = scorers.cosine_backward(np.ones((1, 2)), np.zeros((1, 3)), np.array([[0.0, 0, 0], [1, 2, 3]]))
    assert not dq.any()
    assert not dk.any()


@given(tables(2, 3, 4.0))
def test_cosine_gradient_is_across_the_vector(q: np.ndarray) -> None:
    """Length does not matter to an angle, so the gradient has no part along the vector."""
    q = np.round(q, 2)
    dq = scorers.cosine_backward(np.ones((2, 1)), q, np.array([[1.0, -2.0, 0.5]])).dq
    assert_within((dq * q).sum(axis=1), np.zeros(2), absolute=32 * U)


def test_masked_garbage_stays_in_its_cell() -> None:
    """A key of NaN spoils its own score and no other: the mask then takes it away."""
    k = np.array([[1.0, 2.0], [np.nan, np.inf], [3.0, 4.0]])
    for scorer in SCORERS.values():
        p = scorer.parameters(2)
        q = np.ones((2, 2))
        assert_bitwise(scorer.forward(q, k, *p)[:, ::2].copy(), scorer.forward(q, k[::2].copy(), *p))


def test_keys_of_another_width() -> None:
    q, k = np.ones((2, 3)), np.ones((4, 2))
    W, Wq, Wk, v = _table(3, 2), _table(5, 3), _table(5, 2), np.ones(5)
    assert_within(scorers.bilinear(q, k, W), naive.bilinear(q, k, W), 16 * U)
    assert_within(scorers.additive(q, k, Wq, Wk, v), naive.additive(q, k, Wq, Wk, v), 16 * U, 16 * U)
    de = np.ones((2, 4))
    assert [g.shape for g in scorers.bilinear_backward(de, q, k, W)] == [(2, 3), (4, 2), (3, 2)]
    shapes = [g.shape for g in scorers.additive_backward(de, q, k, Wq, Wk, v)]
    assert shapes == [(2, 3), (4, 2), (5, 3), (5, 2), (5,)]
