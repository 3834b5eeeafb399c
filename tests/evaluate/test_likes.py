"""Like or dislike: the figures are scikit-learn's, weights included, and the choices are the best there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.metrics import accuracy_score, f1_score, mean_squared_error, precision_score, recall_score, roc_auc_score

from xattn.evaluate.likes import NAMES, auc, best_threshold, like_metrics, linear_map

few = st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=30)


def columns(rows: list[tuple[bool, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    liked, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    weight[:2] += 1
    liked[:2] = True, False
    return liked, score.astype(float), weight.astype(float)


@given(few)
@settings(max_examples=40)
def test_they_are_those_of_sklearn(rows: list[tuple[bool, int, int]]) -> None:
    liked, score, weight = columns(rows)
    said, rating = score >= 3.0, np.arange(len(score)) % 5.0
    got = dict(zip(NAMES, like_metrics(liked, score, 3.0, (score - rating) ** 2, weight), strict=True))
    options = {"sample_weight": weight}
    assert got["accuracy"] == pytest.approx(accuracy_score(liked, said, **options))
    assert got["precision"] == pytest.approx(precision_score(liked, said, zero_division=0, **options))
    assert got["recall"] == pytest.approx(recall_score(liked, said, zero_division=0, **options))
    assert got["f1"] == pytest.approx(f1_score(liked, said, zero_division=0, **options))
    assert got["auc"] == pytest.approx(roc_auc_score(liked, score, **options))
    assert got["rmse"] == pytest.approx(np.sqrt(mean_squared_error(rating, score, **options)))


@given(few)
@settings(max_examples=40)
def test_no_threshold_is_better(rows: list[tuple[bool, int, int]]) -> None:
    liked, score, _ = columns(rows)
    right = {t: np.mean((score >= t) == liked) for t in [*range(7), np.inf]}
    assert np.mean((score >= best_threshold(liked, score)) == liked) == max(right.values())


@given(few)
@settings(max_examples=40)
def test_the_line_is_that_of_sklearn(rows: list[tuple[bool, int, int]]) -> None:
    _, score, rating = columns(rows)
    slope, intercept = linear_map(score, rating)
    if np.ptp(score) > 0:
        line = LinearRegression().fit(score[:, None], rating)
        assert (slope, intercept) == (pytest.approx(line.coef_[0], abs=1e-9), pytest.approx(line.intercept_, abs=1e-9))
    else:
        assert (slope, intercept) == (0.0, pytest.approx(rating.mean()))


def test_auc_needs_both_kinds() -> None:
    assert np.isnan(auc(np.array([True, True]), np.array([1.0, 2.0]), np.ones(2)))
