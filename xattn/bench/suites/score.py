"""`score`: one user, many candidates. Target attention in the sizes of `SequenceAttention(query="target")`, float32.

    s_j = Σ_i a_ji ⟨u_j, v_i⟩      a_j = softmax_i(⟨q_j, k_i⟩/√16)      q, k of 16 numbers, u, v of 64

The model itself computes in float64. PyTorch's scaled dot-product attention gives Σ_i a_ji v_i; its product with u_j
is the same score.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from xattn.bench import rivals
from xattn.bench.case import Case, Plan, Run
from xattn.kernels.target import target_scores

__all__ = ["KEY", "VALUE", "Vectors", "suite", "vectors"]

SIZES = ((10_000, 100), (100_000, 200), (1_000_000, 50))
QUICK = ((500, 20),)
KEY, VALUE = 16, 64  # numbers of a query or key, and of a value
BARS = {"torch sdpa": 3.0, "numpy": 4.0}
ATOL = 1e-4  # float32 scores of normal vectors reach 30


class Vectors(NamedTuple):
    """Candidates `Q` (J, 16), `U` (J, 64); events `K` (n, 16), `V` (n, 64)."""

    Q: np.ndarray
    U: np.ndarray
    K: np.ndarray
    V: np.ndarray

    def scores(self) -> np.ndarray:
        """The scores by our kernel."""
        n = len(self.K)
        return target_scores(*self, np.zeros(n, self.Q.dtype), np.ones(n, bool), scale=KEY**-0.5)


def suite(plan: Plan) -> Iterator[Case]:
    torch = rivals.torch()
    for candidates, events in QUICK if plan.quick else SIZES:
        x = vectors(candidates, events)
        others: dict[str, Run] = {"numpy": partial(_plain, x)}
        if torch:
            tensors = [torch.from_numpy(part) for part in x]
            q, u, k, v = tensors
            wide = [torch.nn.functional.pad(part, (0, VALUE - KEY)) for part in (q, k)]
            others["torch sdpa"] = partial(_torch_sdpa, torch, wide[0], u, wide[1], v)
            others["torch"] = partial(_torch_eager, torch, *tensors)
        yield Case(f"{candidates:,} candidates × {events} events", x.scores, others, BARS, ATOL)


def vectors(candidates: int, events: int) -> Vectors:
    """Normal vectors, float32."""
    rng = np.random.default_rng(0)
    shapes = ((candidates, KEY), (candidates, VALUE), (events, KEY), (events, VALUE))
    return Vectors(*(rng.standard_normal(shape, np.float32) for shape in shapes))


def _plain(x: Vectors) -> np.ndarray:
    e = x.Q @ x.K.T / np.float32(np.sqrt(KEY))
    e -= e.max(axis=1, keepdims=True)
    np.exp(e, out=e)
    e /= e.sum(axis=1, keepdims=True)
    return np.asarray(((e @ x.V) * x.U).sum(axis=1))


def _torch_sdpa(torch: Any, q: Any, u: Any, k: Any, v: Any) -> Any:
    """Its fast path wants keys as wide as the values: zeros are added, once and for all."""
    attend = torch.nn.functional.scaled_dot_product_attention
    return (attend(q[None, None], k[None, None], v[None, None], scale=KEY**-0.5)[0, 0] * u).sum(1)


def _torch_eager(torch: Any, q: Any, u: Any, k: Any, v: Any) -> Any:
    return ((torch.softmax(q @ k.T * KEY**-0.5, dim=1) @ v) * u).sum(1)
