"""Timing of cases: all contestants warm, then in turn, round after round, so that a noisy moment meets all of them
alike.

A ratio is rival ÷ ours, both medians of the rounds; the spread is the interquartile range of the per-round ratios.
Compile time is in no figure. Where a rival's result differs from ours by more than the case allows, the run ends with
an error: a wrong answer has no speed.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xattn.bench.suites import SUITES, Case
from xattn.errors import XattnError, check_choice, check_whole
from xattn.kernels.compile import num_threads, threading_layer

__all__ = ["WrongAnswer", "bench"]

ROUNDS = 9
SHORTEST = 0.002  # seconds: quicker work is repeated within a round until it takes so long


class WrongAnswer(XattnError):
    """Ours and a rival disagree on the result of a case."""


def bench(
    suites: Sequence[str] | None = None, *, rounds: int = ROUNDS, progress: Callable[[str, float], None] | None = None
) -> dict[str, Any]:
    """Run `suites` (default: all); returns ``{"machine": {…}, "rows": [...]}``.

    A row holds suite, work, rival, ours_ms, rival_ms, ratio (rival ÷ ours, above 1: ours is faster), spread (of the
    ratio), and bar: the ratio that is aimed at, None where there is none. Rows without a rival hold ours_ms alone.
    Raises InputError for an unknown suite, WrongAnswer where results differ.
    """
    chosen = list(SUITES) if suites is None else list(dict.fromkeys(suites))
    for name in chosen:
        check_choice("suite", name, tuple(SUITES))
    rounds = check_whole("rounds", rounds, low=1)
    tell = progress or (lambda what, share: None)
    rows: list[dict[str, Any]] = []
    for place, name in enumerate(chosen):
        for case in SUITES[name]():
            tell(f"{name}: {case.work}", place / len(chosen))
            rows += _rows(name, case, rounds)
    tell("done", 1.0)
    return {"machine": machine(), "rows": rows}


def machine() -> dict[str, Any]:
    """What the figures were taken on; `held_back` names variables that keep NumPy's BLAS to older instructions."""
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "threads": num_threads(),
        "layer": threading_layer(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "held_back": [name for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE") if name in os.environ],
    }


def _rows(suite: str, case: Case, rounds: int) -> list[dict[str, Any]]:
    contestants = {"": case.ours, **case.rivals}
    results = {name: np.asarray(run()) for name, run in contestants.items()}  # warms everybody up
    for name, result in results.items():
        if result.shape != results[""].shape or not np.allclose(result, results[""], rtol=0, atol=case.atol):
            raise WrongAnswer(f"{suite}, {case.work}: {name} must agree with xattn within {case.atol:g}; it does not.")
    times = {name: np.empty(rounds) for name in contestants}
    repeats = {name: _repeats(run) for name, run in contestants.items()}
    for r in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                run()
            times[name][r] = (time.perf_counter() - start) / repeats[name]
    ours = times.pop("")
    row = {"suite": suite, "work": case.work, "ours_ms": float(np.median(ours)) * 1e3}
    if not times:
        return [{**row, "rival": None, "rival_ms": None, "ratio": None, "spread": None, "bar": None}]
    rows = []
    for name, rival in times.items():
        low, high = np.quantile(rival / ours, [0.25, 0.75])
        rows.append(
            {
                **row,
                "rival": name,
                "rival_ms": float(np.median(rival)) * 1e3,
                "ratio": float(np.median(rival) / np.median(ours)),
                "spread": float(high - low),
                "bar": case.bars.get(name),
            }
        )
    return rows


def _repeats(run: Callable[[], Any]) -> int:
    start = time.perf_counter()
    run()
    return max(1, int(SHORTEST / max(time.perf_counter() - start, 1e-7)))
