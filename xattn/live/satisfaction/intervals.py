"""Shares and means over people, with 95 % intervals that know that one person's answers hang together.

A share p = Σ hits / Σ shown over U people has the variance U/(U−1) · Σ_u (hits_u − p·shown_u)² / (Σ shown)². Where that
is more than p(1−p)/Σ shown, the number shown counts for less by this factor (the design effect, Kish 1965). The
interval is Wilson's (1927) for the number that is left, so it holds for few and for none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

__all__ = ["Seen", "mean", "share", "wilson"]

Z = float(stats.norm.ppf(0.975))


class Seen(NamedTuple):
    """How much was `shown` to one person, and how much of it was a hit."""

    hits: float
    shown: int


def wilson(p: float, n: float) -> tuple[float, float]:
    """Wilson's interval of a share `p` of `n`.

    >>> tuple(round(end, 4) for end in wilson(0.5, 10)), tuple(round(end, 4) for end in wilson(0.0, 10))
    ((0.2366, 0.7634), (0.0, 0.2775))
    """
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def share(seen: Sequence[Seen]) -> dict[str, Any]:
    """The share of hits as ``{"value", "ci95", "n"}``, over people; None where nothing was shown."""
    hits, shown = (np.array([one[at] for one in seen], float) for at in (0, 1))
    n = float(shown.sum())
    if n == 0:
        return {"value": None, "ci95": None, "n": 0}
    p = float(hits.sum() / n)
    plain, people = p * (1 - p) / n, len(seen)
    effect = 1.0
    if plain > 0 and people > 1:
        effect = max(1.0, float(((hits - p * shown) ** 2).sum()) * people / (people - 1) / n**2 / plain)
    return {"value": p, "ci95": list(wilson(p, n / effect)), "n": int(n)}


def mean(values: Sequence[float]) -> dict[str, Any]:
    """The mean of one number a person, with Student's interval; without one where fewer than two answered."""
    own = np.asarray(values, float)
    if not len(own):
        return {"value": None, "ci95": None, "n": 0}
    middle = float(own.mean())
    if len(own) == 1:
        return {"value": middle, "ci95": None, "n": 1}
    half = float(stats.t.ppf(0.975, len(own) - 1) * own.std(ddof=1) / np.sqrt(len(own)))
    return {"value": middle, "ci95": [middle - half, middle + half], "n": len(own)}
