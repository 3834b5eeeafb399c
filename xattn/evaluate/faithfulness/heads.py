"""Head by head: does the order of the contributions agree with what leave-one-out takes from that head?

For head h, c_i is the sum of its cells of event i, and l_i = part_h(x) − part_h(x∖i) what its part of the score loses
when i is masked, both from the ledger. They differ by what the others gain,

    l_i = c_i − (part_h − c_i) ((1 − p_i)^{−β} − 1),     p_i the event's share of the head's attention,

which is 0 where the normaliser is not shared (β = 0) and turns the order round among events that say little about
the target. `gained` is the share of that term in all that leave-one-out takes: Σ|l − c| / (Σ|l − c| + Σ|c|).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xattn.data import History
from xattn.evaluate.bootstrap import limits, resampled
from xattn.evaluate.faithfulness.masked import Scored
from xattn.evaluate.faithfulness.metrics import kendall

__all__ = ["ENOUGH", "head_rows"]

ENOUGH = 0.95  # the median of τ from which the order of contributions may be read as the order of effects
EXACT = 1e-6  # share of the gain under which a head is additive: values are float32
ALL = "all"
Case = tuple[int, int]  # user row, target item row


def head_rows(model: Scored, cases: Sequence[Case], name: str, seed: int) -> list[dict[str, Any]]:
    """A row a head and one for "all": model, head, tau (median over cases), ci95, gained (mean), agrees, why.

    `agrees`: tau is at least `ENOUGH`. `why`: "additive" (leave-one-out takes the contribution and no more) or "shared"
    (other events gain what an event leaves: attention, or, where the newest events ask, another question).
    """
    taus: dict[str, list[float]] = {}
    gains: dict[str, list[float]] = {}
    for user, target in cases:
        history = History.of(model.data_, user)
        whole = _parts(model, history, target)
        without = [_parts(model, history.without([i]), target) for i in range(len(history))]
        for head, cells in {**whole, ALL: _summed(whole, len(history))}.items():
            left = np.array([_total(parts, head) for parts in without])
            lost = cells.sum() - left
            taus.setdefault(head, []).append(kendall(cells, lost))
            apart, own = np.abs(lost - cells).sum(), np.abs(cells).sum()
            gains.setdefault(head, []).append(float(apart / (apart + own)) if apart + own > 0 else 0.0)
    return [_row(name, head, np.array(tau), np.array(gains[head]), seed) for head, tau in taus.items()]


def _parts(model: Scored, history: History, target: int) -> dict[str, np.ndarray]:
    """Contributions (n,) of each head; heads of one name are one."""
    found: dict[str, np.ndarray] = {}
    for cells in model.cells_of(history, target):
        own = cells.contribution.sum(axis=1)
        found[cells.name] = found[cells.name] + own if cells.name in found else own
    return found


def _summed(parts: dict[str, np.ndarray], n: int) -> np.ndarray:
    total: np.ndarray = np.sum([*parts.values(), np.zeros(n)], axis=0)
    return total


def _total(parts: dict[str, np.ndarray], head: str) -> float:
    return float(sum(own.sum() for own in parts.values()) if head == ALL else parts[head].sum())


def _row(model: str, head: str, tau: np.ndarray, gain: np.ndarray, seed: int) -> dict[str, Any]:
    def middle(times: np.ndarray) -> np.ndarray:
        return np.array([np.median(np.repeat(tau, times))])

    median, gained = float(np.median(tau)), float(gain.mean())
    return {
        "model": model,
        "head": head,
        "tau": median,
        "ci95": limits(resampled(middle, len(tau), seed, draws=500))[0].tolist(),
        "gained": gained,
        "agrees": median >= ENOUGH,
        "why": "additive" if gained < EXACT else "shared",
    }
