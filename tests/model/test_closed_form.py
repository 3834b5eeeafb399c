"""The closed form: the value table of the least loss, as plain least squares over the stacked prefixes finds it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged
from tests.strategies import Prefixed, prefixed
from xattn.errors import InputError
from xattn.model.fit import closed_form
from xattn.model.fit.closed_form import fit_closed_form, warm_items

BASE = np.array([0.3, 0.1, 0.2, 0.25, 0.15])
lambdas = st.sampled_from((0.5, 2.0, 80.0))


def fit(h: Prefixed, lam: float, dtype: type = np.float64, **options: object) -> closed_form.ClosedForm:
    warm = np.flatnonzero(h.row_of_item >= 0)
    return fit_closed_form(
        h.indptr, h.item, h.w, BASE, warm, tau=h.tau, beta=h.beta, lam=lam, dtype=dtype, **options
    )  # fmt: skip


def stacked(h: Prefixed) -> tuple[naive.Prefixes, np.ndarray]:
    """The prefixes, and the base of the items that have rows."""
    return naive.prefixes(h.indptr, h.row, h.C, h.w, h.tau, h.beta), BASE[h.row_of_item >= 0]


def flat(form: closed_form.ClosedForm) -> np.ndarray:
    H, C, _ = form.V.shape
    return form.V.reshape(H * C, C)


# --- the obvious version ----------------------------------------------------------------------------------------------


@given(prefixed(), lambdas)
def test_equals_plain_least_squares(h: Prefixed, lam: float) -> None:
    """‖A‖ ≤ 28 prefixes × (3 heads × 8 events)² < 2e4 at λ ≥ ½: condition 4e4, so 1e-11 of the largest of B."""
    with unchanged(h.indptr, h.item, h.w, BASE, h.tau, h.beta):
        form = fit(h, lam)
    p, b = stacked(h)
    assert form.warm.tolist() == np.flatnonzero(h.row_of_item >= 0).tolist()
    assert_bitwise(form.row_of_item, h.row_of_item)
    assert form.V.shape == (h.tau.size, h.C, h.C)
    assert_within(flat(form), naive.ridge(p, b, lam), absolute=1e-9)


@given(prefixed(), lambdas)
def test_equals_the_solution_of_the_normal_equations(h: Prefixed, lam: float) -> None:
    """(ZᵀZ + λI) V = Zᵀ(Y − b): solved by LU instead of Cholesky, and the residual itself."""
    form = fit(h, lam)
    p, b = stacked(h)
    left = p.Z.T @ p.Z + lam * np.eye(p.Z.shape[1])
    right = p.Z.T @ (p.targets(h.C) - b)
    assert_within(flat(form), np.linalg.solve(left, right) if left.size else right, absolute=1e-9)
    size = np.abs(left) @ np.abs(flat(form)) + np.abs(p.Z).T @ (p.targets(h.C) + b)
    assert_within(left @ flat(form), right, absolute=1e-12 * size + 1e-300)


@given(prefixed(), lambdas, st.integers(0, 99))
def test_no_other_table_has_a_smaller_loss(h: Prefixed, lam: float, seed: int) -> None:
    """Straight from the sentence on top of closed_form.py, without normal equations: steps in any direction go up."""
    V = flat(fit(h, lam))
    p, b = stacked(h)
    least = naive.ridge_loss(p, V, b, lam)
    step = np.random.default_rng(seed).normal(size=V.shape)
    for size in (1e-2, -1e-2, 1.0):
        assert naive.ridge_loss(p, V + size * step, b, lam) >= least + 0.9 * lam * size**2 * (step**2).sum()


@given(prefixed(), lambdas, st.integers(0, 99))
def test_features_are_prefixes_that_do_not_ask_for_their_own(h: Prefixed, lam: float, seed: int) -> None:
    """One more row of Z a head and feature, with the feature in the head's block; φFFᵀ less its diagonal in ZᵀY."""
    F = np.random.default_rng(seed).random((h.C, 2))
    form = fit(h, lam, F=F)
    p, b = stacked(h)
    H = h.tau.size
    rows = np.array([np.kron(np.eye(H)[g], f) for g in range(H) for f in F.T]).reshape(2 * H, H * h.C)
    wanted = np.tile(F @ F.T - np.diag((F**2).sum(axis=1)), (H, 1))
    left = p.Z.T @ p.Z + rows.T @ rows + lam * np.eye(H * h.C)
    right = p.Z.T @ (p.targets(h.C) - b) + wanted
    assert_within(flat(form), np.linalg.solve(left, right), absolute=1e-9)


# --- what must always hold --------------------------------------------------------------------------------------------


@given(prefixed(), lambdas)
def test_float32_is_near_float64(h: Prefixed, lam: float) -> None:
    """The residual bound, relative to V: 1e-3 of B over λ."""
    narrow, wide = fit(h, lam, np.float32), fit(h, lam)
    assert narrow.V.dtype == np.float32
    p, b = stacked(h)
    right = np.abs(p.Z.T @ (p.targets(h.C) - b)).max(initial=0.0)
    assert_within(narrow.V, wide.V, absolute=closed_form.RESIDUAL * right / lam)


@given(prefixed(), st.sampled_from((np.float32, np.float64)))
def test_more_regularisation_makes_values_smaller(h: Prefixed, dtype: type) -> None:
    """λ‖V‖² falls with λ, down to nothing: V ≈ B/λ for an endless λ."""
    norms = [np.linalg.norm(fit(h, lam, dtype).V.astype(float)) for lam in (0.5, 2.0, 80.0, 1e9)]
    assert (np.diff(norms) <= 1e-6 * norms[0]).all()
    p, b = stacked(h)
    far = p.Z.T @ (p.targets(h.C) - b) / 1e9
    assert_within(flat(fit(h, 1e9, dtype)), far, absolute=1e-4 * np.abs(far).max(initial=0.0) + 1e-20)


@given(prefixed(), lambdas)
def test_twice_the_evidence_is_half_the_regularisation(h: Prefixed, lam: float) -> None:
    """Everybody twice, and λ doubled: the same values."""
    n = h.item.size
    twice = h._replace(
        indptr=np.concatenate([h.indptr, h.indptr[1:] + n]), item=np.tile(h.item, 2), w=np.tile(h.w, (1, 2))
    )
    assert_within(fit(twice, 2 * lam).V, fit(h, lam).V, absolute=1e-10)


@given(prefixed(), lambdas)
def test_order_of_the_users_does_not_matter(h: Prefixed, lam: float) -> None:
    runs = [range(start, stop) for start, stop in pairwise(h.indptr)][::-1]
    order = np.array([e for run in runs for e in run], dtype=int)
    moved = h._replace(indptr=np.cumsum([0, *map(len, runs)]), item=h.item[order], w=h.w[:, order].copy())
    assert_within(fit(moved, lam).V, fit(h, lam).V, absolute=1e-10)


def test_values_explain_what_the_base_does_not() -> None:
    """After 0 comes 1, always. One prefix a user, z = 1 at item 0, y − b = (−b₀, 1 − b₁, …): V₀ = n(y − b)/(n + λ)."""
    n = 8
    h = of([[0, 1]] * n, items=5)
    V = flat(fit(h, 2.0))
    want = n / (n + 2.0) * (np.eye(5)[1] - BASE)
    assert_within(V[0], want, 1e-14)
    assert not V[1:].any()


# --- numbers that are too small, nothing to fit -----------------------------------------------------------------------


def of(users: list[list[int]], items: int, tau: float = 3.0, heads: int = 1) -> Prefixed:
    """Heads of one scale, β = 0, strengths 1; every item has its row."""
    item = np.array([i for user in users for i in user], dtype=np.int64)
    ends = np.cumsum([0, *map(len, users)])
    return Prefixed(
        ends, item, np.arange(items), items, np.ones((heads, item.size)), np.full(heads, tau), np.zeros(heads)
    )


@pytest.mark.parametrize("lam", [1e-12, 1e-6, 1e-3])
def test_small_regularisation_is_not_drowned_in_float32(lam: float) -> None:
    """Two heads of one scale: A is singular, only λ tells the heads apart. In float32 alone a λ of 1e-6 is lost."""
    h = of([[0, 1, 2, 0, 1]] * 40, items=5, tau=1e6, heads=2)
    narrow, wide = fit(h, lam, np.float32).V, fit(h, lam).V
    assert narrow.dtype == np.float32
    room = 1e-3 if lam > 1e-9 else 0.1  # at 1e-12 float64 itself has 4 digits left, at best
    assert_within(narrow, wide, absolute=room * np.abs(wide).max())
    assert_within(wide[0], wide[1], absolute=room * np.abs(wide).max())  # the least norm shares alike


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_regularisation_that_drowns_in_float64_meets_one_sentence(dtype: type) -> None:
    h = of([[0, 1, 0, 1]] * 2, items=5, tau=1e6, heads=2)
    with pytest.raises(InputError, match="`regularization` must be large enough .*; got 1e-300.") as caught:
        fit(h, 1e-300, dtype)
    assert "\n" not in str(caught.value)


def test_float64_takes_over_where_float32_misses_the_residual(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(20, 12)).astype(np.float32)
    A = np.triu(Z.T @ Z)
    B = rng.normal(size=(12, 9)).astype(np.float32)
    whole = A.astype(float) + np.triu(A, 1).T.astype(float)
    exact = np.linalg.solve(whole + 0.5 * np.eye(12), B.astype(float))
    plain = closed_form._solve(A.copy(), B, 0.5)
    monkeypatch.setattr(closed_form, "RESIDUAL", -1.0)
    careful = closed_form._solve(A.copy(), B, 0.5)
    assert plain.dtype == careful.dtype == np.float32
    assert_within(plain, exact, absolute=1e-4 * np.abs(exact).max())
    assert_within(careful, exact, absolute=1e-6 * np.abs(exact).max())  # A + λ was rounded once, to float32
    assert np.abs(careful - exact).max() <= np.abs(plain - exact).max()


def test_a_float32_factorisation_that_fails_is_done_again_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """As LAPACK does for A = v vᵀ + 1e-6 I with 40 unknowns: a pivot comes out negative. (Others may be luckier.)"""
    solve = closed_form._cholesky_solve

    def without_float32(A: np.ndarray, B: np.ndarray) -> np.ndarray:
        if A.dtype == np.float32:
            A[:] = np.nan  # the failed factor is left in place
            raise np.linalg.LinAlgError("2-th leading minor of the array is not positive definite")
        return solve(A, B)

    monkeypatch.setattr(closed_form, "_cholesky_solve", without_float32)
    A = np.triu(np.full((3, 3), 2.0, np.float32))
    V = closed_form._solve(A, np.eye(3, dtype=np.float32), 1.0)
    assert V.dtype == np.float32
    assert_within(V, np.linalg.inv(np.full((3, 3), 2.0) + np.eye(3)), absolute=1e-6)


def test_product_with_a_symmetric_matrix_reads_its_upper_triangle() -> None:
    rng = np.random.default_rng(0)
    S = rng.normal(size=(6, 6)).astype(np.float32)
    x = rng.normal(size=(6, 3)).astype(np.float32)
    upper = np.triu(S)
    whole = upper + np.triu(S, 1).T
    upper[3:, 0] = np.nan  # never read
    assert_within(closed_form._symmetric_product(upper, x), whole @ x, absolute=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_to_fit(dtype: type) -> None:
    """No warm item, no event, or nobody with two: an empty table, or one of zeros."""
    for users in ([], [[]], [[0], [1]]):
        form = fit(of(users, items=5), 1.0, dtype)
        assert (form.V.shape, form.V.dtype) == ((1, 5, 5), dtype)
        assert not form.V.any()
    none = of([[0, 1]], items=5)._replace(row_of_item=np.full(5, -1), C=0)
    assert fit(none, 1.0, dtype).V.shape == (1, 0, 0)


def test_progress_is_told_and_never_goes_back() -> None:
    told: list[tuple[str, float]] = []
    fit(of([[0, 1, 2]], items=5), 1.0, progress=lambda what, share: told.append((what, share)))
    assert [what for what, _ in told] == ["accumulate", "accumulate", "solve", "solve"]
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


# --- warm items -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "least", "most", "want"),
    [
        ([5, 1, 3, 3], 3, 9, [0, 2, 3]),
        ([5, 1, 3, 3], 0, 9, [0, 1, 2, 3]),
        ([2, 9, 5, 7], 1, 2, [1, 3]),  # the most frequent, in item order
        ([3, 3, 3], 1, 2, [0, 1]),  # a tie: the first
        ([3, 3], 4, 9, []),
        ([], 1, 9, []),
        ([7], 1, 0, []),
    ],
)
def test_warm_items_by_hand(counts: list[int], least: int, most: int, want: list[int]) -> None:
    assert warm_items(np.array(counts, dtype=int), least, most).tolist() == want
