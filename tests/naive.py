"""The obvious versions: each equation written out once more in NumPy, with no thought for speed or large numbers.

Fast code is compared with these. They take the arguments of the public functions and return float64 arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from xattn.data import History
from xattn.model.memory import Memory

Array = np.ndarray


def weights(
    e: Array, mask: Any = None, T: float = 1.0, beta: float = 1.0, threshold: float = 0.0, shift: Any = None
) -> Array:
    """a_i = exp((e_i − m)/T) / (Σ exp((e_l − m)/T))^β, row by row; masked and −inf logits left out, then set to 0."""
    a = np.zeros(e.shape)
    for r in range(e.shape[0]):
        live = e[r] != -np.inf if mask is None else mask[r] & (e[r] != -np.inf)
        x = e[r][live].astype(np.float64)
        if x.size == 0:
            continue
        m = x.max() if shift is None or shift[r] == -np.inf else shift[r]
        z = np.exp((x - m) / T)
        row = z / z.sum() ** beta
        row[row < threshold] = 0.0
        a[r][live] = row
    return a


def log_weights(e: Array, mask: Any = None, T: float = 1.0, beta: float = 1.0) -> Array:
    g = np.full(e.shape, -np.inf)
    for r in range(e.shape[0]):
        live = e[r] != -np.inf if mask is None else mask[r] & (e[r] != -np.inf)
        x = e[r][live].astype(np.float64)
        if x.size:
            z = (x - x.max()) / T
            g[r][live] = z - beta * np.log(np.exp(z).sum())
    return g


def logsumexp(e: Array, mask: Any = None, T: float = 1.0) -> Array:
    out = np.full(e.shape[0], -np.inf)
    for r in range(e.shape[0]):
        live = e[r] != -np.inf if mask is None else mask[r] & (e[r] != -np.inf)
        x = e[r][live].astype(np.float64) / T
        if x.size:
            out[r] = x.max() + np.log(np.exp(x - x.max()).sum())
    return out


def dot(q: Array, k: Array) -> Array:
    return np.array([[sum(a * b for a, b in zip(x, y, strict=True)) for y in k.astype(float)] for x in q.astype(float)])


def scaled_dot(q: Array, k: Array) -> Array:
    return dot(q, k) / np.sqrt(q.shape[1])


def cosine(q: Array, k: Array) -> Array:
    e = np.zeros((q.shape[0], k.shape[0]))
    for r, x in enumerate(q.astype(float)):
        for i, y in enumerate(k.astype(float)):
            if x.any() and y.any():
                e[r, i] = (x * y).sum() / (np.sqrt((x * x).sum()) * np.sqrt((y * y).sum()))
    return e


def additive(q: Array, k: Array, Wq: Array, Wk: Array, v: Array) -> Array:
    q, k, Wq, Wk, v = (x.astype(np.float64) for x in (q, k, Wq, Wk, v))
    return np.array([[(v * np.tanh(Wq @ x + Wk @ y)).sum() for y in k] for x in q])


def bilinear(q: Array, k: Array, W: Array) -> Array:
    q, k, W = (x.astype(np.float64) for x in (q, k, W))
    return np.array([[x @ W @ y for y in k] for x in q])


def fuse_multiply(a: Array, x: Array, mask: Any = None) -> tuple[Array, Array]:
    """(y, c): c[r, i] = a[r, i] x[i] where live, y their sum over i."""
    live = np.ones(a.shape, dtype=bool) if mask is None else mask
    c = np.zeros((*a.shape, x.shape[1]))
    for r, i in zip(*np.nonzero(live), strict=True):
        c[r, i] = float(a[r, i]) * x[i].astype(float)
    return c.sum(axis=1), c


def fuse_add(a: Array, x: Array, mask: Any = None) -> tuple[Array, Array]:
    """(y, c): c[r, i] = (x[i] + a[r, i])/N where live, N the number of live events of row r."""
    live = np.ones(a.shape, dtype=bool) if mask is None else mask
    c = np.zeros((*a.shape, x.shape[1]))
    for r, i in zip(*np.nonzero(live), strict=True):
        c[r, i] = (x[i].astype(float) + float(a[r, i])) / live[r].sum()
    return c.sum(axis=1), c


def attention(q: Array, k: Array, v: Array, seen: Array, bias: Array, scale: float, cap: float) -> list[Array]:
    """[y, a, e] of queries (L, d): e = cap(scale q·k) + bias where `seen` (L, n), else −inf; a = softmax; y = Σ a v."""
    L, n = seen.shape
    y, a, e = np.zeros((L, v.shape[1])), np.zeros((L, n)), np.full((L, n), -np.inf)
    for i in range(L):
        live = [j for j in range(n) if seen[i, j] and bias[i, j] != -np.inf]
        for j in live:
            s = scale * (q[i].astype(float) * k[j].astype(float)).sum()
            e[i, j] = (cap * np.tanh(s / cap) if cap else s) + bias[i, j]
        if live:
            z = np.exp(e[i, live] - e[i, live].max())
            a[i, live] = z / z.sum()
            y[i] = sum(a[i, j] * v[j].astype(float) for j in live)
    return [y, a, e]


def top_k(scores: Array, allowed: Any, k: int, excluded: Any = None, indptr: Any = None) -> list[list[int]]:
    """Per row, the items that are allowed, not excluded, not NaN, by falling score, then by index; the first k."""
    best = []
    ok_rows = np.broadcast_to(True if allowed is None else allowed, scores.shape)
    for r, row in enumerate(scores):
        ok = ok_rows[r].copy()
        if excluded is not None:
            ok[excluded[indptr[r] : indptr[r + 1]]] = False
        left = [i for i in range(row.size) if ok[i] and not np.isnan(row[i])]
        best.append(sorted(left, key=lambda i: (-row[i], i))[:k])
    return best


# --- heads over targets -----------------------------------------------------------------------------------------------


def field_weights(E: Array, live: Array, beta: float, theta: float) -> Array:
    """a = E / (Σ live E)^β, row by row; 0 where not live, under θ, or where no live E is over 0."""
    a = np.zeros(E.shape)
    for j, row in enumerate(E):
        S = sum(row[live].tolist())
        if S > 0:
            a[j, live] = row[live] / S**beta
    a[a < theta] = 0.0
    return a


def field_scores(E: Array, X: Array, live: Array, beta: float, theta: float) -> Array:
    """Σ_i a_ji X_ji over the live events, the others left out; E may have one row for all."""
    a = field_weights(np.broadcast_to(E, X.shape)[:, live], np.ones(live.sum(), bool), beta, theta)
    return (a * X[:, live]).sum(axis=1)


def field_without_each(E: Array, X: Array, live: Array, beta: float, theta: float) -> Array:
    """Scores (J, n) with each event masked in turn: scored anew."""
    n = live.size
    scores = [field_scores(E, X, live & (np.arange(n) != r), beta, theta) for r in range(n)]
    return np.array(scores).reshape(n, X.shape[0]).T


def content_field(
    F: Array, norm: Array, theta: Array, gate: Array, unit: Array, events: Array, g: Array, T: float
) -> tuple[Array, Array]:
    """(E, X) of dense targets F (J, d), lengths `norm`:

    E = exp(e − max e), e = (F_j/|F_j|)·unit_i/T − g_i, X = gate_j Σ_f F_jf θ_f events_fi.
    """
    e = (F / norm[:, None]) @ unit / T - g
    E = np.exp(e - e.max(axis=1, keepdims=True, initial=-np.inf)) if g.size else np.zeros(e.shape)
    return E, gate[:, None] * ((F * theta) @ events)


def content_gradients(
    F: Array,
    norm: Array,
    targets: Array,
    start: Array,
    stop: Array,
    item: Array,
    w: Array,
    T: float,
    tau: float,
    beta: float,
) -> Array:
    """p (t, J, d): F_j Σ_i a_ij w_i F_i over the past of each prefix; dense features F (M, d), lengths `norm`."""
    out = np.zeros((*targets.shape, F.shape[1]))
    ones = np.ones(max(F.shape[1], targets.shape[1]))
    for t, (low, high) in enumerate(zip(start, stop, strict=True)):
        own, g = F[item[low:high]], np.arange(high - low)[::-1] / tau
        if high > low:
            unit, events = (own / norm[item[low:high]][:, None]).T, (own * w[low:high, None]).T
            j = targets[t]
            E, _ = content_field(F[j], norm[j], ones[: F.shape[1]], ones[: len(j)], unit, events, g, T)
            out[t] = F[j] * ((E / E.sum(axis=1, keepdims=True) ** beta) @ events.T)
    return out


def pool_scores(ptr: Array, row: Array, coef: Array, V: Array) -> Array:
    """Σ_h Σ_i coef[h, i] V[h, row_i] per user; events without a row left out."""
    out = np.zeros((ptr.size - 1, V.shape[2]))
    for u in range(ptr.size - 1):
        for i in range(ptr[u], ptr[u + 1]):
            if row[i] >= 0:
                out[u] += sum(coef[h, i] * V[h, row[i]].astype(float) for h in range(V.shape[0]))
    return out


# --- the closed form --------------------------------------------------------------------------------------------------


class Prefixes(NamedTuple):
    """All prefixes of all histories: pooled (T, H·C), and the row of the event that comes next (T,), −1: none."""

    Z: Array
    y: Array

    def targets(self, C: int) -> Array:
        """The next items one-hot (T, C)."""
        return np.array([[float(y == j) for j in range(C)] for y in self.y]).reshape(self.y.size, C)


def exponentials(memory: Memory, history: History) -> Array:
    """E of a recency head, event by event: by what came after it, or by days, `pace` an event where nobody knows."""
    found = []
    for g, days in zip(history.age, history.age if history.elapsed is None else history.elapsed, strict=True):
        if memory.pace == 0:
            found.append(np.exp(-g / memory.tau))
        else:
            days = g * memory.pace if history.elapsed is None else days
            found.append(memory.floor + (1 - memory.floor) * np.exp(-days / memory.tau))
    return np.array(found)


def prefixes(indptr: Array, row: Array, C: int, w: Array, tau: Array, beta: Array) -> Prefixes:
    """Each prefix pooled anew: z[h, row_i] += w_hi ρ_h^(t−1−i) / (Σ_{l<t} ρ_h^(t−1−l))^β_h, ρ = e^(−1/τ)."""
    Z, y = [], []
    for start, stop in pairwise(indptr):
        for t in range(start + 1, stop):
            z = np.zeros((tau.size, C))
            for h in range(tau.size):
                decay = np.array([np.exp(-(t - 1 - i) / tau[h]) for i in range(start, t)])
                a = decay / decay.sum() ** beta[h]
                for i in range(start, t):
                    if row[i] >= 0:
                        z[h, row[i]] += w[h, i] * a[i - start]
            Z.append(z.ravel())
            y.append(row[t])
    return Prefixes(np.array(Z).reshape(len(Z), tau.size * C), np.array(y, dtype=int))


def ridge_loss(p: Prefixes, V: Array, b: Array, lam: float) -> float:
    """Σ_t ‖z_t V − (y_t − b)‖² + λ‖V‖², V as (H·C, C)."""
    gap = p.Z @ V - (p.targets(V.shape[1]) - b)
    return float((gap**2).sum() + lam * (V**2).sum())


def ridge(p: Prefixes, b: Array, lam: float) -> Array:
    """The V (H·C, C) of the least loss, as plain least squares: √λ times each unknown is one more row, wanted 0."""
    n = p.Z.shape[1]
    equations = np.vstack([p.Z, np.sqrt(lam) * np.eye(n)])
    wanted = np.vstack([p.targets(b.size) - b, np.zeros((n, b.size))])
    return np.linalg.lstsq(equations, wanted, rcond=None)[0]


# --- gradients --------------------------------------------------------------------------------------------------------


def gradient(f: Callable[[Array], float], x: Array) -> Array:
    """Central differences of the number f(x) for every entry of x; h = ∛(2^-53) · max(1, |x|) balances both errors."""
    g = np.zeros(x.shape)
    for i in np.ndindex(*x.shape):
        h = 2.0**-17.5 * max(1.0, abs(x[i]))
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        g[i] = (f(up) - f(down)) / (up[i] - down[i])
    return g
