"""A plain matrix factorisation as a scorer, so that explainers can be put to the same test on a model that is not ours.

implicit's ALS folds a history in: its person vector solves a ridge problem against the item vectors y,

    A x = b,   A = YᵀY + λI + (α − 1) Σ_i y_i y_iᵀ,   b = α Σ_i y_i,   s_j = ⟨x, y_j⟩      (Hu et al., ICDM 2008)

over the distinct items that are in sight. Such a model has no ledger and no attention. But the terms y_jᵀA⁻¹ α y_i add
up to the score, and are what implicit's own `explain` shows (row *contribution*; all weights are 1, so *attention* is
the order of time). And every masking can be scored again (row *removal*), all single events in O(n d²) by the formula
of Sherman and Morrison (1950).
"""

from __future__ import annotations

from typing import Self

import numpy as np

from xattn.data import History, Interactions
from xattn.evaluate.rivals import ALS
from xattn.model.heads.field import HeadCells
from xattn.progress import Progress

__all__ = ["PostHoc"]

BLOCK = 4_000_000  # numbers of stacked matrices held at a time: 32 MB


class PostHoc:
    """ALS as explainers see it: a `Scored` whose maskings are folded in many at a time (`masked_scores`)."""

    def __init__(self, model: ALS) -> None:
        self.model = model

    def fit(self, data: Interactions, y: None = None, *, progress: Progress | None = None) -> Self:
        """Fit the factorisation; raises InputError as it does."""
        self.model.fit(data, progress=progress)
        self._Y = np.asarray(self.model._items, np.float64)
        d = self._Y.shape[1]
        self._A = self._Y.T @ self._Y + float(self.model.regularization) * np.eye(d)
        return self

    @property
    def data_(self) -> Interactions:
        return self.model.data_

    @property
    def base_(self) -> np.ndarray:
        return np.zeros(len(self._Y))

    def scores_of(self, history: History) -> np.ndarray:
        """Scores (M,) of every item, in float64; implicit's own are these in float32."""
        found: np.ndarray = self.scores(history, history.live[None, :], None)[0]
        return found

    def _first(self, history: History, live: np.ndarray) -> np.ndarray:
        """`live` (B, n), each item once: of repeated events in sight the newest stands for all."""
        kept = live.copy()
        for item in np.unique(history.item[np.bincount(history.item)[history.item] > 1]):
            at = np.flatnonzero(history.item == item)
            newer = np.cumsum(live[:, at][:, ::-1], axis=1)[:, ::-1]
            kept[:, at] &= newer == 1
        return kept

    def scores(self, history: History, live: np.ndarray, targets: np.ndarray | None) -> np.ndarray:
        """Scores (B, J) of `targets` (every item where None) for the maskings `live` (B, n)."""
        y, alpha = self._Y[history.item], float(self.model.alpha)
        wanted = self._Y if targets is None else self._Y[targets]
        d = self._Y.shape[1]
        outer = (y[:, :, None] * y[:, None, :]).reshape(len(y), d * d)
        out = np.empty((len(live), len(wanted)))
        step = max(1, BLOCK // (d * d))
        for low in range(0, len(live), step):
            kept = self._first(history, live[low : low + step]).astype(float)
            A = self._A + (alpha - 1.0) * (kept @ outer).reshape(-1, d, d)
            x = np.linalg.solve(A, alpha * (kept @ y)[:, :, None])[:, :, 0]
            out[low : low + step] = x @ wanted.T
        return out

    def _inverse(self, history: History) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A⁻¹ (d, d), x (d,), and which events count (n,)."""
        kept, alpha = self._first(history, history.live[None, :])[0], float(self.model.alpha)
        y = self._Y[history.item[kept]]
        inverse = np.linalg.inv(self._A + (alpha - 1.0) * y.T @ y)
        return inverse, inverse @ (alpha * y.sum(axis=0)), kept

    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray:
        """Scores (J, n) with each event masked in turn; where an item is repeated, the masking is scored anew.

        With B = A − (α − 1) y yᵀ: B⁻¹ = A⁻¹ + (α − 1) A⁻¹y yᵀA⁻¹ / (1 − (α − 1) yᵀA⁻¹y), and B x' = b − α y.
        """
        inverse, x, kept = self._inverse(history)
        alpha, y = float(self.model.alpha), self._Y[history.item]
        more, Ay = alpha - 1.0, y @ inverse  # (n, d) rows A⁻¹ y_i
        lean = 1.0 - more * (Ay * y).sum(axis=1)
        before = x - alpha * Ay  # A⁻¹ (b − α y_i)
        after = before + more * Ay * ((before * y).sum(axis=1) / lean)[:, None]
        after = np.where(kept[:, None], after, x)
        out = self._Y[targets] @ after.T
        again = np.flatnonzero(history.live & (np.bincount(history.item)[history.item] > 1))
        for i in again.tolist():
            out[:, i] = self.scores(history, history.without([i]).live[None, :], targets)[0]
        return np.asarray(out)

    def cells_of(self, history: History, target: int) -> list[HeadCells]:
        """The terms y_jᵀA⁻¹ α y_i, which add up to the score."""
        inverse, _, kept = self._inverse(history)
        value = self._Y[history.item] @ (inverse @ self._Y[target])
        strength = np.full(len(history), float(self.model.alpha))
        return [HeadCells("folded in", ("",), kept.astype(float), strength, value[:, None], 1.0)]
