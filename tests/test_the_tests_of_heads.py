"""The tests of what heads compute are tested: field kernels, normal equations, catalogue scores, twins and threads.

As in test_the_tests.py: a fault takes the place of the function under test, and the test has to fail.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import find, settings
from hypothesis import strategies as st

from tests import faults_of_heads as faults
from tests import naive, strategies
from tests.checks import assert_within
from tests.kernels import test_compile, test_content, test_fields, test_gram, test_pool, test_target
from tests.planting import QUICK, Fault, must_fail
from xattn.kernels import compile as pool
from xattn.kernels import content, fields, gram

# --- field kernels ----------------------------------------------------------------------------------------------------

F = test_fields
SCORES, EACH, WEIGHTS = fields.add_field_scores, fields.add_field_without_each, fields.field_weights


def of_fields(faulty: Callable[[Any], Any], name: str, *tests: Callable[..., None], args: Any = ()) -> list[Fault]:
    """A fault made from the real kernel."""
    return [Fault(faulty.__name__, F, name, faulty(getattr(fields, name)), test, args) for test in tests]


FIELDS = [
    *of_fields(faults.no_threshold, "add_field_scores", F.test_weights_and_scores_equal_the_obvious_version),
    *of_fields(faults.no_threshold, "add_field_without_each", F.test_removals_equal_the_obvious_version),
    *of_fields(faults.no_beta, "add_field_scores", F.test_weights_and_scores_equal_the_obvious_version),
    *of_fields(faults.no_beta, "add_field_without_each", F.test_removal_announced_is_the_score_served),
    *of_fields(
        faults.no_mask,
        "add_field_scores",
        F.test_masking_is_leaving_out,
        F.test_removal_of_a_set_is_one_after_the_other,
    ),
    *of_fields(
        faults.no_mask,
        "add_field_without_each",
        F.test_masking_is_leaving_out,
        F.test_removal_of_a_set_is_one_after_the_other,
    ),
    *of_fields(faults.overwrites, "add_field_scores", F.test_scores_are_added_to_what_is_there),
    *of_fields(faults.overwrites, "add_field_without_each", F.test_scores_are_added_to_what_is_there),
    *of_fields(faults.hides_nan, "add_field_scores", F.test_nan_in_a_live_event_is_seen, args=(0.1,)),
    *of_fields(faults.hides_nan, "add_field_without_each", F.test_nan_in_a_live_event_is_seen, args=(0.0,)),
    *of_fields(faults.nudged_in_batches, "add_field_scores", F.test_batch_is_a_loop_and_a_shared_row_is_one_for_each),
    *of_fields(
        faults.nudged_in_batches, "add_field_without_each", F.test_batch_is_a_loop_and_a_shared_row_is_one_for_each
    ),
    Fault("favours the first", F, "add_field_scores", faults.favours_the_first, F.test_order_does_not_matter),
    Fault("sum of all", F, "field_weights", faults.weights_of_all, F.test_masking_is_leaving_out),
    Fault("sum of all", F, "field_weights", faults.weights_of_all, F.test_weights_are_shares_when_beta_is_1),
    Fault(
        "β ignored",
        F,
        "field_weights",
        lambda E, live, beta, theta: WEIGHTS(E, live, 1.0, theta),
        F.test_weights_are_those_of_the_softmax_with_the_maximum_of_all,
    ),
    Fault("0/0", F, "field_weights", faults.weights_divided_by_nothing, F.test_nothing_left_to_look_at, (0.1,)),
    Fault(
        "on the threshold",
        F,
        "field_weights",
        faults.above_the_threshold_only,
        F.test_threshold_counts_the_weight_on_it_and_does_not_scale,
    ),
    Fault(
        "total − part",
        F,
        "add_field_without_each",
        faults.total_less_part,
        F.test_a_weight_next_to_1_leaves_the_others_their_digits,
        (1.0,),
    ),
    Fault(
        "total − part", F, "add_field_without_each", faults.total_less_part, F.test_removals_equal_the_obvious_version
    ),
    Fault(
        "effect = contribution",
        F,
        "add_field_without_each",
        faults.less_its_contribution,
        F.test_removal_announced_is_the_score_served,
    ),
    *of_fields(faults.no_beta, "add_field_scores", F.test_one_event_and_none),
    Fault(
        "old threshold",
        F,
        "add_field_without_each",
        faults.threshold_of_the_full_history,
        F.test_removals_equal_the_obvious_version,
    ),
]

# --- pool, normal equations, content ----------------------------------------------------------------------------------

P, G, C = test_pool, test_gram, test_content
F8 = (np.float64,)
POOL = [
    Fault("−1 wraps", P, "pool_scores", faults.wraps_around, P.test_equals_the_obvious_version, F8),
    Fault("float32", P, "pool_scores", faults.pooled_in_float32, P.test_float32_values_are_summed_in_float64),
    Fault("alone", P, "pool_scores", faults.nudged_when_alone, P.test_batch_is_a_loop),
    Fault("zero read", P, "pool_scores", faults.reads_what_counts_nothing, P.test_events_that_say_nothing_are_not_read),
]
LEFT, RIGHT = (
    G.test_left_side_is_that_of_the_stacked_prefixes,
    G.test_right_side_is_that_of_the_stacked_prefixes,
)
GRAM = [
    Fault("ρ of the other head", gram, "accumulate_gram", faults.the_other_head_decays, LEFT),
    Fault("signs for strengths", gram, "accumulate_gram", faults.unweighted, LEFT),
    Fault("signs for strengths", gram, "accumulate_gram", faults.unweighted, G.test_strengths_multiply_in),
    Fault("tail one late", gram, "accumulate_gram", faults.tail_one_late, LEFT),
    Fault("into other users", gram, "accumulate_gram", faults.past_the_user, G.test_users_add_up),
    Fault("two roundings", gram, "accumulate_gram", faults.stored_in_steps, G.test_float32_is_the_float64_sum_rounded),
    Fault("stops early", gram, "accumulate_gram", faults.stops_early, G.test_powers_that_change_nothing_are_left_out),
    Fault("known targets only", gram, "accumulate_targets", faults.only_known_targets, RIGHT),
    Fault("target before", gram, "accumulate_targets", faults.target_before, RIGHT),
    Fault(
        "target before", gram, "accumulate_targets", faults.target_before, G.test_no_memory_is_a_table_of_transitions
    ),
    Fault("β = 1", gram, "normalisers", faults.normalisers_of_beta_1, G.test_normalisers_and_tails_are_what_they_say),
    Fault("β = 1", gram, "normalisers", faults.normalisers_of_beta_1, G.test_endless_memory_without_normaliser_counts),
    Fault("t ≥ p", gram, "tails", faults.tails_with_themselves, G.test_normalisers_and_tails_are_what_they_say),
    Fault("newest first", gram, "occurrences", faults.newest_first, G.test_occurrences_turn_the_histories_round),
]
FIELD, SERVED = content.content_field, content.content_scores


def of_content(what: str, place: int, change: Callable[[Any], Any], *tests: Callable[..., None]) -> list[Fault]:
    """The argument at a place changed; the places after T are those of `content_scores` alone."""
    name = "content_field" if place < 7 and tests[0] is not C.test_scores_equal_the_dense_version else "content_scores"
    return [Fault(what, C, name, faults.changed(place, change, getattr(content, name)), test) for test in tests]


CONTENT = [
    *of_content("T ignored", 6, lambda T: 1.0, C.test_field_equals_the_dense_version),
    *of_content("worth²", 1, np.square, C.test_field_equals_the_dense_version),
    *of_content("no gate", 2, np.ones_like, C.test_field_equals_the_dense_version),
    *of_content("ages lost", 5, np.zeros_like, C.test_scores_equal_the_dense_version),
    *of_content("ages lost", 5, np.zeros_like, C.test_largest_temperature_leaves_age_alone),
    *of_content("mask lost", 7, np.ones_like, C.test_scores_equal_the_dense_version),
    *of_content("mask lost", 7, np.ones_like, C.test_softmax_does_not_see_the_masked),
    *of_content("no threshold", 9, lambda x: 0.0, C.test_scores_are_those_of_the_field),
    Fault("live maximum", C, "content_scores", faults.maximum_of_the_live, C.test_scores_are_those_of_the_field),
    Fault("worth looked at", C, "content_field", faults.a_feature_in_the_attention, C.test_features_add_up),
    Fault("batches", C, "content_scores", faults.nudged(SERVED), C.test_batch_is_a_loop),
    Fault("batches", C, "content_field", faults.nudged(FIELD), C.test_batch_is_a_loop),
    Fault(
        "inf − inf",
        C,
        "content_field",
        faults.tiny_temperatures_overflow,
        C.test_smallest_temperatures_leave_the_most_alike,
        (5e-324,),
    ),
    Fault("NaN hidden", C, "content_scores", faults.nan_as_nothing, C.test_nan_is_seen),
]


T, SAME = test_target, test_target.test_it_is_the_scores_of_the_field
MAXIMUM = T.test_a_masked_event_counts_for_the_maximum_alone
TARGET = [
    Fault("scale lost", T, "target_scores", faults.asked_with(scale=lambda x: 1.0), SAME),
    Fault("β lost", T, "target_scores", faults.asked_with(beta=lambda x: 1.0), SAME),
    Fault("θ lost", T, "target_scores", faults.asked_with(theta=lambda x: 0.0), SAME),
    Fault("mask lost", T, "target_scores", faults.asked_with_array(5, np.ones_like), SAME),
    Fault("half a digit", T, "target_scores", faults.asked_with_array(3, lambda V: V * 1.0001), T.test_float32_is_near),
    Fault(
        "live maximum", T, "target_scores", faults.only_the_live, T.test_a_masked_event_counts_for_the_maximum_alone, F8
    ),
    Fault("NaN is 0", T, "target_scores", faults.nan_is_nothing, T.test_nan_is_seen, ("K", 0.0, np.float64)),
    Fault("company", T, "target_scores", faults.nudged_with_others, T.test_a_candidate_does_not_depend_on_its_company),
    Fault("no shift", T, "target_scores", faults.without_a_shift, T.test_large_logits_overflow_nothing, F8),
]


@pytest.mark.parametrize("fault", [*FIELDS, *POOL, *GRAM, *CONTENT, *TARGET], ids=str)
def test_wrong_kernels_of_heads_are_caught(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault.where, fault.name, fault.faulty)
    must_fail(fault.test, *fault.args)


def test_seams_and_threads_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that patch for themselves."""
    with monkeypatch.context() as patch:
        patch.setattr(P, "pool_scores", faults.a_column_at_the_seam)
        must_fail(P.test_wide_tables_are_cut_into_stripes_without_a_seam, patch)
    with monkeypatch.context() as patch:
        patch.setattr(gram, "accumulate_gram", faults.counts_its_threads)
        must_fail(G.test_threads_and_twins_change_no_bit, patch)


def test_wrong_twins_and_threads_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    K = test_compile

    class ByThreads(K.Recorded):
        def __call__(self, *args: Any, work: float) -> Any:
            return super().__call__(*args, work=pool.SMALL_WORK if pool.num_threads() > 1 else 0)

    with monkeypatch.context() as patch:
        patch.setattr(K, "Recorded", ByThreads)
        must_fail(K.test_work_alone_decides_which_twin_runs, "1", patch)

    @contextmanager
    def leaks() -> Any:
        numba.set_num_threads(1)
        yield

    before = numba.get_num_threads()
    if before > 1:
        try:
            with monkeypatch.context() as patch:
                patch.setattr(K, "parallel_pool", leaks)
                must_fail(K.test_threads_of_the_caller_are_restored_also_after_an_error, patch)
        finally:
            numba.set_num_threads(before)


# --- oracles, by hand -------------------------------------------------------------------------------------------------


def test_oracle_of_prefixes_by_hand() -> None:
    """History 0 1 0 of one user, ρ = 1/2: (1, 0) before 1, (1/2, 1) before 0; with β = 1 the second is over 3/2."""
    tau = np.array([1 / np.log(2)])
    p = naive.prefixes(np.array([0, 3]), np.array([0, 1, 0]), 2, np.ones((1, 3)), tau, np.zeros(1))
    assert_within(p.Z, np.array([[1.0, 0.0], [0.5, 1.0]]), 1e-15)
    assert (p.y.tolist(), p.targets(2).tolist()) == ([1, 0], [[0.0, 1.0], [1.0, 0.0]])
    p = naive.prefixes(np.array([0, 3]), np.array([0, -1, 0]), 2, np.full((1, 3), 3.0), tau, np.ones(1))
    assert_within(p.Z, np.array([[3.0, 0.0], [1.0, 0.0]]), 1e-15)
    assert p.targets(2).tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_oracles_of_fields_by_hand() -> None:
    E, X, live = np.array([[1.0, 3.0, 5.0]]), np.array([[8.0, 4.0, np.nan]]), np.array([True, True, False])
    assert naive.field_weights(E, live, 1.0, 0.0).tolist() == [[0.25, 0.75, 0.0]]
    assert naive.field_weights(E, live, 0.5, 0.6).tolist() == [[0.0, 1.5, 0.0]]
    assert naive.field_scores(E, X, live, 1.0, 0.0).tolist() == [5.0]
    assert naive.field_without_each(E, X, live, 1.0, 0.0).tolist() == [[4.0, 8.0, 5.0]]
    V = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    assert naive.pool_scores(np.array([0, 2]), np.array([1, -1]), np.array([[10.0, 7.0]]), V).tolist() == [[30.0, 40.0]]
    target, worth, gate = np.array([[3.0, 4.0]]), np.array([1.0, 10.0]), np.array([2.0])
    E, X = naive.content_field(target, np.array([5.0]), worth, gate, np.eye(2), np.eye(2), np.zeros(2), 0.1)
    assert_within(E, np.array([[np.exp(-2.0), 1.0]]), 1e-14)
    assert X.tolist() == [[6.0, 80.0]]


# --- strategies: the hard cases are drawn -----------------------------------------------------------------------------


def returns(h: strategies.Prefixed) -> bool:
    """Two heads of different scales, and an item that comes back within a history that also has one without a row."""
    row = h.row
    return len(set(h.tau)) > 1 and any(
        len(set(row[a:b][row[a:b] >= 0])) < (row[a:b] >= 0).sum() and (row[a:b] < 0).any()
        for a, b in zip(h.indptr[:-1], h.indptr[1:], strict=True)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        (strategies.fields(), lambda f: f.E.shape[0] == 1 and f.X.shape[0] > 1 and f.live.sum() > 2),
        (strategies.fields(), lambda f: f.E.shape[0] > 1 and (f.E == 0).any()),
        (strategies.fields(), lambda f: f.live.size > 1 and not f.live.any()),
        (strategies.fields(), lambda f: f.live.size == 0),
        (strategies.fields(), lambda f: f.live.any() and (f.E[:, ~f.live] == 1).any()),  # the maximum is masked
        (strategies.prefixed(), returns),
        (strategies.prefixed(), lambda h: h.C == 0),
        (strategies.prefixed(), lambda h: h.C > 1 and (np.diff(h.indptr) == 0).any() and h.item.size > 4),
        (test_pool.pooled(), lambda c: (c.row < 0).any() and (c.row >= 0).any() and len(c.ptr) > 2),
        (test_content.contents(), lambda c: not c.F.any(axis=1).all() and c.F.any() and c.g.size > 1),
    ],
)
def test_strategy_draws(strategy: st.SearchStrategy[Any], wanted: Callable[[Any], bool]) -> None:
    find(strategy, wanted, settings=settings(QUICK, max_examples=2000))
