"""The race: contestants take turns, round after round, so that a noisy moment affects all of them alike.

A contestant whose runs are short first runs unmeasured for a moment. By then the threads that another library left
spinning are asleep (those of OpenBLAS take some 20 ms), its own threads are awake and have a core each, and the caches
hold its data. The order changes with each round. Quick work is repeated within a round; work that takes seconds gets
fewer rounds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from xattn.bench.case import Run

__all__ = ["Warm", "clock", "race", "warmed"]

SHORTEST = 0.002  # seconds: quicker work is repeated within a turn until it takes so long
CHEAP = 0.05  # seconds: runs as short as this are preceded by runs that do not count, …
MOMENT = 0.04  # … for so many seconds
BUDGET = 15.0  # seconds that one case may take in all its rounds, …
LEAST = 3  # … but it gets so many rounds, or all if there are fewer


class Warm(NamedTuple):
    """The results of the first runs, by contestant, and about how long one run takes."""

    results: dict[str, Any]
    seconds: dict[str, float]


def clock(run: Run) -> float:
    """Seconds that one run takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def warmed(contestants: Mapping[str, Run]) -> Warm:
    """Run each once, so that everything is compiled and loaded; and once more where that is quick, to time it."""
    warm = Warm({}, {})
    for name, run in contestants.items():
        start = time.perf_counter()
        warm.results[name] = run()
        first = time.perf_counter() - start
        warm.seconds[name] = first if first > 1.0 else clock(run)
    return warm


def race(contestants: Mapping[str, Run], seconds: Mapping[str, float], rounds: int) -> dict[str, np.ndarray]:
    """Seconds a run, by contestant, of each round; `seconds` says about how long each takes.

    >>> turns = []
    >>> times = race({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, {"a": 1.0, "b": 1.0}, 2)
    >>> turns, len(times["a"])
    (['a', 'b', 'b', 'a'], 2)
    """
    names = list(contestants)
    rounds = min(rounds, max(LEAST, int(BUDGET / max(1e-9, sum(seconds.values())))))
    times = {name: np.empty(rounds) for name in names}
    for r in range(rounds):
        first = r % len(names)
        for name in names[first:] + names[:first]:
            run = contestants[name]
            if seconds[name] < CHEAP:
                ready = time.perf_counter() + MOMENT
                run()
                while time.perf_counter() < ready:
                    run()
            repeats = max(1, int(SHORTEST / max(seconds[name], 1e-7)))
            start = time.perf_counter()
            for _ in range(repeats):
                run()
            times[name][r] = (time.perf_counter() - start) / repeats
    return times
