"""Data that grows: the same as if all events had been read at once, with the old rows in place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn import InputError, Interactions
from xattn.data import FeatureSet, ItemTable

event = st.tuples(st.sampled_from("uvw"), st.sampled_from("abcd"), st.integers(0, 5), st.sampled_from((1.0, 4.0)))
events = st.lists(event, min_size=1, max_size=12)


def read(lines: list[tuple[str, str, int, float]], *columns: str, items: ItemTable | None = None) -> Interactions:
    frame = pd.DataFrame(lines, columns=["user", "item", "time", "rating"])
    return Interactions.from_frame(frame[["user", "item", *columns]], items, name="part")


@given(events, events, st.booleans())
def test_equals_reading_all_at_once(old: list[tuple], new: list[tuple], timed: bool) -> None:  # type: ignore[type-arg]
    columns = ["rating", *(["time"] if timed else [])]
    first = read(old, *columns)
    merged, whole = first.extended(read(new, *columns)), read(old + new, *columns)
    assert merged.user_ids[: first.n_users] == first.user_ids
    assert merged.items.ids[: first.n_items] == first.items.ids
    key = ["user"]
    got, want = (data.to_frame().sort_values(key, kind="stable", ignore_index=True) for data in (merged, whole))
    pd.testing.assert_frame_equal(got, want)


def test_times_on_one_side_alone_order_nothing() -> None:
    old, new = read([("u", "a", 5, 1.0)], "time"), read([("u", "b", 1, 1.0)])
    merged = old.extended(new)
    assert merged.time is None
    assert merged.item.tolist() == [0, 1]
    assert read([("u", "a", 5, 1.0)], "time").extended(read([("u", "b", 1, 1.0)], "time")).item.tolist() == [1, 0]


def test_new_items_bring_what_is_known_of_them() -> None:
    def table(ids: str, **columns: list[object]) -> ItemTable:
        return ItemTable(tuple(ids), tuple(f"Title {i}" for i in ids), pd.DataFrame(columns))

    old = read([("u", "a", 0, 1.0)], items=table("ab", year=[1990.0, 1991.0], genre=["x", "y"]))
    new = read([("u", "c", 0, 1.0)], items=table("cb", genre=["z", "other"], year=["?", "!"], more=[1.0, 2.0]))
    items = old.extended(new).items
    assert items.titles == ("Title a", "Title b", "Title c")
    assert items.frame["genre"].tolist() == ["x", "y", "z"]
    np.testing.assert_array_equal(items.frame["year"], [1990.0, 1991.0, np.nan])  # text there is no year here
    assert list(items.frame.columns) == ["year", "genre"]


def test_the_parts_are_left_alone_and_rows_stay() -> None:
    old, new = read([("u", "a", 0, 1.0), ("v", "b", 0, 1.0)]), read([("v", "a", 0, 1.0)])
    before = old.checksum, new.checksum
    merged = old.extended(new)
    assert (old.checksum, new.checksum) == before
    assert merged.item[merged.events_of(1)].tolist() == [1, 0]


def test_what_does_not_fit_is_refused() -> None:
    rated, plain = read([("u", "a", 0, 1.0)], "rating"), read([("u", "a", 0, 1.0)])
    with pytest.raises(InputError, match="`other` must hold ratings, as the data does; got Interactions"):
        rated.extended(plain)
    with pytest.raises(InputError, match="`other` must hold no ratings, as the data does"):
        plain.extended(rated)
    with pytest.raises(InputError, match="`other` must be Interactions; got"):
        plain.extended([("u", "a")])  # type: ignore[arg-type]


def test_features_of_new_items_come_along() -> None:
    def data(ids: str, F: list[float] | None, name: str = "sweet") -> Interactions:
        table = ItemTable(tuple(ids), tuple(ids), pd.DataFrame(index=range(len(ids))))
        features = None if F is None else FeatureSet((name,), np.array(F)[:, None])
        return read([("u", ids[0], 0, 1.0)], items=table.with_features(features))

    old, new = data("ab", [1.0, 2.0]), data("cb", [3.0, 9.0])
    assert old.extended(new).items.features.F.toarray().tolist() == [[1.0], [2.0], [3.0]]
    assert old.extended(data("c", None)).items.features.F.toarray().tolist() == [[1.0], [2.0], [0.0]]
    assert data("ab", None).extended(new).items.features is None
    with pytest.raises(InputError, match="`other` must hold the same features as the data"):
        old.extended(data("c", [1.0], "sour"))
