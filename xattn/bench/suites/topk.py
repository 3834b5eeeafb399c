"""`topk`: the ten best of each of 256 rows, float32. Values are compared; which of two equal ones is taken is not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from xattn.bench import rivals
from xattn.bench.case import Case, Plan, Run
from xattn.bench.machine import free_memory
from xattn.kernels.topk import top_k

__all__ = ["suite", "top_values"]

SIZES = (100_000, 1_000_000)
QUICK = (1_000,)
ROWS = 256
FEW = 32  # rows, where memory is short; and rows that NumPy takes at once, since it copies what it partitions
K = 10
BARS = {"numpy": 1.5, "torch": 1.5}


def suite(plan: Plan) -> Iterator[Case]:
    torch = rivals.torch()
    for items in QUICK if plan.quick else SIZES:
        rows = ROWS if _fits(4 * ROWS * items) else FEW
        s = np.random.default_rng(0).standard_normal((rows, items), np.float32)
        others: dict[str, Run] = {"numpy": partial(_plain, s)}
        if torch:
            others["torch"] = partial(_torch_top, torch, torch.from_numpy(s))
        yield Case(f"{K} best of {items:,}, {rows} rows", partial(top_values, s), others, BARS, 0.0)


def _fits(size: int) -> bool:
    """Whether so many bytes, and as many again, are free."""
    free = free_memory()
    return free is not None and 2 * size + 2**30 < free


def top_values(s: np.ndarray) -> np.ndarray:
    """The ten best values of each row, by our kernel."""
    return np.asarray(np.take_along_axis(s, top_k(s, None, K).items, 1))


def _plain(s: np.ndarray) -> np.ndarray:
    return np.concatenate([_plain_block(s[low : low + FEW]) for low in range(0, len(s), FEW)])


def _plain_block(s: np.ndarray) -> np.ndarray:
    best = np.argpartition(s, s.shape[1] - K, axis=1)[:, -K:]
    return np.asarray(-np.sort(-np.take_along_axis(s, best, 1), axis=1))


def _torch_top(torch: Any, s: Any) -> Any:
    return torch.topk(s, K, dim=1).values
