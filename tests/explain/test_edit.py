"""The smallest edit does what it says, and nothing smaller does: in closed form by hand, else by trying."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xattn import InputError, attend
from xattn.explain import Edit, minimal_edit
from xattn.explain.compare.edit import MEASURES, _closeness
from xattn.model.example import ITEMS, KEYS, QUERY

N, D, M = 3, 3, 4


def case(seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=D), rng.normal(size=(N, D)), rng.normal(size=(N, D)), rng.normal(size=(M, D))


def lead(q: np.ndarray, K: np.ndarray | None, X: np.ndarray, Y: np.ndarray, a: int, b: int, measure: str) -> float:
    y = attend(q, X if K is None else K, X).fused
    return _closeness(y, Y[a], measure) - _closeness(y, Y[b], measure)


def behind(seed: int, own_keys: bool, measure: str) -> tuple[tuple[np.ndarray, ...], int, int, Edit]:
    """A case, an item that is behind another one, and the edit that turns them."""
    q, K, X, Y = case(seed)
    a, b = (0, 1) if lead(q, K if own_keys else None, X, Y, 0, 1, measure) <= 0 else (1, 0)
    return (q, K, X, Y), a, b, minimal_edit(q, K if own_keys else None, X, Y, a, b, measure=measure)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("own_keys", [True, False])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=8)
def test_each_edit_turns_the_two_items(measure: str, own_keys: bool, seed: int) -> None:
    (q, K, X, Y), a, b, found = behind(seed, own_keys, measure)
    assert found.lead <= 0
    keys = K if own_keys else None
    if found.number is not None:
        changed = X.copy()
        assert changed[found.number.event, found.number.feature] == found.number.before
        changed[found.number.event, found.number.feature] = found.number.after
        assert lead(q, keys, changed, Y, a, b, measure) > 0
    if found.vector is not None:
        changed = X.copy()
        np.testing.assert_array_equal(changed[found.vector.event], found.vector.before)
        changed[found.vector.event] = found.vector.after
        assert lead(q, keys, changed, Y, a, b, measure) > 0
        assert found.vector.size == pytest.approx(np.linalg.norm(found.vector.after - found.vector.before))
        if found.number is not None and found.exact:
            assert found.vector.size <= found.number.size * (1 + 1e-9), "one number is an edit of its vector too"
    assert found.verified == (found.number is not None or found.vector is not None)


@given(seed=st.integers(0, 10**6), share=st.floats(0.1, 0.999), direction=st.integers(0, 10**6))
@settings(max_examples=30)
def test_nothing_smaller_turns_them_where_it_is_exact(seed: int, share: float, direction: int) -> None:
    (q, K, X, Y), a, b, found = behind(seed, True, "euclidean")
    assert found.exact
    assert found.vector is not None
    step = np.random.default_rng(direction).normal(size=(N, D))
    for event in range(N):
        changed = X.copy()
        changed[event] += step[event] / np.linalg.norm(step[event]) * found.vector.size * share
        assert lead(q, K, changed, Y, a, b, "euclidean") <= 0
    for event, feature in np.ndindex(N, D):
        for sign in (1, -1):
            changed = X.copy()
            changed[event, feature] += sign * share * (found.number.size if found.number else 1.0)
            assert lead(q, K, changed, Y, a, b, "euclidean") <= 0


@given(seed=st.integers(0, 10**6))
@settings(max_examples=5)
def test_a_number_found_by_scanning_is_the_smallest_of_a_fine_grid(seed: int) -> None:
    (q, _, X, Y), a, b, found = behind(seed, False, "dot")
    sizes = np.geomspace(1e-3, 50, 120)
    best = np.inf
    for event, feature in np.ndindex(N, D):
        for size in sizes:
            for sign in (1, -1):
                changed = X.copy()
                changed[event, feature] += sign * size
                if size < best and lead(q, None, changed, Y, a, b, "dot") > 0:
                    best = size
    if np.isfinite(best):
        assert found.number is not None
        assert found.number.size <= best * 1.25, "the scan outwards has coarser steps, and halves within them"


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("own_keys", [True, False])
@pytest.mark.parametrize("fusion", ["multiply", "add"])
def test_exact_is_said_where_the_lead_is_linear(measure: str, own_keys: bool, fusion: str) -> None:
    """Linear: the middle of two tables of values has the middle lead."""
    q, K, X, Y = case(5)
    keys, rng = K if own_keys else None, np.random.default_rng(0)
    tables = [X, X + rng.normal(size=X.shape)]
    tables.append((tables[0] + tables[1]) / 2)
    leads = []
    for values in tables:
        y = attend(q, values if keys is None else keys, values, fusion=fusion).fused
        leads.append(_closeness(y, Y[0], measure) - _closeness(y, Y[1], measure))
    a, b = (0, 1) if leads[0] <= 0 else (1, 0)
    found = minimal_edit(q, keys, X, Y, a, b, measure=measure, fusion=fusion)
    linear = leads[2] == pytest.approx((leads[0] + leads[1]) / 2, abs=1e-9)
    assert linear or not found.exact
    assert found.exact == (own_keys and measure != "cosine" and fusion == "multiply")


def test_the_articles_example_by_hand() -> None:
    """y is nearest to y3; for y1 to pass it, y must move along y1 − y3 by the gap, and x_i moves y by a_i."""
    found = minimal_edit(QUERY, KEYS, ITEMS, ITEMS, above=0, below=2)
    a = attend(QUERY, KEYS, ITEMS)
    g = np.array(ITEMS[0]) - np.array(ITEMS[2])
    middle = (np.array(ITEMS[0]) + np.array(ITEMS[2])) / 2
    distance = (middle - a.fused) @ g / np.linalg.norm(g)
    assert found.vector is not None
    assert found.vector.event == 2, "the event that is looked at most moves y most"
    assert found.vector.size == pytest.approx(distance / a.weights[2], rel=1e-6)
    assert found.number is not None
    assert found.number.size == pytest.approx(distance * np.linalg.norm(g) / (np.abs(g).max() * a.weights[2]), rel=1e-6)


def test_it_is_told_in_words() -> None:
    found = minimal_edit(QUERY, KEYS, ITEMS, ITEMS, above=0, below=2)
    for lang in ("en", "zh"):
        text = found.text("Tea", "Rye", ["one", "two", "three"], ["time", "visits", "orders"], lang)
        assert all(word in text for word in ("Tea", "Rye", "three"))


def test_the_one_before_is_refused() -> None:
    with pytest.raises(InputError, match="`above` must be an item that is not before `below` already"):
        minimal_edit(QUERY, KEYS, ITEMS, ITEMS, above=2, below=0)


@pytest.mark.parametrize(
    "wrong",
    [{"above": 7}, {"below": -1}, {"measure": "nearness"}, {"items": [[1.0]]}, {"values": "x"}, {"keys": [[1, 2, 3]]}],
)
def test_wrong_arguments_are_refused(wrong: dict[str, object]) -> None:
    right: dict[str, object] = {"query": QUERY, "keys": KEYS, "values": ITEMS, "items": ITEMS, "above": 0, "below": 2}
    with pytest.raises(InputError):
        minimal_edit(**{**right, **wrong})  # type: ignore[arg-type]


def test_two_equal_items_cannot_be_turned() -> None:
    found = minimal_edit([1.0, 0.0], [[1.0, 0.0]], [[1.0, 2.0]], [[3.0, 1.0], [3.0, 1.0]], above=0, below=1)
    assert (found.number, found.vector, found.verified) == (None, None, False)
    assert "No change" in found.text("A", "B", ["x"], ["f", "g"])
