"""Planted causes: the truth that comes with the data is true of the data."""

import numpy as np
import pytest

from xattn.data import planted
from xattn.data.synthetic import KINDS
from xattn.errors import InputError


@pytest.mark.parametrize("kind", KINDS)
def test_targets_and_causes_stand_where_they_should(kind):
    truth = planted(kind, n_users=100, n_items=50, seed=3)
    data = truth.data
    assert (data.n_users, data.n_items, data.n_events) == (100, 50, 900)
    np.testing.assert_array_equal(truth.target, data.indptr[1:] - 1)
    assert not truth.cause[truth.target].any()
    for row in range(data.n_users):
        assert truth.causes_of(row).size >= 1
        own = data.item[data.events_of(row)]
        assert len(set(own.tolist())) == own.size  # the target is new to its user


def test_genre():
    truth = planted("genre", n_users=60, seed=1)
    genres = truth.data.items.frame.genres.to_numpy()
    for row in range(60):
        own = truth.data.events_of(row)
        same = genres[truth.data.item[own]][:-1] == genres[truth.data.item[truth.target[row]]]
        np.testing.assert_array_equal(truth.causes_of(row), np.flatnonzero(same))
        assert 2 <= same.sum() < 8
        ratings = truth.data.rating[own][:-1]
        assert ratings[same].min() >= 4
        assert ratings[~same].max() <= 2


def test_copurchase():
    truth = planted("copurchase", n_users=200, n_items=40, seed=1)
    where = []
    for row in range(200):
        (cause,) = truth.causes_of(row)
        own = truth.data.item[truth.data.events_of(row)]
        assert own[-1] == own[cause] + 10
        assert (np.delete(own, [cause, 8]) >= 20).all()
        where.append(int(cause))
    assert set(where) == set(range(8))  # so that recency alone does not find it


def test_recency():
    truth = planted("recency", n_users=200, seed=1)
    for row in range(200):
        assert truth.causes_of(row).tolist() == [7]
        own = truth.data.item[truth.data.events_of(row)]
        assert own[-1] == (own[-2] + 1) % 40


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides(kind):
    first, again, other = (planted(kind, n_users=20, seed=seed).data.checksum for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("wrong", [{"kind": "magic"}, {"n_users": 0}, {"n_items": 39}, {"seed": -1}, {"seed": 1.5}])
def test_wrong_arguments(wrong):
    with pytest.raises(InputError):
        planted(**{"kind": "genre", **wrong})
