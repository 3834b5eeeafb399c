"""Causal attention over ragged sequences: the sum written out, gradients by finite differences and by autograd."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checks import assert_bitwise, assert_within
from xattn.kernels.sequence import causal_attention, causal_attention_backward

H, DK, D = 2, 3, 5


def bounds(lengths: list[int]) -> tuple[np.ndarray, np.ndarray]:
    ends = np.cumsum(lengths)
    return np.repeat(ends - lengths, lengths), np.repeat(ends, lengths)


def inputs(N: int, L: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=size) for size in ((H, N, DK), (H, N, DK), (H, N, D), (H, L)))


def written_out(start, Q, K, V, r, scale, beta, keep=None):  # type: ignore[no-untyped-def]
    """The equations, one position at a time."""
    N, L = len(start), r.shape[1]
    out, weights = np.zeros((N, D)), np.zeros((N, H, L))
    for t in range(N):
        seen = range(max(start[t], t - L + 1), t + 1)
        for h in range(H):
            e = np.array([Q[h, t] @ K[h, i] * scale + r[h, t - i] for i in seen])
            E = np.exp(e - e.max())
            for i, a in zip(seen, E / E.sum() ** beta, strict=True):
                weights[t, h, L - 1 - (t - i)] = a
                out[t] += a * V[h, i] * (1 if keep is None else keep[t, h, L - 1 - (t - i)])
    return out, weights


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(1, 14), min_size=1, max_size=4),
    st.integers(1, 9),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.integers(0, 99),
    st.booleans(),
)
def test_forward_is_the_sum_written_out(lengths: list[int], L: int, beta: float, seed: int, dropped: bool) -> None:
    start, _ = bounds(lengths)
    Q, K, V, r = inputs(len(start), L, seed)
    keep = np.random.default_rng(seed).integers(0, 2, (len(start), H, L)) * 2.0 if dropped else None
    got = causal_attention(Q, K, V, r, start, scale=0.7, beta=beta, keep=keep)
    out, weights = written_out(start, Q, K, V, r, 0.7, beta, keep)
    assert_within(got.O, out, 1e-12, 1e-12)
    assert_within(got.A, weights, 1e-12, 1e-13)


@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("beta", [0.3, 1.0])
def test_backward_is_the_slope_of_forward(beta: float, dropped: bool) -> None:
    start, stop = bounds([1, 9, 6])
    L = 4
    arrays = inputs(len(start), L)
    rng = np.random.default_rng(5)
    dO = rng.normal(size=(len(start), D))
    keep = rng.integers(0, 2, (len(start), H, L)) * 2.0 if dropped else None
    how = {"scale": 0.7, "beta": beta, "keep": keep}
    forward = causal_attention(*arrays, start, **how)
    got = causal_attention_backward(dO, forward, *arrays[:3], start, stop, **how)
    step = 1e-5
    for x, dx in zip(arrays, (got.dQ, got.dK, got.dV, got.dr), strict=True):
        slope = np.empty_like(x)
        for place in np.ndindex(*x.shape):
            was = x[place]
            ends = []
            for moved in (was + step, was - step):
                x[place] = moved
                ends.append((causal_attention(*arrays, start, **how).O * dO).sum())
            x[place] = was
            slope[place] = (ends[0] - ends[1]) / (2 * step)
        assert_within(dx, slope, 1e-7, 1e-8)  # float64, central differences: about 5e-10 (docs/model.md)


@pytest.mark.parametrize("beta", [0.7, 1.0])
def test_gradients_are_those_of_autograd(beta: float) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: its autograd is the second opinion")
    start, stop = bounds([5, 8])
    L, N = 4, len(start)
    arrays = inputs(N, L, 3)
    dO = np.random.default_rng(1).normal(size=(N, D))
    Q, K, V, r = (torch.tensor(x, requires_grad=True) for x in arrays)
    t = torch.arange(N)
    age = t[:, None] - t[None, :]
    seen = (age >= 0) & (age < L) & (torch.tensor(start)[:, None] == torch.tensor(start)[None, :])
    e = torch.einsum("htf,hif->hti", Q, K) * 0.7 + r[:, age.clamp(0, L - 1)]
    e = e.masked_fill(~seen, -np.inf)
    E = torch.exp(e - e.max(dim=-1, keepdim=True).values)
    O = torch.einsum("hti,hid->td", E / E.sum(-1, keepdim=True) ** beta, V)
    O.backward(torch.tensor(dO))
    forward = causal_attention(*arrays, start, scale=0.7, beta=beta)
    got = causal_attention_backward(dO, forward, *arrays[:3], start, stop, scale=0.7, beta=beta)
    assert_within(forward.O, O.detach().numpy(), 1e-12, 1e-13)
    for x, dx in zip((Q, K, V, r), got, strict=True):
        assert_within(dx, x.grad.numpy(), 1e-11, 1e-12)


def test_sequences_do_not_see_each_other_nor_the_future() -> None:
    start, _ = bounds([6, 7])
    Q, K, V, r = inputs(13, 20)
    whole = causal_attention(Q, K, V, r, start, scale=0.7, beta=0.5)
    alone = causal_attention(Q[:, :4].copy(), K[:, :4].copy(), V[:, :4].copy(), r, start[:4], scale=0.7, beta=0.5)
    assert_bitwise(whole.O[:4], alone.O)
    K[:, :6], V[:, :6] = np.nan, np.nan
    assert_bitwise(causal_attention(Q, K, V, r, start, scale=0.7, beta=0.5).O[6:], whole.O[6:])


def test_float32_is_near_float64() -> None:
    start, stop = bounds([30, 11])
    arrays = inputs(41, 16)
    dO = np.random.default_rng(1).normal(size=(41, D))
    results = []
    for dtype in (np.float32, np.float64):
        cast = [x.astype(dtype) for x in arrays]
        forward = causal_attention(*cast, start, scale=0.7, beta=0.7)
        back = causal_attention_backward(dO.astype(dtype), forward, *cast[:3], start, stop, scale=0.7, beta=0.7)
        assert {x.dtype for x in (*forward, *back)} == {np.dtype(dtype)}
        results.append((forward.O, *back))
    for single, double in zip(*results, strict=True):
        assert_within(single, double, 1e-3, 2e-5)
