"""Filters: what a condition on item columns lets through, beside the obvious loop; one sentence for all others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.planting import must_fail
from xattn import InputError, ItemTable, load_dataset
from xattn.data import filters
from xattn.data.filters import matching
from xattn.features import feature_set


def table(**columns: Any) -> ItemTable:
    frame = pd.DataFrame(columns)
    ids = tuple(f"i{row}" for row in range(len(frame)))
    return ItemTable(ids, ids, frame)


# --- the obvious version ----------------------------------------------------------------------------------------------


def meets(cell: Any, condition: Any, mark: str) -> bool:
    """One cell, one condition."""
    if isinstance(condition, (set, list)):
        return any(meets(cell, value, mark) for value in condition)
    if isinstance(condition, tuple):
        low, high = condition
        return (low is None or cell >= low) and (high is None or cell <= high) and cell == cell
    if isinstance(condition, str):
        return cell.strip() == condition.strip() or condition.strip() in [part.strip() for part in cell.split(mark)]
    return bool(cell == condition)


def slowly(items: ItemTable, where: dict[str, Any], mark: str) -> list[bool]:
    return [all(meets(row[name], where[name], mark) for name in where) for row in items.frame.to_dict(orient="records")]


KINDS = ("war", "love story", "B", "b")
NUMBERS = (-1.0, 0.0, 1.5, 2.0, np.nan)


@st.composite
def questions(draw: st.DrawFn) -> tuple[ItemTable, dict[str, Any], str]:
    """A column of categories with one mark, a column of numbers, and conditions on some of both."""
    mark = draw(st.sampled_from("|;,"))
    cells = draw(st.lists(st.lists(st.sampled_from(KINDS), max_size=3), min_size=1, max_size=8))
    cells[0] = list(KINDS)  # so that every kind is known, and the mark is there
    blanks = draw(st.sampled_from(("", " ")))
    kinds = [f"{blanks}{mark}".join(own) for own in cells]
    years = draw(st.lists(st.sampled_from(NUMBERS), min_size=len(cells), max_size=len(cells)))
    known = [year for year in NUMBERS if year == year]
    ends = st.none() | st.sampled_from(known)
    ranges = st.tuples(ends, ends).filter(lambda pair: None in pair or pair[0] <= pair[1])
    where: dict[str, Any] = {}
    if draw(st.booleans()):
        one = st.sampled_from(KINDS) | st.just(f" {KINDS[0]} ") | st.just(kinds[0])
        where["kind"] = draw(one | st.lists(one, min_size=1) | st.sets(one, min_size=1))
    if draw(st.booleans()):
        one_number = st.sampled_from(known) | st.just(2)
        where["year"] = draw(one_number | st.lists(one_number, min_size=1) | ranges)
    return table(kind=kinds, year=years), where, mark


@given(questions())
def test_equals_the_obvious_version(question: tuple[ItemTable, dict[str, Any], str]) -> None:
    items, where, mark = question
    assert matching(items, where).tolist() == slowly(items, where, mark)


@given(questions())
def test_conditions_are_taken_together(question: tuple[ItemTable, dict[str, Any], str]) -> None:
    """All columns at once are one after the other; asked again, the answer is the same."""
    items, where, _ = question
    apart = [matching(items, {name: condition}) for name, condition in where.items()]
    together = matching(items, where)
    np.testing.assert_array_equal(together, np.logical_and.reduce(apart) if apart else np.ones(len(items), bool))
    np.testing.assert_array_equal(matching(items, where), together)


# --- known answers ----------------------------------------------------------------------------------------------------

FILMS = table(
    genres=["Comedy|Drama", "Drama", "", "War", "Comedy"],
    year=[1990.0, 1995.0, 1999.0, np.nan, 2000.0],
    author=["Tolkien, J.", "Lem", "Lem", "Tolkien, J.", ""],
    new=[True, False, True, True, False],
)


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"genres": "Drama"}, [0, 1]),
        ({"genres": ["War", "Comedy"]}, [0, 3, 4]),
        ({"genres": ("War", "Comedy")}, [0, 3, 4]),
        ({"genres": np.array(["War"])}, [3]),
        ({"genres": "Comedy|Drama"}, [0]),
        ({"author": "Tolkien, J."}, [0, 3]),
        ({"author": "Tolkien"}, [0, 3]),
        ({"year": 1995}, [1]),
        ({"year": {1990, 2000.0}}, [0, 4]),
        ({"year": (1990, 1999)}, [0, 1, 2]),
        ({"year": (1991, None)}, [1, 2, 4]),
        ({"year": (None, None)}, [0, 1, 2, 4]),
        ({"year": (3000, None)}, []),
        ({"year": 7}, []),
        ({"new": True}, [0, 2, 3]),
        ({"new": 0}, [1, 4]),
        ({"genres": "Drama", "year": (1995, None)}, [1]),
    ],
)
def test_known_answers(where: dict[str, Any], rows: list[int]) -> None:
    assert np.flatnonzero(matching(FILMS, where)).tolist() == rows


def test_every_category_feature_is_a_filter() -> None:
    """What the models call a category is what one can filter by, on the same items."""
    items = load_dataset("movielens-small").items
    blocks = feature_set(items)
    genres = [f for f, block in enumerate(blocks.blocks) if block == "genres"]
    assert len(genres) >= 18
    for f in genres:
        met = matching(items, {"genres": blocks.names[f].removeprefix("genres: ")})
        np.testing.assert_array_equal(met, blocks.F[:, [f]].toarray().ravel() > 0)


def test_other_types_of_columns() -> None:
    nullable = pd.array([1, None, 3], dtype="Int64")
    odd = table(n=nullable, c=pd.Categorical(["x", None, "y"]), o=["1", 2, None])
    assert matching(odd, {"n": (None, 2)}).tolist() == [True, False, False]
    assert matching(odd, {"c": "x"}).tolist() == [True, False, False]
    assert matching(odd, {"o": ["2"]}).tolist() == [False, True, False]


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("genres", "`where` must be a mapping of item columns to conditions; got 'genres'."),
        ([("genres", "War")], "`where` must be a mapping"),
        (
            {"genre": "War"},
            "`where` must name a column of the items ('genres', 'year', 'author', 'new'); got 'genre'.",
        ),
        ({3: "War"}, "`where` must name a column of the items ('genres', 'year', 'author', 'new'); got 3."),
        ({"genres": "war"}, "`where` must name a value of 'genres' ('Comedy', 'Drama', 'War'); got 'war'."),
        ({"genres": ""}, "got ''."),
        ({"genres": ["War", "nosuch"]}, "got 'nosuch'."),
        ({"genres": None}, "got None."),
        ({"genres": 5}, "got 5."),
        ({"genres": []}, "`where['genres']` must hold at least one value; got none."),
        ({"genres": {"War": 1}}, "got {'War': 1}."),
        ({"year": "1995"}, "`where['year']` must be a finite number; got '1995'."),
        ({"year": None}, "`where['year']` must be a finite number; got None."),
        ({"year": True}, "`where['year']` must be a finite number; got True."),
        ({"year": float("nan")}, "got nan."),
        ({"year": float("inf")}, "got inf."),
        ({"year": ()}, "`where['year']` must be a range (low, high); got ()."),
        ({"year": (1, 2, 3)}, "`where['year']` must be a range (low, high); got (1, 2, 3)."),
        ({"year": (2, 1)}, "`where['year']` must be a range (low, high) with low <= high; got (2, 1)."),
        ({"year": (float("nan"), 1)}, "got nan."),
        ({"year": ("a", 1)}, "got 'a'."),
        ({"year": [1, "x"]}, "got 'x'."),
        ({"new": "yes"}, "`where['new']` must be a finite number; got 'yes'."),
    ],
)
def test_what_cannot_be_meant_gets_one_sentence(where: Any, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        matching(FILMS, where)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_of_many_values_the_nearest_are_named() -> None:
    items = load_dataset("movielens-small").items
    with pytest.raises(InputError, match=r"of 'genres' \('Animation' and 19 more\); got 'animatoin'\.$"):
        matching(items, {"genres": "animatoin"})
    with pytest.raises(InputError, match=r"\('\(no genres listed\)', 'Action', .* and 14 more\); got 'zzz'\.$"):
        matching(items, {"genres": "zzz"})


def test_items_without_columns() -> None:
    with pytest.raises(InputError, match=r"a column of the items \(there is none\); got 'genres'\.$"):
        matching(ItemTable.bare(["a"]), {"genres": "War"})


# --- the tests are tested ---------------------------------------------------------------------------------------------


def any_column(items: ItemTable, where: dict[str, Any]) -> np.ndarray:
    apart = [filters.matching(items, {name: condition}) for name, condition in where.items()]
    return np.logical_or.reduce(apart) if apart else np.ones(len(items), bool)


def low_end_left_out(name: str, value: Any) -> tuple[float, float]:
    low, high = value
    return -np.inf if low is None else np.nextafter(low, np.inf), np.inf if high is None else high


@pytest.mark.parametrize(
    ("name", "faulty"), [("matching", any_column), ("check_range", low_end_left_out), ("MARKS", "|")]
)
def test_faults_are_caught(name: str, faulty: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "matching":
        monkeypatch.setitem(globals(), name, faulty)
    else:
        monkeypatch.setattr(filters, name, faulty)
    must_fail(test_equals_the_obvious_version)
