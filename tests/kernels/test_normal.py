"""Normal equations of sparse tables against products of whole tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from tests.checks import assert_within, unchanged
from xattn.kernels.sums.normal import normal_table


@given(st.integers(0, 12), st.integers(1, 7), st.floats(0, 1), st.integers(0, 999))
def test_it_is_the_product_of_the_whole_table(S: int, d: int, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = np.where(rng.random((S, d)) < share, rng.normal(size=(S, d)), 0.0)
    columns = np.flatnonzero(rng.random(d) < 0.7)
    P = sparse.csr_array(whole)
    with unchanged(P.data, P.indices, columns):
        found = normal_table(P, columns)
    assert_within(found, (whole.T @ whole)[np.ix_(columns, columns)], absolute=1e-12)
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_indices_of_either_width_will_do(index: type) -> None:
    P = sparse.csr_array(np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 4.0]]))
    P.indptr, P.indices = P.indptr.astype(index), P.indices.astype(index)
    assert normal_table(P, np.array([1, 2])).tolist() == [[13.0, 12.0], [12.0, 16.0]]
