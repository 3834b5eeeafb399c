"""Learned heads in which the target asks: each candidate attends to the history in its own way (docs/model.md, eq. 32).

    q_hj = U_j Wq_h,   e_hi(j) = ⟨q_hj, E[x_i] Wk_h⟩/√dk + r_h,age(i),   s_j = b_j + Σ_h Σ_i a_hi(j) ⟨E[x_i] Wv_h, U_j⟩

The tables are those of `model/sequence.py`. A logit depends on one event and the target alone, so a removal follows
from the cells in closed form (eq. 18). Source: attention of the target item, He et al. (TKDE 2018), Zhou et al. (KDD
2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from xattn.kernels.scorers import dot
from xattn.kernels.target import target_scores
from xattn.model.heads.field import Events, Factors, HeadField
from xattn.model.heads.trained import TrainedPart

__all__ = ["TargetPart"]


@dataclass(frozen=True, eq=False)
class TargetPart(TrainedPart):
    """Trained heads that the target asks; an item without a row of its own gets nothing from them."""

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        """One field a head over `targets` (J,)."""
        known = self.rows[targets] < self.shape.C
        own, gate = np.flatnonzero(known), np.where(known, self.gate[targets], 0.0)
        u = self._U(self.rows[targets[own]])
        e = self.params["E"][self.rows[events.item]].astype(np.float64)
        Wq, Wk, Wv, r = (self._table(name) for name in ("Wq", "Wk", "Wv", "r"))
        age = events.age.astype(np.int64)
        seen = age < self.shape.L
        fields = []
        for h, name in enumerate(self.heads):
            z = (u @ Wq[h]) @ (e @ Wk[h]).T * self.shape.dk**-0.5 + r[h, np.minimum(age, self.shape.L - 1)]
            z[:, ~seen] = -np.inf
            E, V = np.zeros((2, len(targets), len(w)))
            E[own] = np.exp(z - z.max(axis=1, keepdims=True, initial=-np.inf))
            V[own] = self.alpha * (u @ (e @ Wv[h]).T)
            factors = partial(_factors, w, V, gate)
            fields.append(HeadField(name, E, V * (gate[:, None] * w), self.shape.beta, self.theta, factors, h))
        return fields

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        """The scores of the `fields` over all items, without their tables of items × events."""
        out = np.zeros(len(self.rows))
        own = np.flatnonzero(self.rows < self.shape.C)  # most of a large catalogue may have no row
        seen = np.flatnonzero(events.age < self.shape.L)
        u, e = self._U(self.rows[own]), self.params["E"][self.rows[events.item[seen]]].astype(np.float64)
        Wq, Wk, Wv, r = (self._table(name) for name in ("Wq", "Wk", "Wv", "r"))
        live, age = events.live[seen], events.age[seen].astype(np.int64)
        strength = np.where(live, w[seen], 0.0)[:, None]
        how = {"scale": self.shape.dk**-0.5, "beta": self.shape.beta, "theta": self.theta}
        for h in range(self.shape.H):
            Q, K, V = dot(u, Wq[h].T), dot(e, Wk[h].T), dot(e, Wv[h].T) * strength  # BLAS would fight for the cores
            out[own] += target_scores(Q, u, K, V, r[h, age], live, **how)
        out[own] *= self.alpha * self.gate[own]
        return out


def _factors(w: np.ndarray, V: np.ndarray, gate: np.ndarray, at: int) -> Factors:
    return Factors(w, V[at][:, None], gate[at])
