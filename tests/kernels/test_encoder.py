"""Steps of an encoder under maskings: the obvious sums, the same bits however much is known, no trace of the masked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checks import assert_bitwise, assert_within
from xattn.kernels.encoder import WIDTH, asked, attended, looked, normed_rows, silu_of


class Given(NamedTuple):
    """One history under maskings; `qkv` (n, 3d) is what all positions have without any."""

    qkv: np.ndarray
    live: np.ndarray  # (R, n)
    age: np.ndarray
    bias: np.ndarray


def given_some(n: int, heads: int, dk: int, maskings: int, seed: int) -> Given:
    rng = np.random.default_rng(seed)
    live = rng.random((maskings, n)) < 0.8
    age = n + 2 - np.sort(rng.choice(n + 3, n, replace=False))
    return Given(rng.normal(size=(n, 3 * heads * dk)), live, age, rng.normal(size=(heads, n + 3)))


def softmax(e: np.ndarray, beta: float = 1.0) -> np.ndarray:
    z = np.exp(e - e.max(initial=-np.inf))
    return np.asarray(z / z.sum() ** beta)


def written_out(own: Given, s: int) -> np.ndarray:
    """(n, d) what each position reads under masking s: 0 where there is nothing to read."""
    n, d, heads = len(own.age), own.qkv.shape[1] // 3, len(own.bias)
    q, k, v = (own.qkv[:, part * d : (part + 1) * d].reshape(n, heads, -1) for part in range(3))
    o = np.zeros((n, heads, d // heads))
    for t in range(n):
        seen = np.flatnonzero(own.live[s, : t + 1])
        for h in range(heads):
            e = k[seen, h] @ q[t, h] * (d // heads) ** -0.5 + own.bias[h, own.age[seen] - own.age[t]]
            o[t, h] = softmax(e) @ v[seen, h] if len(seen) else 0.0
    return o.reshape(n, d)


def alone(own: Given, s: int, known: int) -> np.ndarray:
    """(n − known, d) under masking s, where the first few positions are known."""
    one, none = np.full(1, known), np.zeros(1, np.int64)
    return attended(own.qkv, own.qkv[known:], one, none, own.live[[s]], own.age, own.bias)


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from([1, 5, 7, WIDTH, WIDTH + 1, 2 * WIDTH + 3]),
    st.sampled_from([1, 3]),
    st.sampled_from([2, WIDTH + 1]),
    st.integers(0, 99),
)
def test_what_is_read_is_the_sum_written_out(n: int, heads: int, dk: int, seed: int) -> None:
    own = given_some(n, heads, dk, 1, seed)
    assert_within(alone(own, 0, 0), written_out(own, 0), absolute=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 2 * WIDTH), st.data(), st.integers(0, 99))
def test_no_bit_depends_on_what_is_known_or_on_other_maskings(n: int, data: st.DataObject, seed: int) -> None:
    own = given_some(n, 2, 3, 3, seed)
    first = np.array(data.draw(st.lists(st.integers(0, n), min_size=3, max_size=3)))
    at = np.cumsum(n - first) - (n - first)
    fresh = np.concatenate([own.qkv[low:] for low in first])
    together = attended(own.qkv, fresh, first, at, own.live, own.age, own.bias)
    for s in range(3):
        assert_bitwise(together[at[s] : at[s] + n - first[s]], alone(own, s, 0)[first[s] :])


def test_what_is_masked_may_be_anything() -> None:
    own = given_some(11, 2, 3, 1, 0)
    odd = own._replace(qkv=own.qkv.copy())
    odd.qkv[~own.live[0]] = np.nan
    assert_bitwise(alone(own, 0, 0)[own.live[0]], alone(odd, 0, 0)[own.live[0]])


@pytest.mark.parametrize("beta", [1.0, 0.6])
@pytest.mark.parametrize("theta", [0.0, 0.1])
def test_a_look_is_the_sum_written_out(beta: float, theta: float) -> None:
    n, H, d, dv = 9, 2, 5, 3
    rng = np.random.default_rng(3)
    own = given_some(n, H, 1, 4, 8)
    own.live[:, 0], own.live[:, 5] = True, False
    own.live[1, 1:] = False  # only one is left, and no weight but its own
    states, q, v = rng.normal(size=(n, d)), rng.normal(size=(4, H, d)), rng.normal(size=(n, H * dv))
    first = np.array([0, 9, 4, 9])
    at = np.cumsum(n - first) - (n - first)
    fresh = np.concatenate([states[low:] for low in first])
    w = rng.normal(size=n)
    A, S = looked(states, fresh, first, at, own.live, q, v, w, own.age, own.bias, beta, theta)
    for s, live in enumerate(own.live):
        seen = np.flatnonzero(live)
        for h in range(H):
            e = states[seen] @ q[s, h] + own.bias[h, own.age[seen] - own.age[seen[-1]]]
            a = softmax(e, beta)
            a[a < theta] = 0.0
            assert_within(A[s, h, seen], a, absolute=1e-13)
            assert not A[s, h, ~live].any()
            want = (a * w[seen]) @ v[seen, h * dv : (h + 1) * dv]
            assert_within(S[s, h * dv : (h + 1) * dv], want, absolute=1e-12)
    w[5], v[5] = np.inf, np.nan  # nobody sees it
    again = looked(states, fresh, first, at, own.live, q, v, w, own.age, own.bias, beta, theta)
    assert_bitwise(again[1], S)


@pytest.mark.parametrize("beta", [1.0, 0.6])
@pytest.mark.parametrize("theta", [0.0, 0.1])
def test_what_is_asked_without_an_encoder_is_the_sum_written_out(beta: float, theta: float) -> None:
    n, H, dk, P = 9, 2, 5, 3
    rng = np.random.default_rng(3)
    live = rng.random((6, n)) < 0.7
    live[0], live[1, -P:], live[2, :-P] = False, False, False
    Q, K, bias = rng.normal(size=(H, P, dk)), rng.normal(size=(H, n, dk)), rng.normal(size=(H, n))
    A = asked(live, Q, K, bias, beta, theta)
    for s, own in enumerate(live):
        for h in range(H):
            e = K[h] @ Q[h, own[-P:]].sum(axis=0) + bias[h]
            z = np.where(own, np.exp(e - e.max()), 0.0)
            a = z / z.sum() ** beta if own.any() else z
            assert_within(A[s, h], np.where(a < theta, 0.0, a), absolute=1e-13)
    assert_bitwise(asked(live[4:5], Q, K, bias, beta, theta)[0], A[4])


def test_nothing_is_left_of_what_is_far_below_the_masked() -> None:
    """The largest logit is one that is masked, and next to it the others have no exponential."""
    one = np.ones((1, 1, 1))
    A = asked(np.array([[True, False]]), one, np.zeros((1, 2, 1)), np.array([[0.0, 1e4]]), 0.7, 0.0)
    assert not A.any()


def test_rows_are_normed_and_gated_one_by_one() -> None:
    rng = np.random.default_rng(1)
    x, g = rng.normal(size=(7, 13)), rng.normal(size=13)
    y, c = normed_rows(x, g, 1e-6)
    assert_within(c, 1 / np.sqrt((x**2).mean(axis=1) + 1e-6), relative=1e-14)
    assert_within(y, x * c[:, None] * g, relative=1e-14)
    assert_bitwise(normed_rows(x[3:4], g, 1e-6)[0][0], y[3])
    u = np.concatenate([[[-800.0, -1.0, 0.0, 2.0, 800.0]], rng.normal(size=(2, 5))])
    want = u / (1 + np.exp(-np.maximum(u, -700.0)))
    assert_within(silu_of(u), want, relative=1e-14, absolute=1e-290)
