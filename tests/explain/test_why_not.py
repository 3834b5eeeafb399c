"""The gap is the gap, cell by cell, and what is said to bring an item in does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.models import MODELS, SINGLE, fitted, tolerance
from xattn import History, InputError
from xattn.data.scale import Scale
from xattn.explain import WhyNot
from xattn.explain.compare.why_not import SERVED, _liked
from xattn.recommenders import Recommender

every_model = pytest.mark.parametrize("name", MODELS)


def outside(model: Recommender, user: str, place: int = 12, k: int = 5) -> WhyNot:
    item = model.recommend(user, k=30)["item"][place]
    return model.explain(user, item, k=k).why_not()


def with_events(model: Recommender, history: History, items: tuple[str, ...]) -> History:
    """The history a person has who then does these: the plain version."""
    rows, n = model.data_.items.rows(items), len(items)
    rating = history.rating
    if rating is not None:
        assert model.data_.rating is not None
        middle = (model.data_.rating.min() + model.data_.rating.max()) / 2
        liked = rating[rating >= middle]
        own = np.median(liked) if len(liked) else model.data_.rating.max()
        rating = np.r_[rating, np.full(n, own)]
    return replace(
        history,
        item=np.r_[history.item, rows],
        rating=rating,
        age=np.r_[history.age + n, np.arange(n)[::-1]],
        live=np.r_[history.live, np.ones(n, bool)],
        kind=None,
        elapsed=None if history.elapsed is None else np.r_[history.elapsed, np.zeros(n)],
    )


@every_model
def test_the_gap_is_that_of_the_served_list(name: str) -> None:
    model = fitted(name)
    for user in ("u3", "u17"):
        found = outside(model, user)
        last = model.recommend(user, k=5).iloc[-1]
        assert (found.cutoff, found.cutoff_title) == (last["item"], last["title"])
        assert found.gap == last["score"] - found.ledger.score
        single = name in SINGLE
        assert abs(found.cells["difference"].sum() - found.gap) <= 2 * tolerance(last["score"], single)


@every_model
def test_what_is_added_brings_it_in(name: str) -> None:
    model = fitted(name)
    for user in ("u3", "u17", "u60"):
        found = outside(model, user)
        added = found.added
        if not added.found:
            assert added.items == ()
            continue
        history = with_events(model, model.history(user), added.items)
        listed = model.recommend(history=history, k=5).set_index("item")["rank"]
        assert listed[found.ledger.item] == added.rank_after
        assert added.exact == (len(added.items) == 1)
        assert found.ledger.item not in added.items


@pytest.mark.parametrize("name", ["hybrid", "content", "users", "item knn"])
def test_exact_is_said_of_a_single_event_alone(name: str) -> None:
    sizes = set()
    for user, place, k in (("u0", 6, 1), ("u0", 6, 3), ("u0", 6, 5), ("u9", 6, 1), ("u3", 12, 3), ("u0", 25, 1)):
        added = outside(fitted(name), user, place, k).added
        sizes.add(len(added.items))
        assert added.exact == (len(added.items) == 1)
        assert added.found == bool(added.items)
    assert {0, 1} < sizes, "a case that tests nothing"


def test_something_is_found_for_models_that_listen() -> None:
    for name in ("hybrid", "content", "users"):
        assert any(outside(fitted(name), user).added.found for user in ("u3", "u17", "u60")), name


def test_tried_are_those_that_were_tried() -> None:
    """A model whose heads do not tell is served with the first twelve; the other plausible events are not looked at."""
    served: list[frozenset[int]] = []
    model = fitted("users")
    assert model.fields_of(model.history("u3"), np.arange(1)) is None
    before = frozenset(model.history("u3").item.tolist())
    found = outside(model, "u3")
    plain = model.scores_of

    def scores_of(history: History) -> np.ndarray:
        served.append(frozenset(history.item.tolist()) - before)
        return plain(history)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "scores_of", scores_of)
        added = found.added
    first = {items for items in served if len(items) == 1}
    assert added.tried == SERVED == len(first)


def test_popularity_does_not_listen() -> None:
    """Only what frees a place helps: items of the list become events, and those after them move up."""
    found = outside(fitted("popularity"), "u3", place=20)
    assert not found.added.found
    assert "None of the" in found.text("en")
    assert "都不能" in found.text("zh")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_is_told_in_words(lang: str) -> None:
    found = outside(fitted("hybrid"), "u3")
    text = found.text(lang, "books")
    assert found.ledger.title in text
    assert found.cutoff_title in text
    for title in found.added.titles:
        assert title in text
    told = found.to_dict()
    assert told["gap"] == found.gap
    assert told["added"]["items"] == list(found.added.items)


def test_an_item_of_the_list_is_refused() -> None:
    model = fitted("hybrid")
    item = model.recommend("u3")["item"][0]
    with pytest.raises(InputError, match="could be in the list and is not; got one at rank 1 of 10"):
        model.explain("u3", item).why_not()


def test_an_item_that_was_seen_is_refused() -> None:
    model = fitted("hybrid")
    seen = model.data_.items.ids[model.history("u3").item[0]]
    with pytest.raises(InputError, match="got one that may not be in it"):
        model.explain("u3", seen).why_not()


@pytest.mark.parametrize(
    ("rating", "scale", "expected"),
    [
        ([1.0, 4.0, 5.0, 5.0], Scale(1.0, 5.0), 5.0),
        ([1.0, np.nan, 4.0, np.nan], Scale(1.0, 5.0), 4.0),
        ([1.0, 2.0], Scale(1.0, 5.0), 5.0),
        ([np.nan], Scale(0.5, 5.0), 5.0),
        ([3.0, 90.0, 4.0, np.nan], Scale(1.0, 1000.0, "amount", "guessed"), 4.0),
        ([np.nan], Scale(1.0, 1000.0, "amount", "guessed"), None),
        ([2.0, 4.0], None, 4.0),
        ([np.nan, np.nan], None, None),
    ],
)
def test_a_new_event_is_rated_as_what_is_liked(
    rating: list[float], scale: Scale | None, expected: float | None
) -> None:
    assert _liked(np.array(rating), scale) == expected


def test_events_without_an_opinion_leave_a_finite_answer() -> None:
    model = fitted("hybrid")
    own = model.history("u3")
    assert own.rating is not None
    history = replace(own, rating=np.where(np.arange(len(own)) % 2, own.rating, np.nan))
    item = model.recommend(history=history, k=30)["item"][6]
    added = model.explain(history=history, item=item, k=5).why_not().added
    assert added.found
    assert added.rank_after is not None
    assert added.rank_after <= 5
