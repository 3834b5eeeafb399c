"""`roofline`: the machine's ceilings, and how near the kernels come to the least time in which it could do their work.

The rival is that least time, so that the ratio is the share of the machine that is reached (`xattn.bench.roofline`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from xattn.bench.case import Figure, Plan, Run
from xattn.bench.made_up import made_up
from xattn.bench.race import race, warmed
from xattn.bench.roofline import Needs, ceilings
from xattn.bench.suites.recommend import fitted
from xattn.bench.suites.score import KEY, VALUE, asked
from xattn.bench.suites.softmax import logits
from xattn.bench.suites.topk import K, top_values
from xattn.bench.suites.train import TAU, Histories, histories, sums
from xattn.kernels.compile import num_threads
from xattn.kernels.gram import NEGLIGIBLE
from xattn.kernels.pool import pool_scores
from xattn.kernels.softmax import weights
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.value_table import ClosedForm

__all__ = ["suite"]

CEILING = "ceiling"


class Piece(NamedTuple):
    """A kernel at work: what it cannot do without, and how it is run."""

    work: str
    needs: Needs
    run: Run


def suite(plan: Plan) -> Iterator[Figure]:
    plan.tell("ceilings")
    for threads in sorted({1, num_threads()}):
        best = ceilings(threads, plan.quick)
        many = f"{threads} thread{'s' * (threads > 1)}"
        yield Figure(f"copy, {many}: {best.bandwidth / 1e9:.1f} GB/s", 1e9 / best.bandwidth)
        yield Figure(f"sgemm, {many}: {best.flops / 1e9:.0f} GFLOP/s", 1e9 / best.flops)
        yield Figure(f"exp, {many}: {best.exps / 1e9:.2f} G/s", 1e9 / best.exps)
    for piece in _pieces(plan.quick):
        plan.tell(piece.work)
        ours = {"": piece.run}
        times = race(ours, warmed(ours).seconds, plan.rounds)[""]
        yield Figure.of(f"{piece.work}: {piece.needs}", times, CEILING, piece.needs.seconds(best))


def _pieces(quick: bool) -> Iterator[Piece]:
    for rows, columns in ((100, 16),) if quick else ((10_000, 128), (2_000, 2_000), (100_000, 50)):
        e = logits(rows, columns)
        yield Piece(f"softmax, {rows:,} × {columns:,}", Needs(8.0 * e.size, 0.0, e.size), partial(weights, e))
    for J, n in ((500, 20),) if quick else ((10_000, 100), (100_000, 200), (1_000_000, 50)):
        x = asked(J, n)
        needs = Needs(4.0 * (sum(part.size for part in x) + J), 2.0 * J * n * (KEY + VALUE + 1), float(J) * n)
        yield Piece(f"score, {J:,} × {n}", needs, x.scores)
    s = np.random.default_rng(0).standard_normal((8, 1_000) if quick else (256, 100_000), np.float32)
    yield Piece(f"{K} best of {s.shape[1]:,}, {len(s)} rows", Needs(4.0 * s.size), partial(top_values, s))
    events, users, items = (2_000, 60, 80) if quick else (1_000_000, 6_000, 3_400)
    yield _sums(histories(made_up(events, users=users, items=items)))
    yield _pool(*((2_000, 60, 80) if quick else (events, users, items)))


def _sums(x: Histories) -> Piece:
    H, C = len(TAU), x.C
    after = np.repeat(x.indptr[1:], np.diff(x.indptr)) - 1 - np.arange(len(x.item))
    before = np.arange(len(x.item)) - np.repeat(x.indptr[:-1], np.diff(x.indptr))
    reach = [-np.log(NEGLIGIBLE) * tau for tau in TAU]
    adds = _within(after, [reach[h] for h in range(H) for _ in range(h, H)])
    adds += _within(before, [reach[g] for h in range(H) for g in range(h, H)]) + _within(after, reach)
    needs = Needs(4.0 * (H * C) * (H * C + C), 2.0 * adds)
    return Piece(f"sums of {len(x.item):,} events", needs, lambda: sums(x))


def _within(distance: np.ndarray, reach: Sequence[float]) -> float:
    """Pairs of events up to each of `reach` apart, where `distance` (N,) is how many there are on one side."""
    return float(sum(np.minimum(distance, most).sum() for most in reach))


def _pool(events: int, users: int, items: int) -> Piece:
    """Scores of the whole catalogue for all users, as `recommend` takes them, in blocks of 1,000 users."""
    model = fitted(events, users, items)
    data, (part,) = model.data_, model.parts_
    assert isinstance(part, CollaborativePart)
    assert isinstance(part.form, ClosedForm)
    V, row = part.form.V, part.form.row_of_item[data.item]
    coef = np.random.default_rng(0).random((len(V), data.n_events)) + 0.1

    def run() -> None:
        for low in range(0, users, 1_000):
            ptr = data.indptr[low : low + 1_001]
            events = slice(ptr[0], ptr[-1])
            pool_scores(ptr - ptr[0], row[events], coef[:, events], V)

    needs = Needs(float(V.nbytes) + 8.0 * users * V.shape[2], 2.0 * coef.size * V.shape[2])
    return Piece(f"scores of {V.shape[2]:,} items for {users:,} users", needs, run)
