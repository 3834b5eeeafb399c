"""Metrics against scikit-learn's, by hand, and in the cases that flatter a model when they are done wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score
from sklearn.metrics.pairwise import cosine_similarity

from xattn.evaluate.metrics import coverage, diversity, interval, novelty, per_user, rank_against


@given(scores=st.lists(st.integers(-50, 50), min_size=2, max_size=30, unique=True), data=st.data())
def test_ndcg_is_that_of_sklearn(scores: list[int], data: st.DataObject) -> None:
    target = data.draw(st.integers(0, len(scores) - 1))
    k = data.draw(st.integers(1, len(scores)))
    truth = np.zeros((1, len(scores)))
    truth[0, target] = 1.0
    rank = rank_against(np.array(scores, float), target, np.ones(len(scores), bool))
    got = per_user(np.array([rank]), k)[f"ndcg@{k}"][0]
    assert got == pytest.approx(ndcg_score(truth, [scores], k=k), abs=1e-12)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=12), st.data())
def test_rank_counts_what_is_not_below(scores: list[float], data: st.DataObject) -> None:
    target = data.draw(st.integers(0, len(scores) - 1))
    s = np.array(scores)
    others = [x for j, x in enumerate(scores) if j != target]
    assert rank_against(s, target, np.ones(len(s), bool)) == 1 + sum(x >= scores[target] for x in others)


def test_a_constant_scorer_gains_nothing() -> None:
    """Ties count against the model: scoring everything alike is the worst rank, not the best."""
    assert rank_against(np.zeros(50), 0, np.ones(50, bool)) == 50


def test_nan_is_worst() -> None:
    s = np.array([np.nan, 1.0, 2.0])
    everything = np.ones(3, bool)
    assert rank_against(s, 0, everything) == np.inf
    assert rank_against(s, 2, everything) == 2, "the NaN of another item does not help the target"
    assert per_user(np.array([np.inf]), 10)["mrr"][0] == 0.0
    assert per_user(np.array([np.inf]), 10)["ndcg@10"][0] == 0.0


def test_only_candidates_count() -> None:
    assert rank_against(np.array([1.0, 5.0, 4.0]), 0, np.array([True, False, True])) == 2


def test_interval_covers_the_mean_and_shrinks() -> None:
    rng = np.random.default_rng(0)
    few, many = rng.random(50), rng.random(5000)
    for values in (few, many):
        low, high = interval(values, seed=1)
        assert low < values.mean() < high
    assert np.diff(interval(many, seed=1)) < np.diff(interval(few, seed=1)) / 3
    assert interval(few, seed=1) == interval(few, seed=1)


def test_interval_is_right_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(7)
    inside = 0
    for draw in range(200):
        low, high = interval(rng.normal(size=120), seed=draw, draws=400)
        inside += low <= 0.0 <= high
    assert 176 <= inside <= 199  # 95 % ± 3.5 standard errors, less the small bias of percentile intervals


def test_beyond_accuracy_by_hand() -> None:
    lists = [np.array([0, 1]), np.array([1, 2])]
    assert coverage(lists, 4) == 0.75
    assert novelty(lists, np.array([1, 1, 1, 1])) == pytest.approx(2.0)  # each has a quarter of the events: 2 bits
    F = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    assert diversity(lists, F) == pytest.approx(0.5)  # a pair that is alike, a pair that has nothing in common


def test_diversity_is_that_of_sklearn() -> None:
    rng = np.random.default_rng(0)
    F, items = rng.random((9, 4)), np.array([2, 5, 7])
    pairs = 1.0 - cosine_similarity(F[items])[np.triu_indices(3, 1)]
    assert diversity([items], F) == pytest.approx(pairs.mean())


def test_diversity_without_features_is_unknown() -> None:
    assert np.isnan(diversity([np.array([0, 1])], np.zeros((3, 0))))
