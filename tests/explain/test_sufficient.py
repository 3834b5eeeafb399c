"""The sufficient sets: each is what the model serves with it alone, and as good as all sets where that is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.explain.all_sets import asked_about, served
from tests.explain.test_strongest import MADE
from xattn import InputError, read_interactions, wrap


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("by", ["score", "lead"])
def test_no_set_of_its_size_holds_up_more_and_what_is_announced_is_served(name: str, by: str) -> None:
    model = MADE[name]()
    for user in model.data_.user_ids[:3]:
        history, why = asked_about(model, user, 7, k=2)
        found = why.sufficient(3, by=by)
        assert found["size"].tolist() == [1, 2, 3]
        for row in found.itertuples():
            assert row.exact
            highest = max(getattr(one, by) for one in served(model, why, history, row.size, alone=True))
            held = row.score_alone if by == "score" else row.lead_alone
            assert held == pytest.approx(highest, abs=1e-9)
            gone = np.setdiff1d(history.newest, row.positions)
            alone = model.explain(history=history.without(history.alike(gone)), item=why.item, k=2)
            assert (alone.score, alone.rank or 0) == (row.score_alone, row.rank_alone)
            assert {model.data_.items.ids[history.item[p]] for p in row.positions} == set(row.events)
            if abs(row.lead_alone) > 1e-9:
                assert (row.lead_alone > 0) == (1 <= row.rank_alone <= 2)


def test_what_is_missed_most_need_not_be_what_holds_up_alone() -> None:
    """Of a and b either is enough, so neither is missed; c is missed, and holds up little alone."""
    events = pd.DataFrame({"user": ["u"] * 3 + ["v"] * 2, "item": ["a", "b", "c", "d", "e"]})
    data = read_interactions(events)
    a, b, c, d, e = data.items.rows(list("abcde")).tolist()

    def score(histories: list[np.ndarray]) -> np.ndarray:
        out = np.zeros((len(histories), data.n_items))
        for scores, history in zip(out, histories, strict=True):
            scores[d] = 5.0 * bool({a, b} & set(history.tolist())) + 1.0 * (c in history)
            scores[e] = 2.0
        return out

    why = wrap(score, data).explain("u", "d", k=1)
    assert why.strongest(1)["events"].tolist() == [("c",)]
    alone = why.sufficient(2)
    assert alone["events"][0] in (("a",), ("b",))
    assert alone["score_alone"].tolist() == [5.0, 6.0]
    assert alone["rank_alone"].tolist() == [1, 1]  # one event keeps it listed
    assert why.sufficient(3)["score_alone"].tolist() == [5.0, 6.0, 6.0]


def test_all_events_alone_are_the_history() -> None:
    model = MADE["users"]()
    history = model.history(model.data_.user_ids[0])
    history = history.without(np.arange(max(0, len(history) - 4)))
    item = model.recommend(history=history, k=1)["item"][0]
    why = model.explain(history=history, item=item)
    last = why.sufficient(99).iloc[-1]
    assert (last["size"], last["score_alone"], last["rank_alone"]) == (len(history.newest), why.score, why.rank)


def test_numbers_are_checked() -> None:
    model = MADE["matrix"]()
    why = model.explain(model.data_.user_ids[0], model.recommend(model.data_.user_ids[0], k=1)["item"][0])
    with pytest.raises(InputError, match="`most` must be"):
        why.sufficient(0)
    with pytest.raises(InputError, match="`by` must be"):
        why.sufficient(1, by="rank")
