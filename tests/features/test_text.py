"""Columns of texts: which are text, what their keywords are, what a word brings, where it stands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from xattn import ItemTable
from xattn.data.feature_set import places_of
from xattn.features import feature_set, make_features
from xattn.features.text.text import Text
from xattn.features.text.tokens import words_in

STORIES = ["A heist by night", "the crew of a heist; the heist fails", "Night at sea", "a crew at sea, by night"]


def table(**columns: list[object]) -> ItemTable:
    n = len(next(iter(columns.values())))
    ids = tuple(f"i{row}" for row in range(n))
    return ItemTable(ids, ids, pd.DataFrame(columns, index=range(n)))


def test_a_column_of_texts_is_a_block_called_as_the_column() -> None:
    items = table(story=STORIES, kind=["a", "b", "a", "b"])
    found = feature_set(items)
    assert found.blocks == ("story",) * 4 + ("kind",) * 2
    assert found.names[:4] == ("story: crew", "story: heist", "story: night", "story: sea")
    assert set(found.parts) == {"story"}
    np.testing.assert_allclose((found.F.toarray()[:, :4] ** 2).sum(axis=1), 1.0)
    assert set(make_features(items, text=False).blocks) == {"kind"}


@pytest.mark.parametrize(
    "column",
    [
        [f"id-{row}" for row in range(8)],
        [f"https://a.example/books/{row}m/{row}.jpg" for row in range(8)],
        ["same words here"] * 8,
        [f"word{row} other{row}" for row in range(8)],  # nothing is shared
        ["one", "two", "three", "one more thing", "four", "five", "six", "seven"],  # words, but no texts
    ],
)
def test_ids_addresses_and_names_are_no_text(column: list[object]) -> None:
    assert "odd" not in feature_set(table(odd=column, kind=["a", "b"] * 4)).blocks or len(set(column)) == 1


def test_tags_stay_categories() -> None:
    assert "tag: new york" in feature_set(table(tag=["new york|crime", "new york", "crime|sea side"])).names


def test_texts_that_repeat_are_texts_unless_most_do() -> None:
    pairs = [f"a {colour} hat number {n}" for colour in ("red", "blue") for n in (10, 11, 12)]
    assert "story: red" in feature_set(table(story=[*pairs, pairs[0], pairs[1]])).names
    assert f"story: {pairs[0]}" in feature_set(table(story=[*pairs[:2], *pairs[:2], *pairs[:2]])).names


def test_a_keyword_counts_by_hand() -> None:
    found = Text().fit(pd.Series(STORIES))
    assert found is not None
    column = found.labels.index("heist")
    idf = 1 + np.log(5 / 3)
    np.testing.assert_allclose(found.F.toarray()[:, column], [idf, 2 * idf, 0, 0])


def test_a_pair_is_half_of_each_of_its_words() -> None:
    found = Text(pairs=True).fit(pd.Series(["red hat", "a red hat", "blue hat", "blue shoe"]))
    assert found is not None
    assert found.parts is not None
    names, parts = found.parts(1)
    assert names == ("red", "hat")
    pair = found.labels.index("red hat")
    assert parts.toarray()[:, pair].tolist() == [found.F.toarray()[1, pair] / 2] * 2


def test_words_lie_where_they_stand() -> None:
    text = "Robbers' night; 抢劫银行的故事 — the CAFÉ’s night"
    for word in words_in(text):
        stands = text[word.start : word.stop]
        assert stands.casefold().replace("’", "'").removesuffix("'s") == word.plain, word
    assert [word.plain for word in words_in(text)] == ["robbers", "night", "抢劫", "银行", "故事", "café", "night"]


def test_places_go_with_the_parts_wherever_the_items_go() -> None:
    found = feature_set(table(story=STORIES, kind=["a", "b", "a", "b"])).take(np.array([3, 1]))
    places = places_of(found.parts["story"])
    assert places is not None
    names, parts = found.parts["story"](1)
    stands = [STORIES[1][int(start) : int(stop)] for start, stop in places(1)]
    assert names == tuple(stands) == ("crew", "heist", "heist", "fails")
    np.testing.assert_allclose(parts.sum(axis=0), found.F.toarray()[1, :4], atol=1e-15)


def test_titles_that_speak_for_want_of_columns_have_parts() -> None:
    items = ItemTable(("a", "b", "c"), ("Red shoe", "red red hat", "blue hat"), pd.DataFrame(index=range(3)))
    names, parts = feature_set(items).parts["title"](1)
    assert names == ("red", "red", "hat")
    np.testing.assert_allclose(parts.sum(axis=0), feature_set(items).F.toarray()[1], atol=1e-15)
    places = places_of(feature_set(items).parts["title"])
    assert places is not None
    assert places(1) == ((0, 3), (4, 7), (8, 11))


def test_only_so_much_of_a_text_is_read_and_the_most_frequent_keywords_are_kept() -> None:
    assert words_in("night " * 10**6)[-1].stop <= 10_000
    found = Text(most=1).fit(pd.Series(STORIES))
    assert found is not None
    assert found.labels == ("night",)
