"""`attention` as people call it: which head reads what, what is masked how, the gradient, every refusal."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged, unit
from xattn import InputError
from xattn.tensor.attention import attention, attention_gradients, attention_scores, attention_with_weights

U = unit(np.float64)
NAN, INF = float("nan"), float("inf")
RNG = np.random.default_rng(0)


def table(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


def obvious(q: Any, k: Any, v: Any, seen: Any = True, bias: Any = 0.0, cap: float = 0.0) -> tuple[Any, Any]:
    """Heads one by one: grouped queries by repeating the keys, leading axes by NumPy's broadcasting."""
    if q.ndim > 2 and k.ndim > 2 and k.shape[-3] > 1:
        k, v = (np.repeat(x, max(1, q.shape[-3] // k.shape[-3]), axis=-3) for x in (k, v))
    lead, (L, n) = np.broadcast_shapes(q.shape[:-2], k.shape[:-2]), (q.shape[-2], k.shape[-2])
    q, k, v = (np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (q, k, v))
    seen, bias = (np.broadcast_to(x, (*lead, L, n)) for x in (seen, bias))
    y, a = np.zeros((*lead, L, v.shape[-1])), np.zeros((*lead, L, n))
    for at in np.ndindex(*lead):
        y[at], a[at], _ = naive.attention(q[at], k[at], v[at], seen[at], bias[at], 1 / math.sqrt(q.shape[-1]), cap)
    return y, a


def agree(got: tuple[Any, Any], want: tuple[Any, Any]) -> None:
    for x, y in zip(got, want, strict=True):
        assert_within(x, y, absolute=1e-13)


# --- heads and batches ------------------------------------------------------------------------------------------------

SHAPES = [  # leading axes of q, and of k and v
    ((), ()),
    ((3,), (3,)),
    ((2, 3), (2, 3)),
    ((2, 6), (2, 3)),  # grouped
    ((6,), (2,)),
    ((2, 6), (2, 1)),
    ((4,), ()),
    ((), (4,)),
    ((3,), (2, 3)),
    ((2, 3), (3,)),
    ((1, 4), (5, 2)),  # both
    ((2, 1), (2, 3)),
    ((0, 3), (0, 3)),
    ((2, 0), (2, 0)),
    ((1,), (0,)),
]


@pytest.mark.parametrize(("of_q", "of_k"), SHAPES)
def test_heads(of_q: tuple[int, ...], of_k: tuple[int, ...]) -> None:
    q, k, v = table(*of_q, 4, 5), table(*of_k, 6, 5), table(*of_k, 6, 3)
    with unchanged(q, k, v):
        got = attention_with_weights(q, k, v)
    agree(got, obvious(q, k, v))
    assert_bitwise(attention(q, k, v), got[0])
    assert not any(np.shares_memory(x, y) for x, y in itertools.product(got, (q, k, v)))


@pytest.mark.parametrize("lead", [(), (2,), (2, 3), (0,)])
@pytest.mark.parametrize(("L", "n", "d", "w"), [(0, 3, 2, 2), (3, 0, 2, 2), (3, 4, 0, 2), (3, 4, 2, 0), (0, 0, 0, 0)])
def test_sizes_of_nothing(lead: tuple[int, ...], L: int, n: int, d: int, w: int) -> None:
    """No keys: zeros; vectors without coordinates: all keys alike."""
    q, k, v = np.ones((*lead, L, d)), np.ones((*lead, n, d)), np.ones((*lead, n, w))
    for mask in (None, np.ones((1, n), bool), np.zeros((L, n))):
        y, a = attention_with_weights(q, k, v, mask=mask)
        assert_within(y, np.full((*lead, L, w), float(n > 0)), 4 * U)
        assert_within(a, np.full((*lead, L, n), 1 / max(n, 1)), 4 * U)
        for g, x in zip(attention_gradients(y, q, k, v, mask=mask), (q, k, v), strict=True):
            assert g.shape == x.shape


@pytest.mark.parametrize("of_mask", [(), (1,), (3,), (2, 3), (2, 1), (1, 1)])
@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("kind", [bool, np.float32, np.float64])
def test_masks(of_mask: tuple[int, ...], rows: int, kind: type) -> None:
    q, k, v = table(2, 3, 4, 5), table(2, 3, 6, 5), table(2, 3, 6, 3)
    seen = RNG.random((*of_mask, rows, 6)) < 0.7
    seen[..., 0, :2] = False
    if kind is bool:
        got, want = attention_with_weights(q, k, v, mask=seen), obvious(q, k, v, seen)
    else:
        added = np.where(seen, RNG.normal(size=seen.shape), -INF).astype(kind)
        got, want = attention_with_weights(q, k, v, mask=added), obvious(q, k, v, True, added.astype(float))
    agree(got, want)
    whole = np.broadcast_to(seen, want[1].shape)
    assert not got[1][~whole].any()


@given(
    st.booleans(),
    st.sampled_from((None, 0, 1, 3)),
    st.sampled_from((None, 0, 2)),
    st.sampled_from((0, 2, -3, (0, 2), (-4, 6))),
    st.sampled_from((None, 0, 4, 6, (6, 3))),
)
def test_causal_windows_past_and_padding(causal: bool, back: Any, ahead: Any, past: Any, lengths: Any) -> None:
    q, k, v = (np.cos(np.arange(2 * L * 3)).reshape(2, L, 3) for L in (4, 6, 6))
    first = np.broadcast_to(past, 2)[:, None, None] + np.arange(4)[:, None]
    key = np.arange(6)
    seen = key < np.broadcast_to(6 if lengths is None else lengths, 2)[:, None, None]
    seen = seen & (key <= first if causal else True)
    seen = seen & (True if back is None else key >= first - back) & (True if ahead is None else key <= first + ahead)
    options = {
        "causal": causal,
        "window": (back, ahead),
        "past": np.array(past) if isinstance(past, tuple) else past,
        "lengths": np.array(lengths) if isinstance(lengths, tuple) else lengths,
    }
    got = attention_with_weights(q, k, v, **options)
    agree(got, obvious(q, k, v, np.broadcast_to(seen, (2, 4, 6))))
    for x, y in zip(got, attention_with_weights(q, k, v, mask=np.broadcast_to(seen, (2, 4, 6))), strict=True):
        assert_bitwise(x, y)  # masking is masking, however it is said
    assert_bitwise(np.isfinite(attention_scores(q, k, **options)), np.broadcast_to(seen, (2, 4, 6)).copy())


def test_padding_is_counted_for_each_batch_not_each_head() -> None:
    q, k, v = table(2, 3, 4, 5), table(2, 3, 6, 5), table(2, 3, 6, 3)
    seen = np.arange(6) < np.array([6, 2])[:, None, None, None]
    agree(attention_with_weights(q, k, v, lengths=[6, 2]), obvious(q, k, v, seen))


def test_scale_and_softcap() -> None:
    q, k, v = table(3, 4, 5), table(3, 6, 5), table(3, 6, 2)
    agree(attention_with_weights(q, k, v, softcap=0.5), obvious(q, k, v, cap=0.5))
    assert_within(attention(q, k, v, scale=2.0), obvious(q * 2 * math.sqrt(5), k, v)[0], absolute=1e-13)
    assert_within(
        attention(q, k, v, scale=0), np.broadcast_to(v.mean(axis=1, keepdims=True), (3, 4, 2)), absolute=1e-15
    )
    e = attention_scores(q, k, scale=1.0)
    assert_within(e, q @ k.transpose(0, 2, 1), absolute=1e-14)
    assert_within(attention_scores(q, k, scale=1.0, softcap=0.5), 0.5 * np.tanh(e / 0.5), absolute=1e-14)


# --- types and layouts ------------------------------------------------------------------------------------------------


def test_float32_stays_where_all_are() -> None:
    q, k, v = (table(4, 5).astype(np.float32) for _ in range(3))
    y, a = attention_with_weights(q, k, v, mask=np.zeros((4, 4)))
    assert (y.dtype, a.dtype) == (np.float32, np.float32)
    assert attention(q, k, v.astype(float)).dtype == np.float64
    assert attention(q.astype(np.float16), k, v).dtype == np.float64
    assert attention([[1]], [[2]], [[True]]).tolist() == [[1.0]]


def test_layout_changes_no_bit() -> None:
    """P20."""
    q, k, v = table(2, 4, 6), table(2, 8, 6), table(2, 8, 3)
    want = attention(q, k, v)
    assert_bitwise(attention(*(np.asfortranarray(x) for x in (q, k, v))), want)
    assert_bitwise(attention(*(np.flip(np.flip(x).copy()) for x in (q, k, v))), want)
    assert_bitwise(attention(*(np.repeat(x, 2, axis=1)[:, ::2] for x in (q, k, v))), want)
    assert_bitwise(attention(q, np.broadcast_to(k[:1], k.shape), v), attention(q, k[[0, 0]], v))
    for x in (q, k, v):
        x.flags.writeable = False
    assert_bitwise(attention(q, k, v), want)


# --- the gradient -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("of_q", "of_k"), [((), ()), ((2, 4), (2, 2)), ((4,), ()), ((), (3,)), ((1, 2), (3, 1))])
def test_gradients(of_q: tuple[int, ...], of_k: tuple[int, ...]) -> None:
    """Against central differences, in the shapes that were given: what is shared adds up."""
    q, k, v = table(*of_q, 3, 4), table(*of_k, 5, 4), table(*of_k, 5, 2)
    options: dict[str, Any] = {
        "mask": RNG.random((3, 5)) < 0.7,
        "softcap": 2.0,
        "scale": 0.7,
        "causal": True,
        "past": 2,
    }
    dy = np.cos(np.arange(attention(q, k, v).size, dtype=float)).reshape(attention(q, k, v).shape)
    got = attention_gradients(dy, q, k, v, **options)
    for g, x in zip(got, (q, k, v), strict=True):

        def loss(changed: np.ndarray, x: np.ndarray = x) -> float:
            return float((dy * attention(*(changed if y is x else y for y in (q, k, v)), **options)).sum())

        assert g.shape == x.shape
        assert_within(g, naive.gradient(loss, x), 1e-7, 1e-8)


# --- refusals ---------------------------------------------------------------------------------------------------------

Q, K, V = np.ones((2, 3)), np.ones((4, 3)), np.ones((4, 2))
SQUARE = np.ones((3, 3))


def call(**changed: Any) -> Any:
    given_ = {"q": Q, "k": K, "v": V} | changed
    return attention(given_.pop("q"), given_.pop("k"), given_.pop("v"), **given_)


def spoilt(x: np.ndarray, bad: float) -> np.ndarray:
    x = x.copy()
    x.flat[-1] = bad
    return x


REFUSED = [
    ({"q": np.ones(3)}, "`q` must be an array of 2 dimensions or more; got 1 dimension."),
    ({"q": 1.0}, "`q` must be an array of 2 dimensions or more; got 0 dimensions."),
    ({"k": np.ones((4, 2))}, "`q` and `k` must have equally many coordinates; got q 3, k 2."),
    ({"v": np.ones((3, 2))}, "`k` and `v` must have the same length; got k 4, v 3."),
    ({"v": np.ones((2, 4, 2))}, "`v` must have leading axes that fit ().*; got (2,)."),
    ({"q": np.ones((3, 2, 3)), "k": np.ones((2, 4, 3)), "v": np.ones((2, 4, 2))}, "`q` must have leading axes"),
    ({"q": np.ones((2, 2, 3)), "k": np.ones((4, 4, 3)), "v": np.ones((4, 4, 2))}, "`q` must have leading axes"),
    ({"q": np.ones((2, 5, 2, 3)), "k": np.ones((3, 5, 4, 3)), "v": np.ones((3, 5, 4, 2))}, "leading axes"),
    ({"mask": np.ones(4, bool)}, "`mask` must be a table of .*; got shape (4,)."),
    ({"mask": np.ones((2, 1), bool)}, "got shape (2, 1)."),
    ({"mask": np.ones((4, 2), bool)}, "got shape (4, 2)."),
    ({"mask": np.ones((5, 2, 4), bool)}, "got shape (5, 2, 4)."),
    ({"mask": np.ones((2, 4), int)}, "got values of type int64."),
    ({"mask": np.ones((2, 4), np.uint8)}, "got values of type uint8."),
    ({"mask": [["a"] * 4]}, "got values of type"),
    ({"mask": [[True], [True, False]]}, "`mask` must be a table of"),
    ({"mask": np.ma.masked_array(np.ones((2, 4), bool))}, "got a masked array."),
    ({"mask": np.full((2, 4), NAN)}, "`mask` must hold finite numbers, or -inf for what is left out; got nan."),
    ({"mask": np.full((2, 4), INF)}, "`mask` must hold finite numbers, or -inf for what is left out; got inf."),
    ({"causal": 1}, "`causal` must be true or false; got 1."),
    ({"window": 3}, "`window` must be a pair (a, b); got 3."),
    ({"window": (1, -1)}, "`window` must be a whole number"),
    ({"window": (0.5, None)}, "`window` must be a whole number"),
    ({"past": 1.5}, "`past` must be a whole number from -2 to"),
    ({"past": -3}, "`past` must be a whole number from -2 to"),
    ({"lengths": 5}, "`lengths` must be a whole number from 0 to 4; got 5."),
    ({"lengths": [5]}, "`lengths` must be a whole number from 0 to 4, or a vector of 1 of them; got 5."),
    ({"lengths": [-1]}, "or a vector of 1 of them; got -1."),
    ({"lengths": [1, 1]}, "got values of type int64 and shape (2,)."),
    ({"lengths": [1.0]}, "got values of type float64 and shape (1,)."),
    ({"lengths": [[1], [1, 2]]}, "`lengths` must be a whole number"),
    ({"scale": NAN}, "`scale` must be a finite number; got nan."),
    ({"scale": "1"}, "`scale` must be a finite number; got '1'."),
    ({"softcap": 0.0}, "`softcap` must be a finite number > 0; got 0."),
    *(({"q": spoilt(Q, bad)}, f"`q` must hold finite numbers .*; got {bad}.") for bad in (NAN, INF, -INF)),
    *(({"k": spoilt(K, bad)}, f"`k` must hold finite numbers .*; got {bad}.") for bad in (NAN, INF, -INF)),
    *(({"v": spoilt(V, bad)}, f"`v` must hold finite numbers .*; got {bad}.") for bad in (NAN, INF, -INF)),
    ({"q": Q * 1e200, "k": K * 1e200}, "`q · k` must stay under 1.8e.308 in size; got more: scale the input down."),
    ({"q": Q * 1e200, "k": K * -1e200}, "`q · k` must stay under 1.8e.308"),
    ({"q": Q * 1e200, "k": K * 1e200, "softcap": 1.0}, "`q · k` must stay under 1.8e.308"),
]


@pytest.mark.parametrize(("changed", "sentence"), REFUSED, ids=lambda x: x if isinstance(x, str) else "")
def test_refusal(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence.replace("(", r"\(").replace(")", r"\)").replace("|", r"\|")):
        call(**changed)


def test_masked_places_may_hold_anything() -> None:
    mask = np.array([[True, True, True, False]])
    want = attention(Q, K[:3], V[:3])
    for bad in (NAN, INF, -INF):
        assert_bitwise(call(k=spoilt(K, bad), v=spoilt(V, bad), mask=mask), want)
        assert_bitwise(call(k=spoilt(K, bad), v=spoilt(V, bad), lengths=3), want)
        assert_bitwise(call(k=spoilt(K, bad), v=spoilt(V, bad), mask=np.where(mask, 0.0, -INF)), want)
    y, a = attention_with_weights(spoilt(Q, NAN), K, V, mask=np.array([[True] * 4, [False] * 4]))
    assert (y[1].tolist(), a[1].tolist()) == ([0.0, 0.0], [0.0] * 4)


@pytest.mark.parametrize("function", [attention_scores, lambda q, k, **_: attention_gradients(V[:2], q, k, V)])
def test_the_others_refuse_alike(function: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="`k` must hold finite numbers"):
        function(Q, spoilt(K, NAN))
    with pytest.raises(InputError, match="`q` and `k` must have equally many coordinates"):
        function(Q, np.ones((4, 2)))


def test_a_slope_fits_the_output() -> None:
    with pytest.raises(InputError, match=r"`dy` must have leading axes that fit \(2, 2\); got \(1, 2\)."):
        attention_gradients(np.ones((1, 2)), Q, K, V)
    with pytest.raises(InputError, match="`dy` must hold finite numbers only; got nan."):
        attention_gradients(np.full((2, 2), NAN), Q, K, V)
    with pytest.raises(InputError, match="`v` must hold finite numbers"):
        attention_gradients(np.ones((2, 2)), Q, K, spoilt(V, NAN))
