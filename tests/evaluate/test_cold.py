"""The cold protocol: what is hidden reaches no fit, questions are what came before, and figures are known by hand."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
import pytest

from xattn import History, HybridAttention, InputError, Interactions, Popularity
from xattn.data.synthetic import planted
from xattn.evaluate import cold as cold_module
from xattn.evaluate import evaluate
from xattn.evaluate.cold import FEWEST, MOST, hidden_items, questions_of
from xattn.evaluate.rivals import GenrePopularity, Random


def data() -> Interactions:
    return planted("genre", n_users=120, seed=0).data


def hidden(seed: int = 0) -> np.ndarray:
    return hidden_items(data(), np.random.default_rng(seed))


class Oracle:
    """Scores hidden items first, the given item before all; notes what it was fitted on and asked."""

    def __init__(self, gap: float = 1.0) -> None:
        self.gap = gap
        self.asked: list[History] = []

    def fit(self, train: Interactions) -> Self:
        self.train = train
        return self

    def scores_of(self, history: History) -> np.ndarray:
        self.asked.append(history)
        return np.where(self.train.counts() == 0, self.gap, 0.0) + np.arange(self.train.n_items) * 1e-6


def test_a_tenth_of_what_has_enough_events_is_hidden() -> None:
    counts = data().counts()
    assert hidden().sum() == (counts >= FEWEST).sum() // 10
    assert counts[hidden()].min() >= FEWEST
    np.testing.assert_array_equal(hidden(), hidden())
    assert (hidden() != hidden(1)).any()


def test_no_event_with_a_hidden_item_reaches_the_fit_or_a_history() -> None:
    oracle = Oracle()
    result = evaluate(data(), {"oracle": lambda: oracle}, protocol="cold", k=5)
    assert not np.isin(oracle.train.item, np.flatnonzero(hidden())).any()
    assert oracle.train.n_items == data().n_items
    assert all(not np.isin(history.item, np.flatnonzero(hidden())).any() for history in oracle.asked)
    assert (result["cold"], result["asked"]) == (hidden().sum(), len(oracle.asked))


def test_questions_are_what_came_before() -> None:
    """u: a h b g h. Asked for h after a, for g after a b (h and a, b seen), and not for h again."""
    frame = pd.DataFrame({"user": list("uuuuuv"), "item": list("ahbghh")})
    tiny = Interactions.from_frame(frame)
    row = {name: tiny.items.row(name) for name in "ahbg"}
    cold = np.isin(np.arange(4), [row["h"], row["g"]])
    found = questions_of(tiny, tiny.select(~cold[tiny.item]), cold)
    assert [(q.user, q.target) for q in found] == [(0, row["h"]), (0, row["g"])]  # v did nothing before
    assert [q.history.item.tolist() for q in found] == [[row["a"]], [row["a"], row["b"]]]
    assert [q.history.age.tolist() for q in found] == [[0.0], [1.0, 0.0]]
    assert [q.seen.tolist() for q in found] == [[row["a"]], [row["a"], row["h"], row["b"]]]


def test_no_user_is_asked_too_often() -> None:
    train = data().select(~hidden()[data().item])
    found = questions_of(data(), train, hidden())
    assert np.bincount([q.user for q in found]).max() <= MOST
    every = np.ones(data().n_items, bool)
    every[:30] = False
    more = questions_of(data(), data().select(~every[data().item]), every)
    assert np.bincount([q.user for q in more]).max() == MOST


def test_who_puts_hidden_items_first_finds_them_all() -> None:
    row = evaluate(data(), {"oracle": Oracle}, protocol="cold", k=int(hidden().sum()))["rows"][0]
    k = int(hidden().sum())
    assert row[f"recall@{k}"] == row[f"cold_recall@{k}"] == 1.0
    assert row["mrr"] == row["cold_mrr"]
    assert row["cold_share"] > 0.9  # some had met one of them before


def test_who_puts_them_last_finds_none_and_still_orders_them() -> None:
    models = {"first": lambda: Oracle(1.0), "last": lambda: Oracle(-1.0)}
    first, last = evaluate(data(), models, protocol="cold", k=2)["rows"]
    assert last["recall@2"] == last["cold_share"] == 0.0
    assert last["cold_recall@2"] == first["cold_recall@2"] > 0
    assert last["mrr"] < first["mrr"]


def test_figures_are_means_over_users_not_over_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """u has two questions, one found; v one, found: (½ + 1)/2, where a mean over questions were ⅔."""
    rows = [("u", "a"), ("u", "h"), ("u", "g"), ("v", "a"), ("v", "h"), ("w", "b"), ("w", "c")]
    tiny = Interactions.from_frame(pd.DataFrame(rows, columns=["user", "item"]))
    cold = np.isin(np.arange(5), tiny.items.rows(["h", "g"]))
    monkeypatch.setattr(cold_module, "hidden_items", lambda data, rng: cold)
    likes_h = np.where(np.arange(5) == tiny.items.row("h"), 2.0, np.where(cold, -1.0, 0.0))

    class Fixed(Oracle):
        def scores_of(self, history: History) -> np.ndarray:
            return likes_h

    row = evaluate(tiny, {"fixed": Fixed}, protocol="cold", k=1)["rows"][0]
    assert row["recall@1"] == 0.75
    assert row["mrr"] == pytest.approx(((1 + 1 / 3) / 2 + 1) / 2)  # g stands behind b and c
    assert row["cold_recall@1"] == 1.0  # h was seen by then, so g is the only hidden one left


def test_content_finds_what_popularity_cannot() -> None:
    models = {
        "hybrid": lambda: HybridAttention(min_events=2, regularization=1.0),
        "popularity": Popularity,
        "genres": GenrePopularity,
        "random": Random,
    }
    hybrid, popularity, genres, random = evaluate(data(), models, protocol="cold", k=1)["rows"]
    assert popularity["recall@1"] == 0.0
    assert hybrid["cold_recall@1"] >= genres["cold_recall@1"] > random["cold_recall@1"]
    assert hybrid["versus_first"] is None
    assert set(genres["versus_first"]) == set(genres["ci95"])


def test_data_without_enough_items_is_refused() -> None:
    frame = pd.DataFrame({"user": ["u", "v"], "item": ["a", "b"]})
    with pytest.raises(InputError, match="`data` must hold ten items with at least 5 events each; got 0."):
        evaluate(Interactions.from_frame(frame), [Popularity()], protocol="cold", k=1)
    alone = [(f"u{n}", f"i{j}") for j in range(10) for n in range(j * 5, j * 5 + 5)]
    with pytest.raises(InputError, match="a user who did something before an event with a hidden item; got none."):
        evaluate(
            Interactions.from_frame(pd.DataFrame(alone, columns=["user", "item"])), [Popularity()], protocol="cold"
        )
