"""Catalogue scores from pooled histories: equal to the obvious sum, one user or many, narrow tables or wide."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged, unit
from tests.strategies import numbers
from xattn.kernels.pool import STRIPE, add_pooled, add_pooled_sparse, pool_scores, sparse_values

U = unit(np.float64)


class Pooled(NamedTuple):
    ptr: np.ndarray
    row: np.ndarray
    coef: np.ndarray
    V: np.ndarray


@st.composite
def pooled(draw: st.DrawFn, dtype: type = np.float64) -> Pooled:
    """Up to 3 users, empty ones too; events with and without rows; 1–3 heads over 0–4 items."""
    C, H = draw(st.integers(0, 4)), draw(st.integers(1, 3))
    users = draw(st.lists(st.lists(st.integers(-1, C - 1), max_size=6), max_size=3))
    row = np.array([r for user in users for r in user], dtype=np.int64)
    coef = draw(hnp.arrays(np.float64, (H, row.size), elements=numbers(4.0)))
    V = draw(hnp.arrays(dtype, (H, C, C), elements=numbers(4.0, dtype)))
    return Pooled(np.cumsum([0, *map(len, users)]), row, coef, V)


def room(case: Pooled) -> np.ndarray:
    """(H n + 2)u Σ|coef||V|, both sides."""
    size = naive.pool_scores(case.ptr, case.row, np.abs(case.coef), np.abs(case.V))
    return 2 * (case.coef.size + 2) * U * size + 1e-300


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_equals_the_obvious_version(dtype: type, data: st.DataObject) -> None:
    case = data.draw(pooled(dtype))
    with unchanged(*case):
        got = pool_scores(*case)
    assert got.dtype == np.float64
    assert_within(got, naive.pool_scores(*case), absolute=room(case))


@given(pooled(np.float32))
def test_float32_values_are_summed_in_float64(case: Pooled) -> None:
    """To the bit: only the storage of V is narrower."""
    assert_bitwise(pool_scores(*case), pool_scores(*case[:3], case.V.astype(np.float64)))


@given(pooled())
def test_batch_is_a_loop(case: Pooled) -> None:
    """P21: a user scored alone gets the same bits."""
    ptr, row, coef, V = case
    everyone = pool_scores(*case)
    for u in range(ptr.size - 1):
        own = slice(ptr[u], ptr[u + 1])
        alone = pool_scores(np.array([0, own.stop - own.start]), row[own], coef[:, own].copy(), V)
        assert_bitwise(alone, everyone[u : u + 1])


def test_wide_tables_are_cut_into_stripes_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several stripes, the last one short, at 1 and 2 threads: as column by column; enough work for the pool."""
    rng = np.random.default_rng(0)
    C = 2 * STRIPE + 3
    ptr, row, coef = np.array([0, 30, 30, 50]), rng.integers(-1, 6, 50), rng.normal(size=(2, 50))
    V = rng.normal(size=(2, 6, C)).astype(np.float32)
    want = naive.pool_scores(ptr, row, coef, V)
    size = naive.pool_scores(ptr, row, np.abs(coef), np.abs(V))
    results = []
    for threads in ("1", "2"):
        monkeypatch.setenv("XATTN_NUM_THREADS", threads)
        results.append(pool_scores(ptr, row, coef, V))
    assert_within(results[0], want, absolute=2 * 102 * U * size)
    assert_bitwise(results[1], results[0])
    for j in (0, STRIPE - 1, STRIPE, 2 * STRIPE, C - 1):
        assert_bitwise(pool_scores(ptr, row, coef, V[:, :, j : j + 1].copy()), results[0][:, j : j + 1].copy())


def test_adding_to_some_columns_of_what_is_there() -> None:
    rng = np.random.default_rng(1)
    ptr, row, coef, V = np.array([0, 4, 4]), rng.integers(-1, 3, 4), rng.normal(size=(2, 4)), rng.normal(size=(2, 3, 5))
    column, gate, there = np.array([6, 0, 3, 1, 4]), rng.normal(size=5), rng.normal(size=(2, 8))
    got = there.copy()
    add_pooled(got, ptr, row, coef, V, column, gate)
    want = there.copy()
    want[:, column] += gate * pool_scores(ptr, row, coef, V)
    assert_bitwise(got, want)


def test_a_table_stored_by_rows_gives_the_same() -> None:
    """Zeros are not stored; a planted fault: heads read in the wrong order."""
    rng = np.random.default_rng(2)
    ptr, row, coef = np.array([0, 3, 3, 7]), rng.integers(-1, 4, 7), rng.normal(size=(2, 7))
    V = rng.normal(size=(2, 4, 5)) * (rng.random((2, 4, 5)) < 0.5)
    place, gate, there = np.array([6, 0, 3, 1, 4]), rng.normal(size=5), rng.normal(size=(3, 8))
    want = there.copy()
    add_pooled(want, ptr, row, coef, V, place, gate)
    for table, same in ((V, True), (V[::-1], False)):
        rows = table.reshape(8, 5)
        starts = np.concatenate([[0], np.cumsum((rows != 0).sum(axis=1))])
        got = there.copy()
        add_pooled_sparse(got, ptr, row, coef, starts, np.nonzero(rows)[1], rows[rows != 0], place, gate)
        assert np.allclose(got, want, rtol=0, atol=1e-13) == same


def test_columns_of_a_table_stored_by_rows() -> None:
    """Any columns, in any order, of any rows; a column that is not asked for is nowhere."""
    rng = np.random.default_rng(3)
    table = rng.normal(size=(6, 9)) * (rng.random((6, 9)) < 0.5)
    starts = np.concatenate([[0], np.cumsum((table != 0).sum(axis=1))])
    row, place = np.array([5, -1, 0, 5, 2]), rng.permutation(9) - 4
    got = sparse_values(row, starts, np.nonzero(table)[1], table[table != 0], place, 5)
    want = np.where(row[None, :] >= 0, table[row][:, np.argsort(place)[4:]].T, 0.0)
    np.testing.assert_array_equal(got, want)


def test_events_that_say_nothing_are_not_read() -> None:
    """No row, or coefficient 0 (masked, under the threshold): their values may be anything. NaN elsewhere is seen."""
    V = np.array([[[1.0, 2.0], [np.nan, np.inf]]])
    ptr, row = np.array([0, 3]), np.array([-1, 0, 1])
    assert pool_scores(ptr, row, np.array([[5.0, 3.0, 0.0]]), V).tolist() == [[3.0, 6.0]]
    assert np.isnan(pool_scores(ptr, row, np.array([[5.0, np.nan, 0.0]]), V)).all()
    assert np.isnan(pool_scores(ptr, row, np.array([[5.0, 3.0, 1.0]]), V)[0, 0])


def test_nobody_and_nothing() -> None:
    V = np.ones((1, 2, 2))
    assert pool_scores(np.zeros(1, np.int64), np.empty(0, np.int64), np.empty((1, 0)), V).shape == (0, 2)
    assert pool_scores(np.array([0, 0]), np.empty(0, np.int64), np.empty((1, 0)), V).tolist() == [[0.0, 0.0]]
    assert pool_scores(np.array([0, 1]), np.array([-1]), np.ones((1, 1)), np.ones((1, 0, 0))).shape == (1, 0)
