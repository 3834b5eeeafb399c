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
        assert (truth.asked[row] == own[-1]) is not truth.against
        assert truth.asked[row] not in own[:-1]


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


def test_dislike():
    truth = planted("dislike", n_users=100, seed=1)
    data = truth.data
    genres = data.items.frame.genres.to_numpy()
    for row in range(100):
        own, causes = data.events_of(row), truth.causes_of(row)
        hated = set(genres[data.item[own]][causes])
        assert hated == {genres[truth.asked[row]]}
        assert 1 <= causes.size <= 3
        assert (data.rating[own][causes] == 1).all()
        rest = np.setdiff1d(np.arange(9), causes)
        assert hated.isdisjoint(genres[data.item[own]][rest])
        assert (data.rating[own][rest] >= 4).all()


def test_distractor():
    truth = planted("distractor", n_users=4000, seed=1)
    item = truth.data.item.reshape(-1, 9)
    cause = np.array([truth.causes_of(row)[0] for row in range(4000)])
    assert set(cause.tolist()) == set(range(7))
    assert (item[:, 8] == item[np.arange(4000), cause] + 10).all()
    assert all(truth.lures_of(row).tolist() == [7] for row in range(50))
    # what is newest says nothing about what comes next: counts of (newest, next) are those of chance
    table = np.zeros((20, 10))
    np.add.at(table, (item[:, 7] - 20, item[:, 8] - 10), 1)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / 4000
    assert ((table - expected) ** 2 / expected).sum() < 225  # the 99.5 % point of χ² with 171 degrees of freedom
    # nor is it placed there more often than elsewhere
    share = np.bincount(item[:, :8][item[:, :8] >= 20] - 20, minlength=20) / (4000 * 7)
    assert np.abs(share - 0.05).max() < 0.01


def test_noise_takes_the_cause_away_from_its_share_of_users():
    truth = planted("copurchase", n_users=1000, seed=1, noise=0.3)
    whole = planted("copurchase", n_users=1000, seed=1)
    without = np.array([truth.causes_of(row).size == 0 for row in range(1000)])
    assert abs(without.mean() - 0.3) < 0.05
    same = truth.data.item.reshape(-1, 9) == whole.data.item.reshape(-1, 9)
    assert same[:, :8].all()
    assert same[~without, 8].all()
    assert same[without, 8].mean() < 0.3


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides(kind):
    first, again, other = (planted(kind, n_users=20, seed=seed).data.checksum for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    "wrong",
    [{"noise": -0.1}, {"noise": 1.5}, {"kind": "magic"}, {"n_users": 0}, {"n_items": 39}, {"seed": -1}, {"seed": 1.5}],
)
def test_wrong_arguments(wrong):
    with pytest.raises(InputError):
        planted(**{"kind": "genre", **wrong})
