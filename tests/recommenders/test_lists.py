"""Lists for one and for many, filtered and re-ranked: for every model the same promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.models import MODELS, fitted
from xattn import InputError, ItemKNN, NotFittedError, Popularity, UnknownIdError
from xattn.data import JoinedHistories
from xattn.data.filters import matching
from xattn.recommenders import Recommender, listing
from xattn.recommenders.listing import Listing

every_model = pytest.mark.parametrize("name", MODELS)
DRAMA = {"genres": "drama"}


def in_drama(model: Recommender) -> set[str]:
    return {model.data_.items.ids[j] for j in np.flatnonzero(matching(model.data_.items, DRAMA))}


# --- filters ----------------------------------------------------------------------------------------------------------


@every_model
def test_a_filter_takes_out_what_does_not_meet_it_and_nothing_else(name: str) -> None:
    model = fitted(name)
    whole = model.recommend(user="u3", k=40)
    met = whole[whole["item"].isin(in_drama(model))]
    assert 0 < len(met) < len(whole)
    found = model.recommend(user="u3", k=40, where=DRAMA)
    assert found["rank"].tolist() == list(range(1, len(met) + 1))
    pd.testing.assert_frame_equal(found.drop(columns="rank"), met.drop(columns="rank").reset_index(drop=True))


@every_model
def test_filters_meet_exclude_and_candidates(name: str) -> None:
    model = fitted(name)
    met = model.recommend(user="u3", k=40, where=DRAMA)["item"].tolist()
    other = next(item for item in model.recommend(user="u3", k=40)["item"] if item not in met)
    found = model.recommend(user="u3", k=40, where=DRAMA, exclude=met[:1], candidates=[other, *met[:3]])
    assert found["item"].tolist() == met[1:3]


@every_model
def test_ranks_of_an_explanation_are_those_of_the_filtered_list(name: str) -> None:
    model = fitted(name)
    asked: dict[str, Any] = {"where": DRAMA, "exclude": [model.recommend("u11", where=DRAMA)["item"][0]]}
    listed = model.recommend("u11", k=40, **asked)
    for row in listed.head(3).itertuples():
        ledger = model.explain("u11", row.item, **asked)
        assert ledger.rank == row.rank
        assert ledger.score == row.score
    last = model.explain("u11", listed["item"][2], **asked)
    for row in last.removals().itertuples():
        after = model.recommend("u11", k=40, without=[row.event], **asked)
        assert after.loc[after["item"] == last.item, "rank"].item() == row.rank_without


def test_what_the_filter_takes_out_is_explained_without_a_rank() -> None:
    model = fitted("hybrid")
    outside = next(item for item in model.recommend("u3")["item"] if item not in in_drama(model))
    assert model.explain("u3", outside, where=DRAMA).rank is None
    assert model.explain("u3", outside).rank is not None


def test_the_counterfactual_puts_an_item_of_the_filtered_list_in_place() -> None:
    model = fitted("hybrid")
    found = 0
    for user in ("u1", "u2", "u3", "u4", "u5"):
        first = model.recommend(user, k=1, where=DRAMA)["item"][0]
        instead = model.explain(user, first, k=1, where=DRAMA).counterfactual().replaced_by
        if instead is not None:
            assert instead in in_drama(model)
            found += 1
    assert found > 0


# --- many at once -----------------------------------------------------------------------------------------------------


def one_by_one(model: Recommender, people: dict[Any, dict[str, Any]], **asked: Any) -> pd.DataFrame:
    """The obvious version."""
    frames = [model.recommend(**person, **asked).assign(user=name) for name, person in people.items()]
    frame = pd.concat(frames, ignore_index=True)
    return frame[["user", "rank", "item", "title", "score", "base"]]


ASKED: list[dict[str, Any]] = [
    {},
    {"k": 3},
    {"k": 40, "where": DRAMA},
    {"exclude": ["i1", "i2"], "candidates": [f"i{j}" for j in range(12)]},
    {"diversity": 0.5},
]


@every_model
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: " ".join(asked) or "plain")
def test_many_users_are_each_alone(name: str, asked: dict[str, Any]) -> None:
    """Bit for bit."""
    model = fitted(name)
    users = ["u5", "u0", "u119", "u7"]
    pd.testing.assert_frame_equal(
        model.recommend_many(users, **asked), one_by_one(model, {user: {"user": user} for user in users}, **asked),
        check_exact=True,
    )  # fmt: skip


@every_model
def test_many_histories_are_each_alone(name: str) -> None:
    """Ratings or none, repeats, an item that is unknown; by place in a list or by name."""
    model = fitted(name)
    histories: dict[Any, Any] = {
        "ann": ["i1"],
        "bob": [("i2", 1.0), ("i3", 5.0), ("i2", 4.0)],
        "cat": ["i4", "?", "i5"],
    }
    want = one_by_one(model, {name: {"history": history} for name, history in histories.items()})
    pd.testing.assert_frame_equal(model.recommend_many(histories=histories), want, check_exact=True)
    listed = model.recommend_many(histories=list(histories.values()))
    want["user"] = want["user"].map({name: place for place, name in enumerate(histories)})
    pd.testing.assert_frame_equal(listed, want, check_exact=True)


@every_model
def test_scores_of_a_batch_are_those_of_each(name: str) -> None:
    """Known and new people, masked events, an empty history: the same bits in any company."""
    model = fitted(name)
    people = [model.history(f"u{row}") for row in range(6)]
    people += [people[0].without([0, 3]), people[1].without(range(len(people[1]))), model.history(history=["i7", "i7"])]
    together = model.scores_of_many(people)
    assert together.shape == (len(people), 40)
    for events, scores in zip(people, together, strict=True):
        np.testing.assert_array_equal(scores, model.scores_of(events))
    np.testing.assert_array_equal(model.scores_of_many(people[::-1]), together[::-1])
    assert model.scores_of_many([]).shape == (0, 40)


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fitted("ease")
    users = list(model.data_.user_ids[:7])
    whole = model.recommend_many(users)
    sizes = []
    scored = type(model).scores_of_many

    def counted(self: Recommender, people: Any) -> Any:
        sizes.append(len(people))
        return scored(self, people)

    monkeypatch.setattr(type(model), "scores_of_many", counted)
    monkeypatch.setattr(listing, "BLOCK", 3 * 40)
    pd.testing.assert_frame_equal(model.recommend_many(users), whole, check_exact=True)
    assert sizes == [3, 3, 1]


@pytest.mark.parametrize("name", ["collaborative", "collaborative one head", "hybrid"])
def test_the_batch_of_collaborative_heads_is_their_own_sum(name: str) -> None:
    """Several heads, a threshold, strengths that are not 1: what `CollaborativePart.scores` gives, to the bit."""
    model: Any = fitted(name)
    part = next(part for part in model.parts_ if hasattr(part, "form"))
    people = [model.history(f"u{row}") for row in range(5)]
    people.append(people[0].without([1]))
    got = np.zeros((len(people), 40))
    joined = JoinedHistories.of(people)
    part.add_scores_of_many(got, joined, model._strength(part.strength, joined))
    for events, scores in zip(people, got, strict=True):
        np.testing.assert_array_equal(scores, part.scores(events, model._strength(part.strength, events)))


def test_nobody_gets_an_empty_frame() -> None:
    model = fitted("popularity")
    columns = ["user", "rank", "item", "title", "score", "base"]
    assert model.recommend_many([]).columns.tolist() == columns
    assert model.recommend_many(histories={}).empty
    assert model.recommend_many(["u1"], candidates=[]).columns.tolist() == columns


def test_a_user_may_come_twice() -> None:
    twice = fitted("popularity").recommend_many(["u1", "u1"], k=2)
    assert twice["user"].tolist() == ["u1"] * 4
    assert twice["rank"].tolist() == [1, 2, 1, 2]


# --- diversity --------------------------------------------------------------------------------------------------------


@every_model
def test_diversity_moves_items_and_nothing_else(name: str) -> None:
    """Scores are the model's, bases too; 0 is the plain list; the best item stays first; more variety comes in."""
    model = fitted(name)
    plain = model.recommend("u3", k=8)
    assert model.recommend("u3", k=8, diversity=0.0).equals(plain)
    mixed = model.recommend("u3", k=8, diversity=0.7)
    assert mixed["item"].is_unique
    assert mixed["item"][0] == plain["item"][0]
    rows = model.data_.items.rows(mixed["item"])
    np.testing.assert_array_equal(mixed["score"], model.score("u3")[rows])
    np.testing.assert_array_equal(mixed["base"], model.base_[rows])
    assert not set(mixed["item"]) & {model.data_.items.ids[j] for j in model.history("u3").item}
    genres = model.data_.items.frame["genres"]
    assert genres[rows].nunique() == 4 >= genres[model.data_.items.rows(plain["item"])].nunique()


def test_diversity_keeps_to_the_filter() -> None:
    model = fitted("hybrid")
    allowed = in_drama(model)
    assert set(model.recommend("u3", k=5, where=DRAMA, diversity=0.9)["item"]) <= allowed


# --- refusals ---------------------------------------------------------------------------------------------------------

REFUSED = [
    (
        lambda m: m.recommend("u1", where={"genre": "x"}),
        InputError,
        "`where` must name a column of the items ('genres')",
    ),
    (
        lambda m: m.recommend("u1", where={"genres": "x"}),
        InputError,
        "`where` must name a value of 'genres' ('action', ",
    ),
    (lambda m: m.explain("u1", "i1", where="drama"), InputError, "`where` must be a mapping"),
    (lambda m: m.recommend("u1", diversity=2), InputError, "`diversity` must be a finite number >= 0 and <= 1; got 2."),
    (lambda m: m.recommend("u1", diversity="x"), InputError, "`diversity` must be a finite number"),
    (lambda m: m.recommend_many(), InputError, "exactly one of `users` and `histories` must be given; got none."),
    (lambda m: m.recommend_many(["u1"], histories=[["i1"]]), InputError, "must be given; got both."),
    (lambda m: m.recommend_many("u1"), InputError, "`users` must be a list of user ids; got 'u1'."),
    (lambda m: m.recommend_many(["u1", "nobody"]), UnknownIdError, "`user` must be one of the 120 users"),
    (lambda m: m.recommend_many([["u1"]]), InputError, "`user` must be an id"),
    (lambda m: m.recommend_many(histories="i1"), InputError, "`histories` must be a list of histories or a mapping"),
    (lambda m: m.recommend_many(histories=["i1"]), InputError, "`history` must be a list of item ids"),
    (lambda m: m.recommend_many(histories=[["i1"], []]), InputError, "`history` must hold at least one event"),
    (lambda m: m.recommend_many(histories=m.history("u1")), InputError, "`histories` must be a list of histories"),
    (lambda m: m.recommend_many(["u1"], k=0), InputError, "`k` must be a whole number from 1 to 40; got 0."),
    (lambda m: m.recommend_many(["u1"], exclude="i1"), InputError, "`exclude` must be a list of item ids; got 'i1'."),
]


@pytest.mark.parametrize(("call", "error", "sentence"), REFUSED)
def test_wrong_arguments_get_one_sentence(call: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error) as caught:
        call(fitted("popularity"))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_diversity_needs_features() -> None:
    from xattn import Interactions

    data = Interactions.from_frame(pd.DataFrame({"user": [1, 1, 2], "item": [10, 20, 30]}))
    with pytest.raises(InputError, match=r"`diversity` must be left out where items have no features; got 0\.3\."):
        Popularity().fit(data).recommend(1, diversity=0.3)


def test_before_fit() -> None:
    with pytest.raises(NotFittedError):
        Popularity().recommend_many(["u1"])


# --- the tests are tested ---------------------------------------------------------------------------------------------


def neighbours_bleed(self: Recommender, people: Any) -> np.ndarray:
    """A batch in which everybody's scores are touched by the one before."""
    alone = np.array([self.scores_of(events) for events in people]).reshape(len(people), self.data_.n_items)
    return alone + 1e-15 * np.roll(alone, 1, axis=0)


def seen_items_listed(self: Listing, history: Any) -> np.ndarray:
    return self.eligible


def best_of_all(self: Listing, scores: np.ndarray, histories: Any) -> Any:
    return [listing.Listed(np.argsort(-s, kind="stable")[: self.k], np.sort(s)[::-1][: self.k]) for s in scores]


FAULTS: list[tuple[Any, str, Any, Any]] = [
    (ItemKNN, "scores_of_many", neighbours_bleed, lambda: test_scores_of_a_batch_are_those_of_each("item knn")),
    (ItemKNN, "scores_of_many", neighbours_bleed, lambda: test_many_users_are_each_alone("item knn", {})),
    (Listing, "allowed", seen_items_listed, lambda: test_diversity_moves_items_and_nothing_else("item knn")),
    (Listing, "best", best_of_all, lambda: test_a_filter_takes_out_what_does_not_meet_it_and_nothing_else("item knn")),
]


@pytest.mark.parametrize("fault", FAULTS, ids=["bleed in scores", "bleed in lists", "seen", "unfiltered"])
def test_faults_are_caught(fault: tuple[Any, str, Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, faulty, test = fault
    monkeypatch.setattr(where, name, faulty)
    with pytest.raises(AssertionError):
        test()
