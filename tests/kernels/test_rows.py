"""Sums of rows against additions one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.checks import assert_within, unchanged
from xattn.kernels.sums.rows import row_sums


@pytest.mark.parametrize(("dtype", "room"), [(np.float32, 1e-5), (np.float64, 1e-13)])
@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 99))
def test_each_row_has_the_sum_of_its_own(dtype: type, room: float, rows: list[int], seed: int) -> None:
    G = np.random.default_rng(seed).normal(size=(len(rows), 3)).astype(dtype)
    which = np.array(rows, dtype=np.int64)
    with unchanged(which, G):
        found = row_sums(which, G)
    want = np.zeros((6, 3))
    for row, g in zip(rows, G, strict=True):
        want[row] += g
    assert found.rows.tolist() == sorted(set(rows))
    assert found.sums.dtype == dtype
    assert_within(found.sums, want[found.rows], room, room)


def test_nan_keeps_to_its_row() -> None:
    found = row_sums(np.array([1, 0, 1]), np.array([[1.0], [2.0], [np.nan]]))
    assert found.sums[0] == [2.0]
    assert np.isnan(found.sums[1])
