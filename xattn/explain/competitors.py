"""A target and its competitors: by how much the target leads each of them, without any set of events.

The heads of a model, seen from the target and from every item that could pass it, are put together once
(`Competitors.of`); the target's lead over each competitor then follows for any set of events by a few sums. Where the
model bounds what masking m events can do (`HistoryCache.reach`), only the items that could pass the target are taken;
of other models all are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.data import History
from xattn.explain.cache import HistoryCache
from xattn.explain.question import Question, Scorer
from xattn.kernels.minimal import Heads
from xattn.model.heads.field import HeadField

__all__ = ["Competitors"]

MOST_NUMBERS = 3_000_000  # competitors × events × heads that are held: 24 MB
ROUNDING = 1e-12  # of the largest score: what sums in another order differ by


class Competitors(NamedTuple):
    """The items (C,) that a target competes with; `heads` over the live events, which stand at `positions` (n,)."""

    heads: Heads
    positions: np.ndarray
    items: np.ndarray
    tolerance: float  # a lead of no more than this may be none

    @classmethod
    def of(cls, cache: HistoryCache, question: Question, m: int) -> Competitors | None:
        """All that can pass the target when up to `m` events are masked.

        None where the model's heads do not tell, or where there are too many numbers.
        """
        own = cache.scorer.fields_of(cache.history, np.array([question.target]))
        if own is None or any(field.theta > 0.0 for field in own):
            return None
        return cls.among(cache.scorer, cache.history, question.target, _possible(cache, question, own, m))

    @classmethod
    def among(cls, scorer: Scorer, history: History, target: int, items: np.ndarray) -> Competitors | None:
        """These `items`; None where the model's heads do not tell, or where there are too many numbers."""
        positions = np.flatnonzero(history.live)
        n, C = len(positions), len(items)
        if (1 + C) * n > MOST_NUMBERS:
            return None
        fields = scorer.fields_of(history, np.concatenate([[target], items]))
        if fields is None or any(field.theta > 0.0 for field in fields):
            return None
        shared, apart = _shared([f for f in fields if f.E.shape[0] == 1], positions), []
        for field in fields:
            if field.E.shape[0] != 1:
                E = np.ascontiguousarray(field.E[:, positions])
                apart.append((E, E * field.X[:, positions], field.beta))
        D = np.array([EX[0] - EX[1:] for _, EX, _ in shared]).reshape(len(shared), C, n)
        sizes = [np.abs(EX).sum(axis=1).max() * _per(E.sum(), beta) for E, EX, beta in shared]
        base = scorer.base_[np.concatenate([[target], items])]
        tolerance = ROUNDING * max(1e-300, float(np.abs(base).max()), *map(float, sizes))
        heads = Heads(
            gap=base[0] - base[1:],
            slack=_slack(apart, C) + tolerance,
            E=np.array([E for E, _, _ in shared]).reshape(len(shared), n),
            D=D,
            beta=np.array([beta for _, _, beta in shared], dtype=float),
            own_E=np.array([E for E, _, _ in apart]).reshape(len(apart), 1 + C, n),
            own_EX=np.array([EX for _, EX, _ in apart]).reshape(len(apart), 1 + C, n),
            own_beta=np.array([beta for _, _, beta in apart], dtype=float),
        )
        return cls(heads, positions, items, tolerance)

    def lead(self, live: np.ndarray) -> np.ndarray:
        """d (B, C): how far the target is ahead of each competitor under the maskings `live` (B, n) of live events."""
        heads, kept = self.heads, live.astype(float)
        d = np.repeat(heads.gap[None, :], len(live), axis=0)
        for h in range(len(heads.E)):
            d += _per(kept @ heads.E[h], heads.beta[h])[:, None] * (kept @ heads.D[h].T)
        for g in range(len(heads.own_E)):
            scores = (kept @ heads.own_EX[g].T) * _per(kept @ heads.own_E[g].T, heads.own_beta[g])
            d += scores[:, :1] - scores[:, 1:]
        return d

    def lead_without_each(self, live: np.ndarray) -> np.ndarray:
        """d (L, C) with each of the L events that are `live` (n,) masked in turn. Nearly exact: own parts are
        subtracted from sums, which loses digits where one weight is nearly 1."""
        heads, events = self.heads, np.flatnonzero(live)
        d = np.repeat(heads.gap[None, :], len(events), axis=0)
        for h in range(len(heads.E)):
            S = heads.E[h][events].sum() - heads.E[h][events]
            own = heads.D[h][:, events].T
            d += _per(S, heads.beta[h])[:, None] * (own.sum(axis=0) - own)
        for g in range(len(heads.own_E)):
            E, EX = heads.own_E[g][:, events].T, heads.own_EX[g][:, events].T
            scores = (EX.sum(axis=0) - EX) * _per(E.sum(axis=0) - E, heads.own_beta[g])
            d += scores[:, :1] - scores[:, 1:]
        return d


def _per(S: np.ndarray, beta: float) -> np.ndarray:
    """S^−β, and 0 where no attention is left."""
    found: np.ndarray = np.where(S > 0, np.where(S > 0, S, 1.0) ** -beta, 0.0)
    return found


def _shared(fields: list[HeadField], positions: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """(E (n,), E·X (J, n), β) of the heads whose attention all targets share; heads of equal attention become one."""
    found: list[tuple[np.ndarray, np.ndarray, float]] = []
    for field in fields:
        E = field.E[0, positions]
        EX = E * field.X[:, positions]
        for place, (other, sums, beta) in enumerate(found):
            if beta == field.beta and np.array_equal(other, E):
                found[place] = (other, sums + EX, beta)
                break
        else:
            found.append((E, EX, field.beta))
    return found


def _slack(apart: list[tuple[np.ndarray, np.ndarray, float]], C: int) -> np.ndarray:
    """(C,) what heads with an attention of each item's own can change of d at most: |Σ a x| ≤ max|x| S^(1−β)."""
    slack = np.zeros(C)
    for E, EX, beta in apart:
        x = np.abs(np.divide(EX, E, out=np.zeros_like(EX), where=E > 0)).max(axis=1, initial=0.0)
        most = x * E.sum(axis=1) ** (1.0 - beta)
        slack += most[0] + most[1:]
    return slack


def _possible(cache: HistoryCache, question: Question, own: list[HeadField], m: int) -> np.ndarray:
    """The items that may be ahead of the target when up to `m` events are masked."""
    allowed = question.allowed.copy()
    allowed[question.target] = False
    reach = cache.reach(m)
    if reach is not None:
        allowed &= reach >= _least(own, cache.history.live, float(cache.scorer.base_[question.target]), m)
    return np.flatnonzero(allowed)


def _least(own: list[HeadField], live: np.ndarray, base: float, m: int) -> float:
    """What the target's score stays over when up to `m` events are masked."""
    least = base
    for field in own:
        E = np.where(live, field.E[0], 0.0)
        x = E * np.where(live, field.X[0], 0.0)
        S, few = float(E.sum()), float(np.sort(E)[: max(len(E) - m, 0)].sum())
        if few <= 1e-9 * S:
            return -np.inf
        low, high = S**-field.beta, few**-field.beta
        loss = np.maximum(low * x, high * x)
        least += min(low * float(x.sum()), high * float(x.sum())) - float(np.sort(np.maximum(loss, 0.0))[-m:].sum())
    return least - 1e-12 * max(1.0, abs(least))
