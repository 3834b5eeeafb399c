"""`search`: the ten keys of largest product with each of 256 queries, float32, d = 64. Products are compared.

Keys of about equal lengths (normal coordinates) are all multiplied. Where lengths vary, as those of popular and rare
items do (here log-normally, σ = ½), keys that are too short are skipped. Ours has the keys in panels beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from xattn.bench import rivals
from xattn.bench.case import Case, Plan, Run
from xattn.kernels.neighbours.nearest import Catalogue, nearest

__all__ = ["best", "suite"]

SIZES = (100_000, 1_000_000)
QUICK = (1_000,)
ROWS, D, K, FEW = 256, 64, 10, 32
ROUNDING = 1e-4


def suite(plan: Plan) -> Iterator[Case]:
    torch = rivals.torch()
    rng = np.random.default_rng(0)
    for n in QUICK if plan.quick else SIZES:
        Q, equal = rng.standard_normal((ROWS, D), np.float32), rng.standard_normal((n, D), np.float32)
        lengths = np.exp(0.5 * rng.standard_normal((n, 1), np.float32))
        for what, keys in (("of equal lengths", equal), ("of varied lengths", equal * lengths)):
            others: dict[str, Run] = {"numpy": partial(_plain, Q, keys)}
            if torch:
                others["torch"] = partial(_torch, torch, torch.from_numpy(Q), torch.from_numpy(keys))
            yield Case(f"{K} best of {n:,} keys {what}", partial(best, Q, Catalogue.of(keys)), others, {}, ROUNDING)


def best(Q: np.ndarray, catalogue: Catalogue) -> np.ndarray:
    """The ten largest products of each query, by our kernel."""
    return nearest(Q, catalogue, k=K)[1]


def _plain(Q: np.ndarray, keys: np.ndarray) -> np.ndarray:
    found = []
    for low in range(0, len(Q), FEW):  # all products of all queries may not fit
        s = Q[low : low + FEW] @ keys.T
        found.append(-np.sort(-np.partition(s, s.shape[1] - K, axis=1)[:, -K:], axis=1))
    return np.concatenate(found)


def _torch(torch: Any, Q: Any, keys: Any) -> Any:
    return torch.cat([torch.topk(Q[low : low + FEW] @ keys.T, K, dim=1).values for low in range(0, len(Q), FEW)])
