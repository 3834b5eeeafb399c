"""Heads that forget by time: sums of a fit are those of prefixes pooled anew, each asked when its next event came."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from tests.checks import assert_within
from xattn.data import History
from xattn.model.fit.closed_form import fit_closed_form
from xattn.model.fit.local_form import fit_local_form
from xattn.model.fit.pair_sums import pair_sums_of
from xattn.model.fit.pooling import Pooled, pace_of, pauses_of, pooled_by_events, pooled_by_memory
from xattn.model.fit.sums import Histories, exchanged, lessened, sums_of
from xattn.model.memory import Memory
from xattn.model.value_table import ClosedForm, SparseForm

ITEMS, DAY = 5, 86_400.0
MEMORIES = (Memory(3.0), Memory(1.0, 1.0), Memory(5.0, 1.0, 0.25), Memory(0.5, 1.0, 0.1), Memory(20.0))
BASE = np.array([0.3, 0.1, 0.2, 0.25, 0.15])


class Told(NamedTuple):
    """Histories with moments in days, the heads, and how pairs forget."""

    indptr: np.ndarray
    item: np.ndarray
    days: np.ndarray
    w: np.ndarray
    memories: tuple[Memory, ...]
    beta: np.ndarray
    forget: Memory | None
    warm: np.ndarray

    @property
    def pooled(self) -> Pooled:
        pause = pauses_of(self.indptr, self.days * DAY)
        return pooled_by_memory(self.indptr, pause, self.memories, self.beta, self.forget)

    @property
    def histories(self) -> Histories:
        return Histories(self.indptr, self.item, self.w, np.maximum(self.w[0], 0.0), self.pooled)

    @property
    def tau(self) -> np.ndarray:
        return np.array([memory.tau for memory in self.memories])

    def stacked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A, B and z from every prefix, each pooled anew as a list that is asked when the next event comes."""
        H, C = len(self.memories), len(self.warm)
        row = np.full(ITEMS, -1)
        row[self.warm] = np.arange(C)
        A, B, z = np.zeros((H * C, H * C)), np.zeros((H * C, C)), np.zeros(H * C)
        for start, stop in pairwise(self.indptr):
            for t in range(start + 1, stop):
                past = slice(start, t)
                age, elapsed = np.arange(t - start)[::-1], self.days[t] - self.days[past]
                history = History(self.item[past], None, age, np.ones(t - start, bool), elapsed=elapsed)
                Z = np.zeros((H, C))
                for h, memory in enumerate(self.memories):
                    E = naive.exponentials(memory, history)
                    a = E / E.sum() ** self.beta[h]
                    for i, x in enumerate(history.item):
                        if row[x] >= 0:
                            Z[h, row[x]] += self.w[h, start + i] * a[i]
                pause, omega = self.days[t] - self.days[t - 1], 1.0
                if self.forget is not None:
                    omega = max(self.forget.floor, np.exp(-pause / self.forget.tau))
                A += omega * np.outer(Z, Z)
                z += omega * Z.ravel()
                if row[self.item[t]] >= 0:
                    B[:, row[self.item[t]]] += omega * max(self.w[0, t], 0.0) * Z.ravel()
        return A, B, z


@st.composite
def told(draw: st.DrawFn, users: int = 4) -> Told:
    """Up to 4 users with up to 7 events, some at one moment, some after a long pause."""
    step = st.tuples(st.integers(0, ITEMS - 1), st.sampled_from((0.0, 0.0, 0.1, 2.0, 30.0)))
    own = draw(st.lists(st.lists(step, max_size=7), max_size=users))
    flat = [one for user in own for one in user]
    days = np.concatenate([np.empty(0), *(np.cumsum([pause for _, pause in user]) for user in own)])
    memories = tuple(draw(st.lists(st.sampled_from(MEMORIES), min_size=1, max_size=3)))
    H, N = len(memories), len(flat)
    w = np.tile(draw(st.lists(st.sampled_from((1.0, 0.5, -0.3)), min_size=N, max_size=N)), (H, 1)).reshape(H, N)
    beta = np.array([0.35, 1.0, 0.0])[:H]
    forget = draw(st.sampled_from((None, Memory(2.0, 1.0, 0.2), Memory(0.5, 1.0))))
    warm = np.array(sorted(draw(st.sets(st.integers(0, ITEMS - 1)))), dtype=int)
    item = np.array([item for item, _ in flat], dtype=int)
    return Told(np.cumsum([0, *map(len, own)]), item, days, w, memories, beta, forget, warm)


def upper(A: np.ndarray, H: int) -> np.ndarray:
    block = np.arange(len(A)) // max(len(A) // H, 1)
    return np.where(block[:, None] <= block, A, 0.0)


@given(told())
def test_sums_are_those_of_prefixes_asked_when_the_next_event_came(case: Told) -> None:
    A, B, z = case.stacked()
    got = sums_of(case.histories, case.warm, ITEMS, case.tau, case.beta)
    assert_within(got.A, upper(A, len(case.tau)), absolute=1e-11)
    assert_within(got.B, B, absolute=1e-11)
    assert_within(got.z, z, absolute=1e-11)


@given(told())
def test_sparse_sums_are_the_same(case: Told) -> None:
    want = sums_of(case.histories, case.warm, ITEMS, case.tau, case.beta)
    got = pair_sums_of(case.histories, case.warm, ITEMS, case.tau, case.beta)
    assert_within(got.A.toarray(), want.A, absolute=1e-11)
    assert_within(got.B.toarray().T, want.B, absolute=1e-11)
    assert_within(got.z, want.z, absolute=1e-11)


@given(told())
def test_values_are_those_of_the_sums_whole_or_sparse(case: Told) -> None:
    problem = (case.indptr, case.item, case.w, BASE, case.warm)
    options = {"tau": case.tau, "beta": case.beta, "lam": 2.0, "dtype": np.float64, "pooled": case.pooled}
    worth = np.maximum(case.w[0], 0.0)
    form = fit_closed_form(*problem, worth=worth, **options)  # type: ignore[arg-type]
    assert isinstance(form, ClosedForm)
    A, B, z = case.stacked()
    A[np.diag_indices_from(A)] += 2.0
    want = np.linalg.solve(A, B - np.outer(z, BASE[case.warm])) if len(A) else B
    assert_within(form.V.reshape(want.shape), want, absolute=1e-9)
    n = max(len(A), 1)
    local = fit_local_form(*problem, worth=worth, n_neighbors=n, **options)  # type: ignore[arg-type]
    assert isinstance(local, SparseForm)
    column = np.arange(len(case.warm))
    for h in range(len(case.tau)):
        assert_within(local.values(h, column, column).T, form.V[h], absolute=1e-9)


@given(told(), st.integers(0, 4))
def test_who_comes_and_goes_leaves_the_sums_of_the_others(case: Told, cut: int) -> None:
    U = len(case.indptr) - 1
    whole, keep = case.histories, np.arange(min(cut, U))
    some, rest = whole.of(keep), whole.of(np.arange(len(keep), U))
    want = sums_of(whole, case.warm, ITEMS, case.tau, case.beta)
    got = exchanged(
        sums_of(some, case.warm, ITEMS, case.tau, case.beta), some, whole, case.warm, ITEMS, case.tau, case.beta
    )
    for one, other in zip(got[1:], want[1:], strict=True):
        assert_within(one, other, absolute=1e-11)
    less = lessened(got, rest, case.warm, ITEMS, case.tau, case.beta)
    for one, other in zip(less[1:], sums_of(some, case.warm, ITEMS, case.tau, case.beta)[1:], strict=True):
        assert_within(one, other, absolute=1e-10)


@given(told())
def test_by_events_alone_both_ways_of_pooling_are_one(case: Told) -> None:
    """To the bit: the sums of those who forget by events do not change where others forget by time."""
    memories = tuple(Memory(memory.tau) for memory in case.memories)
    one = pooled_by_memory(case.indptr, np.zeros(len(case.item)), memories, case.beta)
    other = pooled_by_events(case.indptr, case.tau, case.beta)
    np.testing.assert_array_equal(one.rho, other.rho)
    assert_within(one.c, other.c, 1e-14)
    assert one.head.tolist() == other.head.tolist()


def test_the_pace_is_the_mean_pause() -> None:
    indptr = np.array([0, 3, 3, 5])
    time = np.array([0.0, 1.0, 4.0, 9.0, 11.0]) * DAY
    assert pauses_of(indptr, time).tolist() == [0.0, 1.0, 3.0, 0.0, 2.0]
    assert pace_of(indptr, time) == 2.0
    assert pace_of(indptr, None) == pace_of(np.array([0, 1, 2]), time[:2]) == 1.0
