"""The article's network with pooled users: embeddings, a dot product, a sigmoid (docs/model.md, eq. 18).

    s(u, j) = b_j + Σ_h Σ_i a_hi w_hi v_h(x_i, j),    v_h(x, j) = ⟨P_hx, Q_j⟩ + c_hx,    σ(s): how likely a "yes" is

The article gives every user a free embedding. Here a user *is* what they did: their vector is pooled from their events
with learned attention, eq. 2 with e_hi = k_h[x_i] − g_i/τ_h and m = 0. So the score is a sum over events, someone new
needs no fit, and an event can be taken out. Two heads: *choice* (w = 1: that it was chosen) and, where there is a
rating scale, *taste* (w the centred rating: what was thought of it).

Here is what is served; how it is learned stands in `article_training.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.kernels.fields import field_weights
from xattn.kernels.scorers import dot
from xattn.model.heads.part import Events, HeadCells, HeadField, head_cells

__all__ = ["HEADS", "ArticleNetwork"]

HEADS = ("choice", "taste")


class ArticleNetwork(NamedTuple):
    """A fitted network over M items, H heads; D = d + 1, the last column of Q is 1 and that of P the c of eq. 18."""

    b: np.ndarray  # (M,) base
    Q: np.ndarray  # (M, D) float64
    P: np.ndarray  # (H, M, D) float64
    k: np.ndarray  # (H, M) float64
    rate: np.ndarray  # (H,) 1/τ
    beta: float
    theta: float

    def _E(self, events: Events, h: int) -> np.ndarray:
        E: np.ndarray = np.exp(self.k[h][events.item] - events.age * self.rate[h])[None, :]
        return E

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        """The score of every item (M,), for strengths `w` (H, n). A masked event is not read."""
        live = np.flatnonzero(events.live)
        user = np.zeros(self.Q.shape[1])
        for h in range(len(self.P)):
            a = field_weights(self._E(events, h), events.live, self.beta, self.theta)[0]
            user += (a[live] * w[h][live]) @ self.P[h][events.item[live]]
        return np.asarray(self.b + self.Q @ user)

    def _values(self, h: int, events: Events, targets: np.ndarray) -> np.ndarray:
        """v_h(x_i, j) as (J, n); each entry is the same sum whatever stands beside it."""
        return dot(self.Q[targets], self.P[h][events.item])

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        """One field a head over `targets` (J,) item rows."""
        return [
            HeadField(HEADS[h], self._E(events, h), self._values(h, events, targets) * w[h], self.beta, self.theta)
            for h in range(len(self.P))
        ]

    def cells(self, events: Events, w: np.ndarray, target: int) -> list[HeadCells]:
        """The cells of each head for one target item row."""
        return [
            head_cells(
                HEADS[h],
                self._E(events, h),
                events.live,
                self.beta,
                self.theta,
                strength=w[h],
                value=self._values(h, events, np.array([target])).T,
                gate=1.0,
            )
            for h in range(len(self.P))
        ]
