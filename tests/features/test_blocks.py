"""Item tables of every kind as feature blocks: names, unit lengths, and columns that say nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from xattn import ItemTable, load_dataset
from xattn.data import FeatureSet
from xattn.features import feature_set


def table(**columns: list[object]) -> ItemTable:
    n = len(next(iter(columns.values()))) if columns else 3
    ids = tuple(f"i{row}" for row in range(n))
    return ItemTable(ids, ids, pd.DataFrame(columns, index=range(n)))


def lengths(found: FeatureSet, block: str) -> np.ndarray:
    return np.asarray((found.F.toarray()[:, found.of_block(block)] ** 2).sum(axis=1))


def test_categories_become_a_multi_hot_block_of_unit_length() -> None:
    found = feature_set(table(genre=["Drama|War", "War", "Drama", ""]))
    assert found.names == ("genre: Drama", "genre: War")
    np.testing.assert_allclose(found.F.toarray()[0], [np.sqrt(0.5), np.sqrt(0.5)])
    np.testing.assert_allclose(lengths(found, "genre"), [1, 1, 1, 0])


@pytest.mark.parametrize("mark", ["|", ";", ","])
def test_each_usual_mark_divides(mark: str) -> None:
    found = feature_set(table(tag=[f"a{mark}b", f"b{mark} a", "a"]))
    assert found.names == ("tag: a", "tag: b")


def test_numbers_become_soft_bins() -> None:
    found = feature_set(table(year=[1950.0, 1960.0, 1970.0, 1980.0, np.nan]))
    np.testing.assert_allclose(lengths(found, "year"), [1, 1, 1, 1, 0])
    F = found.F.toarray()
    near, far = F[0] @ F[0], F[0] @ F[3]
    assert near > far


def test_near_numbers_are_alike_and_far_ones_are_not() -> None:
    F = feature_set(table(year=[float(x) for x in range(1900, 2000)])).F.toarray()
    assert F[50] @ F[52] > F[50] @ F[60] > F[50] @ F[90] == 0


@pytest.mark.parametrize(
    "column",
    [
        [f"id-{row}" for row in range(8)],  # all different
        [""] * 8,
        [None] * 8,
        [7.0] * 8,  # one number
        [np.nan] * 8,
        [np.inf] * 8,
        ["(no genres listed)"] * 8,
    ],
)
def test_a_column_that_says_nothing_is_no_block(column: list[object]) -> None:
    found = feature_set(table(odd=column, kind=["a", "b"] * 4))
    assert set(found.blocks) == {"kind"}
    assert np.isfinite(found.F.data).all()


def test_titles_speak_where_no_column_does() -> None:
    ids = ("a", "b", "c")
    found = feature_set(ItemTable(ids, ("red shoe", "red hat", "blue hat"), pd.DataFrame(index=range(3))))
    assert {"title: hat", "title: red"} <= set(found.names)


def test_nothing_at_all_is_no_features() -> None:
    found = feature_set(ItemTable(("a", "b"), ("x", "y"), pd.DataFrame(index=range(2))))
    assert found.F.shape == (2, 0)
    assert found.names == found.blocks == ()


def test_booleans_and_categories_are_categories() -> None:
    items = table(new=[True, False, True], size=[1, 2, 1])
    items = ItemTable(items.ids, items.titles, items.frame.astype({"size": "category"}))
    assert {"new: True", "size: 1"} <= set(feature_set(items).names)


def test_a_million_characters_are_read_in_part() -> None:
    items = ItemTable(("a", "b", "c"), ("x" * 10**6, "red hat", "red shoe"), pd.DataFrame(index=range(3)))
    assert "title: red" in feature_set(items).names


def test_the_bundled_films_have_genre_and_year() -> None:
    found = feature_set(load_dataset("movielens-small").items)
    assert {"genres", "year"} <= set(found.blocks)
    assert "genres: Film-Noir" in found.names
    assert found.F.shape[0] == 9066
