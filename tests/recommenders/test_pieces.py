"""Small pieces of recommenders, each asked on its own."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models import fitted
from xattn import HybridAttention, ItemKNN, Popularity, UnknownIdError
from xattn.data import planted
from xattn.errors import InputError
from xattn.recommenders.listing import DEFAULT_K, eligible, items_frame, length, listing

DATA = planted("genre", n_users=30, seed=0).data


def test_what_changes_a_model_returns_it() -> None:
    model = ItemKNN()
    assert model.set_params(n_neighbors=3) is model
    assert model.n_neighbors == 3
    assert model.partial_fit(DATA) is model  # before any fit it is one
    assert model.data_ is DATA
    assert model.fit(DATA) is model
    assert model.forget(["u0"]) is model


def test_lists_are_as_long_as_was_asked_and_ten_where_nothing_was() -> None:
    assert (DEFAULT_K, length(None, 99), length(None, 3), length(7, 7), length(1, 7)) == (10, 10, 3, 7, 1)
    for wrong in (0, 8):
        with pytest.raises(InputError, match="`k`"):
            length(wrong, 7)


def test_what_may_be_listed() -> None:
    assert eligible(DATA).all()
    assert np.flatnonzero(~eligible(DATA, exclude=["i3", "i1"])).tolist() == [1, 3]
    assert np.flatnonzero(eligible(DATA, candidates=["i3", "i1"], exclude=["i1"])).tolist() == [3]
    comedy = eligible(DATA, where={"genres": "comedy"}, candidates=[f"i{n}" for n in range(9)])
    assert {DATA.items.frame["genres"][j] for j in np.flatnonzero(comedy)} == {"comedy"}
    for name in ("exclude", "candidates"):
        with pytest.raises(InputError, match=f"`{name}`"):
            eligible(DATA, **{name: 7})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="`diversity`"):
        listing(DATA, None, diversity=1.5)
    with pytest.raises(InputError, match="`seen`"):
        listing(DATA, None, seen="perhaps")


def test_ranks_begin_at_one() -> None:
    frame = items_frame(DATA.items, np.array([4, 2]), score=np.array([1.0, 0.5]))
    assert frame["rank"].tolist() == [1, 2]
    assert frame["item"].tolist() == ["i4", "i2"]
    assert frame.columns.tolist() == ["rank", "item", "title", "score"]


def test_an_event_of_many_is_named_by_its_number() -> None:
    model = Popularity().fit(DATA)
    events = ["i1", "i2", "i1", "i1"]
    masked = lambda *without: np.flatnonzero(~model.history(history=events, without=without).live).tolist()  # noqa: E731
    assert masked("i1") == [0, 2, 3]
    assert masked(("i1", 1)) == [0]
    assert masked(["i1", 3], "i2") == [1, 3]
    for wrong in (("i1", 0), ("i1", 4)):
        with pytest.raises(InputError):
            masked(wrong)
    with pytest.raises(InputError):
        masked("i5")
    with pytest.raises(InputError, match="`item` must be an id"):
        masked(("i1", 1, 2))
    with pytest.raises(UnknownIdError):
        masked("nobody")


def test_ratings_of_a_history_lie_on_the_scale() -> None:
    model = Popularity().fit(DATA)  # from 1 to 5
    assert model.history(history=[("i1", 5.0), ("i2", 1.0)]).rating is not None
    for wrong in (5.5, 0.5):
        with pytest.raises(InputError, match="rating in history"):
            model.history(history=[("i1", wrong)])


def test_a_head_that_is_not_there_is_told_with_those_that_are() -> None:
    model = fitted("hybrid")
    with pytest.raises(InputError) as refused:
        model.without_heads(["memory"])
    for name in model.head_names:
        assert name in str(refused.value)
    with pytest.raises(InputError, match="head"):
        Popularity().fit(DATA).without_heads(["memory"])


def test_a_state_with_holes_is_no_state() -> None:
    model = HybridAttention(min_events=2, learned="never").fit(DATA)
    state = model._state()
    for name, array in state.items():
        if array.dtype.kind == "f" and array.size and name not in type(model).gaps:
            broken = {**state, name: np.full_like(array, np.nan)}
            with pytest.raises(InputError):
                HybridAttention.restored(model.get_params(), DATA, broken)


def test_scores_that_are_none_any_more_are_refused_by_name() -> None:
    model = Popularity().fit(DATA)
    model.base_ = np.full(DATA.n_items, np.inf)
    for ask in (lambda: model.score("u0"), lambda: model.recommend("u0"), lambda: model.recommend_many(["u0", "u1"])):
        with pytest.raises(InputError, match="scores"):
            ask()
