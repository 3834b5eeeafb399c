"""What a suite yields: cases to be raced, and figures that it has measured itself.

Whatever is measured ends as a row with the same eight keys, so a row has one meaning: `ratio` is `rival_ms / ours_ms`,
and an aim is met where ratio ≥ bar. What has no rival but an aim is given one:

    aim                         rival           rival_ms
    a time                      "limit"         the time allowed; bar 1
    two threads                 "one thread"    our own time in one thread
    a share of the machine      "sgemm", …      the time in which the machine's best would do the same amount of work
    growth as n^p               "growth n^p"    our time at the smallest size × (largest/smallest)^p; bar 1
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from xattn.errors import XattnError, refuse

__all__ = ["LIMIT", "Case", "Figure", "Plan", "Run", "WrongAnswer", "agree"]

LIMIT = "limit"
Run = Callable[[], Any]


class WrongAnswer(XattnError):
    """Ours and a rival disagree on the result of a case."""


class Plan(NamedTuple):
    """How suites run: at most `rounds` of each case; `quick` means small sizes; `tell(what)` says what is going on."""

    rounds: int
    quick: bool
    tell: Callable[[str], None]


class Case(NamedTuple):
    """One piece of work to be raced: ours, the rivals by name, and the ratios aimed at.

    Results may differ from ours by `atol` at most, save those of the rivals in `apart`: another model answers otherwise
    (a suite then says in `work` what is alike). `limit` in seconds adds a row against a time.
    """

    work: str
    ours: Run
    rivals: Mapping[str, Run]
    bars: Mapping[str, float]
    atol: float
    apart: frozenset[str] = frozenset()
    limit: float | None = None


class Figure(NamedTuple):
    """A finished measurement: seconds of ours and of the rival, and their ratio in each round."""

    work: str
    ours: float
    rival: str | None = None
    theirs: float | None = None
    ratios: np.ndarray = np.empty(0)
    bar: float | None = None

    @classmethod
    def of(
        cls, work: str, ours: np.ndarray, rival: str | None = None, theirs: Any = None, bar: float | None = None
    ) -> Figure:
        """Medians of `ours` (rounds,) and `theirs`, seconds of the same rounds or one number for all.

        >>> Figure.of("rest", np.array([1.0, 2.0, 3.0]), "limit", 4.0, 1.0).ratios.tolist()
        [4.0, 2.0, 1.3333333333333333]
        """
        if rival is None:
            return cls(work, float(np.median(ours)))
        return cls(work, float(np.median(ours)), rival, float(np.median(theirs)), np.asarray(theirs / ours), bar)

    def row(self, suite: str) -> dict[str, Any]:
        """The eight keys of a row."""
        compared = self.theirs is not None
        low, high = np.quantile(self.ratios, [0.25, 0.75]) if compared else (0.0, 0.0)
        return {
            "suite": suite,
            "work": self.work,
            "rival": self.rival,
            "ours_ms": self.ours * 1e3,
            "rival_ms": self.theirs * 1e3 if self.theirs is not None else None,
            "ratio": self.theirs / self.ours if self.theirs is not None else None,
            "spread": float(high - low) if compared else None,
            "bar": self.bar,
        }


def agree(what: str, who: str, ours: Any, theirs: Any, atol: float) -> None:
    """Raise WrongAnswer where two results (arrays, or tuples of as many) differ by more than `atol`, in shape, or in
    where they are NaN."""
    if isinstance(ours, tuple):
        for a, b in zip(ours, theirs, strict=True):
            agree(what, who, a, b, atol)
        return
    a, b = np.asarray(ours), np.asarray(theirs)
    if a.shape != b.shape or not np.allclose(b, a, rtol=0, atol=atol, equal_nan=True):
        refuse("wrong_answer", kind=WrongAnswer, what=what, who=who, most=atol)
