"""Interactions: the table is what the frame said, wrong tables are refused, and parts of it keep their meaning."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xattn.data import FeatureSet, Interactions, ItemTable
from xattn.data.scale import Scale
from xattn.errors import DataError, InputError, UnknownIdError

IDS = st.one_of(
    st.sampled_from(
        ["NA", "nan", "null", "007", "7", "9007199254740993", "18446744073709551616", "1e3", "-1", " a", "é", "猫"]
    ),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=5).filter(str.strip),
)
EVENTS = st.lists(
    st.tuples(IDS, IDS, st.floats(-1e6, 1e6), st.integers(-(10**9), 10**10), st.sampled_from(["view", "buy"])),
    min_size=1,
    max_size=30,
)
NAMES = ["user", "item", "rating", "time", "kind"]


def table(ids):
    return ItemTable(tuple(ids), tuple(ids), pd.DataFrame(index=range(len(ids))))


def made(**changed):
    fields = {
        "name": "tiny",
        "user_ids": ("u", "v"),
        "items": table("abc"),
        "indptr": [0, 2, 3],
        "item": [0, 1, 2],
        "rating": [1.0, 2.0, 3.0],
        "time": [5.0, 6.0, 1.0],
    }
    return Interactions(**{**fields, **changed})


def refused(sentence, error=InputError, **changed):
    with pytest.raises(error) as caught:
        made(**changed)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


# --- a frame and back -------------------------------------------------------------------------------------------------


@given(EVENTS)
def test_a_frame_survives(events):
    frame = pd.DataFrame(events, columns=NAMES)
    data = Interactions.from_frame(frame)
    # the obvious version: users in order of first appearance, each one's lines sorted by time, ties as they stand
    first = {user: rank for rank, user in reversed(list(enumerate(dict.fromkeys(e[0] for e in events))))}
    expected = sorted(events, key=lambda e: (first[e[0]], e[3]))
    assert [tuple(line) for line in data.to_frame().itertuples(index=False)] == expected
    again = Interactions.from_frame(data.to_frame())
    pd.testing.assert_frame_equal(again.to_frame(), data.to_frame())
    assert set(data.items.ids) == {e[1] for e in events}


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=8))
def test_whole_numbers_become_their_digits(ids):
    frame = pd.DataFrame({"user": 1, "item": np.array(ids, dtype=np.uint64)})
    assert set(Interactions.from_frame(frame).items.ids) == {str(i) for i in ids}


def test_mixed_spellings_of_one_id_are_one_item():
    frame = pd.DataFrame({"user": ["u"] * 4, "item": pd.Series([1, "1", 1.0, "01"], dtype=object)})
    data = Interactions.from_frame(frame)
    assert data.items.ids == ("1", "01")
    assert data.item.tolist() == [0, 0, 0, 1]


def test_ids_that_differ_after_a_zero_byte_like_character_stay_apart():
    frame = pd.DataFrame({"user": ["u", "u"], "item": ["a\u200b", "a"]})
    assert Interactions.from_frame(frame).n_items == 2


def test_order_is_by_time_and_stable():
    frame = pd.DataFrame({"user": list("uvuu"), "item": list("abcd"), "time": [2, 0, 1, 1]})
    data = Interactions.from_frame(frame)
    assert [data.items.ids[row] for row in data.item[data.events_of(0)]] == ["c", "d", "a"]


def test_without_time_the_lines_are_in_order():
    data = Interactions.from_frame(pd.DataFrame({"user": list("uvu"), "item": list("cab")}))
    assert [data.items.ids[row] for row in data.item[data.events_of(0)]] == ["c", "b"]
    assert data.time is None


def test_repeated_events_are_kept():
    data = Interactions.from_frame(pd.DataFrame({"user": ["u"] * 3, "item": ["a"] * 3}))
    assert data.n_events == 3
    assert data.counts().tolist() == [3]


def test_item_table_comes_first_and_grows_at_its_end():
    frame = pd.DataFrame({"user": ["u", "u"], "item": ["new", "b"], "title": ["New one", "ignored"]})
    items = ItemTable(("a", "b"), ("A", "B"), pd.DataFrame({"year": [1.0, 2.0], "genre": ["x", "y"]}))
    data = Interactions.from_frame(frame, items)
    assert data.items.ids == ("a", "b", "new")
    assert data.items.titles == ("A", "B", "New one")
    assert np.isnan(data.items.frame.year[2])
    assert data.items.frame.genre[2] == ""
    assert data.counts().tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["2020-01-01 00:00:10", "2020-01-01T00:00:05Z"]),
        pd.Series(pd.to_datetime(["2020-01-01 00:00:10", "2020-01-01 00:00:05"])),
        pd.Series(pd.to_datetime(["2020-01-01 02:00:10", "2020-01-01 02:00:05"]).tz_localize("Europe/Athens")),
        pd.Series([1577836810, 1577836805]),
        pd.Series([1577836810000, 1577836805000]),
        pd.Series([1577836810 * 10**9, 1577836805 * 10**9]),
        pd.Series(["1577836810", "1577836805.0"]),
        pd.Series(list(pd.to_datetime(["2020-01-01 00:00:10", "2020-01-01 00:00:05"])), dtype=object),
    ],
)
def test_times_become_seconds(column):
    data = Interactions.from_frame(pd.DataFrame({"user": ["u", "u"], "item": ["a", "b"], "time": column}))
    assert data.time.tolist() == [1577836805.0, 1577836810.0]


def test_eight_digit_dates():
    data = Interactions.from_frame(pd.DataFrame({"user": ["u", "u"], "item": ["a", "b"], "date": [20200102, 20200101]}))
    assert np.diff(data.time).tolist() == [86400.0]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"item": [1.5, 2.0]}, "the item id must be text on one line or a whole number; got 1.5"),
        ({"item": [float(2**53), 2.0]}, "the item id must be"),
        ({"item": [True, False]}, "the item id must be"),
        ({"item": ["a\nb", "c"]}, "the item id must be"),
        ({"item": [np.nan, 1.0]}, "every line must name a user and an item; got 1 line without (first: row 0)"),
        ({"user": ["", " "]}, "some line must name a user and an item; got none"),
        ({"rating": ["1", "x"]}, "row 1: column 'rating' must be a finite number; got 'x'"),
        ({"rating": [1j, 2j]}, "column 'rating' must be a finite number"),
        ({"time": ["now", "today"]}, "row 0: column 'time' must be seconds since 1970 or a date"),
        ({"time": ["yesterday", "now"]}, "column 'time' must be seconds since 1970 or a date"),
        ({"time": ["1", "now"]}, "row 1: column 'time' must be seconds"),
        ({"time": ["1", "inf"]}, "row 1: column 'time' must be seconds since 1970 or a date"),
        ({"time": ["2020-01-01", ""]}, "row 1: column 'time' must be seconds"),
        ({"time": [np.inf, 1]}, "row 0: column 'time' must be seconds since 1970 or a date"),
        ({"time": pd.to_datetime(["2020-01-01", None])}, "row 1: column 'time' must be seconds"),
    ],
)
def test_wrong_frames_are_refused(changed, sentence):
    frame = pd.DataFrame({"user": ["u", "v"], "item": ["a", "b"], **changed})
    with pytest.raises(DataError) as caught:
        Interactions.from_frame(frame)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_opinion_and_what_is_a_thumb():
    frame = pd.DataFrame({"user": ["u", "v", "v"], "item": ["a", "b", "a"], "rating": [1.0, np.nan, 5.0]})
    data = Interactions.from_frame(frame)
    np.testing.assert_array_equal(data.rating, [1.0, np.nan, 5.0])
    assert data.report.found("unrated").rows == (1,)
    thumbs = Interactions.from_frame(frame.assign(rating=[True, False, True]))
    assert (thumbs.rating.tolist(), thumbs.scale.span) == ([1.0, 0.0, 1.0], (0.0, 1.0))


def test_frames_without_the_columns_are_refused():
    with pytest.raises(DataError, match="names a user column and an item column"):
        Interactions.from_frame(pd.DataFrame({"a": [1], "b": [2]}))
    with pytest.raises(DataError, match="at least one event"):
        Interactions.from_frame(pd.DataFrame({"user": [], "item": []}))
    with pytest.raises(DataError, match="one column must hold the user; got 'user_id', 'userId'"):
        Interactions.from_frame(pd.DataFrame({"user_id": [1], "userId": [1], "item": [2]}))
    with pytest.raises(DataError, match="a name of its own"):
        Interactions.from_frame(pd.DataFrame([[1, 2, 3]], columns=["user", "item", "user"]))
    with pytest.raises(InputError, match="DataFrame"):
        Interactions.from_frame([("u", "a")])
    with pytest.raises(InputError, match="`items` must be an ItemTable"):
        Interactions.from_frame(pd.DataFrame({"user": [1], "item": [2]}), items=["2"])
    with pytest.raises(InputError, match="`columns` must be one of user, item"):
        Interactions.from_frame(pd.DataFrame({"user": [1], "item": [2]}), columns={"usr": "user"})


def test_columns_can_be_named_outright():
    frame = pd.DataFrame({"who": ["u"], "what": ["a"], "user": ["not this"], "rating": [3]})
    data = Interactions.from_frame(frame, columns={"user": "who", "item": "what"})
    assert data.user_ids == ("u",)
    with pytest.raises(DataError, match="'nowhere'"):
        Interactions.from_frame(frame, columns={"user": "nowhere"})


def test_missing_drop_leaves_out_whole_lines_and_what_they_held():
    frame = pd.DataFrame(
        {"user": ["u", "", None, "v"], "item": ["a", "gone", "b", "b"], "rating": ["1", "no number", "x", "2"]}
    )
    data = Interactions.from_frame(frame, missing="drop")
    assert data.items.ids == ("a", "b")
    assert data.rating.tolist() == [1.0, 2.0]
    frame.loc[3, "rating"] = "bad"
    with pytest.raises(DataError, match="row 3"):  # the line in the frame, not in what is left of it
        Interactions.from_frame(frame, missing="drop")


# --- the constructor --------------------------------------------------------------------------------------------------


def test_rows_31_to_42_of_wrong_arrays():
    refused("`item` must hold item row numbers from 0 to 2; got -1", item=[0, -1, 2])
    refused("`item` must hold item row numbers from 0 to 2; got 3", item=[0, 1, 3])
    refused("`indptr` must never fall; got 2 followed by 1", user_ids=("u", "v", "w"), indptr=[0, 2, 1, 3])
    refused("`indptr` must start at 0 and end at 3; got 1 and 3", indptr=[1, 2, 3])
    refused("`indptr` must start at 0 and end at 3; got 0 and 2", indptr=[0, 2, 2])
    refused("`indptr` must hold offset numbers from 0 to 3; got -2", indptr=[0, -2, 3])
    refused("got 2147483647", indptr=np.array([0, 2**31 - 1, 3], dtype=np.int32))
    refused("`indptr` must hold 3 offsets for 2 parts; got 4", indptr=[0, 1, 2, 3])
    refused(
        "`item` must hold item row numbers from 0 to 2; got 18446744073709551615",
        item=np.array([0, 1, 2**64 - 1], np.uint64),
    )
    refused("got values of type float64", item=[0.0, 1.5, np.nan])
    refused("`item` must be a vector of whole item row numbers; got a masked array", item=np.ma.array([0, 1, 2]))
    refused("2 dimensions", item=[[0, 1, 2]])


def test_duplicates_and_zero_ratings_are_events():
    data = made(item=[1, 1, 2], rating=[0.0, 0.0, 3.0])
    assert data.n_events == 3
    assert data.rating.tolist() == [0.0, 0.0, 3.0]


def test_a_transposed_table_is_refused():
    refused("`indptr` must hold", user_ids=("u", "v", "w"))


def test_other_conditions():
    refused("`rating` must hold finite numbers only; got inf", rating=[1.0, np.inf, 2.0])
    refused("`time` must hold finite numbers only; got inf", time=[1.0, np.inf, 2.0])
    refused("`item` and `rating` and `time` must have the same length; got item 3, rating 2, time 3", rating=[1.0, 2.0])
    refused("`user_ids` must hold each user once; got 'u' twice", user_ids=("u", "u"))
    refused("`time` must never fall within a user", time=[6.0, 5.0, 1.0])
    refused("`items` must be an ItemTable", items=["a"])
    refused("`user_ids` must hold at least one user", user_ids=(), indptr=[0], item=[], rating=None, time=None)
    refused("`user_ids` must be an id", user_ids=("u", None))
    made(user_ids=("u", "v", "w", "x"), indptr=[0, 0, 2, 2, 3])  # users without events are fine


def test_arrays_are_frozen_and_copied():
    mine = np.array([0, 1, 2])
    data = made(item=mine)
    mine[0] = 2
    assert data.item.tolist() == [0, 1, 2]
    for array in (data.indptr, data.item, data.rating, data.time, data.user):
        with pytest.raises(ValueError):
            array[0] = 1
    view = np.array([0, 1, 2])
    frozen_view = view[:]
    frozen_view.flags.writeable = False
    data = made(item=frozen_view)
    view[0] = 2
    assert data.item[0] == 0
    with pytest.raises(AttributeError):
        data.name = "other"


def test_rows_of_ids():
    data = made(user_ids=("u", "7"))
    assert data.user_row(7) == data.user_row("7") == data.user_row(np.int64(7)) == 1
    assert data.item_row("c") == 2
    with pytest.raises(UnknownIdError) as caught:
        data.user_row("nobody")
    assert str(caught.value) == "`user` must be one of the 2 users of tiny; got 'nobody'."
    with pytest.raises(UnknownIdError):
        data.user_row(-1)
    with pytest.raises(InputError):
        data.user_row(1.5)
    with pytest.raises(UnknownIdError, match="`item` must be one of the 3 items of tiny; got 'z'"):
        data.item_row("z")
    with pytest.raises(InputError):
        data.events_of(2)


# --- parts ------------------------------------------------------------------------------------------------------------


@given(EVENTS, st.data())
def test_select_keeps_tables_and_order(events, draw):
    data = Interactions.from_frame(pd.DataFrame(events, columns=NAMES))
    mask = np.array(draw.draw(st.lists(st.booleans(), min_size=data.n_events, max_size=data.n_events)), dtype=bool)
    part = data.select(mask)
    assert part.items is data.items
    assert part.user_ids == data.user_ids
    pd.testing.assert_frame_equal(part.to_frame(), data.to_frame()[mask].reset_index(drop=True), check_dtype=False)


def test_select_takes_booleans_only():
    for wrong in ([1, 0, 1], [True], [[True, True, True]], "abc"):
        with pytest.raises(InputError, match="`mask` must be a vector of 3 true or false values"):
            made().select(wrong)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40), st.integers(1, 4))
def test_core_is_the_largest_part_with_enough_events(pairs, least):
    frame = pd.DataFrame(pairs, columns=["user", "item"])
    kept = frame
    while True:  # the obvious version
        fewer = kept[kept.groupby("user").item.transform("size") >= least]
        fewer = fewer[fewer.groupby("item").user.transform("size") >= least]
        if len(fewer) == len(kept):
            break
        kept = fewer
    data = Interactions.from_frame(frame)
    if kept.empty:
        with pytest.raises(InputError, match="leaves none"):
            data.core(least)
        return
    core = data.core(least)
    assert sorted(zip(*(core.to_frame()[c].astype(int) for c in ("user", "item")), strict=True)) == sorted(
        zip(kept.user, kept.item, strict=True)
    )
    assert core.counts().min() >= least
    assert np.diff(core.indptr).min() >= least


def test_core_keeps_titles_with_their_items():
    items = ItemTable(("a", "b", "c"), ("A", "B", "C"), pd.DataFrame({"x": [1.0, 2.0, 3.0]}))
    frame = pd.DataFrame({"user": list("uuvv"), "item": list("acca"), "rating": [1, 2, 3, 4], "event": list("wxyz")})
    core = Interactions.from_frame(frame, items).core(2)
    assert core.items.ids == ("a", "c")
    assert core.items.titles == ("A", "C")
    assert core.items.frame.x.tolist() == [1.0, 3.0]
    assert core.to_frame().values.tolist() == frame[["user", "item", "rating", "event"]].values.tolist()


def test_checksum_sees_every_part_of_the_contents():
    base = made()
    assert base.checksum == made().checksum
    assert base.checksum == made(name="other").checksum
    changes = [
        {"user_ids": ("u", "w")},
        {"items": table("abd")},
        {"items": ItemTable(("a", "b", "c"), ("a", "b", "C"), pd.DataFrame(index=range(3)))},
        {"items": ItemTable(tuple("abc"), tuple("abc"), pd.DataFrame({"x": [1.0, 2.0, 3.0]}))},
        {"items": ItemTable(tuple("abc"), tuple("abc"), pd.DataFrame({"x": ["1.0", "2.0", "3.0"]}))},
        {"items": ItemTable(tuple("abc"), tuple("abc"), pd.DataFrame({"x": [True, False, True]}))},
        {"items": ItemTable(tuple("abc"), tuple("abc"), pd.DataFrame({"x": [1.0, 0.0, 1.0]}))},
        {"items": table("abc").with_features(FeatureSet(("f",), np.eye(3)[:, :1]))},
        {"items": table("abc").with_features(FeatureSet(("g",), np.eye(3)[:, :1]))},
        {"items": table("abc").with_features(FeatureSet(("f",), np.eye(3)[:, :1], ("block",)))},
        {"items": table("abc").with_features(FeatureSet(("f",), np.eye(3)[:, 1:2]))},
        {"indptr": [0, 1, 3], "time": [5.0, 6.0, 7.0]},
        {"time": [5.0, 6.0, 7.0]},
        {"item": [0, 1, 1]},
        {"rating": None},
        {"rating": [1.0, 2.0, 4.0]},
        {"time": None},
        {"rating": None, "time": [1.0, 2.0, 3.0]},
        {"scale": Scale(0.0, 10.0)},
        {"scale": Scale(0.0, 10.0, origin="guessed")},
        {"kind": ["a", "b", "c"]},
        {"kind": ["a", "bc", ""]},
    ]
    assert len({base.checksum, *(made(**change).checksum for change in changes)}) == 1 + len(changes)


def test_checksum_sees_what_the_data_says_and_not_how_it_is_held():
    columns = {"x": [1.0, np.nan, 0.0], "t": ["a", "", "b"], "b": [True, False, True]}
    held = pd.DataFrame(
        {
            "x": pd.array([1, None, 0], "Int64"),
            "t": pd.Categorical(["a", None, "b"]),
            "b": pd.array([True, False, True], "boolean"),
        }
    )
    one, other = (ItemTable(tuple("abc"), tuple("abc"), pd.DataFrame(frame)) for frame in (columns, held))
    assert one.checksum == other.checksum
    base = made(rating=[0.0, np.nan, 3.0])
    weird = np.frombuffer(np.array([0x7FF8000000000001], "<u8").tobytes(), "<f8")[0]  # another NaN
    assert base.checksum == made(rating=[-0.0, weird, 3.0]).checksum
    assert base.checksum == made(item=np.array(base.item, np.int32), rating=[0.0, np.nan, 3.0]).checksum
