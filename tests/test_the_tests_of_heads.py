"""The tests of heads are tested: of field kernels, normal equations, the closed form, the parts and their cells.

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
from tests.kernels import test_compile, test_content, test_fields, test_gram, test_pool
from tests.model import heads, test_closed_form, test_collaborative, test_content_part, test_head, test_strength
from tests.planting import Fault, must_fail
from xattn.errors import InputError
from xattn.kernels import compile as pool
from xattn.kernels import content, fields, gram
from xattn.model import closed_form, collaborative, head
from xattn.model import content as content_model
from xattn.model.collaborative import CollaborativePart
from xattn.model.content import ContentPart, ItemFeatures

# --- field kernels ----------------------------------------------------------------------------------------------------

F = test_fields
SCORES, EACH, WEIGHTS = fields.field_scores, fields.field_without_each, fields.field_weights


def of_fields(faulty: Callable[[Any], Any], name: str, *tests: Callable[..., None], args: Any = ()) -> list[Fault]:
    """A fault made from the real kernel."""
    return [Fault(faulty.__name__, F, name, faulty(getattr(fields, name)), test, args) for test in tests]


FIELDS = [
    *of_fields(faults.no_threshold, "field_scores", F.test_weights_and_scores_equal_the_obvious_version),
    *of_fields(faults.no_threshold, "field_without_each", F.test_removals_equal_the_obvious_version),
    *of_fields(faults.no_beta, "field_scores", F.test_weights_and_scores_equal_the_obvious_version),
    *of_fields(faults.no_beta, "field_without_each", F.test_removal_announced_is_the_score_served),
    *of_fields(
        faults.no_mask, "field_scores", F.test_masking_is_leaving_out, F.test_removal_of_a_set_is_one_after_the_other
    ),
    *of_fields(
        faults.no_mask,
        "field_without_each",
        F.test_masking_is_leaving_out,
        F.test_removal_of_a_set_is_one_after_the_other,
    ),
    *of_fields(faults.overwrites, "field_scores", F.test_scores_are_added_to_what_is_there),
    *of_fields(faults.overwrites, "field_without_each", F.test_scores_are_added_to_what_is_there),
    *of_fields(faults.hides_nan, "field_scores", F.test_nan_in_a_live_event_is_seen, args=(0.1,)),
    *of_fields(faults.hides_nan, "field_without_each", F.test_nan_in_a_live_event_is_seen, args=(0.0,)),
    *of_fields(faults.nudged_in_batches, "field_scores", F.test_batch_is_a_loop_and_a_shared_row_is_one_for_each),
    *of_fields(faults.nudged_in_batches, "field_without_each", F.test_batch_is_a_loop_and_a_shared_row_is_one_for_each),
    Fault("favours the first", F, "field_scores", faults.favours_the_first, F.test_order_does_not_matter),
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
        "field_without_each",
        faults.total_less_part,
        F.test_a_weight_next_to_1_leaves_the_others_their_digits,
        (1.0,),
    ),
    Fault("total − part", F, "field_without_each", faults.total_less_part, F.test_removals_equal_the_obvious_version),
    Fault(
        "effect = contribution",
        F,
        "field_without_each",
        faults.less_its_contribution,
        F.test_removal_announced_is_the_score_served,
    ),
    *of_fields(faults.no_beta, "field_scores", F.test_one_event_and_none),
    Fault(
        "old threshold",
        F,
        "field_without_each",
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


@pytest.mark.parametrize("fault", [*FIELDS, *POOL, *GRAM, *CONTENT], ids=str)
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


# --- the closed form --------------------------------------------------------------------------------------------------

V = test_closed_form
FIT = closed_form.fit_closed_form


def fit_with(**change: Callable[[Any], Any]) -> Callable[..., Any]:
    """The real fit, called with some arguments changed."""
    names = ("indptr", "item", "w", "b", "warm")

    def wrong(*args: Any, **options: Any) -> Any:
        given = dict(zip(names, args, strict=True)) | options
        return FIT(**{name: change[name](x) if name in change else x for name, x in given.items()})

    return wrong


def last_row_forgotten(*args: Any, **options: Any) -> Any:
    form = FIT(*args, **options)
    values = form.V.copy()
    values[:, -1:] *= 1.01
    return form._replace(V=values)


def rarest_first(counts: np.ndarray, least: int, most: int) -> np.ndarray:
    return np.flatnonzero(counts >= least)[:most]


@pytest.mark.parametrize(
    ("faulty", "test", "args"),
    [
        (fit_with(b=np.zeros_like), V.test_equals_plain_least_squares, ()),
        (fit_with(lam=lambda x: 2 * x), V.test_equals_plain_least_squares, ()),
        (fit_with(w=np.abs), V.test_equals_the_solution_of_the_normal_equations, ()),
        (fit_with(beta=np.ones_like), V.test_equals_the_solution_of_the_normal_equations, ()),
        (last_row_forgotten, V.test_no_other_table_has_a_smaller_loss, ()),
        (fit_with(lam=lambda x: 1.1 * x), V.test_no_other_table_has_a_smaller_loss, ()),
        (fit_with(dtype=lambda x: np.float64), V.test_float32_is_near_float64, ()),
        (fit_with(lam=lambda x: 1.0), V.test_more_regularisation_makes_values_smaller, ()),
        (fit_with(lam=np.sqrt), V.test_twice_the_evidence_is_half_the_regularisation, ()),
        (fit_with(item=np.sort), V.test_order_of_the_users_does_not_matter, ()),
        (fit_with(tau=np.ones_like, b=np.zeros_like), V.test_values_explain_what_the_base_does_not, ()),
        (fit_with(dtype=lambda x: np.float64), V.test_nothing_to_fit, (np.float32,)),
        (fit_with(progress=lambda tell: None), V.test_progress_is_told_and_never_goes_back, ()),
    ],
)
def test_wrong_closed_forms_are_caught(faulty: Any, test: Any, args: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(V, "fit_closed_form", faulty)
    must_fail(test, *args)


def test_wrong_solvers_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A λ that drowns, a triangle read as a square, a warm item that is not among the most frequent."""
    with monkeypatch.context() as patch:
        patch.setattr(closed_form, "DROWNED", 0.0)
        must_fail(V.test_small_regularisation_is_not_drowned_in_float32, 1e-6, by=InputError)
    with monkeypatch.context() as patch:
        patch.setattr(closed_form, "_symmetric_product", lambda upper, x: upper @ x)
        must_fail(V.test_product_with_a_symmetric_matrix_reads_its_upper_triangle)
    with monkeypatch.context() as patch:
        patch.setattr(V, "warm_items", rarest_first)
        must_fail(V.test_warm_items_by_hand, [2, 9, 5, 7], 1, 2, [1, 3])
    with monkeypatch.context() as patch:
        patch.setattr(closed_form, "_solve_surely", lambda A, B, lam: np.zeros_like(B))
        must_fail(V.test_a_float32_factorisation_that_fails_is_done_again_in_float64, patch)
        must_fail(V.test_float64_takes_over_where_float32_misses_the_residual, patch)


# --- parts and cells --------------------------------------------------------------------------------------------------

H = test_head
PARTS = (CollaborativePart, ContentPart)


def of_parts(what: str, name: str, faulty: Callable[[Any], Any], test: Callable[..., None]) -> list[Fault]:
    """The same fault in the method of either kind of part."""
    return [Fault(f"{part.__name__}, {what}", part, name, faulty(getattr(part, name)), test) for part in PARTS]


MODEL = [
    *of_parts("no gate", "scores", faults.without_gate, H.test_served_scores_are_those_of_the_fields),
    *of_parts("mask lost", "scores", faults.mask_forgotten, H.test_masking_is_leaving_out),
    *of_parts("ages by place", "scores", faults.by_place, H.test_order_of_the_events_is_in_their_ages_alone),
    *of_parts("mask lost", "scores", faults.mask_forgotten, H.test_removal_of_a_set_is_the_score_served_without_it),
    *of_parts("w²", "scores", lambda m: faults.with_strengths(np.square, m), H.test_strengths_are_linear),
    *of_parts("|w|", "cells", lambda m: faults.with_strengths(np.abs, m), H.test_cells_and_base_add_up_to_the_score),
    *of_parts("targets reversed", "fields", faults.targets_reversed, H.test_batch_is_a_loop),
    *of_parts("no gate", "fields", faults.without_gate, H.test_each_event_of_a_head_adds_what_its_field_says),
    *(
        Fault(what, module, "head_cells", faulty, test)
        for module in (collaborative, content_model)
        for what, faulty, test in (
            ("weights made to sum", faults.weights_made_to_sum, H.test_cells_and_base_add_up_to_the_score),
            ("weights made to sum", faults.weights_made_to_sum, H.test_each_event_of_a_head_adds_what_its_field_says),
            ("gate left out", faults.without_the_gate, H.test_cells_and_base_add_up_to_the_score),
        )
    ),
    Fault(
        "effect = contribution",
        head,
        "fields_without_each",
        faults.effect_is_contribution,
        H.test_removal_announced_is_the_score_served_without_the_event,
    ),
    Fault(
        "masked come back",
        head,
        "fields_without_each",
        faults.masked_come_back,
        H.test_removal_of_a_set_is_the_score_served_without_it,
    ),
    Fault("base each time", head, "fields_scores", faults.base_each_time, H.test_served_scores_are_those_of_the_fields),
    Fault("base's type", head, "fields_scores", faults.base_in_its_own_type, H.test_base_alone_where_no_head_looks),
    Fault("gate left out", H, "head_cells", faults.without_the_gate, H.test_cells_by_hand),
    Fault(
        "summed in float32",
        collaborative,
        "pool_scores",
        faults.pooled_in_float32,
        H.test_float32_values_score_like_float64,
    ),
    Fault(
        "no row wraps",
        collaborative,
        "pool_scores",
        faults.wraps_around,
        test_collaborative.test_scores_equal_the_double_sum,
    ),
    Fault(
        "no row wraps",
        CollaborativePart,
        "_values",
        faults.values_that_wrap,
        test_collaborative.test_fields_hold_strength_value_and_gate,
    ),
    Fault(
        "threshold lost",
        CollaborativePart,
        "scores",
        lambda self, *args, real=CollaborativePart.scores: real(self._replace(theta=0.0), *args),
        test_collaborative.test_by_hand,
    ),
    Fault(
        "T lost",
        ContentPart,
        "scores",
        lambda self, *args, real=ContentPart.scores: real(self._replace(temperature=1.0), *args),
        test_content_part.test_scores_equal_the_dense_sum,
    ),
    Fault(
        "signs",
        ContentPart,
        "cells",
        lambda self, *args, real=ContentPart.cells: real(self._replace(worth=np.abs(self.worth)), *args),
        test_content_part.test_cells_name_the_features_that_both_sides_have,
    ),
    Fault(
        "all features",
        ContentPart,
        "cells",
        lambda self, *args, real=ContentPart.cells: [
            c._replace(features=self.features.names) for c in real(self, *args)
        ],
        test_content_part.test_cells_name_the_features_that_both_sides_have,
    ),
    Fault(
        "rows in order",
        ItemFeatures,
        "targets",
        lambda self, some, real=ItemFeatures.targets: real(self, None if some is None else np.sort(some)),
        test_content_part.test_features_know_their_lengths_and_rows,
    ),
]


def worths_with(**change: Callable[[Any], Any]) -> Callable[..., np.ndarray]:
    names = ("features", "indptr", "item", "w", "b")

    def wrong(*args: Any, real: Any = content_model.fit_feature_worths, **options: Any) -> np.ndarray:
        given = dict(zip(names, args, strict=True)) | options
        return real(**{name: change[name](x) if name in change else x for name, x in given.items()})

    return wrong


W = test_content_part
WORTHS = [
    Fault("w²", W, "fit_feature_worths", worths_with(w=np.square), W.test_turned_strengths_turn_the_worths),
    Fault(
        "own seed",
        W,
        "fit_feature_worths",
        worths_with(rng=lambda rng: np.random.default_rng()),
        W.test_worths_are_repeatable_and_near_each_other,
    ),
    Fault(
        "a constant",
        W,
        "fit_feature_worths",
        lambda features, *args, **options: np.full(features.F.shape[1], 0.1),
        W.test_what_people_go_on_to_has_worth,
    ),
    Fault(
        "a constant", W, "fit_feature_worths", lambda f, *a, **o: np.ones(f.F.shape[1]), W.test_nothing_to_learn_from
    ),
]

S = test_strength
STRENGTHS = [
    Fault("span first", S, "signed", faults.span_first, S.test_the_longest_scale),
    Fault("not clipped", S, "signed", faults.not_clipped, S.test_ratings_off_the_scale_count_as_its_ends),
    Fault("0 to 1", S, "signed", faults.from_nought_to_1, S.test_signed_is_the_rating_between_minus_and_plus_1),
    Fault("0 to 1", S, "signed", faults.from_nought_to_1, S.test_stars_by_hand),
    Fault("all present", S, "presence", lambda r, n, scale, d: np.ones(n), S.test_presence_is_1_but_for_clear_dislikes),
    Fault("any scale", S, "RatingScale", type("Wrong", (S.RatingScale,), {"of": classmethod(lambda cls, x: S.STARS)}),
          S.test_as_many_steps_as_a_scale_may_have),
]  # fmt: skip


@pytest.mark.parametrize("fault", [*MODEL, *WORTHS, *STRENGTHS], ids=str)
def test_wrong_parts_are_caught(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault.where, fault.name, fault.faulty)
    must_fail(fault.test, *fault.args)


@pytest.mark.parametrize(
    "faulty",
    [
        worths_with(temperature=lambda T: 2 * T),
        worths_with(beta=lambda beta: 0.9 * beta),
        worths_with(tau=lambda tau: tau + 1),
        worths_with(w=np.abs),
        worths_with(indptr=lambda indptr: indptr[[0, -1]]),
    ],
)
def test_wrong_worths_are_caught(faulty: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(W, "fit_feature_worths", faulty)
    must_fail(W.test_worths_are_the_ridge_solution, 0.2, 1.0, 0.5, 2, monkeypatch)


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


def test_oracle_of_the_ridge_problem_stands_where_its_loss_is_level() -> None:
    rng = np.random.default_rng(0)
    p, b = naive.Prefixes(rng.normal(size=(7, 3)), np.array([0, 1, -1, 0, 1, 1, 0])), np.array([0.3, 0.4])
    best = naive.ridge(p, b, 0.7)
    level = naive.gradient(lambda X: naive.ridge_loss(p, X, b, 0.7), best)
    assert_within(level, np.zeros(best.shape), absolute=1e-8)
    steep = naive.gradient(lambda X: naive.ridge_loss(p, X, b, 0.7), best + 0.01)
    with pytest.raises(AssertionError):
        assert_within(steep, np.zeros(best.shape), absolute=1e-8)


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
        (heads.content(), lambda p: not p.features.names),
        (heads.content(), lambda p: p.theta > 0 and p.beta < 1 and (p.features.norm == 1).any()),
        (heads.collaborative(), lambda p: len(p.tau) > 1 and 0 < p.form.warm.size < heads.M),
        (heads.histories(), lambda h: len(h) > 3 and not h.live.all() and len(set(h.item)) < len(h)),
        (test_pool.pooled(), lambda c: (c.row < 0).any() and (c.row >= 0).any() and len(c.ptr) > 2),
        (test_content.contents(), lambda c: not c.F.any(axis=1).all() and c.F.any() and c.g.size > 1),
    ],
)
def test_strategy_draws(strategy: st.SearchStrategy[Any], wanted: Callable[[Any], bool]) -> None:
    find(strategy, wanted, settings=settings(max_examples=2000, derandomize=True, database=None))
