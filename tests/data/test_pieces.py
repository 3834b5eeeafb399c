"""Small pieces of reading, each asked on its own: what a longer way through a file would hide."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse

from xattn.data import (
    History,
    Interactions,
    ItemTable,
    check_data,
    leave_last_out,
    load_dataset,
    planted,
    read_interactions,
    read_items,
)
from xattn.data.datasets import DatasetInfo
from xattn.data.feature_set import FeatureSet
from xattn.data.filters import matching
from xattn.data.friends import friend_pairs, friends_of
from xattn.data.reading import faults, moments
from xattn.data.reading.cells import ids_of
from xattn.data.reading.choice import shown_names
from xattn.data.reading.formats import unpack
from xattn.data.reading.formats.encoding import _utf8, _wide_without_mark
from xattn.data.reading.formats.layout import _separator, cut
from xattn.data.reading.formats.trees import _loaded
from xattn.data.reading.opinions import opinions_in
from xattn.data.reading.profile import Profile
from xattn.data.reading.shapes import _opinions_only, is_wide
from xattn.data.reading.tables import table_of
from xattn.data.reading.words import hints_of, words_of
from xattn.data.scale import Scale, check_opinions, scale_of_lasting
from xattn.data.simulate import simulate
from xattn.data.source import Source
from xattn.data.split import as_of
from xattn.errors import DataError, InputError, UnknownIdError

EVENTS = pd.DataFrame({"user": ["a", "a", "b", "b"], "item": ["x", "y", "x", "z"]})


# --- words of headers -------------------------------------------------------------------------------------------------


def test_marks_around_a_header_are_no_words() -> None:
    assert words_of("__user__id__") == ("user", "id")
    assert words_of("(item)") == ("item",)


@pytest.mark.parametrize(
    ("name", "role"), [("title", "title"), ("book title", "title"), ("event_type", "kind"), ("sequence", "order")]
)
def test_a_header_hints_at_its_role(name: str, role: str) -> None:
    assert role in {hint.role for hint in hints_of(name)}


def test_the_title_of_a_review_and_the_name_of_a_person_are_no_titles() -> None:
    for name in ("review title", "user name"):
        assert "title" not in {hint.role for hint in hints_of(name)}


def test_an_ending_of_ids_alone_is_no_id_of_something() -> None:
    assert {hint.role for hint in hints_of("rating_id")} & {"rating"} == set()


def test_many_names_are_cut_after_six() -> None:
    assert shown_names(list("abcdef")).count(",") == 5
    assert shown_names(list("abcdefgh")).endswith("'f' and 2 more")


# --- cells ------------------------------------------------------------------------------------------------------------


def test_opinions_are_read_as_people_write_them() -> None:
    texts = ["👍", "👎", "Not recommended", "thumbs up", "★★☆☆☆", "maybe"]
    np.testing.assert_array_equal(opinions_in(texts), [1, 0, 0, 1, 2, np.nan])


def test_a_column_of_degrees_looks_like_places() -> None:
    degrees = [f"{48 + n / 7:.6f}" for n in range(20)]
    assert Profile(pa.array(degrees), columns=1).looks_like_places
    assert Profile(pa.array([*degrees[:17], "1", "2", "3"]), columns=1).looks_like_places
    assert not Profile(pa.array([*degrees[:15], *"12345"]), columns=1).looks_like_places


def test_a_time_of_day_is_seconds_since_midnight() -> None:
    of_type = pa.array([dt.time(18, 30, 5), None], pa.time32("s"))
    np.testing.assert_array_equal(moments.clock_of(of_type), [66_605, np.nan])
    np.testing.assert_array_equal(moments.clock_of(pa.array(["18:30:05", "6:30:05 pm"])), [66_605, 66_605])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2001-02-03 04:05:06", 981_173_106.0),
        ("2001-02-03 04:05:06.25", 981_173_106.25),
        ("2001-02-03T04:05:06+01:00", 981_169_506.0),
        ("2001-02-29", np.nan),
        ("2000-02-29", 951_782_400.0),
    ],
)
def test_a_moment_is_seconds_since_1970(text: str, seconds: float) -> None:
    np.testing.assert_array_equal(moments.moments_of(pa.array([text, text])).seconds, [seconds] * 2)


def test_times_of_several_kinds_in_one_column_are_all_read() -> None:
    found = moments.moments_of(pa.array(["2001-02-03", "2001-02-03 04:05:06", None])).seconds
    np.testing.assert_array_equal(found, [981_158_400, 981_173_106, np.nan])


# --- faults -----------------------------------------------------------------------------------------------------------


def test_rows_of_one_moment_are_those_and_no_others() -> None:
    user, item, time = (np.array(x) for x in ([0, 0, 0, 1, 1], [1, 2, 3, 1, 1], [5.0, 5.0, 6.0, 5.0, 5.0]))
    np.testing.assert_array_equal(faults.ties(user, item, time), [0, 1])
    assert not faults.ties(user[2:], item[2:], time[2:]).size


def test_a_bot_is_found_by_its_pace_and_a_crowd_by_its_size() -> None:
    start = 1e9
    user = np.repeat([0, 1], [300, 300])
    pace = np.concatenate([start + 0.5 * np.arange(300), start + 3600 * np.arange(300)])
    np.testing.assert_array_equal(faults.bots(user, pace), [0])
    assert not faults.bots(user[:150], pace[:150]).size
    crowd = np.concatenate([np.zeros(2_000, int), np.arange(1, 60)])
    np.testing.assert_array_equal(faults.bots(crowd, None), [0])


def test_the_first_of_two_forms_is_the_twin() -> None:
    (found,) = faults.alike(["b7"], ["B7", "c", "B7 "])[:1]
    assert found[:3] == ("case", 1, ("b7", "B7"))
    assert faults.alike(["b7"], ["B 7", "b 7"])[0][2] == ("b7", "b 7")


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_separator_is_what_parts_most_lines_alike() -> None:
    assert _separator(["user,item,rating", "1,2,3", "4,5,6"]) == ","
    assert _separator(["user\titem", "1\ta,b", "2\tc,d"]) == "\t"
    assert _separator(["user item", "1 2", "3 4"]) == " "
    assert _separator(["one", "two"]) == ","
    assert _separator(["a;b,c", "d;e,f"]) == _separator(["d;e,f", "a;b,c"])


def test_text_of_two_bytes_a_letter_is_known_by_its_zeros() -> None:
    assert _wide_without_mark("user,item\n1,2\n".encode("utf-16-le")) == "utf-16-le"
    assert _wide_without_mark("user,item\n1,2\n".encode("utf-16-be")) == "utf-16-be"
    assert _wide_without_mark(b"user,item\n1,2\n") == ""


def test_one_broken_letter_does_not_make_a_file_latin() -> None:
    raw = "é".encode() * 20 + b"\n\xff\n" + "é".encode() * 20
    text = _utf8(raw)
    assert (text.encoding, text[2:]) == ("UTF-8", ((2,), 1))
    marked = "\N{REPLACEMENT CHARACTER}".encode() * 30 + raw
    assert _utf8(marked)[3] == 1


def test_numbers_of_json_keep_their_digits() -> None:
    assert _loaded('{"item": 7.10, "n": 12345678901234567890}') == {"item": "7.10", "n": "12345678901234567890"}


def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    for head, word in ((b"<!DOCTYPE html><p>", "web page"), (b"<html><p>", "web page"), (b"%PDF-1.7", "PDF")):
        path = tmp_path / "events.csv"
        path.write_bytes(head + b"x" * 100)
        with pytest.raises(DataError, match=word):
            read_interactions(path)


def test_lines_of_a_sheet_are_its_rows(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (("user", "item", "rating"), ("a", "x", 3), (None,), (None, "y", 4)):
        book.active.append(row)
    book.save(tmp_path / "events.xlsx")
    (error,) = check_data(tmp_path / "events.xlsx").errors
    assert error.rows == (4,)


def test_text_of_a_parquet_file_must_be_text(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    broken = pa.StringArray.from_buffers(2, pa.py_buffer(np.array([0, 1, 2], np.int32)), pa.py_buffer(b"a\xff"))
    pq.write_table(pa.table({"user": broken, "item": ["x", "y"]}), tmp_path / "events.parquet")
    with pytest.raises(DataError):
        read_interactions(tmp_path / "events.parquet")


# --- arguments and tables ---------------------------------------------------------------------------------------------


def refused(error: Exception) -> dict[str, Any]:
    fields = getattr(error, "fields", {})
    assert isinstance(fields, Mapping)
    return dict(fields)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(InputError, match="`encoding`"):
        read_interactions(EVENTS, encoding=7)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="`data`"):
        leave_last_out(EVENTS)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="`other`"):
        load_dataset("movielens-small").extended(EVENTS)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="`item`"):
        ItemTable(("a",), ("A",), pd.DataFrame(index=[0])).row(3.5)
    with pytest.raises(UnknownIdError, match="1 item"):
        ItemTable(("a",), ("A",), pd.DataFrame(index=[0])).row("b")


def test_a_role_that_is_refused_is_not_guessed() -> None:
    frame = EVENTS.assign(rating=[1.0, 2.0, 3.0, 4.0])
    assert read_interactions(frame).rating is not None
    assert read_interactions(frame, columns={"rating": None}).rating is None
    assert read_interactions(frame, columns={"rating": ""}).rating is None


def test_items_without_ids_are_refused_unless_they_are_dropped() -> None:
    frame = pd.DataFrame({"item": ["x", None], "title": ["X", "Y"]})
    with pytest.raises(DataError):
        read_items(frame)
    with pytest.raises(DataError, match="at least one item"):
        read_items(pd.DataFrame({"item": [None, None], "title": ["X", "Y"]}), missing="drop")


def test_a_table_of_items_may_call_its_key_id() -> None:
    frame = pd.DataFrame({"isbn": ["9", "8"], "id": ["a", "b"], "title": ["X", "Y"]})
    assert read_items(frame).ids == ("a", "b")


def test_the_first_of_several_keys_is_the_key_and_a_named_one_goes_before_all() -> None:
    for first, second in (("isbn", "book_id"), ("goodreads_book_id", "book_id")):
        assert read_items(pd.DataFrame({first: ["9", "8"], second: ["a", "b"], "title": ["X", "Y"]})).ids == ("9", "8")
    assert read_items(pd.DataFrame({"code": ["9", "8"], "item": ["a", "b"], "title": ["X", "Y"]})).ids == ("a", "b")


def test_times_in_two_units_are_settled_by_the_unit_of_most() -> None:
    people, time = [f"u{n}" for n in range(13)], [1_700_000_000] * 12 + [1_700_000_000_000]
    report = check_data(pd.DataFrame({"user": people, "item": people, "time": time}))
    (found,) = (finding for finding in report.findings if finding.id == "time_units")
    assert found.action is not None
    assert (found.action.option, found.action.value) == ("time_format", "s")


def test_a_place_is_told_where_a_source_knows_it() -> None:
    with pytest.raises(DataError, match=r"^'f' line 7: "):
        Source(label="'f'", unit="line").refuse("infinite_column", line=7, column="x", got=1)
    with pytest.raises(DataError, match=r"^'f' row 3: "):
        Source(label="'f'").refuse("infinite_column", row=3, column="x", got=1)


def test_conditions_on_numbers_and_texts_must_both_be_met() -> None:
    table = ItemTable(("a", "b", "c"), ("A", "B", "C"), pd.DataFrame({"kind": ["x|y", "x", "z"], "n": [1.0, 2.0, 2.0]}))
    np.testing.assert_array_equal(matching(table, {"kind": "x", "n": 2}), [False, True, False])
    np.testing.assert_array_equal(matching(table, {"n": 2, "kind": ["y", "z"]}), [False, False, True])
    with pytest.raises(InputError):
        matching(table, {"kind": []})


def test_fields_of_a_data_set_cannot_be_written_nor_reached_from_outside() -> None:
    given = np.array([0, 1, 0, 2])
    data = Interactions(
        "t", ("a", "b"), ItemTable(tuple("xyz"), tuple("XYZ"), pd.DataFrame(index=range(3))), [0, 2, 4], given
    )
    given[0] = 2
    assert data.item[0] == 0
    assert not data.item.flags.writeable
    view = np.arange(4)[:]
    view.flags.writeable = False
    again = Interactions("t", ("a", "b"), data.items, [0, 2, 4], np.minimum(view, 2))
    assert again.item.base is None


def test_in_another_language_items_are_called_otherwise_and_all_else_stays() -> None:
    items = ItemTable(("x", "y"), ("X", "Y"), pd.DataFrame(index=range(2)), names={"zh": ("甲", "乙")})
    data = Interactions("t", ("a",), items, [0, 2], [0, 1])
    spoken = data.in_language("zh")
    assert spoken.items.titles == ("甲", "乙")
    assert spoken.checksum == data.checksum
    assert data.in_language("zh") is spoken


def test_planted_kinds_are_those_that_are_asked_for() -> None:
    dislike = planted("dislike", n_users=20, seed=0)
    assert dislike.data.rating is not None
    assert set(np.unique(dislike.data.rating)) == {1.0, 4.0, 5.0}
    recency = planted("recency", n_users=40, seed=0).data
    assert all(
        len(set(recency.item[a:b])) == b - a for a, b in zip(recency.indptr[:-1], recency.indptr[1:], strict=True)
    )


def test_a_report_says_where_in_both_languages() -> None:
    report = check_data(EVENTS.assign(item=["x", None, "x", None]))
    (error,) = report.errors
    assert error.where() == error.where("en") != error.where("zh")
    assert error.advice("en") in json.dumps(error.to_dict())


@pytest.mark.parametrize("indent", [0, 1])
@pytest.mark.parametrize("orient", ["columns", "index", "records", "split", "values", "table"])
def test_json_as_pandas_writes_it_is_its_table(orient: Any, indent: int) -> None:
    """On one line, as it is written unless it is asked for otherwise, and on many."""
    events = pd.DataFrame({"user": ["a", "a", "b"], "item": ["x", "y", "x"], "rating": [3, 4, 5]})
    data = read_interactions(io.BytesIO(events.to_json(orient=orient, indent=indent).encode()))
    assert data.checksum == read_interactions(events).checksum
    if orient != "values":  # these have no names
        items = pd.DataFrame({"item": ["x", "y"], "title": ["X", "Y"], "kind": ["k", "l"]})
        found = read_items(io.BytesIO(items.to_json(orient=orient, indent=indent).encode()))
        assert (found.ids, found.titles, found.frame["kind"].tolist()) == (("x", "y"), ("X", "Y"), ["k", "l"])


def test_one_line_of_json_is_one_event() -> None:
    for line in ('{"user": {"id": 1}, "item": {"id": 2}}', '{"user": "1", "events": [{"item": 2}]}'):
        data = read_interactions(io.BytesIO(line.encode()))
        assert (data.user_ids, data.items.ids) == (("1",), ("2",))


def test_unpacking_takes_no_more_memory_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = lzma.compress(b"user,item\na,x\n")
    assert read_interactions(io.BytesIO(raw)).n_events == 1
    monkeypatch.setattr(unpack, "MOST_MEMORY", 2**20)  # the dictionary of this file takes more
    with pytest.raises(DataError, match="xz file must be whole"):
        read_interactions(io.BytesIO(raw))


# --- the ends of what is allowed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12:00 am", 0),
        ("12:05 am", 300),
        ("1:00 am", 3_600),
        ("11:59 AM", 43_140),
        ("12:05 p.m.", 43_500),
        ("1:00 pm", 46_800),
        ("11:59:59 PM", 86_399),
        ("00:00", 0),
        ("23:59:60", 86_400),  # a second that is put in
        ("24:00", np.nan),
        ("10:60", np.nan),
        ("10:10:61", np.nan),
    ],
)
def test_a_clock_shows_what_clocks_show(text: str, seconds: float) -> None:
    np.testing.assert_array_equal(moments.clock_of(pa.array([text])), [seconds])


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("1969-12-31", -1),
        ("1970-01-01", 0),
        ("1970-12-01", 334),
        ("1970-12-31", 364),
        ("0001-01-01", -719_162),  # four digits are a year as it stands
        ("9999-12-31", 2_932_896),
        ("1970-13-01", np.nan),
        ("1970-00-01", np.nan),
        ("1970-01-00", np.nan),
        ("1970-04-31", np.nan),
        ("1/2/69", 36_161),  # the year 2069
        ("1/2/70", 1),
        ("1900-02-29", np.nan),
    ],
)
def test_days_of_the_calendar(text: str, days: float) -> None:
    np.testing.assert_array_equal(moments.moments_of(pa.array([text, text])).seconds / 86_400, [days] * 2)


@pytest.mark.parametrize(("zone", "hours"), [("Z", 0), ("UTC", 0), ("+01:00", -1), ("-0530", 5.5), ("+1345", -13.75)])
def test_a_zone_is_taken_off(zone: str, hours: float) -> None:
    texts = pa.array([f"1970-01-02 00:00:00{zone}", "1970-01-02 00:00:00"])
    np.testing.assert_array_equal(moments.moments_of(texts).seconds, [86_400 + 3_600 * hours, 86_400])


def test_words_of_opinions() -> None:
    good = "like liked up thumbs-up yes y true t recommended positive love 赞 喜欢 推荐 是 LIKE"
    bad = "dislike disliked down thumbs-down no n false f negative hate 踩 不喜欢 不推荐 否 Hate"
    np.testing.assert_array_equal(opinions_in(good.split()), [1.0] * len(good.split()))
    np.testing.assert_array_equal(opinions_in(bad.split()), [0.0] * len(bad.split()))
    np.testing.assert_array_equal(
        opinions_in(["★★★½", "4,5", "4 out of 5", "3 stars", "4星", "4/5"]), [3.5, 4.5, 4, 3, 4, 4]
    )
    assert np.isnan(opinions_in(["inf", "nan", "so so", ""])).all()


def test_a_long_column_is_seen_through_a_sample() -> None:
    column = pa.array([str(n) for n in range(9_000)])
    seen = Profile(column, columns=1)
    assert (seen.rows, len(seen.texts), seen.distinct) == (9_000, 4_000, 4_000)
    assert {"0", "1999", "8999"} <= set(seen.texts)
    assert len(Profile(column, columns=1_000).texts) == 400
    assert len(Profile(column, columns=100_000).texts) == 50


def test_a_crowd_is_more_than_fifty_times_what_is_usual() -> None:
    few = np.arange(1, 100)
    for n, found in ((1_000, 0), (1_001, 1)):  # fewer than 20 events are usual; of 20, fifty times as many
        assert faults.bots(np.concatenate([np.zeros(n, int), few]), None).size == found
    pace = lambda n: 1e9 + np.arange(n, dtype=float)  # noqa: E731
    assert not faults.bots(np.zeros(199, int), pace(199)).size
    assert faults.bots(np.zeros(200, int), pace(200)).size == 1
    assert not faults.bots(np.zeros(200, int), 1e9 + 1.001 * np.arange(200)).size


def test_nothing_is_repeated_in_nothing() -> None:
    none = np.empty(0, np.int64)
    assert faults.repeats(none, none) == 0
    assert faults.repeats(np.array([0, 0, 1, 0]), np.array([3, 3, 3, 2])) == 1
    assert not faults.exact_repeats([none]).size


def test_odd_times_lie_before_1973_or_after_tomorrow() -> None:
    now = 1.7e9
    seconds = np.array([1e8, 1e8 - 1, now, now + 86_400, now + 86_401, np.nan])
    np.testing.assert_array_equal(faults.odd_times(seconds, now), [1, 4])
    assert not faults.odd_times(np.arange(5.0), now).size  # running numbers
    assert not faults.odd_times(np.array([np.nan]), now).size


def test_cells_of_lines() -> None:
    assert cut("a   b ", " ") == ["a", "b"]
    assert cut('a,"b,c"', ",") == ["a", "b,c"]
    assert cut('a,"b"c', ",") == ["a", '"b"c']  # a wrong quote parts nothing
    assert cut('a,"b', ",", quotes=False) == ["a", '"b']
    assert cut("a::b", "::") == ["a", "b"]


def test_numbers_with_holes_are_ids_and_features() -> None:
    found = ids_of(pa.array([1.0, None, 2.0, np.nan, 1.0]))
    np.testing.assert_array_equal(found.codes, [0, -1, 1, -1, 0])
    assert (found.ids, found.bad.tolist()) == (("1", "2"), [])
    assert ids_of(pa.array([1.5, None, 2.0**53, 2.0**53 - 1])).bad.tolist() == [0, 2]
    assert ids_of(pa.array(["a\x00b", "c"])).bad.tolist() == [0]
    items = read_items(pd.DataFrame({"item": ["x", "y"], "n": [1.0, np.nan]}))
    np.testing.assert_array_equal(items.frame["n"], [1.0, np.nan])


def test_a_table_without_columns_grows() -> None:
    bare = ItemTable.bare(["a", "b"], {"a": "A"})
    assert (bare.titles, len(bare.extended(["c", "a"]))) == (("A", "b"), 3)


def test_only_a_line_that_is_all_header_repeats_it() -> None:
    text = "user,item,rating\nuser,x,3\nuser,item,4\nuser,item,rating\na,x,1\n"
    data = read_interactions(io.BytesIO(text.encode()))
    assert (data.user_ids, data.items.ids, data.n_events) == (("user", "a"), ("x", "item"), 3)
    assert data.report.found("header_again").rows == (4,)


def test_what_is_said_of_a_history_and_of_data() -> None:
    data = read_interactions(EVENTS, name="t")
    known, other = History.of(data, 0), History.given(data, ["x", "nobody"])
    for history in (known, other):
        assert repr(history).count("unknown") == (history is other)
        assert not repr(history).rstrip(")").endswith("_")
    info = DatasetInfo("n", "t", 1, 2, 3, "l", "s", "c", Path(), {})
    assert info.names == {}
    assert repr(data) == "Interactions('t': 2 users, 3 items, 4 events)"


# --- the same data, less or more of it --------------------------------------------------------------------------------


def typed_events() -> Interactions:
    """Two people with ratings on a stated scale, times and types of events; one event stands twice but for its type."""
    frame = pd.DataFrame(
        {
            "user": ["a", "a", "a", "b", "b"],
            "item": ["x", "x", "x", "y", "x"],
            "rating": [2.0, 2.0, 2.0, 3.0, 4.0],
            "time": [1.0, 1.0, 1.0, 2.0, 3.0],
            "event": ["view", "view", "buy", "buy", "buy"],
        }
    )
    return read_interactions(frame, name="typed", scale=(0, 7))


def test_what_is_left_of_data_keeps_its_name_scale_and_types() -> None:
    data = typed_events()
    assert data.scale == Scale(0.0, 7.0)
    assert data.kind is not None
    for part in (data.without_users(["a"]), data.select(data.user == 1), data.core(1), data.without_repeats()):
        assert (part.name, part.scale) == ("typed", data.scale)
        assert part.kind is not None
        assert part.kind.tolist()[-2:] == ["buy", "buy"]
    assert data.without_repeats().n_events == 4  # another type is another event
    assert data.without_users(["a"]).user_ids == ("b",)
    assert typed_events().report.name == "typed"
    assert read_interactions(EVENTS, name="own").report.name == "own"


def test_features_that_are_named_twice_in_a_row_are_added() -> None:
    twice = sparse.csr_array((np.array([1.0, 2.0, 0.0]), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    own = FeatureSet(("p", "q"), twice)
    assert own.F.nnz == 1
    np.testing.assert_array_equal(own.F.toarray(), [[0.0, 3.0], [0.0, 0.0]])
    with pytest.raises(InputError):
        FeatureSet(("p", "p"), twice)


def test_titles_are_on_one_line_and_refused_by_name() -> None:
    frame = pd.DataFrame(index=range(1))
    assert ItemTable(("a",), ("A\n\u2028B\x00",), frame).titles == ("A B",)
    with pytest.raises(InputError, match="`titles`"):
        ItemTable(("a",), 7, frame)  # type: ignore[arg-type]


def test_refusals_name_the_argument() -> None:
    table = ItemTable(("a", "b"), ("A", "B"), pd.DataFrame({"kind": ["x", "y"]}))
    with pytest.raises(InputError, match="`where`"):
        matching(table, {"kind": "z"})
    with pytest.raises(InputError, match="`data`"):
        as_of(EVENTS, 1.0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="`unrated`"):
        read_interactions(EVENTS.assign(rating=1.0), unrated=[None])
    with pytest.raises(InputError, match="`user_ids`"):
        Interactions("t", (3.5,), table, [0, 0], [])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="`drop`"):
        read_interactions(EVENTS, drop="all")


def test_ends_of_opinions() -> None:
    with pytest.raises(InputError, match="`rating`"):
        check_opinions("rating", [1.0, np.inf])
    with pytest.raises(InputError, match="`rating`"):
        check_opinions("rating", [[1.0]])
    assert scale_of_lasting(np.array([-1.0, 5.0]), np.ones(2), "dwell") is None
    assert scale_of_lasting(np.array([0.0]), np.ones(1), "dwell") is None
    assert scale_of_lasting(np.array([0.0, 1.0]), np.ones(2), "progress") == Scale(0.0, 1.0, "progress")
    assert scale_of_lasting(np.array([0.0, 1.01]), np.ones(2), "progress") == Scale(0.0, 100.0, "progress")
    assert scale_of_lasting(np.array([0.0, 100.5]), np.ones(2), "progress") is None


def test_words_of_capitals() -> None:
    assert words_of("XMLFeedID") == ("xml", "feed", "id")
    assert words_of("userISBN") == ("user", "isbn")
    assert words_of("itemNo") == ("item", "no")


def test_an_event_with_another_rating_or_time_is_another_event() -> None:
    plain = pd.DataFrame({"user": ["a"] * 3, "item": ["x"] * 3})
    for column in ("rating", "time"):
        data = read_interactions(plain.assign(**{column: [1.0, 2.0, 2.0]}), scale=(0, 7))
        assert data.without_repeats().n_events == 2
    assert read_interactions(plain).without_repeats().n_events == 3


def test_blank_cells_do_not_decide_how_times_are_written() -> None:
    few = moments.moments_of(pa.array(["1600000000", "", "", ""]))
    assert few.way == "s"
    np.testing.assert_array_equal(few.seconds, [1.6e9, np.nan, np.nan, np.nan])
    assert moments.moments_of(pa.array(["5", "", "", "x"])).way == "number"


def test_a_report_as_plain_values_has_these_fields() -> None:
    items = pd.DataFrame({"item": ["x", "y", "q"], "title": ["X", "Y", "Q"]})
    told = read_interactions(EVENTS.assign(rating=[1.0, 2.0, 3.0, 5.0]), items).report.to_dict()
    assert list(told) == ["name", "format", "rows", "events", "users", "items", "columns", "unused", "scale", "kinds",
                          "findings", "item_table"]  # fmt: skip
    assert list(told["item_table"]) == list(told)
    assert told["item_table"]["item_table"] is None
    assert list(told["columns"][0]) == ["column", "role", "why", "how", "sure", "samples"]
    assert list(told["scale"]) == ["low", "high", "kind", "origin"]
    assert list(told["findings"][0]) == [
        "id",
        "severity",
        "count",
        "rows",
        "unit",
        "share",
        "action",
        "sentence",
        "advice",
    ]
    assert told["columns"][0]["samples"] == ["a", "b"]
    assert list(told["format"]) == ["kind", "packing", "encoding", "separator", "header", "unit", "shape", "empty"]


def test_one_cell_that_is_no_date_does_not_settle_which_comes_first() -> None:
    assert moments.moments_of(pa.array(["03/04/2024", "04/03/2024", "never"])).order == "either"
    assert moments.moments_of(pa.array(["03/03/2024", "04/04/2024", "never"])).order == ""


def test_opinions_of_a_wide_table_lie_within_a_hundred() -> None:
    for cells, found in ((["5", "", "100"], True), (["5", "-100"], True), (["5", "101"], False), (["5", "x"], False)):
        assert _opinions_only(pa.array(cells)) == found


def test_no_opinion_at_all_is_none() -> None:
    data = read_interactions(EVENTS.assign(rating=99.0), scale=(1, 5))
    assert data.rating is None
    assert data.report.found("absurd").count == 4


@pytest.mark.parametrize("name", ["id", "key", "ID", "编号"])
def test_a_plain_key_goes_before_other_ids(name: str) -> None:
    frame = pd.DataFrame({"isbn": ["9", "8"], name: ["a", "b"], "title": ["X", "Y"]})
    assert read_items(frame).ids == ("a", "b")
    assert read_items(frame.rename(columns={name: "other"})).ids == ("9", "8")


def test_ends_of_a_scale_differ() -> None:
    with pytest.raises(InputError, match=r"got .*3.*3"):
        read_interactions(EVENTS.assign(rating=1.0), scale=(3, 3))
    with pytest.raises(InputError, match="got '3-x'"):
        read_interactions(EVENTS.assign(rating=1.0), scale="3-x")
    assert read_interactions(EVENTS.assign(rating=[1.0, 2, 3, 4]), scale="1..4").scale == Scale(1.0, 4.0)


@pytest.mark.parametrize("name", ["things.csv", "things.csv.gz", "THINGS.TSV", "things.inter", "things.jsonl"])
def test_of_a_zip_file_the_table_is_taken(name: str) -> None:
    raw = b'{"user": "a", "item": "x"}\n' if "json" in name else b"user,item\na,x\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, gzip.compress(raw) if name.endswith("gz") else raw)
        archive.writestr("notes.md", "nothing")
        archive.writestr("readme.txt", "nothing")
    assert read_interactions(io.BytesIO(out.getvalue())).items.ids == ("x",)


@pytest.mark.parametrize(("names", "wide"), [("foo,bar,baz", True), ("foo,bar", False), ("1,2", True)])
def test_a_wide_table_names_three_items_or_numbers_them(names: str, wide: bool) -> None:
    width = names.count(",") + 1
    rows = [["5", "", "3"], ["", "4", "1"]]
    text = "\n".join([f"user,{names}", *(",".join([f"u{n}", *row[:width]]) for n, row in enumerate(rows))])
    table = table_of(io.BytesIO(text.encode()), of="items")
    assert is_wide(table) == wide
    assert not is_wide(table.but(columns=tuple(column.fill_null("").slice(0, 0) for column in table.columns)))


def test_friends_are_those_of_one_person() -> None:
    data = read_interactions(pd.DataFrame({"user": list("abcd"), "item": list("xxyy")}))
    pairs = friend_pairs([("a", "b"), ("b", "c"), ("c", "d"), ("a", "a"), ("a", "nobody"), ("b", "a")], data)
    assert [friends_of(pairs, user).tolist() for user in range(4)] == [[1], [0, 2], [1, 3], [2]]


def test_few_items_are_refused_by_name() -> None:
    ids = tuple(map(str, range(19)))
    with pytest.raises(InputError, match="`items` must be .* 20; got 19"):
        simulate(ItemTable(ids, ids, pd.DataFrame({"kind": ["a", "b"] * 9 + ["a"]})))


@pytest.mark.parametrize(
    "rows",
    [
        ["a,x,3,", "b,y,4,9"],  # not all end with a separator
        ["1,a,x,3", "3,b,y,4"],  # not all are numbered
        ["a,x,3,7", "b,y,4,9"],
    ],
)
def test_a_header_that_is_one_short_is_mended_where_all_lines_say_how(rows: list[str]) -> None:
    with pytest.raises(DataError, match="every line must have 3 cells"):
        read_interactions(io.BytesIO("\n".join(["user,item,rating", *rows, *rows[1:]]).encode()))


def test_a_wide_table_holds_opinions_from_its_first_item_on() -> None:
    table = table_of(io.BytesIO(b"user,1,2,3\na,x,5,1\nb,y,4,\n"), of="items")
    assert not is_wide(table)


def test_four_lengths_of_columns_are_told() -> None:
    with pytest.raises(DataError, match=r"got 1, 2, 3, 4\."):
        read_interactions(
            io.BytesIO(
                json.dumps({name: [1] * n for n, name in enumerate(["user", "item", "a", "b", "c"], 1)}).encode()
            )
        )


def test_users_and_items_are_refused_by_their_names() -> None:
    items = ItemTable(("a",), ("A",), pd.DataFrame(index=range(1)))
    made = Interactions("one", ["u"], items, np.array([0, 1]), np.array([0]))  # type: ignore[arg-type]
    assert made.user_ids == ("u",)
    for users in ("u", [""], [None], 7):
        with pytest.raises(InputError, match="`user_ids`"):
            Interactions("one", users, items, np.array([0, 1]), np.array([0]))  # type: ignore[arg-type]
    for few in (["a"], items):
        with pytest.raises(InputError, match="`items`"):
            simulate(few, n_users=2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "events"),
    [
        (b"user,item\na,x\n   \nb,y\na,y\n", 3),
        (b"  \nuser\titem\na\tx\n   \nb\ty\n\t\n", 2),
        (b'user,item,told\r\n"a",x,"one\n  \ntwo"\r\n \t\r\nb,y,z\r\n', 2),
    ],
)
def test_lines_of_blanks_are_empty_lines(raw: bytes, events: int) -> None:
    assert read_interactions(io.BytesIO(raw)).n_events == events
    table = table_of(io.BytesIO(raw))
    assert table.columns[-1][0].as_py() in ("x", "one\n  \ntwo")


@pytest.mark.parametrize(("raw", "line"), [(b"user,item\na,x\n   \nb,y,7\n", 4), (b' \nuser,item\n"a",x\n  \nb\n', 5)])
def test_lines_of_blanks_are_counted(raw: bytes, line: int) -> None:
    with pytest.raises(DataError, match=f"line {line}: every line must have 2 cells"):
        read_interactions(io.BytesIO(raw))
