"""Target attention over sparse item features, one target a row (docs/model.md, eq. 6–7).

    e_i(j) = ⟨F_i, F_j⟩ / (|F_i| |F_j| T) − g_i/τ,      E = exp(e − m),      X = gate_j w_i Σ_f θ_f F_if F_jf

The loops run over the target's few non-zero features. The events' features lie feature by feature (d, n), so that the
innermost loop runs along the events. Scores and fields share one function for a row, so they have the same E and X;
maxima, exponentials and sums run along vector lanes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange, types
from numba.core import cgutils

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.lanes import Lanes, emitted
from xattn.kernels.live import live_dot, live_total
from xattn.kernels.vectors import exp

__all__ = ["content_field", "content_gradients", "content_scores"]

TOGETHER = 4  # vectors of events whose sums over features stay in registers
BLOCK = 64  # targets of one iteration, which share room for what is computed on the way
LOWEST = -708.0  # below, an exponential counts as 0: it is under 4e-308, and the largest is 1


@compiled
def _exp(z):  # type: ignore[no-untyped-def]
    """Turns z ≤ 0 into exp(z) in place; NaN stays."""
    for i in range(z.shape[0]):
        z[i] = 0.0 if z[i] < LOWEST else exp(z[i])


def _row_at(context: Any, b: Any, kind: Any, table: Any, k: Any) -> tuple[Any, Any]:
    """Where row k of a table begins, and how long it is."""
    array = context.make_array(kind)(context, b, table)
    width = cgutils.unpack_tuple(b, array.shape)[1]
    return b.gep(array.data, [b.mul(k, width)]), width


def _plain_logits(E: Any, k: Any, g: Any, c: Any, s: Any) -> Any:
    E[k] = E[k] * c - g * s
    known = E[k][~np.isnan(E[k])]
    return known.max() if len(known) else -math.inf


@emitted(_plain_logits)
def _logits(typing_context: Any, E: Any, k: Any, g: Any, c: Any, s: Any) -> Any:
    """E[k] ← E[k] c − g s in place; returns the largest, −inf for none. NaN is passed over."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, types.float64)
        row, n = _row_at(context, b, E, args[0], args[1])
        age = context.make_array(g)(context, b, args[2]).data
        scale, shrunk, top = x.splat(args[3]), x.splat(args[4]), x.variable(x.const(-math.inf))

        def step(i: Any, mask: Any) -> None:
            z = b.fsub(b.fmul(x.get(row, i, mask), scale), b.fmul(x.get(age, i, mask), shrunk))
            x.put(z, row, i, mask)
            if mask is not None:
                z = b.select(mask, z, x.const(-math.inf))
            b.store(x.larger(z, b.load(top)), top)

        x.over(n, step)
        return x.fold(b.load(top), x.larger)

    return types.float64(E, types.int64, g, types.float64, types.float64), write


def _plain_attention(E: Any, k: Any, m: Any, s: Any) -> None:
    z = (E[k] - m) / s
    with np.errstate(under="ignore"):
        E[k] = np.where(z < LOWEST, 0.0, np.exp(z))


@emitted(_plain_attention)
def _attention(typing_context: Any, E: Any, k: Any, m: Any, s: Any) -> Any:
    """E[k] ← exp((E[k] − m)/s) in place, 0 under exp(LOWEST); NaN stays."""

    def write(context: Any, b: Any, signature: Any, args: Any) -> Any:
        x = Lanes(b, types.float64)
        row, n = _row_at(context, b, E, args[0], args[1])
        top, scale, lowest = x.splat(args[2]), x.splat(args[3]), x.const(LOWEST)

        def attended(i: Any, mask: Any, z: Any) -> None:
            low = b.fcmp_ordered("<", z, lowest)
            x.put(b.select(low, x.const(0), x.exp(b.select(low, lowest, z), sinks=False)), row, i, mask)

        with b.if_else(b.fcmp_ordered("==", args[3], args[3].type(1.0))) as (whole, divided):
            with whole:
                x.over(n, lambda i, mask: attended(i, mask, b.fsub(x.get(row, i, mask), top)))
            with divided:
                x.over(n, lambda i, mask: attended(i, mask, b.fdiv(b.fsub(x.get(row, i, mask), top), scale)))
        return context.get_dummy_value()

    return types.void(E, types.int64, types.float64, types.float64), write


def _plain_gathered(E: Any, X: Any, k: Any, f: Any, a: Any, b: Any, unit: Any, events: Any) -> None:
    E[k] = a[: len(f)] @ unit[f]
    X[k] = b[: len(f)] @ events[f]


@emitted(_plain_gathered)
def _gathered(typing_context: Any, E: Any, X: Any, k: Any, f: Any, a: Any, b: Any, unit: Any, events: Any) -> Any:
    """E[k] ← Σ_z a_z unit[f_z] and X[k] ← Σ_z b_z events[f_z], the sums in registers."""
    kinds = ((E, 0), (X, 1), (unit, 6), (events, 7))

    def write(context: Any, build: Any, signature: Any, args: Any) -> Any:
        x = Lanes(build, types.float64)
        number = args[2].type
        (outs, n), (said, _) = (_row_at(context, build, kind, args[place], args[2]) for kind, place in kinds[:2])
        tables = [context.make_array(kind)(context, build, args[place]).data for kind, place in kinds[2:]]
        columns, weights, worths = (
            context.make_array(kind)(context, build, args[place]).data for kind, place in ((f, 3), (a, 4), (b, 5))
        )
        many = cgutils.unpack_tuple(build, context.make_array(f)(context, build, args[3]).shape)[0]

        def sums(i: Any, mask: Any, vectors: int) -> None:
            """The sums over so many vectors from place i on."""
            totals = [[x.variable(x.const(0)) for _ in range(vectors)] for _ in tables]
            for own in totals:
                for total in own:
                    build.store(x.const(0), total)
            with cgutils.for_range(build, many) as loop:
                feature = build.mul(build.load(build.gep(columns, [loop.index])), n)
                for table, factors, own in zip(tables, (weights, worths), totals, strict=True):
                    factor = x.splat(build.load(build.gep(factors, [loop.index])))
                    for v, total in enumerate(own):
                        place = build.add(build.add(feature, i), number(v * x.n))
                        build.store(x.fma(factor, x.get(table, place, mask), build.load(total)), total)
            for out, own in zip((outs, said), totals, strict=True):
                for v, total in enumerate(own):
                    x.put(build.load(total), out, build.add(i, number(v * x.n)), mask)

        whole = build.sub(n, build.srem(n, number(TOGETHER * x.n)))
        with cgutils.for_range_slice(build, number(0), whole, number(TOGETHER * x.n)) as (i, _):
            sums(i, None, TOGETHER)
        x.over(build.sub(n, whole), lambda i, mask: sums(build.add(whole, i), mask, 1))
        return context.get_dummy_value()

    return types.void(E, X, types.int64, f, a, b, unit, events), write


@compiled
def _row(E, X, k, lo, hi, index, value, norm, theta, gate, unit, events, g, T, f, a, b):  # type: ignore[no-untyped-def]
    """Assigns row k of E and X for a target with the features lo..hi−1 of `index` and `value`.

    `unit`, `events` (d, n): the features of the events, of length 1, and times strength. `f`, `a` and `b` are room for
    as many numbers as a target has features.
    """
    for z in range(lo, hi):
        f[z - lo] = index[z]
        a[z - lo] = value[z] / norm
        b[z - lo] = value[z] * theta[index[z]]
    _gathered(E, X, k, f[: hi - lo], a, b, unit, events)
    s = min(T, 1.0)  # logits times s: with a tiny T, cos/T − m/T would be inf − inf
    m = _logits(E, k, g, s / T, s)
    _attention(E, k, m, s)
    for i in range(g.shape[0]):
        X[k, i] *= gate


@compiled
def _longest(ptr):  # type: ignore[no-untyped-def]
    """How many features a target has at most."""
    most = 0
    for j in range(ptr.shape[0] - 1):
        most = max(most, ptr[j + 1] - ptr[j])
    return most


@Kernel
def _field(E, X, ptr, index, value, norm, theta, gate, unit, events, g, T):  # type: ignore[no-untyped-def]
    """Assigns E and X of all targets."""
    most = _longest(ptr)
    for block in prange((E.shape[0] + BLOCK - 1) // BLOCK):
        f, a, b = np.empty(most, np.int64), np.empty(most), np.empty(most)
        low = np.int64(block) * BLOCK  # prange counts in uint64
        for k in range(low, min(E.shape[0], low + BLOCK)):
            _row(E, X, k, ptr[k], ptr[k + 1], index, value, norm[k], theta, gate[k], unit, events, g, T, f, a, b)


@Kernel
def _scores(  # type: ignore[no-untyped-def]
    out, ptr, index, value, norm, theta, gate, unit, events, g, T, live, beta, least
):
    """Assigns the head's score of each target."""
    n, J, most = g.shape[0], out.shape[0], _longest(ptr)
    for block in prange((J + BLOCK - 1) // BLOCK):
        E, X = np.empty((1, n)), np.empty((1, n))
        f, a, b = np.empty(most, np.int64), np.empty(most), np.empty(most)
        low = np.int64(block) * BLOCK
        for j in range(low, min(J, low + BLOCK)):
            _row(E, X, 0, ptr[j], ptr[j + 1], index, value, norm[j], theta, gate[j], unit, events, g, T, f, a, b)
            S = live_total(E, 0, live)
            norm_S = np.inf if S == 0.0 else S**beta
            if least == 0.0:
                s = live_dot(E, 0, X, 0, live)
            else:
                s = 0.0
                for i in range(n):
                    if live[i] and not E[0, i] / norm_S < least:  # NaN passes, so that the score is NaN
                        s += E[0, i] * X[0, i]
            out[j] = s / norm_S


def content_field(
    targets: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    theta: np.ndarray,
    gate: np.ndarray,
    unit: np.ndarray,
    events: np.ndarray,
    g: np.ndarray,
    T: float,
) -> tuple[np.ndarray, np.ndarray]:
    """(E, X), both (J, n), for J sparse targets = (ptr, index, value, norm) with their lengths `norm` and `gate` (J,).

    The n events come as `unit` and `events` (d, n), features by length 1 and times strength, and `g` (n,), age over τ.
    """
    shape = (len(gate), len(g))
    E, X = np.empty(shape), np.empty(shape)
    work = 4.0 * len(targets[1]) * shape[1] + 10.0 * E.size
    unit, events, g = (np.ascontiguousarray(x) for x in (unit, events, g))
    _field(E, X, *targets, theta, gate, unit, events, g, T, work=work)
    return E, X


def content_scores(
    targets: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    theta: np.ndarray,
    gate: np.ndarray,
    unit: np.ndarray,
    events: np.ndarray,
    g: np.ndarray,
    T: float,
    live: np.ndarray,
    beta: float,
    least: float,
) -> np.ndarray:
    """The head's scores (J,), without the tables E and X; weights under `least` count as 0."""
    out = np.empty(len(gate))
    work = 4.0 * len(targets[1]) * len(g) + 12.0 * len(g) * len(gate)
    unit, events, g, live = (np.ascontiguousarray(x) for x in (unit, events, g, live))
    _scores(out, *targets, theta, gate, unit, events, g, T, live, beta, least, work=work)
    return out


# --- what the fit of worths needs: the derivative of a relative score by each θ_f -------------------------------------


@Kernel
def _gradients(  # type: ignore[no-untyped-def]
    out, ptr, index, value, norm, place, targets, start, stop, item, w, T, tau, beta, d
):
    """Assigns p_tj of each prefix t and each of its targets j from out[place[t, j]] on, a number a feature of j."""
    s = min(T, 1.0)  # as in `_row`
    for t in prange(targets.shape[0]):
        n = stop[t] - start[t]
        a = np.empty(n)
        target, total = np.zeros(d), np.zeros(d)  # F_j and p_tj over all features; 0 where j has none
        for c in range(targets.shape[1]):
            j = targets[t, c]
            for p in range(ptr[j], ptr[j + 1]):
                target[index[p]] = value[p]
            m = -np.inf
            for i in range(n):
                x = item[start[t] + i]
                dot = 0.0
                for q in range(ptr[x], ptr[x + 1]):
                    dot += target[index[q]] * value[q]
                a[i] = dot / (norm[j] * norm[x]) * (s / T) - (n - 1 - i) / tau * s
                m = max(m, a[i])
            for i in range(n):
                a[i] = (a[i] - m) / s
            _exp(a)
            S = np.sum(a) ** beta
            for i in range(n):
                x = item[start[t] + i]
                share = a[i] / S * w[start[t] + i]
                for q in range(ptr[x], ptr[x + 1]):
                    total[index[q]] += share * value[q] * target[index[q]]
            for p in range(ptr[j], ptr[j + 1]):
                out[place[t, c] + p - ptr[j]] = total[index[p]]
                target[index[p]] = 0.0
                total[index[p]] = 0.0


def content_gradients(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    targets: np.ndarray,
    start: np.ndarray,
    stop: np.ndarray,
    item: np.ndarray,
    w: np.ndarray,
    T: float,
    tau: float,
    beta: float,
    d: int,
) -> tuple[np.ndarray, np.ndarray]:
    """p_tj = F_jf Σ_i a_ij w_i F_if for every feature f of each of the `targets` (t, J), the rows of P end to end.

    Returns where each row begins (t·J + 1,), and the numbers. The past of prefix t are the events `start[t]` to
    `stop[t]` of `item` and `w` (N,), the newest of age 0. `rows` are the `d` features of all items, as targets above.
    """
    ptr, index, value, norm = rows
    length = (ptr[1:] - ptr[:-1])[targets.ravel()]
    place = np.concatenate([[0], np.cumsum(length)])
    out = np.empty(int(place[-1]))
    events = float((stop - start).sum()) * targets.shape[1]
    work = events * (10.0 + 4.0 * len(index) / max(1, len(norm)))
    own = place[:-1].reshape(targets.shape)
    _gradients(out, ptr, index, value, norm, own, targets, start, stop, item, w, T, tau, beta, d, work=work)
    return place, out
