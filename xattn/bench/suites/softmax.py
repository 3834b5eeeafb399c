"""`softmax`: attention weights of a table of logits, float32."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy import special

from xattn.bench import rivals
from xattn.bench.case import Case, Plan, Run
from xattn.kernels.softmax import weights

__all__ = ["logits", "suite"]

SIZES = ((10_000, 128), (2_000, 2_000), (100_000, 50))
QUICK = ((100, 16), (20, 50))
BARS = {"torch": 1.0, "scipy": 6.0}
ATOL = 1e-6  # eight float32 roundings of the largest weight there is, 1


def suite(plan: Plan) -> Iterator[Case]:
    torch = rivals.torch()
    for rows, columns in QUICK if plan.quick else SIZES:
        e = logits(rows, columns)
        others: dict[str, Run] = {"scipy": partial(special.softmax, e, axis=1), "numpy": partial(plain_softmax, e)}
        if torch:
            others["torch"] = partial(torch.softmax, torch.from_numpy(e), dim=1)
        yield Case(f"{rows:,} × {columns:,}", partial(weights, e), others, BARS, ATOL)


def logits(rows: int, columns: int) -> np.ndarray:
    """Normal numbers (rows, columns), float32."""
    return np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32)


def plain_softmax(e: np.ndarray) -> np.ndarray:
    """The naive version."""
    z = np.exp(e - e.max(axis=1, keepdims=True))
    return np.asarray(z / z.sum(axis=1, keepdims=True))
