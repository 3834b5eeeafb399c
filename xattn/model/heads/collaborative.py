"""Collaborative heads: recency attention over the history, values from the closed form (docs/model.md, eq. 5 and 9–12).

Head h weighs events by age alone, E_i = exp(−g_i/τ_h), or all alike (τ = ∞), so the weights are known before any
target is, and the score of the whole catalogue is a sum of rows of V.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.kernels.approximate import Attending
from xattn.kernels.fields import field_weights
from xattn.model.heads.part import Events, HeadCells, HeadField, head_cells
from xattn.model.value_table import Form

__all__ = ["CollaborativePart"]


class CollaborativePart(NamedTuple):
    """H fitted heads; `gate` (M,) multiplies each target's values (0 where an item has no column)."""

    form: Form
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
        warm = self.form.warm
        self.form.add_pooled(out[None, :], np.array([0, len(rows)]), rows, coef, warm, self.gate[warm])
        return out

    def _attended(self, events: Events, w: np.ndarray) -> Attending:
        E = np.concatenate([self.exponentials(events.age, h) for h in range(len(self.tau))])
        return Attending(self.form.row_of_item[events.item], E, w, events.live, self.beta)

    def add_near_without_each(self, events: Events, w: np.ndarray, near: np.ndarray) -> None:
        """Add the heads' part of every score without each event to `near` (n, M) float32; θ must be 0."""
        self.form.add_near_without_each(self._attended(events, w), self.gate[self.form.warm], near)

    def reach(self, events: Events, w: np.ndarray, m: int) -> np.ndarray:
        """(C,) the most that the heads' part of a warm item's score can be without up to `m` events; θ must be 0."""
        reach = self.form.reach(self._attended(events, w), m)
        gate = self.gate[self.form.warm]
        return np.where(gate > 0, gate * np.where(gate > 0, reach, 0.0), 0.0)

    def _values(self, h: int, events: Events, targets: np.ndarray) -> np.ndarray:
        """v_h(x_i, j) as (J, n); 0 where the event or the target has no place in V."""
        row_of_item = self.form.row_of_item
        return self.form.values(h, row_of_item[events.item], row_of_item[targets])

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
