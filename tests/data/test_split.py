"""Splits: the newest event of each user is asked for, everything else is there to learn from, nothing is lost."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn.data import Interactions, leave_last_out, leave_last_two_out
from xattn.data.split import as_of
from xattn.errors import InputError

EVENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=40)


@given(EVENTS)
def test_the_target_is_the_last_event_in_time(events):
    data = Interactions.from_frame(pd.DataFrame(events, columns=["user", "item", "time"]))
    split = leave_last_out(data)
    own = {
        str(user): [(time, n, str(item)) for n, (u, item, time) in enumerate(events) if u == user]
        for user, _, _ in events
    }
    last = {user: max(lines)[2] for user, lines in own.items() if len(lines) > 1}  # ties: the later line
    users = [data.user_ids[row] for row in split.user]
    assert dict(zip(users, (data.items.ids[row] for row in split.item), strict=True)) == last
    assert split.train.n_events + len(split) == data.n_events
    assert split.train.items is data.items
    assert split.train.user_ids == data.user_ids
    mask = np.ones(data.n_events, dtype=bool)
    mask[split.target_event_index] = False
    assert split.train.checksum == data.select(mask).checksum
    np.testing.assert_array_equal(data.item[split.target_event_index], split.item)
    np.testing.assert_array_equal(data.user[split.target_event_index], split.user)


@given(EVENTS)
def test_no_future_event_is_in_training(events):
    data = Interactions.from_frame(pd.DataFrame(events, columns=["user", "item", "time"]))
    split = leave_last_out(data)
    for row, target in zip(split.user, split.target_event_index, strict=True):
        own = split.train.time[split.train.events_of(int(row))]
        assert own.max() <= data.time[target]


def test_twice_is_nested():
    frame = pd.DataFrame({"user": list("uuuvvw"), "item": list("abcabc")})
    data = Interactions.from_frame(frame)
    nested = leave_last_two_out(data)
    assert nested.test.user.tolist() == [0, 1]
    assert [data.items.ids[row] for row in nested.test.item] == ["c", "b"]
    assert nested.validation.user.tolist() == [0]
    assert [data.items.ids[row] for row in nested.validation.item] == ["b"]
    assert nested.validation.train.n_events == 3
    assert leave_last_out(nested.test.train).train.checksum == nested.validation.train.checksum


@pytest.mark.parametrize("split", [leave_last_out, leave_last_two_out])
@pytest.mark.parametrize("data", [None, 3, "tiny", pd.DataFrame()])
def test_what_is_split_is_interactions(split, data):
    with pytest.raises(InputError, match="`data` must be Interactions; got"):
        split(data)


@given(EVENTS, st.integers(0, 4))
def test_as_of_a_moment_only_what_came_before_is_known(events, moment):
    data = Interactions.from_frame(pd.DataFrame(events, columns=["user", "item", "time"]))
    before = [(str(u), str(item), time) for u, item, time in events if time < moment]
    if not before:
        with pytest.raises(InputError, match="`moment` must lie after an item has appeared"):
            as_of(data, moment)
        return
    known = as_of(data, moment)
    found = known.to_frame()
    assert sorted(zip(found["user"], found["item"], found["time"], strict=True)) == sorted(before)
    assert set(known.items.ids) == {item for _, item, _ in before}
    assert known.user_ids == data.user_ids
    born = np.arange(data.n_items, dtype=float)  # item row n appears at n
    assert set(as_of(data, moment, born).items.ids) == {*known.items.ids, *data.items.ids[: moment + 1]}


def test_as_of_needs_times_and_the_moments_of_all_items():
    data = Interactions.from_frame(pd.DataFrame({"user": ["u"], "item": ["a"]}))
    with pytest.raises(InputError, match="`data` must hold times"):
        as_of(data, 1.0)
    timed = Interactions.from_frame(pd.DataFrame({"user": ["u"], "item": ["a"], "time": [1]}))
    with pytest.raises(InputError, match="born"):
        as_of(timed, 1.0, np.zeros(3))
