"""The tests of fitted models are tested: the closed form, the parts, their cells, worths and strengths.

As in test_the_tests.py: a fault takes the place of the function under test, and the test has to fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import find, settings
from hypothesis import strategies as st

from tests import faults_of_heads as faults
from tests import naive
from tests.checks import assert_within
from tests.model import heads, test_closed_form, test_collaborative, test_content_part, test_head, test_strength
from tests.planting import QUICK, Fault, must_fail
from xattn.errors import InputError
from xattn.model import value_table as forms
from xattn.model.fit import closed_form
from xattn.model.fit import worths as worths_model
from xattn.model.heads import field as head
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.content import ContentPart, ItemFeatures

F8 = (np.float64,)

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
    *of_parts("no gate", "fields", faults.without_gate, H.test_served_scores_are_those_of_the_fields),
    *(
        Fault(what, head, "head_cells", faulty, test)
        for what, faulty, test in (
            ("weights made to sum", faults.weights_made_to_sum, H.test_cells_and_base_add_up_to_the_score),
            ("weights made to sum", faults.weights_made_to_sum, H.test_each_event_of_a_head_adds_what_its_field_says),
            ("gate left out", faults.without_the_gate, H.test_cells_and_base_add_up_to_the_score),
            ("gate left out", faults.without_the_gate, H.test_each_event_of_a_head_adds_what_its_field_says),
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
        forms,
        "add_pooled",
        faults.adds_in_float32,
        H.test_float32_values_score_like_float64,
    ),
    Fault(
        "no row wraps",
        forms,
        "add_pooled",
        faults.adds_from_the_end,
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
        lambda self, *args, real=CollaborativePart.scores: real(replace(self, theta=0.0), *args),
        test_collaborative.test_by_hand,
    ),
    Fault(
        "T lost",
        ContentPart,
        "scores",
        lambda self, *args, real=ContentPart.scores: real(replace(self, temperature=1.0), *args),
        test_content_part.test_scores_equal_the_dense_sum,
    ),
    Fault(
        "signs",
        ContentPart,
        "cells",
        lambda self, *args, real=ContentPart.cells: real(replace(self, worth=np.abs(self.worth)), *args),
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

    def wrong(*args: Any, real: Any = worths_model.fit_feature_worths, **options: Any) -> np.ndarray:
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
          S.test_no_ratings_guesses_and_amounts_are_no_scale, (None,)),
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
    must_fail(W.test_worths_are_the_ridge_solution, 0.2, 1.0, 0.5, 2, 3000, monkeypatch)


# --- oracle, strategies ----------------------------------------------------------------------------------------------


def test_oracle_of_the_ridge_problem_stands_where_its_loss_is_level() -> None:
    rng = np.random.default_rng(0)
    p, b = naive.Prefixes(rng.normal(size=(7, 3)), np.array([0, 1, -1, 0, 1, 1, 0])), np.array([0.3, 0.4])
    best = naive.ridge(p, b, 0.7)
    level = naive.gradient(lambda X: naive.ridge_loss(p, X, b, 0.7), best)
    assert_within(level, np.zeros(best.shape), absolute=1e-8)
    steep = naive.gradient(lambda X: naive.ridge_loss(p, X, b, 0.7), best + 0.01)
    with pytest.raises(AssertionError):
        assert_within(steep, np.zeros(best.shape), absolute=1e-8)


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        (heads.content(), lambda p: not p.features.names),
        (heads.content(), lambda p: p.theta > 0 and p.beta < 1 and (p.features.norm == 1).any()),
        (heads.collaborative(), lambda p: len(p.memories) > 1 and 0 < p.form.warm.size < heads.M),
        (heads.histories(), lambda h: len(h) > 3 and not h.live.all() and len(set(h.item)) < len(h)),
    ],
)
def test_strategy_draws(strategy: st.SearchStrategy[Any], wanted: Callable[[Any], bool]) -> None:
    find(strategy, wanted, settings=settings(QUICK, max_examples=2000))
