"""Many histories end to end: what each holds, whichever way they came together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from xattn.data import History, Interactions, JoinedHistories

FRAME = pd.DataFrame(
    {"user": list("uuuvww"), "item": list("abcabb"), "rating": [1.0, 2, 3, 4, 5, 1], "event": list("xyxyxy")}
)
DATA = Interactions.from_frame(FRAME)


def same(got: History, want: History) -> None:
    assert (got.user, len(got)) == (want.user, len(want))
    for name in ("item", "rating", "age", "live", "kind"):
        a, b = getattr(got, name), getattr(want, name)
        if b is None:
            assert a is None
        else:
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("rows", [[0, 1, 2], [2, 0], [1, 1], [0], []])
def test_of_users_holds_their_histories(rows: list[int]) -> None:
    joined = JoinedHistories.of_users(DATA, rows)
    want = [History.of(DATA, row) for row in rows]
    assert len(joined) == len(rows)
    for got, history in zip(joined, want, strict=True):
        same(got, history)
    again = JoinedHistories.of(want)
    np.testing.assert_array_equal(joined.indptr, again.indptr)
    if rows:
        for name in ("item", "rating", "age", "live", "kind", "key"):
            np.testing.assert_array_equal(getattr(joined, name), getattr(again, name))


def test_parts_of_it() -> None:
    joined = JoinedHistories.of_users(DATA, [0, 1, 2])
    same(joined[-1], History.of(DATA, 2))
    for got, row in zip(joined[1:], (1, 2), strict=True):
        same(got, History.of(DATA, row))
    for got, row in zip(joined[::2], (0, 2), strict=True):
        same(got, History.of(DATA, row))
    assert len(joined[2:1]) == 0
    with pytest.raises(IndexError):
        joined[3]


def test_masks_are_kept_and_mixed_ratings_are_told() -> None:
    masked = History.of(DATA, 0).without([1])
    joined = JoinedHistories.of([masked, History.of(DATA, 1)])
    assert joined.live.tolist() == [True, False, True, True]
    assert joined.alike
    mixed = JoinedHistories.of([masked, History.given(DATA, ["a"])])
    assert not mixed.alike
    assert mixed.rating is None
    assert mixed[0] is masked


def test_keys_tell_histories_apart() -> None:
    joined = JoinedHistories.of_users(DATA, [0, 2])
    key = joined.key
    assert len(set(key[:3])) == 3
    assert key[3] == key[4]
    assert key[3] not in set(key[:3])
