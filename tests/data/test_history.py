"""Histories: who is known keeps an age, what is masked keeps its place, and nothing else gets in."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn.data import History, Interactions
from xattn.errors import DataError, InputError

DATA = Interactions.from_frame(
    pd.DataFrame(
        {
            "user": list("uuuv"),
            "item": ["1", "2", "3", "4"],
            "rating": [5, 1, 3, 4],
            "event": ["buy", "view", "view", "buy"],
        }
    ),
    name="tiny",
)


def test_a_users_own_history():
    history = History.of(DATA, 0)
    assert history.item.tolist() == [0, 1, 2]
    assert history.age.tolist() == [2.0, 1.0, 0.0]
    assert history.rating.tolist() == [5.0, 1.0, 3.0]
    assert history.kind.tolist() == ["buy", "view", "view"]
    assert history.live.all()
    assert (history.user, history.unknown, len(history)) == (0, (), 3)


def test_a_user_without_events_has_an_empty_history():
    empty = DATA.select(DATA.user != 1)
    assert len(History.of(empty, 1)) == 0


@pytest.mark.parametrize("events", [["2", "1"], [2, 1], (2, "1"), np.array([2, 1]), iter(["2", "1"])])
def test_ids_in_any_form(events):
    history = History.given(DATA, events)
    assert history.item.tolist() == [1, 0]
    assert history.age.tolist() == [1.0, 0.0]
    assert history.rating is None
    assert history.user is None


@pytest.mark.parametrize(
    "events",
    [
        [("2", 1.0), (1, 5)],
        [["2", 1.0], ["1", 5.0]],
        {"2": 1.0, 1: 5.0},
        pd.DataFrame({"item": ["2", "1"], "rating": [1.0, 5.0]}),
        pd.DataFrame({"movieId": [1, 2], "score": ["5", "1"], "timestamp": [20, 10]}),
    ],
)
def test_pairs_in_any_form(events):
    history = History.given(DATA, events)
    assert history.item.tolist() == [1, 0]
    assert history.rating.tolist() == [1.0, 5.0]


def test_pairs_without_rating():
    assert History.given(DATA, [("2", None), ("1", None)]).rating is None


def test_unknown_ids_are_kept_and_take_no_age():
    history = History.given(DATA, [("x", 1), ("3", 2), ("y", 3), ("1", 4), ("x", 5)])
    assert history.item.tolist() == [2, 0]
    assert history.age.tolist() == [1.0, 0.0]
    assert history.rating.tolist() == [2.0, 4.0]
    assert history.unknown == ("x", "y")


def test_repeated_items_are_events_of_their_own():
    assert History.given(DATA, ["1", "1"]).item.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([], "`history` must hold at least one event; got none."),
        ({}, "`history` must hold at least one event; got none."),
        (["x"], "`history` must hold at least one of the 4 items of tiny; got only 'x'."),
        (list("vwxyz"), "got only 'v', 'w', 'x' and 2 more."),
        ("123", "`history` must be a list of item ids or (id, rating) pairs; got '123'."),
        (5, "`history` must be a list of item ids"),
        (None, "`history` must be a list of item ids"),
        ([None], "`history` must be an id"),
        ([1.5], "`history` must be an id"),
        ([""], "`history` must be an id"),
        ([("1", float("nan"))], "`rating in history` must be a finite number; got nan."),
        ([("1", float("inf"))], "`rating in history` must be a finite number; got inf."),
        ([("1", "5")], "`rating in history` must be a finite number; got '5'."),
        ([("1", 5, 6, 7)], "(id, rating) pairs"),
        ([("1", 5, "soon")], "`moment in history` must be a moment"),
        ([("1", 5, float("nan"))], "`moment in history` must be"),
        ([("1", 5), "2"], "`history` must hold a rating for every event or for none; got 1 of 2."),
    ],
)
def test_wrong_histories_are_refused(events, sentence):
    with pytest.raises(InputError) as caught:
        History.given(DATA, events)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (pd.DataFrame({"item": []}), "at least one event"),
        (pd.DataFrame({"x": [1]}), "names an item column"),
        (pd.DataFrame({"item": ["1", ""]}), "every event must name an item"),
        (pd.DataFrame({"item": ["1"], "rating": [np.nan]}), "must be a finite number"),
        (pd.DataFrame({"item": ["1", "2"], "user": ["u", "v"]}), "events of one person; got 2 users"),
    ],
)
def test_wrong_frames_are_refused(frame, sentence):
    with pytest.raises(DataError, match=sentence):
        History.given(DATA, frame)


@given(st.integers(1, 12), st.data())
def test_masking_leaves_the_others_as_they_are(n, draw):
    history = History.given(DATA, ["1"] * n)
    gone = draw.draw(st.sets(st.integers(0, n - 1)))
    masked = history.without(gone)
    assert masked.live.tolist() == [i not in gone for i in range(n)]
    assert masked.age.tolist() == history.age.tolist()
    assert history.live.all()
    more = draw.draw(st.integers(0, n - 1))
    assert masked.without(more).live.sum() == n - len(gone | {more})


@pytest.mark.parametrize("positions", [[3], [-1], 3, [0.5], ["1"], "0", [[0]]])
def test_positions_outside_are_refused(positions):
    with pytest.raises(InputError, match="`without`"):
        History.of(DATA, 0).without(positions)


def test_histories_are_frozen():
    history = History.of(DATA, 0)
    for array in (history.item, history.age, history.live, history.rating):
        with pytest.raises(ValueError):
            array[0] = 0
    with pytest.raises(AttributeError):
        history.user = 3


def test_fields_are_checked():
    good = {"item": [0], "rating": None, "age": [0.0], "live": [True]}
    History(**good)
    for wrong in (
        {"item": [-1]},
        {"age": [-1.0]},
        {"age": [np.nan]},
        {"age": [0.0, 1.0]},
        {"live": [1]},
        {"rating": [1.0, 2.0]},
    ):
        with pytest.raises(InputError):
            History(**{**good, **wrong})


# --- further events ---------------------------------------------------------------------------------------------------


def test_events_that_follow_are_the_newest():
    history = History.of(DATA, 0).without([1]).followed_by([3, 0], [2.0, 4.0], "buy")
    assert history.item.tolist() == [0, 1, 2, 3, 0]
    assert history.age.tolist() == [4.0, 3.0, 2.0, 1.0, 0.0]
    assert history.rating.tolist() == [5.0, 1.0, 3.0, 2.0, 4.0]
    assert history.kind.tolist() == ["buy", "view", "view", "buy", "buy"]
    assert history.live.tolist() == [True, False, True, True, True]
    assert history.user == 0


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(0, 6))
def test_one_after_another_is_all_at_once(items, cut):
    start = History.of(DATA, 1)
    whole, parts = start.followed_by(items, 3.0), start.followed_by(items[:cut], 3.0).followed_by(items[cut:], 3.0)
    for name in ("item", "age", "rating", "live", "kind"):
        assert getattr(whole, name).tolist() == getattr(parts, name).tolist()


def test_events_without_an_opinion_beside_rated_ones():
    assert np.isnan(History.of(DATA, 0).followed_by([3]).rating[3])
    plain = History.given(DATA, ["1", "2"])
    assert plain.followed_by([3]).rating is None
    assert np.isnan(plain.followed_by([3], 4.0).rating).tolist() == [True, True, False]


def test_what_follows_has_the_type_of_the_newest_event():
    assert History.of(DATA, 0).followed_by([3, 3]).kind.tolist() == ["buy", "view", "view", "view", "view"]
    assert History.given(DATA, ["1"]).followed_by([3]).kind is None
    assert History.given(DATA, ["1"]).followed_by([3], kind="buy").kind.tolist() == ["", "buy"]


@pytest.mark.parametrize(
    ("item", "rating"), [([-1], None), ([0.5], None), ([0, 1], [1.0]), ([0], "five"), ([0], np.inf)]
)
def test_what_cannot_follow_is_refused(item, rating):
    with pytest.raises(InputError):
        History.of(DATA, 0).followed_by(item, rating)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"rating": [1.0]}, "`item` and `rating` must have the same length; got item 2, rating 1."),
        ({"rating": [[1.0, 2.0]]}, "`rating` must be a vector; got 2 dimensions."),
        ({"rating": np.inf}, "`rating` must be a finite number; got inf."),
        ({"rating": True}, "`rating` must be a finite number; got True."),
        ({"rating": "good"}, "`rating` must be a vector of real numbers; got"),
        ({"rating": [[1.0], [1.0, 2.0]]}, "`rating` must be"),
        ({"kind": 3}, "`kind` must be one event type .*; got 3."),
    ],
)
def test_further_events_that_do_not_fit_are_refused(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        History.of(DATA, 0).followed_by([0, 1], **wrong)


def test_further_events_may_be_without_an_opinion():
    after = History.of(DATA, 0).followed_by([0, 1], rating=np.nan)
    np.testing.assert_array_equal(after.rating, [5.0, 1.0, 3.0, np.nan, np.nan])


@pytest.mark.parametrize("data", [None, 3, "tiny", pd.DataFrame()])
def test_a_history_is_of_interactions(data):
    with pytest.raises(InputError, match="`data` must be Interactions; got"):
        History.of(data, 0)


def test_a_frame_with_moments_tells_how_long_ago_each_event_was() -> None:
    """Unknown items take no part; where one moment is missing, none counts."""
    data = Interactions.from_frame(pd.DataFrame({"user": ["u", "u"], "item": ["a", "b"]}))
    frame = pd.DataFrame({"item": ["b", "a", "x"], "time": ["2024-01-03", "2024-01-01", "2024-01-09"]})
    history = History.given(data, frame)
    assert history.item.tolist() == data.items.rows(["a", "b"]).tolist()
    assert history.elapsed is not None
    assert history.elapsed.tolist() == [2.0, 0.0]
    assert History.given(data, frame.assign(time=["2024-01-03", None, "2024-01-09"])).elapsed is None
    assert History.given(data, ["a", "b"]).elapsed is None
