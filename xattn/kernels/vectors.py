"""Rows in vector code: the largest, exponentials, sums, division; and the exponential of one number.

Functions for compiled code, written with `lanes.py`. Bits depend on the numbers and the length of a row alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from xattn.kernels.lanes import Lanes, emitted

__all__ = ["divide", "exp", "exp_of_parts", "exp_sum", "peak", "total"]


def _plain_exp(x: Any) -> Any:
    with np.errstate(under="ignore"):
        return type(x)(np.exp(np.float64(x)))


def _plain_exp_of_parts(x: Any, rest: Any) -> Any:
    with np.errstate(under="ignore"):
        return type(x)(np.exp(np.float64(x) + np.float64(rest)))


@emitted(_plain_exp)
def exp(typing_context: Any, x: Any) -> Any:
    """exp(x) of a number x ≤ 0, for loops that Numba turns into vector code."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return Lanes(builder, signature.args[0], 1).exp(args[0])

    return x(x), write


@emitted(_plain_exp_of_parts)
def exp_of_parts(typing_context: Any, x: Any, rest: Any) -> Any:
    """exp(x + rest) for x ≤ 0 and a rest under the rounding of x: where the difference of two logits is not exact."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return Lanes(builder, signature.args[0], 1).exp(*args)

    return x(x, rest), write


def _array(context: Any, b: Any, kind: Any, value: Any) -> tuple[Any, Any]:
    """Where the numbers of an array start, and how many there are."""
    array = context.make_array(kind)(context, b, value)
    return array.data, cgutils.unpack_tuple(b, array.shape)[0]


class _Sum:
    """Writes Σ of vectors in float64: a chain for each lane, all chains folded in a tree."""

    def __init__(self, b: Any, x: Lanes) -> None:
        self.b, self.x, self.wide = b, x, Lanes(b, types.float64)
        self.chains = [x.variable(self.wide.const(0)) for _ in range(x.n // self.wide.n)]

    def add(self, y: Any) -> None:
        for k, chain in enumerate(self.chains):
            part = self.b.fpext(self.x.part(y, k * self.wide.n, self.wide.n), self.wide.F) if self.x.narrow else y
            self.b.store(self.b.fadd(self.b.load(chain), part), chain)

    def total(self) -> Any:
        joined = self.b.load(self.chains[0])
        for chain in self.chains[1:]:
            joined = self.b.fadd(joined, self.b.load(chain))
        return self.wide.fold(joined, self.b.fadd)


def _plain_peak(e: np.ndarray) -> np.floating[Any]:
    top: np.floating[Any] = e.max() if len(e) and np.isfinite(e).all() else e.dtype.type(math.nan)
    return top


@emitted(_plain_peak)
def peak(typing_context: Any, e: Any) -> Any:
    """The largest of e where all are finite and there are some; else NaN."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, e.dtype)
        data, n = _array(context, b, e, args[0])
        top = x.variable(x.const(-math.inf))
        finite = x.variable(b.fcmp_ordered("==", x.const(0), x.const(0)))

        def step(i: Any, mask: Any) -> None:
            y = x.get(data, i, mask)
            b.store(b.and_(b.load(finite), b.fcmp_ordered("<", x.abs(y), x.const(math.inf))), finite)
            if mask is not None:
                y = b.select(mask, y, x.const(-math.inf))
            b.store(x.larger(b.load(top), y), top)

        x.over(n, step)
        fine = b.and_(x.fold(b.load(finite), b.and_), b.icmp_signed(">", n, n.type(0)))
        return b.select(fine, x.fold(b.load(top), x.larger), ir.Constant(x.f, math.nan))

    return e.dtype(e), write


def _plain_exp_sum(a: np.ndarray, e: np.ndarray, m: Any) -> Any:
    a[:] = np.exp(e.astype(np.float64) - m)
    return a.sum(dtype=np.float64)


@emitted(_plain_exp_sum)
def exp_sum(typing_context: Any, a: Any, e: Any, m: Any) -> Any:
    """a ← exp(e − m) for finite e ≤ m; returns Σ a. What a difference loses when it is rounded counts as well."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, e.dtype)
        out, (data, n) = _array(context, b, a, args[0])[0], _array(context, b, e, args[1])
        top, total = x.splat(args[2]), _Sum(b, x)

        def step(i: Any, mask: Any) -> None:
            y = x.get(data, i, mask)
            near = b.fsub(y, top)
            back = b.fsub(near, y)  # −m, but for rounding
            lost = b.fsub(b.fsub(y, b.fsub(near, back)), b.fadd(top, back))
            lost = b.select(b.fcmp_ordered(">", near, x.const(-1e30)), lost, x.const(0))  # near may be −inf
            z = x.exp(near, lost)
            if mask is not None:
                z = b.select(mask, z, x.const(0))
            x.put(z, out, i, mask)
            total.add(z)

        x.over(n, step)
        return total.total()

    return types.float64(a, e, m), write


def _plain_total(z: np.ndarray) -> Any:
    return z.sum(dtype=np.float64)


@emitted(_plain_total)
def total(typing_context: Any, z: Any) -> Any:
    """Σ z in float64."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, z.dtype)
        data, n = _array(context, b, z, args[0])
        total = _Sum(b, x)
        x.over(n, lambda i, mask: total.add(x.get(data, i, mask)))
        return total.total()

    return types.float64(z), write


def _plain_divide(z: np.ndarray, s: Any) -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        z /= s


@emitted(_plain_divide)
def divide(typing_context: Any, z: Any, s: Any) -> Any:
    """z ← z/s in place; float32 by the reciprocal of s in two parts, which is quicker and rounds as well."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, z.dtype)
        data, n = _array(context, b, z, args[0])
        if x.narrow:
            inverse = b.fdiv(ir.Constant(ir.DoubleType(), 1.0), args[1])
            near = b.fptrunc(inverse, x.f)
            lost = x.splat(b.fptrunc(b.fsub(inverse, b.fpext(near, ir.DoubleType())), x.f))
            near = x.splat(near)

            def divided(y: Any) -> Any:
                return x.fma(y, near, b.fmul(y, lost))
        else:
            whole = x.splat(args[1])

            def divided(y: Any) -> Any:
                return b.fdiv(y, whole)

        x.over(n, lambda i, mask: x.put(divided(x.get(data, i, mask)), data, i, mask))
        return context.get_dummy_value()

    return types.void(z, s), write
