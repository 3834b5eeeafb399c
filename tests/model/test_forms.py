"""A sparse form answers as the whole table with the same numbers, zeros where it holds none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.checks import assert_bitwise, assert_within
from xattn.errors import InputError
from xattn.kernels.approximate import Attending
from xattn.model.value_table import ClosedForm, SparseForm, form_of, rows_of

H, M = 2, 9
seeds = st.integers(0, 10**6)


def both(seed: int, dtype: type = np.float64) -> tuple[SparseForm, ClosedForm, np.random.Generator]:
    """The same values, kept both ways: up to 4 of each target, over 0 to 6 of the items."""
    rng = np.random.default_rng(seed)
    warm = np.flatnonzero(rng.random(M) < 0.7)[:6]
    C = len(warm)
    chosen = np.full((C, 4), -1, np.int32)
    values = np.zeros((C, 4))
    V = np.zeros((H, C, C), dtype)
    for j in range(C):
        own = rng.permutation(H * C)[: rng.integers(0, 5)]
        chosen[j, : len(own)] = own
        values[j, : len(own)] = rng.normal(size=len(own))
        V.reshape(H * C, C)[own, j] = values[j, : len(own)]
    return SparseForm.of_targets(warm, M, H, chosen, values, dtype), ClosedForm(warm, rows_of(warm, M), V), rng


def history(form: ClosedForm, rng: np.random.Generator, n: int = 6) -> tuple[np.ndarray, ...]:
    """Rows of n events (some have none), E of two heads, strengths, who is live."""
    row = form.row_of_item[rng.integers(0, M, n)]
    E = np.exp(-np.arange(n)[::-1] / rng.uniform(0.1, 20.0, (H, 1)))
    return row, E, rng.choice([1.0, -0.5], n), rng.random(n) < 0.8


@given(seeds)
def test_pooled_scores_are_the_same(seed: int) -> None:
    """To the bit: both add in the order of heads and events, and a zero changes no sum."""
    few, whole, rng = both(seed)
    row, *_ = history(whole, rng)
    coef = rng.normal(size=(H, len(row))) * (rng.random((H, len(row))) < 0.8)
    ptr, gate = np.array([0, 2, 2, len(row)]), rng.random(len(whole.warm))
    got, want = np.ones((3, M)), np.ones((3, M))
    few.add_pooled(got, ptr, row, coef, few.warm, gate)
    whole.add_pooled(want, ptr, row, coef, whole.warm, gate)
    assert_within(got, want, absolute=1e-14)
    alone = np.ones((1, M))
    few.add_pooled(alone, np.array([0, len(row) - 2]), row[2:], coef[:, 2:].copy(), few.warm, gate)
    assert_bitwise(alone, got[2:])


@given(seeds, st.lists(st.integers(0, M - 1), max_size=12))
def test_values_are_looked_up_the_same(seed: int, targets: list[int]) -> None:
    """Targets may repeat, and have no column."""
    few, whole, rng = both(seed, np.float32)
    row, *_ = history(whole, rng)
    column = whole.row_of_item[np.array(targets, dtype=int)]
    for h in range(H):
        assert_bitwise(few.values(h, row, column), whole.values(h, row, column))


@given(seeds, st.sampled_from((0.0, 0.35, 1.0)))
def test_approximate_scores_are_the_same(seed: int, beta: float) -> None:
    few, whole, rng = both(seed)
    row, E, w, live = history(whole, rng)
    gate = rng.random(len(whole.warm))
    got, want = np.ones((len(row), M), np.float32), np.ones((len(row), M), np.float32)
    attending = Attending(row, E, w, live, beta)
    few.add_approximate_without_each(got, attending, gate)
    whole.add_approximate_without_each(want, attending, gate)
    np.testing.assert_allclose(got, want, atol=1e-5 * max(1.0, np.abs(want).max()))


@given(seeds, st.integers(1, 6), st.sampled_from((0.0, 0.35, 1.0)))
def test_the_reach_is_the_same(seed: int, m: int, beta: float) -> None:
    """Six events, up to all of them: then nothing bounds it."""
    few, whole, rng = both(seed)
    row, E, w, live = history(whole, rng)
    attending = Attending(row, E, w, live, beta)
    got, want = few.reach(attending, m), whole.reach(attending, m)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


@given(seeds)
def test_regressions_heads_and_files_see_the_same(seed: int) -> None:
    few, whole, rng = both(seed, np.float32)
    R = rng.normal(size=(3, len(whole.warm)))
    assert_within(few.against(R), whole.against(R), absolute=1e-5)
    column = np.arange(len(whole.warm))
    for stay in ([1], [0], [1, 0]):
        some, same = few.heads(stay), whole.heads(stay)
        for h in range(len(stay)):
            assert_bitwise(some.values(h, column, column), same.values(h, column, column))
    for form in (few, whole):
        for got, want in zip(form_of(form.state(), M, H), form, strict=True):
            assert_bitwise(got, want)
            assert got.dtype == want.dtype
        assert form_of(form.state(), M, H).dtype == np.float32


@pytest.mark.parametrize(
    ("name", "array", "says"),
    [
        ("V_column", np.array([0, 9]), "from 0 to 2; got 9"),
        ("V_value", np.array([1.0]), "must have the same length"),
        ("V_value", np.array([1.0, np.nan]), "finite"),
        ("V_ptr", np.array([0, 2, 1, 2, 2, 2, 2]), "must never fall"),
        ("V_ptr", np.array([0, 2]), "must hold 7 offsets"),
        ("warm", np.array([0, 99, 2]), "from 0 to 8; got 99"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(name: str, array: np.ndarray, says: str) -> None:
    state = {
        "warm": np.array([0, 1, 2]),
        "V_ptr": np.array([0, 1, 2, 2, 2, 2, 2]),
        "V_column": np.array([0, 2], np.int32),
        "V_value": np.array([0.5, 1.0]),
    }
    form_of(state, M, H)
    with pytest.raises(InputError) as refused:
        form_of({**state, name: array}, M, H)
    assert says in str(refused.value)
