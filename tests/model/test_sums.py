"""Sums that are kept: after an exchange they are those of the new histories, whoever changed and whatever is warm."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.checks import assert_within
from xattn.kernels import gram
from xattn.model.fit.sums import Histories, Sums, exchanged, sums_of

ITEMS = 5
strengths = st.sampled_from((-1.0, 0.25, 1.0))
events = st.lists(st.tuples(st.integers(0, ITEMS - 1), strengths), max_size=6)
Events = list[list[tuple[int, float]]]


def histories(users: Events, H: int) -> Histories:
    flat = [event for user in users for event in user]
    w = np.array([w for _, w in flat])
    item = np.array([item for item, _ in flat], dtype=int)
    return Histories(np.cumsum([0, *map(len, users)]), item, np.tile(w, (H, 1)), np.maximum(w, 0.0))


@st.composite
def growths(draw: st.DrawFn) -> tuple[Events, Events, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Old histories, the same with events put in anywhere and perhaps more users; warm items before and after."""
    old = draw(st.lists(events, max_size=4))
    new = []
    for user in old:
        grown = list(user)
        for event in draw(st.lists(st.tuples(st.integers(0, ITEMS - 1), strengths), max_size=2)):
            grown.insert(draw(st.integers(0, len(grown))), event)
        new.append(grown)
    new += draw(st.lists(events, max_size=2))
    warm = [np.array(sorted(draw(st.sets(st.integers(0, ITEMS - 1)))), dtype=int) for _ in range(2)]
    H = draw(st.integers(1, 2))
    return old, new, warm[0], warm[1], np.array([1.0, 7.0])[:H], np.array([0.35, 1.0])[:H]


def assert_same(got: Sums, want: Sums) -> None:
    assert got.warm.tolist() == want.warm.tolist()
    for one, other in zip(got[1:], want[1:], strict=True):
        assert one.dtype == np.float64
        assert_within(one, other, absolute=1e-12)  # sums of some 40 terms of size ≤ 6


@given(growths())
def test_an_exchange_is_the_sum_over_what_is_there_now(
    case: tuple[Events, Events, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    old, new, before, after, tau, beta = case
    parts = histories(old, len(tau)), histories(new, len(tau))
    sums = sums_of(parts[0], before, ITEMS, tau, beta)
    assert_same(exchanged(sums, *parts, after, ITEMS, tau, beta), sums_of(parts[1], after, ITEMS, tau, beta))


@given(growths())
def test_sums_are_those_of_the_kernels(
    case: tuple[Events, Events, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    _, users, _, warm, tau, beta = case
    h, rho = histories(users, len(tau)), np.exp(-1.0 / tau)
    row_of_item = np.full(ITEMS, -1)
    row_of_item[warm] = np.arange(len(warm))
    occ = gram.occurrences(h.indptr, h.item, row_of_item, len(warm))
    c = gram.normalisers(h.indptr, rho, beta)
    A = gram.accumulate_gram(occ, h.w, rho, gram.tails(h.indptr, rho, c), np.float64)
    B, z = gram.accumulate_targets(occ, occ.row, len(warm), h.w, rho, c, np.float64, h.worth)
    assert_same(sums_of(h, warm, ITEMS, tau, beta), Sums(warm, A, B, z))


def test_only_users_with_something_new_are_gone_over(monkeypatch: object) -> None:
    """Users 0 and 2 stay as they are; 1 grows, 3 is new."""
    from xattn.model.fit import sums as home

    seen: list[int] = []
    plain = home.pooled_by_events

    def spy(indptr: np.ndarray, tau: np.ndarray, beta: np.ndarray) -> object:
        seen.append(int(indptr[-1]))
        return plain(indptr, tau, beta)

    monkeypatch.setattr(home, "pooled_by_events", spy)  # type: ignore[attr-defined]
    old: Events = [[(0, 1.0)] * 50, [(1, 1.0)], [(2, 1.0)] * 50]
    new: Events = [old[0], [(1, 1.0), (0, 1.0)], old[2], [(3, 1.0)]]
    tau, beta, warm = np.array([3.0]), np.array([0.5]), np.arange(3)
    first = sums_of(histories(old, 1), warm, ITEMS, tau, beta)
    seen.clear()
    exchanged(first, histories(old, 1), histories(new, 1), warm, ITEMS, tau, beta)
    assert seen == [1 + 2 + 1]
