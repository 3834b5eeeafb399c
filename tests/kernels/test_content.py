"""Target attention over sparse features: equal to the dense obvious version; scores are those of the field."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged, unit
from tests.strategies import ROWS, WIDTH, betas, tables, temperatures, thetas
from xattn.kernels.content import content_field, content_scores
from xattn.kernels.fields import add_field_scores

U = unit(np.float64)
D = 4


class Content(NamedTuple):
    """J targets and n events over D features, dense; lengths, worths, gates, and the events' ages over τ."""

    F: np.ndarray  # (J, D)
    norm: np.ndarray  # (J,)
    theta: np.ndarray  # (D,)
    gate: np.ndarray  # (J,)
    unit: np.ndarray  # (D, n), columns of length 1 or 0
    events: np.ndarray  # (D, n)
    g: np.ndarray  # (n,)

    @property
    def args(self) -> tuple[object, ...]:
        """As the kernels want them: the targets as sparse rows."""
        ptr = np.concatenate([[0], np.cumsum((self.F != 0).sum(axis=1))])
        rows = (ptr, np.nonzero(self.F)[1], self.F[self.F != 0], self.norm)
        return rows, self.theta, self.gate, self.unit, self.events, self.g


def lengths(F: np.ndarray) -> np.ndarray:
    length = np.sqrt((F**2).sum(axis=1))
    return np.where(length > 0, length, 1.0)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """Features in steps of 1/8, many of them 0, whole rows too; signed strengths, ages that fall to 0."""
    J, n = draw(st.integers(1, ROWS)), draw(st.integers(0, WIDTH))
    steps = st.sampled_from((0.0, 0.0, 1.0, 0.5, -0.25, 2.0))
    F, own = (draw(hnp.arrays(np.float64, (rows, D), elements=steps)) for rows in (J, n))
    w = draw(hnp.arrays(np.float64, n, elements=st.sampled_from((1.0, -1.0, 0.3, 0.0))))
    theta, gate = np.round(draw(tables(1, D)), 2)[0], np.abs(np.round(draw(tables(1, J)), 2)[0])
    g = np.arange(n)[::-1] / draw(st.sampled_from((0.5, 5.0, 1e9)))
    as_columns = (np.ascontiguousarray(x.T) for x in (own / lengths(own)[:, None], own * w[:, None]))
    return Content(F, lengths(F), theta, gate, *as_columns, g)


# --- the obvious version ----------------------------------------------------------------------------------------------


@given(contents(), temperatures)
def test_field_equals_the_dense_version(case: Content, T: float) -> None:
    """E: a logit errs by (D + 4)u/T and by u of its age, g ≤ 16, and so does m; X: sums of D products."""
    with unchanged(*case):
        E, X = content_field(*case.args, T)
    want_E, want_X = naive.content_field(*case, T)
    assert_within(E, want_E, 4 * ((D + 4) / min(T, 1.0) + 17) * U)
    size = naive.content_field(*(np.abs(x) for x in case), T)[1]
    assert_within(X, want_X, absolute=2 * (D + 3) * U * size)


@given(contents(), temperatures, betas, thetas, st.data())
def test_scores_are_those_of_the_field(case: Content, T: float, beta: float, theta: float, data: st.DataObject) -> None:
    """Bit for bit, whatever is masked: what the ledger splits is what was served (+ 0: −0 is 0)."""
    live = data.draw(hnp.arrays(np.bool_, case.g.size))
    with unchanged(*case, live):
        served = content_scores(*case.args, T, live, beta, theta)
    from_field = np.zeros(case.gate.size)
    add_field_scores(from_field, *content_field(*case.args, T), live, beta, theta)
    assert_bitwise(served + 0.0, from_field + 0.0)


@given(contents(), temperatures, betas, st.data())
def test_scores_equal_the_dense_version(case: Content, T: float, beta: float, data: st.DataObject) -> None:
    """The error of a logit goes into the weight once, into the sum again: twice that of E, and n roundings more."""
    live = data.draw(hnp.arrays(np.bool_, case.g.size))
    got = content_scores(*case.args, T, live, beta, 0.0)
    E, X = naive.content_field(*case, T)
    size = naive.field_scores(E, naive.content_field(*(np.abs(x) for x in case), T)[1], live, beta, 0.0)
    relative = (8 * ((D + 4) / min(T, 1.0) + 17) + 4 * WIDTH) * U
    assert_within(got, naive.field_scores(E, X, live, beta, 0.0), absolute=relative * size)


# --- what must always hold --------------------------------------------------------------------------------------------


@given(contents(), temperatures, st.data())
def test_softmax_does_not_see_the_masked(case: Content, T: float, data: st.DataObject) -> None:
    """β = 1: as if they had never been (the shift cancels). For β < 1 the maximum stays that of all the events."""
    live = data.draw(hnp.arrays(np.bool_, case.g.size))
    rest = case._replace(unit=case.unit[:, live].copy(), events=case.events[:, live].copy(), g=case.g[live].copy())
    size = np.abs(case.theta).sum() * 8 * case.gate
    got = content_scores(*case.args, T, live, 1.0, 0.0)
    alone = content_scores(*rest.args, T, live[live], 1.0, 0.0)
    assert_within(got, alone, absolute=(8 * ((D + 4) / min(T, 1.0) + 17) + 4 * WIDTH) * U * size)


@given(contents(), temperatures, betas, thetas)
def test_batch_is_a_loop(case: Content, T: float, beta: float, theta: float) -> None:
    """P21: the whole catalogue or one target, to the bit."""
    live = np.ones(case.g.size, bool)
    served = content_scores(*case.args, T, live, beta, theta)
    E, X = content_field(*case.args, T)
    for j in range(case.gate.size):
        one = slice(j, j + 1)
        alone = case._replace(F=case.F[one], norm=case.norm[one], gate=case.gate[one])
        assert_bitwise(content_scores(*alone.args, T, live, beta, theta), served[one])
        for got, want in zip(content_field(*alone.args, T), (E, X), strict=True):
            assert_bitwise(got, want[one])


@given(contents(), temperatures)
def test_features_add_up(case: Content, T: float) -> None:
    """X is a sum over features: one worth at a time, the pieces are those of the event × feature map."""
    E, X = content_field(*case.args, T)
    pieces = np.zeros(X.shape)
    for f in range(D):
        only = case._replace(theta=np.where(np.arange(D) == f, case.theta, 0.0))
        same, piece = content_field(*only.args, T)
        assert_bitwise(same, E)  # attention is by likeness, not by worth
        pieces += piece
    size = naive.content_field(*(np.abs(x) for x in case), T)[1]
    assert_within(pieces, X, absolute=2 * (D + 3) * U * size)


# --- answers known by hand, edges -------------------------------------------------------------------------------------


def two_events(F: list[float], T: float, g: tuple[float, float] = (0.0, 0.0)) -> tuple[np.ndarray, np.ndarray]:
    """One target over two features, events that have one of them each; worth and gate 1."""
    row = np.array([F])
    case = Content(row, lengths(row), np.ones(2), np.ones(1), np.eye(2), np.eye(2), np.array(g))
    return content_field(*case.args, T)


def test_by_hand() -> None:
    E, X = two_events([3.0, 4.0], T=0.5)
    assert_within(E[0], np.array([np.exp((0.6 - 0.8) / 0.5), 1.0]), 8 * U)
    assert X.tolist() == [[3.0, 4.0]]
    E, _ = two_events([3.0, 4.0], T=0.5, g=(0.0, 1.0))  # the older event is more alike, but older
    assert_within(E[0], np.array([1.0, np.exp(0.4 - 1.0)]), 8 * U)


def test_threshold_counts_the_weight_on_it() -> None:
    row = np.array([[1.0, 1.0]])
    case = Content(row, lengths(row), np.array([2.0, 6.0]), np.ones(1), np.eye(2), np.eye(2), np.zeros(2))
    live = np.ones(2, bool)
    assert [content_scores(*case.args, 1.0, live, 1.0, theta)[0] for theta in (0.5, 0.51)] == [4.0, 0.0]


def test_a_target_without_features_sees_age_alone_and_gains_nothing() -> None:
    E, X = two_events([0.0, 0.0], T=0.5, g=(2.0, 0.0))
    assert_within(E[0], np.array([np.exp(-2.0), 1.0]), 4 * U)
    assert not X.any()


@pytest.mark.parametrize("T", [5e-324, 1e-308, 1e-300])
def test_smallest_temperatures_leave_the_most_alike(T: float) -> None:
    """cos/T would overflow, and inf − inf is NaN: then nothing would be seen at all."""
    assert two_events([3.0, 4.0], T)[0].tolist() == [[0.0, 1.0]]
    assert two_events([3.0, -4.0], T)[0].tolist() == [[1.0, 0.0]]
    assert two_events([1.0, 1.0], T)[0].tolist() == [[1.0, 1.0]]


def test_largest_temperature_leaves_age_alone() -> None:
    E, _ = two_events([3.0, 4.0], T=1e308, g=(1.0, 0.0))
    assert_within(E[0], np.array([np.exp(-1.0), 1.0]), 4 * U)


def test_nothing_to_see() -> None:
    row = np.array([[1.0, 0.0]])
    empty = Content(row, lengths(row), np.ones(2), np.ones(1), np.empty((2, 0)), np.empty((2, 0)), np.empty(0))
    assert content_field(*empty.args, 1.0)[0].shape == (1, 0)
    assert content_scores(*empty.args, 1.0, np.empty(0, bool), 0.5, 0.0).tolist() == [0.0]
    nobody = empty._replace(F=np.empty((0, 2)), norm=np.empty(0), gate=np.empty(0))
    assert content_scores(*nobody.args, 1.0, np.empty(0, bool), 0.5, 0.0).shape == (0,)
    case = Content(row, lengths(row), np.ones(2), np.ones(1), np.eye(2), np.eye(2), np.zeros(2))
    assert content_scores(*case.args, 1.0, np.zeros(2, bool), 0.5, 0.0).tolist() == [0.0]


def test_nan_is_seen() -> None:
    row = np.array([[1.0, 0.0]])
    unit_events = np.array([[np.nan, 1.0], [0.0, 0.0]])
    case = Content(row, lengths(row), np.ones(2), np.ones(1), unit_events, np.eye(2), np.zeros(2))
    for theta in (0.0, 0.1):
        assert np.isnan(content_scores(*case.args, 1.0, np.ones(2, bool), 1.0, theta)).all()
