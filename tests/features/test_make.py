"""One set of features for each table: made once, by the named blocks, told apart by number; or handed in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from xattn import ContentAttention, InputError, Interactions, ItemTable
from xattn.data import FeatureSet, planted
from xattn.features import Fitted, feature_set, make_features, newcomer_features, newcomers
from xattn.features.numbers import Numbers
from xattn.features.words import Words


def table(**columns: list[object]) -> ItemTable:
    n = len(next(iter(columns.values())))
    ids = tuple(f"i{row}" for row in range(n))
    return ItemTable(ids, tuple(f"red hat {row % 2}" for row in range(n)), pd.DataFrame(columns, index=range(n)))


class Halves:
    """Every number is the sum of two parts of different size; rows are longer than 1."""

    def fit(self, column: pd.Series) -> Fitted:  # type: ignore[type-arg]
        x = column.to_numpy(float)
        F = sparse.csr_array(np.column_stack([x, 2 * x]))
        return Fitted(("one", "two"), F, lambda row: (("small", "large"), np.outer([0.25, 0.75], [x[row], 2 * x[row]])))


def test_a_set_is_made_once() -> None:
    items = table(kind=["a", "b", "a", "b"])
    assert feature_set(items) is feature_set(items)
    assert make_features(items) is not make_features(items)


def test_features_that_are_handed_in_are_the_features() -> None:
    own = FeatureSet(("x",), np.ones((4, 1)))
    items = table(kind=["a", "b", "a", "b"]).with_features(own)
    assert feature_set(items) is own
    assert newcomer_features(items, np.array([True, False, False, False])).names == ("x", "title: hat", "title: red")


# --- names ------------------------------------------------------------------------------------------------------------


def test_bins_that_print_alike_in_six_digits_have_different_names() -> None:
    """20240101 and 20240131 are both 20240100 in six digits."""
    names = feature_set(table(day=[20240101.0, 20240131.0] * 3)).names
    assert names == ("day: ~20240101", "day: ~20240116", "day: ~20240131")
    nearest = [1.0, np.nextafter(1.0, 2.0)]
    assert len(set(feature_set(table(x=nearest * 2)).names)) == 2


def test_names_that_print_alike_are_told_apart_and_keep_their_blocks() -> None:
    """A block called "a" with the label "b: c", and a block called "a: b" with the label "c"."""
    items = table(**{"a": ["b: c", "b: c", "x", "x"], "a: b": ["c", "c", "y", "y"]})
    found = feature_set(items)
    assert found.names == ("a: b: c", "a: x", "a: b: c (2)", "a: b: y")
    assert found.blocks == ("a", "a", "a: b", "a: b")


def test_columns_that_print_alike_are_refused() -> None:
    frame = pd.DataFrame({1: ["x", "x"], "1": ["x", "x"]})
    with pytest.raises(InputError, match="must name each column once; got '1', '1'"):
        ItemTable(("i", "j"), ("i", "j"), frame)


def test_a_column_called_title_is_not_the_titles() -> None:
    items = table(title=["a", "b", "a", "b"])
    assert feature_set(items).names == ("title: a", "title: b")
    found = newcomer_features(items, np.array([True, False, False, False]))
    assert found.names == ("title: a", "title: b", "title: hat", "title: red")
    assert found.blocks == ("title", "title", "title (2)", "title (2)")


# --- chosen blocks ----------------------------------------------------------------------------------------------------


def test_blocks_are_chosen_by_name_by_object_or_left_out() -> None:
    items = table(code=[1.0, 2.0, 1.0, 2.0], size=[1.0, 2.0, 3.0, 4.0], sort=["a", "b", "a", "b"])
    found = make_features(items, {"code": "categories", "size": Numbers(2), "sort": None, "title": Words(1)})
    assert found.names == ("code: 1.0", "code: 2.0", "size: ~1", "size: ~4", "title: hat")


@pytest.mark.parametrize(
    ("blocks", "sentence"),
    [
        ({"nosuch": "words"}, "`blocks` must name a column of the items .*'sort', 'title'.*nosuch"),
        ({"sort": "nosuch"}, "`block` must be one of .*words; got 'nosuch'"),
    ],
)
def test_what_is_not_there_is_refused(blocks: dict[str, str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        make_features(table(sort=["a", "b"]), blocks)  # type: ignore[arg-type]


def test_flags_are_alike_by_yes_alone() -> None:
    items = table(horror=[1.0, 1.0, 0.0, 0.0, np.nan])
    F = make_features(items, {"horror": "flags"}).F.toarray()
    assert (F @ F.T)[0].tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert not F[2:].any()  # that neither is horror makes nothing alike
    assert not len(make_features(table(x=[1.0, 2.0, 1.0]), {"x": "flags"}))


# --- parts ------------------------------------------------------------------------------------------------------------


def test_parts_add_up_to_the_features_of_their_item_wherever_it_goes() -> None:
    made = make_features(table(x=[3.0, 4.0, 0.0], kind=["a", "a", "b"]), {"x": Halves()})
    for found, rows in ((made, range(3)), (made.take(np.array([2, 0])), (2, 0))):
        for at in range(len(rows)):
            names, parts = found.parts["x"](at)
            assert names == ("small", "large")
            np.testing.assert_allclose(parts.sum(axis=0), found.F.toarray()[at, found.of_block("x")], atol=1e-15)
    assert set(made.only([0, 1]).parts) == {"x"}
    assert not made.only([0, 2]).parts  # half a block
    assert not made.extended(1).parts


def test_of_many_features_newcomers_keep_those_that_they_share_most(monkeypatch: pytest.MonkeyPatch) -> None:
    F = np.array([[1.0, 1.0, 0.0, 1.0], [-1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 1.0], [2.0, 1.0, 1.0, 0.0]])
    items = table(x=[1.0, 2.0, 3.0, 4.0]).with_features(FeatureSet(tuple("abcd"), F))
    new = np.array([False, False, True, True])
    assert newcomer_features(items, new).names[:4] == ("a", "b", "c", "d")
    monkeypatch.setattr(newcomers, "MOST", 2)
    monkeypatch.setattr(newcomers, "ROOM", 5)
    assert newcomer_features(items, new).names[:2] == ("a", "b")  # c: no other item has it; d: two items
    only = np.array([True, False, False, False])
    assert newcomer_features(items, new, only).names[:4] == ("a", "b", "c", "d")  # five slopes are four features
    monkeypatch.setattr(newcomers, "ROOM", 3)
    assert newcomer_features(items, new, only).names[:3] == ("a", "b", "d")
    assert newcomer_features(items, new, ~new & ~only).names[:2] == ("a", "b")  # d: none that is known has it


# --- models use them --------------------------------------------------------------------------------------------------


def test_a_model_serves_what_is_handed_in_as_what_it_would_have_made() -> None:
    data = planted("genre", n_users=60, seed=0).data
    own = feature_set(data.items)
    given = Interactions(
        data.name,
        data.user_ids,
        data.items.with_features(FeatureSet(own.names, own.F.toarray(), own.blocks)),
        data.indptr,
        data.item,
        data.rating,
        data.time,
    )
    one, other = (ContentAttention(random_state=0).fit(some) for some in (data, given))
    np.testing.assert_array_equal(one.score("u0"), other.score("u0"))
    assert data.checksum != given.checksum


def test_vectors_with_negative_numbers_make_ledgers_that_add_up() -> None:
    data = planted("genre", n_users=60, seed=0).data
    vectors = np.random.default_rng(0).normal(size=(data.n_items, 6))
    items = data.items.with_features(FeatureSet(tuple(f"v{f}" for f in range(6)), vectors))
    given = Interactions(data.name, data.user_ids, items, data.indptr, data.item, data.rating, data.time)
    model = ContentAttention(random_state=0).fit(given)
    why = model.explain("u3", items.ids[5])
    assert set(why.cells["feature"]) <= {f"v{f}" for f in range(6)}
    assert why.cells["contribution"].sum() + why.base == pytest.approx(model.score("u3")[5], abs=1e-12)
