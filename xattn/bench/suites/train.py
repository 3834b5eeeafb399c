"""`train`: the closed form with two heads, whole and in parts, and one epoch of the learned model.

    sums    A = Σ zᵀz and B = Σ zᵀy over all prefixes: ours and NumPy's
    solve   (A + λI)⁻¹ B, against the time in which sgemm would do n³/3 + 2n²m operations
    epoch   SequenceAttention once over a tenth of the events; SASRec (PyTorch) is another network over the same events

NumPy's sums take all pairs of events at one distance at once; matrix products user by user took eight times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import signal

from xattn.bench.case import Case, Figure, Plan, Run
from xattn.bench.made_up import made_up
from xattn.bench.race import clock
from xattn.bench.roofline import sgemm_rate
from xattn.data import Interactions
from xattn.kernels.gram import NEGLIGIBLE, accumulate_gram, accumulate_targets, normalisers, occurrences, tails
from xattn.model.fit import closed_form
from xattn.recommenders import CollaborativeAttention, SequenceAttention

__all__ = ["Histories", "histories", "suite", "sums"]

EVENTS, USERS, ITEMS = 1_000_000, 6_000, 3_400
QUICK = (2_000, 60, 80)
TAU, BETA = np.array([3.0, 20.0]), np.array([0.35, 0.35])  # the model's defaults
LAMBDA = 80.0
LIMIT = 20.0  # seconds
LAG = 10  # of the events and users that an epoch sees, one in so many
SASREC = "SASRec, PyTorch"


class Histories(NamedTuple):
    """Events `item` (N,) of users cut by `indptr` (U+1,), over C items that all have a row."""

    indptr: np.ndarray
    item: np.ndarray
    C: int


def suite(plan: Plan) -> Iterator[Case | Figure]:
    events, users, items = QUICK if plan.quick else (EVENTS, USERS, ITEMS)
    data = made_up(events, users=users, items=items)
    work = f"{events:,} events, {items:,} items, {len(TAU)} heads"
    yield Case(f"closed form, {work}", lambda: CollaborativeAttention().fit(data).base_, {}, {}, 0.0, limit=LIMIT)
    x = histories(data)
    largest = float(sums(x)[0].max())
    yield Case(f"sums of {work}", lambda: sums(x), {"numpy": lambda: _plain_sums(x)}, {"numpy": 10.0}, 1e-5 * largest)
    yield _solve(plan, x)
    yield from _epoch(events // LAG, users // LAG, items)


def histories(data: Interactions) -> Histories:
    """The events of `data`."""
    return Histories(data.indptr, data.item, data.n_items)


def sums(x: Histories) -> tuple[np.ndarray, np.ndarray]:
    """A (HC, HC), its upper block triangle, and B (HC, C), by our kernels."""
    rho = np.exp(-1.0 / TAU)
    occ = occurrences(x.indptr, x.item, np.arange(x.C), x.C)
    w = np.ones((len(TAU), len(x.item)))
    c = normalisers(x.indptr, rho, BETA)
    A = accumulate_gram(occ, w, rho, tails(x.indptr, rho, c), np.float32)
    return A, accumulate_targets(occ, occ.row, x.C, w, rho, c, np.float32)[0]


def _plain_sums(x: Histories) -> tuple[np.ndarray, np.ndarray]:
    """The same by NumPy: for each distance between two events all pairs at once (docs/model.md, eq. 10 and 11)."""
    H, C, item = len(TAU), x.C, x.item
    rho = np.exp(-1.0 / TAU)
    n = np.diff(x.indptr)
    t = np.arange(len(item)) - np.repeat(x.indptr[:-1], n)
    stop = np.repeat(x.indptr[1:], n)
    c = np.array([np.where(t, (1 - r**t) / (1 - r), np.inf) ** -beta for r, beta in zip(rho, BETA, strict=True)])
    A, B = np.zeros(H * C * H * C), np.zeros(H * C * C)
    for h in range(H):
        for g in range(h, H):
            tail = _plain_tail(c[h] * c[g], rho[h] * rho[g], x.indptr)
            np.add.at(A, (h * C + item) * (H * C) + g * C + item, tail)
            older = np.arange(len(item))
            for gap in range(1, int(n.max())):
                older = older[older + gap < stop[older]]
                newer = older + gap
                if rho[h] ** gap >= NEGLIGIBLE:
                    cells = (h * C + item[older]) * (H * C) + g * C + item[newer]
                    np.add.at(A, cells, rho[h] ** gap * tail[newer])
                if rho[g] ** gap >= NEGLIGIBLE:
                    cells = (h * C + item[newer]) * (H * C) + g * C + item[older]
                    np.add.at(A, cells, rho[g] ** gap * tail[newer])
                if g == h and rho[h] ** (gap - 1) >= NEGLIGIBLE:
                    np.add.at(B, (h * C + item[older]) * C + item[newer], rho[h] ** (gap - 1) * c[h, newer])
                if max(rho[h], rho[g]) ** gap < NEGLIGIBLE:
                    break
    return A.reshape(H * C, H * C), B.reshape(H * C, C)


def _plain_tail(cc: np.ndarray, r: float, indptr: np.ndarray) -> np.ndarray:
    """Σ_{t>p} cc_t r^(t−1−p) for each event p."""
    tail = np.zeros(len(cc))
    for low, high in pairwise(indptr):
        tail[low : high - 1] = signal.lfilter([1.0], [1.0, -r], cc[low + 1 : high][::-1])[::-1]
    return tail


def _solve(plan: Plan, x: Histories) -> Figure:
    A, B = sums(x)
    n, m = B.shape
    flops = n**3 / 3 + 2.0 * n**2 * m
    work = f"solve of {n:,} unknowns for {m:,} targets, {flops / 1e9:,.3g} GFLOP"
    plan.tell(work)
    rounds = min(plan.rounds, 3)
    ours, best = np.empty(rounds), np.empty(rounds)
    for r in range(-1, rounds):  # the first round warms up
        ours[r] = clock(partial(closed_form._solve, A.copy(), B.copy(), LAMBDA))
        best[r] = flops / sgemm_rate(512 if plan.quick else 4096)
    return Figure.of(work, ours, "sgemm", best, 0.6)


def _epoch(events: int, users: int, items: int) -> Iterator[Case]:
    data = made_up(events, users=users, items=items)

    def ours() -> None:
        SequenceAttention(epochs=1).fit(data)

    others: dict[str, Run] = {}
    if find_spec("torch"):
        from xattn.evaluate.rivals import SASRec

        others[SASREC] = lambda: SASRec(epochs=1).fit(data) and None
    yield Case(f"learned model, one epoch over {events:,} events", ours, others, {}, 0.0, frozenset({SASREC}))
