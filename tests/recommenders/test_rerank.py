"""Maximal marginal relevance: the obvious loop, what must always hold, answers by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from tests.models import fitted
from tests.planting import must_fail
from xattn import ItemTable, load_dataset
from xattn.features import feature_set
from xattn.recommenders import rerank
from xattn.recommenders.rerank import POOL


def slowly(scores: np.ndarray, allowed: np.ndarray, k: int, diversity: float, F: np.ndarray) -> list[int]:
    """As Carbonell and Goldstein write it, one candidate after the other."""
    pool = sorted(np.flatnonzero(allowed), key=lambda j: (-scores[j], j))[: POOL * k]
    low, high = (scores[pool[-1]], scores[pool[0]]) if pool else (0.0, 0.0)
    chosen: list[int] = []
    while len(chosen) < min(k, len(pool)):
        best, most = -1, -np.inf
        for j in pool:
            if j in chosen:
                continue
            relevance = (scores[j] - low) / (high - low) if high > low else 0.0
            nearest = max((float(F[i] @ F[j]) for i in chosen), default=0.0)
            worth = (1 - diversity) * relevance - diversity * nearest
            if not chosen:
                worth = scores[j]
            if worth > most + 1e-12:
                best, most = j, worth
        chosen.append(int(best))
    return chosen


def diverse_list(scores: np.ndarray, allowed: np.ndarray, k: int, diversity: float, F: np.ndarray) -> np.ndarray:
    return rerank.diverse_list(scores, allowed, k, diversity, sparse.csr_array(F))


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int, float, np.ndarray]:
    """Scores and features on a grid, so that ties are exact and no two worths are a rounding apart."""
    M = draw(st.integers(1, 9))
    scores = draw(hnp.arrays(np.float64, M, elements=st.integers(-4, 4)))
    kinds = draw(hnp.arrays(np.int64, M, elements=st.integers(0, 3)))
    F = np.vstack([np.zeros(3), np.eye(3)])[kinds]
    allowed = draw(hnp.arrays(np.bool_, M))
    return scores, allowed, draw(st.integers(1, M)), draw(st.sampled_from((0.0, 0.25, 0.5, 1.0))), F


@given(cases())
def test_equals_the_obvious_version(case: tuple[np.ndarray, np.ndarray, int, float, np.ndarray]) -> None:
    assert diverse_list(*case).tolist() == slowly(*case)


def test_beyond_the_pool_nothing_is_looked_at() -> None:
    """The list stays among the POOL best for each place, however different the others are."""
    rng = np.random.default_rng(0)
    scores, F = rng.normal(size=300), np.abs(rng.normal(size=(300, 5)))
    F /= np.linalg.norm(F, axis=1, keepdims=True)
    for k, diversity in ((1, 1.0), (3, 0.5), (10, 1.0)):
        listed = diverse_list(scores, np.ones(300, bool), k, diversity, F)
        assert listed.tolist() == slowly(scores, np.ones(300, bool), k, diversity, F)
        assert set(listed) <= set(np.argsort(-scores)[: POOL * k])


@given(cases())
def test_what_it_is_measured_in_does_not_matter(case: tuple[np.ndarray, np.ndarray, int, float, np.ndarray]) -> None:
    """Scores twice as large and shifted, features in another order: the same list."""
    scores, allowed, k, diversity, F = case
    assert diverse_list(2 * scores + 16, allowed, k, diversity, F[:, ::-1]).tolist() == diverse_list(*case).tolist()


def test_by_hand() -> None:
    """Two kinds; λ = ½. After a (1): b is worth ½·.9 − ½ = −.05, c ½·.5 = .25, d 0 (nothing known of it)."""
    F = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    listed = diverse_list(np.array([1.0, 0.9, 0.5, 0.0]), np.ones(4, bool), 4, 0.5, F)
    assert listed.tolist() == [0, 2, 3, 1]


def test_features_have_length_1_and_are_those_of_the_items() -> None:
    items = load_dataset("movielens-small").items
    F = feature_set(items).unit.toarray()
    length = np.linalg.norm(F, axis=1)
    assert ((np.abs(length - 1) < 1e-12) | (length == 0)).all()
    blocks = feature_set(items).F.toarray()
    np.testing.assert_allclose(F * np.linalg.norm(blocks, axis=1, keepdims=True), blocks, atol=1e-12)
    assert (F >= 0).all()
    assert feature_set(items).unit is feature_set(items).unit, "they are kept"
    assert not feature_set(ItemTable.bare(["a"])).unit.nnz


def plain(scores: np.ndarray, allowed: np.ndarray, k: int, diversity: float, F: np.ndarray) -> np.ndarray:
    return rerank.diverse_list(scores, allowed, k, 0.0, sparse.csr_array(F))


def last_alone(scores: np.ndarray, allowed: np.ndarray, k: int, diversity: float, F: np.ndarray) -> np.ndarray:
    """Compares with the last chosen item, not with all."""
    pool = plain(scores, allowed, len(scores), 0.0, F)
    chosen = pool[:1].tolist()
    span = float(np.ptp(scores[pool])) if len(pool) else 0.0
    while len(chosen) < min(k, len(pool)):
        left = [j for j in pool.tolist() if j not in chosen]
        relevance = (scores[left] - scores[pool[-1]]) / (span or 1.0)
        chosen.append(left[int(np.argmax((1 - diversity) * relevance - diversity * F[left] @ F[chosen[-1]]))])
    return np.array(chosen, np.int64)


@pytest.mark.parametrize("faulty", [plain, last_alone])
def test_wrong_orders_are_caught(faulty: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "diverse_list", faulty)
    must_fail(test_equals_the_obvious_version)


def test_the_list_of_a_model_is_this_one() -> None:
    model = fitted("hybrid")
    scores, items = model.score("u3"), model.data_.items
    allowed = np.ones(len(items), bool)
    allowed[model.history("u3").item] = False
    want = slowly(scores, allowed, 6, 0.4, feature_set(items).unit.toarray())
    assert model.recommend("u3", k=6, diversity=0.4)["item"].tolist() == [items.ids[j] for j in want]
