"""What is said of a whole list is what the model serves when an event is masked, item by item."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.explain.ties import fitted_to_twins
from tests.models import MODELS, fitted
from xattn.explain import cache, explain_list, list_changes

every_model = pytest.mark.parametrize("name", MODELS)


@every_model
@given(user=st.integers(0, 119), k=st.integers(1, 8))
@settings(max_examples=6)
def test_lists_without_events_are_those_served(name: str, user: int, k: int) -> None:
    model, user_id = fitted(name), f"u{user}"
    found = explain_list(model, user_id, k=k)
    served = model.recommend(user_id, k=k)
    assert found.items.equals(served)
    events, history = found.events(), model.history(user_id)
    assert sorted(events["position"]) == list(range(len(history)))
    for row in events.to_dict("records"):
        after = model.recommend(history=history.without([row["position"]]), k=k)
        assert found.without(row["position"])["item"].tolist() == after["item"].tolist()
        assert row["leaves"] == len(set(served["item"]) - set(after["item"]))
        assert list(row["enters"]) == [item for item in after["item"] if item not in set(served["item"])]


def test_lists_full_of_near_ties_are_those_served() -> None:
    model = fitted_to_twins()
    history, found = model.history("u0"), explain_list(model, "u0", k=15)
    for position in range(len(history)):
        after = model.recommend(history=history.without([position]), k=15)
        assert found.without(position)["item"].tolist() == after["item"].tolist(), position


@every_model
def test_contributions_and_effects_are_sums_over_the_list(name: str) -> None:
    model = fitted(name)
    events = explain_list(model, "u3", k=4).events().set_index("position")
    ledgers = [model.explain("u3", item, k=4) for item in model.recommend("u3", k=4)["item"]]
    for column in ("contribution", "effect"):
        total = sum(ledger.events().set_index("position")[column].sort_index() for ledger in ledgers)
        np.testing.assert_allclose(events[column].sort_index(), total, atol=1e-9)


def test_conditions_of_the_list_hold_without_events_too() -> None:
    model = fitted("hybrid")
    found = explain_list(model, "u3", k=3, where={"genres": "comedy"}, exclude=["i1"])
    comedies = {
        i for i, g in zip(model.data_.items.ids, model.data_.items.frame["genres"], strict=True) if g == "comedy"
    }
    assert {item for enters in found.events()["enters"] for item in enters} <= comedies - {"i1"}


def test_a_history_that_is_too_long_to_keep_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted("hybrid")
    kept = explain_list(model, "u3").events()
    item = model.recommend("u3")["item"][2]
    ranks = model.explain("u3", item).removals()
    monkeypatch.setattr(cache, "MOST_KEPT", 0)
    cache._last.clear()
    try:
        assert explain_list(model, "u3").events().equals(kept)
        assert model.explain("u3", item).removals().equals(ranks)
    finally:
        cache._last.clear()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_is_told_in_words(lang: str) -> None:
    found = explain_list(fitted("hybrid"), "u3")
    worst = found.events().iloc[0]
    assert worst["title"] in found.text(lang)
    assert str(worst["leaves"]) in found.text(lang)
    assert found.to_dict()["text"][lang] == found.text(lang)
    popular = explain_list(fitted("popularity"), "u3")
    assert popular.events()["leaves"].eq(0).all()
    assert ("popular" if lang == "en" else "热门") in popular.text(lang)


# --- changes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hybrid", "users", "sequence"])
def test_changes_are_those_of_the_two_lists(name: str) -> None:
    model = fitted(name)
    history = model.history("u3")
    before, after = history.without([len(history) - 1, 1]), history
    changes = list_changes(model, before, after, k=5)
    old, new = (model.recommend(history=h, k=5).set_index("item")["rank"].to_dict() for h in (before, after))
    frame = changes.items.set_index("item")
    assert frame["rank_before"].to_dict() == {item: old.get(item, 0) for item in frame.index}
    assert frame["rank_after"].to_dict() == {item: new.get(item, 0) for item in frame.index}
    assert set(frame.index) == set(old) | set(new)
    for item in frame.index:
        difference = changes.of(item)
        assert frame.loc[item, "difference"] == difference.total
        assert difference.a.score == frame.loc[item, "score_after"]
    assert changes.of("i0").a.item == "i0", "any item may be asked for"


def test_changes_between_two_models_name_what_changed() -> None:
    changes = list_changes(fitted("hybrid"), {"user": "u3"}, {"user": "u3"}, model_before=fitted("item knn"))
    assert (changes.items["because"] != "").any()
    assert "ListChanges(" in repr(changes)
