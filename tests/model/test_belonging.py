"""Values for what belongs: each column is a ridge of the item on the others, as plain least squares finds it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from tests.checks import assert_within, unchanged
from xattn.errors import InputError
from xattn.model.fit import belonging
from xattn.model.fit.belonging import belonging_values
from xattn.model.fit.ease import ease_values

lambdas = st.sampled_from((0.5, 20.0, 300.0))


def naive(X: np.ndarray, Y: np.ndarray, F: np.ndarray, lam: float) -> np.ndarray:
    """The loss of belonging.py as one least-squares problem an item: every square is a row."""
    C = X.shape[1]
    n = (X != 0).sum(axis=1)
    omega = [(n[n > 0].mean() / m) ** belonging.BUSY if m else 0.0 for m in n]
    p, phi = belonging.DROPOUT, belonging.FEATURES * lam
    penalty = [lam + p / (1 - p) * sum(o * x**2 for o, x in zip(omega, X[:, j], strict=True)) for j in range(C)]
    V = np.zeros((C, C))
    for j in range(C):
        others = [x for x in range(C) if x != j]
        rows = [np.sqrt(o) * x[others] for o, x in zip(omega, X, strict=True)]
        rows += [np.sqrt(phi) * f[others] for f in F.T]
        rows += list(np.diag(np.sqrt(penalty))[others][:, others])
        wanted = [np.sqrt(o) * y[j] for o, y in zip(omega, Y, strict=True)]
        wanted += [np.sqrt(phi) * f[j] for f in F.T] + [0.0] * len(others)
        if others:
            V[others, j] = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    return V


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, Y, F of a few users, items and features; more users than items or fewer, some users without any event."""
    U, C, d = draw(st.integers(1, 9)), draw(st.integers(1, 6)), draw(st.integers(0, 2))
    X = draw(hnp.arrays(float, (U, C), elements=st.sampled_from((0.0, 0.0, 0.5, 1.0, -1.0))))
    Y = draw(hnp.arrays(float, (U, C), elements=st.sampled_from((0.0, 1 / 3, 1.0))))
    F = draw(hnp.arrays(float, (C, d), elements=st.sampled_from((0.0, 0.6, 0.8))))
    return X, Y, F


def values(problem: tuple[np.ndarray, np.ndarray, np.ndarray], lam: float, dtype: type = np.float64) -> np.ndarray:
    X, Y, F = problem
    return belonging_values(sparse.csr_array(X), sparse.csr_array(Y), F, lam, dtype)


@given(problems(), lambdas)
def test_equals_plain_least_squares(problem: tuple[np.ndarray, np.ndarray, np.ndarray], lam: float) -> None:
    with unchanged(*problem):
        V = values(problem, lam)
    assert_within(V, naive(*problem, lam), absolute=1e-10)
    assert (V.diagonal() == 0).all()


@pytest.mark.parametrize("users", [15, 80], ids=["fewer users than items", "more"])
def test_both_ways_through_and_both_types_agree(users: int) -> None:
    rng = np.random.default_rng(0)
    X = (rng.random((users, 30)) < 0.3) * rng.choice([0.5, 1.0], (users, 30))
    problem = X, (X > 0.5).astype(float), rng.random((30, 4))
    wide = values(problem, 3.0)
    rows = belonging._stacked(sparse.csr_array(problem[0]), sparse.csr_array(problem[1]), problem[2], 3.0)
    for way in (belonging._by_rows, belonging._by_items):
        V = way(rows, 3.0, np.float64)
        np.fill_diagonal(V, 0.0)
        assert_within(V, wide, absolute=1e-12)
    narrow = values(problem, 3.0, np.float32)
    assert narrow.dtype == np.float32
    assert_within(narrow, wide, absolute=1e-5)


def test_ease_is_a_case_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belonging, "DROPOUT", 0.0)
    monkeypatch.setattr(belonging, "BUSY", 0.0)
    X = sparse.csr_array((np.random.default_rng(1).random((40, 12)) < 0.3).astype(float))
    V = belonging_values(X, X, np.zeros((12, 0)), 2.0, np.float64)
    assert_within(V, ease_values(X, 2.0, np.float64), absolute=1e-12)
    monkeypatch.undo()
    monkeypatch.setattr(belonging, "BUSY", 0.0)
    assert_within(belonging_values(X, X, np.zeros((12, 0)), 2.0, np.float64, dropout=0.0), V, absolute=0.0)


def test_features_speak_for_items_that_nobody_took_together() -> None:
    """Items 0 and 2 share a feature and no user; item 1 shares nothing with 0."""
    X = sparse.csr_array(np.array([[1.0, 0, 0, 0], [0, 0, 1.0, 1.0]]))
    F = np.array([[1.0], [0.0], [1.0], [0.0]])
    V = belonging_values(X, X, F, 1.0, np.float64)
    assert V[0, 2] > 0.01
    assert V[0, 1] == 0
    assert belonging_values(X, X, F[:, :0], 1.0, np.float64)[0, 2] == 0


def test_no_items_no_values() -> None:
    X = sparse.csr_array((3, 0))
    assert belonging_values(X, X, np.zeros((0, 2)), 1.0).shape == (0, 0)


@pytest.mark.parametrize("users", [2, 9])
def test_a_penalty_that_drowns_is_refused(users: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dropout is a penalty too: with it, no λ is too small for this."""
    X = sparse.csr_array(np.ones((users, 4)))
    assert np.isfinite(belonging_values(X, X, np.ones((4, 1)), 1e-300)).all()
    monkeypatch.setattr(belonging, "DROPOUT", 0.0)
    with pytest.raises(
        InputError, match="`regularization` must be large enough for the values to be found; got 1e-300"
    ):
        belonging_values(X, X, np.ones((4, 1)), 1e-300)
