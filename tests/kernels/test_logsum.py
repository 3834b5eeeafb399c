"""Logarithms of weights and their log-sum-exp: the obvious version, the bound, the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged, unit
from tests.strategies import Logits, betas, garbage, logits, temperatures
from xattn.kernels.logsum import log_weights, logsumexp
from xattn.kernels.softmax import weights

U = unit(np.float64)


@given(logits(), temperatures, betas)
def test_equals_the_obvious_version(case: Logits, T: float, beta: float) -> None:
    """(2Δ + 2 log n + n + 4)u each, on both sides: under 2·(240·2 + 30)·u here."""
    room = 1100 * U
    with unchanged(case.e, case.mask):
        got = log_weights(case.e, case.mask, T, beta)
    assert_within(got, naive.log_weights(case.e, case.mask, T, beta), absolute=room)
    assert_within(logsumexp(case.e, case.mask, T), naive.logsumexp(case.e, case.mask, T), absolute=room)


@given(logits(), temperatures, betas)
def test_exponentials_are_the_weights(case: Logits, T: float, beta: float) -> None:
    assert_within(
        np.exp(log_weights(case.e, case.mask, T, beta)), weights(case.e, case.mask, T, beta), 1100 * U, 1e-300
    )


@given(st.data(), temperatures)
def test_masking_is_deletion(data: st.DataObject, T: float) -> None:
    case = data.draw(logits())
    e = data.draw(garbage(case))
    g, lse = log_weights(e, case.mask, T), logsumexp(e, case.mask, T)
    assert (g[~case.mask] == -np.inf).all()
    for r in range(e.shape[0]):
        kept = case.e[r][case.mask[r]][None]
        assert_bitwise(g[r][case.mask[r]], log_weights(kept, None, T)[0])
        assert_bitwise(lse[r : r + 1], logsumexp(kept, None, T))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("e", "logs", "lse"),
    [
        ([0, -1000], [0, -1000], 0),
        ([1e16, 1e16 - 1e10], [0, -1e10], 1e16),  # m + log Σ would lose the logarithm
        ([5], [0], 5),
        ([-np.inf, 2], [-np.inf, 0], 2),
        ([-np.inf], [-np.inf], -np.inf),
        ([], [], -np.inf),
        ([np.nan, 1], [np.nan, np.nan], np.nan),
        ([np.inf, 1], [np.nan, np.nan], np.nan),
    ],
)
def test_by_hand(e: list[float], logs: list[float], lse: float, dtype: type) -> None:
    row = np.array([e], dtype=dtype)
    assert_within(log_weights(row)[0], np.array(logs), 1e-1 if dtype == np.float32 else 1e-15)
    assert_within(logsumexp(row), np.array([lse]), 1e-7)


def test_a_nearly_certain_row_keeps_its_digits() -> None:
    assert logsumexp(np.array([[0.0, -50.0]]))[0] == pytest.approx(np.exp(-50.0), rel=1e-15, abs=0.0)
    assert log_weights(np.array([[0.0, -50.0]]))[0, 0] == pytest.approx(-np.exp(-50.0), rel=1e-15, abs=0.0)
