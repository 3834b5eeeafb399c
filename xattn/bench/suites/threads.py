"""`threads`: the big pieces of work in all threads against the same in one. Results must be equal to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from xattn.bench.case import Case, Plan, Run
from xattn.bench.made_up import made_up
from xattn.bench.suites.attention import tables
from xattn.bench.suites.recommend import fitted
from xattn.bench.suites.score import asked
from xattn.bench.suites.softmax import logits
from xattn.bench.suites.topk import top_values
from xattn.bench.suites.train import histories, sums
from xattn.bench.threads import limited
from xattn.kernels.scorers import additive
from xattn.kernels.softmax import weights

__all__ = ["suite"]

ONE = "one thread"
BAR = 1.7  # of two


def suite(plan: Plan) -> Iterator[Case]:
    for work, run in _pieces(plan.quick):
        yield Case(work, run, {ONE: partial(_alone, run)}, {ONE: BAR}, 0.0)


def _alone(run: Run) -> object:
    with limited(1):
        return run()


def _pieces(quick: bool) -> Iterator[tuple[str, Run]]:
    for rows, columns in ((200, 100),) if quick else ((2_000, 2_000), (100_000, 50)):
        e = logits(rows, columns)
        yield f"softmax, {rows:,} × {columns:,}", partial(weights, e)
    for candidates, events in ((500, 20),) if quick else ((100_000, 200), (1_000_000, 50)):
        yield f"score, {candidates:,} candidates × {events} events", asked(candidates, events).scores
    t = tables(*((30, 40, 8) if quick else (1_000, 1_000, 64)))
    yield "additive scores", lambda: additive(t.q, t.k, t.Wq, t.Wk, t.u)
    rows, items = (8, 1_000) if quick else (256, 100_000)
    s = np.random.default_rng(0).standard_normal((rows, items), np.float32)
    yield f"10 best of {items:,}, {rows} rows", lambda: top_values(s)
    events, users, items = (2_000, 60, 80) if quick else (1_000_000, 6_000, 3_400)
    h = histories(made_up(events, users=users, items=items))
    yield f"sums of {events:,} events", lambda: sums(h)
    model = fitted(events, users, items)
    yield f"recommend 10 for {users:,} users", lambda: model.recommend_many(model.data_.user_ids, k=10)["score"]
