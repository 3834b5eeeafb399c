"""Faults planted in sparse values and in the search of a catalogue: the tests that are to see them have to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.kernels import test_local, test_nearest
from tests.model import test_forms, test_local_form
from tests.planting import Fault, must_fail
from tests.tensor import test_nearest as test_search
from xattn.kernels import local
from xattn.model import value_table as forms
from xattn.model.fit import local_form
from xattn.model.value_table import SparseForm
from xattn.tensor import nearest as search

POOLED, SOLVED, FITTED = forms.add_pooled_sparse, local.local_solutions, local_form.fit_local_form
NEAREST, VALUES = test_nearest.kernel, local_form.local_values


def of_form(name: str, change: Callable[..., Any]) -> Callable[..., Any]:
    """A method of SparseForm whose arguments are changed first."""
    real = getattr(SparseForm, name)
    return lambda self, *args: real(self, *change(*args))


def solved_with(**change: Any) -> Callable[..., Any]:
    return lambda problem, *args: SOLVED(
        problem._replace(**{k: f(getattr(problem, k)) for k, f in change.items()}), *args
    )


def fitted_with(**change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda *args, **options: FITTED(*args, **options | {k: f(options[k]) for k, f in change.items()})


def searched(change_query: Any = lambda Q: Q, change: Any = lambda catalogue: catalogue) -> Callable[..., Any]:
    return lambda Q, catalogue, k: NEAREST(change_query(Q), change(catalogue), k)


FORMS = [
    Fault("row −1 wraps", forms, "add_pooled_sparse",
          lambda out, ptr, row, *rest: POOLED(out, ptr, row % max(len(rest[4]), 1), *rest),
          test_forms.test_pooled_scores_are_the_same),
    Fault("gates lost", forms, "add_pooled_sparse", lambda *args: POOLED(*args[:-1], np.ones_like(args[-1])),
          test_forms.test_pooled_scores_are_the_same),
    Fault("targets sorted", SparseForm, "values", of_form("values", lambda h, row, column: (h, row, np.sort(column))),
          test_forms.test_values_are_looked_up_the_same),
    Fault("mask lost", SparseForm, "add_approximate_without_each",
          of_form("add_approximate_without_each",
                  lambda out, a, *rest: (out, a._replace(live=np.ones_like(a.live)), *rest)),
          test_forms.test_approximate_scores_are_the_same),
    Fault("one gain too few", SparseForm, "reach", of_form("reach", lambda a, m: (a, m - 1)),
          test_forms.test_the_reach_is_the_same),
    Fault("first head for all", SparseForm, "heads", of_form("heads", lambda stay: ([0] * len(stay),)),
          test_forms.test_regressions_heads_and_files_see_the_same),
    Fault("|R|", SparseForm, "against", of_form("against", lambda R: (np.abs(R),)),
          test_forms.test_regressions_heads_and_files_see_the_same),
]  # fmt: skip

ROOM = test_local_form.test_with_room_for_all_values_it_is_the_closed_form
FITS = [
    Fault("2λ", test_local_form, "fit_local_form", fitted_with(lam=lambda x: 2 * x), ROOM),
    Fault("worth lost", test_local_form, "fit_local_form", fitted_with(worth=lambda x: None), ROOM),
    Fault("features lost", test_local_form, "fit_local_form", fitted_with(F=lambda x: None), ROOM),
    Fault("base lost", local_form, "local_solutions", solved_with(b=np.zeros_like), ROOM),
    Fault("explains itself", local_form, "local_solutions", solved_with(others=lambda x: False),
          test_local_form.test_with_room_for_all_it_is_ease),
    Fault("explains itself", local_form, "local_solutions", solved_with(others=lambda x: False),
          test_local_form.test_with_room_for_all_it_is_what_belongs),
    Fault("twice as many", test_local_form, "fit_local_form", fitted_with(n_neighbors=lambda K: 2 * K),
          test_local_form.test_no_target_has_more_values_than_allowed),
    Fault("told backwards", test_local_form, "local_values",
          lambda *args, progress: VALUES(*args, progress=lambda what, share: progress(what, 1 - share)),
          test_local_form.test_progress_goes_from_nothing_to_all),
    Fault("z lost", local, "local_solutions", solved_with(z=np.zeros_like),
          test_local.test_each_target_is_solved_over_the_largest_right_sides),
    Fault("features lost", local, "local_solutions", solved_with(F=lambda F: F[:, :0]),
          test_local.test_each_target_is_solved_over_the_largest_right_sides),
    Fault("worth lost", local, "pairs_of_targets",
          lambda occ, w, rho, c, worth, real=local.pairs_of_targets: real(occ, w, rho, c, np.ones_like(worth)),
          test_local.test_what_occurs_is_there_and_equals_the_whole_sums),
    Fault("always room", local, "pairs_of_prefixes",
          lambda *args, real=local.pairs_of_prefixes, **options: real(*args),
          test_local.test_more_pairs_than_there_is_room_for_are_not_made),
    Fault("always sound", local, "local_solutions", lambda *args: (*SOLVED(*args)[:2], True),
          test_local.test_a_problem_without_a_solution_is_said_to_be_unsound),
]  # fmt: skip

SEARCH = [
    Fault("bound too tight", test_nearest, "kernel", searched(change=lambda c: c._replace(longest=0.9998 * c.longest)),
          test_nearest.test_a_short_key_that_points_the_way_is_found, (np.float32,)),
    Fault("another key", test_nearest, "kernel", searched(change=lambda c: c._replace(key=np.sort(c.key))),
          test_nearest.test_keys_of_all_lengths, (1.0, np.float32, 1)),
    Fault("bound under 0", test_nearest, "kernel", searched(change=lambda c: c._replace(longest=c.longest - 1e20)),
          test_nearest.test_products_that_underflow_are_not_passed_over),
    Fault("NaN is 0", test_nearest, "kernel", searched(np.nan_to_num),
          test_nearest.test_what_is_not_finite_is_last_or_out),
    Fault("lengths count", search, "_unit", lambda X: X, test_search.test_cosine_ignores_lengths_and_a_vector_of_none),
    Fault("all allowed", search, "check_mask", lambda name, mask, size: np.ones(size, bool),
          test_search.test_only_what_is_allowed_is_found),
]  # fmt: skip


@pytest.mark.parametrize("fault", [*FORMS, *FITS, *SEARCH], ids=str)
def test_wrong_sparse_values_are_caught(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault.where, fault.name, fault.faulty)
    more = (monkeypatch,) if "monkeypatch" in fault.test.__code__.co_varnames else ()
    must_fail(fault.test, *more, *fault.args)


def test_an_unsolved_problem_that_passes_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_form, "local_solutions", lambda *args: (*SOLVED(*args)[:2], True))
    must_fail(test_local_form.test_what_cannot_be_solved_or_held_is_refused, monkeypatch, by=pytest.fail.Exception)
