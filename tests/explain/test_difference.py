"""A difference is the two scores' difference to the last cell, whatever sets them apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import MODELS, SINGLE, fitted, tolerance
from xattn import History, HybridAttention, InputError, Interactions, ItemTable, Ledger
from xattn.explain import Difference, Question, compare
from xattn.model.heads.part import HeadCells
from xattn.recommenders import Recommender

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


# --- cells meet by place, however they are called ---------------------------------------------------------------------


class Alike:
    """A model that calls all its heads, blocks and features the same."""

    def __init__(self, model: Recommender, numbered: bool) -> None:
        self.model, self.numbered = model, numbered

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def cells_of(self, history: History, target: int) -> list[HeadCells]:
        renamed = []
        for head in self.model.cells_of(history, target):
            split = len(head.features)
            numbers = head.numbers if self.numbered else ()
            alike = {"features": ("feature",) * split, "blocks": ("block",) * split, "numbers": numbers}
            renamed.append(head._replace(name="head", **alike))
        return renamed


def ledger_of(scorer: Any, history: History, item: int) -> Ledger:
    return Ledger(scorer, Question(None, history, item, 5, np.ones(len(scorer.base_), bool)))


events = st.lists(st.tuples(st.sampled_from(("i1", "i2", "i3", "i17")), st.sampled_from((1.0, 4.0, 5.0))), min_size=1)


@pytest.mark.parametrize("name", ["hybrid", "hybrid cold", "content", "collaborative", "neural", "sequence"])
@given(before=events, after=events, a=st.integers(0, 39), b=st.integers(0, 39), numbered=st.booleans())
@settings(max_examples=25)
def test_what_prints_alike_adds_up(
    name: str, before: list[Any], after: list[Any], a: int, b: int, numbered: bool
) -> None:
    model = fitted(name)
    one, other = Alike(model, numbered), Alike(fitted("hybrid cold" if name == "hybrid" else "hybrid"), numbered)
    histories = [model.history(history=own) for own in (before, after)]
    for left, right, place in ((one, one, 0), (one, one, 1), (one, other, 1)):
        first, second = ledger_of(left, histories[0], a), ledger_of(right, histories[place], b)
        difference = first - second
        gap = 2 * tolerance(max(abs(first.score), abs(second.score)), True)
        assert difference.total == first.score - second.score
        assert abs(difference.cells["difference"].sum() - difference.total) <= gap
        assert abs(difference.events()["difference"].sum() - difference.total) <= gap
        for side, ledger in (("contribution_a", first), ("contribution_b", second)):
            listed = difference.cells[side].iloc[1:]
            assert sorted(listed[listed != 0]) == sorted(x for x in ledger.cells["contribution"] if x != 0)


def test_heads_and_features_that_differ_in_the_eighth_digit_add_up() -> None:
    rng = np.random.default_rng(1)
    ids = tuple(f"i{j}" for j in range(40))
    seconds = 1_700_000_000 + rng.integers(0, 300, 40)
    items = ItemTable(ids, ids, pd.DataFrame({"released": seconds}))
    rows = [(f"u{u}", f"i{rng.integers(40)}", float(rng.integers(1, 6))) for u in range(40) for _ in range(12)]
    data = Interactions.from_frame(pd.DataFrame(rows, columns=["user", "item", "rating"]), items)
    for settings_ in ({}, {"recency": (3.0, 3.0000001)}, {"min_events": 15, "kappa": 50.0}):
        model = HybridAttention(**settings_).fit(data)
        for a, b in (("i0", "i1"), ("i3", "i20"), ("i7", "i30")):
            difference = model.explain("u3", a) - model.explain("u3", b)
            gap = 2 * tolerance(max(abs(difference.score_a), abs(difference.score_b)), True)
            assert abs(difference.cells["difference"].sum() - difference.total) <= 1e-4 * gap


def test_a_feature_of_two_items_of_one_model_meets_itself() -> None:
    """Also where both items have features of that name that the other one lacks."""

    def cells(numbers: tuple[int, ...], values: tuple[float, ...]) -> HeadCells:
        alike = ("same",) * len(numbers)
        one = np.ones(1)
        return HeadCells("head", alike, one, one, np.array([values]), 1.0, ("block",) * len(numbers), numbers)

    told = {2: cells((4, 9), (1.0, 10.0)), 3: cells((9, 11), (20.0, 100.0))}
    model = Alike(fitted("hybrid"), True)
    model.cells_of = lambda history, target: [told[target]]  # type: ignore[method-assign]
    history = fitted("hybrid").history(history=["i1"])
    pairs = (ledger_of(model, history, 2) - ledger_of(model, history, 3)).cells.iloc[1:]
    found = sorted(zip(pairs["contribution_a"], pairs["contribution_b"], strict=True))
    assert found == [(0.0, 100.0), (1.0, 0.0), (10.0, 20.0)]


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
