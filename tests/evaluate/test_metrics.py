"""Metrics against scikit-learn's, by hand, and in the cases that flatter a model when they are done wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import average_precision_score, ndcg_score, precision_score, recall_score
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import normalize

from xattn.evaluate.metrics import coverage, diversity, novelty, per_user, popularity_bias, ranks_of


@st.composite
def judged(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """Distinct scores, the relevant ones among them, and a length."""
    scores = draw(st.lists(st.integers(-50, 50), min_size=2, max_size=30, unique=True))
    relevant = draw(st.sets(st.integers(0, len(scores) - 1), min_size=1))
    return np.array(scores, float), np.array(sorted(relevant)), draw(st.integers(1, len(scores)))


@given(judged())
def test_ranking_metrics_are_those_of_sklearn(case: tuple[np.ndarray, np.ndarray, int]) -> None:
    scores, relevant, k = case
    truth = np.zeros(len(scores))
    truth[relevant] = 1.0
    listed = np.zeros(len(scores))
    listed[np.argsort(-scores)[:k]] = 1.0
    ranks = ranks_of(scores, relevant, np.ones(len(scores), bool))
    got = {name: values[0] for name, values in per_user([ranks], k).items()}
    assert got[f"ndcg@{k}"] == pytest.approx(ndcg_score([truth], [scores], k=k), abs=1e-12)
    assert got[f"precision@{k}"] == pytest.approx(precision_score(truth, listed), abs=1e-12)
    assert got[f"recall@{k}"] == pytest.approx(recall_score(truth, listed), abs=1e-12)
    assert got[f"hr@{k}"] == float((truth * listed).any())
    whole = per_user([ranks], len(scores))
    assert whole[f"map@{len(scores)}"][0] == pytest.approx(average_precision_score(truth, scores), abs=1e-12)
    assert whole["mrr"][0] == pytest.approx(1 / (1 + np.argmax(truth[np.argsort(-scores)])))


def test_hits_recall_and_reciprocal_ranks_by_hand() -> None:
    """Three users: found at 2 and 4 of two; at 7 of one; nowhere (two that no list holds)."""
    ranks = [np.array([2.0, 4.0]), np.array([7.0]), np.array([np.inf, np.inf])]
    got = {name: values.tolist() for name, values in per_user(ranks, 3).items()}
    assert got["hr@3"] == [1.0, 0.0, 0.0]
    assert got["recall@3"] == [0.5, 0.0, 0.0]
    assert got["precision@3"] == [1 / 3, 0.0, 0.0]
    assert got["mrr"] == [1 / 2, 1 / 7, 0.0]
    assert got["ndcg@3"] == pytest.approx([(1 / np.log2(3)) / (1 + 1 / np.log2(3)), 0.0, 0.0])
    wider = per_user(ranks, 7)
    assert (wider["hr@7"].tolist(), wider["recall@7"].tolist()) == ([1.0, 1.0, 0.0], [1.0, 1.0, 0.0])


def test_novelty_by_hand() -> None:
    """Events 6, 0 and 0, one added to each: shares 7/9, 1/9, 1/9."""
    lists = [np.array([0]), np.array([0, 1])]
    assert novelty(lists, np.array([6, 0, 0])) == pytest.approx((2 * -np.log2(7 / 9) - np.log2(1 / 9)) / 3)
    assert np.isnan(novelty([np.zeros(0, int)], np.array([6, 0, 0])))


def test_coverage_counts_an_item_once() -> None:
    assert coverage([np.array([3, 1]), np.array([1]), np.zeros(0, int)], 8) == 0.25


def test_map_is_cut_at_k_by_hand() -> None:
    """Relevant at 1, 3 and 9; of the five first places: (1/1 + 2/3) / 3."""
    got = per_user([np.array([1.0, 3.0, 9.0])], 5)
    assert got["map@5"][0] == pytest.approx((1 + 2 / 3) / 3)
    assert per_user([np.array([1.0, 3.0, 9.0])], 2)["map@2"][0] == pytest.approx(1 / 2)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=12), st.data())
def test_rank_counts_what_is_not_below(scores: list[float], data: st.DataObject) -> None:
    target = data.draw(st.integers(0, len(scores) - 1))
    s = np.array(scores)
    others = [x for j, x in enumerate(scores) if j != target]
    (rank,) = ranks_of(s, np.array([target]), np.ones(len(s), bool))
    assert rank == 1 + sum(x >= scores[target] for x in others)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=12), st.data())
def test_several_targets_hold_distinct_places(scores: list[int], data: st.DataObject) -> None:
    """Relevant items of one score stand after all others of that score, one behind the other."""
    targets = data.draw(st.sets(st.integers(0, len(scores) - 1), min_size=1))
    order = sorted(range(len(scores)), key=lambda j: (-scores[j], j in targets))
    wanted = [1.0 + place for place, j in enumerate(order) if j in targets]
    assert ranks_of(np.array(scores, float), np.array(sorted(targets)), np.ones(len(scores), bool)).tolist() == wanted


def test_a_constant_scorer_gains_nothing() -> None:
    """Ties count against the model: scoring everything alike is the worst rank, not the best."""
    assert ranks_of(np.zeros(50), np.array([0]), np.ones(50, bool)) == [50]
    assert ranks_of(np.zeros(50), np.array([0, 7]), np.ones(50, bool)).tolist() == [49, 50]


def test_nan_is_worst() -> None:
    s = np.array([np.nan, 1.0, 2.0])
    everything = np.ones(3, bool)
    assert ranks_of(s, np.array([0]), everything) == [np.inf]
    assert ranks_of(s, np.array([2]), everything) == [2], "the NaN of another item does not help the target"
    assert ranks_of(s, np.array([0, 1]), everything).tolist() == [2, np.inf]
    got = per_user([np.array([np.inf])], 10)
    assert [values[0] for values in got.values()] == [0.0] * 6


def test_only_candidates_count() -> None:
    assert ranks_of(np.array([1.0, 5.0, 4.0]), np.array([0]), np.array([True, False, True])) == [2]


def test_beyond_accuracy_by_hand() -> None:
    lists = [np.array([0, 1]), np.array([1, 2])]
    assert coverage(lists, 4) == 0.75
    assert novelty(lists, np.array([1, 1, 1, 1])) == pytest.approx(2.0)  # each has a quarter of the events: 2 bits
    F = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    assert diversity(lists, sparse.csr_array(F)) == pytest.approx(
        0.5
    )  # a pair that is alike, a pair that has nothing in common


def test_diversity_is_that_of_sklearn() -> None:
    rng = np.random.default_rng(0)
    F, items = normalize(rng.random((9, 4))), np.array([2, 5, 7])
    pairs = 1.0 - cosine_similarity(F[items])[np.triu_indices(3, 1)]
    assert diversity([items], sparse.csr_array(F)) == pytest.approx(pairs.mean())


def test_diversity_without_features_is_unknown() -> None:
    assert np.isnan(diversity([np.array([0, 1])], sparse.csr_array((3, 0))))


def test_popularity_bias_by_hand() -> None:
    counts = np.array([8, 4, 2, 2])
    lists, histories = [np.array([0]), np.array([0, 1])], [np.array([1, 2]), np.array([3])]
    assert popularity_bias(lists, histories, counts) == pytest.approx((7 - 2.5) / 2.5)
    assert popularity_bias(histories, histories, counts) == 0.0
    assert np.isnan(popularity_bias([np.array([], int)], [np.array([1])], counts))
