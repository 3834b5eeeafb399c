"""`scale`: cost against size over two decades, half a decade a step, with the exponent p of the best c·n^p.

The rows without a rival are the points of a chart, work "WHAT, N UNIT". The others give the line through them, fitted
on log axes, at the largest size, beside growth as n^1.1 from the smallest size.

    fit     events of more users, alike in length, over 1,000 items; and the sums alone, since the rest of a fit depends
            on the items
    serve   items, of which some thousand have values and all have features: ten recommendations, a ledger of each
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from xattn.bench.case import Figure, Plan, Run
from xattn.bench.made_up import made_up
from xattn.bench.race import race, warmed
from xattn.bench.suites.serve import answer
from xattn.bench.suites.train import histories, sums
from xattn.recommenders import CollaborativeAttention, HybridAttention

__all__ = ["exponent", "suite"]

MOST = 1.1  # the exponent aimed at
SIZES = {"events": (10_000, 31_623, 100_000, 316_228, 1_000_000), "items": (1_000, 3_162, 10_000, 31_623, 100_000)}
QUICK = {"events": (500, 1_000, 2_000), "items": (40, 80, 160)}
PER_USER = 170  # events
CATALOGUE = 1_000  # items while the events grow
HISTORIES = (30_000, 300)  # events and users while the items grow
ASKED = 10  # users that are answered at each size


def suite(plan: Plan) -> Iterator[Figure]:
    sizes = QUICK if plan.quick else SIZES
    yield from _growth(plan, "fit", "events", sizes["events"], lambda n: _fit(n, plan.quick))
    yield from _growth(plan, "sums of a fit", "events", sizes["events"], lambda n: _sums(n, plan.quick))
    yield from _growth(plan, "serve", "items", sizes["items"], lambda n: _serve(n, plan.quick))


def exponent(sizes: Sequence[int], seconds: np.ndarray) -> np.ndarray:
    """Slope and intercept (2, rounds) of log seconds (sizes, rounds) over log size.

    >>> exponent([10, 100], np.array([[1.0], [1000.0]]))[0].round(6).tolist()
    [3.0]
    """
    return np.asarray(np.polyfit(np.log(sizes), np.log(seconds), 1))


def _growth(plan: Plan, what: str, unit: str, sizes: Sequence[int], make: Callable[[int], Run]) -> Iterator[Figure]:
    runs: dict[str, Run] = {}
    for n in sizes:
        plan.tell(f"{what}, {n:,} {unit}")
        runs[f"{what}, {n:,} {unit}"] = make(n)
    times = race(runs, warmed(runs).seconds, plan.rounds)
    for work, seconds in times.items():
        yield Figure.of(work, seconds)
    each, _ = exponent(sizes, np.array(list(times.values())))
    slope, start = exponent(sizes, np.array([[np.median(seconds)] for seconds in times.values()]))[:, 0]
    low, high = (float(np.exp(start + slope * np.log(n))) for n in (sizes[0], sizes[-1]))
    grown = sizes[-1] / sizes[0]
    work = f"{what}, {sizes[0]:,} to {sizes[-1]:,} {unit}: exponent {slope:.2f}"
    yield Figure(work, high, f"growth n^{MOST}", low * grown**MOST, grown ** (MOST - each), 1.0)


def _users(events: int) -> int:
    return max(10, events // PER_USER)


def _fit(events: int, quick: bool) -> Run:
    data = made_up(events, users=_users(events), items=50 if quick else CATALOGUE)
    return lambda: CollaborativeAttention(min_events=1).fit(data)


def _sums(events: int, quick: bool) -> Run:
    x = histories(made_up(events, users=_users(events), items=50 if quick else CATALOGUE))
    return lambda: sums(x)


def _serve(items: int, quick: bool) -> Run:
    events, users = (500, 20) if quick else HISTORIES
    data = made_up(events, users=users, items=items, features=True)
    model = HybridAttention(learned="never").fit(data)
    asked = data.user_ids[: 2 if quick else ASKED]

    def run() -> None:
        for user in asked:
            answer(model, user)

    return run
