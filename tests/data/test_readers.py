"""Readers: what is in the file is what is in the table, and every file that is wrong is refused in one sentence."""

import csv
import gzip
import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn.data import History, Interactions, read_history, read_interactions, read_items
from xattn.data.reading.formats.delimited import MAX_CELL
from xattn.errors import DataError, InputError

WEIRD = [
    "NA",
    "nan",
    "null",
    "None",
    "007",
    "7",
    "9007199254740993",
    "18446744073709551616",
    "1e5",
    "True",
    "-1",
    "猫",
]
IDS = st.one_of(
    st.sampled_from(WEIRD),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=5).filter(lambda t: t == t.strip()),
)


def read(text, **options):
    raw = text if isinstance(text, bytes) else text.encode()
    return read_interactions(io.BytesIO(raw), **options)


def events(data):
    return [tuple(line) for line in data.to_frame().itertuples(index=False)]


def refused(raw, *sentences, reader=read_interactions, **options):
    raw = raw if isinstance(raw, bytes) else raw.encode()
    with pytest.raises(DataError) as caught:
        reader(io.BytesIO(raw), **options)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    for sentence in sentences:
        assert sentence in text


# --- what is taken ----------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(IDS, IDS, st.floats(-1e9, 1e9)), min_size=1, max_size=20), st.sampled_from(",;\t|"))
def test_written_is_read(lines, separator):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(["user_id", "item_id", "rating"])
    writer.writerows(lines)
    users = list(dict.fromkeys(user for user, _, _ in lines))
    assert events(read(text.getvalue())) == sorted(lines, key=lambda line: users.index(line[0]))


@pytest.mark.parametrize("name", ["r.csv", "r.csv.gz", "r.tsv", "r.parquet", "no ending"])
def test_by_path(tmp_path, name):
    path = tmp_path / name
    frame = pd.DataFrame({"userId": WEIRD, "movieId": WEIRD, "rating": 3.5})
    if name.endswith("parquet"):
        frame.to_parquet(path)
    else:
        separator = "\t" if "tsv" in name else ","
        frame.to_csv(path, sep=separator, index=False, compression="gzip" if name.endswith("gz") else None)
    for given_path in (path, str(path)):
        data = read_interactions(given_path)
        assert data.user_ids == data.items.ids == tuple(WEIRD)
        assert data.name == ("no ending" if name == "no ending" else "r")
    assert read_interactions(path, name="mine").name == "mine"


@pytest.mark.parametrize(
    "header",
    [
        "user,item,rating,timestamp",
        "userId,movieId,rating,timestamp",
        "USER_ID,Item ID,Score,Date",
        "uid,book_id,stars,time",
        "CustomerID,StockCode,rating,InvoiceDate",
        "User-ID,ISBN,Book-Rating,ts",
        "reviewerID,asin,rating,unixReviewTime",
        "customer,product_id,rating,created_at",
        "\ufeffuser,item,rating,timestamp",
        '"user","item","rating","timestamp"',
    ],
)
def test_header_spellings(header):
    assert events(read(header + "\nu,i,4,100\n")) == [("u", "i", 4.0, 100.0)]


def test_event_types_and_dates():
    data = read("user;item;event_type;date\nu;b;buy;2024-01-02\nu;a;view;2024-01-01\n")
    assert events(data) == [("u", "a", 1704067200.0, "view"), ("u", "b", 1704153600.0, "buy")]
    assert data.rating is None


def test_line_ends_and_blank_lines():
    for end in ("\n", "\r\n", "\r"):
        assert read(end.join(["", "user,item", "u,a", "", "u,b", ""])).n_events == 2


def test_unknown_columns_are_left_alone():
    data = read(",user,item,note\n0,u,a,x\n1,u,b,\n")  # a nameless first column as pandas writes it
    assert data.items.ids == ("a", "b")


def test_titles_in_the_events():
    data = read("user,item,item_title\nu,a,\nu,b,Bee\nv,a,Ay\nw,a,Ay\nv,a,Other\n")
    assert data.report.found("title_varies").rows == (6,)
    assert dict(zip(data.items.ids, data.items.titles, strict=True)) == {"a": "Ay", "b": "Bee"}


def test_quotes():
    data = read('user,item\nu,"a,b"\nu,"say ""hi"""\nu,5" disk\n')
    assert data.items.ids == ("a,b", 'say "hi"', '5" disk')


def test_movielens_layouts():
    expected = [("1", "1193", 5.0, 978300760.0), ("2", "661", 3.0, 978302109.0)]
    assert events(read("1::1193::5::978300760\n2::661::3::978302109\n")) == expected
    assert events(read("1\t1193\t5\t978300760\n2\t661\t3\t978302109\n")) == expected
    assert events(read("1::1193::5\n2::661::3\n")) == [line[:3] for line in expected]
    movies = '1193::One Flew Over: the Cuckoo\'s "Nest" (1975)::Drama\n661::Café (1996)::A|B\n'
    for encoding in ("utf-8", "latin-1"):
        table = read_items(io.BytesIO(movies.encode(encoding)))
        assert table.ids == ("1193", "661")
        assert table.titles == ('One Flew Over: the Cuckoo\'s "Nest"', "Café")
        assert table.frame.to_dict("list") == {"genres": ["Drama", "A|B"], "year": [1975.0, 1996.0]}


def test_ratings_with_items(tmp_path):
    (tmp_path / "movies.csv").write_text('movieId,title,genres\n1,"Heat, The (1995)",Crime\n9,Cold (1990),Drama\n')
    data = read("userId,movieId\n5,1\n5,7\n", items=tmp_path / "movies.csv")
    assert data.items.ids == ("1", "9", "7")  # the cold item is kept, the undescribed one is added
    assert data.items.titles == ("Heat, The", "Cold", "7")
    assert data.items.frame.genres.tolist() == ["Crime", "Drama", ""]
    np.testing.assert_array_equal(data.items.frame.year, [1995.0, 1990.0, np.nan])
    assert data.counts().tolist() == [1, 0, 1]


def test_items_by_plain_id():
    table = read_items(io.BytesIO(b"id;name;price\n007;Bond;1.5\n8;;2\n"))
    assert (table.ids, table.titles, table.frame.price.tolist()) == (("007", "8"), ("Bond", "8"), [1.5, 2.0])


def test_parquet_types():
    frame = pd.DataFrame(
        {
            "user": pd.array([2**53 + 1, 5], dtype="int64"),
            "item": pd.Categorical(["b", "a"]),
            "rating": pd.array([1, 2], dtype="Int8"),
            "time": pd.to_datetime(["2020-01-01 00:00:10", "2020-01-01 00:00:00"]),
        }
    )
    raw = io.BytesIO()
    frame.to_parquet(raw)
    assert events(read(raw.getvalue())) == [("9007199254740993", "b", 1.0, 1577836810.0), ("5", "a", 2.0, 1577836800.0)]
    items = io.BytesIO()
    pd.DataFrame({"id": [1, 2], "title": ["x", None], "genres": [["a", "b"], []], "n": [1.5, None]}).to_parquet(items)
    table = read_items(io.BytesIO(items.getvalue()))
    assert table.titles == ("x", "2")
    assert table.frame.genres.tolist() == ["a|b", ""]
    np.testing.assert_array_equal(table.frame.n, [1.5, np.nan])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("item\n1\n2\n", [("1", None), ("2", None)]),
        ("movieId,rating\n1,5\n2,0.5\n", [("1", 5.0), ("2", 0.5)]),
        ("260\n007\n\nNA\n", [("260", None), ("007", None), ("NA", None)]),
        ("260", [("260", None)]),
        ("260,5\n1,4\n", [("260", 5.0), ("1", 4.0)]),
        ("item;rating;timestamp\nb;1;20\na;2;10\n", [("a", 2.0), ("b", 1.0)]),
        ("user,item\nu,1\nu,2\n", [("1", None), ("2", None)]),
    ],
)
def test_history_files(text, expected):
    assert read_history(io.BytesIO(text.encode())) == expected


def test_a_history_file_feeds_a_history():
    data = read("user,item\nu,1\nu,2\n")
    history = History.given(data, read_history(io.BytesIO(b"item,rating\n2,4\nx,1\n1,2\n")))
    assert history.item.tolist() == [1, 0]
    assert history.unknown == ("x",)


# --- what is refused --------------------------------------------------------------------------------------------------

HEADER = "user,item,rating\n"


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("", "'upload': it must hold a header line and at least one line of data; got an empty file."),
        ("\n \n", "got an empty file"),
        ("\ufeff", "got an empty file"),
        (HEADER, "it must hold at least one event; got a header and no events."),
        ("a,b,c\nx,5,6\n", "names a user column and an item column (such as user_id,item_id)"),
        ("user\n1\n", "names a user column and an item column"),
        (HEADER + "1,a,x\n", "'upload' line 2: column 'rating' must be a finite number; got 'x'."),
        (HEADER + "1,a,inf\n", "line 2: column 'rating' must be a finite number; got 'inf'."),
        (HEADER + "1,a,1e999\n", "line 2: column 'rating' must be a finite number; got '1e999'."),
        (HEADER + "\n\n1,a,3\n\n1,b,x\n", "line 6: "),
        (HEADER + '"1,a,3\n', "'upload' line 2: a quote that opens a cell must be closed; got none that closes it."),
        (HEADER + '1,a,3\n1,"b,3\n1,"c,3\n', "line 3: a cell in quotes must end with its closing quote"),
        (HEADER + '1,"a\nb",3\n', "line 3: the item id must be text on one line"),
        ('"user,item\n1,2\n', "a quote that opens a cell must be closed"),
        (HEADER + "1,a,3\n1,b\n", "line 3: every line must have 3 cells, as the first has; got 2."),
        (HEADER + "1,a,3,9\n", "line 2: every line must have 3 cells, as the first has; got 4."),
        (HEADER + '1,"a",3\n\n1,b\n', "line 4: every line must have 3 cells"),
        ("user,item,user\n1,2,3\n", "every column must have a name of its own; got two columns named 'user'."),
        ("user_id,userId,item\n1,2,3\n", "one column must hold the user; got 'user_id', 'userId'."),
        (
            HEADER + "1,a,3\n,b,3\n1,,3\n",
            "name a user and an item; got 2 lines without (first: line 3); --missing drop (in Python, ",
        ),
        (HEADER + " ,a,3\n", "some line must name a user and an item; got none"),
        (
            HEADER.encode() + b"1,a\0,3\n",
            "it must be a table in text, Parquet, Excel or JSON; got binary data (a zero byte in line 2).",
        ),
        (HEADER.encode("utf-16")[:-1], "a text that begins as UTF-16 must be whole"),
        (HEADER.encode() + b"1,a\0\0\1,3\n", "got binary data"),
        (bytes(range(255, 0, -1)), ""),
        (b"PK\x03\x04\x14\0\x06\0", "a zip file must be whole"),
        (b"PAR1 and then nothing", "a Parquet file must be whole"),
        (b"\x1f\x8b\x08\0broken", "a gzip file must be whole"),
        (gzip.compress((HEADER + "1,a,3\n" * 50).encode(), mtime=0)[:-12], "a gzip file must be whole"),
        (HEADER + f"1,{'a' * (MAX_CELL + 1)},3\n", "a cell must hold at most 131,072 characters; got 131,073."),
        (HEADER + f'1,"{"a" * (MAX_CELL + 1)}",3\n', "line 2: a quote that opens a cell must be closed"),
        (",".join(f"c{i}" for i in range(10_001)) + "\n", "a table must have at most 10,000 columns; got 10,001."),
        (",".join(["user", "item"] + ["x"] * 10**6) + "\n", "a table must have at most 10,000 columns; got"),
        ("user,item,time\n1,a,yesterday\n", "line 2: column 'time' must be seconds since 1970 or a date"),
        ("user,item,time\n1,a,2024-13-01\n", "line 2: column 'time' must be"),
        ("user,item,time\n1,a,\n", "line 2: column 'time' must be"),
        ("1::2::x::4\n", "line 1: column 'rating' must be a finite number; got 'x'"),
        ("1::2::3::4\n1::2::3\n", "line 2: every line must have 4 cells"),
        ("1\t2\t3\t4\n1\t2\t3\n", "line 2: every line must have 4 cells"),
    ],
)
def test_wrong_files_are_refused(raw, sentence):
    refused(raw, sentence)


def test_noise_is_refused():
    rng = np.random.default_rng(0)
    for size in (1, 3, 100, 4000):
        refused(rng.bytes(size))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw):
    for reader in (read_interactions, read_items, read_history):
        for content in (raw, b"user,item,rating\n" + raw):
            try:
                reader(io.BytesIO(content))
            except DataError as error:
                assert "\n" not in str(error)  # noqa: PT017


def test_wrong_parquet_files():
    def parquet(**columns):
        raw = io.BytesIO()
        pd.DataFrame(columns).to_parquet(raw)
        return raw.getvalue()

    refused(parquet(user=[1.5], item=["a"]), "row 0: the user id must be text on one line or a whole number; got 1.5")
    refused(parquet(user=["u", None], item=["a", "b"]), "got 1 line without (first: row 1)")
    refused(parquet(user=["u"], item=["a"], rating=["?!"]), "row 0: column 'rating' must be a finite number; got '?!'")
    whole = parquet(user=["u"] * 100, item=["a"] * 100)
    refused(whole[: len(whole) // 2], "a Parquet file must be whole")
    refused(whole[:8] + bytes(20) + whole[28:])


def test_wrong_paths(tmp_path):
    for path, got in (
        (
            tmp_path / "absent.csv",
            "'absent.csv': it must be a file that exists and can be read; got no file of this name.",
        ),
        (tmp_path, "got a folder."),
        ("", "got no file of this name"),
        ("a\0b", "got "),
        ("x" * 5000, "got no file of this name"),
    ):
        with pytest.raises(DataError) as caught:
            read_interactions(path)
        assert got in str(caught.value)
        assert "\n" not in str(caught.value)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="got a device or pipe"):
        read_interactions(tmp_path / "pipe.csv")
    for wrong in (None, 5, ["a.csv"], io.StringIO("user,item\n1,2\n")):
        with pytest.raises(InputError, match="`path` must be"):
            read_interactions(wrong)


def test_size_limits(tmp_path):
    text = "user,item\n" + "1,2\n" * 1000
    assert read(text, max_bytes=len(text)).n_events == 1000
    refused(text, "it must hold at most 4,009 bytes (unpacked); got more.", max_bytes=len(text) - 1)
    bomb = gzip.compress(b"user,item\n" + b"1,2\n" * 10**6, mtime=0)
    assert len(bomb) < 10_000
    refused(bomb, "it must hold at most 100,000 bytes (unpacked); got more.", max_bytes=100_000)
    parquet = io.BytesIO()
    pd.DataFrame({"user": np.arange(5000), "item": "a"}).to_parquet(parquet, compression="zstd")
    refused(parquet.getvalue(), "bytes (unpacked)", max_bytes=len(parquet.getvalue()))
    with pytest.raises(InputError, match="max_bytes"):
        read(text, max_bytes=0)


def test_missing_drop():
    text = HEADER + "1,a,3\n,b,x\n1,,3\n2,c,4\n"
    assert events(read(text, missing="drop")) == [("1", "a", 3.0), ("2", "c", 4.0)]
    refused(text + "2,d,x\n", "line 6: column 'rating'", missing="drop")


def test_columns_named_outright():
    data = read("who;what;user\nu;a;no\n", columns={"user": "who", "item": "what"})
    assert (data.user_ids, data.items.ids) == (("u",), ("a",))
    refused(
        "who;what\nu;a\n", "the user column must be one of its columns; got 'x'", columns={"user": "x", "item": "what"}
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("title\nx\n", "names an item column (such as item_id)"),
        ("item,title\n1,a\n1,b\n", "line 3: every item must stand once; got '1' again."),
        ("item,title\n1,a\n,b\n", "line 3: every item must have an id"),
        ("item,title\n", "at least one item"),
        ("item,item\n1,2\n", "a name of its own"),
        ("", "empty file"),
    ],
)
def test_wrong_item_files(text, sentence):
    refused(text, sentence, reader=read_items)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("260\n1196,4.0\n", "line 2: every line must have 1 cell, as the first has; got 2."),
        ("item\n", "at least one event"),
        ("item,rating\n1,x\n", "line 2: column 'rating' must be a finite number"),
        ("item,rating\n,5\n", "line 2: every event must name an item"),
        ("user,item\nu,1\nv,2\n", "events of one person; got 2 users"),
    ],
)
def test_wrong_history_files(text, sentence):
    refused(text, sentence, reader=read_history)


def test_the_line_named_is_the_line_at_fault():
    lines = [f"{i},{i},3" for i in range(5000)]
    lines[3210] = "x,y,bad"
    refused(HEADER + "\n".join(lines), "line 3212: ")
    lines[3210] = "x,y"
    refused(HEADER + "\n".join(lines), "line 3212: ")


# --- real files (set XATTN_TEST_DATA to a folder that holds them) -----------------------------------------------------

FOLDER = os.environ.get("XATTN_TEST_DATA", "")
real = pytest.mark.skipif(not FOLDER, reason="XATTN_TEST_DATA names no folder with the data")


@real
def test_goodbooks():
    books = os.path.join(FOLDER, "goodbooks-10k-sample")
    data = read_interactions(os.path.join(books, "ratings_random.csv.gz"), os.path.join(books, "books.csv"))
    assert (data.n_users, data.n_items, data.n_events) == (2672, 10000, 298176)
    assert data.time is None
    assert (data.counts() == 0).sum() == 10
    assert data.items.titles[data.item_row(1)] == "The Hunger Games (The Hunger Games, #1)"
    assert data.items.ids[data.item[data.events_of(data.user_row(58))][0]] == "26"
    genres = read_items(os.path.join(books, "book_metadata.csv"))
    assert len(genres) == 10000
    assert genres.frame.authors[0] == "Suzanne Collins"


@real
def test_online_retail():
    path = os.path.join(FOLDER, "uci-online-retail", "online_retail.csv.gz")
    with pytest.raises(DataError, match="got 135,080 lines without"):
        read_interactions(path)
    data = read_interactions(path, missing="drop")
    assert (data.n_users, data.n_items, data.n_events) == (4339, 3665, 397924)  # purchases alone, as its README counts
    assert data.report.found("missing_left_out").count == 135080
    assert data.report.found("returns").count == 541909 - 135080 - 397924
    assert data.rating is None
    assert data.items.titles[data.item_row("85123A")] == "WHITE HANGING HEART T-LIGHT HOLDER"
    assert pd.Timestamp(data.time.min(), unit="s") == pd.Timestamp("2010-12-01 08:26")


@real
def test_movielens_csv_is_the_bundled_set():
    from xattn.data import load_dataset

    folder = os.path.join(FOLDER, "movielens-small-2016")
    data = read_interactions(os.path.join(folder, "ratings.csv"), os.path.join(folder, "movies.csv"))
    assert isinstance(data, Interactions)
    assert data.checksum == load_dataset("movielens-small").checksum


# --- columns that nobody reads ----------------------------------------------------------------------------------------


def test_columns_left_out_are_as_if_they_were_not_there(tmp_path: Path) -> None:
    events = pd.DataFrame({"user": ["u", "u", "v"], "item": ["a", "b", "a"], "rating": [5, 1, 3], "age": [20, 20, 70]})
    items = pd.DataFrame({"item": ["a", "b"], "title": ["A", "B"], "sex": ["f", "m"], "sort": ["x", "y"]})
    for kind in ("frame", "file"):
        sources = [events, items]
        if kind == "file":
            sources = [tmp_path / "events.csv", tmp_path / "items.csv"]
            for frame, path in zip((events, items), sources, strict=True):
                frame.to_csv(path, index=False)
        found = read_interactions(*sources, "x", leave_out=["sex", "age", "nosuch"])
        bare = read_interactions(events.drop(columns="age"), items.drop(columns="sex"), "x")
        assert found.checksum == bare.checksum
        assert list(found.items.frame) == ["sort"]
        assert "age" not in found.report.text()


def test_a_rating_that_is_left_out_is_no_rating_and_a_user_cannot_be() -> None:
    events = pd.DataFrame({"user": ["u", "v"], "item": ["a", "b"], "rating": [5, 1]})
    assert read_interactions(events, leave_out=["rating"]).rating is None
    with pytest.raises(DataError):
        read_interactions(events, leave_out=["user", "rating"])
