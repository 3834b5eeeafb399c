"""Attention of many queries: the obvious version, the laws of weights and sums, what is masked, gradients, edges."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests import naive
from tests.checks import assert_bitwise, assert_within, least, unchanged, unit, weight_bound
from tests.strategies import COORDINATES, GARBAGE, ROWS, WIDTH, tables
from xattn.kernels.attention import Attention, attention, attention_backward
from xattn.kernels.logits import ALL_LIVE, NO_BIAS, attention_scores
from xattn.tensor.attend import attend

U = unit(np.float64)
FAR = 10**6
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


class Head(NamedTuple):
    """One head: q (L, d), k (n, d), v (n, w), what each query may see (L, n), what is added to its scores (L, n)."""

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    seen: np.ndarray
    bias: np.ndarray

    def run(self, scale: float = 1.0, cap: float = 0.0) -> Attention:
        """Bool and added masks are one kernel's two branches; both at once here, by −inf where one is not seen."""
        bias = np.where(self.seen, self.bias, -np.inf)[None]
        done = attention(*blocks(self), one(self), ALL_LIVE, bias, scale=scale, cap=cap, **EVERYTHING)
        return Attention(*(x[0] for x in done))

    def plain(self, scale: float = 1.0, cap: float = 0.0, live: np.ndarray = ALL_LIVE) -> Attention:
        """Without `seen` and `bias`, but for what is given here."""
        done = attention(*blocks(self), one(self), live, scale=scale, cap=cap, **EVERYTHING)
        return Attention(*(x[0] for x in done))

    @property
    def e(self) -> np.ndarray:
        return naive.attention(*self, 1.0, 0.0)[2]


EVERYTHING = {"left": FAR, "right": FAR, "want_weights": True}


def blocks(head: Head) -> tuple[np.ndarray, ...]:
    return head.q[None], head.k[None], head.v[None]


def one(head: Head, past: int = 0, length: int | None = None) -> np.ndarray:
    """`where` for a single head."""
    return np.array([[0], [0], [0], [past], [len(head.k) if length is None else length]])


@st.composite
def heads(draw: st.DrawFn, size: float = 3.0, dtype: type = np.float64, least_keys: int = 0) -> Head:
    L, n = draw(st.integers(1, ROWS)), draw(st.integers(least_keys, WIDTH))
    d, w = draw(st.integers(1, COORDINATES)), draw(st.integers(1, COORDINATES))
    seen = draw(hnp.arrays(np.bool_, (L, n)))
    bias = draw(hnp.arrays(np.float64, (L, n), elements=st.sampled_from((0.0, 0.5, -3.0, -np.inf))))
    return Head(*(draw(tables(*shape, size, dtype)) for shape in ((L, d), (n, d), (n, w))), seen, bias)


scales = st.sampled_from((0.5, 1.0, -2.0, 0.0))
caps = st.sampled_from((0.0, 0.7, 20.0))

# --- the obvious version ----------------------------------------------------------------------------------------------


@given(heads(), scales, caps)
def test_equals_the_obvious_version(head: Head, scale: float, cap: float) -> None:
    """A score of d terms is off by (d + 3)u of its size, a weight by e^that more than the bound of softmax."""
    y, a, e = naive.attention(*head, scale, cap)
    got = head.run(scale, cap)
    n, d = head.k.shape
    off = 4 * (d + 8) * U * (abs(scale) * 9 * d + 4)  # of a score
    bias = np.where(head.seen, head.bias, -np.inf)[None]
    scores = attention_scores(*blocks(head)[:2], one(head), bias=bias, scale=scale, cap=cap, left=FAR, right=FAR)
    assert_within(scores[0], e, absolute=off)
    room = 4 * weight_bound(e) + 2 * off
    assert_within(got.a, a, room, least("f8"))
    assert_within(got.y, y, absolute=(room * a).sum(axis=1)[:, None] * 9 + (2 * n + 4) * U * 3)
    live = np.isfinite(e).any(axis=1)
    assert (got.lse[~live] == -np.inf).all()
    assert_within(got.lse[live], naive.logsumexp(e[live]), 8 * U, off + 16 * U)


@given(heads(size=5.0, dtype=np.float32), scales)
def test_float32_is_the_float64_answer_within_two_ulp(head: Head, scale: float) -> None:
    """P17: scores, softmax and sums run in float64, and are rounded once."""
    got = head.run(scale)
    want = Head(*(x.astype(float) for x in head[:3]), *head[3:]).run(scale)
    for x, y in zip(got[:2], want[:2], strict=True):
        assert x.dtype == np.float32
        assert_within(x, y, 4 * unit(np.float32), 2 * least(np.float32))


def test_float32_values_that_cancel_keep_their_digits() -> None:
    """2³⁰ + 1 + … + 1 − 2³⁰: a float32 sum would keep none of the ones."""
    v = np.ones((8, 1), np.float32)
    v[0], v[-1] = 2.0**30, -(2.0**30)
    nothing = np.zeros((8, 1), np.float32)
    head = Head(nothing[:1], nothing, v, np.ones((1, 8), bool), np.zeros((1, 8)))
    assert head.plain().y.tolist() == [[0.75]]


@given(heads(), st.integers(-3, 4), st.integers(0, 3), st.integers(0, 3), st.integers(0, WIDTH))
def test_range_of_keys(head: Head, past: int, left: int, right: int, length: int) -> None:
    """Query i sees j in past + i − left … past + i + right, j < length; and `live` on top, to the bit."""
    L, n = head.seen.shape
    length = min(length, n)
    place = past + np.arange(L)[:, None] - np.arange(n)
    inside = (place <= left) & (-place <= right) & (np.arange(n) < length)
    where = one(head, past, length)
    got = attention(*blocks(head), where, head.seen[None], scale=1.0, left=left, right=right, want_weights=True)
    want = head._replace(seen=inside & head.seen, bias=np.zeros((L, n))).run()
    for x, y in zip(got, want, strict=True):
        assert_bitwise(x[0], y)
    scores = attention_scores(*blocks(head)[:2], where, head.seen[None], scale=1.0, left=left, right=right)[0]
    assert_bitwise(np.isfinite(scores), inside & head.seen)


def test_one_query_is_attend() -> None:
    """P19: with scale 1, the dot scorer; with 1/√d, the scaled one; to the rounding of another softmax."""
    rng = np.random.default_rng(0)
    head = Head(
        rng.normal(size=(1, 4)), rng.normal(size=(9, 4)), rng.normal(size=(9, 3)), *[np.zeros((1, 9), bool)] * 2
    )
    for scorer, scale in (("dot", 1.0), ("scaled_dot", 0.5)):
        want = attend(head.q[0], head.k, head.v, scorer=scorer)
        got = head.plain(scale)
        assert_within(got.a[0], want.weights, 32 * U)
        assert_within(got.y[0], want.fused, absolute=64 * U)


# --- laws -------------------------------------------------------------------------------------------------------------


@given(heads(size=30.0))
def test_weights_are_shares(head: Head) -> None:
    """P1, and the contract of an empty row: weights 0, output 0, lse −inf."""
    got = head.run()
    assert (got.a >= 0).all()
    live = head.seen & (head.bias != -np.inf)
    assert not got.a[~live].any()
    for i, n in enumerate(live.sum(axis=1)):
        assert_within(math.fsum(got.a[i]), float(n > 0), (n + 2) * U)
        assert n or (not got.y[i].any() and got.lse[i] == -np.inf)


@given(heads(), st.integers(-(2**10), 2**10))
def test_what_is_added_to_all_scores_changes_nothing(head: Head, c: int) -> None:
    """P2, where every sum is exact."""
    whole = Head(*(np.round(x) for x in head[:3]), *head[3:])
    moved = whole._replace(bias=whole.bias + c)
    assert_bitwise(moved.run().a, whole.run().a)
    assert_bitwise(moved.run().y, whole.run().y)


@given(heads(), st.randoms(use_true_random=False))
def test_order_of_keys_does_not_matter(head: Head, random: st.DataObject) -> None:
    """P3."""
    order = list(range(len(head.k)))
    random.shuffle(order)
    moved = Head(head.q, head.k[order], head.v[order], head.seen[:, order], head.bias[:, order]).run()
    n = max(len(order), 1)
    assert_within(moved.a, head.run().a[:, order], 2 * n * U)
    assert_within(moved.y, head.run().y, absolute=4 * n * U * 3)


@given(heads(least_keys=2))
def test_higher_scores_weigh_more(head: Head) -> None:
    """P4: equal keys the same to the last bit."""
    k = head.k.copy()
    k[-1] = k[0]
    a = head._replace(k=k).plain().a
    assert_bitwise(a[:, -1].copy(), a[:, 0].copy())
    scores = attention_scores(head.q[None], k[None], one(head), scale=1.0, left=FAR, right=FAR)[0]
    for i in range(len(a)):
        assert (np.diff(a[i][np.argsort(scores[i], kind="stable")]) >= 0).all()


@FLOATS
@given(data=st.data(), cap=caps)
def test_masking_is_leaving_out(dtype: type, data: st.DataObject, cap: float) -> None:
    """P5, P22, bit for bit: keys that no query sees, whatever they hold, need not be there; nor those past the end."""
    head = data.draw(heads(dtype=dtype))
    live = head.seen & (head.bias != -np.inf)
    used = live.any(axis=0)
    junk = st.sampled_from(GARBAGE)
    k, v = head.k.copy(), head.v.copy()
    k[~used] = data.draw(hnp.arrays(dtype, k[~used].shape, elements=junk))
    v[~used] = data.draw(hnp.arrays(dtype, v[~used].shape, elements=junk))
    dirty = Head(head.q, k, v, head.seen, np.where(live, head.bias, -np.inf)).run(cap=cap)
    alone = Head(head.q, k[used], v[used], head.seen[:, used], head.bias[:, used]).run(cap=cap)
    assert_bitwise(dirty.a[:, used].copy(), alone.a)
    assert not dirty.a[:, ~used].any()
    assert_bitwise(dirty.y, alone.y)
    assert_bitwise(dirty.lse, alone.lse)
    by_bool = head._replace(k=k, v=v).plain(cap=cap, live=live[None])
    assert_bitwise(by_bool.y, head._replace(seen=live, bias=np.zeros(live.shape)).run(cap=cap).y)
    assert_bitwise(
        attention(*blocks(dirty_tail(head)), one(head, length=len(head.k)), scale=1.0, cap=cap, left=FAR, right=FAR).y[
            0
        ],
        head.plain(cap=cap).y,
    )


def dirty_tail(head: Head) -> Head:
    """Two keys more, of NaN."""
    k, v = (np.concatenate([x, np.full((2, x.shape[1]), np.nan, x.dtype)]) for x in (head.k, head.v))
    return head._replace(k=k, v=v)


@given(heads(least_keys=1))
def test_scale_flattens_and_sharpens(head: Head) -> None:
    """P6: uniform for a scale of 0; the largest alone for a huge one; P7: powers of two may stand with the queries."""
    whole = head._replace(q=np.round(head.q), k=np.round(head.k))
    n = len(head.k)
    assert_within(whole.plain(0.0).a, np.full((len(head.q), n), 1 / n), 1e-12 * n)
    e = whole._replace(seen=np.ones_like(head.seen), bias=np.zeros(head.bias.shape)).e
    top = e == e.max(axis=1, keepdims=True)
    assert_within(whole.plain(1e6).a, top / top.sum(axis=1, keepdims=True), U)
    big = head._replace(q=np.where(np.abs(head.q) < 1e-290, 0.0, head.q))
    assert_bitwise(big.plain(0.25).y, big._replace(q=big.q * 0.25).plain().y)


@given(heads(size=1e3))
def test_outputs_lie_among_the_values(head: Head) -> None:
    """P8: between the least and largest live coordinate (slack (2n+4)u, n·η); P9: equal values stay; P11: y = Σ a v."""
    got = head.run()
    level = head._replace(v=np.full_like(head.v, 7.5)).run().y
    for i, live in enumerate(head.seen & (head.bias != -np.inf)):
        if live.any():
            v, n = head.v[live], int(live.sum())
            slack = (2 * n + 4) * U * np.abs(v).max() + n * least("f8")
            assert (got.y[i] >= v.min(axis=0) - slack).all()
            assert (got.y[i] <= v.max(axis=0) + slack).all()
            assert_within(level[i], np.full(level.shape[1], 7.5), (2 * n + 4) * U)
            terms = got.a[i][live][:, None] * v
            assert_within(got.y[i], terms.sum(axis=0), absolute=(n + 4) * U * np.abs(terms).sum(axis=0) + least("f8"))


@given(heads(), st.floats(-4, 4), st.floats(-4, 4))
def test_linear_in_the_values(head: Head, s: float, t: float) -> None:
    """P10."""
    v, w = head.v, np.ascontiguousarray(head.v[::-1])
    got = head._replace(v=s * v + t * w).run().y
    want = s * head.run().y + t * head._replace(v=w).run().y
    room = (2 * len(v) + 6) * U * (abs(s) + abs(t)) * np.abs(v).max(initial=0.0)
    assert_within(got, want, absolute=room + 1e-300)


@given(heads(least_keys=1))
def test_a_key_twice_is_once_with_log_2_more(head: Head) -> None:
    """P13."""
    twice = Head(head.q, *(np.concatenate([x, x[:1]]) for x in (head.k, head.v)), *[np.empty((0, 0))] * 2).plain()
    more = np.zeros(head.bias.shape)
    more[:, 0] = math.log(2)
    once = head._replace(seen=np.ones_like(head.seen), bias=more).run()
    room = 2 * (2 * 9 * head.k.shape[1] + 1 + len(head.k) + 8) * U
    assert_within(twice.a[:, 0] + twice.a[:, -1], once.a[:, 0], room, 2 * least("f8"))
    assert_within(twice.y, once.y, absolute=room * 3)


@given(heads(least_keys=2), st.data())
def test_two_blocks_are_joined_by_their_lse(head: Head, data: st.DataObject) -> None:
    """P14: y = Σ_b exp(lse_b − lse) y_b over blocks of keys b."""
    cut = data.draw(st.integers(0, len(head.k)))
    parts = [
        Head(head.q, head.k[s], head.v[s], head.seen[:, s], head.bias[:, s]).run()
        for s in (slice(0, cut), slice(cut, None))
    ]
    whole = head.run()
    for i in np.flatnonzero(whole.lse > -np.inf):
        share = [math.exp(part.lse[i] - whole.lse[i]) for part in parts]
        joined = share[0] * parts[0].y[i] + share[1] * parts[1].y[i]
        room = (len(head.k) + 8) * U * (2 + abs(whole.lse[i])) * 3
        assert_within(joined, whole.y[i], absolute=2 * room)


# --- heads and batches ------------------------------------------------------------------------------------------------


@FLOATS
def test_heads_read_the_blocks_that_are_named(dtype: type) -> None:
    """P21: each head of a batch equals the head alone, bit for bit, whichever blocks it shares; P23: inputs stay."""
    rng = np.random.default_rng(1)
    Q, K, V = (rng.normal(size=shape).astype(dtype) for shape in ((3, 4, 5), (2, 6, 5), (2, 6, 3)))
    live = rng.random((2, 4, 6)) < 0.6
    where = np.array([[0, 1, 2, 0], [0, 0, 1, 1], [1, 0, 0, 1], [0, 1, 2, -1], [6, 5, 4, 6]])
    options = {"scale": 0.4, "left": 4, "right": 2, "want_weights": True}
    with unchanged(Q, K, V, live, where):
        whole = attention(Q, K, V, where, live, **options)
    for b in range(4):
        q, kv, m = where[:3, b]
        alone = np.array([[0], [0], [0], *where[3:, b : b + 1].tolist()])
        single = attention(Q[q][None], K[kv][None], V[kv][None], alone, live[m][None], **options)
        for x, y in zip(whole, single, strict=True):
            assert_bitwise(x[b : b + 1], y)


# --- the gradient -----------------------------------------------------------------------------------------------------


@given(heads(size=1.5), st.sampled_from((0.5, -1.0)), st.sampled_from((0.0, 2.0)))
def test_gradient(head: Head, scale: float, cap: float) -> None:
    """P15: against central differences."""
    dy = np.cos(np.arange(len(head.q) * head.v.shape[1], dtype=float)).reshape(len(head.q), -1)
    a = head.run(scale, cap).a
    with unchanged(dy, a, *head):
        got = attention_backward(dy[None], a[None], *blocks(head), one(head), scale=scale, cap=cap)
    for name, g in zip("qkv", got, strict=True):

        def loss(x: np.ndarray, name: str = name) -> float:
            return float((dy * head._replace(**{name: x}).run(scale, cap).y).sum())

        assert_within(g[0], naive.gradient(loss, getattr(head, name)), 1e-7, 1e-8)


@given(heads())
def test_gradient_laws(head: Head) -> None:
    """P15: a shift of all keys along q moves all scores alike, and nothing: Σ_j dk_j = 0. P16: nothing seen, 0."""
    dy = np.ones((1, len(head.q), head.v.shape[1]))
    got = attention_backward(dy, head.run().a[None], *blocks(head), one(head), scale=1.0)
    if len(head.q) == 1:
        assert_within(got.dk[0].sum(axis=0), np.zeros(head.k.shape[1]), absolute=64 * U * 9 * head.v.shape[1] * 3)
    nothing = ~(head.seen & (head.bias != -np.inf)).any(axis=1)
    assert not got.dq[0][nothing].any()


@FLOATS
def test_gradient_of_what_was_not_read_is_0(dtype: type) -> None:
    """P16: masked keys of NaN, a row without keys, a gap of 1e4, where weights underflow."""
    q, k, v = (np.array(x, dtype)[None] for x in ([[1.0], [1.0]], [[1e4], [0.0], [np.nan]], [[1.0], [2.0], [np.nan]]))
    live, where = np.array([[[True, True, False], [False] * 3]]), np.array([[0], [0], [0], [0], [3]])
    done = attention(q, k, v, where, live, scale=1.0, **EVERYTHING)
    got = attention_backward(np.array([[[1.0], [np.nan]]], dtype), done.a, q, k, v, where, scale=1.0, cap=0.0)
    assert [x.dtype for x in got] == [dtype] * 3
    assert got.dq.ravel().tolist() == [0.0, 0.0]
    assert got.dk.ravel().tolist() == [0.0, 0.0, 0.0]
    assert got.dv.ravel().tolist() == [1.0, 0.0, 0.0]


def test_gradients_of_shared_blocks_add_up() -> None:
    rng = np.random.default_rng(2)
    Q, K, V = (rng.normal(size=shape) for shape in ((2, 3, 4), (1, 5, 4), (1, 5, 2)))
    where = np.array([[0, 1], [0, 0], [0, 0], [0, 0], [5, 5]])
    a = attention(Q, K, V, where, scale=1.0, **EVERYTHING).a
    dy = rng.normal(size=(2, 3, 2))
    both = attention_backward(dy, a, Q, K, V, where, scale=1.0)
    each = [attention_backward(dy[b : b + 1], a[b : b + 1], Q, K, V, where[:, b : b + 1], scale=1.0) for b in (0, 1)]
    for x, y, z in zip(both, *each, strict=True):
        assert_within(x, y + z, absolute=16 * U)


# --- answers known by hand, edges -------------------------------------------------------------------------------------


def test_by_hand() -> None:
    """The article's three items: scores 2, 1, 3 of q = (1, 1, 1)."""
    k, v = np.array([[1.0, 0, 1], [0, 1, 0], [1, 1, 1]]), np.array([[5.0, 10, 2], [3, 7, 1], [8, 4, 6]])
    got = Head(np.ones((1, 3)), k, v, *[np.empty((0, 0))] * 2).plain()
    assert got.a.round(5).tolist() == [[0.24473, 0.09003, 0.66524]]
    assert got.y.round(5).tolist() == [[6.81566, 5.73846, 4.57093]]
    assert got.lse.round(5).tolist() == [round(math.log(sum(map(math.exp, (1, 2, 3)))), 5)]


@FLOATS
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("cap", [0.0, 5.0])
def test_a_live_score_that_is_not_finite_makes_its_row_nan(bad: float, cap: float, dtype: type) -> None:
    """Never a finite number in silence: not under a cap, and −inf of a product is not the −inf of a mask."""
    q, k = np.array([[1.0], [0.5]], dtype), np.array([[bad], [1.0]], dtype)
    got = Head(q, k, np.ones((2, 1), dtype), *[np.empty((0, 0))] * 2).plain(cap=cap)
    assert np.isnan(got.y).all()
    assert np.isnan(got.lse).all()
    live = np.array([[[True, True], [False, True]]])
    assert np.isnan(
        Head(q, k, np.ones((2, 1), dtype), *[np.empty((0, 0))] * 2).plain(cap=cap, live=live).y[:, 0]
    ).tolist() == [
        True,
        False,
    ]


def test_nothing_there() -> None:
    """No keys, no queries, no coordinates, no heads."""
    where = np.array([[0], [0], [0], [0], [0]])
    empty = attention(np.ones((1, 2, 3)), np.ones((1, 0, 3)), np.ones((1, 0, 2)), where, scale=1.0, **EVERYTHING)
    assert (empty.y.tolist(), empty.a.shape) == ([[[0.0] * 2] * 2], (1, 2, 0))
    assert (
        attention(np.ones((1, 0, 3)), np.ones((1, 4, 3)), np.ones((1, 4, 2)), where, scale=1.0, **EVERYTHING).y.size
        == 0
    )
    flat = Head(np.ones((1, 0)), np.ones((2, 0)), np.array([[1.0], [3.0]]), *[np.empty((0, 0))] * 2).plain()
    assert flat.y.tolist() == [[2.0]]
    none = attention(np.ones((0, 2, 3)), np.ones((0, 2, 3)), np.ones((0, 2, 1)), where[:, :0], scale=1.0, **EVERYTHING)
    assert none.y.shape == (0, 2, 1)
    assert NO_BIAS.size == 0
