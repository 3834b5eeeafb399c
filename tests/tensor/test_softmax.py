"""Softmax, its logarithm and the log-sum-exp of any array: the kernels along any axes, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests import naive
from tests.checks import assert_bitwise, assert_within, unchanged, unit
from tests.strategies import GARBAGE, numbers
from xattn import InputError, log_softmax, logsumexp, softmax
from xattn.kernels import logsum
from xattn.kernels.softmax import weights

U = unit(np.float64)
NAN, INF = float("nan"), float("inf")
FUNCTIONS = {"softmax": softmax, "log_softmax": log_softmax, "logsumexp": logsumexp}
EVERY = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


@st.composite
def arrays(draw: st.DrawFn) -> tuple[np.ndarray, Any, np.ndarray]:
    """An array, one axis, several or None, and a mask."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=3))
    x = draw(hnp.arrays(np.float64, shape, elements=numbers(30.0)))
    axis = draw(st.none() | st.integers(-len(shape), len(shape) - 1) | hnp.valid_tuple_axes(len(shape)))
    return x, axis, draw(hnp.arrays(np.bool_, shape))


def along(function: Callable[[np.ndarray, np.ndarray], np.ndarray], x: np.ndarray, mask: np.ndarray, axis: Any) -> Any:
    """function(row, mask) → row for each line along `axis`, by loops."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(a % x.ndim for a in np.atleast_1d(axis).astype(int))
    rest = [a for a in range(x.ndim) if a not in axes]
    out = np.empty(x.shape)
    for at in np.ndindex(*(x.shape[a] for a in rest)):
        where: list[Any] = [slice(None)] * x.ndim
        for a, i in zip(rest, at, strict=True):
            where[a] = i
        row = x[tuple(where)]
        out[tuple(where)] = function(row.reshape(1, -1), mask[tuple(where)].reshape(1, -1)).reshape(row.shape)
    return out


@given(arrays(), st.sampled_from((1.0, 0.5)))
def test_any_axes(case: tuple[np.ndarray, Any, np.ndarray], T: float) -> None:
    """To the bit what the kernels give for each line; log_softmax takes what is live, as they do."""
    x, axis, mask = case
    with unchanged(x, mask):
        got = {name: f(x, axis, mask=mask, temperature=T) for name, f in FUNCTIONS.items()}
        kept = logsumexp(x, axis, mask=mask, temperature=T, keepdims=True)
    assert_bitwise(got["softmax"], along(lambda e, m: weights(e, m, T), x, mask, axis))
    assert_bitwise(got["log_softmax"], along(lambda e, m: logsum.log_weights(e, m, T), x, mask, axis))
    assert kept.shape == x.sum(axis=axis, keepdims=True).shape
    assert_bitwise(got["logsumexp"].reshape(kept.shape), kept)
    lse = along(lambda e, m: np.broadcast_to(logsum.logsumexp(e, m, T)[:, None], e.shape), x, mask, axis)
    assert_bitwise(np.broadcast_to(kept, x.shape).copy(), lse)


@given(arrays())
def test_obvious_version(case: tuple[np.ndarray, Any, np.ndarray]) -> None:
    """P1 along any axes, and the logarithm is that of the share."""
    x, axis, mask = case
    a = softmax(x, axis, mask=mask)
    assert_within(a, along(naive.weights, x, mask, axis), 1e-13, 1e-300)
    some = np.broadcast_to(mask.any(axis=axis, keepdims=True), x.shape)
    total = np.broadcast_to(a.sum(axis=axis, keepdims=True), x.shape)
    assert_within(total, some.astype(float), (2 * x.size + 2) * U)
    assert_within(np.exp(log_softmax(x, axis, mask=mask)), a, 1e-12, 1e-300)


@EVERY
@given(case=arrays(), data=st.data())
def test_masked_places_may_hold_anything(
    function: Callable[..., Any], case: tuple[np.ndarray, Any, np.ndarray], data: st.DataObject
) -> None:
    """P5, to the bit; and −inf is a mask."""
    x, axis, mask = case
    junk = data.draw(hnp.arrays(np.float64, x.shape, elements=st.sampled_from(GARBAGE)))
    want = function(x, axis, mask=mask)
    assert_bitwise(function(np.where(mask, x, junk), axis, mask=mask), want)
    assert_bitwise(function(np.where(mask, x, -INF), axis), want)


@EVERY
def test_layouts_and_types(function: Callable[..., Any]) -> None:
    """P20, P23: order and strides change no bit, nothing is shared; float32 stays, all else becomes float64."""
    x = np.random.default_rng(0).normal(size=(4, 5, 6))
    want = function(x, 1)
    for same in (np.asfortranarray(x), np.repeat(x, 2, axis=2)[..., ::2], np.flip(np.flip(x).copy()), x[...]):
        assert_bitwise(function(same, 1), want)
        assert not np.shares_memory(function(same, 1), same)
    assert function(x.astype(np.float32)).dtype == np.float32
    for other in (np.float16, np.int64, np.bool_, ">f8", ">f4"):
        assert function((x > 0).astype(other)).dtype == np.float64
    assert_bitwise(function(x.astype(">f8"), 1), want)
    assert_bitwise(function(x.tolist(), 1), want)
    assert want.flags.c_contiguous


def test_single_numbers_and_nothing() -> None:
    assert (softmax(5).tolist(), log_softmax(5.0).tolist(), logsumexp(5).tolist()) == (1.0, 0.0, 5.0)
    assert logsumexp(5, keepdims=True).shape == ()
    assert softmax([]).shape == (0,)
    assert logsumexp([]).tolist() == -INF
    assert logsumexp(np.ones((2, 0)), axis=1).tolist() == [-INF, -INF]
    assert softmax([-INF, -INF]).tolist() == [0.0, 0.0]
    assert log_softmax([-INF, -INF]).tolist() == [-INF, -INF]
    assert softmax([[1.0, 2.0]], axis=()).tolist() == [[1.0, 1.0]]


REFUSED: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    (([NAN, 1.0],), {}, "`x` must hold finite numbers, or -inf for what is left out; got nan."),
    (([INF, 1.0],), {}, "`x` must hold finite numbers, or -inf for what is left out; got inf."),
    ((["a"],), {}, "`x` must be an array of real numbers; got values of type <U1."),
    (([1j],), {}, "`x` must be an array of real numbers; got values of type complex128."),
    (([[1.0], [1.0, 2.0]],), {}, "`x` must be an array of numbers with rows of one length"),
    ((np.ma.masked_array([1.0, 2.0]),), {}, "`x` must be an array of plain numbers; got a masked array"),
    (([1.0], 1), {}, "`axis` must be a whole number from -1 to 0; got 1."),
    (([1.0], 0.0), {}, "`axis` must be a whole number from -1 to 0; got 0.0."),
    (([1.0], "0"), {}, "`axis` must be a whole number"),
    (([[1.0]], (0, -2)), {}, "`axis` must name each axis once; got (0, -2)."),
    ((1.0, 0), {}, "`axis` must be None for a single number; got 0."),
    (([1.0, 2.0],), {"mask": [True]}, "`mask` must be an array (2,) of true or false values; got .* shape (1,)."),
    (([1.0, 2.0],), {"mask": [1, 0]}, "`mask` must be an array (2,) of true or false values; got values of type int64"),
    (([1.0],), {"temperature": 0.0}, "`temperature` must be a finite number > 0; got 0."),
    (([1.0],), {"temperature": NAN}, "`temperature` must be a finite number > 0; got nan."),
]


@EVERY
@pytest.mark.parametrize(("args", "options", "sentence"), REFUSED)
def test_refusal(function: Callable[..., Any], args: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        function(*args, **options)


def test_keepdims_is_no_number() -> None:
    with pytest.raises(InputError, match="`keepdims` must be true or false; got 1."):
        logsumexp([1.0], keepdims=1)
