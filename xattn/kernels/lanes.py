"""Loops over arrays as LLVM vector instructions, in lanes of a stated width and order; and the exponential.

Numba turns plain loops into vector code where the order of operations does not matter. In sums it does; and a loop that
handles the last few numbers one by one is slow on short rows. Here both are explicit: sums run in a fixed number of
chains that are folded in a fixed tree, so bits depend on the length of a row alone, and the last few numbers are one
masked step. LLVM splits these vectors on machines with narrower ones.

`emitted` makes such a function. It also takes the same function in plain Python, which runs where the JIT is off.

The exponential is the only one of the package: this code is compiled into each function that uses it. For x ≤ 0 it is
2^k · e^r with k = round(x / ln 2), |r| ≤ ln 2 / 2, and ln 2 in two parts (Cody & Waite 1980); no branch and no call.
Relative errors in the normal range: under 1.4 · 2^-24 for float32 (the minimax polynomial of Cephes' expf), 1.6 · 2^-53
for float64 (the series to r^13). Below it, 2^k comes in two factors, so that results sink through the subnormal numbers
to 0 (within one of the least of them). exp(−inf) = 0; NaN stays NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["Lanes", "emitted"]

I32, I64 = ir.IntType(32), ir.IntType(64)
BYTES = 64  # of a vector: 16 float32, 8 float64
SERIES: tuple[float, ...] = tuple(1 / math.factorial(k) for k in range(13, 1, -1))
MINIMAX: tuple[float, ...] = (
    1.9875691500e-4,
    1.3981999507e-3,
    8.3334519073e-3,
    4.1665795894e-2,
    1.6666665459e-1,
    5.0000001201e-1,
)


class Lanes:
    """Writes code for vectors of one float type, `n` numbers wide (None: as many as fill 64 bytes; 1: plain numbers).

    >>> x = Lanes(ir.IRBuilder(), types.float32)
    >>> x.n, str(x.F)
    (16, '<16 x float>')
    """

    def __init__(self, builder: Any, item: Any, n: int | None = None) -> None:
        self.b = builder
        self.narrow = item == types.float32
        self.bytes = 4 if self.narrow else 8
        self.n = n or BYTES // self.bytes
        self.f, self.i = (ir.FloatType(), I32) if self.narrow else (ir.DoubleType(), I64)
        self.F, self.I = (self._wide(self.f), self._wide(self.i)) if self.n > 1 else (self.f, self.i)
        self.tag = f"v{self.n}f{8 * self.bytes}" if self.n > 1 else f"f{8 * self.bytes}"

    def _wide(self, item: Any, n: int | None = None) -> Any:
        return ir.VectorType(item, n or self.n)

    # --- numbers ---

    def const(self, x: float) -> Any:
        """x in every lane."""
        one = ir.Constant(self.f, float(x))
        return ir.Constant(self.F, [one] * self.n) if self.n > 1 else one

    def whole(self, x: int) -> Any:
        """The integer x in every lane, as wide as the floats."""
        one = ir.Constant(self.i, x)
        return ir.Constant(self.I, [one] * self.n) if self.n > 1 else one

    def splat(self, x: Any) -> Any:
        """The number x, known only when the code runs, in every lane."""
        nothing = ir.Constant(self._wide(x.type), ir.Undefined)
        one = self.b.insert_element(nothing, x, I32(0))
        return self.b.shuffle_vector(one, nothing, ir.Constant(self._wide(I32), [I32(0)] * self.n))

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        """x y + z, rounded once where the machine can."""
        return self._call(f"llvm.fmuladd.{self.tag}", self.F, x, y, z)

    def larger(self, x: Any, y: Any) -> Any:
        return self.b.select(self.b.fcmp_ordered(">", x, y), x, y)

    def smaller(self, x: Any, y: Any) -> Any:
        return self.b.select(self.b.fcmp_ordered("<", x, y), x, y)

    def part(self, x: Any, first: int, n: int) -> Any:
        """n lanes of x from `first` on."""
        picked = ir.Constant(self._wide(I32, n), [I32(first + k) for k in range(n)])
        return self.b.shuffle_vector(x, ir.Constant(x.type, ir.Undefined), picked)

    def fold(self, x: Any, join: Callable[[Any, Any], Any]) -> Any:
        """All lanes of x joined into one number, halves first."""
        n = x.type.count
        while n > 1:
            n //= 2
            x = join(self.part(x, 0, n), self.part(x, n, n))
        return self.b.extract_element(x, I32(0))

    def fold_many(self, vectors: Sequence[Any]) -> Any:
        """A vector whose lane k is the sum over the lanes of the k-th vector, each summed as `fold` does; 0 past them.

        Two vectors are halved into one at each step: a third of the work of folding each alone.
        """
        rows = [*vectors, *[self.const(0)] * (self.n - len(vectors))]
        half = self.n // 2
        while len(rows) > 1:
            low = [k for k in range(2 * self.n) if k // half % 2 == 0]
            masks = [ir.Constant(self._wide(I32), [I32(k + more) for k in low]) for more in (0, half)]
            pairs = zip(rows[::2], rows[1::2], strict=True)
            rows = [self.b.fadd(*(self.b.shuffle_vector(x, y, mask) for mask in masks)) for x, y in pairs]
            half //= 2
        return rows[0]

    def _call(self, name: str, result: Any, *args: Any) -> Any:
        kind = ir.FunctionType(result, [x.type for x in args])
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, name), args)

    # --- memory ---

    def _at(self, data: Any, index: Any) -> Any:
        return self.b.bitcast(self.b.gep(data, [index]), self.F.as_pointer())

    def get(self, data: Any, index: Any, mask: Any = None, other: float = 0.0) -> Any:
        """data[index], data[index + 1], …; lanes outside of the mask are not read and hold `other`."""
        at = self._at(data, index)
        if mask is not None:
            return self._call(f"llvm.masked.load.{self.tag}.p0", self.F, at, I32(self.bytes), mask, self.const(other))
        x = self.b.load(at)
        x.align = self.bytes
        return x

    def put(self, x: Any, data: Any, index: Any, mask: Any = None) -> None:
        """The way back; lanes outside of the mask are not written."""
        at = self._at(data, index)
        if mask is not None:
            self._call(f"llvm.masked.store.{self.tag}.p0", ir.VoidType(), x, at, I32(self.bytes), mask)
        else:
            self.b.store(x, at).align = self.bytes

    def flags(self, data: Any, index: Any, mask: Any = None) -> Any:
        """The mask of the lanes in which data[index], data[index + 1], … (bool) are true, none outside of `mask`."""
        byte = self._wide(ir.IntType(8))
        none = ir.Constant(byte, [ir.IntType(8)(0)] * self.n)
        at = self.b.bitcast(self.b.gep(data, [index]), byte.as_pointer())
        if mask is None:
            held = self.b.load(at)
            held.align = 1
        else:
            held = self._call(f"llvm.masked.load.v{self.n}i8.p0", byte, at, I32(1), mask, none)
        return self.b.icmp_unsigned("!=", held, none)

    def variable(self, start: Any) -> Any:
        """Room for a vector that a loop changes."""
        return cgutils.alloca_once_value(self.b, start)

    def first(self, count: Any) -> Any:
        """The mask of the first `count` lanes."""
        lanes = self._wide(I32)
        nothing = ir.Constant(lanes, ir.Undefined)
        one = self.b.insert_element(nothing, self.b.trunc(count, I32), I32(0))
        limit = self.b.shuffle_vector(one, nothing, ir.Constant(lanes, [I32(0)] * self.n))
        return self.b.icmp_signed("<", ir.Constant(lanes, [I32(k) for k in range(self.n)]), limit)

    def over(self, count: Any, step: Callable[[Any, Any], None]) -> None:
        """step(index, None) for every whole vector of `count` numbers, then step(index, mask) once if some are left."""
        whole = self.b.and_(count, ir.Constant(I64, -self.n))
        with cgutils.for_range_slice(self.b, I64(0), whole, I64(self.n)) as (index, _):
            step(index, None)
        rest = self.b.sub(count, whole)
        with self.b.if_then(self.b.icmp_signed(">", rest, I64(0))):
            step(whole, self.first(rest))

    def over_pairs(self, count: Any, pair: Callable[[Any, Any], None], step: Callable[[Any, Any], None]) -> None:
        """pair(index, next index) for every two whole vectors of `count` numbers, then `over` what is left."""
        double = self.b.and_(count, ir.Constant(I64, -2 * self.n))
        with cgutils.for_range_slice(self.b, I64(0), double, I64(2 * self.n)) as (index, _):
            pair(index, self.b.add(index, I64(self.n)))
        rest = self.b.sub(count, double)
        with self.b.if_then(self.b.icmp_signed(">=", rest, I64(self.n))):
            step(double, None)
        last = self.b.and_(count, ir.Constant(I64, -self.n))
        rest = self.b.sub(count, last)
        with self.b.if_then(self.b.icmp_signed(">", rest, I64(0))):
            step(last, self.first(rest))

    # --- the exponential ---

    def exp(self, x: Any, rest: Any = None, sinks: bool = True) -> Any:
        """exp(x + rest) for x ≤ 0, lane by lane; `rest`: what x lost when it was rounded.

        `sinks` False: for numbers whose exponential is in the normal range, −87 or −700 at least.
        """
        b, c = self.b, self.const
        if self.narrow:
            least, magic, bits, bias, shift = -110.0, 12582912.0, 0x4B400000, 127, 23
            high, low, terms = 0.693359375, -2.12194440e-4, MINIMAX
        else:
            least, magic, bits, bias, shift = -750.0, 6755399441055744.0, 0x4338000000000000, 1023, 52
            high, low, terms = 6.93147180369123816490e-1, 1.90821492927058770002e-10, SERIES
        if sinks:
            x = b.select(b.fcmp_ordered("<", x, c(least)), c(least), x)  # a comparison with NaN is false: it stays
        t = self.fma(x, c(1 / math.log(2)), c(magic))  # so large that its last bits are the whole number k
        k = b.fsub(t, c(magic))
        r = self.fma(k, c(-low), self.fma(k, c(-high), x))
        if rest is not None:
            r = b.fadd(r, rest)
        p = c(terms[0])
        for term in terms[1:]:
            p = self.fma(p, r, c(term))
        p = b.fadd(self.fma(p, b.fmul(r, r), r), c(1.0))
        n = b.sub(b.bitcast(t, self.I), self.whole(bits))
        if not sinks:
            return b.fmul(p, b.bitcast(b.shl(b.add(n, self.whole(bias)), self.whole(shift)), self.F))
        half = b.ashr(n, self.whole(1))
        for power in (half, b.sub(n, half)):
            p = b.fmul(p, b.bitcast(b.shl(b.add(power, self.whole(bias)), self.whole(shift)), self.F))
        return p


def emitted(plain: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """Make a function that compiled code may call from one that writes its code; `plain` takes its place without JIT.

    The decorated function is Numba's: it gets the types of the arguments and returns the signature and the writer.
    """

    def decorate(func: Callable[..., Any]) -> Any:
        return plain if numba.config.DISABLE_JIT else intrinsic(func)

    return decorate
