"""The ceiling: the set of K events without which the score is lowest (for the weakest: highest), of all such sets.

All sets of size 1 and 2 are tried (of size 2 only up to 100 events, for models with a threshold or that are not sums of
heads over events), and all sets of any size that has at most `MOST_SETS` of them. For the other sizes, a beam of the
best sets of one size grows by every event to the next; its sets are good but not proven best (`is_exact`). The sets of
a beam are scored again directly before one is chosen.
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np

from xattn.evaluate.faithfulness.case import Case, Explanation

__all__ = ["exhaustive", "is_exact"]

MOST_SETS = 5_000  # all sets of up to 5 of 16 events, up to 4 of 20, up to 3 of 32
BEAM = 24  # sets that are kept of each size


def is_exact(n: int, K: int, all_pairs: bool = True) -> bool:
    """Whether sets of K of n events are all tried; `all_pairs` as in `Masked`."""
    return K == 1 or (K == 2 and all_pairs) or comb(n, K) <= MOST_SETS


def exhaustive(case: Case, most: int) -> Explanation:
    """The best sets of each size; they need not contain each other, so there is no order and no strength."""
    most = min(most, case.n)
    whole = most > 1 and is_exact(case.n, 2, case.masked.all_pairs)
    pairs = _grown(case, np.arange(case.n)[:, None]) if whole else None
    strongest, weakest = (_end(case, most, pairs, sign) for sign in (1.0, -1.0))
    return Explanation(None, strongest, weakest)


def _live(sets: np.ndarray, n: int) -> np.ndarray:
    """(B, n) bool: maskings that take out `sets` (B, K)."""
    live = np.ones((len(sets), n), bool)
    live[np.arange(len(sets))[:, None], sets] = False
    return live


def _grown(case: Case, sets: np.ndarray) -> np.ndarray:
    """Scores (B, n) without each set (B, K) and each further event; NaN for an event of the set."""
    live = _live(sets, case.n)
    return np.where(live, case.masked.each(live, case.target), np.nan)


def _end(case: Case, most: int, pairs: np.ndarray | None, sign: float) -> tuple[tuple[int, ...], ...]:
    singles = np.arange(case.n)[:, None]
    found, beam = [_best(case, singles, sign)], singles
    for K in range(2, most + 1):
        if K > 2 and is_exact(case.n, K):
            beam = np.array(list(combinations(range(case.n), K)))
            found.append(_best(case, beam, sign))
            continue
        if K == 2 and pairs is None:
            single = sign * case.masked.of(_live(singles, case.n), case.target)
            beam = singles[np.argsort(single, kind="stable")[:BEAM]]
        score = sign * (pairs if K == 2 and pairs is not None else _grown(case, beam))
        beam = _kept(beam, score)
        found.append(_best(case, beam, sign))
    return tuple(found)


def _kept(sets: np.ndarray, score: np.ndarray) -> np.ndarray:
    """The BEAM lowest distinct sets that grow from `sets` (B, K) by one event, `score` (B, n)."""
    flat = score.ravel()
    most = min(BEAM * (sets.shape[1] + 1), int(np.count_nonzero(~np.isnan(flat))))  # a set grows in up to K + 1 ways
    near = np.argpartition(flat, most - 1)[:most]  # NaN sorts last
    near = near[np.argsort(flat[near], kind="stable")]
    grown = np.column_stack([sets[near // score.shape[1]], near % score.shape[1]])
    grown.sort(axis=1)
    first = np.sort(np.unique(grown, axis=0, return_index=True)[1])
    kept: np.ndarray = grown[first[:BEAM]]
    return kept


def _best(case: Case, sets: np.ndarray, sign: float) -> tuple[int, ...]:
    scores = sign * case.masked.of(_live(sets, case.n), case.target)
    return tuple(int(i) for i in sets[int(np.argmin(scores))])
