"""Heads over targets: weights, scores and removals equal to scoring anew; what is masked might as well not be there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests import naive
from tests.checks import assert_bitwise, assert_within, least, unchanged, unit
from tests.strategies import GARBAGE, Field, Logits, betas, fields, logits, thetas
from xattn.kernels import softmax
from xattn.kernels.fields import add_field_scores, add_field_without_each, field_weights, field_weights_of_many

U = unit(np.float64)


def scores(field: Field, beta: float, theta: float) -> np.ndarray:
    out = np.zeros(field.X.shape[0])
    add_field_scores(out, field.E, field.X, field.live, beta, theta)
    return out


def without_each(field: Field, beta: float, theta: float) -> np.ndarray:
    out = np.zeros(field.X.shape)
    add_field_without_each(out, field.E, field.X, field.live, beta, theta)
    return out


def masked(field: Field, *positions: int) -> Field:
    return field._replace(live=field.live & ~np.isin(np.arange(field.live.size), positions))


def room(field: Field, beta: float) -> np.ndarray:
    """(3n + 16)u Σ a|X| (J,): two sums of n terms, a sum of n in a power of at most 1, and a few operations a term."""
    return (3 * field.live.size + 16) * U * naive.field_scores(field.E, np.abs(field.X), field.live, beta, 0.0)


# --- the obvious version ----------------------------------------------------------------------------------------------


@given(fields(), betas, thetas)
def test_weights_and_scores_equal_the_obvious_version(field: Field, beta: float, theta: float) -> None:
    E, X, live = field
    with unchanged(*field):
        a, s = field_weights(E, live, beta, theta), scores(field, beta, theta)
    assert_within(a, naive.field_weights(E, live, beta, theta), 8 * U)  # the sums run in one order: a power is left
    assert_within(s, naive.field_scores(E, X, live, beta, theta), absolute=room(field, beta))


@given(fields(), betas, thetas)
def test_removals_equal_the_obvious_version(field: Field, beta: float, theta: float) -> None:
    with unchanged(*field):
        got = without_each(field, beta, theta)
    want = naive.field_without_each(*field, beta, theta)
    for r in range(field.live.size):
        assert_within(got[:, r], want[:, r], absolute=room(masked(field, r), beta))


@given(logits(size=80.0), betas)
def test_weights_are_those_of_the_softmax_with_the_maximum_of_all(case: Logits, beta: float) -> None:
    """Another kernel, from the logits themselves: m stays that of the full history. (Δ + n + 8)u, Δ ≤ 160, twice."""
    e = case.e
    m = e.max(axis=1, initial=-np.inf)
    for r in range(e.shape[0]):
        got = field_weights(np.exp(e[r : r + 1] - m[r]), case.mask[r], beta, 0.0)
        want = softmax.weights(e[r : r + 1], case.mask[r : r + 1], 1.0, beta, 0.0, m[r : r + 1])
        assert_within(got, want, 2 * (160 + e.shape[1] + 8) * U, least(np.float64))


# --- what must always hold --------------------------------------------------------------------------------------------


@given(fields(), betas, thetas)
def test_removal_announced_is_the_score_served(field: Field, beta: float, theta: float) -> None:
    """Bit for bit with a threshold, where all is summed anew; within the rounding of a sum cut in two without one."""
    announced = without_each(field, beta, theta)
    for r in range(field.live.size):
        rest = masked(field, r)
        served = scores(rest, beta, theta)
        if theta > 0:
            assert_bitwise(announced[:, r].copy(), served)
        assert_within(announced[:, r], served, absolute=room(rest, beta))


@given(fields(), betas, thetas, st.data())
def test_removal_of_a_set_is_one_after_the_other(field: Field, beta: float, theta: float, data: st.DataObject) -> None:
    """Whichever event of a set is taken last, the score is that of the history without the set."""
    if not field.live.size:
        return
    lost = data.draw(st.sets(st.integers(0, field.live.size - 1), min_size=1))
    rest = masked(field, *lost)
    served = scores(rest, beta, theta)
    for last in lost:
        announced = without_each(masked(field, *(lost - {last})), beta, theta)[:, last]
        assert_within(announced, served, absolute=room(rest, beta))


@given(fields(), betas, thetas, st.data())
def test_masking_is_leaving_out(field: Field, beta: float, theta: float, data: st.DataObject) -> None:
    """P5, bit for bit: whatever stands in the masked places, and when they are not there at all."""
    E, X, live = field
    junk = data.draw(hnp.arrays(np.float64, X.shape, elements=st.sampled_from(GARBAGE)))
    dirty = Field(np.where(live, E, junk[: E.shape[0]]), np.where(live, X, junk), live)
    alone = Field(E[:, live].copy(), X[:, live].copy(), live[live])
    a = field_weights(dirty.E, live, beta, theta)
    assert not a[:, ~live].any()
    assert_bitwise(a[:, live].copy(), field_weights(alone.E, alone.live, beta, theta))
    assert_bitwise(scores(dirty, beta, theta), scores(alone, beta, theta))
    each = without_each(dirty, beta, theta)
    assert_bitwise(each[:, live].copy(), without_each(alone, beta, theta))
    for r in np.flatnonzero(~live):  # masking what is masked changes nothing
        assert_within(each[:, r], scores(field, beta, theta), absolute=room(field, beta))


@given(fields(), betas, thetas)
def test_batch_is_a_loop_and_a_shared_row_is_one_for_each(field: Field, beta: float, theta: float) -> None:
    """P21."""
    E = np.repeat(field.E, field.X.shape[0] // field.E.shape[0], axis=0)
    s, each = scores(field, beta, theta), without_each(field, beta, theta)
    for j in range(field.X.shape[0]):
        one = Field(E[j : j + 1], field.X[j : j + 1], field.live)
        assert_bitwise(scores(one, beta, theta), s[j : j + 1])
        assert_bitwise(without_each(one, beta, theta), each[j : j + 1])


@given(fields(), betas, thetas, st.data())
def test_histories_end_to_end_are_weighed_one_by_one(
    field: Field, beta: float, theta: float, data: st.DataObject
) -> None:
    """P21 and P22, bit for bit: a history's weights do not see those that stand beside it."""
    n = field.live.size
    cut = data.draw(st.integers(0, n))
    ptr = np.array([0, cut, cut, n])
    with unchanged(field.E, field.live, ptr):
        got = field_weights_of_many(field.E, field.live, ptr, beta, theta)
    for own in (slice(0, cut), slice(cut, n)):
        alone = field_weights(field.E[:, own].copy(), field.live[own].copy(), beta, theta)
        assert_bitwise(got[:, own].copy(), alone)


@given(fields(), betas, thetas, st.randoms(use_true_random=False))
def test_order_does_not_matter(field: Field, beta: float, theta: float, random: st.DataObject) -> None:
    """P3, once the ages are in E."""
    order = list(range(field.live.size))
    random.shuffle(order)
    moved = Field(field.E[:, order].copy(), field.X[:, order].copy(), field.live[order])
    near = np.abs(field_weights(field.E, field.live, beta, 0.0) - theta) < 1e-12
    if theta == 0 or not near.any():  # on the threshold itself the last bit decides
        assert_within(scores(moved, beta, theta), scores(field, beta, theta), absolute=2 * room(field, beta))


@given(fields(), betas, thetas)
def test_scores_are_added_to_what_is_there(field: Field, beta: float, theta: float) -> None:
    """Heads add up in one array; a target's row of the fields is the weights times X."""
    base = np.arange(1.0, field.X.shape[0] + 1)
    out, each = base.copy(), np.repeat(base[:, None], field.live.size, axis=1)
    add_field_scores(out, *field, beta, theta)
    add_field_without_each(each, *field, beta, theta)
    assert_bitwise(out, base + scores(field, beta, theta))
    assert_bitwise(each, base[:, None] + without_each(field, beta, theta))
    a = field_weights(field.E, field.live, beta, theta)
    assert_within((a * field.X).sum(axis=1), scores(field, beta, theta), absolute=room(field, beta))  # P11


@given(fields())
def test_weights_are_shares_when_beta_is_1(field: Field) -> None:
    """P1: they sum to 1 unless nothing is left, and any β gives them the same order."""
    a = field_weights(field.E, field.live, 1.0, 0.0)
    some = (field.E * field.live).any(axis=1)
    assert_within(a.sum(axis=1), some.astype(float), (2 * field.live.size + 2) * U)
    assert (a >= 0).all()


# --- answers known by hand, edges -------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [1.0, 0.5])
def test_a_weight_next_to_1_leaves_the_others_their_digits(beta: float) -> None:
    """P12: with a gap of 46 the small events are 1e-20 of the sum; total − part would leave nothing of them."""
    field = Field(np.array([[1.0, 1e-20, 3e-20]]), np.array([[1e6, 2.0, -5.0]]), np.ones(3, bool))
    want = (1e-20 * 2.0 - 3e-20 * 5.0) / 4e-20**beta
    assert_within(without_each(field, beta, 0.0)[0, 0], np.array(want), 16 * U)
    assert_within(without_each(field, beta, 1e-30)[0, 0], np.array(want), 16 * U)


def test_one_event_and_none() -> None:
    one = Field(np.array([[0.25]]), np.array([[8.0]]), np.ones(1, bool))
    assert [scores(one, beta, 0.0)[0] for beta in (0.0, 0.5, 1.0)] == [2.0, 4.0, 8.0]
    assert without_each(one, 0.5, 0.0).tolist() == without_each(one, 0.5, 0.1).tolist() == [[0.0]]
    none = Field(np.empty((1, 0)), np.empty((2, 0)), np.empty(0, bool))
    assert scores(none, 0.5, 0.0).tolist() == [0.0, 0.0]
    assert without_each(none, 0.5, 0.1).shape == (2, 0)
    assert field_weights(none.E, none.live, 0.5, 0.0).shape == (1, 0)
    nobody = Field(np.ones((2, 3)), np.ones((0, 3)), np.ones(3, bool))
    assert scores(nobody, 0.5, 0.0).shape == (0,)


def test_threshold_counts_the_weight_on_it_and_does_not_scale() -> None:
    field = Field(np.array([[1.0, 1.0, 2.0]]), np.array([[1.0, 10.0, 100.0]]), np.ones(3, bool))
    assert field_weights(field.E, field.live, 1.0, 0.25).tolist() == [[0.25, 0.25, 0.5]]
    assert field_weights(field.E, field.live, 1.0, 0.26).tolist() == [[0.0, 0.0, 0.5]]
    assert [scores(field, 1.0, theta)[0] for theta in (0.25, 0.26)] == [52.75, 50.0]
    assert without_each(field, 1.0, 0.5).tolist() == [[200 / 3, 200 / 3, 5.5]]  # without it, others get there


@pytest.mark.parametrize("theta", [0.0, 0.1])
def test_nothing_left_to_look_at(theta: float) -> None:
    """All live events underflowed under the maximum of the full history: the head says nothing, and not NaN."""
    field = Field(np.array([[1.0, 0.0]]), np.array([[1.0, 7.0]]), np.array([False, True]))
    for beta in (0.0, 0.5, 1.0):
        assert scores(field, beta, theta).tolist() == [0.0]
        assert not without_each(field, beta, theta).any()
        assert not field_weights(field.E, field.live, beta, theta).any()


@pytest.mark.parametrize("theta", [0.0, 0.1])
def test_nan_in_a_live_event_is_seen(theta: float) -> None:
    for E, X in (([np.nan, 1.0], [1.0, 1.0]), ([1.0, 1.0], [np.nan, 1.0])):
        field = Field(np.array([E]), np.array([X]), np.ones(2, bool))
        assert np.isnan(scores(field, 0.5, theta)).all()
        each = without_each(field, 0.5, theta)[0]
        assert np.isnan(each[1])
        assert not np.isnan(each[0])  # without the one that is NaN
