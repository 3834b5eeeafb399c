"""Bad inputs to kernels and to tables of events, numbered 1 to 42: each meets a clear sentence or has a value we state.

The public doors are asked, as people ask them: `attend`, `attention`, `softmax` and its kin, Interactions, `fit`.
Nothing crashes, nothing becomes NaN in silence, and no input is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from tests.checks import assert_bitwise, unchanged
from xattn import EASE, InputError, Interactions, attend, attention, log_softmax, logsumexp, softmax

NAN, INF = float("nan"), float("inf")
LEAST = 5e-324
Call = Callable[[], Any]


class Bad(NamedTuple):
    """`want`: the words of the refusal, or the value, as lists (arrays are compared with it entry by entry)."""

    number: int
    call: Call
    want: Any

    def __str__(self) -> str:
        return str(self.number)


def fused(*args: Any, **options: Any) -> Any:
    return attend(*args, **options).fused


def weights(*args: Any, **options: Any) -> Any:
    return attend(*args, **options).weights


def ones(*shape: int, of: Any = float) -> np.ndarray:
    return np.ones(shape, of)


K, V = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0], [3.0]])
NARROW = np.array([[88.72284, 88.72284]], np.float32)  # e to this power is more than the largest float32
MASK = np.array([True, False])
SOME = (
    np.array([[1.0, 2.0, 0.5], [0.5, -1.0, 2.0]]),
    np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0], [3.0, 1.0, 0.0]]),
    np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]),
)


def spoilt(x: np.ndarray, bad: float) -> np.ndarray:
    """x with its second row of `bad`."""
    x = x.copy()
    x[1] = bad
    return x


def same_bits(*others: tuple[Any, Any, Any]) -> Call:
    """Attention of the same numbers, laid out otherwise, to the bit."""

    def call() -> bool:
        want = attention(*SOME)
        for other in others:
            assert_bitwise(attention(*other), want)
        return True

    return call


def laid(change: Callable[[np.ndarray], Any]) -> tuple[Any, Any, Any]:
    return tuple(change(x) for x in SOME)  # type: ignore[return-value]


def unaligned(x: np.ndarray) -> np.ndarray:
    room = np.zeros(x.nbytes + 1, np.uint8)
    y = room[1:].view(np.float64).reshape(x.shape)
    y[...] = x
    assert not y.flags.aligned
    return y


def locked(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


def mapped(folder: Any) -> tuple[Any, Any, Any]:
    """The same numbers as files that are mapped into memory for reading."""
    paths = []
    for i, x in enumerate(SOME):
        paths.append(folder / f"{i}.bin")
        x.tofile(paths[-1])
    return tuple(  # type: ignore[return-value]
        np.memmap(path, np.float64, "r", shape=x.shape) for path, x in zip(paths, SOME, strict=True)
    )


def aliased() -> bool:
    """The same array as query, keys and values; the result is new memory, and the array is as it was."""
    x = SOME[1].copy()
    with unchanged(x):
        results = [attention(x, x, x), softmax(x), log_softmax(x, 0), logsumexp(x, 1), attend(x[0], x, x).contributions]
    return not any(np.shares_memory(result, x) for result in results)


# --- tables of events -------------------------------------------------------------------------------------------------

ITEMS = Interactions.from_frame(pd.DataFrame({"user": ["u", "u"], "item": ["a", "b"]})).items
EVENTS = {"indptr": [0, 2, 2, 3], "item": [0, 1, 0]}


def events(**changed: Any) -> Interactions:
    return Interactions("tiny", ("u", "v", "w"), ITEMS, **(EVENTS | changed))


def framed(user: Any, item: Any, **columns: Any) -> Interactions:
    return Interactions.from_frame(pd.DataFrame({"user": user, "item": item, **columns}), name="tiny")


def big(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.uint64)


CASES = [
    # 1–5: sizes, masks that leave nothing
    Bad(1, lambda: fused([1.0, 2.0], ones(0, 2), ones(0, 3)), [0.0, 0.0, 0.0]),
    Bad(1, lambda: attention(ones(2, 2), ones(0, 2), ones(0, 1)), [[0.0], [0.0]]),
    Bad(1, lambda: attention(ones(0, 2), ones(3, 2), ones(3, 1)).shape, (0, 1)),
    Bad(1, lambda: softmax(ones(0, 3), 1).shape, (0, 3)),
    Bad(2, lambda: weights([], ones(2, 0), V), [0.5, 0.5]),  # vectors without coordinates are all alike
    Bad(2, lambda: attention(ones(1, 0), ones(2, 0), V), [[2.0]]),
    Bad(2, lambda: logsumexp(ones(2, 0), 1), [-INF, -INF]),
    Bad(3, lambda: weights([], ones(0, 0), ones(0, 0)), []),
    Bad(3, lambda: attention(ones(0, 0), ones(0, 0), ones(0, 0)).shape, (0, 0)),
    Bad(3, lambda: softmax(ones(0, 0)).shape, (0, 0)),
    Bad(4, lambda: fused([5.0], [[7.0]], [[3.0, -1.0]]), [3.0, -1.0]),
    Bad(4, lambda: attention([[5.0]], [[7.0]], [[3.0, -1.0]]), [[3.0, -1.0]]),
    Bad(4, lambda: (softmax([-700.0]).tolist(), log_softmax([-700.0]).tolist()), ([1.0], [0.0])),
    Bad(5, lambda: fused([1.0, 1.0], K, V, mask=[False, False]), [0.0]),
    Bad(5, lambda: attention(K, K, V, mask=ones(1, 2, of=bool) ^ True), [[0.0], [0.0]]),
    Bad(5, lambda: attention(K, K, V, mask=np.full((1, 2), -INF)), [[0.0], [0.0]]),
    Bad(5, lambda: softmax([1.0, 2.0], mask=[False, False]), [0.0, 0.0]),
    Bad(5, lambda: logsumexp([1.0, 2.0], mask=[False, False]), -INF),
    # 6–7: masks
    *(Bad(6, lambda of=of: fused([1.0, 1.0], K, V, mask=ones(2, of=of)), "true or false values") for of in "Bifd"),
    *(Bad(6, lambda of=of: softmax([1.0, 1.0], mask=ones(2, of=of)), "true or false values") for of in "Bifd"),
    *(Bad(6, lambda of=of: attention(K, K, V, mask=ones(2, 2, of=of)), "got values of type") for of in "BbiQ"),
    Bad(6, lambda: attention(K, K, V, mask=[["yes", "no"]]), "got values of type"),
    Bad(6, lambda: attention(K * 0, K, V, mask=[[0.0, np.log(3)]]), [[2.5], [2.5]]),  # numbers are added
    Bad(7, lambda: fused([1.0, 1.0], K, V, mask=[True]), "`mask` must be a vector of 2 true or false values"),
    Bad(7, lambda: fused([1.0, 1.0], K, V, mask=[[True, True]]), "got values of type bool and shape (1, 2)"),
    Bad(7, lambda: softmax(K, mask=[True, True]), "`mask` must be an array (2, 2) of true or false values"),
    Bad(7, lambda: attention(K, K, V, mask=MASK), "got shape (2,)"),  # rows or columns?
    Bad(7, lambda: attention(K, K, V, mask=MASK[:, None]), "got shape (2, 1)"),
    Bad(7, lambda: attention(K, K, V, mask=ones(3, 2, 2, of=bool)), "got shape (3, 2, 2)"),
    # 8–9: NaN and infinities
    *(
        Bad(8, lambda bad=bad: fused([1.0, 1.0], spoilt(K, bad), V), "`keys` must hold finite")
        for bad in (NAN, INF, -INF)
    ),
    *(Bad(8, lambda bad=bad: fused([1.0, 1.0], K, spoilt(V, bad)), "`values` must hold finite") for bad in (NAN, INF)),
    *(Bad(8, lambda bad=bad: fused([1.0, bad], K, V), "`query` must hold finite") for bad in (NAN, INF, -INF)),
    *(Bad(8, lambda bad=bad: attention(K, spoilt(K, bad), V), "`k` must hold finite") for bad in (NAN, INF, -INF)),
    *(Bad(8, lambda bad=bad: attention(K, K, spoilt(V, bad)), "`v` must hold finite") for bad in (NAN, INF, -INF)),
    *(Bad(8, lambda bad=bad: attention(spoilt(K, bad), K, V), "`q` must hold finite") for bad in (NAN, INF, -INF)),
    Bad(8, lambda: softmax([NAN, 1.0]), "`x` must hold finite numbers, or -inf for what is left out; got nan."),
    *(
        Bad(9, lambda bad=bad: fused([1, 1], spoilt(K, bad), spoilt(V, bad), mask=MASK), [1.0])
        for bad in (NAN, INF, -INF)
    ),
    *(
        Bad(9, lambda bad=bad: attention(K, spoilt(K, bad), spoilt(V, bad), mask=MASK[None]), [[1.0], [1.0]])
        for bad in (NAN, INF, -INF)
    ),
    *(Bad(9, lambda bad=bad: softmax([5.0, bad], mask=MASK), [1.0, 0.0]) for bad in (NAN, INF, -INF)),
    # 10–17: the range of floating point
    Bad(10, lambda: softmax([INF, 1.0]), "`x` must hold finite numbers, or -inf for what is left out; got inf."),
    Bad(10, lambda: log_softmax([INF, 1.0]), "got inf."),
    Bad(10, lambda: attention(K, K, V, mask=[[INF, 0.0]]), "`mask` must hold finite numbers, or -inf"),
    Bad(11, lambda: softmax([-INF, -INF]), [0.0, 0.0]),
    Bad(11, lambda: log_softmax([-INF, -INF]), [-INF, -INF]),
    Bad(12, lambda: softmax([1e308, -1e308, 1e308]), [0.5, 0.0, 0.5]),
    Bad(12, lambda: log_softmax([1e308, -1e308]), [0.0, -INF]),  # −2e308, which float64 does not have
    Bad(12, lambda: logsumexp([1e308, -1e308]), 1e308),
    Bad(12, lambda: logsumexp([1e308], temperature=0.5), "`x / temperature` must stay under 1.8e+308"),
    Bad(13, lambda: softmax([1e16] * 4), [0.25] * 4),
    Bad(13, lambda: log_softmax([1e16] * 2), [-np.log(2.0)] * 2),
    Bad(13, lambda: weights([1e16], [[1.0]] * 4, [[1.0]] * 4), [0.25] * 4),
    Bad(14, lambda: softmax([-10000.0, -10000.0]), [0.5, 0.5]),
    Bad(14, lambda: logsumexp([-10000.0, -10000.0]), -10000.0 + np.log(2.0)),
    Bad(15, lambda: softmax(NARROW), [[0.5, 0.5]]),
    Bad(15, lambda: log_softmax(NARROW), np.float32([[-np.log(2.0)] * 2]).tolist()),
    Bad(16, lambda: softmax([LEAST, 0.0]), [0.5, 0.5]),
    Bad(16, lambda: fused([0.0], [[1.0], [1.0]], [[LEAST], [LEAST]]), [0.0]),  # each half of it rounds to 0
    Bad(16, lambda: weights([LEAST, 0.0], [[LEAST, 0.0], [0.0, 0.0]], V), [0.5, 0.5]),
    Bad(17, lambda: fused([1e200], [[1e200]], [[1.0]]), "`scores` must stay under 1.8e+308 in size"),
    *(
        Bad(
            17,
            lambda x=x, cap=cap: attention([[1e200]], [[x]], [[1.0]], softcap=cap),
            "`q · k` must stay under 1.8e+308",
        )
        for x in (1e200, -1e200)
        for cap in (None, 5.0)
    ),
    # 18: temperatures
    *(
        Bad(18, lambda f=f, T=T: f([1.0, 2.0], temperature=T), "`temperature` must be a finite number > 0; got")
        for f in (
            softmax,
            log_softmax,
            logsumexp,
            lambda x, temperature: attend([1], [[1]], [[1]], temperature=temperature),
        )
        for T in (0, 0.0, -1.0, NAN, INF, -INF, "1", None, True, [1.0])
    ),
    *(Bad(18, lambda T=T: softmax([10.0, 5.0, 10.0], temperature=T), [0.5, 0.0, 0.5]) for T in (1e-308, LEAST)),
    *(Bad(18, lambda T=T: weights([1.0, 1.0], K, V, temperature=T), [0.5, 0.5]) for T in (1e-308, LEAST)),
    # 19–20: lengths of vectors
    Bad(19, lambda: attend([0.0, 0.0], K, V, scorer="cosine").scores, [0.0, 0.0]),
    Bad(19, lambda: attend([1.0, 0.0], [[0.0, 0.0], [2.0, 0.0]], V, scorer="cosine").scores, [0.0, 1.0]),
    *(
        Bad(20, lambda x=x, y=y: attend([x, 0.0], [[y, 0.0], [0.0, y]], V, scorer="cosine").scores, [1.0, 0.0])
        for x in (1e200, 1e-200)
        for y in (1e200, 1e-200)
    ),
    # 21–22: sizes that do not meet
    Bad(21, lambda: fused([1.0], K, V), "must have equally many coordinates; got query 1, keys 2"),
    Bad(21, lambda: attention(ones(1, 3), K, V), "`q` and `k` must have equally many coordinates; got q 3, k 2."),
    Bad(22, lambda: fused([1.0, 1.0], K, ones(3, 1)), "must have the same length; got keys 2, values 3"),
    Bad(22, lambda: attention(K, K, ones(3, 1)), "`k` and `v` must have the same length; got k 2, v 3."),
    # 23–30: types and layouts
    Bad(
        23,
        lambda: (softmax(ones(2, of=np.float16)).dtype.name, softmax(ones(2, of=np.float16)).tolist()),
        ("float64", [0.5] * 2),
    ),
    Bad(23, lambda: fused(ones(2, of=np.float16), K.astype(np.float16), V), [2.0]),
    *(
        Bad(23, lambda f=f: f(K.astype(np.longdouble)), "real numbers; got values of type float128")
        for f in (softmax, lambda x: attend([1, 1], x, V), lambda x: attention(x, K, V), lambda x: attention(K, K, x))
        if np.dtype(np.longdouble).itemsize > 8
    ),
    Bad(24, same_bits(laid(lambda x: x.astype(">f8"))), True),
    Bad(24, lambda: softmax(np.array([0, 0], ">i2")), [0.5, 0.5]),
    *(
        Bad(25, lambda x=x, f=f: f(x), "real numbers; got values of type")
        for f in (softmax, lambda x: attention(x, K, V), lambda x: attend([1.0, 1.0], x, V))
        for x in (
            K.astype(object),
            K.astype(str),
            K.astype("M8[s]"),
            K.astype("m8[s]"),
            K.astype(complex),
            np.array([[None, 1.0]] * 2),
            [["1", "2"]] * 2,
        )
    ),
    Bad(25, lambda: softmax([True, True]), [0.5, 0.5]),  # true counts as 1
    *(
        Bad(26, lambda f=f: f(np.ma.masked_array(K, mask=K > 0)), "got a masked array")
        for f in (
            softmax,
            logsumexp,
            lambda x: attend([1, 1], x, V),
            lambda x: attend([1, 1], K, x),
            lambda x: attention(x, K, V),
            lambda x: attention(K, K, V, mask=x),
            lambda x: attend([1, 1], K, V, mask=np.ma.masked_array(MASK)),
        )
    ),
    Bad(27, same_bits(laid(np.asfortranarray), laid(locked), laid(unaligned)), True),
    Bad(
        27, same_bits(laid(lambda x: np.flip(np.flip(x).copy())), laid(lambda x: np.repeat(x, 2, axis=1)[:, ::2])), True
    ),
    Bad(27, same_bits(laid(np.asmatrix), laid(lambda x: np.broadcast_to(x, (1, *x.shape))[0])), True),
    Bad(27, lambda: attention(np.broadcast_to(1.0, (2, 3)), np.broadcast_to(0.5, (4, 3)), ones(4, 1)), [[1.0], [1.0]]),
    Bad(28, same_bits(laid(np.ndarray.tolist), laid(pd.DataFrame)), True),
    *(
        Bad(28, lambda f=f, kind=kind: f(kind(K)), "got values of type object")
        for f in (softmax, lambda x: attention(x, K, V), lambda x: attend([1, 1], x, V))
        for kind in (sparse.csr_matrix, sparse.coo_array)
    ),
    Bad(28, lambda: softmax([[1.0], [1.0, 2.0]]), "must be an array of numbers with rows of one length"),
    Bad(29, lambda: softmax(3), 1.0),
    *(Bad(29, lambda x=x: attend(x, K, V), "`query` must be a vector; got") for x in (1.0, K, K[None])),
    *(Bad(29, lambda x=x: attend([1, 1], x, V), "`keys` must be a table") for x in (1.0, K[0], K[None])),
    *(
        Bad(29, lambda x=x: attention(x, K, V), "`q` must be an array of 2 dimensions or more; got")
        for x in (1.0, K[0])
    ),
    Bad(29, lambda: attention(K[None] * 0, K, V), [[[2.0], [2.0]]]),
    Bad(30, aliased, True),
    # 31–37: offsets and positions
    Bad(31, lambda: events(item=[0, -1, 0]), "`item` must hold item row numbers from 0 to 1; got -1."),
    Bad(31, lambda: events(indptr=[0, -1, 2, 3]), "`indptr` must hold offset numbers from 0 to 3; got -1."),
    Bad(32, lambda: events(item=[0, 2, 0]), "`item` must hold item row numbers from 0 to 1; got 2."),
    Bad(32, lambda: events(item=[0, 2**40, 0]), "got 1099511627776."),
    Bad(33, lambda: events(indptr=[0, 2, 1, 3]), "`indptr` must never fall; got 2 followed by 1."),
    Bad(34, lambda: events(indptr=[1, 2, 2, 3]), "`indptr` must start at 0 and end at 3; got 1 and 3."),
    Bad(35, lambda: events(indptr=[0, 2, 2, 2]), "`indptr` must start at 0 and end at 3; got 0 and 2."),
    Bad(35, lambda: events(indptr=[0, 2, 2, 4]), "`indptr` must hold offset numbers from 0 to 3; got 4."),
    Bad(36, lambda: events(indptr=np.array([0, 2**31 - 1, 2, 3], np.int32)), "from 0 to 3; got 2147483647."),
    Bad(36, lambda: events(indptr=np.array([0, 2, 2, 3], np.int32)).indptr.dtype.name, "int64"),
    Bad(37, lambda: events(item=[1, 0, 1]).item, [1, 0, 1]),  # events are in the order of time, not of items
    Bad(37, lambda: events(item=[1, 1, 1]).counts(), [0, 3]),  # and the same item may come again
    # 38–40: what is meant by a matrix
    Bad(38, lambda: events(rating=[0.0, 5.0, 0.0]).n_events, 3),  # a rating of 0 is an event
    Bad(39, lambda: framed(["u", "u"], ["a", "a"]).counts(), [2]),  # twice the same is two events
    Bad(40, lambda: events(indptr=[0, 1, 3]), "`indptr` must hold 4 offsets for 3 parts; got 3."),
    Bad(40, lambda: EASE().fit(sparse.csr_matrix(K)), "`data` must be Interactions"),
    Bad(40, lambda: EASE().fit(K.T), "`data` must be Interactions"),
    Bad(40, lambda: Interactions.from_frame(sparse.csr_matrix(K)), "`frame` must be a pandas DataFrame of events"),
    # 41–42: ids
    Bad(
        41,
        lambda: framed(big(2**63 + 1, 2**64 - 1), ["a", "b"]).user_ids,
        ("9223372036854775809", "18446744073709551615"),
    ),
    Bad(
        41, lambda: framed(["u", "v"], big(2**63 + 1, 2**63)).items.ids, ("9223372036854775809", "9223372036854775808")
    ),
    Bad(41, lambda: events(item=big(0, 2**63, 0)), "from 0 to 1; got 9223372036854775808."),
    Bad(41, lambda: events(indptr=big(0, 2**63, 2, 3)), "from 0 to 3; got 9223372036854775808."),
    Bad(42, lambda: framed([1.5, 2.0], ["a", "b"]), "the user id must be text on one line or a whole number; got 1.5."),
    Bad(42, lambda: framed(["u", "v"], [1.5, 2.0]), "the item id must be text on one line or a whole number; got 1.5."),
    Bad(42, lambda: framed([NAN, 2.0], ["a", "b"]), "every line must name a user and an item"),
    Bad(42, lambda: framed([2.0**53, 1.0], ["a", "b"]), "got 9007199254740992.0."),
    Bad(42, lambda: framed([2.0, 1.0], ["a", "b"]).user_ids, ("2", "1")),  # whole all the same
    *(
        Bad(42, lambda x=x: events(item=[x, 0.0, 0.0]), "whole item row numbers; got values of type float64")
        for x in (1.5, NAN)
    ),
    *(
        Bad(42, lambda x=x: events(indptr=[0.0, x, 2.0, 3.0]), "whole offset numbers; got values of type float64")
        for x in (1.5, NAN)
    ),
]


def test_all_numbers_are_there() -> None:
    assert {bad.number for bad in CASES} == set(range(1, 43))


def is_refusal(want: Any) -> bool:
    return isinstance(want, str) and want != "int64"


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_bad_input(bad: Bad) -> None:
    if is_refusal(bad.want):
        with pytest.raises(InputError) as caught:
            bad.call()
        assert bad.want in str(caught.value)
        assert " must " in str(caught.value)
        assert "\n" not in str(caught.value)
    else:
        got = bad.call()
        got = got.tolist() if isinstance(got, np.ndarray) else got
        if isinstance(bad.want, (list, float)):
            np.testing.assert_allclose(got, bad.want, rtol=2e-16, atol=0)
        else:
            assert got == bad.want


def test_mapped_files(tmp_path: Any) -> None:
    """27, in files that may only be read."""
    assert same_bits(mapped(tmp_path))()


def test_bfloat16() -> None:
    """23: NumPy has no such type; that of ml_dtypes is none of its own floats."""
    kind = pytest.importorskip("ml_dtypes").bfloat16
    for call in (softmax, lambda x: attend([1, 1], x, V), lambda x: attention(x, K, V)):
        with pytest.raises(InputError, match="real numbers; got values of type bfloat16."):
            call(K.astype(kind))
