"""Sparse values: with room for all they are those of the closed forms, and with less the best that fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from tests.checks import assert_within
from tests.strategies import Prefixed, prefixed
from xattn.errors import InputError
from xattn.model.fit import local_form, pair_sums
from xattn.model.fit.belonging import belonging_form
from xattn.model.fit.closed_form import fit_closed_form
from xattn.model.fit.ease import ease_values
from xattn.model.fit.local_form import fit_local_form, local_values
from xattn.model.value_table import ClosedForm, Form, SparseForm

BASE = np.array([0.3, 0.1, 0.2, 0.25, 0.15])


def whole(form: Form, H: int) -> np.ndarray:
    if isinstance(form, ClosedForm):
        return form.V
    column = np.arange(len(form.warm))
    return np.array([form.values(h, column, column).T for h in range(H)])


def table(seed: int) -> tuple[sparse.csr_array, np.ndarray]:
    """20 users of 7 items, and features of the items."""
    rng = np.random.default_rng(seed)
    return sparse.csr_array((rng.random((20, 7)) < 0.3).astype(float)), rng.normal(size=(7, 2))


@given(prefixed(), st.sampled_from((0.5, 80.0)), st.booleans(), st.booleans())
def test_with_room_for_all_values_it_is_the_closed_form(h: Prefixed, lam: float, weighed: bool, features: bool) -> None:
    """The bound of the closed form's own test."""
    warm, n = np.flatnonzero(h.row_of_item >= 0), len(h.tau) * h.C
    F = np.random.default_rng(0).normal(size=(h.C, 2)) if features else None
    worth = np.linspace(0, 1, len(h.item)) if weighed else None
    problem = (h.indptr, h.item, h.w, BASE, warm)
    options = {"tau": h.tau, "beta": h.beta, "lam": lam, "dtype": np.float64, "worth": worth, "F": F}
    form = fit_local_form(*problem, n_neighbors=max(n, 1), **options)  # type: ignore[arg-type]
    assert isinstance(form, SparseForm)
    want = fit_closed_form(*problem, **options)  # type: ignore[arg-type]
    assert_within(whole(form, len(h.tau)), want.V, absolute=1e-9)


@given(st.integers(0, 10**6), st.sampled_from((0.5, 10.0)))
def test_with_room_for_all_it_is_ease(seed: int, lam: float) -> None:
    X, _ = table(seed)
    form = local_values(X, X, np.zeros((7, 0)), np.full(7, lam), lam, 7, np.arange(7), 7, np.float64)
    assert_within(whole(form, 1)[0], ease_values(X, lam, np.float64), absolute=1e-9)


@given(st.integers(0, 10**6), st.sampled_from((0.5, 10.0)), st.booleans())
def test_with_room_for_all_it_is_what_belongs(seed: int, lam: float, features: bool) -> None:
    X, F = table(seed)
    F = F if features else F[:, :0]
    Y = sparse.csr_array(X.multiply(np.random.default_rng(seed).random((20, 7))))
    args = (X, Y, F, lam)
    few = belonging_form(*args, 7, np.arange(7), 7, np.float64)
    assert isinstance(few, SparseForm)
    assert_within(whole(few, 1), whole(belonging_form(*args, None, np.arange(7), 7, np.float64), 1), absolute=1e-9)


@given(prefixed(), st.integers(1, 4))
def test_no_target_has_more_values_than_allowed(h: Prefixed, K: int) -> None:
    warm = np.flatnonzero(h.row_of_item >= 0)
    form = fit_local_form(h.indptr, h.item, h.w, BASE, warm, tau=h.tau, beta=h.beta, lam=1.0, n_neighbors=K)
    assert form.value.dtype == np.float32
    assert (np.bincount(form.column, minlength=1) <= K).all()


def test_progress_goes_from_nothing_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_form, "TOGETHER", 3)
    X, F = table(0)
    told: list[float] = []
    local_values(X, X, F, np.ones(7), 1.0, 2, np.arange(7), 7, progress=lambda what, share: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) == 4


def test_what_cannot_be_solved_or_held_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    X = sparse.csr_array(np.ones((3, 3)))
    with pytest.raises(InputError, match="`regularization` must be large enough"):
        local_values(X, X, np.zeros((3, 0)), np.full(3, -4.0), -4.0, 3, np.arange(3), 3)
    monkeypatch.setattr(pair_sums, "pairs_of_targets", lambda *args: None)
    indptr, item = np.array([0, 3]), np.array([0, 1, 2])
    one = np.ones(1)
    problem = (indptr, item, np.ones((1, 3)), BASE[:3], np.arange(3))
    with pytest.raises(InputError, match="`min_events` must leave out more items"):
        fit_local_form(*problem, tau=one, beta=one, lam=1.0, n_neighbors=2)
