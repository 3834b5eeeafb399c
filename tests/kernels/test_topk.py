"""Top-k: equal to a plain sort under the rule for ties, NaN and short rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests import naive
from tests.checks import assert_bitwise, unchanged
from tests.strategies import tied_scores
from xattn.kernels.topk import ranks_among, top_k


def lists(best: object) -> list[list[int]]:
    """Chosen items per row; the padding must be −1, and nothing else."""
    for row, n in zip(best.items, best.counts, strict=True):
        assert (row[n:] == -1).all()
    return [row[:n].tolist() for row, n in zip(best.items, best.counts, strict=True)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data(), k=st.integers(0, 15))
def test_equals_a_sort(dtype: type, data: st.DataObject, k: int) -> None:
    """P24: with rows or one row of allowed items, and items excluded in any order, some twice."""
    scores = data.draw(tied_scores()).astype(dtype)
    R, M = scores.shape
    allowed = data.draw(st.none() | hnp.arrays(np.bool_, (R, M)) | hnp.arrays(np.bool_, (M,)))
    rows = data.draw(st.lists(st.lists(st.integers(0, M - 1), max_size=5), min_size=R, max_size=R)) if M else [[]] * R
    excluded = np.array([i for row in rows for i in row], dtype=np.int64)
    indptr = np.cumsum([0, *map(len, rows)])
    with unchanged(scores, excluded, indptr):
        best = top_k(scores, allowed, k, excluded, indptr)
    assert best.items.shape == (R, min(k, M))
    assert lists(best) == naive.top_k(scores, allowed, k, excluded, indptr)
    assert lists(top_k(scores, allowed, k)) == naive.top_k(scores, allowed, k)


@given(tied_scores(), st.integers(1, 5))
def test_batch_is_a_loop(scores: np.ndarray, k: int) -> None:
    best = top_k(scores, None, k)
    for r in range(scores.shape[0]):
        assert_bitwise(top_k(scores[r : r + 1], None, k).items, best.items[r : r + 1])


def test_long_rows() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 5000)).round(2)
    for k in (1, 10, 777, 5000):
        assert lists(top_k(scores, None, k)) == naive.top_k(scores, None, k)


@pytest.mark.parametrize(
    ("scores", "k", "want"),
    [
        ([1, 3, 3, 2], 2, [1, 2]),  # a tie: lower index first
        ([0.0, -0.0], 2, [0, 1]),
        ([np.nan, -np.inf], 2, [1]),  # NaN is worse than −inf: it is not there
        ([np.nan, np.nan], 1, []),
        ([5, 5, 5, 5, 6], 3, [4, 0, 1]),
        ([1, 2], 10**9, [1, 0]),
        ([1, 2], 0, []),
        ([], 3, []),
    ],
)
def test_by_hand(scores: list[float], k: int, want: list[int]) -> None:
    assert lists(top_k(np.array([scores], dtype=float), None, k)) == [want]


@given(tied_scores(), st.data())
def test_ranks_count_what_is_not_below(scores: np.ndarray, data: st.DataObject) -> None:
    """1 + the other candidates that are not below (NaN is below nothing), items of equal rank one after the other."""
    R, M = scores.shape
    some = st.lists(st.integers(0, M - 1), max_size=4) if M else st.just([])
    asked, gone = ([data.draw(some) for _ in range(R)] for _ in range(2))
    asked = [list(dict.fromkeys(own)) for own in asked]
    ptr, indptr = (np.cumsum([0, *map(len, rows)]) for rows in (asked, gone))
    target, excluded = (np.array([i for own in rows for i in own], np.int64) for rows in (asked, gone))
    with unchanged(scores, target, excluded):
        got = ranks_among(scores.astype(float), target, ptr, excluded, indptr)
    want = []
    for s, own, out in zip(scores.tolist(), asked, gone, strict=True):
        others = [x for j, x in enumerate(s) if j not in own and j not in out]
        found = sorted((s[t] for t in own if s[t] == s[t]), reverse=True)
        want += [1.0 + place + sum(not x < t for x in others) for place, t in enumerate(found)]
        want += [np.inf] * (len(own) - len(found))
    assert got.tolist() == want
