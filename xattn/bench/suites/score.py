"""`score`: one user, many candidates. Fused target attention, s = softmax(Q Kᵀ/√d) c, d = 64, float32; and the same
with all weights returned.

PyTorch's scaled dot-product attention returns no weights; it stands beside both, as what a user of it would call.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from xattn.bench import rivals
from xattn.bench.case import Case, Plan, Run, agree
from xattn.kernels.target import target_scores, target_weights

__all__ = ["Asked", "asked", "suite"]

SIZES = ((10_000, 100), (100_000, 200), (1_000_000, 50))
QUICK = ((500, 20),)
D = 64
ATOL = 1e-4  # ten times what the fused kernel promises for contributions of size 1; here they reach 4


class Asked(NamedTuple):
    """Candidates `Q` (J, d), keys `K` (n, d), contributions `c` (n,)."""

    Q: np.ndarray
    K: np.ndarray
    c: np.ndarray


def suite(plan: Plan) -> Iterator[Case]:
    torch = rivals.torch()
    for candidates, events in QUICK if plan.quick else SIZES:
        x = asked(candidates, events)
        work = f"{candidates:,} candidates × {events} events"
        others: dict[str, Run] = {"numpy": partial(_plain_scores, x)}
        if torch:
            tensors = [torch.from_numpy(part) for part in x]
            others["torch sdpa"] = partial(_torch_sdpa, torch, *tensors)
            others["torch"] = partial(_torch_eager, torch, *tensors)
        yield Case(work, partial(target_scores, *x, D**-0.5), others, {"torch sdpa": 3.0, "numpy": 4.0}, ATOL)
        agree(f"score, {work}", "the weights of numpy", _weighted(x).a, _plain(x).a, ATOL)
        yield Case(f"{work}, weights returned", partial(_weighted_scores, x), others, {"torch sdpa": 1.2}, ATOL)


def asked(candidates: int, events: int) -> Asked:
    """Normal vectors and contributions."""
    rng = np.random.default_rng(0)
    Q, K = (rng.standard_normal((m, D), np.float32) for m in (candidates, events))
    return Asked(Q, K, rng.standard_normal(events, np.float32))


class Weighted(NamedTuple):
    """Scores `s` (J,) and weights `a` (J, n)."""

    s: np.ndarray
    a: np.ndarray


def _weighted(x: Asked) -> Weighted:
    return Weighted(*target_weights(*x, D**-0.5))


def _weighted_scores(x: Asked) -> np.ndarray:
    return _weighted(x).s


def _plain(x: Asked) -> Weighted:
    e = x.Q @ x.K.T / np.float32(np.sqrt(D))
    e -= e.max(axis=1, keepdims=True)
    np.exp(e, out=e)
    e /= e.sum(axis=1, keepdims=True)
    return Weighted(e @ x.c, e)


def _plain_scores(x: Asked) -> np.ndarray:
    return _plain(x).s


def _torch_sdpa(torch: Any, q: Any, k: Any, c: Any) -> Any:
    """Its fast path wants values as wide as the keys: c is the first column, the others are 0."""
    wide = torch.zeros_like(k)
    wide[:, 0] = c
    attend = torch.nn.functional.scaled_dot_product_attention
    return attend(q[None, None], k[None, None], wide[None, None])[0, 0, :, 0]


def _torch_eager(torch: Any, q: Any, k: Any, c: Any) -> Any:
    return torch.softmax(q @ k.T * D**-0.5, dim=1) @ c
