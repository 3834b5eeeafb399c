"""The honest cases of a ledger, and how sure its reasons are: categories, each with the rule that decides it.

    popularity   more than half of what the ledger is made of is base (`base_share` > ½)
    short        1 to 4 events
    disagree     the event looked at most is not the one whose removal moves the score most
    no_reason    no event contributes more than 0
    stays        in the list whatever is removed, as far as was tried

Confidence is about the first reason, the event of the largest contribution:

    strong    without it alone the item leaves the list, and no other removal lowers the score more
    weak      the history is short, or the score mostly popularity, or nothing speaks for the item, or its first reason
              does not lower the score when it is masked
    moderate  everything between
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.explain.removal import Removals
from xattn.explain.rows import EventRows

__all__ = ["LEVELS", "NOTES", "SHORT_HISTORY", "Confidence", "base_share", "confidence_of", "disagreement", "notes_of"]

ROUNDING = 1e-9
SHORT_HISTORY = 5  # events under which a history is called short
NOTES = ("popularity", "short", "disagree", "no_reason", "stays")
LEVELS = ("strong", "moderate", "weak")


class Confidence(NamedTuple):
    """`level` is one of LEVELS; `reason` the note that makes it weak, "idle" for a first reason without effect, else
    ""; `position` that of the first reason, None where there is none."""

    level: str
    reason: str
    position: int | None


def base_share(base: float, lowest: float, contribution: np.ndarray) -> float:
    """How much of a score's ledger is base, from 0 to 1: (b − lowest b) / (b − lowest b + Σ |contribution|).

    The base is counted from that of the least popular item, since scores such as log-odds have no zero of their own.

    >>> base_share(0.3, 0.0, np.array([0.5, -0.1])), base_share(0.0, 0.0, np.array([]))
    (0.33333333333333337, 1.0)
    """
    lift, moved = max(base - lowest, 0.0), float(np.abs(contribution).sum())
    return lift / (lift + moved) if moved > 0 else 1.0


def disagreement(weight: np.ndarray, effect: np.ndarray) -> tuple[int, int] | None:
    """Rows (most looked at, most moving when masked) where they differ, else None."""
    if len(weight) < 2:
        return None
    size = np.abs(effect)
    looked, moving = int(np.argmax(weight)), int(np.argmax(size))
    more = 1.0 + ROUNDING  # what differs by rounding alone is no disagreement
    apart = weight[looked] > more * weight[moving] and size[moving] > more * size[looked]
    return (looked, moving) if apart else None


def notes_of(rows: EventRows, without: Removals, score: float, share: float, stays: bool) -> tuple[str, ...]:
    """Which of the honest cases hold; `share` is the base share, `stays` whether no set of events drops the item."""
    held = {
        "popularity": share > 0.5,
        "short": 0 < rows.events < SHORT_HISTORY,
        "disagree": disagreement(rows.weight, without.score[rows.position] - score) is not None,
        "no_reason": not (rows.contribution > 0).any(),
        "stays": stays,
    }
    return tuple(name for name in NOTES if held[name])


def confidence_of(
    rows: EventRows, without: Removals, score: float, k: int, rank: int | None, share: float
) -> Confidence:
    """The confidence of an explanation; see the rules above."""
    if not len(rows.position) or not rows.contribution[0] > 0:
        return Confidence("weak", "no_reason", None)
    first = int(rows.position[0])
    if share > 0.5:
        return Confidence("weak", "popularity", first)
    if rows.events < SHORT_HISTORY:
        return Confidence("weak", "short", first)
    effect = without.score[rows.position] - score
    if not effect[0] < 0:
        return Confidence("weak", "idle", first)
    decides = rank is not None and rank <= k < int(without.rank[first]) and effect[0] <= effect.min()
    return Confidence("strong" if decides else "moderate", "", first)
