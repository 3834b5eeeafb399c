"""A difference is the two scores' difference to the last cell, whatever sets them apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import MODELS, SINGLE, fitted, tolerance
from xattn import InputError
from xattn.explain import Difference, compare

every_model = pytest.mark.parametrize("name", MODELS)


def check(difference: Difference, single: bool) -> None:
    cells, events = difference.cells, difference.events()
    total = difference.a.score - difference.b.score
    gap = 2 * tolerance(max(abs(difference.score_a), abs(difference.score_b)), single)
    assert difference.total == total
    assert abs(cells["difference"].sum() - total) <= gap
    assert abs(events["difference"].sum() - total) <= gap
    assert cells["head"].iloc[0] == "base"
    assert events["event"].iloc[0] == ""
    assert cells["contribution_a"].sum() == pytest.approx(difference.score_a, abs=gap)
    assert cells["contribution_b"].sum() == pytest.approx(difference.score_b, abs=gap)
    assert not cells.duplicated(["head", "position_a", "position_b", "feature"]).any()
    assert events["difference"].iloc[1:].abs().is_monotonic_decreasing


@every_model
@given(user=st.integers(0, 119), a=st.integers(0, 39), b=st.integers(0, 39))
@settings(max_examples=10)
def test_two_items_of_one_person(name: str, user: int, a: int, b: int) -> None:
    model = fitted(name)
    first, second = (model.explain(user=f"u{user}", item=f"i{item}") for item in (a, b))
    difference = first - second
    check(difference, name in SINGLE)
    cells = difference.cells.iloc[1:]
    assert (cells["position_a"] == cells["position_b"]).all(), "the history is the same"
    assert (second - first).total == -difference.total


@pytest.mark.parametrize("name", ["hybrid", "hybrid cold", "users", "sequence", "item knn"])
@given(user=st.integers(0, 119), item=st.integers(0, 39), drop=st.sets(st.integers(0, 5), max_size=3))
@settings(max_examples=10)
def test_one_item_before_and_after(name: str, user: int, item: int, drop: set[int]) -> None:
    model = fitted(name)
    history = model.history(f"u{user}")
    drop = {p for p in drop if p < len(history) - 1}
    now, before = (model.explain(history=h, item=f"i{item}") for h in (history, history.without(sorted(drop))))
    difference = now - before
    check(difference, name in SINGLE)
    gone = difference.events().query("position_b == -1 and event != ''")
    assert set(gone["position_a"]) == drop


def test_one_item_of_two_models() -> None:
    a, b = (fitted(name).explain(user="u3", item="i2") for name in ("hybrid", "item knn"))
    check(a - b, True)
    assert set((a - b).cells["head"]) >= {"base", "similar items"}


def test_an_event_that_came_twice_meets_itself() -> None:
    model = fitted("hybrid")
    history = [("i1", 5.0), ("i2", 4.0), ("i1", 5.0)]
    difference = model.explain(history=history, item="i5") - model.explain(history=history[:2], item="i5")
    check(difference, True)
    twice = difference.events().query("event == 'i1'")
    assert sorted(zip(twice["position_a"], twice["position_b"], strict=True)) == [(0, 0), (2, -1)]


def test_an_item_less_itself_is_nothing() -> None:
    ledger = fitted("hybrid").explain(user="u3", item="i2")
    assert (ledger - ledger).total == 0.0
    assert ((ledger - ledger).cells["difference"] == 0).all()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_is_told_in_words(lang: str) -> None:
    a, b = (fitted("hybrid").explain(user="u3", item=item) for item in ("i2", "i5"))
    text = compare(a, b).text(lang)
    assert a.title in text
    assert b.title in text
    told = compare(a, b).to_dict()
    assert told["text"][lang] == text
    assert told["total"] == a.score - b.score


@pytest.mark.parametrize("wrong", [3, None, "ledger"])
def test_what_is_no_ledger_is_refused(wrong: object) -> None:
    ledger = fitted("hybrid").explain(user="u3", item="i2")
    with pytest.raises(InputError, match="`a` and `b` must be ledgers"):
        compare(ledger, wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        ledger - wrong  # type: ignore[operator]
