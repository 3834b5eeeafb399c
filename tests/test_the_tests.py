"""The tests are tested: each property, oracle, strategy and check meets a planted fault, and must not let it pass.

A fault takes the place of the function under test in the module of its test; then that test is run and has to fail.
Here are the attention kernels, the worked example and the checks; test_the_tests_of_{heads,models}.py have the rest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import find, settings

from tests import faults, naive, strategies
from tests.checks import assert_bitwise, assert_within, bounds_checked, least, unchanged, unit, weight_bound
from tests.kernels import hammer, test_fusion, test_logsum, test_scorers, test_softmax, test_topk
from tests.model import test_example
from tests.planting import QUICK, Fault, must_fail
from tests.tensor import test_attend
from xattn.kernels import fusion, logsum, scorers, softmax
from xattn.kernels.compile import compiled
from xattn.kernels.topk import TopK
from xattn.model import example

# --- weights ----------------------------------------------------------------------------------------------------------
from xattn.tensor import attend as attention

# --- weights ----------------------------------------------------------------------------------------------------------

S = test_softmax
F8, F4 = (np.float64,), (np.float32,)
BY_ROW = [
    (faults.no_shift, S.test_weights_are_shares, ()),
    (faults.no_shift, S.test_exact_shift_changes_no_bit, F8),
    (faults.late_shift, S.test_largest_numbers, ()),
    (faults.without_division, S.test_fifty_digits, ()),
    (faults.grows_with_place, S.test_higher_logits_weigh_more, F8),
    (faults.favours_the_first, S.test_order_does_not_matter, ()),
    (faults.scaled_up_again, S.test_threshold_drops_and_does_not_scale, ()),
    (faults.threshold_before_the_sum, S.test_threshold_drops_and_does_not_scale, ()),
    (faults.plain, S.test_given_shift_far_above_the_rest, ()),
    (faults.forgets_an_equal, S.test_two_equal_events_weigh_like_one_higher_by_log_2, ()),
    (faults.all_in_its_own_type, S.test_float32_of_any_digits, (1.0,)),
    (faults.all_in_float32, S.test_article_in_full_precision, ()),
]
BY_CALL: list[tuple[str, Callable[[dict[str, Any]], dict[str, Any]], Callable[..., None], tuple[Any, ...]]] = [
    ("β ignored", lambda call: {"beta": 1.0}, S.test_equals_the_obvious_version, ()),
    ("β ignored", lambda call: {"beta": 1.0}, S.test_beta_lets_long_histories_weigh_more, ()),
    ("T ignored", lambda call: {"temperature": 1.0}, S.test_temperature_flattens, ()),
    ("T squared", lambda call: {"temperature": call["temperature"] ** 2}, S.test_temperature_divides_the_logits, ()),
    ("sign lost", lambda call: {"e": np.abs(call["e"])}, S.test_shift_changes_nothing, ()),
    ("shift ignored", lambda call: {"shift": None}, S.test_given_shift, ()),
    ("mask off by one", faults.mask_off_by_one, S.test_masking_is_deletion, F8),
    ("one maximum", faults.one_maximum, S.test_batch_is_a_loop_and_inputs_stay, ()),
]
BACK = softmax.weights_backward
WEIGHTS = [
    *(Fault(row.__name__, S, "weights", faults.from_row(row), test, args) for row, test, args in BY_ROW),
    *(Fault(what, S, "weights", faults.called_with(change), test, args) for what, change, test, args in BY_CALL),
    Fault("masked times 0", S, "weights", faults.masked_times_zero, S.test_masking_is_deletion, F4),
    Fault("input written", S, "weights", faults.writes_its_input, S.test_batch_is_a_loop_and_inputs_stay),
    Fault("NaN made 0", S, "weights", faults.nan_made_zero, S.test_by_hand, ([np.nan], [np.nan], np.float64)),
    Fault("gradient sign", S, "weights_backward", faults.negated(BACK), S.test_gradient),
    Fault("gradient of β = 1", S, "weights_backward", faults.gradient_of_softmax, S.test_gradient),
    Fault("gradient without 1/T", S, "weights_backward", faults.gradient_without_temperature, S.test_gradient),
    Fault(
        "gradient past m",
        S,
        "weights_backward",
        faults.gradient_past_the_maximum,
        S.test_gradient_adds_up_to_nothing_and_gives_that_of_temperature,
    ),
    Fault(
        "gradient at masked places",
        S,
        "weights_backward",
        lambda *args: BACK(*args) + 1,
        S.test_gradient_where_there_is_nothing_to_move,
        F8,
    ),
    Fault(
        "gradient of ragged rows",
        S,
        "weights_ragged_backward",
        faults.negated(softmax.weights_ragged_backward),
        S.test_gradient_of_ragged_rows_is_that_of_the_table,
    ),
]

# --- logarithms -------------------------------------------------------------------------------------------------------

L = test_logsum
LOG = logsum.log_weights


def unmasked(e: np.ndarray, mask: Any = None, T: float = 1.0, beta: float = 1.0) -> np.ndarray:
    return LOG(e, None, T, beta)


def without_beta(e: np.ndarray, mask: Any = None, T: float = 1.0, beta: float = 1.0) -> np.ndarray:
    return LOG(e, mask, T)


def without_temperature(e: np.ndarray, mask: Any = None, T: float = 1.0, beta: float = 1.0) -> np.ndarray:
    return LOG(e, mask, 1.0, beta)


HALVES = ([1e16, 1e16], [-np.log(2)] * 2, 1e16, np.float64)
LOGARITHMS = [
    Fault("log rounded away", L, "log_weights", faults.log_rounded_away, L.test_by_hand, HALVES),
    Fault("lse without shift", L, "logsumexp", faults.unshifted_lse, L.test_by_hand, ([1e4], [0], 1e4, np.float64)),
    Fault("lse without log1p", L, "logsumexp", faults.unshifted_lse, L.test_a_nearly_certain_row_keeps_its_digits),
    Fault("mask ignored", L, "log_weights", unmasked, L.test_masking_is_deletion),
    Fault("β ignored", L, "log_weights", without_beta, L.test_equals_the_obvious_version),
    Fault("T ignored", L, "log_weights", without_temperature, L.test_exponentials_are_the_weights),
]


@pytest.mark.parametrize("fault", [*WEIGHTS, *LOGARITHMS], ids=lambda fault: f"{fault.what}: {fault.test.__name__}")
def test_wrong_weights_are_caught(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault.where, fault.name, fault.faulty)
    must_fail(fault.test, *fault.args)


# --- scorers: their tests take the functions as arguments -------------------------------------------------------------

C = test_scorers
REAL = SimpleNamespace(**vars(scorers))  # as they are before a test puts a fault in


def sum_in_float32(score: faults.Faulty) -> faults.Faulty:
    return lambda q, *rest: score(q, *rest) * (1 + 3e-7 * (q.itemsize == 4))


@pytest.mark.parametrize("scorer", C.SCORERS.values(), ids=C.SCORERS)
def test_wrong_scorers_are_caught(scorer: C.Scorer) -> None:
    forward, backward = scorer.forward, scorer.backward
    must_fail(C.test_equals_the_obvious_version, scorer._replace(forward=faults.last_coordinate_forgotten(forward)))
    must_fail(C.test_batch_is_a_loop, scorer._replace(forward=faults.nudged_in_batches(forward)))
    must_fail(C.test_float32_is_the_float64_answer_rounded, scorer._replace(forward=sum_in_float32(forward)))
    must_fail(C.test_gradients, scorer._replace(backward=faults.negated(backward)))
    for place in range(2 + len(scorer.parameters(1))):
        must_fail(C.test_gradients, scorer._replace(backward=faults.one_part_zero(backward, place)))


@pytest.mark.parametrize(
    ("name", "faulty", "test", "args"),
    [
        ("cosine", faults.unscaled_cosine, C.test_cosine_of_very_long_and_very_short_vectors, (1e200, "f8")),
        ("cosine", lambda q, k: REAL.cosine(q, k) * (1 + 4e-16), C.test_cosine_is_an_angle, ()),
        ("cosine", lambda q, k: np.nan_to_num(REAL.cosine(q, k)), C.test_cosine_never_hides_nan, ([np.nan, 0.0],)),
        ("cosine_backward", REAL.dot_backward, C.test_cosine_gradient_at_zero, ()),
        ("cosine_backward", REAL.dot_backward, C.test_cosine_gradient_is_across_the_vector, ()),
        ("bilinear", lambda q, k, W: REAL.bilinear(q, k, W + W), C.test_the_scorers_meet, ()),
        ("additive", lambda q, k, Wq, Wk, v: REAL.additive(q, k, Wq, Wk, v * v / 2), C.test_keys_of_another_width, ()),
    ],
)
def test_broken_laws_of_scorers_are_caught(
    name: str, faulty: Any, test: Any, args: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorers, name, faulty)
    must_fail(test, *args)


# --- fusion, top-k ----------------------------------------------------------------------------------------------------

F = test_fusion


@pytest.mark.parametrize("kind", F.KINDS)
def test_wrong_fusion_is_caught(kind: str) -> None:
    forward, backward, obvious = F.KINDS[kind]
    must_fail(F.test_equals_the_obvious_version, faults.drops_the_last_event(forward), backward, obvious)
    must_fail(F.test_contributions_add_up, faults.a_remainder(forward), backward, obvious)
    must_fail(F.test_gradients, forward, faults.negated(backward), obvious)
    for place in (0, 1):
        must_fail(F.test_gradients, forward, faults.one_part_zero(backward, place), obvious)
    must_fail(F.test_float32, lambda *x: fusion.Fused(*(y * (1 + 3e-7) for y in forward(*x))), backward, obvious)


def test_wrong_fusion_of_one_kind_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    multiply, add = F.KINDS["multiply"], F.KINDS["add"]
    must_fail(F.test_equals_the_obvious_version, faults.mean_over_all_events, *add[1:])
    must_fail(F.test_masking_is_deletion, faults.reads_the_masked, *multiply[1:])
    for faulty, test in (
        (faults.weights_unnormalised, F.test_result_lies_among_the_vectors),
        (faults.not_linear, F.test_multiply_is_linear_in_the_vectors),
        (faults.drops_the_last_event(fusion.fuse_multiply), F.test_ragged_is_the_table),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(fusion, "fuse_multiply", faulty)
            must_fail(test)


K = test_topk


@pytest.mark.parametrize(
    "faulty",
    [
        faults.ties_reversed,
        faults.nan_is_a_hit,
        faults.exclusions_ignored,
        faults.padded_with_item_0,
        faults.counts_the_padding,
    ],
    ids=lambda faulty: faulty.__name__,
)
def test_wrong_top_k_is_caught(faulty: Callable[..., TopK], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(K, "top_k", faulty)
    must_fail(K.test_equals_a_sort, np.float64)


# --- attend, the worked example ---------------------------------------------------------------------------------------

A = test_attend


def attend_with(**changed: Any) -> Callable[..., attention.Attended]:
    return lambda *arrays, **options: attention.attend(*arrays, **(options | changed))


@pytest.mark.parametrize(
    ("changed", "test", "args"),
    [
        ({"beta": 1.0}, A.test_is_the_steps_one_after_the_other, ()),
        ({"fusion": "add"}, A.test_is_the_steps_one_after_the_other, ()),
        ({"mask": None}, A.test_empty_history_fuses_to_nothing, ()),
        ({"threshold": 0.0}, A.test_threshold_goes_into_the_result, ()),
        ({"temperature": 1.0}, A.test_extreme_but_possible, ()),
    ],
)
def test_attend_that_forgets_an_option_is_caught(
    changed: dict[str, Any], test: Any, args: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(A, "attend", attend_with(**changed))
    must_fail(test, *args)


def test_attend_that_reads_the_masked_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def unmasked(e: np.ndarray, mask: np.ndarray, *options: float) -> np.ndarray:
        return softmax.weights(np.nan_to_num(e), None, *options)

    monkeypatch.setattr(attention, "weights", unmasked)
    must_fail(A.test_a_masked_event_might_as_well_not_be, "dot", "multiply")


@pytest.mark.parametrize(
    ("change", "test"),
    [
        ({"weights": (0.2, 0.1, 0.7)}, test_example.test_steps_are_exact),
        ({"recommendation": (6.9, 5.5, 4.7)}, test_example.test_known_digits),
        (
            {"nearest": example.nearest_item([5, 10, 2], example.ITEMS)},
            test_example.test_nearest_item_is_the_third_by_both_measures,
        ),
        ({"rounded": example.PRINTED}, test_example.test_rounded_weights_give_what_they_give),
    ],
)
def test_wrong_example_is_caught(change: dict[str, Any], test: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_example, "EXAMPLE", dataclasses.replace(test_example.EXAMPLE, **change))
    must_fail(test)


# --- checks and oracles -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("got", "want"),
    [
        ([1.1], [1.0]),
        ([np.nan], [1.0]),
        ([1.0], [np.nan]),
        ([np.inf], [1.0]),
        ([np.inf], [-np.inf]),
        ([1.0], [1.0, 1.0]),
    ],
)
def test_assert_within_refuses(got: list[float], want: list[float]) -> None:
    with pytest.raises(AssertionError):
        assert_within(np.array(got), np.array(want), 0.01, 0.01)


def test_assert_within_admits_what_it_should() -> None:
    assert_within(np.array([1.01, np.nan, np.inf, 1e-9]), np.array([1.0, np.nan, np.inf, 0.0]), 0.02, 1e-8)


@pytest.mark.parametrize(
    "other", [np.array([-0.0]), np.array([0.0], np.float32), np.array([[0.0]]), np.array([5e-324])]
)
def test_assert_bitwise_refuses(other: np.ndarray) -> None:
    with pytest.raises(AssertionError):
        assert_bitwise(other, np.array([0.0]))


def test_unchanged_sees_one_bit() -> None:
    x, y = np.zeros(3), np.zeros(3)
    with pytest.raises(AssertionError, match="input 1"), unchanged(x, y):
        y[2] = -0.0


def test_bounds_are_those_of_the_type() -> None:
    """Of the order of n·u: neither 0 nor so wide that all would pass."""
    assert (unit(np.float64), unit(np.float32), least(np.float64)) == (2.0**-53, 2.0**-24, 5e-324)
    bound = weight_bound(np.array([[0.0, 10.0, np.nan]]), np.array([[True, True, False]]))
    assert bound[0, 2] == 0.0
    assert (bound[0, :2] > 8 * 2.0**-53).all()
    assert (bound[0, :2] < 20 * 2.0**-53).all()


@compiled
def reads_past_the_end(x):  # type: ignore[no-untyped-def]
    return x[x.shape[0]]


def calls_it(x):  # type: ignore[no-untyped-def]
    return reads_past_the_end(x)


@pytest.mark.parametrize("func", [reads_past_the_end, calls_it])
def test_bounds_checked_sees_one_past_the_end_also_in_a_helper(func: Any) -> None:
    with pytest.raises(IndexError):
        bounds_checked(func)(np.zeros(3))


def test_refusal_happens_once() -> None:
    probe = hammer.refuse_once(lambda: "omp")
    with pytest.raises(ValueError, match="threading layer"):
        probe()
    assert probe() == "omp"


def test_oracle_of_gradients_knows_a_gradient() -> None:
    x = np.array([[1.0, -2.0], [0.0, 3.0]])
    assert_within(naive.gradient(lambda v: float((v**3).sum()), x), 3 * x**2, 1e-9, 1e-9)
    with pytest.raises(AssertionError):
        assert_within(naive.gradient(lambda v: -float((v**3).sum()), x), 3 * x**2, 1e-9, 1e-9)


# --- strategies: the hard cases are drawn -----------------------------------------------------------------------------


def ties(scores: np.ndarray) -> bool:
    return any(np.unique(row[np.isfinite(row)]).size < np.isfinite(row).sum() for row in scores)


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        (strategies.logits(), lambda c: c.e.shape[1] == 0),
        (strategies.logits(), lambda c: c.e.shape[1] > 2 and not c.mask[0].any() and c.mask.any()),
        (strategies.logits(size=700.0), lambda c: (np.abs(c.e) > 600).any()),
        (strategies.logits(), lambda c: ((c.e != 0) & (np.abs(c.e) < 1e-300)).any()),
        (strategies.logits(dtype=np.float32), lambda c: c.e.dtype == np.float32 and c.e.size > 3),
        (
            strategies.logits().flatmap(lambda c: strategies.garbage(c)),
            lambda e: np.isnan(e).any() and np.isinf(e).any(),
        ),
        (strategies.pairs(), lambda p: p[0].shape[0] > 1 and p[1].shape[0] > 1 and p[0].all() and p[1].all()),
        (strategies.pairs(), lambda p: not p[0].any()),
        (strategies.tied_scores(), lambda s: np.isnan(s).any() and ties(s)),
        (strategies.tied_scores(), lambda s: s.size > 0 and np.isnan(s).all()),
        (strategies.tied_scores(), lambda s: (np.signbit(s) & (s == 0)).any() and np.isposinf(s).any()),
    ],
)
def test_strategy_draws(strategy: Any, wanted: Callable[[Any], bool]) -> None:
    find(strategy, wanted, settings=settings(QUICK, max_examples=2000))
