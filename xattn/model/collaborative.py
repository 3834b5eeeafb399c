"""Collaborative heads: recency attention over the history, values from the closed form (docs/model.md, eq. 5 and 9–12).

Head h weighs events by age alone, E_i = exp(−g_i/τ_h), or all alike (τ = ∞), so the weights are known before any
target is, and the score of the whole catalogue is a sum of rows of V.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.kernels.fields import field_weights
from xattn.kernels.near import pool_reach, pool_without_each
from xattn.kernels.pool import pool_scores
from xattn.model.closed_form import ClosedForm
from xattn.model.head import Events, HeadCells, HeadField, head_cells

__all__ = ["CollaborativePart"]

FEW = 8  # a single number of a row costs about as much as eight next to each other


class CollaborativePart(NamedTuple):
    """H fitted heads; `gate` (M,) multiplies each target's values (0 where an item has no column)."""

    form: ClosedForm
    tau: tuple[float, ...]
    beta: float
    theta: float
    gate: np.ndarray

    def exponentials(self, age: np.ndarray, h: int) -> np.ndarray:
        """E (1, n) of head h for events of these ages (n,)."""
        return np.exp(-age / self.tau[h])[None, :]  # age 0 is always there: m = 0

    def name(self, h: int) -> str:
        return f"recency {self.tau[h]:g}" if np.isfinite(self.tau[h]) else "taken together"

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        """The heads' part of the score of every item (M,)."""
        out = np.zeros(len(self.gate))
        coef = np.array(
            [
                field_weights(self.exponentials(events.age, h), events.live, self.beta, self.theta)[0] * w
                for h in range(len(self.tau))
            ]
        )
        rows = self.form.row_of_item[events.item]
        pooled = pool_scores(np.array([0, len(rows)]), rows, coef, self.form.V)[0]
        out[self.form.warm] = self.gate[self.form.warm] * pooled
        return out

    def _all_E(self, events: Events) -> np.ndarray:
        return np.concatenate([self.exponentials(events.age, h) for h in range(len(self.tau))])

    def add_near_without_each(self, events: Events, w: np.ndarray, near: np.ndarray) -> None:
        """Add the heads' part of every score without each event to `near` (n, M) float32; θ must be 0."""
        rows, warm = self.form.row_of_item[events.item], self.form.warm
        E = self._all_E(events)
        pool_without_each(rows, E, w, events.live, self.beta, self.form.V, warm, self.gate[warm], near)

    def reach(self, events: Events, w: np.ndarray, m: int) -> np.ndarray:
        """(C,) the most that the heads' part of a warm item's score can be without up to `m` events; θ must be 0."""
        rows = self.form.row_of_item[events.item]
        reach = pool_reach(rows, self._all_E(events), w, events.live, self.beta, self.form.V, m)
        gate = self.gate[self.form.warm]
        return np.where(gate > 0, gate * np.where(gate > 0, reach, 0.0), 0.0)

    def _values(self, h: int, events: Events, targets: np.ndarray) -> np.ndarray:
        """v_h(x_i, j) as (J, n); 0 where the event or the target has no place in V."""
        rows = self.form.row_of_item[events.item]
        columns = self.form.row_of_item[targets]
        values = np.zeros((len(targets), len(rows)), self.form.V.dtype)
        if not len(self.form.warm):
            return values
        own = columns[columns >= 0]
        if FEW * len(own) < len(self.form.warm):  # so few that reading the whole rows of V would take longer
            values[columns >= 0] = self.form.V[h][rows[None, :], own[:, None]]
        else:
            values[columns >= 0] = self.form.V[h][rows][:, own].T
        values[:, rows < 0] = 0.0
        return values

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        """One field a head over `targets` (J,) item rows."""
        factor = self.gate[targets][:, None] * w
        return [
            HeadField(
                self.name(h),
                self.exponentials(events.age, h),
                self._values(h, events, targets) * factor,
                self.beta,
                self.theta,
            )
            for h in range(len(self.tau))
        ]

    def cells(self, events: Events, w: np.ndarray, target: int) -> list[HeadCells]:
        """The cells of each head for one target item row."""
        return [
            head_cells(
                self.name(h),
                self.exponentials(events.age, h),
                events.live,
                self.beta,
                self.theta,
                strength=w,
                value=self._values(h, events, np.array([target])).T,
                gate=self.gate[target],
            )
            for h in range(len(self.tau))
        ]
