"""The race is fair: everybody is warm, everybody takes turns, quick work is repeated, slow work is not."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from xattn.bench import race as module
from xattn.bench.case import Run
from xattn.bench.race import BUDGET, LEAST, clock, race, warmed
from xattn.bench.threads import OURS, limited
from xattn.kernels.compile import num_threads


def test_times_are_seconds_of_one_run() -> None:
    runs: dict[str, Run] = {"short": lambda: time.sleep(0.001), "long": lambda: time.sleep(0.012)}
    times = race(runs, {"short": 0.001, "long": 0.012}, rounds=5)
    assert 0.001 <= np.median(times["short"]) < 0.006
    assert 0.012 <= np.median(times["long"]) < 0.030


def test_quick_work_is_repeated_and_begins_with_runs_that_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(module, "MOMENT", 0.0)
    race({"quick": lambda: calls.append(1)}, {"quick": 0.0005}, rounds=2)
    assert len(calls) == 2 * (1 + 4)
    calls.clear()
    monkeypatch.setattr(module, "MOMENT", 0.02)
    start = time.perf_counter()
    race({"quick": lambda: (calls.append(1), time.sleep(0.001))}, {"quick": 0.002}, rounds=1)
    assert time.perf_counter() - start >= 0.02
    assert len(calls) > 2


def test_slow_work_gets_fewer_rounds_but_not_less_than_three() -> None:
    def said(seconds: float) -> int:
        return len(race({"": lambda: None}, {"": seconds}, rounds=9)[""])

    assert (said(BUDGET), said(BUDGET / 5), said(1e-3)) == (LEAST, 5, 9)
    assert len(race({"": lambda: None}, {"": BUDGET}, rounds=1)[""]) == 1


def test_compiling_is_not_in_the_time_that_is_expected() -> None:
    state = {"compiled": False}

    def run() -> str:
        if not state["compiled"]:
            time.sleep(0.2)
            state["compiled"] = True
        return "done"

    warm = warmed({"": run})
    assert warm.results[""] == "done"
    assert warm.seconds[""] < 0.1
    assert clock(run) < 0.1


def test_threads_are_limited_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OURS, raising=False)
    before = num_threads()
    with limited(1):
        assert num_threads() == 1
    assert (num_threads(), OURS in os.environ) == (before, False)
    monkeypatch.setenv(OURS, "2")
    with limited(1, ours=False):
        assert os.environ[OURS] == "2"
    with pytest.raises(RuntimeError, match="on the way"):
        _break_off()
    assert os.environ[OURS] == "2"


def _break_off() -> None:
    with limited(1):
        assert os.environ[OURS] == "1"
        raise RuntimeError("on the way")
