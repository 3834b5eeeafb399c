"""The bench runs suites one after the other. It compares the results of a case first, and then races its contestants.

A ratio is rival ÷ ours, both medians of the rounds; the spread is the interquartile range of the ratios of the rounds.
Only the figures of `cold-start` contain compile time. Where a rival's result differs from ours by more than the case
allows, the run ends with an error, because the speed of a wrong answer means nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xattn.bench.case import LIMIT, Case, Figure, Plan, WrongAnswer, agree
from xattn.bench.machine import machine
from xattn.bench.race import race, warmed
from xattn.bench.suites import SUITES
from xattn.errors import check_choice, check_whole
from xattn.progress import Progress, silent

__all__ = ["ROUNDS", "Stopped", "WrongAnswer", "bench"]

ROUNDS = 9


class Stopped(KeyboardInterrupt):
    """Ctrl-C during a bench; `result` holds the rows that were finished."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__()
        self.result = result


def bench(
    suites: Sequence[str] | None = None,
    *,
    rounds: int = ROUNDS,
    quick: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run `suites` (default: all); returns ``{"machine": {…}, "rows": [...]}``.

    A row holds suite, work, rival, ours_ms, rival_ms, ratio (rival ÷ ours; above 1, ours is faster), spread (of the
    ratio), and bar, the ratio to reach, or None. Rows without a rival hold ours_ms alone; `xattn.bench.case` says what
    the rival is where the aim is a time or a growth. `quick` takes small sizes, to see that everything works, not how
    fast it is. Raises InputError for an unknown suite, WrongAnswer where results differ, Stopped (a KeyboardInterrupt
    with the rows so far) on Ctrl-C.

    >>> bench(["softmax"], rounds=1, quick=True)["rows"][0]["rival"]
    'scipy'
    """
    chosen = list(SUITES) if suites is None else list(dict.fromkeys(suites))
    for name in chosen:
        check_choice("suite", name, tuple(SUITES))
    rounds = check_whole("rounds", rounds, low=1)
    tell = progress or silent
    result: dict[str, Any] = {"machine": machine(), "rows": []}
    try:
        for place, name in enumerate(chosen):

            def say(what: str, name: str = name, share: float = place / len(chosen)) -> None:
                tell(f"{name}: {what}", share)

            for found in SUITES[name](Plan(rounds, quick, say)):
                figures = [found] if isinstance(found, Figure) else _raced(name, found, rounds, say)
                result["rows"] += [figure.row(name) for figure in figures]
    except KeyboardInterrupt:
        raise Stopped(result) from None
    tell("done", 1.0)
    return result


def _raced(suite: str, case: Case, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    say(case.work)
    contestants = {"": case.ours, **case.rivals}
    results, seconds = warmed(contestants)
    for name in case.rivals:
        if name not in case.apart:
            agree(f"{suite}, {case.work}", name, results[""], results[name], case.atol)
    del results
    times = race(contestants, seconds, rounds)
    ours = times.pop("")
    figures = [Figure.of(case.work, ours, name, rival, case.bars.get(name)) for name, rival in times.items()]
    if case.limit is not None:
        figures.append(Figure.of(case.work, ours, LIMIT, case.limit, 1.0))
    return figures or [Figure.of(case.work, ours)]
