"""The article's network with pooled users: embeddings, a dot product, a sigmoid (docs/model.md, eq. 23).

    s(u, j) = b_j + Σ_h Σ_i a_hi w_hi v_h(x_i, j),    v_h(x, j) = ⟨P_hx, Q_j⟩ + c_hx,    σ(s): how likely a "yes" is

The article gives every user a free embedding. Here a user *is* what they did: their vector is pooled from their events
with learned attention, eq. 2 with e_hi = k_h[x_i] − g_i/τ_h and m = 0. So the score is a sum over events, someone new
needs no fit, and an event can be taken out. There are two heads: *choice* (w = 1: the item was chosen) and, where there
is a rating scale, *taste* (w is the centred rating: how the item was liked). How they are learned stands in
`model/fit/article.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np

from xattn.kernels.fields import field_weights
from xattn.kernels.scorers import dot
from xattn.model.heads.field import Events, Factors, HeadField
from xattn.model.heads.part import Part

__all__ = ["HEADS", "ArticleNetwork"]

HEADS = ("choice", "taste")


@dataclass(frozen=True, eq=False)
class ArticleNetwork(Part):
    """A fitted network over M items, H heads; D = d + 1, the last column of Q is 1 and that of P the c of eq. 23.

    `names` are those of its heads; the strengths `w` have a row for each of `HEADS`, or for the first of them alone.
    """

    Q: np.ndarray  # (M, D) float64
    P: np.ndarray  # (H, M, D) float64
    k: np.ndarray  # (H, M) float64
    rate: np.ndarray  # (H,) 1/τ
    beta: float
    theta: float
    names: tuple[str, ...] = HEADS

    strength: ClassVar[str] = "each head"

    @property
    def heads(self) -> tuple[str, ...]:
        return self.names[: len(self.P)]

    @property
    def n_items(self) -> int:
        return len(self.Q)

    def with_heads(self, stay: list[int]) -> ArticleNetwork:
        names = tuple(self.names[h] for h in stay)
        return replace(self, P=self.P[stay], k=self.k[stay], rate=self.rate[stay], names=names)

    def state(self) -> dict[str, np.ndarray]:
        return {"Q": self.Q[:, :-1], "P": self.P, "k": self.k, "rate": self.rate}

    def _w(self, w: np.ndarray) -> np.ndarray:
        """The strengths (H, n) of the heads that are here."""
        return w[[HEADS.index(name) for name in self.heads]]

    def _E(self, events: Events, h: int) -> np.ndarray:
        E: np.ndarray = np.exp(self.k[h][events.item] - events.age * self.rate[h])[None, :]
        return E

    def scores(self, events: Events, w: np.ndarray) -> np.ndarray:
        """The heads' part of the score of every item (M,), for strengths `w` (…, n). A masked event is not read."""
        live = np.flatnonzero(events.live)
        user = np.zeros(self.Q.shape[1])
        for h, strength in enumerate(self._w(w)):
            a = field_weights(self._E(events, h), events.live, self.beta, self.theta)[0]
            user += (a[live] * strength[live]) @ self.P[h][events.item[live]]
        return np.asarray(self.Q @ user)

    def fields(self, events: Events, w: np.ndarray, targets: np.ndarray) -> list[HeadField]:
        """One field a head over `targets` (J,) item rows."""
        found = []
        for h, (name, strength) in enumerate(zip(self.heads, self._w(w), strict=True)):
            V = dot(self.Q[targets], self.P[h][events.item])  # each entry is the same sum whatever stands beside it
            factors = partial(_factors, strength, V)
            found.append(HeadField(name, self._E(events, h), V * strength, self.beta, self.theta, factors, h))
        return found


def _factors(strength: np.ndarray, V: np.ndarray, at: int) -> Factors:
    return Factors(strength, V[at][:, None], 1.0)
