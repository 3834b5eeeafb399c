"""Losses against their formulas in NumPy, their gradients against differences of the losses, and both by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged, unit
from xattn.kernels import losses

TYPES = [np.float32, np.float64]
ABSENT = -np.inf


class Case(NamedTuple):
    Z: np.ndarray  # (B, M)
    p: np.ndarray  # (B,)
    c: np.ndarray  # (1 or B, M)
    y: np.ndarray  # (B,)
    w: np.ndarray  # (B,)


@st.composite
def cases(draw: st.DrawFn, dtype: type = np.float64, size: float = 6.0) -> Case:
    B, M = draw(st.integers(1, 4)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    Z, p = rng.normal(size=(B, M)) * draw(st.sampled_from((0.0, 1.0, size))), rng.normal(size=B)
    c = np.log(rng.random((draw(st.sampled_from((1, B))), M)) + 0.01)
    return Case(*(x.astype(dtype) for x in (Z, p, c)), rng.integers(0, M, B), rng.normal(size=B).astype(dtype))


# --- the formulas as they stand ---------------------------------------------------------------------------------------


def naive_cross_entropy(Z: np.ndarray, y: np.ndarray) -> np.ndarray:
    return naive.logsumexp(Z) - Z.astype(float)[np.arange(len(y)), y]


def naive_sampled(Z: np.ndarray, p: np.ndarray, c: np.ndarray) -> np.ndarray:
    Z, p, c = (x.astype(float) for x in (Z, p, c))
    return np.log(np.exp(p) + np.exp(Z - c).sum(axis=1)) - p


def naive_bpr(Z: np.ndarray, p: np.ndarray) -> np.ndarray:
    return -np.log(1 / (1 + np.exp(Z.astype(float) - p.astype(float)[:, None]))).sum(axis=1)


def naive_logistic(z: np.ndarray, t: np.ndarray) -> np.ndarray:
    likely = 1 / (1 + np.exp(-z.astype(float)))
    return -t * np.log(likely) - (1 - t) * np.log(1 - likely)


@pytest.mark.parametrize("dtype", TYPES)
@given(data=st.data())
@settings(max_examples=60)
def test_every_loss_is_its_formula(dtype: type, data: st.DataObject) -> None:
    """Room: sums of 41 exponentials and one logarithm, in the type of the logits."""
    case = data.draw(cases(dtype))
    room = 200 * unit(dtype)
    t = np.abs(np.sin(case.p))
    with unchanged(*case):
        got = (
            losses.cross_entropy(case.Z, case.y).loss,
            losses.sampled_cross_entropy(case.Z, case.p, case.c).loss,
            losses.bpr(case.Z, case.p),
            losses.logistic(case.p, t),
        )
    want = (
        naive_cross_entropy(case.Z, case.y),
        naive_sampled(case.Z, case.p, case.c),
        naive_bpr(case.Z, case.p),
        naive_logistic(case.p, t),
    )
    for mine, plain in zip(got, want, strict=True):
        assert mine.dtype == dtype
        assert_within(mine, plain, room, room)


# --- gradients --------------------------------------------------------------------------------------------------------

Loss = Callable[[np.ndarray, np.ndarray], float]  # of the negatives' (or all) logits and the positives'


def assert_gradients(loss: Loss, Z: np.ndarray, p: np.ndarray, dZ: np.ndarray, dp: np.ndarray | None) -> None:
    assert_within(dZ, naive.gradient(lambda X: loss(X, p), Z), 1e-6, 1e-8)
    if dp is not None:
        assert_within(dp, naive.gradient(lambda x: loss(Z, x), p), 1e-6, 1e-8)


@given(case=cases())
@settings(max_examples=25)
def test_gradients_are_the_slopes_of_the_losses(case: Case) -> None:
    Z, p, c, y, w = case

    dZ = losses.cross_entropy_backward(w, losses.cross_entropy(Z, y), Z, y)
    assert_gradients(lambda Z, p: float(w @ losses.cross_entropy(Z, y).loss), Z, p, dZ, None)

    dZ, dp = losses.sampled_cross_entropy_backward(w, losses.sampled_cross_entropy(Z, p, c), Z, p, c)
    assert_gradients(lambda Z, p: float(w @ losses.sampled_cross_entropy(Z, p, c).loss), Z, p, dZ, dp)

    dZ, dp = losses.bpr_backward(w, Z, p)
    assert_gradients(lambda Z, p: float(w @ losses.bpr(Z, p)), Z, p, dZ, dp)

    t = np.abs(np.sin(w))
    dz = losses.logistic_backward(w, p, t)
    assert_within(dz, naive.gradient(lambda x: float(w @ losses.logistic(x, t)), p), 1e-6, 1e-8)


@given(data=st.data())
@settings(max_examples=30)
def test_float32_gradients_are_near_those_of_float64(data: st.DataObject) -> None:
    narrow = data.draw(cases(np.float32))
    wide = Case(*(x.astype(float) if x.dtype == np.float32 else x for x in narrow))

    def gradients(case: Case) -> list[np.ndarray]:
        Z, p, c, y, w = case
        whole = losses.cross_entropy_backward(w, losses.cross_entropy(Z, y), Z, y)
        sampled = losses.sampled_cross_entropy_backward(w, losses.sampled_cross_entropy(Z, p, c), Z, p, c)
        return [whole, *sampled, *losses.bpr_backward(w, Z, p)]

    for got, want in zip(gradients(narrow), gradients(wide), strict=True):
        assert got.dtype == np.float32
        assert_within(got, want, 1e-5, 4e-6)


def test_torch_agrees() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    Z, y, w = rng.normal(size=(5, 30)) * 4, rng.integers(0, 30, 5), rng.random(5)
    z = torch.tensor(Z, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(z, torch.tensor(y), reduction="none")
    (theirs * torch.tensor(w)).sum().backward()
    ours = losses.cross_entropy(Z, y)
    assert_within(ours.loss, theirs.detach().numpy(), 1e-12)
    assert_within(losses.cross_entropy_backward(w, ours, Z, y), z.grad.numpy(), 1e-12, 1e-14)

    x, t = rng.normal(size=20) * 9, rng.random(20)
    z = torch.tensor(x, requires_grad=True)
    theirs = torch.nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(t), reduction="none")
    theirs.sum().backward()
    assert_within(losses.logistic(x, t), theirs.detach().numpy(), 1e-12, 1e-15)
    assert_within(losses.logistic_backward(np.ones(20), x, t), z.grad.numpy(), 1e-12, 1e-15)


# --- by hand, and the edges -------------------------------------------------------------------------------------------


def test_a_gradient_row_sums_to_nothing() -> None:
    """What the others gain is what the target loses."""
    Z = np.random.default_rng(1).normal(size=(3, 500)).astype(np.float32)
    y, w = np.array([0, 1, 2]), np.ones(3, np.float32)
    dZ = losses.cross_entropy_backward(w, losses.cross_entropy(Z, y), Z, y)
    np.testing.assert_allclose(dZ.sum(axis=1), 0.0, atol=1e-6)
    assert (dZ[np.arange(3), y] < 0).all()
    assert (np.delete(dZ[0], 0) > 0).all()


@pytest.mark.parametrize("dtype", TYPES)
def test_huge_logits_overflow_nothing(dtype: type) -> None:
    Z, y = np.array([[1e4, -1e4, 0.0]], dtype), np.array([1])
    assert losses.cross_entropy(Z, y).loss == [2e4]
    Z = losses.cross_entropy_backward(np.ones(1, dtype), losses.cross_entropy(Z, y), Z, y)
    assert Z.tolist() == [[1.0, -1.0, 0.0]]
    assert losses.bpr(np.array([[1e4]], dtype), np.array([-1e4], dtype)) == [2e4]
    assert losses.bpr(np.array([[-1e4]], dtype), np.array([1e4], dtype)) == [0.0]
    assert losses.logistic(np.array([1e4, -1e4, 1e4], dtype), np.array([0.0, 0.0, 1.0], dtype)).tolist() == [1e4, 0, 0]


@pytest.mark.parametrize("dtype", TYPES)
def test_what_is_absent_counts_for_nothing(dtype: type) -> None:
    p, c, w = np.zeros(1, dtype), np.zeros((1, 3), dtype), np.ones(1, dtype)
    Z = np.array([[ABSENT, 0.5, ABSENT]], dtype)
    small = np.array([[0.5]], dtype)
    whole, part = losses.cross_entropy(Z, np.array([1])), losses.cross_entropy(small, np.array([0]))
    assert_bitwise(whole.loss, part.loss)
    forward = losses.sampled_cross_entropy(Z, p, c)
    assert_bitwise(forward.loss, losses.sampled_cross_entropy(small, p, c[:, :1]).loss)
    assert_bitwise(losses.bpr(Z, p), losses.bpr(small, p))
    for dZ in (
        losses.cross_entropy_backward(w, whole, Z, np.array([1])),
        losses.sampled_cross_entropy_backward(w, forward, Z, p, c).dZ,
        losses.bpr_backward(w, Z, p).dZ,
    ):
        assert dZ[0, 0] == dZ[0, 2] == 0.0


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("place", [0, 1, 16, 38])
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_nan_and_infinity_are_seen_and_keep_to_their_row(dtype: type, place: int, odd: float) -> None:
    Z, y, w, p = np.zeros((3, 39), dtype), np.array([5, 5, 5]), np.ones(3, dtype), np.zeros(3, dtype)
    Z[1, place] = odd
    forward = losses.cross_entropy(Z, y)
    assert np.isnan(forward.loss).tolist() == [False, True, False]
    assert np.isnan(losses.cross_entropy_backward(w, forward, Z, y)).any(axis=1).tolist() == [False, True, False]
    c = np.zeros((1, 39), dtype)
    forward = losses.sampled_cross_entropy(Z, p, c)
    assert np.isnan(forward.loss).tolist() == [False, True, False]
    dp = losses.sampled_cross_entropy_backward(w, forward, Z, p, c).dp
    assert np.isnan(dp).tolist() == [False, True, False]
    assert np.isfinite(losses.bpr(Z, p)).tolist() == [True, False, True]
    if np.isnan(odd):
        assert np.isnan(losses.logistic(Z[:, place].copy(), p)).tolist() == [False, True, False]
        assert np.isnan(losses.logistic_backward(w, Z[:, place].copy(), p)).tolist() == [False, True, False]


def test_a_sample_is_an_unbiased_estimate_of_the_sum_over_all() -> None:
    """The mean of the sampled sum s·exp(m), less the positive, over many draws of uneven probability."""
    rng = np.random.default_rng(2)
    z, S = rng.normal(size=50), 40
    q = rng.random(50) + 0.1
    q /= q.sum()
    draws = rng.choice(50, (4000, S), p=q)
    forward = losses.sampled_cross_entropy(z[draws], np.full(4000, -1.0), np.log(S * q)[draws])
    sums = forward.s * np.exp(forward.m) - np.exp(-1.0)
    assert abs(sums.mean() - np.exp(z).sum()) < 5 * sums.std() / np.sqrt(4000)


def test_the_exponential_is_right_over_its_whole_range() -> None:
    """Two logits 0 and x: the second entry of the softmax, times 1 + e^x, is e^x."""
    x = np.linspace(-87.0, 0.0, 50_001).astype(np.float32)
    Z, y = np.stack([np.zeros_like(x), x], axis=1), np.zeros(len(x), np.int64)
    dZ = losses.cross_entropy_backward(np.ones(len(x), np.float32), losses.cross_entropy(Z, y), Z, y)
    want = np.exp(x.astype(float)) / (1 + np.exp(x.astype(float)))
    assert np.abs(dZ[:, 1] / want - 1).max() < 6e-7  # 3e-7 of the exponential, and two roundings
