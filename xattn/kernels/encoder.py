"""Steps of a causal encoder over one history under several maskings, row by row (docs/model.md, eq. 35); and what the
newest events ask where there is no encoder (eq. 27).

n positions; R maskings of them, each of which computes the positions from `first[s]` on and reads those before from
what is known. What is computed stands in rows, one masking after another; `at[s]` is the row of the first position of
masking s. Queries, keys and values stand beside each other, (…, 3d), those of a head too:

    position          0  1  2  3  4      first = 2:    known[0]  known[1]  fresh[at]  fresh[at + 1]  fresh[at + 2]

A position attends to the live ones up to its own. Six neighbouring positions are computed together, from keys and
values in panels (`tiles.py`). No sum depends on what else is computed, so that a position has the same bits whether it
is computed alone, with others, or was known before; and nothing of a masked position is ever added.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled, compiled_for_vectors
from xattn.kernels.lanes import BYTES
from xattn.kernels.tiles import TOGETHER, tile
from xattn.kernels.vectors import exp, exp_sum

__all__ = ["asked", "attended", "looked", "normed_rows", "silu_of"]

VECTORS = 4  # of a panel
WIDTH = VECTORS * BYTES // 8  # numbers in a row of a panel, float64


# --- rows -------------------------------------------------------------------------------------------------------------


@compiled_for_vectors
def _square(x):  # type: ignore[no-untyped-def]
    s = 0.0
    for f in range(x.shape[0]):
        s += x[f] * x[f]
    return s


@Kernel
def _normed(y, c, x, g, epsilon):  # type: ignore[no-untyped-def]
    """Assigns c[r], one over the root of the mean square of x[r], and y[r] = c[r] x[r] ⊙ g."""
    N, d = x.shape
    for r in prange(N):
        c[r] = 1.0 / np.sqrt(_square(x[r]) / d + epsilon)
        for f in range(d):
            y[r, f] = x[r, f] * c[r] * g[f]


@Kernel
def _silu(y, x):  # type: ignore[no-untyped-def]
    """Assigns y = x σ(x)."""
    N, d = x.shape
    for r in prange(N):
        for f in range(d):
            u = x[r, f]
            e = exp(-abs(u))
            y[r, f] = u * ((1.0 if u >= 0.0 else e) / (1.0 + e))


def normed_rows(x: np.ndarray, g: np.ndarray, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """y = c x ⊙ g of each row of `x` (N, d), with `g` (d,), and c (N,): one over the root of its mean square.

    >>> import numpy as np
    >>> y, c = normed_rows(np.array([[3.0, -3.0]]), np.array([1.0, 2.0]), 0.0)
    >>> y.tolist()
    [[1.0, -2.0]]
    """
    y, c = np.empty_like(x), np.empty(len(x))
    _normed(y, c, x, g, epsilon, work=x.size)
    return y, c


def silu_of(x: np.ndarray) -> np.ndarray:
    """x σ(x) of `x` (N, d), entry by entry.

    >>> import numpy as np
    >>> silu_of(np.array([[0.0, 800.0, -800.0]])).tolist()
    [[0.0, 800.0, -0.0]]
    """
    y = np.empty_like(x)
    _silu(y, x, work=8.0 * x.size)
    return y


# --- attention --------------------------------------------------------------------------------------------------------


@compiled
def _keys_in_panels(KT, known, fresh, first, at, n, column, dk):  # type: ignore[no-untyped-def]
    """KT[panel, f, i]: coordinate f of the keys of WIDTH positions i; past the last one anything."""
    for i in range(n):
        to = i // WIDTH * WIDTH * dk + i % WIDTH
        for f in range(dk):
            KT[to + f * WIDTH] = known[i, column + f] if i < first else fresh[at + i - first, column + f]


@compiled
def _values_in_panels(VT, known, fresh, first, at, live, s, column, dk):  # type: ignore[no-untyped-def]
    """VT[panel, i, f]: WIDTH coordinates f of the value of position i, 0 where it is masked."""
    n = live.shape[1]
    for p in range((dk + WIDTH - 1) // WIDTH):
        low, high = p * WIDTH, min((p + 1) * WIDTH, dk)
        for i in range(n):
            to = (p * n + i) * WIDTH - low
            for f in range(low, high):
                x = known[i, column + f] if i < first else fresh[at + i - first, column + f]
                VT[to + f] = x if live[s, i] else 0.0


@compiled
def _weigh(z, high, live, s, t, age, bias, h, scale, beta):  # type: ignore[no-untyped-def]
    """Products z of position t with all → weights eq. 2 in place: 0 for what is masked, for what is newer, and up to
    `high`."""
    m = -np.inf
    for i in range(t + 1):
        z[i] = z[i] * scale + bias[h, age[i] - age[t]] if live[s, i] else -np.inf
        m = m if z[i] <= m else z[i]  # NaN spoils the exponentials
    if m == -np.inf:
        z[: t + 1] = 0.0
    else:
        norm = exp_sum(z[: t + 1], z[: t + 1], m)
        norm = 1.0 / norm if beta == 1.0 else norm ** (-beta)
        for i in range(t + 1):
            z[i] *= norm
    z[t + 1 : high] = 0.0


@Kernel
def _attend(o, known, fresh, first, at, live, age, bias, scale):  # type: ignore[no-untyped-def]
    """Assigns o (N, d) of the rows of `fresh` (N, 3d). An iteration owns one head of one masking."""
    R, n = live.shape
    H, d = bias.shape[0], o.shape[1]
    dk = d // H
    panels, wide = (n + WIDTH - 1) // WIDTH, (dk + WIDTH - 1) // WIDTH
    for task in prange(R * H):
        s, h = np.int64(task) // H, np.int64(task) % H
        low, row, own = first[s], at[s], h * dk
        if low < n:
            # 0 keys and values
            KT, VT = np.empty(panels * WIDTH * dk), np.empty(wide * WIDTH * n)
            _keys_in_panels(KT, known, fresh, low, row, n, d + own, dk)
            _values_in_panels(VT, known, fresh, low, row, live, s, 2 * d + own, dk)
            q, z = np.zeros((TOGETHER, dk)), np.zeros((TOGETHER, panels * WIDTH))
            out = np.empty((TOGETHER, wide * WIDTH))
            for t in range(low, n, TOGETHER):
                high = min(t + TOGETHER, n)
                # 1 products
                for r in range(high - t):
                    for f in range(dk):
                        q[r, f] = fresh[row + t - low + r, own + f]
                for p in range((high + WIDTH - 1) // WIDTH):
                    tile(z, p * WIDTH, VECTORS, q, 0, TOGETHER - 1, KT, p * WIDTH * dk, dk)
                # 2 weights
                for r in range(high - t):
                    _weigh(z[r], high, live, s, t + r, age, bias, h, scale, 1.0)
                # 3 outputs
                for p in range(wide):
                    tile(out, p * WIDTH, VECTORS, z, 0, TOGETHER - 1, VT, p * WIDTH * n, high)
                for r in range(high - t):
                    for f in range(dk):
                        o[row + t - low + r, own + f] = out[r, f]


def attended(
    known: np.ndarray,
    fresh: np.ndarray,
    first: np.ndarray,
    at: np.ndarray,
    live: np.ndarray,
    age: np.ndarray,
    bias: np.ndarray,
) -> np.ndarray:
    """What each row of `fresh` (N, 3d) reads (N, d): heads beside each other, as many as `bias` (H, L) has rows.

    `known` (n, 3d); `live` (R, n); `first` and `at` (R,) and `age` (n,), falling and under L, are int64.

    >>> import numpy as np
    >>> qkv, nothing = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 4.0]]), np.zeros(1, np.int64)
    >>> attended(qkv, qkv, nothing, nothing, np.ones((1, 2), bool), np.array([1, 0]), np.zeros((1, 2))).tolist()
    [[1.0], [2.5]]
    """
    (R, n), d = live.shape, fresh.shape[1] // 3
    o = np.empty((len(fresh), d))
    scale = (d // len(bias)) ** -0.5
    _attend(o, known, fresh, first, at, live, age, bias, scale, work=2.0 * d * n * (len(fresh) + R))
    return o


# --- reading ----------------------------------------------------------------------------------------------------------


@compiled_for_vectors
def _product(x, y):  # type: ignore[no-untyped-def]
    s = 0.0
    for f in range(x.shape[0]):
        s += x[f] * y[f]
    return s


@Kernel
def _look(A, S, known, fresh, first, at, live, q, v, w, age, r, beta, theta):  # type: ignore[no-untyped-def]
    """Assigns A (R, H, n), how the newest live position of each masking looks at all, and S[s, h] = Σ_i A w_i v_i."""
    R, H, n = A.shape
    dv = v.shape[1] // H
    for s in prange(R):
        newest = n - 1
        while not live[s, newest]:
            newest -= 1
        for h in range(H):
            a, own = A[s, h], S[s]
            for i in range(n):
                a[i] = _product(q[s, h], known[i] if i < first[s] else fresh[at[s] + i - first[s]])
            _weigh(a, n, live, s, newest, age, r, h, 1.0, beta)
            own[h * dv : (h + 1) * dv] = 0.0
            for i in range(n):
                a[i] = 0.0 if a[i] < theta else a[i]
                if a[i] != 0.0:
                    b = a[i] * w[i]
                    for f in range(h * dv, (h + 1) * dv):
                        own[f] += b * v[i, f]


def looked(
    known: np.ndarray,
    fresh: np.ndarray,
    first: np.ndarray,
    at: np.ndarray,
    live: np.ndarray,
    q: np.ndarray,
    v: np.ndarray,
    w: np.ndarray,
    age: np.ndarray,
    r: np.ndarray,
    beta: float,
    theta: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (R, H, n) of what the newest live position of each masking asks by `q` (R, H, d), and what they read.

    `known` (n, d) and `fresh` (N, d) are states; a weight under `theta` is 0. What they read, (R, H · dv), is
    Σ_i a_i w_i v_i with `v` (n, H · dv) and `w` (n,). Each masking has a live position.
    """
    (R, H, d), n = q.shape, len(v)
    A, S = np.empty((R, H, n)), np.empty((R, v.shape[1]))
    work = float(R) * n * (H * d + v.shape[1])
    _look(A, S, known, fresh, first, at, live, q, v, w, age, r, beta, theta, work=work)
    return A, S


# --- reading without an encoder ---------------------------------------------------------------------------------------


@Kernel
def _ask(A, live, Q, K, bias, beta, theta):  # type: ignore[no-untyped-def]
    """Assigns A (R, H, n): what the live ones of the last positions ask together (Q) of all positions (K), eq. 2."""
    R, H, n = A.shape
    P, dk = Q.shape[1], Q.shape[2]
    for s in prange(R):
        q = np.empty(dk)
        for h in range(H):
            q[:] = 0.0
            for p in range(P):
                if live[s, n - P + p]:
                    for f in range(dk):
                        q[f] += Q[h, p, f]
            a, m = A[s, h], -np.inf
            for i in range(n):
                a[i] = _product(q, K[h, i]) + bias[h, i]
                m = m if a[i] <= m else a[i]  # of the masked ones too, whose exponentials are none
            for i in range(n):
                a[i] = a[i] if live[s, i] else -np.inf
            norm = exp_sum(a, a, m)
            norm = norm ** (-beta) if norm > 0.0 else norm
            for i in range(n):
                a[i] *= norm
                a[i] = 0.0 if a[i] < theta else a[i]


def asked(live: np.ndarray, Q: np.ndarray, K: np.ndarray, bias: np.ndarray, beta: float, theta: float) -> np.ndarray:
    """Weights (R, H, n) under the maskings `live` (R, n): the last P positions ask, each by `Q` (H, P, dk) if it is
    live, all that are live answer by `K` (H, n, dk) and `bias` (H, n). The largest logit is that of all n.

    >>> import numpy as np
    >>> live, Q, K = np.array([[True, True], [True, False]]), np.ones((1, 1, 1)), np.zeros((1, 2, 1))
    >>> asked(live, Q, K, np.zeros((1, 2)), 1.0, 0.0).tolist()
    [[[0.5, 0.5]], [[1.0, 0.0]]]
    """
    (R, n), (H, _, dk) = live.shape, K.shape
    A = np.empty((R, H, n))
    _ask(A, live, Q, K, bias, beta, theta, work=float(R) * H * n * (dk + 8))
    return A
