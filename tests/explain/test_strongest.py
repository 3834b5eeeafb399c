"""The strongest sets: each is what the model serves without it, and as good as all sets where that is said."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.explain.all_sets import asked_about, served
from tests.models import fitted
from tests.recommenders.foreign.models import data, ease, factors, fading
from xattn import InputError, read_interactions, wrap
from xattn.explain.strongest import strongest_sets

MADE = {
    "hybrid": lambda: fitted("hybrid"),
    "users": lambda: fitted("users"),
    "matrix": lambda: wrap(ease(data()), data()),
    "factors": lambda: wrap(factors(data()), data()),
    "function": lambda: wrap(fading(data()), data()),
}


@pytest.mark.parametrize("name", MADE)
def test_no_set_of_its_size_takes_more_and_what_is_announced_is_served(name: str) -> None:
    model = MADE[name]()
    for user in model.data_.user_ids[:4]:
        history, why = asked_about(model, user, 9, k=3)
        found = why.strongest(3)
        assert found["size"].tolist() == [1, 2, 3]
        for row in found.itertuples():
            assert row.exact
            lowest = min(one.score for one in served(model, why, history, row.size))
            assert row.score_without == pytest.approx(lowest, abs=1e-9)
            after = model.explain(history=history.without(list(row.positions)), item=why.item, k=3)
            assert (after.score, after.rank or 0) == (row.score_without, row.rank_without)
            assert row.effect == row.score_without - why.score
            assert {model.data_.items.ids[history.item[p]] for p in row.positions} == set(row.events)
        assert found["score_without"][0] == pytest.approx(why.removals()["score_without"].min(), abs=1e-9)


@pytest.mark.parametrize("name", MADE)
def test_by_lead_no_set_takes_it_further_down_and_a_lead_over_nothing_keeps_it_listed(name: str) -> None:
    model = MADE[name]()
    for user in model.data_.user_ids[:3]:
        history, why = asked_about(model, user, 7, k=2)
        for row in why.strongest(3, by="lead").itertuples():
            assert row.exact
            least = min(one.lead for one in served(model, why, history, row.size))
            assert row.lead_without == pytest.approx(least, abs=1e-9)
            if abs(row.lead_without) > 1e-9:
                assert (row.lead_without > 0) == (1 <= row.rank_without <= 2)
            after = model.explain(history=history.without(list(row.positions)), item=why.item, k=2)
            assert (after.score, after.rank or 0) == (row.score_without, row.rank_without)


def test_the_lead_looks_past_events_that_speak_for_all() -> None:
    """The first event carries the item and its rival alike; the second the item alone."""
    B = np.array([[0, 0, 5.0, 5.0], [0, 0, 1.0, 0.0], [0, 0, 0, 0], [0, 0, 0, 0.1]])
    events = pd.DataFrame({"user": ["u", "u", "v", "v"], "item": ["a", "b", "c", "d"]})
    why = wrap(B, read_interactions(events)).explain("u", "c", k=1)
    assert why.strongest(1)["events"].tolist() == [("a",)]
    assert why.strongest(1, by="lead")["events"].tolist() == [("b",)]
    with pytest.raises(InputError, match="`by` must be"):
        why.strongest(1, by="rank")


def test_two_events_that_stand_in_for_each_other_are_found_together() -> None:
    """Neither of the first two is missed while the other is there: no order of single effects has them in front, and
    greedy removal takes the third first."""

    def value(live: np.ndarray) -> np.ndarray:
        return np.maximum(live[:, 0], live[:, 1]) * 5.0 + live[:, 2:] @ np.array([1.0, 0.5, 0.2])

    found = strongest_sets(value, 5, 2)
    assert [one.events for one in found] == [(2,), (0, 1)]
    assert [one.score for one in found] == pytest.approx([5.7, 1.7])


def test_a_set_is_exact_where_all_of_its_size_were_asked_about() -> None:
    said = np.random.default_rng(0).normal(size=12)
    asked = []

    def value(live: np.ndarray) -> np.ndarray:
        asked.append(len(live))
        return np.tanh(0.2 * (live @ said))

    wide = strongest_sets(value, 12, 4, budget=1000)
    assert [one.exact for one in wide] == [True] * 4
    assert asked == [12, 1, 66, 220, 495]
    asked.clear()
    narrow = strongest_sets(value, 12, 4, budget=70)
    assert [one.exact for one in narrow] == [True, True, False, False]
    assert max(asked[2:]) <= 70
    assert [one.events for one in narrow] == [one.events for one in wide], "a sum in disguise is foretold well"


@given(seed=st.integers(0, 10_000), n=st.integers(1, 8), most=st.integers(1, 5), budget=st.integers(1, 80))
@settings(max_examples=60, deadline=None)
def test_scores_are_those_of_the_sets_and_exact_is_true(seed: int, n: int, most: int, budget: int) -> None:
    table = np.random.default_rng(seed).normal(size=2**n)  # any function of sets at all

    def value(live: np.ndarray) -> np.ndarray:
        return np.asarray(table[live @ (1 << np.arange(n))])

    found = strongest_sets(value, n, most, budget)
    assert len(found) == min(most, n)
    for size, one in enumerate(found, 1):
        assert len(set(one.events)) == size
        scores = []
        for some in combinations(range(n), size):
            live = np.ones((1, n), bool)
            live[0, list(some)] = False
            scores.append(float(value(live)[0]))
            if some == one.events:
                assert one.score == scores[-1]
        assert one.score >= min(scores)
        assert not one.exact or one.score == min(scores)


def test_nothing_in_sight_has_no_sets_and_numbers_are_checked() -> None:
    model = MADE["function"]()
    why = model.explain(history=model.history("u0").without(np.arange(len(model.history("u0")))), item="i0")
    assert why.strongest().empty
    with pytest.raises(InputError, match="`most` must be"):
        why.strongest(0)
    told: list[float] = []
    model.explain("u0", "i0").strongest(3, progress=lambda what, share: told.append(share))
    assert told == sorted(told)
    assert told
