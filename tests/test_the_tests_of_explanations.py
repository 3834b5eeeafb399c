"""The tests of explanations are tested: ranks, differences, claims of exactness.

As in test_the_tests.py: a fault takes the place of the function under test, and the test has to fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.explain import test_cache, test_counterfactual, test_difference, test_edit, test_lists, test_why_not
from tests.planting import Fault, must_fail
from tests.recommenders import test_contract
from xattn.explain import cache, counterfactual
from xattn.explain.cache import HistoryCache
from xattn.explain.compare import difference, edit, why_not
from xattn.explain.question import comes_before
from xattn.kernels.minimal import NONE, SPENT
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.heads.content import ContentPart
from xattn.model.heads.deep import DeepPart
from xattn.model.heads.field import fields_masked
from xattn.model.heads.learned import LearnedPart
from xattn.model.heads.part import Part
from xattn.recommenders import UserAttention
from xattn.recommenders.scoring import Scoring


@pytest.fixture(autouse=True)
def _nothing_kept() -> Any:
    """What a fault computed is not kept for the tests that follow, nor the other way round."""
    cache._last.clear()
    yield
    cache._last.clear()


# --- ranks ------------------------------------------------------------------------------------------------------------


def near_ties_guessed(self: Any, items: Any, close: Any, target: int, events: Any) -> np.ndarray:
    own, scores = self.without_each(target), self.scorer.scores_without_each(self.history, items)
    return np.count_nonzero(comes_before(scores, items[:, None], own, target)[:, events] & close, axis=0)


def settled_for_32_events(self: Any, items: Any, close: Any, target: int, events: Any) -> np.ndarray:
    guessed = near_ties_guessed(self, items, close, target, events)
    first = np.flatnonzero(close.any(axis=0))[:32]
    guessed[first] = SETTLED(self, items, close, target, events)[first]
    return guessed


SETTLED = HistoryCache._close_ahead
OF_MANY = Scoring.contributions_of


def as_announced(self: Any, events: np.ndarray, items: np.ndarray) -> np.ndarray:
    return np.asarray(self.scorer.scores_without_each(self.history, items)[:, events].T)


def one_unit_off(masked: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    return lambda *args: np.nextafter(masked(*args), np.inf)


def summed_at_last(self: CollaborativePart, events: Any, w: Any, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The same sums from the fields: head by head, not in one go."""
    return fields_masked(self.fields(events, w, targets), live, np.zeros(len(targets)))


def by_parts(name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        test_cache.test_masked_scores_are_bit_for_bit_the_served_ones(name, 0, patch)


RANKS = [
    Fault("near ties guessed", HistoryCache, "_close_ahead", near_ties_guessed,
          test_cache.test_near_ties_of_a_long_history_are_ranked_as_they_are_served),
    Fault("settled for 32 events", HistoryCache, "_close_ahead", settled_for_32_events,
          test_cache.test_near_ties_of_a_long_history_are_ranked_as_they_are_served),
    Fault("no tie is near", cache, "TIED", -1.0,
          test_cache.test_near_ties_of_a_long_history_are_ranked_as_they_are_served),
    Fault("lists as announced", HistoryCache, "served_without_each", as_announced,
          test_lists.test_lists_full_of_near_ties_are_those_served),
    *(
        Fault("one unit in the last place", where, "scores_masked", one_unit_off(where.scores_masked),
              by_parts, (name,))
        for where, name in ((Scoring, "item knn"), (UserAttention, "users"), (Part, "neural"),
                            (CollaborativePart, "ease"), (ContentPart, "content"))
    ),
    Fault("head by head", CollaborativePart, "scores_masked", summed_at_last,
          by_parts, ("collaborative f64",)),
]  # fmt: skip

# --- contributions to a whole list -----------------------------------------------------------------------------------


def newest_left_out(of: Callable[..., None]) -> Callable[..., None]:
    """The newest event gives nothing."""

    def wrong(self: Any, out: np.ndarray, *args: Any) -> None:
        before = out[:, -1].copy()
        of(self, out, *args)
        out[:, -1] = before

    return wrong


CONTRIBUTIONS = [
    Fault("the newest event left out", where, "add_contributions", newest_left_out(where.add_contributions),
          test_contract.test_contributions_to_many_are_the_sums_of_the_cells, (name,))
    for where, name in ((Part, "content"), (LearnedPart, "sequence"), (DeepPart, "sequence deep"))
]  # fmt: skip
CONTRIBUTIONS += [
    Fault("those of the first target", Scoring, "contributions_of",
          lambda self, history, targets: np.repeat(OF_MANY(self, history, targets[:1]), len(targets), axis=0),
          test_contract.test_contributions_to_many_are_the_sums_of_the_cells, ("item knn",))
]  # fmt: skip

# --- differences ------------------------------------------------------------------------------------------------------


def by_name_alone(names: Iterable[Any]) -> list[Any]:
    return [(name, 0) for name in names]


def one_head_of_a_name(names: Iterable[Any]) -> list[Any]:
    found = OCCURRENCES(names)
    return [(name, 0) for name, _ in found] if all(isinstance(name, str) for name, _ in found) else found


OCCURRENCES = difference.occurrences
CELLS = difference._cells

DIFFERENCES = [
    Fault("cells by printed names", difference, "occurrences", by_name_alone,
          test_difference.test_what_prints_alike_adds_up, ("hybrid",)),
    Fault("one head and one event of a name", difference, "occurrences", one_head_of_a_name,
          test_difference.test_what_prints_alike_adds_up, ("collaborative",)),
    Fault("features of one model by name", difference, "_cells", lambda ledger, one_model: CELLS(ledger, False),
          test_difference.test_a_feature_of_two_items_of_one_model_meets_itself),
]  # fmt: skip

# --- claims of exactness ----------------------------------------------------------------------------------------------

SEARCH, ANSWER = counterfactual.smallest_of_size, counterfactual.counterfactual
CLAIMS = test_counterfactual.test_what_is_claimed_holds_whenever_time_runs_out
NO_TIME = test_counterfactual.test_a_search_that_ran_out_of_time_proves_nothing


def out_of_time_is_proof(*args: Any) -> Any:
    status, events = SEARCH(*args)
    return NONE if status == SPENT else status, events


def with_claim(**claims: Callable[[Any], Any]) -> Callable[..., Any]:
    def wrong(*args: Any) -> Any:
        found = ANSWER(*args)
        return replace(found, **{name: claim(found) for name, claim in claims.items()})

    return wrong


always_exact = with_claim(exact=lambda found: True)
needs_what_was_found = with_claim(at_least=lambda found: len(found.positions), exact=lambda found: True)
not_found_is_proof = with_claim(exact=lambda found: found.exact or not found.found)
never_exact = with_claim(exact=lambda found: False)

ADDED, EDIT = why_not._added, edit.minimal_edit


def edit_always_exact(*args: Any, **options: Any) -> Any:
    return replace(EDIT(*args, **options), exact=True)


@pytest.mark.parametrize(
    ("faulty", "test", "args"),
    [
        (always_exact, NO_TIME, ("hybrid", "u22", 5, "i1")),
        (always_exact, NO_TIME, ("sequence", "u32", 3, "i9")),
        (always_exact, CLAIMS, ("item knn", 0.0)),
        (needs_what_was_found, NO_TIME, ("users", "u4", 3, "i4")),
        (needs_what_was_found, CLAIMS, ("hybrid", 0.0)),
        (not_found_is_proof, NO_TIME, ("neural", "u19", 3, "i34")),
        (never_exact, test_counterfactual.test_of_few_events_every_set_is_tried, ()),
    ],
)
def test_wrong_claims_are_caught(faulty: Any, test: Any, args: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from xattn.explain import ledger

    monkeypatch.setattr(ledger, "counterfactual", faulty)
    patch = () if test is test_counterfactual.test_of_few_events_every_set_is_tried else (monkeypatch,)
    must_fail(test, *args, *patch)


@pytest.mark.parametrize(
    ("test", "args"), [(NO_TIME, ("hybrid", "u22", 5, "i1")), (CLAIMS, ("hybrid", 0.0)), (CLAIMS, ("item knn", 0.0))]
)
def test_time_that_ran_out_is_no_proof(test: Any, args: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counterfactual, "smallest_of_size", out_of_time_is_proof)
    must_fail(test, *args, monkeypatch)


OTHER_CLAIMS = [
    Fault("always exact", why_not, "_added", lambda *args: replace(ADDED(*args), exact=True),
          test_why_not.test_exact_is_said_of_a_single_event_alone, ("hybrid",)),
    Fault("exact where found", why_not, "_added", lambda *args: replace(ADDED(*args), exact=ADDED(*args).found),
          test_why_not.test_exact_is_said_of_a_single_event_alone, ("content",)),
    Fault("always exact", test_edit, "minimal_edit", edit_always_exact,
          test_edit.test_exact_is_said_where_the_lead_is_linear, ("cosine", True, "multiply")),
    Fault("always exact", test_edit, "minimal_edit", edit_always_exact,
          test_edit.test_exact_is_said_where_the_lead_is_linear, ("dot", False, "multiply")),
]  # fmt: skip


@pytest.mark.parametrize("fault", [*RANKS, *CONTRIBUTIONS, *DIFFERENCES, *OTHER_CLAIMS], ids=str)
def test_wrong_explanations_are_caught(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault.where, fault.name, fault.faulty)
    must_fail(fault.test, *fault.args)
