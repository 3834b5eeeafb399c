"""Re-ranked lists under a protocol: the list that is served, the ranks that follow from it, what variety costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.planting import must_fail
from xattn import History, InputError, Interactions, ItemKNN, ItemTable, Popularity
from xattn.data import leave_last_out, planted
from xattn.evaluate import evaluate
from xattn.evaluate.diverse import reordering
from xattn.evaluate.metrics import diversity as variety
from xattn.evaluate.metrics import per_user
from xattn.evaluate.questions import Questions
from xattn.evaluate.ranking import rank
from xattn.features import feature_set
from xattn.recommenders.rerank import diverse_list

ITEMS = ItemTable(tuple("abcdefg"), tuple("abcdefg"), pd.DataFrame({"kind": [*"xxyyzz", ""]}))


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Scores with ties and NaN, and what may be listed."""
    scores = draw(hnp.arrays(np.float64, 7, elements=st.sampled_from((0.0, 1.0, 2.0, 3.0, 9.0, np.nan))))
    return scores, draw(hnp.arrays(np.bool_, 7))


@given(cases(), st.integers(1, 7), st.sampled_from((0.2, 0.5, 1.0)))
def test_the_list_comes_first_and_the_rest_by_score(
    case: tuple[np.ndarray, np.ndarray], k: int, diversity: float
) -> None:
    scores, allowed = case
    listed = diverse_list(scores, allowed, k, diversity, feature_set(ITEMS).unit).tolist()
    ordered = reordering(ITEMS, k, diversity)
    assert ordered is not None
    got = ordered(scores, allowed)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(scores))
    order = sorted(np.flatnonzero(~np.isnan(got)), key=lambda j: -got[j])
    assert [int(j) for j in order[: len(listed)]] == listed
    for a in order[len(listed) :]:
        for b in order[len(listed) :]:
            assert (got[a] > got[b]) == (scores[a] > scores[b]), "ties stay ties"


def test_without_diversity_nothing_is_ordered() -> None:
    assert reordering(ItemTable.bare(["a"]), 2, 0.0) is None


def test_the_metrics_are_those_of_the_lists_that_recommend_serves() -> None:
    """NDCG, hit rate and variety of `recommend(diversity=…)`, worked out list by list."""
    data = planted("genre", n_users=80, seed=2).data
    split = leave_last_out(data)
    for diversity in (0.0, 0.4, 0.9):
        row = evaluate(data, [ItemKNN(n_neighbors=8)], k=5, diversity=diversity)["rows"][0]
        model = ItemKNN(n_neighbors=8).fit(split.train)
        gains, lists = [], []
        for user, target in zip(split.user.tolist(), split.item.tolist(), strict=True):
            served = model.recommend(history=History.of(split.train, user), k=5, diversity=diversity)
            lists.append(data.items.rows(served["item"]))
            place = np.flatnonzero(lists[-1] == target)
            gains.append(1 / np.log2(2 + place[0]) if len(place) else 0.0)
        if diversity > 0:  # without, items of one score count against the model, wherever `recommend` puts them
            assert row["ndcg@5"] == pytest.approx(np.mean(gains), rel=1e-12)
            assert row["hr@5"] == pytest.approx(np.mean(np.array(gains) > 0), rel=1e-12)
        assert row["diversity"] == pytest.approx(variety(lists, feature_set(data.items).unit), rel=1e-12)


def test_a_relevant_item_that_was_seen_is_found_where_lists_keep_it() -> None:
    """A repeat purchase."""
    data = Interactions("repeat", ("u",), ITEMS, np.array([0, 2]), np.array([0, 2]))
    model = Popularity().fit(data)
    asked = Questions(data, [History.of(data, 0)], [np.array([0])])
    found = rank(model, asked, 3, reordering(ITEMS, 3, 0.5))
    assert found.ranks[0].tolist() == [np.inf]
    assert 0 not in found.lists[0]
    found = rank(model, asked._replace(seen="keep"), 3, reordering(ITEMS, 3, 0.5))
    assert found.ranks[0].tolist() == [1.0]
    assert found.lists[0][0] == 0
    assert per_user(found.ranks, 3)["ndcg@3"].tolist() == [1.0]


@pytest.mark.parametrize("diversity", [-0.1, 1.1, "x", float("nan")])
def test_wrong_numbers(diversity: Any) -> None:
    with pytest.raises(InputError, match="`diversity` must be a finite number >= 0 and <= 1"):
        evaluate(planted("genre").data, [Popularity()], diversity=diversity)


@pytest.mark.parametrize("protocol", ["rating", "faithfulness"])
def test_protocols_without_lists(protocol: str) -> None:
    with pytest.raises(InputError, match=f"must be left out with the protocol {protocol}; got 0.5."):
        evaluate(planted("genre").data, [Popularity()], protocol=protocol, diversity=0.5)


def never() -> Popularity:
    raise AssertionError("a model was fitted before the refusal")


def test_items_without_features() -> None:
    data = Interactions.from_frame(pd.DataFrame({"user": [1, 1, 2, 2], "item": [10, 20, 30, 10]}))
    with pytest.raises(InputError, match="must be left out where items have no features"):
        evaluate(data, {"never fitted": never}, k=2, diversity=0.5)


def test_an_order_by_score_alone_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "reordering", lambda items, k, diversity: lambda scores, allowed: scores)
    must_fail(test_the_list_comes_first_and_the_rest_by_score)
