"""Collaborative heads: recency attention over the history, values from the closed form (docs/model.md, eq. 5 and 9–12).

Head h weighs events by age alone, E_i = exp(−g_i/τ_h), or all alike (τ = ∞), so the weights are known before any
target is, and the score of the whole catalogue is a sum of rows of V.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.kernels.fields import field_weights
from xattn.kernels.pool import pool_scores
from xattn.model.closed_form import ClosedForm
from xattn.model.head import Events, HeadCells, HeadField, head_cells

__all__ = ["CollaborativePart"]


class CollaborativePart(NamedTuple):
    """H fitted heads; `gate` (M,) multiplies each target's values (0 where an item has no column)."""

    form: ClosedForm
    tau: tuple[float, ...]
    beta: float
    theta: float
    gate: np.ndarray

    def _E(self, events: Events, h: int) -> np.ndarray:
        return np.exp(-events.age / self.tau[h])[None, :]  # age 0 is always there: m = 0

    def name(self, h: int) -> str:
        return f"recency {self.tau[h]:g}" if np.isfinite(self.tau[h]) else "taken together"

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        """The heads' part of the score of every item (M,)."""
        out = np.zeros(len(self.gate))
        coef = np.array(
            [field_weights(self._E(events, h), events.live, self.beta, self.theta)[0] * w for h in range(len(self.tau))]
        )
        rows = self.form.row_of_item[events.item]
        pooled = pool_scores(np.array([0, len(rows)]), rows, coef, self.form.V)[0]
        out[self.form.warm] = self.gate[self.form.warm] * pooled
        return out

    def _values(self, h: int, events: Events, targets: np.ndarray) -> np.ndarray:
        """v_h(x_i, j) as (J, n); 0 where the event or the target has no place in V."""
        rows = self.form.row_of_item[events.item]
        columns = self.form.row_of_item[targets]
        values = np.zeros((len(targets), len(rows)), self.form.V.dtype)
        if not len(self.form.warm):
            return values
        values[columns >= 0] = self.form.V[h][rows][:, columns[columns >= 0]].T
        values[:, rows < 0] = 0.0
        return values

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        """One field a head over `targets` (J,) item rows."""
        factor = self.gate[targets][:, None] * w
        return [
            HeadField(
                self.name(h), self._E(events, h), self._values(h, events, targets) * factor, self.beta, self.theta
            )
            for h in range(len(self.tau))
        ]

    def cells(self, events: Events, w: np.ndarray, target: int) -> list[HeadCells]:
        """The cells of each head for one target item row."""
        return [
            head_cells(
                self.name(h),
                self._E(events, h),
                events.live,
                self.beta,
                self.theta,
                strength=w,
                value=self._values(h, events, np.array([target])).T,
                gate=self.gate[target],
            )
            for h in range(len(self.tau))
        ]
