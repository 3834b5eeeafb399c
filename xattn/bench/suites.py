"""The suites: what is timed, on which sizes, against whom. A rival that is not installed is left out, not replaced.

`softmax`  attention weights of a table of logits, float32
`score`    one user, many candidates: fused target attention (softmax of dot products, weighted sum), d = 64, float32
`topk`     the ten best of each row, float32
`serve`    one user of the bundled data: recommend, and the full ledger of the first item (no rival does that)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

from xattn.kernels.softmax import weights
from xattn.kernels.target import target_scores
from xattn.kernels.topk import top_k

__all__ = ["SUITES", "Case"]

SEED = 0
Run = Callable[[], Any]


class Case(NamedTuple):
    """One piece of work: ours, the rivals by name, how far results may differ, and the ratios aimed at."""

    work: str
    ours: Run
    rivals: dict[str, Run]
    bars: dict[str, float]
    atol: float


def _torch() -> Any:
    """PyTorch, None where it is not installed."""
    if find_spec("torch") is None:
        return None
    import torch

    return torch


def softmax() -> Iterator[Case]:
    from scipy import special

    torch = _torch()
    for rows, columns in ((10_000, 128), (2_000, 2_000), (100_000, 50)):
        e = np.random.default_rng(SEED).normal(size=(rows, columns)).astype(np.float32)
        rivals: dict[str, Run] = {"scipy": partial(special.softmax, e, axis=1), "numpy": partial(_plain_softmax, e)}
        if torch:
            rivals["torch"] = partial(torch.softmax, torch.from_numpy(e), dim=1)
        yield Case(f"{rows:,} × {columns:,}", partial(weights, e), rivals, {"torch": 1.0, "scipy": 6.0}, 1e-6)


def _plain_softmax(e: np.ndarray) -> np.ndarray:
    z = np.exp(e - e.max(axis=1, keepdims=True))
    return np.asarray(z / z.sum(axis=1, keepdims=True))


def score(sizes: tuple[tuple[int, int], ...] = ((10_000, 100), (100_000, 200), (1_000_000, 50))) -> Iterator[Case]:
    torch = _torch()
    d = 64
    for candidates, events in sizes:
        rng = np.random.default_rng(SEED)
        Q, K = (rng.normal(size=(m, d)).astype(np.float32) for m in (candidates, events))
        c = rng.normal(size=events).astype(np.float32)
        rivals: dict[str, Run] = {"numpy": partial(_plain_score, Q, K, c)}
        if torch:
            rivals["torch sdpa"] = partial(_torch_score, torch, *(torch.from_numpy(x) for x in (Q, K, c)))
        bars = {"torch sdpa": 3.0, "numpy": 4.0}
        ours = partial(target_scores, Q, K, c, d**-0.5)
        yield Case(f"{candidates:,} candidates × {events} events", ours, rivals, bars, 1e-4)


def _plain_score(Q: np.ndarray, K: np.ndarray, c: np.ndarray) -> np.ndarray:
    e = Q @ K.T / np.float32(np.sqrt(Q.shape[1]))
    e -= e.max(axis=1, keepdims=True)
    np.exp(e, out=e)
    return np.asarray((e @ c) / e.sum(axis=1))


def _torch_score(torch: Any, q: Any, k: Any, c: Any) -> Any:
    """Its fast path wants values as wide as the keys: c is the first column, the others are 0."""
    wide = torch.zeros_like(k)
    wide[:, 0] = c
    attend = torch.nn.functional.scaled_dot_product_attention
    return attend(q[None, None], k[None, None], wide[None, None])[0, 0, :, 0]


def topk() -> Iterator[Case]:
    torch = _torch()
    k = 10
    for items in (100_000, 1_000_000):
        s = np.random.default_rng(SEED).normal(size=(32, items)).astype(np.float32)
        rivals: dict[str, Run] = {"numpy": partial(_plain_top, s, k)}
        if torch:
            rivals["torch"] = partial(_torch_top, torch, torch.from_numpy(s), k)
        yield Case(f"10 best of {items:,}, 32 rows", partial(_our_top, s, k), rivals, {"numpy": 1.5, "torch": 1.5}, 0.0)


def _our_top(s: np.ndarray, k: int) -> np.ndarray:
    return np.asarray(np.take_along_axis(s, top_k(s, None, k).items, 1))


def _plain_top(s: np.ndarray, k: int) -> np.ndarray:
    best = np.argpartition(-s, k, axis=1)[:, :k]
    return np.asarray(-np.sort(-np.take_along_axis(s, best, 1), axis=1))


def _torch_top(torch: Any, s: Any, k: int) -> Any:
    return torch.topk(s, k, dim=1).values


def serve() -> Iterator[Case]:
    from xattn.data import load_dataset
    from xattn.recommenders import HybridAttention

    data = load_dataset("movielens-small")
    model = HybridAttention().fit(data)
    users = cycle(data.user_ids[::7])

    def recommend() -> float:
        return float(len(model.recommend(user=next(users))))

    def explain() -> float:
        user = next(users)
        ledger = model.explain(user=user, item=model.recommend(user=user)["item"][0])
        ledger.removals()
        return 0.0

    yield Case("recommend 10 of 9,066 films", recommend, {}, {}, 0.0)
    yield Case("recommend 10, ledger and removals of the first", explain, {}, {}, 0.0)


SUITES: dict[str, Callable[[], Iterator[Case]]] = {"softmax": softmax, "score": score, "topk": topk, "serve": serve}
