"""Attention weights: equal to the obvious version, what must always hold, the answers known by hand, the edges."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests import naive
from tests.checks import assert_bitwise, assert_within, least, unchanged, unit, weight_bound
from tests.strategies import Logits, betas, garbage, logits, tables, temperatures
from xattn.kernels.softmax import weights, weights_backward, weights_ragged, weights_ragged_backward

U = unit(np.float64)
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def row(*e: float, dtype: type = np.float64) -> np.ndarray:
    return np.array([e], dtype=dtype)


# --- the obvious version ----------------------------------------------------------------------------------------------


@given(logits(), temperatures, betas)
def test_equals_the_obvious_version(case: Logits, T: float, beta: float) -> None:
    """Twice the bound of one softmax (both sides round), and a power more."""
    bound = 4 * weight_bound(case.e, case.mask, T)
    assert_within(weights(case.e, case.mask, T, beta), naive.weights(case.e, case.mask, T, beta), bound, least("f8"))


@given(logits(size=80.0, dtype=np.float32), temperatures, betas)
def test_float32_is_the_float64_answer_within_two_ulp(case: Logits, T: float, beta: float) -> None:
    """P17."""
    got = weights(case.e, case.mask, T, beta)
    assert got.dtype == np.float32
    want = weights(case.e.astype(np.float64), case.mask, T, beta)
    assert_within(got, want, 4 * unit(np.float32), 2 * least(np.float32))


@pytest.mark.parametrize("T", [1.0, 1.7])
def test_float32_of_any_digits(T: float) -> None:
    """P17 for logits that fill their 24 bits (Hypothesis likes short ones): e − m then needs float64."""
    e = np.random.default_rng(2).uniform(-80, 80, (50, 30)).astype(np.float32)
    assert_within(weights(e, None, T), weights(e.astype(np.float64), None, T), 4 * unit(np.float32), 2 * least("f4"))


def test_fifty_digits() -> None:
    """Componentwise bound against decimal arithmetic, over a long row and a wide range."""
    getcontext().prec = 50
    e = np.random.default_rng(1).uniform(-300, 300, (1, 200)) + 2.0**20
    z = [(Decimal(x) - Decimal(e.max())).exp() for x in e[0].tolist()]
    exact = np.array([float(x / sum(z)) for x in z])
    assert_within(weights(e)[0], exact, weight_bound(e)[0] + U)


# --- what must always hold --------------------------------------------------------------------------------------------


@given(logits(size=5000.0))
def test_weights_are_shares(case: Logits) -> None:
    """P1."""
    a = weights(case.e, case.mask)
    assert (a >= 0).all()
    for r in range(a.shape[0]):
        n = int(case.mask[r].sum())
        assert_within(math.fsum(a[r]), float(n > 0), (n + 2) * U)


@given(logits(), st.floats(-1e3, 1e3))
def test_shift_changes_nothing(case: Logits, c: float) -> None:
    """P2."""
    moved = case.e + c
    room = 2 * weight_bound(case.e, case.mask) + 2 * U * np.abs(moved).max(initial=0.0)
    assert_within(weights(moved, case.mask), weights(case.e, case.mask), room)


@FLOATS
@given(logits(), st.integers(-(2**14), 2**14), betas)
@example(Logits(np.array([[0.0, 1.0]]), np.array([[True, True]])), 1, 1.0)
@example(Logits(np.array([[7.0, 0.0, 1.0]]), np.array([[False, True, True]])), 1000, 1.0)
def test_exact_shift_changes_no_bit(dtype: type, case: Logits, c: int, beta: float) -> None:
    """P2 where every sum is exact; holds for each β, as the equation is in e − m."""
    e = (np.round(case.e * 8) / 8).astype(dtype)
    assert_bitwise(weights(e + dtype(c), case.mask, 1.0, beta), weights(e, case.mask, 1.0, beta))


@given(logits(), st.randoms(use_true_random=False))
def test_order_does_not_matter(case: Logits, random: st.DataObject) -> None:
    """P3."""
    order = list(range(case.e.shape[1]))
    random.shuffle(order)
    moved = weights(np.ascontiguousarray(case.e[:, order]), np.ascontiguousarray(case.mask[:, order]))
    assert_within(moved, weights(case.e, case.mask)[:, order], 2 * max(len(order), 1) * U)


@FLOATS
@given(data=st.data())
def test_higher_logits_weigh_more(dtype: type, data: st.DataObject) -> None:
    """P4: never less for more, equal for equal, to the last bit."""
    case = data.draw(logits(size=60.0, dtype=dtype, min_width=2))
    e = case.e.copy()
    e[:, -1] = e[:, 0]
    a = weights(e)
    assert_bitwise(a[:, -1], a[:, 0])
    for r in range(e.shape[0]):
        assert (np.diff(a[r][np.argsort(e[r], kind="stable")]) >= 0).all()


@FLOATS
@given(data=st.data(), T=temperatures, beta=betas)
def test_masking_is_deletion(dtype: type, data: st.DataObject, T: float, beta: float) -> None:
    """P5, and P22: bit for bit, whatever the masked places hold; −inf masks as well."""
    case = data.draw(logits(dtype=dtype))
    e = data.draw(garbage(case))
    a = weights(e, case.mask, T, beta)
    minus = weights(np.where(case.mask, case.e, -np.inf).astype(dtype), None, T, beta)
    assert_bitwise(a, minus)
    assert not a[~case.mask].any()
    kept = [case.e[r][case.mask[r]] for r in range(e.shape[0])]
    for r, x in enumerate(kept):
        assert_bitwise(a[r][case.mask[r]], weights(x[None], None, T, beta)[0])
    indptr = np.cumsum([0, *(x.size for x in kept)])
    assert_bitwise(weights_ragged(np.concatenate(kept), indptr, None, T, beta), a[case.mask])


@given(logits(min_width=1))
def test_temperature_flattens(case: Logits) -> None:
    """P6: the arg max alone for T → 0, uniform for T → ∞, entropy never falling between."""
    e = np.round(case.e)
    n = e.shape[1]
    top = e == e.max(axis=1, keepdims=True)
    assert_within(weights(e, None, 5e-324), top / top.sum(axis=1, keepdims=True), U)
    assert_within(weights(e, None, 1e308), np.full(e.shape, 1 / n), 1e-12 * n)
    entropies = []
    for T in (0.1, 0.5, 1.0, 3.0, 100.0):
        a = weights(e, None, T)
        entropies.append(-(a * np.log(np.where(a > 0, a, 1.0))).sum(axis=1))
    assert (np.diff(entropies, axis=0) >= -1e-12 * n).all()


@given(logits(), st.sampled_from((2.0**-6, 0.5, 4.0)), betas)
def test_temperature_divides_the_logits(case: Logits, T: float, beta: float) -> None:
    """P7, bitwise for powers of two (tiny logits left out: dividing subnormals loses bits)."""
    e = np.where(np.abs(case.e) < 1e-290, 0.0, case.e)
    assert_bitwise(weights(e, case.mask, T, beta), weights(e / T, case.mask, 1.0, beta))


@given(tables(1, 6))
def test_two_equal_events_weigh_like_one_higher_by_log_2(e: np.ndarray) -> None:
    """P13."""
    twice = weights(np.concatenate([e, e[:, :1]], axis=1))
    once = e.copy()
    once[0, 0] += math.log(2)
    delta = e.max() - e.min() + 1
    assert_within(twice[0, 0] + twice[0, -1], weights(once)[0, 0], 2 * (delta + 6 + 8) * U)


@given(logits(), temperatures, betas, st.sampled_from((0.02, 0.1, 0.3)))
def test_threshold_drops_and_does_not_scale(case: Logits, T: float, beta: float, theta: float) -> None:
    a = weights(case.e, case.mask, T, beta)
    assert_bitwise(weights(case.e, case.mask, T, beta, theta), np.where(a < theta, 0.0, a))


@given(logits(), temperatures)
def test_beta_lets_long_histories_weigh_more(case: Logits, T: float) -> None:
    """The weights are softmax times (Σ exp((e − m)/T))^(1 − β): β = 0 leaves exp((e − m)/T), the largest weighing 1."""
    plain, half, none = (weights(case.e, case.mask, T, beta) for beta in (1.0, 0.5, 0.0))
    for r in range(case.e.shape[0]):
        if case.mask[r].any():
            s = none[r].sum()
            assert none[r].max() == 1.0
            assert_within(half[r], plain[r] * math.sqrt(s), 64 * U, least("f8"))
            assert_within(none[r], plain[r] * s, 64 * U, least("f8"))


@given(logits(min_width=2), temperatures, betas)
def test_given_shift(case: Logits, T: float, beta: float) -> None:
    """The maximum of the full history stays when events are removed; β = 1 does not see it."""
    m = np.where(case.mask.any(axis=1), case.e.max(axis=1), -np.inf)
    got = weights(case.e, case.mask, T, beta, 0.0, m)
    assert_within(got, naive.weights(case.e, case.mask, T, beta, 0.0, m), 1e-13, 1e-300)
    if beta == 1.0:
        assert_bitwise(got, weights(case.e, case.mask, T))


def test_given_shift_far_above_the_rest() -> None:
    """Without the event that outweighed them by e^2000 the others weigh as usual where β = 1, and nothing where not."""
    e, shift = row(0.0, 0.0), np.array([2000.0])
    assert weights(e, shift=shift).tolist() == [[0.5, 0.5]]
    assert weights(e, None, 1.0, 0.5, 0.0, shift).tolist() == [[0.0, 0.0]]


# --- batches, rows, inputs --------------------------------------------------------------------------------------------


@given(logits(), temperatures, betas)
def test_batch_is_a_loop_and_inputs_stay(case: Logits, T: float, beta: float) -> None:
    """P21 and P23."""
    shift = np.full(case.e.shape[0], 31.0)
    with unchanged(case.e, case.mask, shift):
        a = weights(case.e, case.mask, T, beta, 0.01, shift)
        for r in range(case.e.shape[0]):
            one = slice(r, r + 1)
            assert_bitwise(a[one], weights(case.e[one], case.mask[one], T, beta, 0.01, shift[one]))


# --- answers known by hand, edges -------------------------------------------------------------------------------------


@FLOATS
@pytest.mark.parametrize(
    ("e", "want"),
    [
        ([2, 1, 3], [0.24472847, 0.09003057, 0.66524096]),  # the article's scores
        ([0], [1]),
        ([1000, 0, 0, 0], [1, 0, 0, 0]),
        ([-10000, -10000], [0.5, 0.5]),
        ([1e16, 1e16, 1e16, 1e16], [0.25] * 4),
        ([88.72284, 88.72284], [0.5, 0.5]),  # exp overflows in float32
        ([1e-45, 0], [0.5, 0.5]),
        ([1, -np.inf], [1, 0]),
        ([-np.inf, -np.inf], [0, 0]),
        ([np.nan, 1, -np.inf], [np.nan, np.nan, 0]),
        ([np.inf, 1], [np.nan, np.nan]),
        ([np.nan], [np.nan]),
        ([], []),
    ],
)
def test_by_hand(e: list[float], want: list[float], dtype: type) -> None:
    got = weights(np.array([e], dtype=dtype))
    assert got.dtype == dtype
    assert_within(got[0], np.array(want), 2e-7, 1e-8)


def test_largest_numbers() -> None:
    assert weights(row(1e308, -1e308, 1e308)).tolist() == [[0.5, 0.0, 0.5]]
    assert weights(row(10.0, 5.0, 10.0), None, 1e-308).tolist() == [[0.5, 0.0, 0.5]]


def test_article_in_full_precision() -> None:
    e = [math.exp(x) for x in (2, 1, 3)]
    assert_within(weights(row(2, 1, 3))[0], np.array([x / sum(e) for x in e]), 4 * U)


def test_no_rows() -> None:
    assert weights(np.empty((0, 4))).shape == (0, 4)
    assert weights_ragged(np.empty(0), np.zeros(1, np.int64)).shape == (0,)


# --- the gradient -----------------------------------------------------------------------------------------------------


def backward_agrees(case: Logits, T: float, beta: float, theta: float, shift: np.ndarray | None) -> None:
    e, mask = case
    da = np.cos(np.arange(e.size)).reshape(e.shape)
    kept = weights(e, mask, T, beta, theta, shift) > 0

    def loss(x: np.ndarray) -> float:
        a = weights(x, mask, T, beta, 0.0, shift)
        return float((da * a * kept).sum())  # what the threshold drops stays dropped

    got = weights_backward(da, weights(e, mask, T, beta, theta, shift), e, mask, T, beta, shift)
    assert_within(got, naive.gradient(loss, e), 1e-7, 1e-8 / T)


@given(logits(size=4.0), temperatures, betas, st.sampled_from((0.0, 0.1)), st.booleans())
def test_gradient(case: Logits, T: float, beta: float, theta: float, given_shift: bool) -> None:
    """P15: against central differences; logits apart from each other, as the maximum has a kink where two meet."""
    e = np.round(case.e, 1) + np.linspace(0.0, 0.05, case.e.shape[1])
    shift = np.full(e.shape[0], 5.0) if given_shift else None
    backward_agrees(Logits(e, case.mask), T, beta, theta, shift)


@given(logits(size=20.0), temperatures, betas)
def test_gradient_adds_up_to_nothing_and_gives_that_of_temperature(case: Logits, T: float, beta: float) -> None:
    """P15: a shift of all logits changes nothing; ∂a/∂T = −Σ_j (e_j/T) ∂a/∂e_j."""
    da = np.sin(np.arange(case.e.size)).reshape(case.e.shape)
    a = weights(case.e, case.mask, T, beta)
    de = weights_backward(da, a, case.e, case.mask, T, beta)
    assert_within(de.sum(axis=1), np.zeros(de.shape[0]), absolute=64 * U * np.abs(a).sum(axis=1) / T)
    h = 1e-6 * T
    up, down = (weights(case.e, case.mask, t, beta) for t in (T + h, T - h))
    assert_within(-(case.e * de).sum() / T, (da * (up - down)).sum() / (2 * h), 1e-6, 1e-7 / T)


@FLOATS
def test_gradient_where_there_is_nothing_to_move(dtype: type) -> None:
    """P16: masked rows, gaps of 1e4, shared maxima: finite, and 0 where nothing moves."""
    e = np.array([[np.nan, np.inf], [0.0, 1e4], [3.0, 3.0], [0.0, 0.0]], dtype=dtype)
    mask = np.array([[False, False], [True, True], [True, True], [True, False]])
    da = np.array([[np.nan, 1], [1, 2], [1, 0], [1, np.nan]], dtype=dtype)
    for beta in (1.0, 0.5):
        de = weights_backward(da, weights(e, mask, 1.0, beta), e, mask, 1.0, beta)
        assert de.dtype == dtype
        assert np.isfinite(de).all()
        assert not de[[0, 1, 3]].any()
        assert de[2, 0] == -de[2, 1] != 0


@given(logits(), temperatures, betas)
def test_gradient_of_ragged_rows_is_that_of_the_table(case: Logits, T: float, beta: float) -> None:
    da = np.cos(np.arange(case.e.size)).reshape(case.e.shape)
    a = weights(case.e, case.mask, T, beta)
    with unchanged(da, a, case.e, case.mask):
        table = weights_backward(da, a, case.e, case.mask, T, beta)
    assert not table[~case.mask].any()
    indptr = np.concatenate([[0], np.cumsum(case.mask.sum(axis=1))])
    flat = weights_ragged_backward(da[case.mask], a[case.mask], case.e[case.mask], indptr, None, T, beta)
    assert_bitwise(flat, table[case.mask])
