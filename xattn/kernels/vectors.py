"""Rows in vector code: the largest number, exponentials, sums, division; and the exponential of one number.

Compiled code calls these functions; they are written with `lanes.py`, which holds the one exponential of the package.
Bits depend on the numbers and the length of a row alone.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from xattn.kernels.compile import compiled
from xattn.kernels.lanes import Lanes, emitted

__all__ = [
    "divide",
    "exp",
    "exp_of_parts",
    "exp_sum",
    "fma",
    "largest",
    "peak",
    "softmax",
    "softmax_near",
    "total",
]

NEAR = {4: 60.0, 8: 600.0}  # by bytes: exponentials of ± so much, and sums and shares of them, are normal numbers


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


def _plain_fma(x: Any, y: Any, z: Any) -> Any:
    return x * y + z


@emitted(_plain_fma)
def fma(typing_context: Any, x: Any, y: Any, z: Any) -> Any:
    """x y + z of three numbers of one type, rounded once where the machine can."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return Lanes(builder, signature.args[0], 1).fma(*args)

    return x(x, y, z), write


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


class _Row:
    """Writes the steps of a softmax over the n numbers that start at `data`."""

    def __init__(self, b: Any, x: Lanes, data: Any, n: Any) -> None:
        self.b, self.x, self.data, self.n = b, x, data, n

    def ends(self) -> tuple[Any, Any, Any]:
        """The largest number, the least, and whether there are some and all are finite."""
        b, x = self.b, self.x
        top, low, wrong = x.variable(x.const(-math.inf)), x.variable(x.const(math.inf)), x.variable(x.whole(0))

        def step(i: Any, mask: Any) -> None:
            y = x.get(self.data, i, mask)
            zero = b.bitcast(b.fmul(y, x.const(0)), x.I)  # of inf and NaN a NaN: bits that no ±0 has
            b.store(b.or_(b.load(wrong), zero), wrong)
            if mask is not None:
                above, below = b.select(mask, y, x.const(-math.inf)), b.select(mask, y, x.const(math.inf))
            else:
                above = below = y
            b.store(x.larger(b.load(top), above), top)
            b.store(x.smaller(b.load(low), below), low)

        x.over(self.n, step)
        odd = b.shl(x.fold(b.load(wrong), b.or_), x.i(1))  # without the sign
        fine = b.and_(b.icmp_unsigned("==", odd, x.i(0)), b.icmp_signed(">", self.n, self.n.type(0)))
        return x.fold(b.load(top), x.larger), x.fold(b.load(low), x.smaller), fine

    def less(self, y: Any, m: Any) -> tuple[Any, Any]:
        """y − m rounded, and what the rounding lost."""
        b = self.b
        rounded = b.fsub(y, m)
        back = b.fsub(rounded, y)  # −m, but for rounding
        return rounded, b.fsub(b.fsub(y, b.fsub(rounded, back)), b.fadd(m, back))

    def exponentials(self, out: Any, m: Any, shallow: bool = False) -> Any:
        """out ← exp(e − m); returns their sum. `shallow`: every exponential is in the normal range."""
        b, x = self.b, self.x
        top, total = x.splat(m), _Sum(b, x)

        def step(i: Any, mask: Any) -> None:
            rounded, lost = self.less(x.get(self.data, i, mask), top)
            if not shallow:
                lost = b.select(b.fcmp_ordered(">", rounded, x.const(-1e30)), lost, x.const(0))  # rounded may be −inf
            elif mask is not None:
                rounded = b.select(mask, rounded, x.const(0))
            z = x.exp(rounded, lost, sinks=not shallow)
            if mask is not None:
                z = b.select(mask, z, x.const(0))
            x.put(z, out, i, mask)
            total.add(z)

        x.over(self.n, step)
        return total.total()

    def near(self, out: Any) -> tuple[Any, Any]:
        """out ← exp(e − e₁); returns the sum, and whether every |e − e₁| is at most NEAR. If not, `out` holds anything.

        One pass that waits for no maximum: e₁ is the shift, so moving all changes no bit. Bits of |e| order as the
        numbers do, NaN and inf above all.
        """
        b, x = self.b, self.x
        sign, total = x.whole((1 << (8 * x.bytes - 1)) - 1), _Sum(b, x)
        largest, kept = x.variable(x.whole(0)), x.const(0)
        none = cgutils.alloca_once_value(b, ir.Constant(x.f, 0.0))  # a row without numbers has no first one
        first = x.splat(b.load(b.select(b.icmp_signed(">", self.n, self.n.type(0)), self.data, none)))

        def exponential(i: Any, mask: Any) -> Any:
            y, lost = self.less(x.get(self.data, i, mask), first)
            if mask is not None:
                y = b.select(mask, y, kept)
            size, before = b.and_(b.bitcast(y, x.I), sign), b.load(largest)
            b.store(b.select(b.icmp_signed(">", size, before), size, before), largest)
            z = x.exp(y, lost, sinks=False)
            if mask is not None:
                z = b.select(mask, z, kept)
            x.put(z, out, i, mask)
            return z

        x.over_pairs(
            self.n,
            lambda i, j: total.add(b.fadd(exponential(i, None), exponential(j, None))),
            lambda i, mask: total.add(exponential(i, mask)),
        )
        most = x.fold(b.load(largest), lambda p, q: b.select(b.icmp_signed(">", p, q), p, q))
        limit = struct.unpack("<i" if x.narrow else "<q", struct.pack("<f" if x.narrow else "<d", NEAR[x.bytes]))[0]
        return total.total(), b.icmp_signed("<=", most, x.i(limit))

    def divided(self, s: Any) -> None:
        """e ← e/s in place; float32 by the reciprocal of s in two parts, which is quicker and rounds as well."""
        b, x = self.b, self.x
        if x.narrow:
            inverse = b.fdiv(ir.Constant(ir.DoubleType(), 1.0), s)
            first = b.fptrunc(inverse, x.f)
            lost = x.splat(b.fptrunc(b.fsub(inverse, b.fpext(first, ir.DoubleType())), x.f))
            main = x.splat(first)

            def quotient(y: Any) -> Any:
                return x.fma(y, main, b.fmul(y, lost))
        else:
            whole = x.splat(s)

            def quotient(y: Any) -> Any:
                return b.fdiv(y, whole)

        x.over(self.n, lambda i, mask: x.put(quotient(x.get(self.data, i, mask)), self.data, i, mask))


def _plain_peak(e: np.ndarray) -> np.floating[Any]:
    top: np.floating[Any] = e.max() if len(e) and np.isfinite(e).all() else e.dtype.type(math.nan)
    return top


@emitted(_plain_peak)
def peak(typing_context: Any, e: Any) -> Any:
    """The largest of e where all are finite and there are some; else NaN."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, e.dtype)
        top, _, fine = _Row(b, x, *_array(context, b, e, args[0])).ends()
        return b.select(fine, top, ir.Constant(x.f, math.nan))

    return e.dtype(e), write


@compiled
def largest(z):  # type: ignore[no-untyped-def]
    """The largest number of z, −inf for none; NaN is passed over (it spoils the exponentials instead)."""
    m = peak(z)
    if m == m:
        return m
    m = z.dtype.type(-np.inf)
    for i in range(z.shape[0]):
        m = z[i] if z[i] > m else m
    return m


def _plain_exp_sum(a: np.ndarray, e: np.ndarray, m: Any) -> Any:
    a[:] = np.exp(e.astype(np.float64) - m)
    return a.sum(dtype=np.float64)


@emitted(_plain_exp_sum)
def exp_sum(typing_context: Any, a: Any, e: Any, m: Any) -> Any:
    """a ← exp(e − m) for finite e ≤ m; returns Σ a. What a difference loses when it is rounded counts as well."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        row = _Row(b, Lanes(b, e.dtype), *_array(context, b, e, args[1]))
        return row.exponentials(_array(context, b, a, args[0])[0], args[2])

    return types.float64(a, e, m), write


def _plain_softmax(a: np.ndarray, e: np.ndarray, low: Any, high: Any) -> bool:
    top = _plain_peak(e[low:high])
    if np.isnan(top):
        return False
    _plain_divide(a[low:high], _plain_exp_sum(a[low:high], e[low:high], top))
    return True


@emitted(_plain_softmax)
def softmax(typing_context: Any, a: Any, e: Any, low: Any, high: Any) -> Any:
    """a ← softmax(e) from `low` to `high`, if there are numbers in between and all are finite; returns whether so.

    There are no slices here: counting their references costs more than a short row.
    """

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, e.dtype)
        source, out = (b.gep(_array(context, b, t, args[k])[0], [args[2]]) for t, k in ((e, 1), (a, 0)))
        n = b.sub(args[3], args[2])
        row = _Row(b, x, source, n)
        top, least, fine = row.ends()
        with b.if_then(fine):
            depth = ir.Constant(x.f, -87.0 if x.narrow else -700.0)
            shallow = b.fcmp_ordered(">", b.fsub(least, top), depth)
            total = cgutils.alloca_once(b, ir.DoubleType())
            with b.if_else(shallow) as (here, far):
                with here:
                    b.store(row.exponentials(out, top, shallow=True), total)
                with far:
                    b.store(row.exponentials(out, top), total)
            _Row(b, x, out, n).divided(b.load(total))
        return fine

    return types.boolean(a, e, types.int64, types.int64), write


def _plain_softmax_near(a: np.ndarray, e: np.ndarray, low: Any, high: Any) -> bool:
    d = np.subtract(e[low:high], e[low : min(low + 1, high)], dtype=np.float64)
    if not (np.abs(d) <= NEAR[e.itemsize]).all():
        return False
    a[low:high] = np.exp(d)
    _plain_divide(a[low:high], a[low:high].sum(dtype=np.float64))
    return True


@emitted(_plain_softmax_near)
def softmax_near(typing_context: Any, a: Any, e: Any, low: Any, high: Any) -> Any:
    """`softmax` of numbers near each other, where no maximum is needed; False, and any a, where they are not near."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, e.dtype)
        source, out = (b.gep(_array(context, b, t, args[k])[0], [args[2]]) for t, k in ((e, 1), (a, 0)))
        n = b.sub(args[3], args[2])
        total, near = _Row(b, x, source, n).near(out)
        with b.if_then(near, likely=True):
            _Row(b, x, out, n).divided(total)
        return near

    return types.boolean(a, e, types.int64, types.int64), write


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
    """z ← z/s in place."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        _Row(b, Lanes(b, z.dtype), *_array(context, b, z, args[0])).divided(args[1])
        return context.get_dummy_value()

    return types.void(z, s), write
