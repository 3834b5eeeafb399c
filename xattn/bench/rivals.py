"""Rivals that may not be installed; a library that is not there is left out of a race, not replaced."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from xattn.bench.threads import limited
from xattn.data import Interactions

__all__ = ["als_lists", "torch"]


def torch() -> Any:
    """PyTorch, None where it is not installed."""
    if find_spec("torch") is None:
        return None
    import torch

    return torch


def als_lists(data: Interactions, k: int, factors: int) -> Callable[[], np.ndarray] | None:
    """implicit's ALS asked for the `k` best unseen items of every user, item rows (U, k); None where it is not there.

    It is fitted here, in one pass, because the quality of its vectors does not change how long a list takes. It keeps
    its own threads; BLAS gets one, as implicit recommends.
    """
    if find_spec("implicit") is None:
        return None
    from xattn.evaluate.rivals import ALS
    from xattn.evaluate.rivals.factors import taken

    model = ALS(factors=factors, iterations=1).fit(data)._model
    users, seen = np.arange(data.n_users, dtype=np.int32), taken(data)

    def lists() -> np.ndarray:
        with limited(1, ours=False):
            return np.asarray(model.recommend(users, seen, N=k, filter_already_liked_items=True)[0])

    return lists
