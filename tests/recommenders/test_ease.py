"""EASE against the plain formula, and what its recency does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from tests.models import fitted
from xattn import EASE, InputError, RecencyEASE
from xattn.model.fit.ease import ease_values
from xattn.recommenders import Recommender


def naive(X: np.ndarray, lam: float) -> np.ndarray:
    """Steck's equations as they stand, one column at a time: ridge of an item on all others."""
    C = X.shape[1]
    B = np.zeros((C, C))
    for j in range(C):
        others = np.arange(C) != j
        A = X[:, others].T @ X[:, others] + lam * np.eye(C - 1)
        B[others, j] = np.linalg.solve(A, X[:, others].T @ X[:, j])
    return B


@pytest.mark.parametrize(("dtype", "within"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_values_are_the_ridge_of_each_item_on_the_others(dtype: type, within: float) -> None:
    X = (np.random.default_rng(0).random((60, 25)) < 0.2).astype(float)
    B = ease_values(sparse.csr_array(X), 2.0, dtype)
    assert B.dtype == dtype
    np.testing.assert_allclose(B, naive(X, 2.0), atol=within)


def test_more_items_than_a_block_are_mirrored_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xattn.model.fit.ease.MIRRORED", 7)
    X = (np.random.default_rng(1).random((60, 25)) < 0.2).astype(float)
    np.testing.assert_allclose(ease_values(sparse.csr_array(X), 2.0, np.float64), naive(X, 2.0), atol=1e-12)


def test_where_float32_has_too_few_digits_float64_is_used() -> None:
    X = (np.random.default_rng(2).random((30, 50)) < 0.5).astype(
        float
    )  # more items than users: λ alone makes G definite
    np.testing.assert_allclose(ease_values(sparse.csr_array(X), 1e-4), naive(X, 1e-4), atol=1e-5)


def test_a_penalty_that_drowns_is_refused() -> None:
    X = sparse.csr_array(np.ones((9, 4)))
    with pytest.raises(
        InputError, match="`regularization` must be large enough for the values to be found; got 1e-300"
    ):
        ease_values(X, 1e-300)


def test_the_order_of_events_matters_to_recency_alone() -> None:
    one, other = ["i1", "i2", "i3"], ["i3", "i1", "i2"]
    ease, recency = fitted("ease"), fitted("recency ease")
    np.testing.assert_allclose(ease.score(history=one), ease.score(history=other), atol=1e-12)
    assert np.abs(recency.score(history=one) - recency.score(history=other)).max() > 1e-3


def test_an_endless_recency_is_ease() -> None:
    data = fitted("ease").data_
    slow = RecencyEASE(regularization=10.0, recency=1e9).fit(data)
    np.testing.assert_allclose(slow.score("u3"), fitted("ease").score("u3"), atol=1e-6)


def test_a_repeated_item_teaches_once_and_counts_twice() -> None:
    ease = fitted("ease")
    np.testing.assert_allclose(ease.score(history=["i1", "i1"]), 2 * ease.score(history=["i1"]), rtol=1e-12)


@pytest.mark.parametrize(
    ("model", "parameter"),
    [
        (EASE(regularization=0.0), "regularization"),
        (EASE(regularization=float("inf")), "regularization"),
        (EASE(dtype="float16"), "dtype"),
        (RecencyEASE(recency=0.0), "recency"),
        (RecencyEASE(recency=float("nan")), "recency"),
    ],
)
def test_wrong_parameters_are_told_at_fit(model: Recommender, parameter: str) -> None:
    with pytest.raises(InputError, match=f"`{parameter}` must"):
        model.fit(fitted("ease").data_)
