"""Fusion: equal to the obvious version, contributions that add up, its laws, its gradients, the edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests import naive
from tests.checks import assert_bitwise, assert_within, least, unchanged, unit
from tests.strategies import COORDINATES, GARBAGE, ROWS, WIDTH, tables
from xattn.kernels import fusion
from xattn.kernels.softmax import weights

U = unit(np.float64)
KINDS = {
    "multiply": (fusion.fuse_multiply, fusion.fuse_multiply_backward, naive.fuse_multiply),
    "add": (fusion.fuse_add, fusion.fuse_add_backward, naive.fuse_add),
}
EVERY = pytest.mark.parametrize(("forward", "backward", "obvious"), KINDS.values(), ids=KINDS)
Function = Callable[..., object]


class Histories(NamedTuple):
    """Weights that are a softmax of something, vectors, and which events are live."""

    a: np.ndarray  # (R, n)
    x: np.ndarray  # (n, d)
    mask: np.ndarray  # (R, n)


@st.composite
def histories(draw: st.DrawFn, size: float = 8.0, dtype: type = np.float64) -> Histories:
    R, n, d = draw(st.integers(1, ROWS)), draw(st.integers(0, WIDTH)), draw(st.integers(1, COORDINATES))
    mask = draw(hnp.arrays(np.bool_, (R, n)))
    return Histories(weights(draw(tables(R, n, 8.0, dtype)), mask), draw(tables(n, d, size, dtype)), mask)


@EVERY
@given(h=histories())
def test_equals_the_obvious_version(forward: Function, backward: Function, obvious: Function, h: Histories) -> None:
    with unchanged(*h):
        got = forward(*h)
    for x, want in zip(got, obvious(*h), strict=True):
        assert_within(x, want, absolute=(2 * WIDTH + 4) * U * 9)


@EVERY
@given(h=histories())
def test_contributions_add_up(forward: Function, backward: Function, obvious: Function, h: Histories) -> None:
    """P11: no remainder but that of the order of the sum; in the order of the events, none at all in float64."""
    y, c = forward(*h)
    assert not c[~h.mask].any()
    in_order = np.zeros(y.shape)
    for i in range(c.shape[1]):
        in_order += c[:, i]
    assert_bitwise(in_order, y)


@EVERY
@given(data=st.data())
def test_float32(forward: Function, backward: Function, obvious: Function, data: st.DataObject) -> None:
    h = data.draw(histories(dtype=np.float32))
    got = forward(*h)
    want = forward(h.a.astype(float), h.x.astype(float), h.mask)
    for x, exact in zip(got, want, strict=True):
        assert x.dtype == np.float32
        assert_within(x, exact, 2 * unit(np.float32), least(np.float32))


@EVERY
@given(h=histories(), data=st.data())
def test_masking_is_deletion(
    forward: Function, backward: Function, obvious: Function, h: Histories, data: st.DataObject
) -> None:
    """P5: an event that no row may see holds anything; a row equals the row of its live events alone, bit for bit."""
    seen = h.mask.any(axis=0)
    junk = data.draw(hnp.arrays(np.float64, h.x.shape, elements=st.sampled_from(GARBAGE)))
    a = np.where(h.mask, h.a, np.nan)
    y, c = forward(a, np.where(seen[:, None], h.x, junk), h.mask)
    for r in range(h.a.shape[0]):
        live = h.mask[r]
        one = forward(np.ascontiguousarray(h.a[r : r + 1, live]), h.x[live])
        assert_bitwise(y[r : r + 1], one.y)
        assert_bitwise(c[r, live], one.c[0])
    dy = np.ones(y.shape)
    da, dx = backward(dy, a, np.where(seen[:, None], h.x, junk), h.mask)
    assert not da[~h.mask].any()
    assert not dx[~seen].any()
    assert np.isfinite(da).all()
    assert np.isfinite(dx).all()


@EVERY
@given(h=histories(size=3.0))
def test_gradients(forward: Function, backward: Function, obvious: Function, h: Histories) -> None:
    dy = np.cos(np.arange(h.a.shape[0] * h.x.shape[1], dtype=float)).reshape(h.a.shape[0], -1)
    with unchanged(dy, *h):
        da, dx = backward(dy, *h)
    assert_within(da, naive.gradient(lambda a: float((dy * forward(a, h.x, h.mask).y).sum()), h.a), 1e-7, 1e-8)
    assert_within(dx, naive.gradient(lambda x: float((dy * forward(h.a, x, h.mask).y).sum()), h.x), 1e-7, 1e-8)


@EVERY
def test_nothing_to_fuse(forward: Function, backward: Function, obvious: Function) -> None:
    """An empty history, a masked one and vectors without coordinates fuse to zeros."""
    assert forward(np.ones((2, 0)), np.ones((0, 3))).y.tolist() == [[0.0] * 3] * 2
    assert forward(np.ones((1, 2)), np.ones((2, 3)), np.zeros((1, 2), bool)).y.tolist() == [[0.0] * 3]
    assert forward(np.ones((1, 2)), np.ones((2, 0))).y.shape == (1, 0)
    assert not backward(np.ones((1, 3)), np.ones((1, 2)), np.ones((2, 3)), np.zeros((1, 2), bool)).da.any()


# --- laws of the weighted sum -----------------------------------------------------------------------------------------


@given(histories(size=1e6))
def test_result_lies_among_the_vectors(h: Histories) -> None:
    """P8: between the least and largest live coordinate (slack (2n+4)u, n·η); P9: equal vectors fuse to themselves."""
    y = fusion.fuse_multiply(*h).y
    level = fusion.fuse_multiply(h.a, np.full_like(h.x, 7.5), h.mask).y
    for r in np.flatnonzero(h.mask.any(axis=1)):
        v = h.x[h.mask[r]]
        n = v.shape[0]
        slack = (2 * n + 4) * U * np.abs(v).max() + n * least(np.float64)
        assert (y[r] >= v.min(axis=0) - slack).all()
        assert (y[r] <= v.max(axis=0) + slack).all()
        assert_within(level[r], np.full(level.shape[1], 7.5), (2 * n + 4) * U)


@given(histories(), st.floats(-4, 4), st.floats(-4, 4))
def test_multiply_is_linear_in_the_vectors(h: Histories, s: float, t: float) -> None:
    """P10."""
    v, w = h.x, np.ascontiguousarray(h.x[::-1])
    got = fusion.fuse_multiply(h.a, s * v + t * w, h.mask).y
    want = s * fusion.fuse_multiply(h.a, v, h.mask).y + t * fusion.fuse_multiply(h.a, w, h.mask).y
    room = (2 * v.shape[0] + 6) * U * (abs(s) + abs(t)) * np.abs(v).max(initial=0.0) + 1e-300
    assert_within(got, want, absolute=room)


@given(histories())
def test_ragged_is_the_table(h: Histories) -> None:
    """P22, with the vectors repeated for each row; an empty row fuses to 0."""
    R, n = h.a.shape
    indptr = np.concatenate([[0], np.cumsum(h.mask.sum(axis=1))])
    a, x = h.a[h.mask], np.concatenate([h.x[h.mask[r]] for r in range(R)])
    with unchanged(a, x, indptr):
        ragged = fusion.fuse_ragged(a, indptr, x)
    table = fusion.fuse_multiply(*h)
    assert_bitwise(ragged.y, table.y)
    assert_bitwise(ragged.c, table.c[h.mask])
    everything = fusion.fuse_ragged(h.a.ravel(), np.arange(R + 1) * n, np.tile(h.x, (R, 1)), h.mask.ravel())
    assert_bitwise(everything.y, table.y)

    dy = np.cos(np.arange(R * x.shape[1], dtype=float)).reshape(R, -1)
    da, dx = fusion.fuse_ragged_backward(dy, a, indptr, x)
    one = fusion.fuse_multiply_backward(dy, *h)
    assert_bitwise(da, one.da[h.mask])
    total = np.zeros(h.x.shape)
    for r in range(R):
        total[h.mask[r]] += dx[indptr[r] : indptr[r + 1]]
    assert_within(one.dx, total, absolute=8 * U)


def test_article_by_hand() -> None:
    """Weights .2 .1 .7 on the article's items: [6.9, 5.5, 4.7], not its printed [3.2, 2.2, 5.4]."""
    items = np.array([[5.0, 10, 2], [3, 7, 1], [8, 4, 6]])
    a = np.array([[0.2, 0.1, 0.7]])
    assert_within(fusion.fuse_multiply(a, items).y[0], np.array([6.9, 5.5, 4.7]), 8 * U)
    assert_within(fusion.fuse_add(a, items).y[0], items.mean(axis=0) + 1 / 3, 8 * U)
