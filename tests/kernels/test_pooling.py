"""Pools of histories against pools gathered event by event, their gradients against differences, and by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged
from xattn.kernels.pooling import (
    Head,
    Persons,
    PoolGradient,
    Pools,
    pool_before,
    pool_before_backward,
    pool_others,
    pool_others_backward,
)

M, D = 5, 3


class Kind(NamedTuple):
    forward: Callable[[Head, Persons], Pools]
    backward: Callable[[np.ndarray, Pools, Head, Persons], PoolGradient]


KINDS = {"others": Kind(pool_others, pool_others_backward), "before": Kind(pool_before, pool_before_backward)}
every_kind = pytest.mark.parametrize("kind", KINDS)


def plain(kind: str, P: np.ndarray, k: np.ndarray, rate: float, beta: float, who: Persons) -> np.ndarray:
    """u_t as it stands: the events of t's pool, one after the other."""
    rows = []
    for lo, hi in zip(who.start, who.stop, strict=True):
        for t in range(lo, hi):
            pool = [i for i in range(lo, hi) if (i != t if kind == "others" else i < t)]
            age = [(hi if kind == "others" else t) - 1 - i for i in pool]
            E = [np.exp(k[who.item[i]] - rate * g) for i, g in zip(pool, age, strict=True)]
            u = sum((e * who.w[i] * P[who.item[i]] for e, i in zip(E, pool, strict=True)), np.zeros(P.shape[1]))
            rows.append(u / sum(E) ** beta if pool else u)
    return np.array(rows).reshape(len(rows), P.shape[1])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Head, Persons]:
    """Up to three persons with up to six events each, not in the order of their slices; spare events between them."""
    sizes = draw(st.lists(st.integers(0, 6), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    stop = np.cumsum([size + 1 for size in sizes])
    start = stop - sizes
    order = rng.permutation(len(sizes))
    start, stop = start[order], stop[order]
    size = stop - start
    who = Persons(
        rng.integers(0, M, int(stop.max())), rng.normal(size=int(stop.max())), start, stop, np.cumsum(size) - size
    )
    rate, beta = draw(st.sampled_from((0.0, 0.2, 3.0))), draw(st.sampled_from((0.0, 0.5, 1.0)))
    return Head(rng.normal(size=(M, D)), rng.normal(size=M), rate, beta), who


@every_kind
@given(case=cases())
@settings(max_examples=60)
def test_pools_are_gathered_events(kind: str, case: tuple[Head, Persons]) -> None:
    head, who = case
    with unchanged(head.P, head.k, *who):
        got = KINDS[kind].forward(head, who)
    assert_within(got.U, plain(kind, *head, who), 1e-11, 1e-12)


@every_kind
@given(case=cases())
@settings(max_examples=25)
def test_gradients_are_the_slopes_of_the_pools(kind: str, case: tuple[Head, Persons]) -> None:
    (P, k, rate, beta), who = case
    forward = KINDS[kind].forward(Head(P, k, rate, beta), who)
    R = np.random.default_rng(1).normal(size=forward.U.shape)
    g = KINDS[kind].backward(R, forward, Head(P, k, rate, beta), who)
    at = np.concatenate([np.arange(lo, hi) for lo, hi in zip(who.start, who.stop, strict=True)])
    dP, dk = np.zeros(P.shape), np.zeros(M)
    np.add.at(dP, who.item[at], g.dX)
    np.add.at(dk, who.item[at], g.de)

    def loss(P: np.ndarray, k: np.ndarray, rate: float) -> float:
        return float((plain(kind, P, k, rate, beta, who) * R).sum())

    assert_within(dP, naive.gradient(lambda x: loss(x, k, rate), P), 1e-6, 1e-7)
    assert_within(dk, naive.gradient(lambda x: loss(P, x, rate), k), 1e-6, 1e-7)
    drate = naive.gradient(lambda x: loss(P, k, float(x[0])), np.array([rate]))
    assert_within(np.array([g.drate.sum()]), drate, 1e-6, 1e-6)


@every_kind
def test_float32_is_near(kind: str) -> None:
    rng = np.random.default_rng(2)
    P, k, w, item = rng.normal(size=(M, D)), rng.normal(size=M), rng.normal(size=60), rng.integers(0, M, 60)
    slices = (np.array([0, 20]), np.array([20, 60]), np.array([0, 20]))
    wide = KINDS[kind].forward(Head(P, k, 0.1, 0.5), Persons(item, w, *slices))
    narrow_head = Head(P.astype(np.float32), k.astype(np.float32), 0.1, 0.5)
    narrow = KINDS[kind].forward(narrow_head, Persons(item, w.astype(np.float32), *slices))
    assert narrow.U.dtype == narrow.S.dtype == np.float32
    assert_within(narrow.U, wide.U, 1e-5, 1e-5)
    R = rng.normal(size=wide.U.shape)
    g = KINDS[kind].backward(R, wide, Head(P, k, 0.1, 0.5), Persons(item, w, *slices))
    near = KINDS[kind].backward(R.astype(np.float32), narrow, narrow_head, Persons(item, w.astype(np.float32), *slices))
    for got, want in zip(near, g, strict=True):
        assert got.dtype == np.float32
        assert_within(got, want, 1e-4, 1e-4 * np.abs(want).max())


# --- by hand, and the edges -------------------------------------------------------------------------------------------


def one(n: int, w: float = 1.0) -> Persons:
    return Persons(np.zeros(n, np.int64), np.full(n, w), np.array([0]), np.array([n]), np.array([0]))


@every_kind
@pytest.mark.parametrize("n", [0, 1])
def test_nothing_to_pool_is_nothing(kind: str, n: int) -> None:
    head = Head(np.ones((1, 2)), np.zeros(1), 0.1, 0.5)
    pools = KINDS[kind].forward(head, one(n))
    assert pools.U.tolist() == [[0.0, 0.0]] * n
    g = KINDS[kind].backward(np.ones((n, 2)), pools, head, one(n))
    assert not g.dX.any()
    assert not g.de.any()
    assert g.drate.tolist() == [0.0]


def test_an_event_that_outweighs_all_others_takes_no_digit_from_them() -> None:
    """E = 1 beside e^-50: the sum of all less the newest would be 0 or rounding; what stands before it is not."""
    who = Persons(np.array([0, 1, 2]), np.ones(3), np.array([0]), np.array([3]), np.array([0]))
    head = Head(np.array([[3.0], [5.0], [7.0]]), np.zeros(3), 50.0, 1.0)
    U = pool_others(head, who).U
    assert_within(U[2], np.array([5.0]), 1e-15)  # the second event has all the weight that is left
    assert_within(U[:2, 0], np.array([7.0, 7.0]), 1e-15)


def test_a_loved_key_is_looked_at_more() -> None:
    who = Persons(np.array([0, 1, 2]), np.ones(3), np.array([0]), np.array([3]), np.array([0]))
    U = pool_before(Head(np.array([[0.0], [1.0], [9.0]]), np.array([0.0, np.log(3.0), 0.0]), 0.0, 1.0), who).U
    assert_within(U[:, 0], np.array([0.0, 0.0, 0.75]), 1e-15)


@every_kind
def test_nan_is_seen_and_keeps_to_its_person(kind: str) -> None:
    item = np.array([0, 1, 1, 1, 1, 1])
    who = Persons(item, np.ones(6), np.array([0, 3]), np.array([3, 6]), np.array([0, 3]))
    U = KINDS[kind].forward(Head(np.array([[np.nan], [1.0]]), np.zeros(2), 0.0, 1.0), who).U
    assert np.isnan(U[1:3]).all()
    assert np.isfinite(U[3:]).all()


@every_kind
def test_a_person_does_not_depend_on_the_company(kind: str) -> None:
    rng = np.random.default_rng(3)
    item, w = rng.integers(0, M, 50), rng.normal(size=50)
    head = Head(rng.normal(size=(M, D)), rng.normal(size=M), 0.1, 0.5)
    start, stop = np.array([0, 10, 30]), np.array([10, 30, 50])
    together = KINDS[kind].forward(head, Persons(item, w, start, stop, start)).U
    alone = KINDS[kind].forward(head, Persons(item, w, start[1:2], stop[1:2], np.array([0]))).U
    assert_bitwise(together[10:30], alone)
