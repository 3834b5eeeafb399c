"""Item tables: ids once, titles on one line, features as numbers where they are numbers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn.data import FeatureSet, ItemTable
from xattn.errors import DataError, InputError, UnknownIdError


def read(**columns):
    return ItemTable.from_frame(pd.DataFrame(columns))


def test_features_are_numbers_or_text():
    table = read(
        item=["a", "b", "c"],
        price=["1.5", "", "2e1"],
        isbn=["0439023483", "1", "2"],
        genre=["x|y", "", "z"],
        huge=["1e999", "1", "2"],
        count=[1, 2, 3],
        flag=[True, False, True],
        empty=["", "", ""],
    )
    frame = table.frame
    np.testing.assert_array_equal(frame.price, [1.5, np.nan, 20.0])
    assert frame.isbn.tolist() == ["0439023483", "1", "2"]
    assert frame.genre.tolist() == ["x|y", "", "z"]
    assert frame.huge.tolist() == ["1e999", "1", "2"]
    assert frame["count"].tolist() == [1.0, 2.0, 3.0]
    assert frame.flag.tolist() == [1.0, 0.0, 1.0]
    assert frame["empty"].tolist() == ["", "", ""]
    assert table.titles == ("a", "b", "c")


def test_years_are_split_off_when_most_titles_have_one():
    table = read(item=[1, 2, 3], title=["Heat (1995)", "Se7en (a.k.a. Seven) (1995) ", "No year"])
    assert table.titles == ("Heat", "Se7en (a.k.a. Seven)", "No year")
    np.testing.assert_array_equal(table.frame.year, [1995.0, 1995.0, np.nan])
    half = read(item=[1, 2], title=["Heat (1995)", "No year"])
    assert half.titles == ("Heat (1995)", "No year")
    assert "year" not in half.frame
    own = read(item=[1], title=["Heat (1995)"], Year=[1996])
    assert own.titles == ("Heat (1995)",)
    assert own.frame.Year.tolist() == [1996.0]


def test_books_columns_are_told_apart():
    table = read(book_id=[1], goodreads_book_id=[2], isbn=["3"], original_title=["o"], title=["t"])
    assert (table.ids, table.titles) == (("1",), ("t",))
    assert list(table.frame) == ["goodreads_book_id", "isbn", "original_title"]


@given(st.text(max_size=20))
def test_titles_are_one_line_of_text(title):
    (kept,) = read(item=["a"], title=[title]).titles
    assert kept
    assert len(kept.splitlines()) == 1
    kept.encode()


def test_hostile_titles_stay_text():
    titles = ["<script>alert(1)</script>", "![x](http://h)", "=HYPERLINK(1)", "\u202eevil", "x" * 10**6, "a\x1b[2Jb"]
    table = read(item=list("abcdef"), title=titles)
    assert table.titles[:5] == tuple(titles[:5])
    assert table.titles[5] == "a [2Jb"


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"item": ["a", "b", "a"]}, "row 2: every item must stand once; got 'a' again"),
        ({"item": ["a", ""]}, "row 1: every item must have an id; got an empty one"),
        ({"item": []}, "at least one item"),
        ({"title": ["a"]}, "names an item column"),
        ({"item": ["a"], "x": [np.inf]}, "column 'x' must hold finite numbers; got inf"),
        ({"item": [1.5]}, "the item id must be"),
    ],
)
def test_wrong_frames_are_refused(columns, sentence):
    with pytest.raises(DataError) as caught:
        read(**columns)
    assert sentence in str(caught.value)


def test_wrong_tables_are_refused():
    with pytest.raises(InputError, match="`ids` must hold each item once; got 'a' twice"):
        ItemTable(("a", "a"), ("x", "y"), pd.DataFrame(index=range(2)))
    with pytest.raises(InputError, match="same length"):
        ItemTable(("a", "b"), ("x",), pd.DataFrame(index=range(2)))
    with pytest.raises(InputError, match="same length"):
        ItemTable(("a",), ("x",), pd.DataFrame(index=range(2)))
    with pytest.raises(InputError, match="DataFrame"):
        ItemTable(("a",), ("x",), None)
    with pytest.raises(InputError, match="each column once"):
        ItemTable(("a",), ("x",), pd.DataFrame([[1, 2]], columns=["f", "f"]))


def test_rows_and_parts():
    table = read(item=["a", "b", "c"], title=["A", "B", "C"], x=[1, 2, 3])
    assert table.row("b") == 1
    assert table.rows(["c", "zz", "a"]).tolist() == [2, -1, 0]
    with pytest.raises(UnknownIdError, match="one of the 3 items"):
        table.row("zz")
    part = table.take([2, 0])
    assert (part.ids, part.titles, part.frame.x.tolist()) == (("c", "a"), ("C", "A"), [3.0, 1.0])
    assert part.row("a") == 1
    with pytest.raises(InputError):
        table.take([3])
    with pytest.raises(InputError):
        table.take([-1])


def test_features_go_with_their_items():
    F = FeatureSet(("sweet", "sour"), np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]))
    table = read(item=["a", "b", "c"]).with_features(F)
    assert table.take([1, 0]).features.F.toarray().tolist() == [[0.0, 2.0], [1.0, 0.0]]
    assert table.extended(["b", "d"]).features.F.toarray().tolist() == [[1.0, 0.0], [0.0, 2.0], [0.0, 0.0], [0.0, 0.0]]
    assert table.with_features(None).features is None
    assert "with FeatureSet(3 items, 2 features in 1 block)" in repr(table)
    with pytest.raises(InputError, match="`ids` and `rows_of_features` must have the same length; got ids 2"):
        table.take([0, 1]).with_features(F)
    with pytest.raises(InputError, match="`features` must be a FeatureSet; got array"):
        table.with_features(np.eye(3))


def test_only_items_that_are_new_extend_a_table():
    table = read(item=["a", "b"], x=[1, 2])
    assert table.extended(["b", "a"]) is table
    more = table.extended(["b", "c"], {"c": "C", "b": "another title"})
    assert (more.ids, more.titles) == (("a", "b", "c"), ("a", "b", "C"))
    assert np.isnan(more.frame.x[2])
