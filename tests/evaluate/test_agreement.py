"""Agreement of lists: equal to its definition, symmetric, between 0 and 1, and known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xattn import Popularity
from xattn.data.synthetic import planted
from xattn.evaluate import evaluate
from xattn.evaluate.agreement import agreement, overlap, rank_biased_overlap
from xattn.evaluate.rivals import Random


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Two lists of one length, of distinct items among thirty."""
    k = draw(st.integers(1, 12))
    lists = (draw(st.permutations(range(30)))[:k] for _ in range(2))
    one, other = (np.array(items) for items in lists)
    return one, other


def endless(a: np.ndarray, b: np.ndarray, p: float) -> float:
    """(1 − p) Σ_d p^{d−1} A_d, the agreement beyond the lists being that at their end: the definition, far enough."""
    k, total, share = len(a), 0.0, 0.0
    for d in range(1, 2000):
        if d <= k:
            share = len(set(a[:d].tolist()) & set(b[:d].tolist())) / d
        total += (1 - p) * p ** (d - 1) * share
    return total


@given(pairs(), st.sampled_from([0.5, 0.9, 0.98]))
def test_rbo_is_its_endless_sum(lists: tuple[np.ndarray, np.ndarray], p: float) -> None:
    a, b = lists
    found = rank_biased_overlap(a, b, p)
    assert found == pytest.approx(endless(a, b, p), abs=1e-9)
    assert found == rank_biased_overlap(b, a, p)
    assert -1e-12 <= found <= 1 + 1e-12


def test_by_hand() -> None:
    """Agreements at depths 1 to 3: 0, 1/2, 2/3; p = ½: ½·0 + ¼·½ + ⅛·⅔ + what is beyond, ⅛·⅔."""
    a, b = np.array([1, 2, 3]), np.array([2, 4, 1])
    assert rank_biased_overlap(a, b, 0.5) == pytest.approx(1 / 8 + 2 / 24 + 2 / 24)
    assert overlap(a, b) == pytest.approx(2 / 3)


def test_the_first_places_count_most() -> None:
    a = np.arange(10)
    top, bottom = a.copy(), a.copy()
    top[0], bottom[9] = 99, 99
    assert rank_biased_overlap(a, top) < rank_biased_overlap(a, bottom)
    assert overlap(a, top) == overlap(a, bottom) == 0.9


def test_empty_and_uneven_lists() -> None:
    none, some = np.zeros(0, int), np.array([4, 2])
    assert overlap(none, none) == rank_biased_overlap(none, none) == 1.0
    assert overlap(none, some) == rank_biased_overlap(none, some) == 0.0
    assert overlap(some, np.array([4, 2, 7, 9])) == 0.5
    assert rank_biased_overlap(some, np.array([4, 2, 7, 9])) == 1.0


def test_means_and_intervals_over_users() -> None:
    first = [np.array([0, 1]), np.array([2, 3]), np.array([4, 5]), np.zeros(0, int)]
    lists = [np.array([0, 1]), np.array([3, 2]), np.array([6, 7]), np.zeros(0, int)]
    found = agreement(first, lists, 2, seed=0)
    assert found["overlap@2"] == pytest.approx(3 / 4)
    assert found["top"] == pytest.approx(1 / 4)
    for name, (low, high) in found["ci95"].items():
        assert low <= found[name] <= high
    assert agreement(first, lists, 2, seed=0) == found


def test_rows_hold_it_when_asked() -> None:
    data = planted("genre", n_users=60, seed=0).data
    models = {"Popularity": Popularity, "again": Popularity, "Random": Random}
    rows = evaluate(data, models, agreement=True)["rows"]
    assert rows[0]["agreement"] is None
    assert rows[1]["agreement"]["rbo"] == pytest.approx(1.0)
    assert rows[1]["agreement"]["top"] == 1.0
    assert rows[2]["agreement"]["overlap@10"] < 0.6
    assert "agreement" not in evaluate(data, models)["rows"][1]
    with pytest.raises(ValueError, match="`agreement` must be left out with the protocol rating; got True."):
        evaluate(data, models, protocol="rating", agreement=True)
