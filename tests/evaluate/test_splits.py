"""The protocols holdout, time, rating and given: who is asked what, and that nothing of it was seen before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from xattn import ItemKNN, Popularity
from xattn.data import History, Interactions
from xattn.data.synthetic import planted
from xattn.errors import InputError
from xattn.evaluate import evaluate
from xattn.evaluate.holdout import drawn_per_user, questions_of
from xattn.evaluate.setup import liked
from xattn.recommenders import Recommender


def data() -> Interactions:
    return planted("genre", n_users=120, seed=0).data


def frame(rows: list[tuple[Any, ...]], columns: str = "user item rating time") -> Interactions:
    return Interactions.from_frame(pd.DataFrame(rows, columns=columns.split()), name="tiny")


class Oracle(Popularity):
    """Scores an item by the rating that its genre will get; sees no more than the data of its class."""

    truth: Interactions

    def scores_of(self, history: History) -> np.ndarray:
        scores = np.full(self.data_.n_items, 3.0)
        own = self.truth.events_of(int(history.user or 0))
        assert self.truth.rating is not None
        scores[self.truth.item[own]] = self.truth.rating[own]
        return scores


# --- liked ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratings", "positive", "wanted"),
    [
        ([0.5, 3.0, 3.5, 5.0], None, [False, False, True, True]),
        ([1.0, 3.0, 4.0, 5.0], None, [False, False, True, True]),
        ([1.0, 3.0, 4.0, 5.0], 3.0, [False, True, True, True]),
        ([2.0, 2.0, 2.0, 2.0], None, [True, True, True, True]),
    ],
)
def test_liked_is_the_upper_third_of_the_scale(
    ratings: list[float], positive: float | None, wanted: list[bool]
) -> None:
    rated = frame([("u", f"i{n}", rating, n) for n, rating in enumerate(ratings)])
    assert liked(rated, positive).tolist() == wanted


def test_without_ratings_all_is_liked() -> None:
    assert liked(frame([("u", "a"), ("u", "b")], "user item"), None).all()


# --- holdout ----------------------------------------------------------------------------------------------------------


def test_a_fifth_of_each_user_is_held_out_and_unseen() -> None:
    whole = data()
    held = drawn_per_user(whole, 0.2, np.random.default_rng(0))
    assert (np.bincount(whole.user, held) == np.diff(whole.indptr) // 5).all()
    questions = questions_of(whole, held, liked(whole, None), "drop")
    assert questions.train.n_events == whole.n_events - held.sum()
    for history, relevant in zip(questions.histories, questions.relevant, strict=True):
        own = whole.events_of(int(history.user or 0))
        wanted = {int(j) for j in whole.item[own][held[own] & liked(whole, None)[own]]}
        assert set(relevant.tolist()) == wanted
        assert history.item.tolist() == whole.item[own][~held[own]].tolist()


def test_each_event_is_held_out_alike() -> None:
    whole = data()
    times = sum(drawn_per_user(whole, 0.2, np.random.default_rng(seed)).astype(int) for seed in range(400))
    share = np.asarray(times)[whole.indptr[0] : whole.indptr[1]] / 400
    n = int(whole.indptr[1])
    assert abs(share - (n // 5) / n).max() < 0.1  # 4.5 standard errors


def test_holdout_depends_on_the_seed_alone() -> None:
    one, again, two = (
        evaluate(data(), [ItemKNN()], protocol="holdout", seed=seed)["rows"][0]["ndcg@10"] for seed in (1, 1, 2)
    )
    assert one == again != two


def test_holdout_counts_several_targets() -> None:
    whole = data()
    Oracle.truth = whole
    rows = evaluate(whole, [Oracle(), Popularity()], protocol="holdout", k=5)["rows"]
    assert rows[0]["hr@5"] >= rows[0]["recall@5"] >= rows[0]["precision@5"]
    assert rows[0]["ndcg@5"] > 0.9 > 0.5 > rows[1]["ndcg@5"]
    assert rows[0]["versus_first"] is None
    assert rows[1]["versus_first"]["ndcg@5"] < 0.01


def test_a_higher_bar_asks_fewer_people() -> None:
    few, many = (evaluate(data(), [Popularity()], protocol="holdout", positive=bar)["users"] for bar in (5.0, 1.0))
    assert few < many
    with pytest.raises(InputError, match="who liked one held out; got none"):
        evaluate(data(), [Popularity()], protocol="holdout", positive=6.0)


# --- time -------------------------------------------------------------------------------------------------------------


def test_time_parts_at_one_moment() -> None:
    """Ten events; the last fifth are the two from time 8 on. Only v has both a past and a future."""
    rows = [("u", f"a{t}", 5.0, t) for t in range(6)] + [("v", "a0", 5.0, 6), ("v", "a1", 1.0, 7), ("v", "a5", 5.0, 8)]
    result = evaluate(frame([*rows, ("w", "a3", 5.0, 9)]), [Popularity()], protocol="time", k=3)
    assert result["users"] == 1
    assert result["rows"][0]["recall@3"] in (0.0, 1.0)
    seen: list[Interactions] = []

    class Spy(Popularity):
        def _fit(self, data: Interactions, progress: Any) -> None:
            seen.append(data)
            super()._fit(data, progress)

    evaluate(frame([*rows, ("w", "a3", 5.0, 9)]), [Spy()], protocol="time", k=3)
    assert seen[0].time is not None
    assert seen[0].time.max() == 7


def test_time_of_one_moment_is_refused() -> None:
    with pytest.raises(InputError, match="got one moment for all"):
        evaluate(frame([("u", "a", 5.0, 1), ("u", "b", 4.0, 1)]), [Popularity()], protocol="time", k=1)


# --- rating -----------------------------------------------------------------------------------------------------------


def test_rating_knows_a_model_that_knows() -> None:
    whole = planted("genre", n_users=300, seed=2).data
    Oracle.truth = whole
    result = evaluate(whole, {"oracle": Oracle, "Popularity": Popularity}, protocol="rating")
    oracle, popular = result["rows"]
    for name in ("accuracy", "precision", "recall", "f1", "auc"):
        assert oracle[name] == pytest.approx(1.0)
        assert popular[name] <= 1.0
        low, high = popular["ci95"][name]
        assert low <= popular[name] <= high
    assert oracle["rmse"] < 1e-9 < popular["rmse"]
    assert popular["versus_first"]["auc"] < 0.01
    assert 0 < result["liked"] < 1


def test_the_threshold_does_not_know_the_test() -> None:
    """Turning every rating of the test around leaves the threshold as it was."""
    whole = planted("genre", n_users=120, seed=2).data
    assert whole.rating is not None
    test = drawn_per_user(whole, 0.2, np.random.default_rng(0))
    turned = Interactions(
        whole.name,
        whole.user_ids,
        whole.items,
        whole.indptr,
        whole.item,
        np.where(test, 6.0 - whole.rating, whole.rating),
        whole.time,
    )
    one, other = (evaluate(d, [ItemKNN()], protocol="rating")["rows"][0] for d in (whole, turned))
    assert one["threshold"] == other["threshold"]
    assert one["accuracy"] != other["accuracy"]


def test_rating_refuses_a_bar_that_parts_nothing() -> None:
    for bar, got in ((0.0, "all"), (9.0, "none")):
        with pytest.raises(InputError, match=f"got {got} liked"):
            evaluate(data(), [Popularity()], protocol="rating", positive=bar)
    small = frame([("u", f"i{n}", 1.0 + n % 5, n) for n in range(6)])
    with pytest.raises(InputError, match="at least ten events"):
        evaluate(small, [Popularity()], protocol="rating", k=1)


def test_nan_scores_are_the_worst() -> None:
    class Nothing(Popularity):
        def scores_of(self, history: History) -> np.ndarray:
            return np.full(self.data_.n_items, np.nan)

    row = evaluate(data(), [Nothing()], protocol="rating")["rows"][0]
    assert row["auc"] == 0.5
    assert row["rmse"] > 0
    assert evaluate(data(), [Nothing()], protocol="holdout")["rows"][0]["mrr"] == 0.0


# --- given ------------------------------------------------------------------------------------------------------------


def given(test: list[tuple[Any, ...]], history: list[tuple[Any, ...]] | None = None, **more: Any) -> dict[str, Any]:
    train = [(f"u{u}", f"i{(u + t) % 6}", 4.0) for u in range(12) for t in range(3)]
    parts = {"test": frame(test, "user item rating")}
    if history:
        parts["history"] = frame(history, "user item rating")
    return evaluate(frame(train, "user item rating"), [ItemKNN()], protocol="given", k=3, **parts, **more)


def test_a_given_split_may_ask_for_people_who_are_new() -> None:
    result = given([("new", "i4", 1.0), ("u0", "i3", 5.0)], [("new", "i2", 5.0), ("new", "i3", 5.0)])
    assert (result["protocol"], result["users"]) == ("given", 2)
    assert result["rows"][0]["hr@3"] == 1.0


def test_a_given_history_takes_the_place_of_the_training_events() -> None:
    asked: list[History] = []

    class Spy(ItemKNN):
        def scores_of(self, history: History) -> np.ndarray:
            asked.append(history)
            return super().scores_of(history)

    train = frame([("u", "a", 4.0), ("u", "b", 4.0), ("v", "a", 4.0)], "user item rating")
    parts = {
        "history": frame([("u", "b", 2.0), ("u", "zz", 2.0), ("x", "a", 1.0)], "user item rating"),
        "test": frame([(user, "a", 4.0) for user in "uvxy"], "user item rating"),
    }
    evaluate(train, [Spy()], protocol="given", k=1, seen="keep", **parts)
    ids = [[train.items.ids[j] for j in history.item] for history in asked]
    assert ids == [["b"], ["a"], ["a"], []]
    assert [history.user for history in asked] == [0, 1, None, None]
    assert asked[0].unknown == ("zz",)


def test_an_item_that_training_lacks_is_missed() -> None:
    whole = given([("u0", "i3", 5.0)])["rows"][0]
    half = given([("u0", "i3", 5.0), ("u0", "nowhere", 5.0)])["rows"][0]
    assert (whole["recall@3"], half["recall@3"]) == (1.0, 0.5)
    assert given([("u0", "nowhere", 5.0)])["rows"][0]["mrr"] == 0.0


def test_a_bar_counts_only_what_was_liked() -> None:
    assert given([("u0", "i3", 5.0), ("u1", "i4", 1.0)], positive=3.0)["users"] == 1
    with pytest.raises(InputError, match="`test` must hold an event rated at least 6; got none in 'tiny'"):
        given([("u0", "i3", 5.0)], positive=6.0)


def test_next_item_as_a_given_split_is_the_same() -> None:
    from xattn.data.split import leave_last_out

    whole = data()
    split = leave_last_out(whole)
    test = np.zeros(whole.n_events, bool)
    test[split.target_event_index] = True
    models: list[Recommender] = [ItemKNN()]
    one = evaluate(whole, models)["rows"][0]
    other = evaluate(split.train, models, protocol="given", test=whole.select(test))["rows"][0]
    for name in ("ndcg@10", "mrr", "coverage", "popularity_bias", "ci95"):
        assert one[name] == other[name]
