"""Collaborative heads: recency attention over the history, values from the closed form (docs/model.md, eq. 5 and 9–12).

Head h weighs events by age alone, E_i = exp(−g_i/τ_h), by the time since (`model/memory.py`), or all alike (τ = ∞).
So the weights are known before any target is, and the score of the whole catalogue is a sum of rows of V. The weights
of many histories are known at once too: laid end to end, all of them are summed in one call, to the same bits as alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np

from xattn.kernels.approximate import Attending
from xattn.kernels.fields import FAINT, field_weights, field_weights_of_many
from xattn.model.heads.field import Events, Factors, HeadField, ManyEvents
from xattn.model.heads.part import Part
from xattn.model.memory import Aged, Memory, memory_names
from xattn.model.value_table import Form

__all__ = ["CollaborativePart"]


@dataclass(frozen=True, eq=False)
class CollaborativePart(Part):
    """H fitted heads; `gate` (M,) multiplies each target's values (0 where an item has no column)."""

    form: Form
    memories: tuple[Memory, ...]
    beta: float
    theta: float
    gate: np.ndarray

    strength: ClassVar[str] = "presence"
    streams: ClassVar[bool] = True

    @property
    def heads(self) -> tuple[str, ...]:
        return memory_names(self.memories, "recency", "taken together")

    @property
    def n_items(self) -> int:
        return len(self.gate)

    def with_heads(self, stay: list[int]) -> CollaborativePart:
        return replace(self, form=self.form.heads(stay), memories=tuple(self.memories[h] for h in stay))

    def state(self) -> dict[str, np.ndarray]:
        return self.form.state()

    def exponentials(self, events: Aged) -> np.ndarray:
        """E (H, n) of the events."""
        return np.array([memory.exponentials(events) for memory in self.memories])

    def coefficients(self, events: Events, w: np.ndarray) -> np.ndarray:
        """(H, n) weight times strength of each event; 0 where the weight is too faint for any sum to have it."""
        weights = [
            field_weights(E[None, :], events.live, self.beta, self.theta, FAINT)[0] for E in self.exponentials(events)
        ]
        return np.asarray(np.array(weights) * w)

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        out = np.zeros(len(self.gate))
        self._add_pooled(out[None, :], np.array([0, len(w)]), events.item, self.coefficients(events, w))
        return out

    def add_scores_of_many(self, out: np.ndarray, histories: ManyEvents, w: np.ndarray) -> None:
        if not len(histories):
            return
        E = self.exponentials(histories)
        coef = field_weights_of_many(E, histories.live, histories.indptr, self.beta, self.theta, FAINT) * w
        self._add_pooled(out, histories.indptr, histories.item, coef)

    def scores_masked(self, events: Events, w: np.ndarray, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        (R, n), row_of_item = live.shape, self.form.row_of_item
        E = self.exponentials(events)
        ptr, out = np.arange(R + 1) * n, np.zeros((R, len(targets)))
        coef = field_weights_of_many(np.tile(E, R), live.ravel(), ptr, self.beta, self.theta, FAINT) * np.tile(w, R)
        self.form.add_pooled_few(out, ptr, row_of_item[events.item], coef, row_of_item[targets], self.gate[targets])
        return out

    def _add_pooled(self, out: np.ndarray, ptr: np.ndarray, item: np.ndarray, coef: np.ndarray) -> None:
        form, warm = self.form, self.form.warm
        form.add_pooled(out, ptr, form.row_of_item[item], coef, warm, self.gate[warm])

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        gate, found = self.gate[targets], []
        for h, name in enumerate(self.heads):
            V, E = self._values(h, events, targets), self.memories[h].exponentials(events)[None, :]
            X, factors = V * (gate[:, None] * w), partial(_factors, w, V, gate)
            found.append(HeadField(name, E, X, self.beta, self.theta, factors, h))
        return found

    def _values(self, h: int, events: Events, targets: np.ndarray) -> np.ndarray:
        """v_h(x_i, j) as (J, n); 0 where the event or the target has no place in V."""
        row_of_item = self.form.row_of_item
        return self.form.values(h, row_of_item[events.item], row_of_item[targets])

    # --- what is quick to know about the whole catalogue --------------------------------------------------------------

    @property
    def bounded(self) -> bool:
        return self.theta == 0.0

    def _attended(self, events: Events, w: np.ndarray) -> Attending:
        E = self.exponentials(events)
        return Attending(self.form.row_of_item[events.item], E, w, events.live, self.beta)

    def add_approximate(self, out: np.ndarray, events: Events, w: np.ndarray) -> np.ndarray:
        self.form.add_approximate_without_each(out, self._attended(events, w), self.gate[self.form.warm])
        return np.zeros(len(self.gate))

    def reach(self, events: Events, w: np.ndarray, m: int) -> np.ndarray:
        reach, gate = np.zeros(len(self.gate)), self.gate[self.form.warm]
        most = self.form.reach(self._attended(events, w), m)
        reach[self.form.warm] = np.where(gate > 0, gate * np.where(gate > 0, most, 0.0), 0.0)
        return reach


def _factors(w: np.ndarray, V: np.ndarray, gate: np.ndarray, at: int) -> Factors:
    return Factors(w, V[at][:, None], gate[at])
