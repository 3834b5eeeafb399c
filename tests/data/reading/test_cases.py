"""Small inputs that people have, each with the right answer: what is taken, what is said, what is refused and how."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xattn.data import Interactions, check_data, read_history, read_interactions, read_items
from xattn.data.scale import Scale
from xattn.errors import DataError, InputError


def read(text: str, **options: Any) -> Interactions:
    return read_interactions(io.BytesIO(text.encode()), **options)


def ids(data: Interactions) -> list[str]:
    return [data.items.ids[row] for row in data.item.tolist()]


# --- ratings ----------------------------------------------------------------------------------------------------------


def test_positives_alone_hold_no_dislike() -> None:
    text = "user,item,rating\n" + "".join(f"u{n % 5},i{n % 7},{4 + n % 2}\n" for n in range(35))
    data = read(text)
    assert data.scale == Scale(1.0, 5.0, "opinion", "known")
    assert read(text, scale=(0.5, 5)).scale == Scale(0.5, 5.0, "opinion", "stated")
    assert read(text, scale="0.5-5").scale == read(text, scale=(0.5, 5)).scale


@pytest.mark.parametrize(("mark", "other"), [(0, "8,3,10,7"), (-1, "9,10,8,1")])
def test_what_means_not_rated_is_no_opinion(mark: int, other: str) -> None:
    values = [str(mark)] * 5 + other.split(",")
    data = read("user,book,rating\n" + "".join(f"u{n},b{n % 3},{value}\n" for n, value in enumerate(values)))
    assert data.rating is not None
    assert np.isnan(data.rating).sum() == 5
    assert data.scale is not None
    assert data.scale.span == (1.0, 10.0)
    said = data.report.found("unrated")
    assert (said.count, said.fields["what"]) == (5, str(mark))


def test_a_mark_may_be_stated() -> None:
    text = "user,item,rating\nu,a,7\nu,b,5\nv,a,1\nv,b,NA\n"
    data = read(text, unrated=7)
    assert data.rating.tolist()[1:3] == [5.0, 1.0]
    assert np.isnan(data.rating[0])
    assert read(text.replace("NA", "skipped"), unrated=["7", "skipped"]).report.found("rating_unread") is None
    assert not np.isnan(read("user,item,rating\nu,a,0\nu,b,5\nv,a,1\n", unrated=[]).rating).any()


def test_counts_are_no_opinions() -> None:
    clicks = read("user,item,rating\n" + "".join(f"u{n % 6},i{n % 5},{1 + (n % 6 == 0)}\n" for n in range(30)))
    plays = read("user,artist,rating\n" + "".join(f"u{n % 6},a{n},{[1, 2, 2, 3, 5, 40][n % 6]}\n" for n in range(36)))
    for data in (clicks, plays):
        assert data.scale.kind == "amount"
        assert data.scale.span == (0.0, 0.0)
        assert data.report.found("amounts") is not None
    assert read("user,item,rating\nu,a,1\nv,a,2\n", scale=(1, 2)).scale.certain  # unless somebody says so


def test_ratings_under_other_names() -> None:
    names = [
        *("rating", "Rating", "ratings", "score", "stars", "star_rating", "overall", "My Rating", "Your Rating"),
        *("user_rating", "userRating", "Book-Rating", "review_score", "reviewScore", "rate", "grade", "vote"),
        *("评分", "用户评分", "打分", "bewertung", "rating:float", "movie_rating", "starRating"),
    ]
    for name in names:
        data = read(f"user,item,{name}\nu,a,5\nu,b,1\nv,a,4\n")
        assert data.rating is not None, name
        assert data.rating.tolist() == [5.0, 1.0, 4.0], name
    for name in ("average_rating", "ratings_count", "rating_id", "helpful_votes_count", "food"):
        assert read(f"user,item,{name}\nu,a,5\nu,b,1\nv,a,4\n").rating is None, name


def test_a_history_of_another_service(tmp_path: Path) -> None:
    path = tmp_path / "goodreads.csv"
    path.write_text(
        "Book Id,Title,Author,My Rating,Average Rating,Date Read,Date Added\n"
        "2,B Book,Someone,5,3.9,2024/03/01,2024/02/01\n1,A Book,Someone,1,4.1,2024/02/01,2024/01/01\n"
    )
    assert read_history(path) == [("1", 1.0), ("2", 5.0)]


# --- times ------------------------------------------------------------------------------------------------------------


def test_times_under_other_names() -> None:
    names = [
        *("timestamp", "time", "date", "datetime", "ts", "event_timestamp", "eventTime", "rated_on", "purchase_time"),
        *("t_dat", "played_at", "transaction_date", "created", "createdAt", "viewed_at", "时间戳", "日期", "时间"),
        *(
            "Timestamp (UTC)",
            "unix_timestamp",
            "unixReviewTime",
            "date_added",
            "timestamp:float",
            "InvoiceDate",
            "when",
        ),
        *("order_date", "review_date", "watchedAt", "event_date", "visit time", "Date Read", "交易时间"),
    ]
    for name in names:
        data = read(f"user_id,item_id,{name}\nu,third,1700000300\nu,first,1700000100\nu,second,1700000200\n")
        assert ids(data) == ["first", "second", "third"], name
    small = read("user_id,item_id,event_timestamp\nu,third,300\nu,first,100\nu,second,200\n")
    assert ids(small) == ["first", "second", "third"]


@pytest.mark.parametrize(
    ("column", "way"),
    [
        ("1700000300 1700000100", "s"),
        ("1700000300123 1700000100456", "ms"),
        ("1700000300123456 1700000100456789", "us"),
        ("2024-02-01|2024-01-31", "date"),
        ("2019-10-01 00:00:05 UTC|2019-10-01 00:00:00 UTC", "date"),
        ("31/01/2024|30/01/2024", "day"),
        ("12/13/2010 8:26|12/1/2010 8:26", "month"),
        ("11/13/2019 9:05:58 AM|11/12/2019 9:05:58 PM", "month"),
        ("2024年1月31日|2024年1月30日", "date"),
        ("20240131|20240130", "date"),
        ("Jan 31, 2024|Jan 30, 2024", "date"),
        ("31-Jan-2024|30-Jan-2024", "date"),
        ("Tue Apr 03 18:00:25 +0000 2012|Tue Apr 03 18:00:09 +0000 2012", "date"),
    ],
)
def test_spellings_of_times(column: str, way: str) -> None:
    later, earlier = column.split("|") if "|" in column else column.split()
    data = read(f'user,item,when\nu,later,"{later}"\nu,earlier,"{earlier}"\n')
    assert ids(data) == ["earlier", "later"]
    assert next(use.how for use in data.report.columns if use.role == "time") == way


def test_day_or_month_first() -> None:
    open_ended = "user,item,date\nu,a,03/04/2023\nu,b,04/03/2023\n"
    with pytest.raises(DataError, match=r"must show if the day or the month comes first"):
        read(open_ended)
    assert ids(read(open_ended, time_format="day-first")) == ["b", "a"]
    assert ids(read(open_ended, time_format="month-first")) == ["a", "b"]
    assert ids(read(open_ended, time_format="%d/%m/%Y")) == ["b", "a"]
    either = read("user,item,date\nu,a,12/1/2010 8:26\nu,b,12/1/2010 9:41\n")  # the order is the same
    assert either.report.found("time_order_lines") is not None


# --- titles -----------------------------------------------------------------------------------------------------------


def test_what_is_no_title_of_the_items() -> None:
    headlines = read(
        "rating,title,text,asin,parent_asin,user_id\n5,Lovely,x,B1,B1,U1\n1,Do not buy,x,B2,B2,U1\n4,Gift,x,B2,B2,U2\n"
    )
    customers = read(
        "user_id,name,product_id\n1,Alice Example,p1\n1,Alice Example,p2\n2,Bob Sample,p2\n2,Bob Sample,p3\n"
    )
    for data in (headlines, customers):
        assert data.items.titles == data.items.ids
        assert data.report.found("title_foreign") is not None
    asked = read("user_id,name,product_id\n1,A,p1\n2,B,p2\n", columns={"title": "name"})
    assert asked.items.titles == ("A", "B")


# --- ids --------------------------------------------------------------------------------------------------------------


def test_ids_that_do_not_meet(tmp_path: Path) -> None:
    articles = tmp_path / "articles.csv"
    articles.write_text("article_id,prod_name\n0663713001,Body\n0541518023,Push\n")
    lost = read("customer_id,article_id\nc1,663713001\nc1,541518023\n", items=articles)
    found = lost.report.found("ids_do_not_meet")
    assert (found.count, found.fields["met"], found.severity) == (2, "2", "warning")
    assert "leading zeros" in found.sentence()
    assert "前导零" in found.sentence("zh")
    movies = tmp_path / "movies.csv"
    movies.write_text("movieId,title\n1,Toy Story\n2,Jumanji\n")
    spaces = read("userId, movieId, rating\n1, 1, 4\n1, 2, 5\n2, 1, 3\n", items=movies)
    assert spaces.items.ids == ("1", "2")
    assert spaces.user_ids == ("1", "2")


# --- items ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cells",
    [
        ["[{'id': 16, 'name': 'Animation'}, {'id': 35, 'name': 'Comedy'}]", "[{'id': 35, 'name': 'Comedy'}]"],
        ['[{"id": 16, "name": "Animation"}, {"id": 35, "name": "Comedy"}]', '[{"id": 35, "name": "Comedy"}]'],
        ["['Animation', 'Comedy']", "['Comedy']"],
        ["['Animation' 'Comedy']", "['Comedy']"],
        ["Animation | Comedy", "Comedy"],
        ["Animation; Comedy", "Comedy; Comedy"],
        ["Animation, Comedy", "Comedy, Comedy"],
        [["Animation", "Comedy"], ["Comedy"]],
    ],
)
def test_lists_of_any_kind(cells: list[Any]) -> None:
    table = read_items(pd.DataFrame({"id": [1, 2], "title": ["A", "B"], "genres": cells}))
    assert table.frame["genres"].tolist() == ["Animation|Comedy", "Comedy"]


def test_prose_is_no_list() -> None:
    frame = pd.DataFrame({"id": [1, 2], "about": ["A boy, his toys, and a long way home.", "Two men; one town."]})
    assert read_items(frame).frame["about"].tolist() == frame["about"].tolist()


def test_only_yes_counts() -> None:
    frame = pd.DataFrame(
        {"item": list("abc"), "Horror": [1, 0, 0], "Comedy": [0, 1, 1], "Drama": [0, 0, 1], "year": [1, 2, 3]}
    )
    table = read_items(frame)
    assert list(table.frame) == ["year", "flags"]
    assert table.frame["flags"].tolist() == ["Horror", "Comedy", "Comedy|Drama"]
    prefixed = frame.rename(columns={name: f"genre_{name}" for name in ("Horror", "Comedy", "Drama")})
    assert read_items(prefixed.replace({1: "yes", 0: "no"})).frame["genre"].tolist() == [
        "Horror",
        "Comedy",
        "Comedy|Drama",
    ]


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.large_string()), pa.large_list(pa.large_string()), pa.list_(pa.string_view())]
)
def test_lists_in_parquet(kind: pa.DataType, tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    genres = pa.array([["x", "y"], ["y"], None], kind)
    numbers = pa.array([[1, 2], [2], []], pa.list_(pa.int64()))
    try:
        pq.write_table(pa.table({"id": [1, 2, 3], "title": ["A", "B", "C"], "genres": genres, "tags": numbers}), path)
    except pa.ArrowException:
        pytest.skip("this Arrow writes no such lists")
    table = read_items(path)
    assert table.frame["genres"].tolist() == ["x|y", "y", ""]
    assert table.frame["tags"].tolist() == ["1|2", "2", ""]


# --- rows -------------------------------------------------------------------------------------------------------------


def test_rows_without_a_customer_and_returns() -> None:
    text = (
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "536365,85123A,HOLDER,6,2010-12-01 08:26,2.55,201,UK\n536414,22139,,56,2010-12-01 11:52,0,,UK\n"
        "C536379,85123A,HOLDER,-6,2010-12-01 09:41,2.55,201,UK\n"
    )
    with pytest.raises(DataError, match=r"line 3.*--missing drop .* leaves them out"):
        read(text)
    data = read(text, missing="drop")
    assert data.n_events == 1
    kept = read(text, missing="drop", event_weights={"return": -1.0})
    assert kept.kind.tolist() == ["purchase", "return"]
    assert read("user;item;rating\nu;a;4\n;;\n").n_events == 1
    with pytest.raises(InputError, match="`missing` must be one of refuse, drop"):
        read(text, missing="skip")


def test_unknown_names_of_event_types_are_refused() -> None:
    text = "user,item,event\nu,a,view\nu,b,purchase\n"
    with pytest.raises(
        InputError,
        match=r"`event_weights` must name types of events that the data hold \('purchase', 'view'\); got 'buy'",
    ):
        read(text, event_weights={"buy": 1.0})
    assert read(text, event_weights={"view": 0.5}).n_events == 2


def test_a_header_again() -> None:
    data = read("userId,movieId\n1,2\n1,3\nuserId,movieId\n2,2\n")
    assert data.user_ids == ("1", "2")
    assert data.report.found("header_again").rows == (4,)


def test_a_category_is_no_rating() -> None:
    data = read("1\t2268318\t2520377\t1511544070\n1\t2333346\t2520771\t1511561733\n2\t2333346\t149192\t1511572885\n")
    assert data.rating is None
    assert data.time is not None
    assert data.report.found("no_header").severity == "warning"


def test_exact_repeats() -> None:
    text = "user,item,rating,time\nu,a,4,1700000000\nu,a,4,1700000000\nu,a,4,1700000001\n"
    assert read(text).n_events == 3
    assert read(text, repeats="drop").n_events == 2
    plays = "user,song\nu,a\nu,a\n"
    assert read(plays, repeats="drop").n_events == 2  # without time or rating each is an event


# --- what is said -----------------------------------------------------------------------------------------------------


def test_every_column_is_accounted_for() -> None:
    report = read("visitorid,itemid,event,note\n1,a,view,x\n2,b,view,y\n").report
    assert report.summary() == (
        "upload: 2 users, 2 items, 2 events; user ← visitorid, item ← itemid, event type ← event; 2 notes"
    )
    assert report.unused == ("note",)
    assert "unused: note" in report.text()
    assert "未使用：note" in report.text("zh")
    assert (
        "upload：2 位用户，2 个物品，2 个事件；用户 ← visitorid、物品 ← itemid、事件类型 ← event；2 条说明"
        in report.text("zh")
    )
    document = report.to_dict()
    assert document["unused"] == ["note"]
    assert [one["role"] for one in document["columns"]] == ["user", "item", "kind", ""]
    assert {one["id"] for one in document["findings"]} == {"no_time", "one_event_users"}


def test_the_report_is_a_value() -> None:
    report = read("user,item\nu,a\n").report
    with pytest.raises(AttributeError):
        report.name = "other"
    assert check_data(io.BytesIO(b"user,item\nu,a\n")) == report


WRONG = {
    b"\xd0\xcf\x11\xe0" + bytes(600): "old Excel file",
    b"SQLite format 3\0" + bytes(600): "sqlite:///FILE",
    b"%PDF-1.7 \x80": "a PDF document",
    b"<!DOCTYPE html><table></table>": "a web page",
    b"RDX3\nX\n\x00": "an R file",
    b"\x80\x04\x95abc": "a pickle, which can run code",
}


@pytest.mark.parametrize("raw", WRONG)
def test_wrong_kinds_are_named(raw: bytes) -> None:
    with pytest.raises(DataError, match=WRONG[raw]):
        read_interactions(io.BytesIO(raw))
