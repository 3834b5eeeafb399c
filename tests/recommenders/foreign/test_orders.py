"""Averages over orders: by their definition, for functions of sets that are no sums; and how sure they say to be."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from xattn.recommenders.foreign.orders import averages, differences


def game(n: int, seed: int = 0) -> tuple[dict[tuple[bool, ...], np.ndarray], np.ndarray]:
    """A random score of two items for each set of n events, and its ends."""
    rng = np.random.default_rng(seed)
    sets = (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)
    worth = {tuple(one): rng.normal(size=2) for one in sets.tolist()}
    return worth, np.array([worth[(False,) * n], worth[(True,) * n]])


def asked(worth: dict[tuple[bool, ...], np.ndarray], sets: np.ndarray) -> np.ndarray:
    return np.array([worth[tuple(one)] for one in sets.tolist()])


def plain(worth: dict[tuple[bool, ...], np.ndarray], n: int) -> np.ndarray:
    """The mean over all n! orders, one by one."""
    total, count = np.zeros((n, 2)), 0
    for order in permutations(range(n)):
        held = [False] * n
        for event in order:
            before = worth[tuple(held)]
            held[event] = True
            total[event] += worth[tuple(held)] - before
        count += 1
    return total / count


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_all_orders_are_those_of_the_definition(n: int) -> None:
    worth, ends = game(n)
    found = averages(lambda sets: asked(worth, sets), n, ends, 1000, np.random.default_rng(0))
    np.testing.assert_allclose(found.mean, plain(worth, n), atol=1e-12)
    assert found.orders == 0
    assert not found.within.any()


def test_drawn_orders_add_up_and_their_intervals_hold_the_truth_as_often_as_they_say() -> None:
    n, inside, tried = 5, 0, 0
    for seed in range(40):
        worth, ends = game(n, seed)
        found = averages(lambda sets, w=worth: asked(w, sets), n, ends, 29, np.random.default_rng(seed))
        assert found.orders == 16  # 29 sets are too few for all 30; eight pairs are the least
        np.testing.assert_allclose(found.mean.sum(axis=0), ends[1] - ends[0], atol=1e-12)
        inside += int((np.abs(found.mean - plain(worth, n)) <= found.within).sum())
        tried += found.mean.size
    assert 0.90 <= inside / tried <= 0.99


def test_a_sum_over_events_is_found_exactly_by_any_orders() -> None:
    said = np.random.default_rng(1).normal(size=(20, 3))
    ends = np.array([np.ones(3), 1 + said.sum(axis=0)])
    found = averages(lambda sets: 1 + sets @ said, 20, ends, 200, np.random.default_rng(0))
    np.testing.assert_allclose(found.mean, said, atol=1e-12)
    assert found.within.max() < 1e-12


def test_without_events_there_is_nothing() -> None:
    found = averages(lambda sets: sets, 0, np.ones((2, 4)), 10, np.random.default_rng(0))
    assert found.mean.shape == (0, 4)
    assert differences(np.zeros(2), np.zeros((0, 2))).shape == (0, 2)
