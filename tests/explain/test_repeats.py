"""Items that were met many times: what is announced of an item is what is served without all its events.

Every recommender is fitted to made-up plays in which people come back to the same few items; some have ratings, some
types of events, and times that tie.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from xattn import InputError, Interactions
from xattn.explain import DEPTHS, explain_list, list_changes
from xattn.recommenders import Recommender
from xattn.recommenders.registry import model_class, model_names
from xattn.testing.texts import mismatches

K = 3
SMALL = {"NeuralAttention": {"epochs": 2}, "SequenceAttention": {"epochs": 2, "min_events": 1}}


def plays(seed: int, rated: bool = False, typed: bool = False) -> Interactions:
    """Thirty people, each with twenty plays of five to seven of twelve songs."""
    rng = np.random.default_rng(seed)
    lines = [
        (f"p{u}", f"s{int(song):02}", t // 2)
        for u in range(30)
        for t, song in enumerate(rng.choice(rng.permutation(12)[: rng.integers(5, 8)], 20))
    ]
    frame = pd.DataFrame(lines, columns=["user", "item", "time"])
    if rated:
        frame["rating"] = rng.integers(1, 6, len(frame)).astype(float)
    if typed:
        frame["type"] = rng.choice(["play", "skip"], len(frame))
    return Interactions.from_frame(frame)


@cache
def model(name: str, rated: bool = False, typed: bool = False) -> Recommender:
    return model_class(name)(**SMALL.get(name, {})).fit(plays(1, rated, typed))


KINDS = [(False, False), (True, True)]
each_model = pytest.mark.parametrize("name", model_names())
each_kind = pytest.mark.parametrize(("rated", "typed"), KINDS, ids=["plain", "rated and typed"])


@each_model
@each_kind
@pytest.mark.parametrize("seen", ["drop", "keep"])
def test_what_is_announced_of_an_item_is_served_without_it(name: str, rated: bool, typed: bool, seen: str) -> None:
    fitted = model(name, rated, typed)
    for user in ("p0", "p7", "p23"):
        for item in fitted.data_.items.ids:
            why = fitted.explain(user=user, item=item, seen=seen)
            assert seen == "drop" or why.rank is not None
            rows = why.removals()
            assert rows["event"].is_unique
            assert rows["times"].sum() == 20
            assert why.by("event")["contribution"].sum() == pytest.approx(why.score - why.base, abs=1e-9)
            for row in rows.to_dict("records"):
                without = fitted.history(user=user, without=[row["event"]])
                assert fitted.scores_of(without)[why.question.target] == pytest.approx(row["score_without"], abs=1e-9)
                served = fitted.recommend(user=user, k=fitted.data_.n_items, without=[row["event"]], seen=seen)
                rank = served.loc[served["item"] == item, "rank"].tolist()
                assert rank == ([row["rank_without"]] if why.rank is not None else [])


@each_model
@pytest.mark.parametrize("seen", ["drop", "keep"])
def test_the_counterfactual_is_the_smallest_set_of_items(name: str, seen: str) -> None:
    fitted = model(name)
    for user in ("p1", "p2", "p3", "p4"):
        listed = fitted.recommend(user=user, k=K, seen=seen)["item"].tolist()
        why = fitted.explain(user=user, item=listed[0], k=K, seen=seen)
        found, items = why.counterfactual(), why.removals()["event"].tolist()
        if not found.found:
            assert listed[0] in fitted.recommend(user=user, k=K, without=items, seen=seen)["item"].tolist()
            continue
        assert len(set(found.remove)) == len(found.remove)
        assert listed[0] not in fitted.recommend(user=user, k=K, without=found.remove, seen=seen)["item"].tolist()
        assert sorted(found.positions) == why.history.alike(found.positions).tolist()
        if found.exact and len(found.remove) == 2:
            for one in items:
                assert listed[0] in fitted.recommend(user=user, k=K, without=[one], seen=seen)["item"].tolist()


@each_model
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_words_say_an_item_once_with_its_times(name: str, lang: str) -> None:
    fitted = model(name)
    for user in ("p0", "p5", "p9"):
        why = fitted.explain(user=user, item=fitted.recommend(user=user)["item"].iloc[0])
        for depth in DEPTHS:
            assert mismatches(why, lang, depth) == []
        if (why.rows.contribution > 0).any():
            assert {"en": " times)", "zh": " 次）"}[lang] in why.text(lang)


@each_model
@pytest.mark.parametrize("seen", ["drop", "keep"])
def test_lists_are_explained_by_item(name: str, seen: str) -> None:
    fitted = model(name)
    whole = explain_list(fitted, "p4", k=K, seen=seen)
    assert whole.items.equals(fitted.recommend("p4", k=K, seen=seen))
    for row in whole.events().to_dict("records"):
        served = fitted.recommend(user="p4", k=K, without=[row["event"]], seen=seen)["item"].tolist()
        assert whole.without(row["position"])["item"].tolist() == served
        assert row["leaves"] == len(set(whole.items["item"]) - set(served))


@each_model
def test_what_would_bring_in_something_met_before_does(name: str) -> None:
    """A song that was played and is not in the list: further plays bring it in, among lists that may repeat."""
    fitted, found = model(name), 0
    for user in ("p2", "p6", "p11"):
        listed = fitted.recommend(user=user, k=12, seen="keep")["item"].tolist()
        met = {fitted.data_.items.ids[j] for j in fitted.history(user=user).item}
        for item in [one for one in listed[K:] if one in met][:2]:
            missing = fitted.explain(user=user, item=item, k=K, seen="keep").why_not()
            assert (missing.rank, missing.cutoff) == (listed.index(item) + 1, listed[K - 1])
            if missing.added.found:
                rows = fitted.data_.items.rows(missing.added.items)
                after = fitted.history(user=user).followed_by(rows)
                again = fitted.recommend(history=after, k=K, seen="keep")["item"].tolist()
                assert again.index(item) + 1 == missing.added.rank_after
                found += 1
    assert found or name in ("Popularity", "ContentAttention")  # these songs have no features


def test_a_list_that_may_repeat_changes_as_it_is_told() -> None:
    fitted = model("ItemKNN")
    changes = list_changes(fitted, ["s01", "s02"], ["s01", "s02", "s02"], k=K, seen="keep")
    for column, history in (("rank_before", ["s01", "s02"]), ("rank_after", ["s01", "s02", "s02"])):
        listed = fitted.recommend(history=history, k=K, seen="keep")["item"].tolist()
        ranked = changes.items[changes.items[column] > 0].sort_values(column)
        assert ranked["item"].tolist() == listed


def test_one_occurrence_is_masked_by_its_number() -> None:
    fitted = model("CollaborativeAttention")
    why = fitted.explain(user="p0", item="s03")
    for row in why.occurrences().to_dict("records"):
        scores = fitted.score(user="p0", without=[(row["event"], row["occurrence"])])
        assert scores[why.question.target] == pytest.approx(row["score_without"], abs=1e-12)
        masked = fitted.history(user="p0", without=[(row["event"], row["occurrence"])]).live
        assert np.flatnonzero(~masked).tolist() == [row["position"]]


@pytest.mark.parametrize("n", [0, 99, 1.5, "first"])
def test_an_occurrence_that_is_not_there_is_refused(n: object) -> None:
    fitted = model("CollaborativeAttention")
    event = fitted.explain(user="p0", item="s03").removals()["event"].iloc[0]
    with pytest.raises(InputError, match=r"`without` must be a whole number from 1 to \d+; got"):
        fitted.recommend(user="p0", without=[(event, n)])


def test_where_every_item_differs_nothing_is_grouped() -> None:
    frame = pd.DataFrame({"user": ["a"] * 4 + ["b"] * 4, "item": list("wxyzxyzw"), "time": [1, 2, 3, 4] * 2})
    history = model_class("EASE")().fit(Interactions.from_frame(frame)).history(user="a")
    assert history.newest.tolist() == [0, 1, 2, 3]
    assert not history.repeated.any()
