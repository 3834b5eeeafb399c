"""`attention`: the five scorers over a table of queries and keys, and whole attention, float32; sums in float64, and
once more in float32 where that is offered.

Rivals score as they do: SciPy and scikit-learn where they have the measure, NumPy and PyTorch for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import distance
from sklearn.metrics import pairwise

from xattn.bench import rivals
from xattn.bench.case import Case, Plan, Run
from xattn.bench.suites.softmax import plain_softmax
from xattn.kernels.scorers import additive, bilinear, cosine, dot, scaled_dot
from xattn.tensor.attention import attention

__all__ = ["Tables", "suite", "tables"]

SIZE = (1_000, 1_000, 64)  # queries, keys, dimensions
QUICK = (30, 40, 8)
ATOL = 1e-3  # scores reach 50, and rivals add up in float32
F4 = np.dtype(np.float32)
STEP = 50  # queries that NumPy and PyTorch take at once where they need a cube


class Tables(NamedTuple):
    """Queries `q` (R, d), keys `k` (n, d), values `v` (n, d); parameters `Wq`, `Wk` and `W` (d, d) and `u` (d,)."""

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    Wq: np.ndarray
    Wk: np.ndarray
    W: np.ndarray
    u: np.ndarray


def suite(plan: Plan) -> Iterator[Case]:
    R, n, d = QUICK if plan.quick else SIZE
    x = tables(R, n, d)
    plain = _plain(x)
    torch = rivals.torch()
    others = _torch(torch, x) if torch else {}
    ours: dict[str, Run] = {
        "dot": lambda: dot(x.q, x.k),
        "scaled dot": lambda: scaled_dot(x.q, x.k),
        "cosine": lambda: cosine(x.q, x.k),
        "additive": lambda: additive(x.q, x.k, x.Wq, x.Wk, x.u),
        "bilinear": lambda: bilinear(x.q, x.k, x.W),
        "attention": lambda: attention(x.q, x.k, x.v),
        "dot, float32 sums": lambda: dot(x.q, x.k, F4),
        "scaled dot, float32 sums": lambda: scaled_dot(x.q, x.k, F4),
        "cosine, float32 sums": lambda: cosine(x.q, x.k, F4),
        "attention, float32 sums": lambda: attention(x.q, x.k, x.v, sums="float32"),
    }
    named: dict[str, dict[str, Run]] = {
        "dot": {"scikit-learn": lambda: pairwise.linear_kernel(x.q, x.k)},
        "cosine": {
            "scikit-learn": lambda: pairwise.cosine_similarity(x.q, x.k),
            "scipy": lambda: 1.0 - distance.cdist(x.q, x.k, "cosine"),
        },
    }
    for full, run in ours.items():
        name, _, sums = full.partition(", ")
        what = "softmax of scaled dots times values" if name == "attention" else f"{name} scores"
        what += f", {sums}" if sums else ""
        found = {"numpy": plain[name], **named.get(name, {})}
        if name in others:
            found["torch"] = others[name]
        yield Case(f"{what}, {R:,} × {n:,}, d = {d}", run, found, {}, ATOL)


def tables(R: int, n: int, d: int) -> Tables:
    """Normal numbers; the parameters are scaled so that scores stay of the size of a dot product."""
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((m, d), np.float32) for m in (R, n, n))
    Wq, Wk, W = (rng.standard_normal((d, d), np.float32) * np.float32(d**-0.5) for _ in range(3))
    return Tables(q, k, v, Wq, Wk, W, rng.standard_normal(d, np.float32))


def _plain(x: Tables) -> Mapping[str, Run]:
    scale = np.float32(x.q.shape[1] ** -0.5)

    def unit(z: np.ndarray) -> np.ndarray:
        return np.asarray(z / np.linalg.norm(z, axis=1, keepdims=True))

    def added() -> np.ndarray:
        A, B = x.q @ x.Wq.T, x.k @ x.Wk.T
        return np.concatenate([np.tanh(A[r : r + STEP, None] + B) @ x.u for r in range(0, len(A), STEP)])

    return {
        "dot": lambda: x.q @ x.k.T,
        "scaled dot": lambda: (x.q @ x.k.T) * scale,
        "cosine": lambda: unit(x.q) @ unit(x.k).T,
        "additive": added,
        "bilinear": lambda: x.q @ x.W @ x.k.T,
        "attention": lambda: plain_softmax((x.q @ x.k.T) * scale) @ x.v,
    }


def _torch(torch: Any, tables: Tables) -> Mapping[str, Run]:
    x = Tables(*map(torch.from_numpy, tables))
    scale = x.q.shape[1] ** -0.5
    unit = partial(torch.nn.functional.normalize, dim=1)
    attend = torch.nn.functional.scaled_dot_product_attention

    def added() -> Any:
        A, B = x.q @ x.Wq.T, x.k @ x.Wk.T
        return torch.cat([torch.tanh(A[r : r + STEP, None] + B) @ x.u for r in range(0, len(A), STEP)])

    return {
        "dot": lambda: x.q @ x.k.T,
        "scaled dot": lambda: x.q @ x.k.T * scale,
        "cosine": lambda: unit(x.q) @ unit(x.k).T,
        "additive": added,
        "bilinear": lambda: x.q @ x.W @ x.k.T,
        "attention": lambda: attend(x.q[None, None], x.k[None, None], x.v[None, None])[0, 0],
    }
